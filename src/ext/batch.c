/*
 * batch.c - rows in COPY's binary format put into a plain table, many at a time.
 *
 * The same as CopyFrom, where nothing but constraints and AFTER triggers meets a
 * row.  CopyFrom is made for one long statement: it has a slot for each of a
 * thousand rows, whose descriptors it counts in a way that takes the square of
 * their number, which is most of the work for the pieces that a client sends.
 * What is not plain, or not well formed, is left to CopyFrom: to do, or to refuse.
 *
 * The values of a row live until its batch is written; a slot only points to them.
 */
#include "batch_form.h"
#include "paos.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "parser/parse_node.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Rows and bytes from which on a batch is written: a few pages. */
#define BATCH_ROWS 250
#define BATCH_BYTES 65536

/* A column that comes with the rows. */
typedef struct BatchColumn
{
    AttrNumber number;
    FmgrInfo receive;
    Oid typioparam;
    int32 typmod;
} BatchColumn;

/* One that does not, and has a default. */
typedef struct BatchDefault
{
    AttrNumber number;
    ExprState *value;
} BatchDefault;

typedef struct Batch
{
    Relation relation;
    int width;
    BatchColumn *columns;
    List *defaults; /* of BatchDefault */
    EState *estate;
    ResultRelInfo *target;
    BulkInsertState bulk;
    CommandId command;
    PaosBatchForm rows;
    StringInfoData value;
    uint64 row; /* at work on, for messages */
    int n;
    const char *start; /* of the batch */
    TupleDesc desc;    /* a copy of ours, which nobody counts */
    TupleTableSlot *slots[BATCH_ROWS];
} Batch;

/* ---- what can be done here ---- */

static bool IsPlainTable(Relation relation)
{
    const TriggerDesc *triggers = relation->trigdesc;
    const TupleConstr *constr = RelationGetDescr(relation)->constr;

    if (relation->rd_rel->relkind != RELKIND_RELATION || relation->rd_rel->relispartition ||
        (constr != NULL && constr->has_generated_stored))
        return false;
    return triggers == NULL ||
           !(triggers->trig_insert_before_row || triggers->trig_insert_instead_row ||
             triggers->trig_insert_new_table);
}

/* The columns' numbers, each an ordinary one and there once; false: some is not. */
static bool FindColumns(Batch *batch, List *names)
{
    TupleDesc desc = RelationGetDescr(batch->relation);
    Bitmapset *found = NULL;
    ListCell *cell;

    batch->columns = palloc0(list_length(names) * sizeof(BatchColumn));
    foreach (cell, names)
    {
        BatchColumn *column = &batch->columns[batch->width++];
        Oid receive;

        column->number = get_attnum(RelationGetRelid(batch->relation), strVal(lfirst(cell)));
        if (column->number < 1 || bms_is_member(column->number, found))
            return false;
        found = bms_add_member(found, column->number);
        column->typmod = TupleDescAttr(desc, column->number - 1)->atttypmod;
        getTypeBinaryInputInfo(TupleDescAttr(desc, column->number - 1)->atttypid, &receive,
                               &column->typioparam);
        fmgr_info(receive, &column->receive);
    }
    return true;
}

static bool IsGiven(const Batch *batch, AttrNumber number)
{
    int i;

    for (i = 0; i < batch->width; i++)
        if (batch->columns[i].number == number)
            return true;
    return false;
}

/* False: one might look at the rows before its own. */
static bool FindDefaults(Batch *batch)
{
    TupleDesc desc = RelationGetDescr(batch->relation);
    AttrNumber number;

    for (number = 1; number <= desc->natts; number++)
    {
        BatchDefault *missing;
        Node *value;

        if (TupleDescAttr(desc, number - 1)->attisdropped || IsGiven(batch, number))
            continue;
        value = build_column_default(batch->relation, number);
        if (value == NULL)
            continue;
        value = (Node *) expression_planner((Expr *) value);
        if (contain_volatile_functions_not_nextval(value))
            return false;
        missing = palloc(sizeof(BatchDefault));
        missing->number = number;
        missing->value = ExecInitExpr((Expr *) value, NULL);
        batch->defaults = lappend(batch->defaults, missing);
    }
    return true;
}

/* ---- reading a row ---- */

static Datum ReadValue(Batch *batch, BatchColumn *column, bool *isnull)
{
    int length;
    const char *bytes = PaosBatchFormValue(&batch->rows, &length);
    Datum value;

    *isnull = bytes == NULL;
    if (*isnull)
        return ReceiveFunctionCall(&column->receive, NULL, column->typioparam, column->typmod);
    /* Receive functions want a zero byte behind their value. */
    resetStringInfo(&batch->value);
    appendBinaryStringInfo(&batch->value, bytes, length);
    value =
        ReceiveFunctionCall(&column->receive, &batch->value, column->typioparam, column->typmod);
    if (batch->value.cursor != batch->value.len)
        ereport(ERROR, errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                errmsg("incorrect binary data format"));
    return value;
}

static TupleTableSlot *NextSlot(Batch *batch)
{
    if (batch->slots[batch->n] == NULL)
        batch->slots[batch->n] =
            MakeSingleTupleTableSlot(batch->desc, table_slot_callbacks(batch->relation));
    return batch->slots[batch->n++];
}

