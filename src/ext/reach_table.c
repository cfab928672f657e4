/*
 * reach_table.c - objects of plain tables, read without the executor.
 *
 * Each key is looked up in the index of the primary key.  A walk that comes back to a
 * table often enough scans it once instead and keeps its rows: whoever goes through a
 * graph level by level would else search for most of it, one by one.  Only where that
 * cannot be told from a SELECT by the caller: whose privileges are checked, with no
 * row-level security, nothing below the table, nothing read as text.
 */
#include "reach.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/* A table is scanned when more than one in so many of its rows was asked for. */
#define SCAN_PART 8
#define SCAN_KEYS 200

/* A row of a table that was scanned. */
typedef struct KeptRow
{
    int64 key;
    uint32 bytes, size; /* where, in the table's bytes */
    uint32 refs, count; /* and in its refs */
    char status;
} KeptRow;

#define SH_PREFIX keptrows
#define SH_ELEMENT_TYPE KeptRow
#define SH_KEY_TYPE int64
#define SH_KEY key
#define SH_HASH_KEY(table, key) ((uint32) (key) *0x9E3779B1u)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Table
{
    Oid relid;
    bool plain;
    bool large;  /* too much to keep */
    int64 asked; /* keys so far */
    AttrNumber *places;
    Oid *types;
    keptrows_hash *rows; /* NULL: not scanned */
    StringInfoData bytes;
    PaosRef *refs;
    uint32 refs_size, refs_capacity;
} Table;

/* ---- may it be read so? ---- */

static void CheckPrivileges(Relation relation, const ReachClass *class)
{
    ParseState *pstate = make_parsestate(NULL);
    RangeTblEntry *entry =
        addRangeTableEntryForRelation(pstate, relation, AccessShareLock, NULL, false, false)->p_rte;
    int i;

    entry->requiredPerms = ACL_SELECT;
    entry->selectedCols =
        bms_make_singleton(TableOidAttributeNumber - FirstLowInvalidHeapAttributeNumber);
    entry->selectedCols = bms_add_member(
        entry->selectedCols, MinTransactionIdAttributeNumber - FirstLowInvalidHeapAttributeNumber);
    for (i = 0; i < class->size; i++)
        entry->selectedCols = bms_add_member(
            entry->selectedCols, class->columns[i].number - FirstLowInvalidHeapAttributeNumber);
    ExecCheckRTPerms(pstate->p_rtable, true);
    free_parsestate(pstate);
}

static bool IsPlain(Relation relation, const ReachClass *class)
{
    return relation->rd_rel->relkind == RELKIND_RELATION && !relation->rd_rel->relhassubclass &&
           !relation->rd_rel->relhasrules && !class->cast && IsMVCCSnapshot(GetActiveSnapshot()) &&
           check_enable_rls(RelationGetRelid(relation), InvalidOid, true) == RLS_NONE;
}

static Table *TableOf(ReachWalk *walk, Relation relation, const ReachClass *class)
{
    MemoryContext previous;
    ListCell *cell;
    Table *table;
    int i;

    foreach (cell, walk->tables)
    {
        table = lfirst(cell);
        if (table->relid == class->relid)
            return table;
    }
    previous = MemoryContextSwitchTo(walk->context);
    table = palloc0(sizeof(Table));
    table->relid = class->relid;
    table->plain = IsPlain(relation, class);
    if (table->plain)
        CheckPrivileges(relation, class);
    table->places = palloc(class->size * sizeof(AttrNumber));
    table->types = palloc(class->size * sizeof(Oid));
    for (i = 0; i < class->size; i++)
    {
        table->places[i] = class->columns[i].number - 1;
        table->types[i] = TupleDescAttr(RelationGetDescr(relation), table->places[i])->atttypid;
    }
    walk->tables = lappend(walk->tables, table);
    MemoryContextSwitchTo(previous);
    return table;
}

/* ---- looking up ---- */

/* The index of the primary key, if it may be used with this snapshot; NULL: it may not. */
static Relation OpenIndex(Relation relation)
{
    Oid oid = RelationGetPrimaryKeyIndex(relation);
    Relation index;

    if (!OidIsValid(oid))
        return NULL;
    index = index_open(oid, AccessShareLock);
    if (index->rd_index->indisvalid &&
        (!index->rd_index->indcheckxmin ||
         TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
                               TransactionXmin)))
        return index;
    index_close(index, AccessShareLock);
    return NULL;
}

/* False: no value of the type. */
static bool MakeKey(ScanKey scan, Oid type, int64 key)
{
    switch (type)
    {
        case INT2OID:
            ScanKeyInit(scan, 1, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum((int16) key));
            return key <= PG_INT16_MAX;
        case INT4OID:
            ScanKeyInit(scan, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum((int32) key));
            return key <= PG_INT32_MAX;
        default:
            ScanKeyInit(scan, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
            return true;
    }
}

static int64 TakeSlot(ReachRow *row, const Table *table, TupleTableSlot *slot)
{
    bool isnull;
    Datum version = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);

    slot_getallattrs(slot);
    return PaosReachRowTake(row, table->relid, DatumGetTransactionId(version), slot->tts_values,
                            slot->tts_isnull, table->places);
}

static void MeetAll(ReachWalk *walk, const PaosRef *refs, int n, int level)
{
    int i;

    for (i = 0; level < walk->depth && i < n; i++)
        PaosReachMeet(walk, refs[i], level + 1);
}

