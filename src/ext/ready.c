/*
 * ready.c - paos.ready: no gap between a request and the first answer.
 *
 * A writer that had the table open when the request was registered may not
 * have known of it.  All of those hold a lock on the table until they end, so
 * waiting for the present holders of conflicting locks is enough; those who
 * come later know, and are in nobody's way.  CREATE INDEX CONCURRENTLY waits
 * the same way.
 */
#include "durable.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(paos_ready);

/* The transactions that may be writing to the tables: to each its virtual id. */
static List *Writers(List *tables)
{
    List *writers = NIL;
    ListCell *cell;

    foreach (cell, tables)
    {
        LOCKTAG tag;
        VirtualTransactionId *holders;
        int n;
        int i;

        SET_LOCKTAG_RELATION(tag, MyDatabaseId, lfirst_oid(cell));
        holders = GetLockConflicts(&tag, ShareLock, &n);
        for (i = 0; i < n; i++)
            writers = lappend(writers, &holders[i]);
    }
    return writers;
}

/* All tables whose rows may concern a request: of its class, or of every class when it has a path.
 */
static List *Tables(const PaosRequest *request)
{
    List *classes = request->path ? PaosClassTables() : NIL;
    List *tables = NIL;
    const PaosClass *class = PaosClassByNumber(request->class, true);
    ListCell *cell;

    if (class != NULL)
        classes = list_append_unique_oid(classes, class->relid);
    foreach (cell, classes)
        tables =
            list_concat_unique_oid(tables, find_all_inheritors(lfirst_oid(cell), NoLock, NULL));
    return tables;
}

typedef struct Wait
{
    List *writers;
    int64 wait;
    TimestampTz deadline;
} Wait;

static bool WaitForWriters(void *arg)
{
    const Wait *wait = arg;
    ListCell *cell;

    foreach (cell, wait->writers)
    {
        VirtualTransactionId writer = *(VirtualTransactionId *) lfirst(cell);

        if (VirtualXactLock(writer, false))
            continue;
        if (wait->wait == 0)
            return false;
        if (wait->wait > 0)
            PaosWaitLimit(wait->deadline);
        VirtualXactLock(writer, true);
    }
    return true;
}

/* What is selected next must show what the writers did that have been waited for. */
static void RefuseOldSnapshot(void)
{
    if (IsolationUsesXactSnapshot() && IsTransactionBlock())
        ereport(
            ERROR, errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
            errmsg("paos.ready is of no use in a transaction that sees the past"),
            errhint("Call it at the isolation level READ COMMITTED, or before the transaction."));
}

/* paos.ready(request bigint, wait interval) */
Datum paos_ready(PG_FUNCTION_ARGS)
{
    PaosShared *shared = PaosSharedFiled(false);
    PaosRequest request;
    Wait wait = {.wait = PaosWaitArgument(fcinfo, 1)};
    int64 id;

    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    RefuseOldSnapshot();
    id = PG_GETARG_INT64(0);
    if (shared == NULL || !PaosRequestGet(shared, id, &request, NULL) ||
        !has_privs_of_role(GetUserId(), request.role))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
                errmsg("request " INT64_FORMAT " does not exist", id));
    if (wait.wait > 0)
        wait.deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), wait.wait);
    wait.writers = Writers(Tables(&request));
    if (!PaosWaitTry(WaitForWriters, &wait, wait.wait))
        PG_RETURN_BOOL(false);
    if (request.path)
        PaosRequestPathRestart(shared, id);
    PG_RETURN_BOOL(true);
}
