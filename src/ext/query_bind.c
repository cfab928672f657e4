/*
 * query_bind.c - gives a query its meaning for the rows of one type.
 *
 * The tree is turned into what the server's grammar would have made of the
 * same condition in SQL, and then goes through the server's parse analysis:
 * coercions, collations and complaints are PostgreSQL's own.  What is typed
 * already (an attribute, a ref, a path) stands in the raw expression as a
 * ParamRef, for which a hook gives the finished node.
 */
#include "query_int.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_clause.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static Node *RawCondition(PaosBinding *binding, const PaosQueryNode *node);

/* Puts a finished node into a raw expression. */
static Node *Hold(PaosBinding *binding, Node *node, int location)
{
    ParamRef *place = makeNode(ParamRef);

    binding->nodes = lappend(binding->nodes, node);
    place->number = list_length(binding->nodes);
    place->location = location;
    return (Node *) place;
}

static Node *HeldNode(ParseState *pstate, ParamRef *place)
{
    PaosBinding *binding = pstate->p_ref_hook_state;

    return list_nth(binding->nodes, place->number - 1);
}

static Node *RawConst(const PaosQueryNode *node)
{
    A_Const *constant = makeNode(A_Const);

    constant->location = node->location;
    switch (node->tag)
    {
        case PAOS_QUERY_STRING:
            constant->val.sval = *makeString(pstrdup(node->text));
            break;
        case PAOS_QUERY_NUMBER:
            constant->val.fval = *makeFloat(pstrdup(node->text));
            break;
        case PAOS_QUERY_BOOL:
            constant->val.boolval = *makeBoolean(node->truth);
            break;
        default:
            constant->isnull = true;
    }
    return (Node *) constant;
}

/* A ref is the bare key where a foreign key to its class is on the other side. */
static Node *RawRef(PaosBinding *binding, const PaosQueryNode *node, int target)
{
    Const *constant;

    if (target == 0)
    {
        constant = makeConst(PaosRefTypeOid(), -1, InvalidOid, sizeof(int64),
                             PaosRefGetDatum(node->ref), false, FLOAT8PASSBYVAL);
        constant->location = node->location;
        return Hold(binding, (Node *) constant, node->location);
    }
    if (target != PaosRefClass(node->ref))
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("foreign key refers to objects of class %d, not %d", target,
                       PaosRefClass(node->ref)),
                PaosQueryErrorPosition(binding->text, node->location));
    constant = makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
                         Int64GetDatum(PaosRefKey(node->ref)), false, FLOAT8PASSBYVAL);
    constant->location = node->location;
    return Hold(binding, (Node *) constant, node->location);
}

static Node *RawAttribute(PaosBinding *binding, const PaosQueryNode *path)
{
    AttrNumber number = PaosAttributeFind(binding, path->args);

    return Hold(binding, (Node *) PaosAttributeVar(binding->row, number, path->location),
                path->location);
}

void PaosParamRefuse(const PaosBinding *binding, const PaosQueryNode *param)
{
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_PARAMETER),
            errmsg("parameter $%d has no value", param->number),
            errhint("Give values to parameters with paos.bind()."),
            PaosQueryErrorPosition(binding->text, param->location));
}

static Node *RawOperand(PaosBinding *binding, const PaosQueryNode *node, int target)
{
    switch (node->tag)
    {
        case PAOS_QUERY_PATH:
            return RawAttribute(binding, node);
        case PAOS_QUERY_REF:
            return RawRef(binding, node, target);
        case PAOS_QUERY_PARAM:
            PaosParamRefuse(binding, node);
        default:
            return RawConst(node);
    }
}

/*
 * Type of an operand without its domain; InvalidOid for a literal whose type
 * does not choose the operator.
 */
static Oid OperandType(const PaosBinding *binding, const PaosQueryNode *node, int target)
{
    AttrNumber number;

    if (node->tag == PAOS_QUERY_REF && target == 0)
        return PaosRefTypeOid();
    if (node->tag != PAOS_QUERY_PATH)
        return InvalidOid;
    number = PaosAttributeFind(binding, node->args);
    return getBaseType(TupleDescAttr(binding->row->desc, number - 1)->atttypid);
}

