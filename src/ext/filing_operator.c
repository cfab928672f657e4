/*
 * filing_operator.c - the index that serves an operator, and its bounds.
 *
 * Values are compared under locks, where no catalogue should be read and no
 * code of users run.  So only operators of plain types count, whose functions
 * are in C and give the same answer to every session; what compares arrays,
 * rows, or ranges calls other types' functions and is filed as REST.
 */
#include "filing.h"

#include "access/hash.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "catalog/pg_am.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

const Var *PaosFiledVar(const Node *node)
{
    const Var *var;

    while (node != NULL && IsA(node, RelabelType))
        node = (const Node *) ((const RelabelType *) node)->arg;
    if (node == NULL || !IsA(node, Var))
        return NULL;
    var = (const Var *) node;
    return var->varattno > 0 && var->varlevelsup == 0 ? var : NULL;
}

static bool IsPlainFunction(Oid function)
{
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    Form_pg_proc form;
    bool plain;

    if (!HeapTupleIsValid(tuple))
        return false;
    form = (Form_pg_proc) GETSTRUCT(tuple);
    plain = (form->prolang == INTERNALlanguageId || form->prolang == ClanguageId) &&
            form->provolatile == PROVOLATILE_IMMUTABLE;
    ReleaseSysCache(tuple);
    return plain;
}

static bool HasPlainFunction(Oid opfamily, Oid left, Oid right, int number)
{
    Oid function = get_opfamily_proc(opfamily, left, right, number);

    return OidIsValid(function) && IsPlainFunction(function);
}

/* Enums are equal when their bytes are, but their order is in a catalogue. */
static bool IsPlainType(Oid type, PaosFilingKind kind)
{
    if (type == ANYENUMOID)
        return kind == PAOS_FILE_EQUAL;
    return get_typtype(type) != TYPTYPE_PSEUDO;
}

static bool IsHash(Oid opfamily, Oid left, Oid right, int number)
{
    return HasPlainFunction(opfamily, left, left, number) &&
           HasPlainFunction(opfamily, right, right, number);
}

/* Can the member of an opfamily serve?  Fills in a filing if so. */
static bool IsHashMember(Form_pg_amop member, PaosFiling *out)
{
    Oid opfamily = member->amopfamily;
    Oid left = member->amoplefttype;
    Oid right = member->amoprighttype;

    if (member->amopmethod != HASH_AM_OID || !IsPlainType(left, PAOS_FILE_EQUAL) ||
        !IsPlainType(right, PAOS_FILE_EQUAL) ||
        !(IsHash(opfamily, left, right, HASHEXTENDED_PROC) ||
          IsHash(opfamily, left, right, HASHSTANDARD_PROC)))
        return false;
    out->kind = PAOS_FILE_EQUAL;
    out->equal = member->amopopr;
    return true;
}

static void SetBounds(PaosFiling *range, StrategyNumber strategy)
{
    range->has_low = strategy >= BTEqualStrategyNumber;
    range->has_high = strategy <= BTEqualStrategyNumber;
    range->low_inclusive = range->has_low && strategy != BTGreaterStrategyNumber;
    range->high_inclusive = range->has_high && strategy != BTLessStrategyNumber;
    range->equal_bounds = strategy == BTEqualStrategyNumber;
}

static bool IsOrderMember(Form_pg_amop member, PaosFiling *out)
{
    Oid opfamily = member->amopfamily;
    Oid left = member->amoplefttype;
    Oid right = member->amoprighttype;

    if (member->amopmethod != BTREE_AM_OID || member->amoppurpose != AMOP_SEARCH ||
        !IsPlainType(left, PAOS_FILE_RANGE) || !IsPlainType(right, PAOS_FILE_RANGE) ||
        !HasPlainFunction(opfamily, left, right, BTORDER_PROC) ||
        !HasPlainFunction(opfamily, right, right, BTORDER_PROC))
        return false;
    out->kind = PAOS_FILE_RANGE;
    out->equal = InvalidOid;
    SetBounds(out, member->amopstrategy);
    return true;
}

/* Looks among the opfamilies of an operator for one that can serve. */
static bool FindMember(Oid opno, bool (*is_member)(Form_pg_amop, PaosFiling *), PaosFiling *out)
{
    CatCList *members = SearchSysCacheList1(AMOPOPID, ObjectIdGetDatum(opno));
    bool found = false;
    int i;

    for (i = 0; i < members->n_members && !found; i++)
    {
        Form_pg_amop member = (Form_pg_amop) GETSTRUCT(&members->members[i]->tuple);

        found = is_member(member, out);
        out->opfamily = member->amopfamily;
        out->left_type = member->amoplefttype;
        out->type = member->amoprighttype;
    }
    ReleaseSysCacheList(members);
    return found;
}

static Datum Detoasted(Datum value, Oid type)
{
    return get_typlen(type) == -1 ? PointerGetDatum(PG_DETOAST_DATUM(value)) : value;
}

bool PaosFileComparison(Oid opno, Oid collation, const Node *attribute, Datum constant,
                        TupleDesc desc, PaosFiling *out)
{
    const Var *var = PaosFiledVar(attribute);
    Oid function = get_opcode(opno);
    PaosFiling filing = {.exact = true, .collation = collation};

    if (var == NULL || !IsPlainFunction(function) || !func_strict(function) ||
        !(FindMember(opno, IsHashMember, &filing) || FindMember(opno, IsOrderMember, &filing)))
        return false;
    filing.attribute = var->varattno;
    filing.attribute_type = TupleDescAttr(desc, var->varattno - 1)->atttypid;
    constant = Detoasted(constant, filing.type);
    if (filing.kind == PAOS_FILE_EQUAL || filing.has_low)
        filing.low = constant;
    if (filing.kind == PAOS_FILE_RANGE && filing.has_high)
        filing.high = constant;
    *out = filing;
    return true;
}

/* ---- ranges ---- */

bool PaosFilingSameIndex(const PaosFiling *a, const PaosFiling *b)
{
    return a->kind == b->kind && a->attribute == b->attribute && a->opfamily == b->opfamily &&
           a->left_type == b->left_type && a->type == b->type && a->collation == b->collation;
}

static int CompareBounds(const PaosFiling *range, Datum a, Datum b)
{
    Oid function = get_opfamily_proc(range->opfamily, range->type, range->type, BTORDER_PROC);

    return DatumGetInt32(OidFunctionCall2Coll(function, range->collation, a, b));
}

static void RaiseLow(PaosFiling *range, const PaosFiling *other)
{
    int order = range->has_low && other->has_low ? CompareBounds(range, range->low, other->low) : 0;

    if (!other->has_low || order > 0)
        return;
    range->low_inclusive =
        other->low_inclusive && (!range->has_low || order < 0 || range->low_inclusive);
    range->has_low = true;
    range->low = other->low;
}

static void LowerHigh(PaosFiling *range, const PaosFiling *other)
{
    int order =
        range->has_high && other->has_high ? CompareBounds(range, range->high, other->high) : 0;

    if (!other->has_high || order < 0)
        return;
    range->high_inclusive =
        other->high_inclusive && (!range->has_high || order > 0 || range->high_inclusive);
    range->has_high = true;
    range->high = other->high;
}

bool PaosFilingIntersect(PaosFiling *range, const PaosFiling *other)
{
    int order;

    RaiseLow(range, other);
    LowerHigh(range, other);
    if (!range->has_low || !range->has_high)
        return true;
    order = CompareBounds(range, range->low, range->high);
    range->equal_bounds = order == 0;
    return order < 0 || (order == 0 && range->low_inclusive && range->high_inclusive);
}
