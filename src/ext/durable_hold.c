/*
 * durable_hold.c - the session that attends to a durable request.
 *
 * Only one at a time may, or two would do the same work.  It holds a session-level
 * lock on a hash of the name, which goes with the session however that ends, and
 * whoever stands by waits for it.  A lock does not go with the transaction, LISTEN
 * does: so what a transaction that is rolled back has taken is given back here.
 */
#include "durable.h"
#include "end.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(paos_attend);
PG_FUNCTION_INFO_V1(paos_leave);

static List *holds = NIL; /* of PaosHold, in TopMemoryContext, as all that is in them */

static void NameTag(const char *name, LOCKTAG *tag)
{
    uint64 hash = hash_bytes_extended((const unsigned char *) name, strlen(name), 0);

    SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, PAOS_LOCK_NAME);
}

/* Forgets a hold; the lock may be gone already (DISCARD ALL). */
static void Release(PaosHold *hold)
{
    PaosShared *shared = PaosSharedAttached();
    LOCKTAG tag;

    NameTag(hold->name, &tag);
    if (hold->request != 0 && shared != NULL)
        PaosRequestAttend(shared, hold->request, NULL);
    if (LockHeldByMe(&tag, ExclusiveLock))
        LockRelease(&tag, ExclusiveLock, true);
    holds = list_delete_ptr(holds, hold);
    if (hold->seen != NULL)
        pfree(hold->seen);
    pfree(hold->name);
    pfree(hold);
}

void PaosHoldsForget(void)
{
    while (holds != NIL)
        Release(linitial(holds));
}

/* Before the locks go, so that who stands by finds nobody attending. */
static void EndSession(int code, Datum arg)
{
    ListCell *cell;

    foreach (cell, holds)
    {
        PaosHold *hold = lfirst(cell);

        if (hold->request != 0 && PaosSharedAttached() != NULL)
            PaosRequestAttend(PaosSharedAttached(), hold->request, NULL);
    }
    holds = NIL;
}

/* What a subtransaction, or one inside it, has taken is given back, what it gave up is kept. */
static void Undo(SubTransactionId subxact)
{
    int i;

    for (i = list_length(holds) - 1; i >= 0; i--)
    {
        PaosHold *hold = list_nth(holds, i);

        if (hold->subxact >= subxact)
        {
            Release(hold);
            continue;
        }
        if (hold->leaving >= subxact)
            hold->leaving = InvalidSubTransactionId;
        if (hold->changed >= subxact)
        {
            hold->request = hold->before;
            hold->changed = InvalidSubTransactionId;
        }
    }
}

static void Commit(void)
{
    int i;

    for (i = list_length(holds) - 1; i >= 0; i--)
    {
        PaosHold *hold = list_nth(holds, i);

        hold->subxact = hold->changed = InvalidSubTransactionId;
        if (hold->leaving != InvalidSubTransactionId)
            Release(hold);
    }
}

static PaosEnds ends = {.commit = Commit, .undo = Undo, .session = EndSession};

static PaosHold *Add(const char *name)
{
    MemoryContext previous = MemoryContextSwitchTo(TopMemoryContext);
    PaosHold *hold = palloc0(sizeof(PaosHold));

    PaosEndsRegister(&ends);
    hold->name = pstrdup(name);
    hold->subxact = GetCurrentSubTransactionId();
    holds = lappend(holds, hold);
    MemoryContextSwitchTo(previous);
    return hold;
}

/* NULL: not held by this session. */
static PaosHold *Find(const char *name)
{
    ListCell *cell;
    LOCKTAG tag;

    NameTag(name, &tag);
    foreach (cell, holds)
    {
        PaosHold *hold = lfirst(cell);

        if (strcmp(hold->name, name) != 0)
            continue;
        if (LockHeldByMe(&tag, ExclusiveLock))
            return hold;
        Release(hold);
        return NULL;
    }
    return NULL;
}

