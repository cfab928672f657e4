/*
 * prepared.c - events of transactions that are committed in two phases.
 *
 * What is in memory would not outlive a restart.  So PREPARE writes the payloads to a
 * table, as part of the prepared transaction, and the classes that it has changed.
 * Whichever session ends the transaction reads its rows before it does, which nobody
 * else can see yet: so a place among the commits is reserved before the commit here
 * too.  That takes a hook, hence shared_preload_libraries; without it such a
 * transaction cannot be prepared when a live request is concerned.
 */
#include "durable.h"
#include "reshape.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of paos.prepared; a row is an event or a class that was changed. */
#define PREPARED_REQUEST 1
#define PREPARED_CHANNEL 2
#define PREPARED_PAYLOAD 3
#define PREPARED_CLASS 4
#define PREPARED_COLUMNS 4

bool paos_preloaded = false;

static ProcessUtility_hook_type next_hook = NULL;

/* ---- PREPARE ---- */

static Relation OpenPrepared(LOCKMODE mode)
{
    return table_open(PaosOwnRelation("prepared"), mode);
}

static void Insert(Relation relation, const PaosPayload *payload)
{
    bytea *channel = palloc(VARHDRSZ + PAOS_CHANNEL_BYTES);
    Datum values[PREPARED_COLUMNS] = {Int64GetDatum(payload->request), PointerGetDatum(channel),
                                      CStringGetTextDatum(payload->text)};
    bool nulls[PREPARED_COLUMNS] = {false, false, false, true};

    SET_VARSIZE(channel, VARHDRSZ + PAOS_CHANNEL_BYTES);
    memcpy(VARDATA(channel), payload->channel, PAOS_CHANNEL_BYTES);
    simple_heap_insert(relation, heap_form_tuple(RelationGetDescr(relation), values, nulls));
}

void PaosPreparedPut(List *payloads)
{
    Relation relation;
    ListCell *cell;

    if (!paos_preloaded)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot prepare a transaction that changes the answer of a request"),
                errhint("Add \"paos\" to shared_preload_libraries."));
    relation = OpenPrepared(RowExclusiveLock);
    foreach (cell, payloads)
        Insert(relation, lfirst(cell));
    table_close(relation, NoLock);
}

void PaosPreparedClasses(List *numbers)
{
    Relation relation = OpenPrepared(RowExclusiveLock);
    ListCell *cell;

    foreach (cell, numbers)
    {
        Datum values[PREPARED_COLUMNS] = {0, 0, 0, Int16GetDatum((int16) lfirst_int(cell))};
        bool nulls[PREPARED_COLUMNS] = {true, true, true, false};

        simple_heap_insert(relation, heap_form_tuple(RelationGetDescr(relation), values, nulls));
    }
    table_close(relation, NoLock);
}

/* ---- COMMIT PREPARED and ROLLBACK PREPARED ---- */

/* What a prepared transaction has left to do for whoever ends it. */
typedef struct Left
{
    TransactionId xid;
    bool commit;
    List *payloads;
    List *kept;    /* ids (int64 pointers) of durable requests that it has kept an event for */
    List *classes; /* numbers */
} Left;

/* A payload, unless it is of a request that has ended, perhaps with its server. */
static void ReadPayload(PaosShared *shared, const Datum *values, Left *left)
{
    PaosPayload *payload = palloc(sizeof(PaosPayload));
    bytea *channel = DatumGetByteaPP(values[PREPARED_CHANNEL - 1]);
    PaosRequest found;

    payload->request = DatumGetInt64(values[PREPARED_REQUEST - 1]);
    if (shared == NULL || !PaosRequestGet(shared, payload->request, &found, NULL))
        return;
    if (found.durable)
        left->kept = lappend(left->kept, &payload->request);
    else if (memcmp(found.channel, VARDATA_ANY(channel), PAOS_CHANNEL_BYTES) != 0)
        return;
    memcpy(payload->channel, found.channel, PAOS_CHANNEL_BYTES);
    payload->text = TextDatumGetCString(values[PREPARED_PAYLOAD - 1]);
    if (found.backend != 0)
        left->payloads = lappend(left->payloads, payload);
}

static void ReadRow(PaosShared *shared, HeapTuple row, TupleDesc desc, Left *left)
{
    Datum values[PREPARED_COLUMNS];
    bool nulls[PREPARED_COLUMNS];

    heap_deform_tuple(row, desc, values, nulls);
    if (nulls[PREPARED_CLASS - 1])
        ReadPayload(shared, values, left);
    else
        left->classes = lappend_int(left->classes, DatumGetInt16(values[PREPARED_CLASS - 1]));
}

