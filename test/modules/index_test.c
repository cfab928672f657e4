/*
 * index_test.c - a module that puts the predicate index to the test.
 *
 * It works on the shared memory of the database, under a class number that no
 * class has.  The oracle compares what the index finds with every condition
 * evaluated; load and probe tell what that costs.  The functions of the index
 * are paos.so's, so LOAD 'paos' must come first.
 */
#include "index.h"
#include "query.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include <time.h>

PG_MODULE_MAGIC;

#define TEST_CLASS PAOS_CLASS_MAX
#define LIVE_MAX 4000
#define FILED_MAX 4000000
#define NOTICES_MAX 5

PG_FUNCTION_INFO_V1(index_oracle);
PG_FUNCTION_INFO_V1(index_load);
PG_FUNCTION_INFO_V1(index_probe);
PG_FUNCTION_INFO_V1(index_clear);
PG_FUNCTION_INFO_V1(index_limit);

/* The rows of a class, and what is known of them. */
typedef struct Rows
{
    PaosRow row;
    HeapTuple *tuples;
    int n;
    TupleTableSlot *slot;
} Rows;

/* A request that is filed. */
typedef struct Live
{
    MemoryContext context; /* of what it consists of */
    int64 id;
    char *text;
    PaosFilter *filter;
    dsa_pointer handle;
    int found;
    bool exact;
} Live;

typedef struct Oracle
{
    Rows rows;
    pg_prng_state random;
    PaosShared *shared;
    Live live[LIVE_MAX];
    int n;
    int most;       /* requests at a time */
    int *where;     /* in live, by the number of the request since the first; -1: it has ended */
    int64 first_id; /* of this backend; others may have theirs in the same index */
    int64 next_id;
    int64 compared;
    int64 found;
    int64 exact;
    int64 wrong;
    bool broken; /* lose an answer now and then, to be caught */
} Oracle;

/* ---- rows ---- */

static void ReadRows(Oid relid, Rows *rows)
{
    MemoryContext context = CurrentMemoryContext;
    Relation relation = relation_open(relid, AccessShareLock);
    uint64 i;

    rows->row.relid = relid;
    rows->row.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
    rows->slot = MakeSingleTupleTableSlot(rows->row.desc, &TTSOpsHeapTuple);
    SPI_connect();
    SPI_execute(
        psprintf("SELECT * FROM ONLY %s",
                 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
                                            RelationGetRelationName(relation))),
        true, 0);
    MemoryContextSwitchTo(context);
    rows->n = (int) SPI_processed;
    rows->tuples = palloc(rows->n * sizeof(HeapTuple));
    for (i = 0; i < SPI_processed; i++)
        rows->tuples[i] = heap_copytuple(SPI_tuptable->vals[i]);
    SPI_finish();
    relation_close(relation, AccessShareLock);
    if (rows->n == 0)
        elog(ERROR, "the class has no rows");
}

/* ---- random conditions ---- */

static int Random(Oracle *oracle, int n)
{
    return (int) pg_prng_uint64_range(&oracle->random, 0, n - 1);
}

static bool IsInteger(const char *text)
{
    return strspn(text + (*text == '-'), "0123456789") == strlen(text) - (*text == '-') &&
           *text != '\0';
}