/* Class of the foreign key that refs in this predicate are compared with, or 0. */
static int ForeignKeyTarget(const PaosBinding *binding, const PaosQueryNode *predicate)
{
    const PaosQueryNode *arg;
    const PaosQueryNode *path = NULL;
    bool refs = false;

    for (arg = predicate->args; arg != NULL; arg = arg->next)
    {
        if (arg->tag == PAOS_QUERY_PATH && path == NULL)
            path = arg;
        refs = refs || arg->tag == PAOS_QUERY_REF;
    }
    if (path == NULL || !refs)
        return 0;
    return PaosAttributeTarget(binding->row, PaosAttributeFind(binding, path->args));
}

static List *OperatorName(const PaosBinding *binding, const char *name,
                          const PaosQueryNode *predicate, int target)
{
    const PaosQueryNode *arg = predicate->args;
    Oid left = OperandType(binding, arg, target);
    Oid right = InvalidOid;

    for (arg = arg->next; arg != NULL && !OidIsValid(right); arg = arg->next)
        right = OperandType(binding, arg, target);
    return PaosOperatorName(name, left, right);
}

static List *RawOperands(PaosBinding *binding, const PaosQueryNode *predicate, int target)
{
    const PaosQueryNode *arg;
    List *operands = NIL;

    for (arg = predicate->args; arg != NULL; arg = arg->next)
        operands = lappend(operands, RawOperand(binding, arg, target));
    return operands;
}

static Node *RawNot(Node *condition, bool negated, int location)
{
    if (!negated)
        return condition;
    return (Node *) makeBoolExpr(NOT_EXPR, list_make1(condition), location);
}

static Node *RawOperator(PaosBinding *binding, const char *name, const PaosQueryNode *node)
{
    int target = ForeignKeyTarget(binding, node);
    List *operands = RawOperands(binding, node, target);

    return (Node *) makeA_Expr(AEXPR_OP, OperatorName(binding, name, node, target),
                               linitial(operands), lsecond(operands), node->location);
}

/* `a not in (…)` is `not (a in (…))`: the planner makes the first of the second. */
static Node *RawIn(PaosBinding *binding, const PaosQueryNode *node)
{
    int target = ForeignKeyTarget(binding, node);
    List *operands = RawOperands(binding, node, target);
    Node *left = linitial(operands);
    List *list = list_delete_first(operands);

    return (Node *) makeA_Expr(AEXPR_IN, OperatorName(binding, "=", node, target), left,
                               (Node *) list, node->location);
}

static Node *RawIsNull(PaosBinding *binding, const PaosQueryNode *node)
{
    NullTest *test = makeNode(NullTest);

    test->arg = (Expr *) RawOperand(binding, node->args, 0);
    test->nulltesttype = node->negated ? IS_NOT_NULL : IS_NULL;
    test->location = node->location;
    return (Node *) test;
}

/*
 * An element of an array literal.  Coercion is implicit, so that 1.7 does not
 * become an element 2; but small integers of the language are smallints too.
 */
static Node *ArrayElement(PaosBinding *binding, const PaosQueryNode *node, Oid type)
{
    Node *raw = RawOperand(binding, node, 0);
    Node *element = transformExpr(binding->pstate, raw, EXPR_KIND_WHERE);
    Oid from = exprType(element);
    CoercionContext context =
        from == INT4OID && type == INT2OID ? COERCION_ASSIGNMENT : COERCION_IMPLICIT;
    Node *result = coerce_to_target_type(binding->pstate, element, from, type, -1, context,
                                         COERCE_IMPLICIT_CAST, node->location);

    if (result == NULL)
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("the array has elements of type %s, not %s", format_type_be(type),
                       format_type_be(from)),
                PaosQueryErrorPosition(binding->text, node->location));
    return result;
}

static Node *RawArray(PaosBinding *binding, const PaosQueryNode *first, Oid array_type,
                      Oid element_type)
{
    ArrayExpr *array = makeNode(ArrayExpr);
    const PaosQueryNode *node;

    array->array_typeid = array_type;
    array->element_typeid = element_type;
    array->location = first->location;
    for (node = first; node != NULL; node = node->next)
        array->elements = lappend(array->elements, ArrayElement(binding, node, element_type));
    return Hold(binding, (Node *) array, first->location);
}

/*
 * `array contains x`, where x is one element or several.  What else has an
 * operator @>, another array attribute included, takes just one operand.
 */
