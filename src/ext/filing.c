/*
 * filing.c - how a bound condition is filed in the predicate index.
 *
 * Whatever is filed must find every row that satisfies the condition; that it
 * finds others too only costs time.  A row for which the condition is NULL does
 * not satisfy it, so what can only be false or NULL is as good as false.
 */
#include "filing.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

static PaosWay WayOf(Node *condition, TupleDesc desc);

static const PaosWay nothing = {NIL, 0};

static PaosWay One(const PaosFiling *filing, TupleDesc desc)
{
    PaosWay way = {.share = PaosFilingShare(filing, desc)};
    PaosFiling *copy = palloc(sizeof(PaosFiling));

    *copy = *filing;
    way.filings = list_make1(copy);
    return way;
}

/* Every row is a candidate; exact: and satisfies the condition. */
static PaosWay Rest(bool exact)
{
    PaosFiling filing = {.kind = PAOS_FILE_REST, .exact = exact};

    return One(&filing, NULL);
}

static bool IsRest(const PaosWay *way)
{
    return way->filings != NIL && ((PaosFiling *) linitial(way->filings))->kind == PAOS_FILE_REST;
}

/* ---- predicates ---- */

static PaosWay WayOfConst(const Const *constant)
{
    if (constant->constisnull || !DatumGetBool(constant->constvalue))
        return nothing;
    return Rest(true);
}

static PaosWay WayOfComparison(Oid opno, Oid collation, const Node *attribute,
                               const Const *constant, TupleDesc desc)
{
    PaosFiling filing;

    if (!OidIsValid(opno) || constant->constisnull ||
        !PaosFileComparison(opno, collation, attribute, constant->constvalue, desc, &filing))
        return Rest(false);
    return One(&filing, desc);
}

static PaosWay WayOfOperator(const OpExpr *expr, TupleDesc desc)
{
    Node *left = linitial(expr->args);
    Node *right;

    if (list_length(expr->args) != 2)
        return Rest(false);
    right = lsecond(expr->args);
    if (IsA(right, Const))
        return WayOfComparison(expr->opno, expr->inputcollid, left, (Const *) right, desc);
    if (IsA(left, Const))
        return WayOfComparison(get_commutator(expr->opno), expr->inputcollid, right, (Const *) left,
                               desc);
    return Rest(false);
}

/* `attribute in (…)`: an entry for each constant; NULL is equal to nothing. */
static PaosWay WayOfList(const ScalarArrayOpExpr *expr, const Const *list, TupleDesc desc)
{
    ArrayType *array = DatumGetArrayTypeP(list->constvalue);
    PaosWay way = nothing;
    Datum *values;
    bool *nulls;
    int n;
    int i;
    int16 length;
    bool by_value;
    char align;

    get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
    deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values, &nulls, &n);
    for (i = 0; i < n; i++)
    {
        PaosFiling filing;
        PaosWay one;

        if (nulls[i])
            continue;
        if (!PaosFileComparison(expr->opno, expr->inputcollid, linitial(expr->args), values[i],
                                desc, &filing))
            return Rest(false);
        one = One(&filing, desc);
        way.filings = list_concat(way.filings, one.filings);
        way.share += one.share;
    }
    return way;
}

static PaosWay WayOfArray(const ScalarArrayOpExpr *expr, TupleDesc desc)
{
    const Const *list = lsecond(expr->args);

    if (!expr->useOr || !IsA(list, Const) || list->constisnull)
        return Rest(false);
    return WayOfList(expr, list, desc);
}

static PaosWay WayOfBoolean(const Node *attribute, bool truth, TupleDesc desc)
{
    PaosFiling filing;

    if (!PaosFileComparison(BooleanEqualOperator, InvalidOid, attribute, BoolGetDatum(truth), desc,
                            &filing))
        return Rest(false);
    return One(&filing, desc);
}

static PaosWay WayOfNullTest(const NullTest *test, TupleDesc desc)
{
    const Var *var = PaosFiledVar((Node *) test->arg);
    PaosFiling filing = {.kind = PAOS_FILE_NULL, .exact = true};

    if (test->nulltesttype != IS_NULL || test->argisrow || var == NULL)
        return Rest(false);
    filing.attribute = var->varattno;
    filing.attribute_type = TupleDescAttr(desc, var->varattno - 1)->atttypid;
    return One(&filing, desc);
}

/* ---- conditions of conditions ---- */

