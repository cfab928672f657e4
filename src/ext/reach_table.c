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

typedef struct Table
{
    Oid relid;
    uint64 generation; /* of the class, when the rest was made */
    bool plain;
    bool large;  /* too much to keep */
    int64 asked; /* keys so far */
    AttrNumber *places;
    Oid *types;
    PaosKept *kept; /* NULL: not scanned */
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

/* What was made before the class was last looked at may be wrong: who calls can alter a table. */
static Table *FindTable(ReachWalk *walk, const ReachClass *class)
{
    ListCell *cell;

    foreach (cell, walk->tables)
    {
        Table *table = lfirst(cell);

        if (table->relid == class->relid && table->generation == class->generation)
            return table;
    }
    return NULL;
}

static Table *TableOf(ReachWalk *walk, Relation relation, const ReachClass *class)
{
    MemoryContext previous;
    Table *table = FindTable(walk, class);
    int i;

    if (table != NULL)
        return table;
    previous = MemoryContextSwitchTo(walk->context);
    table = palloc0(sizeof(Table));
    table->relid = class->relid;
    table->generation = class->generation;
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

static void LookUp(ReachRow *row, const Table *table, Relation relation, Relation index,
                   ReachBatch *batch, ReachFound *found)
{
    TupleTableSlot *slot = table_slot_create(relation, NULL);
    IndexScanDesc scan = index_beginscan(relation, index, GetActiveSnapshot(), 1, 0);
    Oid type = row->types[row->class->key];

    for (; batch->next < batch->size && row->bytes->len < REACH_ANSWER_BYTES; batch->next++)
    {
        int64 wanted = batch->keys[batch->next];
        ScanKeyData key;
        bool there = MakeKey(&key, type, wanted);

        CHECK_FOR_INTERRUPTS();
        if (there)
        {
            index_rescan(scan, &key, 1, NULL, 0);
            there = index_getnext_slot(scan, ForwardScanDirection, slot);
        }
        if (!there)
        {
            PaosReachFoundMiss(found, wanted);
            continue;
        }
        TakeSlot(row, table, slot);
        PaosReachFollow(row->walk, row->refs, row->refs_size, batch->level);
        found->rows++;
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
}

/* ---- scanning ---- */

/* Keeps all rows of the table, unless they turn out to be too much. */
static void ScanTable(ReachWalk *walk, const ReachClass *class, Table *table, Relation relation)
{
    ReachRow row = {.walk = walk, .class = class};
    MemoryContext previous = MemoryContextSwitchTo(walk->context);
    TupleTableSlot *slot;
    TableScanDesc scan;

    table->kept = PaosKeptMake(relation->rd_rel->reltuples);
    MemoryContextSwitchTo(previous);
    row.bytes = PaosKeptBytes(table->kept);
    PaosReachRowBegin(&row, table->types);
    slot = table_slot_create(relation, NULL);
    scan = table_beginscan(relation, GetActiveSnapshot(), 0, NULL);
    while (row.bytes->len < REACH_BATCH_BYTES &&
           table_scan_getnextslot(scan, ForwardScanDirection, slot))
    {
        CHECK_FOR_INTERRUPTS();
        PaosKeptAdd(table->kept, &row, TakeSlot(&row, table, slot));
    }
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    if (row.bytes->len < REACH_BATCH_BYTES)
    {
        PaosKeptFinish(table->kept);
        return;
    }
    PaosKeptFree(table->kept);
    table->kept = NULL;
    table->large = true;
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

bool PaosReachTableRead(ReachWalk *walk, const ReachClass *class, ReachBatch *batch,
                        StringInfo bytes, ReachFound *found)
{
    ReachRow row = {.walk = walk, .class = class, .bytes = bytes};
    Relation relation = table_open(class->relid, AccessShareLock);
    Table *table = TableOf(walk, relation, class);
    Relation index = table->plain ? OpenIndex(relation) : NULL;

    table->asked += batch->next == 0 ? batch->size : 0;
    if (index != NULL && table->kept == NULL && IsWorthScanning(table, relation))
        ScanTable(walk, class, table, relation);
    if (index != NULL && table->kept != NULL)
        PaosKeptTake(table->kept, walk, batch, bytes, found);
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