/* The rows of the transaction, which is still under way for everybody. */
static void ReadRows(Left *left)
{
    PaosShared *shared = PaosSharedFiled(false);
    Relation relation = OpenPrepared(AccessShareLock);
    SnapshotData dirty;
    SysScanDesc scan;
    HeapTuple row;

    InitDirtySnapshot(dirty);
    scan = systable_beginscan(relation, InvalidOid, false, &dirty, 0, NULL);
    while (HeapTupleIsValid(row = systable_getnext(scan)))
    {
        if (HeapTupleHeaderGetXmin(row->t_data) == left->xid)
            ReadRow(shared, row, RelationGetDescr(relation), left);
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
}

/* The transaction prepared under a name; InvalidTransactionId: none. */
static TransactionId FindPrepared(const char *gid)
{
    Oid types[] = {TEXTOID};
    Datum values[] = {CStringGetTextDatum(gid)};
    TransactionId xid = InvalidTransactionId;
    bool isnull;

    SPI_connect();
    if (SPI_execute_with_args("SELECT p.transaction FROM pg_catalog.pg_prepared_xact() p"
                              " WHERE p.gid OPERATOR(pg_catalog.=) $1",
                              1, types, values, NULL, true, 1) == SPI_OK_SELECT &&
        SPI_processed == 1)
        xid = DatumGetTransactionId(
            SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
    SPI_finish();
    return xid;
}

static void BeforeEnd(const TransactionStmt *statement, Left *left)
{
    left->commit = statement->kind == TRANS_STMT_COMMIT_PREPARED;
    PushActiveSnapshot(GetTransactionSnapshot());
    left->xid = FindPrepared(statement->gid);
    if (TransactionIdIsValid(left->xid))
        ReadRows(left);
    PopActiveSnapshot();
    if (left->commit && left->payloads != NIL)
        PaosRingPut(PaosSharedAttached(), left->payloads);
}

/* Without preloading nobody knows whose events there are: who attends has a look. */
static void WakeAll(void)
{
    PaosShared *shared = PaosSharedFiled(false);
    PaosRequest request;
    ListCell *cell;

    if (shared == NULL)
        return;
    foreach (cell, PaosRequestIds(shared, NIL))
    {
        if (PaosRequestGet(shared, *(int64 *) lfirst(cell), &request, NULL) && request.durable &&
            request.backend != 0)
            PaosEventTell(&request, PaosWakePayload(request.id));
    }
}

/*
 * All that can be seen, for who committed before may not have come to it.  The
 * transaction is committed already, so nothing may wait here, nor complain.
 */
static void RemoveRows(void)
{
    Oid relid = PaosOwnRelation("prepared");
    Relation relation;
    SysScanDesc scan;
    HeapTuple row;

    if (!ConditionalLockRelationOid(relid, RowExclusiveLock))
        return;
    relation = table_open(relid, NoLock);
    scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
    while (HeapTupleIsValid(row = systable_getnext(scan)))
    {
        TM_FailureData failure;

        (void) heap_delete(relation, &row->t_self, GetCurrentCommandId(true), InvalidSnapshot,
                           false, &failure, false);
    }
    systable_endscan(scan);
    table_close(relation, NoLock);
}

/* Classes are looked at when this transaction, which has ended the other one, commits. */
static void AfterEnd(const Left *left)
{
    ListCell *cell;

    if (left->commit && left->payloads != NIL)
        PaosRingEnd(true);
    foreach (cell, left->classes)
        PaosReshapeClass(lfirst_int(cell));
    if (!left->commit)
        return;
    foreach (cell, left->kept)
        PaosRequestCount(PaosSharedAttached(), *(int64 *) lfirst(cell), true);
    RemoveRows();
    if (!paos_preloaded)
        WakeAll();
}

/* In a transaction block PostgreSQL is about to complain. */
static bool EndsPrepared(const Node *node)
{
    const TransactionStmt *statement = (const TransactionStmt *) node;

    return IsA(node, TransactionStmt) &&
           (statement->kind == TRANS_STMT_COMMIT_PREPARED ||
            statement->kind == TRANS_STMT_ROLLBACK_PREPARED) &&
           !IsTransactionBlock() && PaosVersionFits();
}

static void EndPreparedHook(PlannedStmt *statement, const char *text, bool read_only,
                            ProcessUtilityContext context, ParamListInfo params,
                            QueryEnvironment *environment, DestReceiver *destination,
                            QueryCompletion *completion)
{
    Left left = {0};
    bool ours = EndsPrepared(statement->utilityStmt);

    if (ours)
        BeforeEnd((const TransactionStmt *) statement->utilityStmt, &left);
    if (next_hook != NULL)
        next_hook(statement, text, read_only, context, params, environment, destination,
                  completion);
    else
        standard_ProcessUtility(statement, text, read_only, context, params, environment,
                                destination, completion);
    if (ours)
        AfterEnd(&left);
}

void PaosPreparedInit(void)
{
    next_hook = ProcessUtility_hook;
    ProcessUtility_hook = EndPreparedHook;
}
