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
#include "access/tupconvert.h"
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
    TupleConversionMap *map; /* NULL: the row is as the class has it */
    TupleTableSlot *slot;
} CaptureClass;

/* What one statement's firing of the trigger knows, kept in its fn_extra. */
typedef struct Capture
{
    RightCheck right;
    List *classes; /* of CaptureClass */
    int number;    /* of refs to the rows */
    AttrNumber key;
    Oid keytype;
    MemoryContext row; /* emptied after each row */
} Capture;

/* A request that a row satisfies, as it was or as it is. */
typedef struct Hit
{
    int64 request;
    bool before;
    bool after;
} Hit;

typedef struct Hits
{
    Hit *items;
    int n;
    int size;
    bool after;
    CaptureClass *class;
    CommandId command; /* that wrote the row */
} Hits;

static void AddClass(Capture *capture, Relation table, Oid relid)
{
    CaptureClass *class;
    Relation relation;
    ListCell *cell;

    foreach (cell, capture->classes)
    {
        if (((CaptureClass *) lfirst(cell))->relid == relid)
            return;
    }
    class = palloc0(sizeof(CaptureClass));
    class->number = PaosClassNumber(relid);
    class->relid = relid;
    relation = PaosRelationPeek(relid);
    class->slot =
        MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)), &TTSOpsHeapTuple);
    RelationClose(relation);
    if (relid != RelationGetRelid(table))
        class->map = convert_tuples_by_name(CreateTupleDescCopy(RelationGetDescr(table)),
                                            class->slot->tts_tupleDescriptor);
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
        AddClass(capture, table, RelationGetRelid(table));
        return;
    }

    for (i = 0; i < list_length(queue); i++)
    {
        Oid relid = list_nth_oid(queue, i);

        if (PaosClassNumber(relid) != 0)
            AddClass(capture, table, relid);
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
    capture->row = AllocSetContextCreate(CurrentMemoryContext, "paos row", ALLOCSET_SMALL_SIZES);
    MemoryContextSwitchTo(previous);
    fcinfo->flinfo->fn_extra = capture;
    return capture;
}

/* The ref of a row; 0 when its key is none that a ref can have. */
static PaosRef RowRef(const Capture *capture, HeapTuple tuple, Relation table)
{
    int64 key = PaosTupleKey(tuple, RelationGetDescr(table), capture->key, capture->keytype);

    return key < 1 || key > PAOS_KEY_MAX ? 0 : PaosRefMake(capture->number, key);
}

static void FoundRequest(int64 request, bool exact, void *arg)
{
    Hits *hits = arg;

    switch (PaosRequestMatches(request, hits->class->relid, hits->class->slot, exact))
    {
        case PAOS_MATCH_NO:
            return;
        case PAOS_MATCH_UNKNOWN:
            PaosEventResync(request);
            return;
        case PAOS_MATCH_YES:
            break;
    }
    if (hits->n == hits->size)
    {
        hits->size = hits->size == 0 ? 16 : hits->size * 2;
        hits->items = hits->items == NULL ? palloc(hits->size * sizeof(Hit))
                                          : repalloc_huge(hits->items, hits->size * sizeof(Hit));
    }
    hits->items[hits->n++] = (Hit){request, !hits->after, hits->after};
}

static HeapTuple AsClass(const CaptureClass *class, HeapTuple tuple)
{
    return class->map == NULL || tuple == NULL ? tuple : execute_attr_map_tuple(tuple, class->map);
}

static void Probe(Hits *hits, HeapTuple tuple, bool after)
{
    TupleTableSlot *slot = hits->class->slot;
    HeapTuple row = AsClass(hits->class, tuple);

    hits->after = after;
    ExecStoreHeapTuple(row, slot, false);
    PaosEventProbe();
    PaosIndexProbe(PaosSharedAttached(), hits->class->number, slot, FoundRequest, hits);
    ExecClearTuple(slot);
}

