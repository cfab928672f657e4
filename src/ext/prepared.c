/*
 * prepared.c - events of transactions that are committed in two phases.
 *
 * What is in memory would not outlive a restart.  So PREPARE writes the payloads to a
 * table, as part of the prepared transaction; whichever session commits it finds
 * the rows that have become visible and sends them.  That takes a hook, hence
 * shared_preload_libraries; without it such a transaction cannot be prepared.
 */
#include "durable.h"

#include "access/heapam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of paos.prepared. */
#define PREPARED_COLUMNS 3

bool paos_preloaded = false;

static ProcessUtility_hook_type next_hook = NULL;

void PaosPreparedPut(List *payloads)
{
    Relation relation;
    ListCell *cell;

    if (!paos_preloaded)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot prepare a transaction that changes the answer of a request"),
                errhint("Add \"paos\" to shared_preload_libraries."));
    relation = table_openrv(makeRangeVar("paos", "prepared", -1), RowExclusiveLock);
    foreach (cell, payloads)
    {
        const PaosPayload *payload = lfirst(cell);
        bytea *channel = palloc(VARHDRSZ + PAOS_CHANNEL_BYTES);
        Datum values[PREPARED_COLUMNS] = {Int64GetDatum(payload->request), PointerGetDatum(channel),
                                          CStringGetTextDatum(payload->text)};
        bool nulls[PREPARED_COLUMNS] = {false};

        SET_VARSIZE(channel, VARHDRSZ + PAOS_CHANNEL_BYTES);
        memcpy(VARDATA(channel), payload->channel, PAOS_CHANNEL_BYTES);
        simple_heap_insert(relation, heap_form_tuple(RelationGetDescr(relation), values, nulls));
    }
    table_close(relation, NoLock);
}

/* Adds a row's payload, unless it is of a request that has ended, perhaps with its server. */
static void AddRow(HeapTuple row, TupleDesc desc, List **payloads)
{
    PaosShared *shared = PaosSharedFiled(false);
    PaosPayload *payload = palloc(sizeof(PaosPayload));
    bytea *channel;
    PaosRequest found;
    bool isnull;

    payload->request = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
    channel = DatumGetByteaPP(SPI_getbinval(row, desc, 2, &isnull));
    if (shared == NULL || !PaosRequestGet(shared, payload->request, &found, NULL))
        return;
    if (found.durable)
        PaosRequestCount(shared, payload->request, true);
    else if (memcmp(found.channel, VARDATA_ANY(channel), PAOS_CHANNEL_BYTES) != 0)
        return;
    memcpy(payload->channel, found.channel, PAOS_CHANNEL_BYTES);
    payload->text = SPI_getvalue(row, desc, 3);
    if (found.backend != 0)
        *payloads = lappend(*payloads, payload);
}

static void SendPrepared(void)
{
    List *payloads = NIL;
    Oid user;
    int context;
    uint64 i;

    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(PaosOwner(), context | SECURITY_LOCAL_USERID_CHANGE);
    SPI_connect();
    PushActiveSnapshot(GetLatestSnapshot());
    if (SPI_execute("DELETE FROM paos.prepared RETURNING request, channel, payload", false, 0) !=
        SPI_OK_DELETE_RETURNING)
        elog(ERROR, "could not read paos.prepared");
    for (i = 0; i < SPI_processed; i++)
        AddRow(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &payloads);
    if (payloads != NIL)
        PaosRingPut(PaosSharedAttached(), payloads);
    PopActiveSnapshot();
    SPI_finish();
    SetUserIdAndSecContext(user, context);
}

static bool HasPrepared(void)
{
    Oid schema = get_namespace_oid("paos", true);

    return OidIsValid(schema) && OidIsValid(get_relname_relid("prepared", schema));
}

static void CommitPreparedHook(PlannedStmt *statement, const char *text, bool read_only,
                               ProcessUtilityContext context, ParamListInfo params,
                               QueryEnvironment *environment, DestReceiver *destination,
                               QueryCompletion *completion)
{
    const Node *node = statement->utilityStmt;
    bool commit = IsA(node, TransactionStmt) &&
                  ((const TransactionStmt *) node)->kind == TRANS_STMT_COMMIT_PREPARED;

    if (next_hook != NULL)
        next_hook(statement, text, read_only, context, params, environment, destination,
                  completion);
    else
        standard_ProcessUtility(statement, text, read_only, context, params, environment,
                                destination, completion);
    if (commit && HasPrepared())
        SendPrepared();
}

void PaosPreparedInit(void)
{
    next_hook = ProcessUtility_hook;
    ProcessUtility_hook = CommitPreparedHook;
}
