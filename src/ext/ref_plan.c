/*
 * ref_plan.c - planner support for paos.ref(row).
 *
 * A row of a subclass that is read through its parent has the parent's type by
 * the time a function sees it.  While the row is still a variable of the
 * planner's, paos.ref(row) is replaced by paos.ref(tableoid, key), which knows
 * the real class and builds no row.
 */
#include "paos.h"

#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "parser/parse_coerce.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(paos_ref_support);

/* The table that a variable belongs to, at whatever query level; NULL when it is not a table's. */
static RangeTblEntry *TableOf(PlannerInfo *root, const Var *var)
{
    Index level;
    RangeTblEntry *entry;

    for (level = 0; root != NULL && level < var->varlevelsup; level++)
        root = root->parent_root;
    if (root == NULL || var->varno < 1 || var->varno > (int) list_length(root->parse->rtable))
        return NULL;
    entry = rt_fetch(var->varno, root->parse->rtable);
    if (entry->rtekind != RTE_RELATION ||
        (entry->relkind != RELKIND_RELATION && entry->relkind != RELKIND_PARTITIONED_TABLE))
        return NULL;
    return entry;
}

static Node *RefExpression(const Var *row, Oid relid)
{
    const PaosClass *class = PaosClassByRelation(relid, true);
    Oid types[] = {REGCLASSOID, INT8OID};
    Var *table;
    Var *key;
    Oid function;

    if (class == NULL || class->relid != relid)
        return NULL;
    table = makeVar(row->varno, TableOidAttributeNumber, OIDOID, -1, InvalidOid, row->varlevelsup);
    key = makeVar(row->varno, class->key, class->keytype, -1, InvalidOid, row->varlevelsup);
    function = LookupFuncName(list_make2(makeString("paos"), makeString("ref")), 2, types, false);
    return (Node *) makeFuncExpr(
        function, PaosRefTypeOid(),
        list_make2(
            makeRelabelType((Expr *) table, REGCLASSOID, -1, InvalidOid, COERCE_IMPLICIT_CAST),
            coerce_to_target_type(NULL, (Node *) key, key->vartype, INT8OID, -1, COERCION_EXPLICIT,
                                  COERCE_IMPLICIT_CAST, -1)),
        InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

Datum paos_ref_support(PG_FUNCTION_ARGS)
{
    Node *node = (Node *) PG_GETARG_POINTER(0);
    SupportRequestSimplify *request = (SupportRequestSimplify *) node;
    RangeTblEntry *entry;
    Var *row;

    if (!IsA(node, SupportRequestSimplify))
        PG_RETURN_POINTER(NULL);
    row = linitial(request->fcall->args);
    if (!IsA(row, Var) || row->varattno != InvalidAttrNumber)
        PG_RETURN_POINTER(NULL);
    entry = TableOf(request->root, row);
    if (entry == NULL)
        PG_RETURN_POINTER(NULL);
    PG_RETURN_POINTER(RefExpression(row, entry->relid));
}
