/*
 * capture.c - the trigger on every class: rows written become changes to the
 * answers of requests.
 *
 * It runs after each row and costs one look at a counter when nobody asks for
 * the class.  A row of a subclass or of a partition concerns the requests of all
 * classes above its table too, in their columns' order.  Requests are matched
 * with what they may see: whether the caller could is no matter.
 */
#include "durable.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_row_written);
PG_FUNCTION_INFO_V1(paos_table_truncated);

/* A class that rows of the trigger's table belong to. */
typedef struct CaptureClass
{
    int number;
    Oid relid;
    TupleConversionMap *map;        /* NULL: the row is as the class has it */
    TupleTableSlot *before, *after; /* NULL: those of the trigger serve */
} CaptureClass;

/* What one statement's firing of the trigger knows, kept in its fn_extra. */
typedef struct Capture
{
    RightCheck right;
    List *classes; /* of CaptureClass */
    int number;    /* of refs to the rows */
    AttrNumber key;
    Oid keytype;
} Capture;

/* What a trigger was fired for; a version that is not there is NULL. */
typedef struct Row
{
    TupleDesc desc;
    HeapTuple before, after;
    TupleTableSlot *slot_before, *slot_after;
    PaosRef old_ref, new_ref; /* 0: a key that no ref can have */
} Row;

/* As the conditions are compiled for. */
static TupleTableSlot *MakeSlot(Relation relation)
{
    return MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)),
                                    &TTSOpsHeapTuple);
}

static bool TriggerSlotsServe(Relation table, Oid relid)
{
    return relid == RelationGetRelid(table) &&
           table_slot_callbacks(table) == &TTSOpsBufferHeapTuple;
}

static void MakeSlots(CaptureClass *class, Relation table)
{
    Relation relation = PaosRelationPeek(class->relid);

    class->before = MakeSlot(relation);
    class->after = MakeSlot(relation);
    RelationClose(relation);
    /* What a row from before ADD COLUMN … DEFAULT has there, its own table says. */
    if (class->relid != RelationGetRelid(table))
        class->map = convert_tuples_by_name(CreateTupleDescCopyConstr(RelationGetDescr(table)),
                                            class->after->tts_tupleDescriptor);
}

static void AddClass(Capture *capture, Relation table, int number, Oid relid)
{
    CaptureClass *class;
    ListCell *cell;

    foreach (cell, capture->classes)
    {
        if (((CaptureClass *) lfirst(cell))->relid == relid)
            return;
    }
    class = palloc0(sizeof(CaptureClass));
    class->number = number;
    class->relid = relid;
    if (!TriggerSlotsServe(table, relid))
        MakeSlots(class, table);
    capture->classes = lappend(capture->classes, class);
}

/* Has it columns of a table above it, as whatever is below a class has?  Saves looking for one. */
static bool HasInherited(TupleDesc desc)
{
    int i;

    for (i = 0; i < desc->natts; i++)
        if (TupleDescAttr(desc, i)->attinhcount > 0)
            return true;
    return false;
}

/* The table itself and all above it that are classes. */
static void AddClasses(Capture *capture, Relation table)
{
    List *queue = list_make1_oid(RelationGetRelid(table));
    int i;

    if (!HasInherited(RelationGetDescr(table)))
    {
        AddClass(capture, table, capture->number, RelationGetRelid(table));
        return;
    }

    for (i = 0; i < list_length(queue); i++)
    {
        Oid relid = list_nth_oid(queue, i);
        int number = PaosClassNumber(relid);

        if (number != 0)
            AddClass(capture, table, number, relid);
        queue = list_concat_unique_oid(queue, PaosParents(relid));
    }
}

static Capture *StatementCapture(FunctionCallInfo fcinfo, Relation table)
{
    Capture *capture = fcinfo->flinfo->fn_extra;
    MemoryContext previous;
    const PaosClass *class;

    if (capture != NULL)
        return capture;
    previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    capture = palloc0(sizeof(Capture));
    class = PaosClassByRelation(RelationGetRelid(table), true);
    if (class != NULL)
    {
        capture->number = class->number;
        capture->keytype = class->keytype;
        capture->key = PaosKeyColumn(class, RelationGetRelid(table));
        AddClasses(capture, table);
    }
    MemoryContextSwitchTo(previous);
    fcinfo->flinfo->fn_extra = capture;
    return capture;
}

static HeapTuple AsClass(const CaptureClass *class, HeapTuple tuple)
{
    return class->map == NULL || tuple == NULL ? tuple : execute_attr_map_tuple(tuple, class->map);
}

/* A row as the class has it: in the trigger's slot, or in one of the class. */
static TupleTableSlot *SlotFor(const CaptureClass *class, HeapTuple tuple,
                               TupleTableSlot *of_trigger, TupleTableSlot *of_class)
{
    if (of_class == NULL)
        return of_trigger;
    return ExecStoreHeapTuple(AsClass(class, tuple), of_class, false);
}