static bool IsNumber(Oid type)
{
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

static char *Quoted(const char *text)
{
    StringInfoData quoted;

    initStringInfo(&quoted);
    appendStringInfoChar(&quoted, '\'');
    for (; *text != '\0'; text++)
        appendStringInfo(&quoted, *text == '\'' ? "''" : "%c", *text);
    appendStringInfoChar(&quoted, '\'');
    return quoted.data;
}

/* A value that some row has in the column, as a literal; nothing for a NULL. */
static char *Literal(Oracle *oracle, int column)
{
    Form_pg_attribute attribute = TupleDescAttr(oracle->rows.row.desc, column);
    HeapTuple tuple = oracle->rows.tuples[Random(oracle, oracle->rows.n)];
    char *text = SPI_getvalue(tuple, oracle->rows.row.desc, column + 1);

    if (text == NULL)
        return Random(oracle, 4) == 0 ? "null" : Literal(oracle, column);
    if (IsNumber(attribute->atttypid) && IsInteger(text) && Random(oracle, 2) == 0)
        return text;
    return Quoted(text);
}

static char *RandomList(Oracle *oracle, int column)
{
    StringInfoData list;
    int n = 1 + Random(oracle, 5);

    initStringInfo(&list);
    while (n-- > 0)
        appendStringInfo(&list, "%s%s", list.len == 0 ? "" : ", ", Literal(oracle, column));
    return list.data;
}

static char *RandomPredicate(Oracle *oracle)
{
    static const char *const operators[] = {"==", "==", "!=", "<", "<=", ">", ">="};
    int column = Random(oracle, oracle->rows.row.desc->natts);
    Form_pg_attribute attribute = TupleDescAttr(oracle->rows.row.desc, column);
    const char *name = NameStr(attribute->attname);
    const char *op = operators[Random(oracle, lengthof(operators))];

    if (attribute->atttypid == BOOLOID && Random(oracle, 2) == 0)
        return psprintf("%s", name);
    switch (Random(oracle, 10))
    {
        case 0:
            return psprintf("%s is null", name);
        case 1:
            return psprintf("%s is not null", name);
        case 2:
        case 3:
            return psprintf("%s in (%s)", name, RandomList(oracle, column));
        case 4:
            return psprintf("%s %s %s", Literal(oracle, column), op, name);
        case 5:
        case 6:
            return psprintf("(%s > %s and %s <= %s)", name, Literal(oracle, column), name,
                            Literal(oracle, column));
        default:
            return psprintf("%s %s %s", name, op, Literal(oracle, column));
    }
}

static char *RandomCondition(Oracle *oracle, int depth)
{
    if (depth > 0)
    {
        char *left = RandomCondition(oracle, depth - 1);

        switch (Random(oracle, 7))
        {
            case 0:
                return psprintf("(%s or %s)", left, RandomCondition(oracle, depth - 1));
            case 1:
            case 2:
                return psprintf("(%s and %s)", left, RandomCondition(oracle, depth - 1));
            case 3:
                return psprintf("not (%s)", left);
            case 4: /* the planner's functions take out what branches have in common */
                return psprintf("(%s and %s or %s and %s)", left,
                                RandomCondition(oracle, depth - 1), left,
                                RandomCondition(oracle, depth - 1));
            default:
                return left;
        }
    }
    return RandomPredicate(oracle);
}

/* ---- the oracle ---- */

static Expr *Bind(const char *text, const Rows *rows)
{
    return PaosQueryBind(PaosQueryParse(text), text, &rows->row);
}

static void Add(Oracle *oracle)
{
    Live *live = &oracle->live[oracle->n];
    MemoryContext previous;
    Expr *condition;

    memset(live, 0, sizeof(*live));
    live->context = AllocSetContextCreate(CurrentMemoryContext, "request", ALLOCSET_SMALL_SIZES);
    previous = MemoryContextSwitchTo(live->context);
    live->text = RandomCondition(oracle, Random(oracle, 3));
    condition = Bind(live->text, &oracle->rows);
    live->filter = PaosFilterMake(condition, oracle->rows.row.desc, &TTSOpsHeapTuple);
    live->id = oracle->next_id++;
    oracle->where[live->id - oracle->first_id] = oracle->n;
    live->handle = PaosIndexAdd(oracle->shared, TEST_CLASS, live->id,
                                PaosFile(condition, oracle->rows.row.desc));
    MemoryContextSwitchTo(previous);
    oracle->n++;
}

static void Remove(Oracle *oracle, int i)
{
    Live *live = &oracle->live[i];

    PaosIndexRemove(oracle->shared, TEST_CLASS, live->handle);
    ExecDropSingleTupleTableSlot(live->filter->slot);
    FreeExprContext(live->filter->econtext, true);
    MemoryContextDelete(live->context);
    oracle->where[live->id - oracle->first_id] = -1;
    *live = oracle->live[--oracle->n];
    if (i < oracle->n)
        oracle->where[live->id - oracle->first_id] = i;
}

static void NoteFound(int64 request, bool exact, void *arg)
{
    Oracle *oracle = arg;
    int i;

    if (request < oracle->first_id || request >= oracle->next_id)
        return;
    if (oracle->broken && Random(oracle, 100) == 0)
        return;
    i = oracle->where[request - oracle->first_id];
    if (i < 0)
    {
        elog(NOTICE, "found what is not filed");
        oracle->wrong++;
        return;
    }
    oracle->live[i].found++;
    oracle->live[i].exact = oracle->live[i].exact || exact;
}

static void Compare(Oracle *oracle, Live *live, HeapTuple tuple)
{
    bool isnull;
    bool result;

    ExecStoreHeapTuple(tuple, live->filter->slot, false);
    result = PaosFilterMatches(live->filter, &isnull);
    result = result && !isnull;
    oracle->compared++;
    oracle->found += live->found > 0;
    oracle->exact += live->exact;
    if (result ? live->found > 0 : !live->exact)
        return;
    if (oracle->wrong++ < NOTICES_MAX && !oracle->broken)
        elog(NOTICE, "%s: %s, %s", live->text, result ? "satisfied" : "not satisfied",
             live->found == 0 ? "not found" : "found as exact");
}

static void Probe(Oracle *oracle, MemoryContext context)
{
    HeapTuple tuple = oracle->rows.tuples[Random(oracle, oracle->rows.n)];
    MemoryContext previous = MemoryContextSwitchTo(context);
    int i;

    for (i = 0; i < oracle->n; i++)
    {
        oracle->live[i].found = 0;
        oracle->live[i].exact = false;
    }
    ExecStoreHeapTuple(tuple, oracle->rows.slot, false);
    PaosIndexProbe(oracle->shared, TEST_CLASS, oracle->rows.slot, NoteFound, oracle);
    for (i = 0; i < oracle->n; i++)
        Compare(oracle, &oracle->live[i], tuple);
    MemoryContextSwitchTo(previous);
    MemoryContextReset(context);
}

static void Step(Oracle *oracle, int goal)
{
    if (oracle->n < goal)
        Add(oracle);
    else if (oracle->n > 0)
        Remove(oracle, Random(oracle, oracle->n));
}

static void RunRounds(Oracle *oracle, int rounds)
{
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "probe", ALLOCSET_SMALL_SIZES);
    int goal = oracle->most / 2; /* wanders, so that the index also empties */
    int i;

    oracle->where =
        palloc_extended((Size) rounds * (1 + oracle->most / 100) * sizeof(int), MCXT_ALLOC_HUGE);
    while (rounds-- > 0)
    {
        CHECK_FOR_INTERRUPTS();
        if (Random(oracle, 100) == 0)
            goal = Random(oracle, oracle->most);
        for (i = 0; i < 1 + oracle->most / 100; i++)
            Step(oracle, goal);
        Probe(oracle, context);
    }
    while (oracle->n > 0)
        Remove(oracle, oracle->n - 1);
}

