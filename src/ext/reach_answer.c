/*
 * reach_answer.c - what a query finds: the start of a walk, or all of it.
 *
 * The statement is run by the executor, part by part, as its objects are sent: so the
 * first are on their way before the last is found, and a row becomes bytes where the scan
 * has it.  It lives from call to call, so that nothing in it may be of what a call or the
 * connection to SPI leaves behind, and it has to be ended when the caller wants no more.
 */
#include "reach.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

struct ReachAnswer
{
    DestReceiver receiver; /* first: the executor knows only this */
    ReachWalk *walk;
    ReachClass class; /* as it was when the statement began */
    ReachRow row;
    ReachFound found; /* rows of this part */
    bool begun;
    ExprContext *caller;
    QueryDesc *statement; /* NULL: it has come to its end */
    CachedPlan *plan;
    ResourceOwner owner;    /* of the plan */
    Tuplestorestate *parts; /* of a statement that may not be run in parts; NULL: it may */
    TupleTableSlot *slot;   /* the last one of these */
    PaosSeen *met;          /* what the objects lead to, */
    PaosRef *refs;          /* in order: which of it is in the answer shows in the end */
    int64 refs_size, refs_capacity;
};

/* ---- rows ---- */

/* Said at the beginning of each part. */
static void Start(DestReceiver *self, int operation, TupleDesc desc)
{
    ReachAnswer *answer = (ReachAnswer *) self;
    MemoryContext previous;

    if (answer->begun)
        return;
    answer->begun = true;
    previous = MemoryContextSwitchTo(answer->walk->context);
    PaosReachRowStart(&answer->row, desc);
    MemoryContextSwitchTo(previous);
}

static void AddRef(ReachAnswer *answer, PaosRef ref)
{
    if (!PaosSeenAdd(answer->met, ref))
        return;
    if (answer->refs_size == answer->refs_capacity)
    {
        answer->refs_capacity *= 2;
        answer->refs = repalloc_huge(answer->refs, answer->refs_capacity * sizeof(PaosRef));
    }
    answer->refs[answer->refs_size++] = ref;
}

static void Meet(ReachAnswer *answer, int64 key)
{
    int root = PaosReachWalkRoot(answer->walk, answer->class.number);
    int i;

    if (root > 0 && key >= 1 && key <= PAOS_KEY_MAX)
        PaosSeenAdd(answer->walk->seen, PaosRefMake(root, key));
    for (i = 0; i < answer->row.refs_size; i++)
        AddRef(answer, answer->row.refs[i]);
}

static bytea *FinishPart(ReachAnswer *answer)
{
    return PaosReachFinish(answer->walk, answer->class.number, answer->class.shape, 0,
                           &answer->found);
}

static void BeginPart(ReachAnswer *answer)
{
    PaosReachPrepare(answer->walk);
    answer->found.rows = 0;
}

static void KeepPart(ReachAnswer *answer)
{
    Datum value = PointerGetDatum(FinishPart(answer));
    bool isnull = false;

    tuplestore_putvalues(answer->parts, answer->slot->tts_tupleDescriptor, &value, &isnull);
    BeginPart(answer);
}

/* False ends the part. */
static bool Receive(TupleTableSlot *slot, DestReceiver *self)
{
    ReachAnswer *answer = (ReachAnswer *) self;
    int64 key = PaosReachRowTakeSlot(&answer->row, slot);

    answer->found.rows++;
    if (answer->walk->depth > 0)
        Meet(answer, key);
    if (answer->row.bytes->len < REACH_ANSWER_BYTES)
        return true;
    if (answer->parts == NULL)
        return false;
    KeepPart(answer);
    return true;
}

static void Nothing(DestReceiver *self)
{
}

/* ---- the statement ---- */

static void EndStatement(ReachAnswer *answer)
{
    if (answer->statement == NULL)
        return;
    ExecutorFinish(answer->statement);
    ExecutorEnd(answer->statement);
    FreeQueryDesc(answer->statement);
    ReleaseCachedPlan(answer->plan, answer->owner);
    answer->statement = NULL;
}

/* The caller wants no more.  After an error nobody is told, and nothing is left to do. */
static void Shutdown(Datum datum)
{
    ReachAnswer *answer = (ReachAnswer *) DatumGetPointer(datum);

    EndStatement(answer);
    if (answer->parts != NULL)
        tuplestore_end(answer->parts);
    answer->parts = NULL;
}