static int CompareHits(const void *a, const void *b)
{
    int64 left = ((const Hit *) a)->request;
    int64 right = ((const Hit *) b)->request;

    return left < right ? -1 : left > right;
}

/* One change for each request, however often and on whichever side it was found. */
static void NoteHits(Hits *hits, PaosRef ref)
{
    int first;
    int next;

    if (hits->n > 1)
        qsort(hits->items, hits->n, sizeof(Hit), CompareHits);
    for (first = 0; first < hits->n; first = next)
    {
        Hit hit = hits->items[first];

        for (next = first + 1; next < hits->n && hits->items[next].request == hit.request; next++)
        {
            hit.before = hit.before || hits->items[next].before;
            hit.after = hit.after || hits->items[next].after;
        }
        PaosEventNote(hit.request, ref, hits->command, hit.before, hit.after);
    }
}

/* The command that made a version of a row from another, which this transaction did. */
static CommandId CommandOf(HeapTuple before, HeapTuple after)
{
    return after != NULL ? HeapTupleHeaderGetCmin(after->t_data)
                         : HeapTupleHeaderGetCmax(before->t_data);
}

static void CaptureVersion(CaptureClass *class, HeapTuple before, HeapTuple after, PaosRef ref)
{
    Hits hits = {.class = class, .command = CommandOf(before, after)};

    if (before != NULL)
        Probe(&hits, before, false);
    if (after != NULL)
        Probe(&hits, after, true);
    NoteHits(&hits, ref);
}

/* An object whose key changes leaves as one and enters as another. */
static void CaptureForClass(CaptureClass *class, HeapTuple before, HeapTuple after, PaosRef old_ref,
                            PaosRef new_ref)
{
    if (old_ref == new_ref)
    {
        CaptureVersion(class, before, after, old_ref);
        return;
    }
    if (old_ref != 0)
        CaptureVersion(class, before, NULL, old_ref);
    if (new_ref != 0)
        CaptureVersion(class, NULL, after, new_ref);
}

/* What refers to an object does so by its key: one that is given another is gone for it. */
static void CapturePaths(const Capture *capture, PaosShared *shared, HeapTuple before,
                         HeapTuple after, bool same)
{
    ListCell *cell;

    foreach (cell, capture->classes)
    {
        CaptureClass *class = lfirst(cell);
        TupleDesc desc = class->slot->tts_tupleDescriptor;
        HeapTuple was = AsClass(class, before);
        HeapTuple is = AsClass(class, after);

        if (class->number != capture->number)
            continue;
        if (same)
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

static void CaptureRow(const Capture *capture, PaosShared *shared, TriggerData *trigger)
{
    HeapTuple before = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
    HeapTuple after = trigger->tg_trigtuple;
    PaosRef old_ref = 0;
    PaosRef new_ref = 0;
    ListCell *cell;

    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
        after = trigger->tg_newtuple;
    else if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
        after = NULL;
    if (before != NULL)
        old_ref = RowRef(capture, before, trigger->tg_relation);
    if (after != NULL)
        new_ref = RowRef(capture, after, trigger->tg_relation);

    foreach (cell, capture->classes)
    {
        CaptureClass *class = lfirst(cell);

        if (pg_atomic_read_u32(&shared->class_requests[class->number]) > 0)
            CaptureForClass(class, before, after, old_ref, new_ref);
    }
    if (pg_atomic_read_u32(&shared->paths) > 0)
        CapturePaths(capture, shared, before, after, old_ref == new_ref);
}

/* Trigger AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW of every class. */
Datum paos_row_written(PG_FUNCTION_ARGS)
{
    TriggerData *trigger = (TriggerData *) fcinfo->context;
    PaosShared *shared;
    Capture *capture;
    MemoryContext previous;

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
    if (shared == NULL)
        return PointerGetDatum(NULL);

    previous = MemoryContextSwitchTo(capture->row);
    CaptureRow(capture, shared, trigger);
    MemoryContextSwitchTo(previous);
    MemoryContextReset(capture->row);
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