static Node *RawContains(PaosBinding *binding, const PaosQueryNode *node)
{
    const PaosQueryNode *right = node->args->next;
    Oid type = OperandType(binding, node->args, 0);
    Oid element_type = OidIsValid(type) ? get_element_type(type) : InvalidOid;
    Oid right_type = OperandType(binding, right, 0);

    if (OidIsValid(element_type) &&
        !(OidIsValid(right_type) && OidIsValid(get_element_type(right_type))))
        return (Node *) makeA_Expr(AEXPR_OP, PaosOperatorName("@>", type, type),
                                   RawOperand(binding, node->args, 0),
                                   RawArray(binding, right, type, element_type), node->location);
    if (right->next != NULL)
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("only an array can contain a list"),
                PaosQueryErrorPosition(binding->text, node->args->location));
    return RawOperator(binding, "@>", node);
}

static const char *SqlOperator(PaosQueryOp op)
{
    static const char *const names[] = {
        [PAOS_QUERY_EQ] = "=",  [PAOS_QUERY_NE] = "<>", [PAOS_QUERY_LT] = "<",
        [PAOS_QUERY_LE] = "<=", [PAOS_QUERY_GT] = ">",  [PAOS_QUERY_GE] = ">=",
    };

    return names[op];
}

static Node *RawPredicate(PaosBinding *binding, const PaosQueryNode *node)
{
    const PaosQueryNode *path = PaosPathFind(node);

    if (path != NULL)
        return Hold(binding, PaosPathBind(binding, node, path), node->location);
    switch (node->tag)
    {
        case PAOS_QUERY_COMPARE:
            return RawOperator(binding, SqlOperator(node->op), node);
        case PAOS_QUERY_LIKE:
            return RawNot(RawOperator(binding, "~~", node), node->negated, node->location);
        case PAOS_QUERY_IN:
            return RawNot(RawIn(binding, node), node->negated, node->location);
        case PAOS_QUERY_CONTAINS:
            return RawContains(binding, node);
        case PAOS_QUERY_IS_NULL:
            return RawIsNull(binding, node);
        default:
            return RawOperand(binding, node, 0);
    }
}

static Node *RawJoined(PaosBinding *binding, BoolExprType type, const PaosQueryNode *node)
{
    const PaosQueryNode *arg;
    List *args = NIL;

    for (arg = node->args; arg != NULL; arg = arg->next)
        args = lappend(args, RawCondition(binding, arg));
    return (Node *) makeBoolExpr(type, args, node->location);
}

static Node *RawCondition(PaosBinding *binding, const PaosQueryNode *node)
{
    check_stack_depth();
    switch (node->tag)
    {
        case PAOS_QUERY_ALL:
            return Hold(binding, makeBoolConst(true, false), -1);
        case PAOS_QUERY_OR:
            return RawJoined(binding, OR_EXPR, node);
        case PAOS_QUERY_AND:
            return RawJoined(binding, AND_EXPR, node);
        case PAOS_QUERY_NOT:
            return RawJoined(binding, NOT_EXPR, node);
        default:
            return RawPredicate(binding, node);
    }
}

/* The parser counts in the query, not in the statement that the client sent. */
static void ShowQuery(void *arg)
{
    const char *text = arg;
    int position = geterrposition();

    if (position > 0)
    {
        errposition(0);
        internalerrposition(position);
        internalerrquery(text);
        return;
    }
    if (getinternalerrposition() == 0)
        errcontext("query \"%s\"", text);
}

Node *PaosBindCondition(const PaosQueryNode *tree, const char *text, const PaosRow *row)
{
    PaosBinding binding = {.text = text, .row = row, .pstate = make_parsestate(NULL)};
    Node *condition;

    binding.pstate->p_sourcetext = text;
    binding.pstate->p_paramref_hook = HeldNode;
    binding.pstate->p_ref_hook_state = &binding;
    condition = transformWhereClause(binding.pstate, RawCondition(&binding, tree), EXPR_KIND_WHERE,
                                     "query");
    assign_expr_collations(binding.pstate, condition);
    free_parsestate(binding.pstate);
    return condition;
}

Expr *PaosQueryBind(const PaosQueryNode *tree, const char *text, const PaosRow *row)
{
    ErrorContextCallback context = {
        .previous = error_context_stack, .callback = ShowQuery, .arg = unconstify(char *, text)};
    Node *condition;

    error_context_stack = &context;
    condition = PaosBindCondition(tree, text, row);
    error_context_stack = context.previous;
    return (Expr *) condition;
}