/* What is kept with the class may be made anew while we go on: all of it is copied or held. */
static char *FindPlan(ReachAnswer *answer, int number, ParamListInfo params)
{
    MemoryContext context = answer->walk->context;
    CachedPlanSource *source;
    ReachClass *class;
    char *text;

    SPI_connect();
    class = PaosReachClassOpen(number);
    if (class == NULL)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no class %d", number));
    answer->class = *class;
    answer->class.columns = MemoryContextAlloc(context, class->size * sizeof(ReachColumn));
    memcpy(answer->class.columns, class->columns, class->size * sizeof(ReachColumn));
    source = linitial(SPI_plan_get_plan_sources(PaosReachClassQuery(class, params != NULL)));
    text = MemoryContextStrdup(context, source->query_string);
    answer->owner = CurrentResourceOwner;
    answer->plan = GetCachedPlan(source, params, answer->owner, NULL);
    PaosReachClassClose(class);
    SPI_finish();
    return text;
}

static ParamListInfo MakeParams(Datum query)
{
    ParamListInfo params = makeParamList(1);

    params->params[0].value = query;
    params->params[0].isnull = false;
    params->params[0].pflags = PARAM_FLAG_CONST;
    params->params[0].ptype = PaosQueryTypeOid();
    return params;
}

/* Workers of a parallel plan go on to its end, whatever the receiver says. */
static void KeepParts(ReachAnswer *answer)
{
    TupleDesc desc = CreateTemplateTupleDesc(1);

    TupleDescInitEntry(desc, 1, "part", BYTEAOID, -1, 0);
    answer->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
    answer->parts = tuplestore_begin_heap(false, false, work_mem);
}

ReachAnswer *PaosReachAnswerBegin(ReachWalk *walk, ExprContext *caller, int number, bool all,
                                  Datum query)
{
    ReachAnswer *answer = palloc0(sizeof(ReachAnswer));
    ParamListInfo params = all ? NULL : MakeParams(query);
    PlannedStmt *planned;
    char *text;

    answer->receiver = (DestReceiver){Receive, Start, Nothing, Nothing, DestTuplestore};
    answer->walk = walk;
    answer->caller = caller;
    answer->row = (ReachRow){.walk = walk, .class = &answer->class, .bytes = &walk->answer};
    if (walk->depth > 0)
    {
        answer->met = PaosSeenMake();
        answer->refs_capacity = 64;
        answer->refs = palloc(answer->refs_capacity * sizeof(PaosRef));
    }
    text = FindPlan(answer, number, params);
    planned = linitial_node(PlannedStmt, answer->plan->stmt_list);
    if (planned->parallelModeNeeded)
        KeepParts(answer);
    answer->statement = CreateQueryDesc(planned, text, GetActiveSnapshot(), InvalidSnapshot,
                                        &answer->receiver, params, NULL, 0);
    ExecutorStart(answer->statement, 0);
    RegisterExprContextCallback(caller, Shutdown, PointerGetDatum(answer));
    return answer;
}

/* ---- parts ---- */

/* Runs it until a part is full, or to its end: then what it leads to is met. */
static void Run(ReachAnswer *answer)
{
    bool whole = answer->parts != NULL;
    int64 i;

    ExecutorRun(answer->statement, ForwardScanDirection, 0, whole);
    if (!whole && answer->row.bytes->len >= REACH_ANSWER_BYTES)
        return;
    if (whole)
        KeepPart(answer);
    EndStatement(answer);
    for (i = 0; i < answer->refs_size; i++)
        PaosReachMeet(answer->walk, answer->refs[i], 1);
}

static bytea *TakePart(ReachAnswer *answer)
{
    bool isnull;

    if (!tuplestore_gettupleslot(answer->parts, true, false, answer->slot))
        return NULL;
    return (bytea *) DatumGetPointer(slot_getattr(answer->slot, 1, &isnull));
}

bytea *PaosReachAnswerNext(ReachAnswer *answer)
{
    bytea *part = NULL;

    BeginPart(answer);
    if (answer->statement != NULL)
        Run(answer);
    if (answer->parts != NULL)
        part = TakePart(answer);
    else if (answer->found.rows > 0)
        part = FinishPart(answer);
    if (part != NULL)
        return part;
    UnregisterExprContextCallback(answer->caller, Shutdown, PointerGetDatum(answer));
    Shutdown(PointerGetDatum(answer));
    return NULL;
}
