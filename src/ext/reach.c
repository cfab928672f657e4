/*
 * reach.c - paos.reach: objects and what they lead to, in one statement.
 *
 * A walk over a graph by a client costs a round trip for each step; here it costs one
 * in all.  Objects are followed breadth first, a batch of one class at a time, and each
 * is sent once.  A result is a batch, or a part of one: see reach_read.c for its bytes.
 */
#include "reach.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(paos_reach);
PG_FUNCTION_INFO_V1(paos_answer);

/* Bytes of an answer after which nothing more is followed. */
#define ANSWER_BYTES (64 * 1024 * 1024)
/* A block of known objects: which, and a bit for each of 64. */
#define BLOCK_SIZE (2 * (int) sizeof(uint64))

/* Arguments of both functions, behind what the walk begins with. */
enum
{
    ARG_FOLLOW,
    ARG_DEPTH,
    ARG_MOST,
    ARG_KNOWN
};

/* ---- batches ---- */

static ReachBatch *BatchFor(ReachWalk *walk, int number, int level)
{
    MemoryContext previous;
    ReachBatch *batch;
    int i;

    /* The newest are the likeliest. */
    for (i = list_length(walk->batches); i-- > 0;)
    {
        batch = list_nth(walk->batches, i);
        if (batch->level < level)
            break;
        if (batch->level == level && batch->number == number)
            return batch;
    }
    previous = MemoryContextSwitchTo(walk->context);
    batch = palloc0(sizeof(ReachBatch));
    batch->number = number;
    batch->level = level;
    batch->capacity = 64;
    batch->keys = palloc(batch->capacity * sizeof(int64));
    walk->batches = lappend(walk->batches, batch);
    MemoryContextSwitchTo(previous);
    return batch;
}

static void BatchAdd(ReachBatch *batch, int64 key)
{
    if (batch->size == batch->capacity)
    {
        batch->capacity *= 2;
        batch->keys = repalloc_huge(batch->keys, batch->capacity * sizeof(int64));
    }
    batch->keys[batch->size++] = key;
}

int PaosReachWalkRoot(ReachWalk *walk, int number)
{
    if (number < 1 || number > PAOS_CLASS_MAX)
        return -1;
    /* Large beside an answer of few objects that leads nowhere. */
    if (walk->roots == NULL)
        walk->roots = MemoryContextAllocZero(walk->context, (PAOS_CLASS_MAX + 1) * sizeof(int16));
    if (walk->roots[number] == 0)
    {
        int root = PaosReachRoot(number);

        walk->roots[number] = root == 0 ? -1 : root;
    }
    return walk->roots[number];
}

void PaosReachMeet(ReachWalk *walk, PaosRef ref, int level)
{
    int number = PaosRefClass(ref);
    int root = PaosReachWalkRoot(walk, number);

    if (walk->objects <= 0 || root < 0 ||
        !PaosSeenAdd(walk->seen, ((PaosRef) root << PAOS_KEY_BITS) | PaosRefKey(ref)))
        return;
    walk->objects--;
    BatchAdd(BatchFor(walk, number, level), PaosRefKey(ref));
}

/* ---- what is asked ---- */

/* "person's class number:attribute", or the attribute's name alone. */
static ReachAttribute ParseAttribute(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    ReachAttribute attribute = {0, text};

    if (digits == 0 || digits > 5 || text[digits] != ':')
        return attribute;
    attribute.root = PaosReachRoot(Min(atoi(text), PAOS_CLASS_MAX));
    /* Attributes of no class are met nowhere. */
    attribute.root = attribute.root == 0 ? -1 : attribute.root;
    attribute.name = text + digits + 1;
    return attribute;
}

static void TakeFollow(ReachWalk *walk, ArrayType *array)
{
    Datum *elements;
    bool *nulls;
    int i;

    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls,
                      &walk->follow_size);
    walk->follow = palloc(Max(walk->follow_size, 1) * sizeof(ReachAttribute));
    for (i = 0; i < walk->follow_size; i++)
    {
        if (nulls[i])
            ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("attribute to follow must not be null"));
        walk->follow[i] = ParseAttribute(TextDatumGetCString(elements[i]));
    }
}

static uint64 ReadUint64(const char *place)
{
    uint64 value;

    memcpy(&value, place, sizeof(value));
    return pg_ntoh64(value);
}

static void TakeKnown(ReachWalk *walk, bytea *known)
{
    const char *place = VARDATA_ANY(known);
    int size = VARSIZE_ANY_EXHDR(known);

    if (size % BLOCK_SIZE != 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                errmsg("malformed known objects"),
                errdetail("Their size is not a multiple of %d bytes.", BLOCK_SIZE));
    for (; size > 0; size -= BLOCK_SIZE, place += BLOCK_SIZE)
        PaosSeenAddBlock(walk->seen, ReadUint64(place), ReadUint64(place + sizeof(uint64)));
}