/* Who holds the name, in words; NULL when nobody does any more. */
static char *DescribeHolder(const LOCKTAG *tag)
{
    Oid types[] = {OIDOID, OIDOID};
    Datum values[] = {ObjectIdGetDatum(tag->locktag_field2), ObjectIdGetDatum(tag->locktag_field3)};
    MemoryContext context = CurrentMemoryContext;
    char *holder = NULL;

    SPI_connect();
    if (SPI_execute_with_args(
            "SELECT pg_catalog.format('It is attended to by %s, process %s%s on host \"%s\""
            " (server process %s).',"
            " CASE WHEN a.application OPERATOR(pg_catalog.<>) '' THEN a.application"
            "  ELSE 'a session' END,"
            " a.pid, ' of user ' OPERATOR(pg_catalog.||) a.uid, a.host, a.backend)"
            " FROM pg_catalog.pg_locks l"
            " JOIN paos.authors() a ON a.backend OPERATOR(pg_catalog.=) l.pid"
            " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'"
            " AND l.classid OPERATOR(pg_catalog.=) $1 AND l.objid OPERATOR(pg_catalog.=) $2"
            " AND l.objsubid OPERATOR(pg_catalog.=) 28770 AND l.granted",
            2, types, values, NULL, true, 1) == SPI_OK_SELECT &&
        SPI_processed > 0)
        holder = MemoryContextStrdup(context,
                                     SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
    SPI_finish();
    return holder;
}

PaosHold *PaosHoldTake(const char *name)
{
    PaosHold *hold = Find(name);
    LOCKTAG tag;
    char *holder;

    if (hold != NULL)
        return hold;
    NameTag(name, &tag);
    if (LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL)
        return Add(name);
    holder = DescribeHolder(&tag);
    ereport(ERROR, errcode(ERRCODE_OBJECT_IN_USE),
            errmsg("durable request \"%s\" is attended to by another session", name),
            holder == NULL ? 0 : errdetail_internal("%s", holder),
            errhint("Stand by with paos.attend, or take another name."));
}

void PaosHoldSet(PaosHold *hold, int64 request)
{
    if (hold->request == request)
        return;
    if (hold->changed == InvalidSubTransactionId)
        hold->before = hold->request;
    hold->changed = GetCurrentSubTransactionId();
    hold->request = request;
}

void PaosHoldListen(PaosHold *hold, PaosShared *shared, int64 request)
{
    PaosHoldSet(hold, request);
    PaosChannelListen(shared);
    PaosRequestAttend(shared, request, PaosChannelOwn());
}

void PaosHoldLeave(int64 request)
{
    ListCell *cell;

    foreach (cell, holds)
    {
        PaosHold *hold = lfirst(cell);

        if (hold->request == request)
            hold->leaving = GetCurrentSubTransactionId();
    }
}

List *PaosHoldRequests(void)
{
    List *ids = NIL;
    ListCell *cell;

    foreach (cell, holds)
    {
        int64 *id = palloc(sizeof(int64));

        *id = ((const PaosHold *) lfirst(cell))->request;
        ids = lappend(ids, id);
    }
    return ids;
}

/* ---- attending ---- */

typedef struct Wait
{
    LOCKTAG tag;
    int64 wait;
    TimestampTz deadline;
} Wait;

static bool WaitForName(void *arg)
{
    const Wait *wait = arg;

    if (LockAcquire(&wait->tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL)
        return true;
    if (wait->wait == 0)
        return false;
    if (wait->wait > 0)
        PaosWaitLimit(wait->deadline);
    (void) LockAcquire(&wait->tag, ExclusiveLock, true, false);
    return true;
}

static void GiveBack(const LOCKTAG *tag)
{
    if (LockHeldByMe(tag, ExclusiveLock))
        LockRelease(tag, ExclusiveLock, true);
}

/* A wait that ends in the moment in which the name is granted must not keep it. */
static bool WaitInTurn(Wait *wait)
{
    volatile bool taken = false;

    PG_TRY();
    {
        taken = PaosWaitTry(WaitForName, wait, wait->wait);
    }
    PG_CATCH();
    {
        GiveBack(&wait->tag);
        PG_RE_THROW();
    }
    PG_END_TRY();
    if (!taken)
        GiveBack(&wait->tag);
    return taken;
}

/* paos.attend(name text, wait interval) */
Datum paos_attend(PG_FUNCTION_ARGS)
{
    Wait wait = {.wait = PaosWaitArgument(fcinfo, 1)};
    PaosDurable durable;
    PaosHold *hold;
    char *name;

    PreventCommandDuringRecovery("paos.attend()");
    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("name must not be null"));
    name = text_to_cstring(PG_GETARG_TEXT_PP(0));
    PaosDurableGet(name, &durable);
    hold = Find(name);
    if (hold == NULL)
    {
        NameTag(name, &wait.tag);
        if (wait.wait > 0)
            wait.deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), wait.wait);
        if (!WaitInTurn(&wait))
            PG_RETURN_BOOL(false);
        hold = Add(name);
        /* Much may have happened meanwhile. */
        PaosDurableGet(name, &durable);
    }
    PaosHoldListen(hold, PaosSharedFiled(true), durable.request);
    PG_RETURN_BOOL(true);
}

/* paos.leave(name text) */
Datum paos_leave(PG_FUNCTION_ARGS)
{
    PaosHold *hold = Find(text_to_cstring(PG_GETARG_TEXT_PP(0)));

    if (hold != NULL)
        Release(hold);
    PG_RETURN_VOID();
}