static void Seed(Oracle *oracle, int64 seed)
{
    pg_prng_seed(&oracle->random, (uint64) seed);
    oracle->first_id = oracle->next_id = (int64) MyProcPid << 32;
}

/* index_oracle(class, seed, rounds, most, broken) returns (compared, found, exact, wrong) */
Datum index_oracle(PG_FUNCTION_ARGS)
{
    Oracle *oracle = palloc0(sizeof(Oracle));
    Datum values[4];
    bool nulls[4] = {false};
    TupleDesc desc;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "wrong result type");
    ReadRows(PG_GETARG_OID(0), &oracle->rows);
    Seed(oracle, PG_GETARG_INT64(1));
    oracle->shared = PaosSharedGet(true);
    oracle->most = Min(PG_GETARG_INT32(3), LIVE_MAX);
    oracle->broken = PG_GETARG_BOOL(4);
    RunRounds(oracle, PG_GETARG_INT32(2));

    values[0] = Int64GetDatum(oracle->compared);
    values[1] = Int64GetDatum(oracle->found);
    values[2] = Int64GetDatum(oracle->exact);
    values[3] = Int64GetDatum(oracle->wrong);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- costs ---- */

static dsa_pointer *filed = NULL;
static int nfiled = 0;

/* Processor time of this process: other processes are not to count. */
static double Now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