/* What is asked for is read whether it is known or not, each object once. */
static void TakeStart(ReachWalk *walk, ArrayType *array)
{
    PaosSeen *starts = PaosSeenMake();
    Datum *elements;
    bool *nulls;
    int n;
    int i;

    deconstruct_array(array, PaosRefTypeOid(), sizeof(PaosRef), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                      &elements, &nulls, &n);
    for (i = 0; i < n; i++)
    {
        PaosRef ref = nulls[i] ? 0 : DatumGetPaosRef(elements[i]);
        int number = PaosRefClass(ref);
        int root = PaosReachWalkRoot(walk, number);
        PaosRef identity = root > 0 ? PaosRefMake(root, PaosRefKey(ref)) : ref;

        if (ref == 0 || !PaosSeenAdd(starts, identity))
            continue;
        PaosSeenAdd(walk->seen, identity);
        BatchAdd(BatchFor(walk, number, 0), PaosRefKey(ref));
    }
    pfree(elements);
    pfree(nulls);
}

static void CheckNumber(int64 value, const char *name)
{
    if (value < 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s must not be negative", name));
}

/* From argument `first` on. */
static ReachWalk *Begin(FunctionCallInfo fcinfo, int first)
{
    ReachWalk *walk = palloc0(sizeof(ReachWalk));

    walk->context = CurrentMemoryContext;
    walk->depth = PG_ARGISNULL(first + ARG_DEPTH) ? INT_MAX : PG_GETARG_INT32(first + ARG_DEPTH);
    walk->objects = PG_ARGISNULL(first + ARG_MOST) ? INT_MAX : PG_GETARG_INT32(first + ARG_MOST);
    CheckNumber(walk->depth, "depth");
    CheckNumber(walk->objects, "number of objects");
    walk->seen = PaosSeenMake();
    initStringInfo(&walk->answer);
    walk->follow_all = PG_ARGISNULL(first + ARG_FOLLOW);
    if (!walk->follow_all)
        TakeFollow(walk, PG_GETARG_ARRAYTYPE_P(first + ARG_FOLLOW));
    if (!PG_ARGISNULL(first + ARG_KNOWN))
        TakeKnown(walk, PG_GETARG_BYTEA_PP(first + ARG_KNOWN));
    return walk;
}

static ReachWalk *BeginAtRefs(FunctionCallInfo fcinfo)
{
    ReachWalk *walk = Begin(fcinfo, 1);

    if (!PG_ARGISNULL(0))
        TakeStart(walk, PG_GETARG_ARRAYTYPE_P(0));
    return walk;
}

static ReachWalk *BeginAtAnswer(FunctionCallInfo fcinfo)
{
    ReachWalk *walk;
    bool all = PG_ARGISNULL(1);
    int number;

    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("class must not be null"));
    number = PaosClassByRelation(PG_GETARG_OID(0), false)->number;
    walk = Begin(fcinfo, 2);
    walk->start =
        PaosReachAnswerBegin(walk, ((ReturnSetInfo *) fcinfo->resultinfo)->econtext, number, all,
                             all ? (Datum) 0 : PointerGetDatum(PG_GETARG_TEXT_P_COPY(1)));
    return walk;
}

/* ---- the functions ---- */

/* The next batch, or part of one; NULL: it was all. */
static bytea *Next(ReachWalk *walk)
{
    ReachBatch *batch;
    bytea *bytes = walk->start ? PaosReachAnswerNext(walk->start) : NULL;

    if (bytes != NULL)
        return bytes;
    walk->start = NULL;
    if (walk->batches == NIL)
        return NULL;
    batch = linitial(walk->batches);
    if (walk->bytes >= ANSWER_BYTES)
        walk->objects = 0;
    bytes = PaosReachRead(walk, batch);
    if (batch->next == batch->size)
    {
        walk->batches = list_delete_first(walk->batches);
        pfree(batch->keys);
        pfree(batch);
    }
    return bytes;
}

static Datum Walk(FunctionCallInfo fcinfo, ReachWalk *(*begin)(FunctionCallInfo))
{
    FuncCallContext *call;
    bytea *bytes;

    if (SRF_IS_FIRSTCALL())
    {
        MemoryContext previous;

        call = SRF_FIRSTCALL_INIT();
        previous = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        call->user_fctx = begin(fcinfo);
        MemoryContextSwitchTo(previous);
    }
    call = SRF_PERCALL_SETUP();
    CHECK_FOR_INTERRUPTS();
    bytes = Next(call->user_fctx);
    if (bytes == NULL)
        SRF_RETURN_DONE(call);
    SRF_RETURN_NEXT(call, PointerGetDatum(bytes));
}

/* paos.reach(start ref[], follow text[], depth int, most int, known bytea) returns setof bytea */
Datum paos_reach(PG_FUNCTION_ARGS)
{
    return Walk(fcinfo, BeginAtRefs);
}

/* paos.answer(class regclass, query, follow text[], depth int, most int, known bytea) */
Datum paos_answer(PG_FUNCTION_ARGS)
{
    return Walk(fcinfo, BeginAtAnswer);
}
