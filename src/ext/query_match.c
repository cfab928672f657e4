/*
 * query_match.c - the operator @@ on a row at hand.
 *
 * Mostly the planner has replaced the operator by plain conditions before it
 * could be called (see plan.c).  What is left must agree with those: a NULL
 * row, as the empty side of an outer join has, is a row of NULLs.
 */
#include "paos.h"
#include "query.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(paos_query_matches);

/* A query bound to a row type, kept from one row to the next. */
typedef struct Match
{
    MemoryContext context; /* of all that one binding makes; emptied by the next */
    text *query;
    Oid type;
    uint64 descriptor; /* the type cache's name of this state of the row type */
    PaosFilter *filter;
} Match;

static bool IsBound(const Match *match, text *query, const TypeCacheEntry *entry)
{
    return match->query != NULL && match->type == entry->type_id &&
           match->descriptor == entry->tupDesc_identifier &&
           DatumGetBool(
               DirectFunctionCall2(byteaeq, PointerGetDatum(match->query), PointerGetDatum(query)));
}

static Match *MatchOfCall(FmgrInfo *flinfo)
{
    Match *match = flinfo->fn_extra;

    if (match != NULL)
        return match;
    match = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(Match));
    match->context = AllocSetContextCreate(flinfo->fn_mcxt, "paos query", ALLOCSET_SMALL_SIZES);
    flinfo->fn_extra = match;
    return match;
}

/* The row type as its own table has it, or as the caller declares it. */
static Oid RowType(FunctionCallInfo fcinfo)
{
    Oid type;

    if (PG_ARGISNULL(0))
        type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 0));
    else
        type = HeapTupleHeaderGetTypeId(PG_GETARG_HEAPTUPLEHEADER(0));
    if (type == RECORDOID || !OidIsValid(type))
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("a row of no named type has no attributes to query"),
                errhint("Use a row of a table, a view or a composite type; a cast such as "
                        "ROW(…)::person gives a row its type."));
    return type;
}

/* The descriptor's name is taken first: should binding change it, the next row binds again. */
static void Rebind(Match *match, text *query, const TypeCacheEntry *entry)
{
    MemoryContext caller = CurrentMemoryContext;
    PaosRow row = {.relid = get_typ_typrelid(entry->type_id)};
    char *source;

    match->query = NULL;
    match->type = entry->type_id;
    match->descriptor = entry->tupDesc_identifier;
    MemoryContextReset(match->context);
    MemoryContextSwitchTo(match->context);
    source = text_to_cstring(query);
    row.desc = lookup_rowtype_tupdesc_copy(match->type, -1);
    match->filter = PaosFilterMake(PaosQueryBind(PaosQueryParse(source), source, &row), row.desc,
                                   &TTSOpsHeapTuple);
    match->query = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(query));
    MemoryContextSwitchTo(caller);
}

static void StoreRow(TupleTableSlot *slot, FunctionCallInfo fcinfo, HeapTuple tuple)
{
    HeapTupleHeader header;

    if (PG_ARGISNULL(0))
    {
        ExecStoreAllNullTuple(slot);
        return;
    }
    header = PG_GETARG_HEAPTUPLEHEADER(0);
    tuple->t_len = HeapTupleHeaderGetDatumLength(header);
    ItemPointerSetInvalid(&tuple->t_self);
    tuple->t_tableOid = InvalidOid;
    tuple->t_data = header;
    ExecStoreHeapTuple(tuple, slot, false);
}

/* row @@ query; not strict, see above */
Datum paos_query_matches(PG_FUNCTION_ARGS)
{
    Match *match;
    text *query;
    TypeCacheEntry *entry;
    HeapTupleData tuple;
    bool isnull;
    bool result;

    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    match = MatchOfCall(fcinfo->flinfo);
    query = PG_GETARG_TEXT_PP(1);
    entry = lookup_type_cache(RowType(fcinfo), TYPECACHE_TUPDESC);
    if (!IsBound(match, query, entry))
        Rebind(match, query, entry);

    StoreRow(match->filter->slot, fcinfo, &tuple);
    result = PaosFilterMatches(match->filter, &isnull);
    ExecClearTuple(match->filter->slot);
    if (isnull)
        PG_RETURN_NULL();
    PG_RETURN_BOOL(result);
}
