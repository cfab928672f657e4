/*
 * query_path.c - binds a predicate on a path, such as `loves.name == 'Sue'`.
 *
 * The first step is a reference held by the row; what follows it is itself a
 * query, `name == 'Sue'`, on the object referred to.  It becomes a constant
 * argument of paos.path_matches (query_follow.c).  What a foreign key refers
 * to is known here, so the rest is bound for its complaints; what a paos.ref
 * refers to is known only for each object.
 */
#include "query_int.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

const PaosQueryNode *PaosPathFind(const PaosQueryNode *predicate)
{
    const PaosQueryNode *arg;

    if (predicate->tag == PAOS_QUERY_PATH)
        return predicate->args->next != NULL ? predicate : NULL;
    for (arg = predicate->args; arg != NULL; arg = arg->next)
        if (arg->tag == PAOS_QUERY_PATH && arg->args->next != NULL)
            return arg;
    return NULL;
}

/* All operands but the path must be known without a row. */
static void CheckOperands(const PaosBinding *binding, const PaosQueryNode *predicate,
                          const PaosQueryNode *path)
{
    const PaosQueryNode *arg;

    if (predicate == path)
        return;
    for (arg = predicate->args; arg != NULL; arg = arg->next)
    {
        if (arg->tag == PAOS_QUERY_PARAM)
            PaosParamRefuse(binding, arg);
        if (arg->tag == PAOS_QUERY_PATH && arg != path)
            ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("a path cannot be compared with an attribute"),
                    errhint("Compare it with a literal, or write a join in SQL."),
                    PaosQueryErrorPosition(binding->text, arg->location));
    }
}

/* The predicate without the first step of its path. */
static PaosQueryNode *RestOf(const PaosQueryNode *predicate)
{
    PaosQueryNode *rest = PaosQueryNodeCopy(predicate);
    PaosQueryNode *path = unconstify(PaosQueryNode *, PaosPathFind(rest));

    path->args = path->args->next;
    path->location = path->args->location;
    return rest;
}

void PaosStepRefuse(const char *text, const PaosQueryNode *name, Oid type)
{
    if (get_element_type(type) == PaosRefTypeOid())
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("a path cannot lead through the array \"%s\"", name->text),
                errhint("Ask for a reference in it with \"contains\"."),
                PaosQueryErrorPosition(text, name->location));
    ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
            errmsg("attribute \"%s\" is not a reference", name->text),
            errdetail("Its type is %s.", format_type_be(type)),
            PaosQueryErrorPosition(text, name->location));
}

static void CheckNamesExist(const PaosBinding *binding, const PaosQueryNode *name)
{
    for (; name != NULL; name = name->next)
        if (!PaosAttributeExists(name->text))
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("no class has an attribute \"%s\"", name->text),
                    PaosQueryErrorPosition(binding->text, name->location));
}

static void CheckAgainstClass(const PaosBinding *binding, const PaosQueryNode *rest, int number)
{
    const PaosClass *class = PaosClassByNumber(number, false);
    Relation relation = PaosRelationPeek(class->relid);
    PaosRow row = {.desc = RelationGetDescr(relation), .relid = RelationGetRelid(relation)};

    PaosBindCondition(rest, binding->text, &row);
    RelationClose(relation);
}

static Const *QueryConst(const PaosQueryNode *query)
{
    return makeConst(PaosQueryTypeOid(), -1, InvalidOid, -1,
                     CStringGetTextDatum(PaosQueryPrint(query)), false, false);
}

static Node *CallPathMatches(List *args, int nargs, const Oid *types)
{
    List *name = list_make2(makeString("paos"), makeString("path_matches"));

    return (Node *) makeFuncExpr(LookupFuncName(name, nargs, types, false), BOOLOID, args,
                                 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

static Node *ThroughRef(const PaosBinding *binding, Var *ref, const PaosQueryNode *rest,
                        const PaosQueryNode *names)
{
    Oid types[] = {PaosRefTypeOid(), PaosQueryTypeOid()};
    Node *arg = coerce_to_target_type(binding->pstate, (Node *) ref, ref->vartype, types[0], -1,
                                      COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1);

    CheckNamesExist(binding, names);
    return CallPathMatches(list_make2(arg, QueryConst(rest)), lengthof(types), types);
}

static Node *ThroughForeignKey(const PaosBinding *binding, Var *key, int target,
                               const PaosQueryNode *rest)
{
    Oid types[] = {INT4OID, INT8OID, PaosQueryTypeOid()};
    Const *class =
        makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(target), false, true);
    Node *arg = coerce_to_target_type(binding->pstate, (Node *) key, key->vartype, INT8OID, -1,
                                      COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1);

    CheckAgainstClass(binding, rest, target);
    return CallPathMatches(list_make3(class, arg, QueryConst(rest)), lengthof(types), types);
}

Node *PaosPathBind(const PaosBinding *binding, const PaosQueryNode *predicate,
                   const PaosQueryNode *path)
{
    const PaosQueryNode *step = path->args;
    AttrNumber number = PaosAttributeFind(binding, step);
    Var *var = PaosAttributeVar(binding->row, number, step->location);
    Oid type = getBaseType(var->vartype);
    PaosQueryNode *rest;
    int target;

    CheckOperands(binding, predicate, path);
    rest = RestOf(predicate);
    if (type == PaosRefTypeOid())
        return ThroughRef(binding, var, rest, step->next);
    target = PaosAttributeTarget(binding->row, number);
    if (target == 0)
        PaosStepRefuse(binding->text, step, type);
    return ThroughForeignKey(binding, var, target, rest);
}