/* The command of this transaction that made a version of a row; InvalidCommandId: none did. */
static CommandId CommandOf(HeapTuple tuple)
{
    if (tuple == NULL ||
        !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
        return InvalidCommandId;
    return HeapTupleHeaderGetCmin(tuple->t_data);
}

static void CaptureVersion(const CaptureClass *class, const Row *row, bool before, bool after,
                           PaosRef ref)
{
    TupleTableSlot *was = NULL;
    TupleTableSlot *is = NULL;
    PaosVersions versions = {CommandOf(before ? row->before : NULL),
                             CommandOf(after ? row->after : NULL)};

    if (before)
        was = SlotFor(class, row->before, row->slot_before, class->before);
    if (after)
        is = SlotFor(class, row->after, row->slot_after, class->after);
    PaosHitsNote(class->number, class->relid, was, is, ref, versions);
}

/* An object whose key changes leaves as one and enters as another. */
static void CaptureForClass(const CaptureClass *class, const Row *row)
{
    if (row->old_ref == row->new_ref)
    {
        CaptureVersion(class, row, row->before != NULL, row->after != NULL, row->old_ref);
        return;
    }
    if (row->old_ref != 0)
        CaptureVersion(class, row, true, false, row->old_ref);
    if (row->new_ref != 0)
        CaptureVersion(class, row, false, true, row->new_ref);
}

/* What refers to an object does so by its key: one that is given another is gone for it. */
static void CapturePaths(const Capture *capture, PaosShared *shared, const Row *row)
{
    ListCell *cell;

    foreach (cell, capture->classes)
    {
        CaptureClass *class = lfirst(cell);
        TupleDesc desc = class->after == NULL ? row->desc : class->after->tts_tupleDescriptor;
        HeapTuple was = AsClass(class, row->before);
        HeapTuple is = AsClass(class, row->after);

        if (class->number != capture->number)
            continue;
        if (row->old_ref == row->new_ref)
        {
            PaosPathNote(shared, class->number, class->relid, desc, was, is);
            continue;
        }
        if (was != NULL)
            PaosPathNote(shared, class->number, class->relid, desc, was, NULL);
        if (is != NULL)
            PaosPathNote(shared, class->number, class->relid, desc, NULL, is);
    }
}

/* The ref of a row; 0 when its key is none that a ref can have, or there is no row. */
static PaosRef RowRef(const Capture *capture, TupleDesc desc, HeapTuple tuple)
{
    int64 key;

    if (tuple == NULL)
        return 0;
    key = PaosTupleKey(tuple, desc, capture->key, capture->keytype);
    return key < 1 || key > PAOS_KEY_MAX ? 0 : PaosRefMake(capture->number, key);
}

static Row RowOf(const Capture *capture, const TriggerData *trigger)
{
    Row row = {.desc = RelationGetDescr(trigger->tg_relation)};

    if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
    {
        row.before = trigger->tg_trigtuple;
        row.slot_before = trigger->tg_trigslot;
    }
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
    {
        row.after = trigger->tg_trigtuple;
        row.slot_after = trigger->tg_trigslot;
    }
    else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
    {
        row.after = trigger->tg_newtuple;
        row.slot_after = trigger->tg_newslot;
    }
    row.old_ref = RowRef(capture, row.desc, row.before);
    row.new_ref = RowRef(capture, row.desc, row.after);
    return row;
}

static void CaptureRow(const Capture *capture, PaosShared *shared, const TriggerData *trigger)
{
    Row row = RowOf(capture, trigger);
    ListCell *cell;

    foreach (cell, capture->classes)
    {
        CaptureClass *class = lfirst(cell);

        if (pg_atomic_read_u32(&shared->class_requests[class->number]) > 0)
            CaptureForClass(class, &row);
    }
    if (pg_atomic_read_u32(&shared->paths) > 0)
        CapturePaths(capture, shared, &row);
}

/*
 * Trigger AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW of every class.  It is called in a memory
 * context that is emptied after each row.
 */
Datum paos_row_written(PG_FUNCTION_ARGS)
{
    TriggerData *trigger = (TriggerData *) fcinfo->context;
    PaosShared *shared;
    Capture *capture;

    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.row_written must be called as a trigger after each row"));
    capture = StatementCapture(fcinfo, trigger->tg_relation);
    if (capture->number == 0)
        return PointerGetDatum(NULL);
    if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
        PaosRightCheckRow(&capture->right, trigger);
    shared = PaosSharedFiled(false);
    if (shared != NULL)
        CaptureRow(capture, shared, trigger);
    return PointerGetDatum(NULL);
}

void PaosCaptureAll(Relation table)
{
    List *queue = list_make1_oid(RelationGetRelid(table));
    List *classes = NIL;
    int i;

    for (i = 0; i < list_length(queue); i++)
    {
        classes = lappend_int(classes, PaosClassNumber(list_nth_oid(queue, i)));
        queue = list_concat_unique_oid(queue, PaosParents(list_nth_oid(queue, i)));
    }
    PaosTogetherNote(classes);
}

/* Trigger BEFORE TRUNCATE of every class: which objects leave is not looked at one by one. */
Datum paos_table_truncated(PG_FUNCTION_ARGS)
{
    TriggerData *trigger = (TriggerData *) fcinfo->context;

    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.table_truncated must be called as a trigger on TRUNCATE"));
    PaosRightCheckTable(trigger->tg_relation);
    if (PaosSharedFiled(false) != NULL)
        PaosCaptureAll(trigger->tg_relation);
    return PointerGetDatum(NULL);
}
