/*
 * query_follow.c - evaluates a predicate on a path, object by object.
 *
 * Where the path breaks off (a NULL or dangling reference, an object that the
 * caller may not see, a class without the attribute) its value is NULL, as
 * with a left join.  One path may end at attributes of several types, so the
 * predicate is bound for each that turns up.
 */
#include "paos.h"
#include "query.h"
#include "query_int.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(paos_path_matches_ref);
PG_FUNCTION_INFO_V1(paos_path_matches_key);

/* The predicate as bound to one kind of attribute. */
typedef struct Ending
{
    Oid type;
    int32 typmod;
    Oid collation;
    int target;
    PaosFilter *filter;
    struct Ending *next;
} Ending;

/* A query on a path, kept from one row to the next. */
typedef struct Follow
{
    MemoryContext context; /* of all below; emptied when the query is another */
    text *query;
    char *source;
    const PaosQueryNode *names; /* the steps of the path */
    const PaosQueryNode *last;  /* the last of them */
    PaosQueryNode *predicate;   /* on that one only */
    Ending *endings;
} Follow;

/* Cuts the path of a predicate down to its last name, having noted all of its names. */
static void TakeNames(Follow *follow)
{
    PaosQueryNode *path = follow->predicate;

    if (path->tag < PAOS_QUERY_COMPARE)
        path = NULL;
    else if (path->tag < PAOS_QUERY_PATH)
        path = path->args;
    while (path != NULL && path->tag != PAOS_QUERY_PATH)
        path = path->next;
    if (path == NULL)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("\"%s\" is no predicate on a path", follow->source));
    follow->names = path->args;
    follow->last = path->last;
    path->args = path->last;
}

static Follow *FollowOfCall(FmgrInfo *flinfo, text *query)
{
    Follow *follow = flinfo->fn_extra;
    MemoryContext caller;

    if (follow == NULL)
    {
        follow = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(Follow));
        follow->context = AllocSetContextCreate(flinfo->fn_mcxt, "paos path", ALLOCSET_SMALL_SIZES);
        flinfo->fn_extra = follow;
    }
    if (follow->query != NULL &&
        DatumGetBool(
            DirectFunctionCall2(byteaeq, PointerGetDatum(follow->query), PointerGetDatum(query))))
        return follow;

    follow->query = NULL;
    follow->endings = NULL;
    MemoryContextReset(follow->context);
    caller = MemoryContextSwitchTo(follow->context);
    follow->source = text_to_cstring(query);
    follow->predicate = PaosQueryParse(follow->source);
    TakeNames(follow);
    follow->query = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(query));
    MemoryContextSwitchTo(caller);
    return follow;
}

static Ending *MakeEnding(const Follow *follow, const PaosAttribute *attribute)
{
    PaosRow row = {.desc = CreateTemplateTupleDesc(1), .target = attribute->target};
    Ending *ending = palloc(sizeof(Ending));

    TupleDescInitEntry(row.desc, 1, follow->last->text, attribute->type, attribute->typmod, 0);
    TupleDescInitEntryCollation(row.desc, 1, attribute->collation);
    ending->type = attribute->type;
    ending->typmod = attribute->typmod;
    ending->collation = attribute->collation;
    ending->target = attribute->target;
    ending->filter = PaosFilterMake(PaosQueryBind(follow->predicate, follow->source, &row),
                                    row.desc, &TTSOpsVirtual);
    return ending;
}

static PaosFilter *FilterFor(Follow *follow, const PaosAttribute *attribute)
{
    MemoryContext caller;
    Ending *ending;

    for (ending = follow->endings; ending != NULL; ending = ending->next)
        if (ending->type == attribute->type && ending->typmod == attribute->typmod &&
            ending->collation == attribute->collation && ending->target == attribute->target)
            return ending->filter;
    caller = MemoryContextSwitchTo(follow->context);
    ending = MakeEnding(follow, attribute);
    ending->next = follow->endings;
    follow->endings = ending;
    MemoryContextSwitchTo(caller);
    return ending->filter;
}

/* The reference that an attribute in the middle of a path holds; false when it is NULL. */
static bool NextRef(const Follow *follow, const PaosQueryNode *name, const PaosAttribute *attribute,
                    PaosRef *ref)
{
    Oid type = getBaseType(attribute->type);

    if (type != PaosRefTypeOid() && attribute->target == 0)
        PaosStepRefuse(follow->source, name, type);
    if (attribute->isnull)
        return false;
    if (attribute->target == 0)
        *ref = DatumGetPaosRef(attribute->value);
    else if (type == INT2OID)
        *ref = PaosRefMake(attribute->target, DatumGetInt16(attribute->value));
    else if (type == INT4OID)
        *ref = PaosRefMake(attribute->target, DatumGetInt32(attribute->value));
    else
        *ref = PaosRefMake(attribute->target, DatumGetInt64(attribute->value));
    return true;
}

/* Walks to the attribute at the end of the path; false where the path breaks off. */
static bool WalkPath(const Follow *follow, PaosRef ref, PaosAttribute *attribute)
{
    const PaosQueryNode *name;

    for (name = follow->names;; name = name->next)
    {
        PaosObjectAttribute(ref, name->text, attribute);
        if (!attribute->exists || !attribute->found)
            return false;
        if (name == follow->last)
            return true;
        if (!NextRef(follow, name, attribute, &ref))
            return false;
    }
}

/* What the predicate says of a value of no known type, which is NULL. */
static Datum AnswerForNull(const Follow *follow, FunctionCallInfo fcinfo)
{
    if (follow->predicate->tag == PAOS_QUERY_IS_NULL)
        PG_RETURN_BOOL(!follow->predicate->negated);
    PG_RETURN_NULL();
}

static Datum MatchPath(FunctionCallInfo fcinfo, text *query, bool isnull, PaosRef ref)
{
    Follow *follow = FollowOfCall(fcinfo->flinfo, query);
    PaosAttribute attribute;
    PaosFilter *filter;
    bool result;

    if (isnull || !WalkPath(follow, ref, &attribute))
        return AnswerForNull(follow, fcinfo);
    filter = FilterFor(follow, &attribute);
    ExecClearTuple(filter->slot);
    filter->slot->tts_values[0] = attribute.value;
    filter->slot->tts_isnull[0] = attribute.isnull;
    ExecStoreVirtualTuple(filter->slot);
    result = PaosFilterMatches(filter, &fcinfo->isnull);
    PG_RETURN_BOOL(result);
}

/* path_matches(ref, query) */
Datum paos_path_matches_ref(PG_FUNCTION_ARGS)
{
    if (PG_ARGISNULL(1))
        PG_RETURN_NULL();
    return MatchPath(fcinfo, PG_GETARG_TEXT_PP(1), PG_ARGISNULL(0),
                     PG_ARGISNULL(0) ? 0 : PG_GETARG_PAOS_REF(0));
}

/*
 * path_matches(class number, key, query), for a foreign key.  The number was
 * true when the query was bound: should it be no class's any more, say so.
 */
Datum paos_path_matches_key(PG_FUNCTION_ARGS)
{
    bool isnull = PG_ARGISNULL(0) || PG_ARGISNULL(1);
    PaosRef ref = 0;

    if (PG_ARGISNULL(2))
        PG_RETURN_NULL();
    if (!isnull)
        ref = PaosRefMake(PaosClassByNumber(PG_GETARG_INT32(0), false)->number, PG_GETARG_INT64(1));
    return MatchPath(fcinfo, PG_GETARG_TEXT_PP(2), isnull, ref);
}