static void ReadRow(Batch *batch, TupleTableSlot *slot)
{
    ExprContext *econtext = GetPerTupleExprContext(batch->estate);
    ListCell *cell;
    int i;

    memset(slot->tts_isnull, true, batch->desc->natts * sizeof(bool));
    batch->row++;
    for (i = 0; i < batch->width; i++)
    {
        BatchColumn *column = &batch->columns[i];

        slot->tts_values[column->number - 1] =
            ReadValue(batch, column, &slot->tts_isnull[column->number - 1]);
    }
    foreach (cell, batch->defaults)
    {
        BatchDefault *missing = lfirst(cell);

        slot->tts_values[missing->number - 1] =
            ExecEvalExpr(missing->value, econtext, &slot->tts_isnull[missing->number - 1]);
    }
    ExecStoreVirtualTuple(slot);
    slot->tts_tableOid = RelationGetRelid(batch->relation);
}

/* ---- writing a batch ---- */

static void WriteIndexes(Batch *batch, TupleTableSlot *slot)
{
    const TriggerDesc *triggers = batch->target->ri_TrigDesc;
    List *recheck = NIL;

    if (batch->target->ri_NumIndices > 0)
        recheck =
            ExecInsertIndexTuples(batch->target, slot, batch->estate, false, false, NULL, NIL);
    if (triggers != NULL && triggers->trig_insert_after_row)
        ExecARInsertTriggers(batch->estate, batch->target, slot, recheck, NULL);
    list_free(recheck);
    ExecClearTuple(slot);
}

static void WriteBatch(Batch *batch)
{
    MemoryContext previous = MemoryContextSwitchTo(GetPerTupleMemoryContext(batch->estate));
    int i;

    if (batch->n > 0)
        table_multi_insert(batch->relation, batch->slots, batch->n, batch->command, 0, batch->bulk);
    MemoryContextSwitchTo(previous);
    batch->row -= batch->n;
    for (i = 0; i < batch->n; i++)
    {
        batch->row++;
        WriteIndexes(batch, batch->slots[i]);
    }
    batch->n = 0;
    batch->start = batch->rows.next;
    ResetPerTupleExprContext(batch->estate);
}

static void WriteRows(Batch *batch)
{
    MemoryContext previous = CurrentMemoryContext;
    bool constrained = RelationGetDescr(batch->relation)->constr != NULL;

    while (PaosBatchFormRow(&batch->rows))
    {
        TupleTableSlot *slot = NextSlot(batch);

        CHECK_FOR_INTERRUPTS();
        MemoryContextSwitchTo(GetPerTupleMemoryContext(batch->estate));
        ReadRow(batch, slot);
        MemoryContextSwitchTo(previous);
        if (constrained)
            ExecConstraints(batch->target, slot, batch->estate);
        if (batch->n == BATCH_ROWS || batch->rows.next - batch->start >= BATCH_BYTES)
            WriteBatch(batch);
    }
    WriteBatch(batch);
}

/* ---- a statement ---- */

static void OpenBatch(Batch *batch, ParseState *pstate)
{
    EState *estate = CreateExecutorState();

    batch->estate = estate;
    batch->target = makeNode(ResultRelInfo);
    ExecInitRangeTable(estate, pstate->p_rtable);
    ExecInitResultRelation(estate, batch->target, 1);
    CheckValidResultRel(batch->target, CMD_INSERT);
    ExecOpenIndices(batch->target, false);
    batch->command = GetCurrentCommandId(true);
    batch->bulk = GetBulkInsertState();
    batch->desc = CreateTupleDescCopy(RelationGetDescr(batch->relation));
    initStringInfo(&batch->value);
    AfterTriggerBeginQuery();
    ExecBSInsertTriggers(estate, batch->target);
}

static void CloseBatch(Batch *batch)
{
    EState *estate = batch->estate;

    FreeBulkInsertState(batch->bulk);
    ExecASInsertTriggers(estate, batch->target, NULL);
    AfterTriggerEndQuery(estate);
    ExecResetTupleTable(estate->es_tupleTable, false);
    ExecCloseResultRelations(estate);
    ExecCloseRangeTableRelations(estate);
    FreeExecutorState(estate);
    table_finish_bulk_insert(batch->relation, 0);
}

static void DescribeRow(void *arg)
{
    const Batch *batch = arg;

    errcontext("paos.copy to table \"%s\", row " UINT64_FORMAT,
               RelationGetRelationName(batch->relation), batch->row);
}

bool PaosBatchCopy(ParseState *pstate, Relation relation, List *columns, bytea *data, uint64 *rows)
{
    Batch batch = {.relation = relation};
    ErrorContextCallback context = {error_context_stack, DescribeRow, &batch};

    if (!IsPlainTable(relation) || !FindColumns(&batch, columns) || !FindDefaults(&batch) ||
        !PaosBatchFormOpen(&batch.rows, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), batch.width))
        return false;
    batch.start = batch.rows.next;
    OpenBatch(&batch, pstate);
    error_context_stack = &context;
    WriteRows(&batch);
    error_context_stack = context.previous;
    CloseBatch(&batch);
    *rows = batch.row;
    return true;
}