static void LookUp(ReachRow *row, const Table *table, Relation relation, Relation index,
                   const ReachBatch *batch, ReachFound *found)
{
    TupleTableSlot *slot = table_slot_create(relation, NULL);
    IndexScanDesc scan = index_beginscan(relation, index, GetActiveSnapshot(), 1, 0);
    Oid type = row->types[row->class->key];
    int i;

    for (i = 0; i < batch->size && row->bytes->len < REACH_BATCH_BYTES; i++)
    {
        ScanKeyData key;

        CHECK_FOR_INTERRUPTS();
        if (!MakeKey(&key, type, batch->keys[i]))
            continue;
        index_rescan(scan, &key, 1, NULL, 0);
        if (!index_getnext_slot(scan, ForwardScanDirection, slot))
            continue;
        PaosReachFoundAdd(found, TakeSlot(row, table, slot));
        MeetAll(row->walk, row->refs, row->refs_size, batch->level);
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
}

/* ---- scanning ---- */

static void KeepRow(ReachRow *row, Table *table, TupleTableSlot *slot)
{
    uint32 start = table->bytes.len;
    int64 key = TakeSlot(row, table, slot);
    bool found;
    KeptRow *kept = keptrows_insert(table->rows, key, &found);

    kept->bytes = start;
    kept->size = table->bytes.len - start;
    kept->refs = table->refs_size;
    kept->count = row->refs_size;
    while (table->refs_size + row->refs_size > table->refs_capacity)
    {
        table->refs_capacity *= 2;
        table->refs = repalloc_huge(table->refs, table->refs_capacity * sizeof(PaosRef));
    }
    memcpy(table->refs + table->refs_size, row->refs, row->refs_size * sizeof(PaosRef));
    table->refs_size += row->refs_size;
}

static void ForgetRows(Table *table)
{
    keptrows_destroy(table->rows);
    pfree(table->bytes.data);
    pfree(table->refs);
    table->rows = NULL;
    table->large = true;
}

/* Keeps all rows of the table, unless they turn out to be too much. */
static void ScanTable(ReachWalk *walk, const ReachClass *class, Table *table, Relation relation)
{
    ReachRow row = {.walk = walk, .class = class, .bytes = &table->bytes};
    MemoryContext previous = MemoryContextSwitchTo(walk->context);
    TupleTableSlot *slot;
    TableScanDesc scan;

    table->rows = keptrows_create(walk->context, (uint32) relation->rd_rel->reltuples, NULL);
    initStringInfo(&table->bytes);
    table->refs_capacity = 1024;
    table->refs_size = 0;
    table->refs = palloc(table->refs_capacity * sizeof(PaosRef));
    MemoryContextSwitchTo(previous);
    PaosReachRowBegin(&row, table->types);
    slot = table_slot_create(relation, NULL);
    scan = table_beginscan(relation, GetActiveSnapshot(), 0, NULL);
    while (table->bytes.len < REACH_BATCH_BYTES &&
           table_scan_getnextslot(scan, ForwardScanDirection, slot))
    {
        CHECK_FOR_INTERRUPTS();
        KeepRow(&row, table, slot);
    }
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    if (table->bytes.len >= REACH_BATCH_BYTES)
        ForgetRows(table);
}

static void TakeKept(ReachWalk *walk, const Table *table, const ReachBatch *batch, StringInfo bytes,
                     ReachFound *found)
{
    int i;

    for (i = 0; i < batch->size; i++)
    {
        const KeptRow *kept = keptrows_lookup(table->rows, batch->keys[i]);

        if (kept == NULL)
            continue;
        appendBinaryStringInfo(bytes, table->bytes.data + kept->bytes, kept->size);
        PaosReachFoundAdd(found, kept->key);
        MeetAll(walk, table->refs + kept->refs, kept->count, batch->level);
    }
}

/* Are there values that are stored elsewhere?  They cost more than finding their row. */
static bool HasToast(Relation relation)
{
    Oid oid = relation->rd_rel->reltoastrelid;
    Relation toast;
    BlockNumber blocks;

    if (!OidIsValid(oid))
        return false;
    toast = relation_open(oid, AccessShareLock);
    blocks = RelationGetNumberOfBlocks(toast);
    relation_close(toast, AccessShareLock);
    return blocks > 0;
}

static bool IsWorthScanning(const Table *table, Relation relation)
{
    double rows = relation->rd_rel->reltuples;

    return !table->large && rows > 0 && table->asked >= SCAN_KEYS &&
           table->asked > rows / SCAN_PART && !HasToast(relation);
}

/* ---- a batch ---- */

bool PaosReachTableRead(ReachWalk *walk, const ReachClass *class, const ReachBatch *batch,
                        StringInfo bytes, ReachFound *found)
{
    ReachRow row = {.walk = walk, .class = class, .bytes = bytes};
    Relation relation = table_open(class->relid, AccessShareLock);
    Table *table = TableOf(walk, relation, class);
    Relation index = table->plain ? OpenIndex(relation) : NULL;

    table->asked += batch->size;
    if (index != NULL && table->rows == NULL && IsWorthScanning(table, relation))
        ScanTable(walk, class, table, relation);
    if (index != NULL && table->rows != NULL)
        TakeKept(walk, table, batch, bytes, found);
    else if (index != NULL)
    {
        PaosReachRowBegin(&row, table->types);
        LookUp(&row, table, relation, index, batch, found);
    }
    if (index != NULL)
        index_close(index, AccessShareLock);
    table_close(relation, NoLock);
    return index != NULL;
}