static PaosFiling *RangeOf(const PaosWay *way)
{
    PaosFiling *filing = list_length(way->filings) == 1 ? linitial(way->filings) : NULL;

    return filing != NULL && filing->kind == PAOS_FILE_RANGE && filing->exact ? filing : NULL;
}

/*
 * Makes one of two ranges on the same attribute; false: they are not that.  Either may be what
 * is left of an `or`, and have more to compare.
 */
static bool Intersect(PaosWay *way, const PaosWay *other, TupleDesc desc)
{
    PaosFiling *range = RangeOf(way);
    const PaosFiling *second = RangeOf(other);

    if (range == NULL || second == NULL || !PaosFilingSameIndex(range, second))
        return false;
    range->also = list_concat_copy(range->also, second->also);
    *way = PaosFilingIntersect(range, second) ? One(range, desc) : nothing;
    return true;
}

/* Puts a part of an `and` among those that have no range in common with it. */
static void AddPart(List **parts, const PaosWay *part, TupleDesc desc)
{
    ListCell *cell;
    PaosWay *copy;

    foreach (cell, *parts)
    {
        if (Intersect(lfirst(cell), part, desc))
            return;
    }
    copy = palloc(sizeof(PaosWay));
    *copy = *part;
    *parts = lappend(*parts, copy);
}

/* What can be compared with a row as it is filed: one exact filing. */
static bool IsComparable(const PaosWay *part)
{
    const PaosFiling *filing = part->filings == NIL ? NULL : linitial(part->filings);

    return list_length(part->filings) == 1 && filing->exact && filing->kind != PAOS_FILE_REST &&
           filing->also == NIL;
}

/*
 * The part that finds the fewest rows finds all that satisfy the whole.  The
 * others are compared with what is found, as far as they can be.
 */
static PaosWay Best(List *parts)
{
    List *also = NIL;
    bool all = true;
    PaosWay *best = linitial(parts);
    ListCell *cell;

    foreach (cell, parts)
    {
        PaosWay *part = lfirst(cell);

        if (part->share < best->share || (IsRest(best) && !IsRest(part)))
            best = part;
    }
    if (list_length(parts) == 1 || best->filings == NIL)
        return *best;
    foreach (cell, parts)
    {
        PaosWay *part = lfirst(cell);

        if (part != best && IsComparable(part))
            also = lappend(also, linitial(part->filings));
        else if (part != best)
            all = false;
    }
    foreach (cell, best->filings)
    {
        PaosFiling *filing = lfirst(cell);

        filing->exact = filing->exact && all;
        filing->also = list_concat_copy(filing->also, also);
    }
    return *best;
}

static PaosWay WayOfAnd(List *args, TupleDesc desc)
{
    List *parts = NIL;
    ListCell *cell;

    foreach (cell, args)
    {
        PaosWay part = WayOf(lfirst(cell), desc);

        if (part.filings == NIL)
            return nothing;
        AddPart(&parts, &part, desc);
    }
    return Best(parts);
}

static PaosWay WayOfOr(List *args, TupleDesc desc)
{
    PaosWay way = nothing;
    ListCell *cell;

    foreach (cell, args)
    {
        PaosWay branch = WayOf(lfirst(cell), desc);

        if (IsRest(&branch))
            return Rest(false);
        way.filings = list_concat(way.filings, branch.filings);
        way.share += branch.share;
    }
    return way;
}

static PaosWay WayOfBoolExpr(const BoolExpr *expr, TupleDesc desc)
{
    switch (expr->boolop)
    {
        case AND_EXPR:
            return WayOfAnd(expr->args, desc);
        case OR_EXPR:
            return WayOfOr(expr->args, desc);
        default:
            return WayOfBoolean(linitial(expr->args), false, desc);
    }
}

static PaosWay WayOf(Node *condition, TupleDesc desc)
{
    check_stack_depth();
    switch (nodeTag(condition))
    {
        case T_Const:
            return WayOfConst((Const *) condition);
        case T_BoolExpr:
            return WayOfBoolExpr((BoolExpr *) condition, desc);
        case T_OpExpr:
            return WayOfOperator((OpExpr *) condition, desc);
        case T_ScalarArrayOpExpr:
            return WayOfArray((ScalarArrayOpExpr *) condition, desc);
        case T_NullTest:
            return WayOfNullTest((NullTest *) condition, desc);
        default:
            return WayOfBoolean(condition, true, desc);
    }
}

List *PaosFile(Expr *condition, TupleDesc desc)
{
    Node *folded = eval_const_expressions(NULL, (Node *) condition);

    return WayOf((Node *) canonicalize_qual((Expr *) folded, false), desc).filings;
}
