/*
 * plan.c - planner support for @@: a query becomes ordinary conditions.
 *
 * `row @@ query` with a constant query becomes conditions on the row's columns,
 * so that indexes, statistics and partition pruning serve it.  A row is a
 * whole-row Var, or a RowExpr where a view or subquery was pulled up.
 */
#include "paos.h"
#include "query.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(paos_query_support);

/* The condition on the row type's columns as Vars of varno 1, or NULL for an anonymous type. */
static Node *BindConst(const Const *query, Oid row_type)
{
    char *source = TextDatumGetCString(query->constvalue);
    PaosRow row = {.relid = get_typ_typrelid(row_type)};

    if (!OidIsValid(row.relid))
        return NULL;
    row.desc = lookup_rowtype_tupdesc_copy(row_type, -1);
    return (Node *) PaosQueryBind(PaosQueryParse(source), source, &row);
}

static Node *OnWholeRow(const Var *var, const Const *query)
{
    Node *condition = BindConst(query, var->vartype);

    if (condition == NULL)
        return NULL;
    ChangeVarNodes(condition, 1, var->varno, 0);
    if (var->varlevelsup > 0)
        IncrementVarSublevelsUp(condition, var->varlevelsup, 0);
    return condition;
}

/* Puts the row's expressions in the place of its columns. */
static Node *ReplaceColumns(Node *node, void *context)
{
    List *columns = ((RowExpr *) context)->args;

    if (node == NULL)
        return NULL;
    if (!IsA(node, Var))
        return expression_tree_mutator(node, ReplaceColumns, context);
    if (((Var *) node)->varattno > list_length(columns))
        return (Node *) makeNullConst(exprType(node), exprTypmod(node), exprCollation(node));
    return copyObject(list_nth(columns, ((Var *) node)->varattno - 1));
}

/* A column may now be evaluated more or less often than before, so not if it is volatile. */
static Node *OnRowExpr(RowExpr *row, const Const *query)
{
    Node *condition;

    if (row->row_typeid == RECORDOID)
        return NULL;
    condition = BindConst(query, row->row_typeid);
    if (condition == NULL)
        return NULL;
    condition = ReplaceColumns(condition, row);
    return contain_volatile_functions(condition) ? NULL : condition;
}

/*
 * What a support function returns is not looked at again by the folding of
 * constants that called it, so that is done here: `f = 0.1` needs it to use an
 * index, as the literal is a numeric.
 */
static Node *SimplifyMatch(const SupportRequestSimplify *request)
{
    Node *row = linitial(request->fcall->args);
    Node *query = lsecond(request->fcall->args);
    Node *condition = NULL;

    if (!IsA(query, Const))
        return NULL;
    if (((Const *) query)->constisnull)
        return makeBoolConst(false, true);
    if (IsA(row, Var) && ((Var *) row)->varattno == InvalidAttrNumber)
        condition = OnWholeRow((Var *) row, (Const *) query);
    else if (IsA(row, RowExpr))
        condition = OnRowExpr((RowExpr *) row, (Const *) query);
    if (condition == NULL)
        return NULL;
    return eval_const_expressions(request->root, condition);
}

Datum paos_query_support(PG_FUNCTION_ARGS)
{
    Node *request = (Node *) PG_GETARG_POINTER(0);

    if (!IsA(request, SupportRequestSimplify))
        PG_RETURN_POINTER(NULL);
    PG_RETURN_POINTER(SimplifyMatch((SupportRequestSimplify *) request));
}
