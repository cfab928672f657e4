/*
 * extension.c - the end of the extension in a database, while sessions have requests and rights.
 *
 * Its event triggers are gone with it before any of them could be told of the drop,
 * so what may lead to it is noted beforehand, and looked at before the commit: is
 * the extension another, or none at all?  Then all requests end, and who holds rights
 * is made to look.  Nothing of it can be asked any more by that time, so what the last
 * events say is known by then.
 */
#include "request.h"

#include "access/xact.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/procsignal.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(paos_extension_dropping);

static Oid noted = InvalidOid; /* the extension before the present transaction dropped something */
static bool ending = false;    /* it drops it, with requests */
static List *holders = NIL;    /* of Holder, in TopTransactionContext */

/* A session that has rights. */
typedef struct Holder
{
    int pid;
    BackendId backend;
} Holder;

/* Event trigger before DROP EXTENSION and DROP OWNED. */
Datum paos_extension_dropping(PG_FUNCTION_ARGS)
{
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.extension_dropping must be called as an event trigger"));
    if (OidIsValid(noted) || !PaosVersionFits())
        PG_RETURN_NULL();
    if (PaosSharedGet(false) != NULL)
        (void) PaosAuthorText();
    noted = get_extension_oid("paos", false);
    PG_RETURN_NULL();
}

bool PaosExtensionGone(void)
{
    return OidIsValid(noted) && get_extension_oid("paos", true) != noted;
}

/* Ends a request; who is told of it is told of that. */
static void End(PaosShared *shared, int64 id)
{
    PaosRequest request;

    if (!PaosRequestGet(shared, id, &request, NULL))
        return;
    if (request.backend != 0)
        PaosEventTell(&request, PaosEndedPayload(id, ERRCODE_UNDEFINED_OBJECT,
                                                 "extension \"paos\" was dropped"));
    PaosRequestEnd(id);
}

/* Who has a right has the tag of its class, whose key is 0. */
static bool IsHolders(const LockInstanceData *lock)
{
    const LOCKTAG *tag = &lock->locktag;

    return tag->locktag_type == LOCKTAG_ADVISORY && tag->locktag_field1 == MyDatabaseId &&
           tag->locktag_field4 == PAOS_LOCK_SPACE && (tag->locktag_field2 & 0xffff) == 0 &&
           tag->locktag_field3 == 0 && lock->holdMask != 0;
}

static void FindHolders(void)
{
    LockData *locks = GetLockStatusData();
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    int i;

    for (i = 0; i < locks->nelements; i++)
    {
        const LockInstanceData *lock = &locks->locks[i];
        Holder *holder;

        if (!IsHolders(lock))
            continue;
        holder = palloc(sizeof(Holder));
        *holder = (Holder){lock->pid, lock->backend};
        holders = lappend(holders, holder);
    }
    MemoryContextSwitchTo(previous);
}

/* Has each run an empty transaction when it is idle, before whose end it looks: see lock.c. */
static void TellHolders(void)
{
    ListCell *cell;

    foreach (cell, holders)
    {
        const Holder *holder = lfirst(cell);

        if (holder->pid != MyProcPid)
            SendProcSignal(holder->pid, PROCSIG_CATCHUP_INTERRUPT, holder->backend);
    }
}

void PaosExtensionEnd(bool prepare)
{
    PaosShared *shared = PaosSharedAttached();
    ListCell *cell;

    if (prepare)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot PREPARE a transaction that has dropped extension \"paos\""));
    FindHolders();
    if (shared == NULL)
        return;
    ending = true;
    foreach (cell, PaosRequestIds(shared, NIL))
        End(shared, *(int64 *) lfirst(cell));
}

/* After the commit, before anybody is told, or when there is none. */
void PaosExtensionForget(bool committed)
{
    if (ending && committed)
    {
        PaosShared *shared = PaosSharedAttached();

        pg_atomic_write_u32(&shared->over, 1);
        PaosAreaForget(PaosSharedArea(), pg_atomic_read_u64(&shared->last_request));
    }
    if (committed)
        TellHolders();
    noted = InvalidOid;
    ending = false;
    holders = NIL;
}