/* The pattern with a number for each #. */
static char *Numbered(const char *pattern, const char *number)
{
    StringInfoData text;

    initStringInfo(&text);
    for (; *pattern != '\0'; pattern++)
        if (*pattern == '#')
            appendStringInfoString(&text, number);
        else
            appendStringInfoChar(&text, *pattern);
    return text.data;
}

/* index_load(class, condition, n): files n requests with # replaced by 0, 1, …; ns for each */
Datum index_load(PG_FUNCTION_ARGS)
{
    Rows rows = {{0}};
    char *pattern = text_to_cstring(PG_GETARG_TEXT_PP(1));
    int n = PG_GETARG_INT32(2);
    PaosShared *shared = PaosSharedGet(true);
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "filing", ALLOCSET_DEFAULT_SIZES);
    MemoryContext previous;
    double start;
    double busy = 0;
    int i;

    ReadRows(PG_GETARG_OID(0), &rows);
    if (filed == NULL)
        filed = MemoryContextAllocHuge(TopMemoryContext, FILED_MAX * sizeof(dsa_pointer));
    if (nfiled + n > FILED_MAX)
        elog(ERROR, "too many");
    previous = MemoryContextSwitchTo(context);
    for (i = 0; i < n; i++)
    {
        char number[12];
        List *filings;

        CHECK_FOR_INTERRUPTS();
        pg_ltoa(i, number);
        filings = PaosFile(Bind(Numbered(pattern, number), &rows), rows.row.desc);
        start = Now();
        filed[nfiled] = PaosIndexAdd(shared, TEST_CLASS, nfiled + 1, filings);
        nfiled++;
        busy += Now() - start;
        MemoryContextReset(context);
    }
    MemoryContextSwitchTo(previous);
    PG_RETURN_FLOAT8(busy / n);
}

static void CountFound(int64 request, bool exact, void *arg)
{
    (*(int64 *) arg)++;
}

/* index_probe(class, n) returns (ns for each probe, requests found): with the class's rows in turn
 */
Datum index_probe(PG_FUNCTION_ARGS)
{
    Rows rows = {{0}};
    int n = PG_GETARG_INT32(1);
    PaosShared *shared = PaosSharedGet(true);
    Datum values[2];
    bool nulls[2] = {false};
    TupleDesc desc;
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "probe", ALLOCSET_SMALL_SIZES);
    MemoryContext previous;
    double start;
    int64 found = 0;
    int i;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "wrong result type");
    ReadRows(PG_GETARG_OID(0), &rows);
    previous = MemoryContextSwitchTo(context);
    start = Now();
    for (i = 0; i < n; i++)
    {
        CHECK_FOR_INTERRUPTS();
        ExecStoreHeapTuple(rows.tuples[i % rows.n], rows.slot, false);
        PaosIndexProbe(shared, TEST_CLASS, rows.slot, CountFound, &found);
        MemoryContextReset(context);
    }
    MemoryContextSwitchTo(previous);
    values[0] = Float8GetDatum((Now() - start) / Max(n, 1));
    values[1] = Int64GetDatum(found);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* index_clear(): removes what was loaded; ns for each */
Datum index_clear(PG_FUNCTION_ARGS)
{
    PaosShared *shared = PaosSharedGet(true);
    int n = nfiled;
    double start;

    start = Now();
    while (nfiled > 0)
        PaosIndexRemove(shared, TEST_CLASS, filed[--nfiled]);
    PG_RETURN_FLOAT8((Now() - start) / Max(n, 1));
}

/* index_limit(bytes): how large the shared memory may become; 0: without limit */
Datum index_limit(PG_FUNCTION_ARGS)
{
    int64 limit = PG_GETARG_INT64(0);

    PaosSharedGet(true);
    dsa_set_size_limit(PaosSharedArea(), limit == 0 ? (size_t) -1 : (size_t) limit);
    PG_RETURN_VOID();
}
