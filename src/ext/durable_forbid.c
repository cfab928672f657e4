/*
 * durable_forbid.c - durable requests whose role may not read any more what they name.
 *
 * Their reader is to look again when it may, which one event says as well as one for
 * each commit would.  So while such an event waits, commits add none.  It waits as long
 * as nobody can read it, and that ends with paos.pending, which therefore waits for those
 * who are about to commit without an event: they hold the request's task until then.
 */
#include "durable.h"
#include "request_table.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static List *told = NIL; /* ids (int64 pointers) that this commit tells, in TopTransactionContext */

/* Of one that was dropped nothing is kept any more, and what there is can be read. */
static bool RoleIsThere(const PaosRequest *request)
{
    return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(request->role));
}

static PaosForbidden State(PaosShared *shared, int64 id)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    PaosForbidden state = PAOS_ALLOWED;

    if (entry == NULL)
        return state;
    if (entry->durable)
        state = PaosRequestMoreOf(entry)->forbidden;
    PaosRequestLetGo(entry);
    return state;
}

static void SetState(PaosShared *shared, int64 id, PaosForbidden state)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);

    if (entry == NULL)
        return;
    PaosRequestMoreOf(entry)->forbidden = state;
    PaosRequestLetGo(entry);
}

static void Remember(int64 id)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    int64 *copy = palloc(sizeof(int64));

    *copy = id;
    told = lappend(told, copy);
    MemoryContextSwitchTo(previous);
}

/* A transaction that is prepared would keep the task, and its reader from reading, for long. */
bool PaosForbidTold(const PaosRequest *request, bool preparing)
{
    PaosShared *shared = PaosSharedAttached();

    if (!RoleIsThere(request))
        return true;
    if (preparing || !PaosTaskTry(request->id, ShareLock))
        return false;
    if (State(shared, request->id) == PAOS_FORBIDDEN)
        return true;
    SetState(shared, request->id, PAOS_FORBIDDING);
    Remember(request->id);
    return false;
}

void PaosForbidEnd(bool committed)
{
    ListCell *cell;

    foreach (cell, told)
    {
        if (committed)
            SetState(PaosSharedAttached(), *(int64 *) lfirst(cell), PAOS_FORBIDDEN);
    }
    told = NIL;
}

void PaosForbidLift(const PaosDurable *durable)
{
    PaosShared *shared = PaosSharedFiled(true);
    PaosRequest request;

    if (State(shared, durable->request) == PAOS_ALLOWED ||
        !PaosRequestGet(shared, durable->request, &request, NULL) || !RoleIsThere(&request))
        return;
    if (!PaosPrivilegesKept(&request))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied for durable request \"%s\"", durable->name),
                errdetail("Its role may not read any more what it names."),
                errhint("Grant it SELECT again, or call paos.forget."));
    PaosTaskHold(durable->request, ExclusiveLock);
    SetState(shared, durable->request, PAOS_ALLOWED);
    /* Who was waited for is in no snapshot from before. */
    if (IsolationUsesXactSnapshot())
        PaosDurableResync(shared, durable->request);
}
