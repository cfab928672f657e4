/*
 * explain.c - paos.explain: how a request would be filed, and why an object matches.
 *
 * What is shown is what subscribing would do, privileges included.  The truth of
 * an object is that of each part of the query by itself, in the caller's eyes: a
 * part that is NULL satisfies nothing, and neither does its negation.
 */
#include "filing.h"
#include "query.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_explain);

/* Filings beyond this are counted, not shown. */
#define FILINGS_SHOWN 10

typedef struct Explanation
{
    const PaosClass *class;
    const char *text; /* of the query */
    PaosRow row;
    ReturnSetInfo *result;
} Explanation;

static void PutLine(const Explanation *explanation, const char *format, ...)
    pg_attribute_printf(2, 3);

static void PutLine(const Explanation *explanation, const char *format, ...)
{
    StringInfoData line;
    Datum value;
    bool isnull = false;
    int needed;

    initStringInfo(&line);
    for (;;)
    {
        va_list args;

        va_start(args, format);
        needed = appendStringInfoVA(&line, format, args);
        va_end(args);
        if (needed == 0)
            break;
        enlargeStringInfo(&line, needed);
    }
    value = CStringGetTextDatum(line.data);
    tuplestore_putvalues(explanation->result->setResult, explanation->result->setDesc, &value,
                         &isnull);
}

/* ---- filings ---- */

static const char *ConstantText(const PaosFiling *filing, Datum value)
{
    Oid type = filing->type == ANYENUMOID ? getBaseType(filing->attribute_type) : filing->type;
    Oid output;
    bool is_varlena;
    char *text;
    char category;
    bool preferred;

    getTypeOutputInfo(type, &output, &is_varlena);
    text = OidOutputFunctionCall(output, value);
    get_type_category_preferred(type, &category, &preferred);
    if (category == TYPCATEGORY_BOOLEAN)
        return DatumGetBool(value) ? "true" : "false";
    return category == TYPCATEGORY_NUMERIC ? text : quote_literal_cstr(text);
}

static char *RangeText(const PaosFiling *filing, const char *name)
{
    const char *low = filing->low_inclusive ? ">=" : ">";
    const char *high = filing->high_inclusive ? "<=" : "<";

    if (filing->equal_bounds)
        return psprintf("%s == %s", name, ConstantText(filing, filing->low));
    if (!filing->has_high)
        return psprintf("%s %s %s", name, low, ConstantText(filing, filing->low));
    if (!filing->has_low)
        return psprintf("%s %s %s", name, high, ConstantText(filing, filing->high));
    return psprintf("%s %s %s and %s %s %s", name, low, ConstantText(filing, filing->low), name,
                    high, ConstantText(filing, filing->high));
}

static const char *FilingText(const Explanation *explanation, const PaosFiling *filing)
{
    Form_pg_attribute attribute;
    const char *name;

    if (filing->kind == PAOS_FILE_REST)
        return "every object";
    attribute = TupleDescAttr(explanation->row.desc, filing->attribute - 1);
    name = NameStr(attribute->attname);
    if (filing->kind == PAOS_FILE_NULL)
        return psprintf("%s is null", name);
    if (filing->kind == PAOS_FILE_EQUAL)
        return psprintf("%s == %s", name, ConstantText(filing, filing->low));
    return RangeText(filing, name);
}

static const char *IndexText(const PaosFiling *filing)
{
    switch (filing->kind)
    {
        case PAOS_FILE_EQUAL:
            return "by hash";
        case PAOS_FILE_RANGE:
            return "by order";
        default:
            return "in a list";
    }
}

static void ExplainFiling(const Explanation *explanation, const PaosFiling *filing)
{
    PaosShared *shared = PaosSharedGet(false);
    double share = PaosFilingShare(filing, explanation->row.desc);
    uint32 others = shared == NULL ? 0 : PaosIndexCount(shared, explanation->class->number, filing);

    PutLine(explanation, "filed %s: %s (%u others like it)", IndexText(filing),
            FilingText(explanation, filing), others);
    PutLine(explanation, "  finds about %.3g%% of the objects written; %s", share * 100,
            filing->exact ? filing->also == NIL ? "each matches" : "each is compared with the rest"
                          : "each is evaluated");
}

static void ExplainFilings(const Explanation *explanation, List *filings)
{
    ListCell *cell;

    if (filings == NIL)
        PutLine(explanation, "not filed: no object can match");
    foreach (cell, filings)
    {
        if (foreach_current_index(cell) == FILINGS_SHOWN)
        {
            PutLine(explanation, "filed in %d more places", list_length(filings) - FILINGS_SHOWN);
            return;
        }
        ExplainFiling(explanation, lfirst(cell));
    }
}

/* What other objects' changes mean to a query that follows references. */
static void ExplainPaths(const Explanation *explanation, const PaosQueryNode *tree)
{
    ListCell *cell;

    foreach (cell, PaosPathSteps(tree, explanation->row.relid, GetUserId()))
    {
        const PaosPathStep *step = lfirst(cell);
        const PaosFiling *filing = step->filings == NIL ? NULL : linitial(step->filings);

        if (filing != NULL)
            PutLine(explanation, "told to look again when \"%s\" of %s changes%s", step->name,
                    PaosTableName(step->relid),
                    filing->kind == PAOS_FILE_REST ? "" : " from or to what is asked for");
    }
}

/* ---- objects ---- */

/* The object as a row of the class, under the caller's privileges; false: not seen. */
static bool FetchRow(const Explanation *explanation, PaosRef object, HeapTuple tuple)
{
    const PaosClass *class = explanation->class;
    Oid types[] = {INT8OID, PaosRefTypeOid()};
    Datum args[] = {Int64GetDatum(PaosRefKey(object)), PaosRefGetDatum(object)};
    char *statement =
        psprintf("SELECT p FROM %s p WHERE p.%s OPERATOR(pg_catalog.=) $1 AND paos.ref(p) "
                 "OPERATOR(paos.=) $2",
                 PaosTableName(class->relid), quote_identifier(NameStr(class->keyname)));
    Datum value;
    bool isnull;
    bool found;

    SPI_connect();
    SPI_execute_with_args(statement, lengthof(types), types, args, NULL, true, 1);
    found = SPI_processed > 0;
    if (found)
    {
        value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
        value = SPI_datumTransfer(value, false, -1);
    }
    SPI_finish();
    if (!found)
        return false;
    /* A short one is unpacked here: not sooner, into memory of SPI's. */
    tuple->t_data = DatumGetHeapTupleHeader(value);
    tuple->t_len = HeapTupleHeaderGetDatumLength(tuple->t_data);
    ItemPointerSetInvalid(&tuple->t_self);
    tuple->t_tableOid = InvalidOid;
    return true;
}

static const char *TruthOf(const Explanation *explanation, const PaosQueryNode *node,
                           HeapTuple tuple)
{
    Expr *condition = PaosQueryBind(node, explanation->text, &explanation->row);
    PaosFilter *filter = PaosFilterMake(condition, explanation->row.desc, &TTSOpsHeapTuple);
    bool isnull;
    bool truth;

    ExecStoreHeapTuple(tuple, filter->slot, false);
    truth = PaosFilterMatches(filter, &isnull);
    ExecDropSingleTupleTableSlot(filter->slot);
    FreeExprContext(filter->econtext, true);
    if (isnull)
        return "null ";
    return truth ? "true " : "false";
}

/* A part of the query, and under it the parts that it consists of. */
static void ExplainTruth(const Explanation *explanation, const PaosQueryNode *node, HeapTuple tuple,
                         int depth)
{
    const PaosQueryNode *arg;

    check_stack_depth();
    PutLine(explanation, "%*s%s  %s", depth * 2, "", TruthOf(explanation, node, tuple),
            node->tag == PAOS_QUERY_ALL ? "every object" : PaosQueryPrint(node));
    if (node->tag != PAOS_QUERY_OR && node->tag != PAOS_QUERY_AND && node->tag != PAOS_QUERY_NOT)
        return;
    for (arg = node->args; arg != NULL; arg = arg->next)
        ExplainTruth(explanation, arg, tuple, depth + 1);
}

static void ExplainObject(const Explanation *explanation, const PaosQueryNode *tree, PaosRef object)
{
    HeapTupleData tuple;
    char text[PAOS_REF_TEXT_SIZE];

    PaosRefPrint(object, text);
    if (!FetchRow(explanation, object, &tuple))
    {
        PutLine(explanation, "object %s: not in the class, or not visible", text);
        return;
    }
    PutLine(explanation, "object %s:", text);
    ExplainTruth(explanation, tree, &tuple, 1);
}

/* paos.explain(class regclass, query paos.query, object paos.ref) */
Datum paos_explain(PG_FUNCTION_ARGS)
{
    Explanation explanation = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
    PaosClass class;
    PaosQueryNode *tree;
    Relation relation;
    Expr *condition;

    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("class and query must not be null"));
    class = *PaosClassByRelation(PG_GETARG_OID(0), false);
    explanation.class = &class;
    explanation.text = text_to_cstring(PG_GETARG_TEXT_PP(1));
    explanation.row.relid = class.relid;
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);

    tree = PaosQueryParse(explanation.text);
    relation = relation_open(class.relid, AccessShareLock);
    explanation.row.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
    relation_close(relation, NoLock);
    condition = PaosQueryBind(tree, explanation.text, &explanation.row);
    PaosPrivilegesCheck(class.relid, condition);

    ExplainFilings(&explanation, PaosFile(expression_planner(condition), explanation.row.desc));
    ExplainPaths(&explanation, tree);
    if (!PG_ARGISNULL(2))
        ExplainObject(&explanation, tree, PG_GETARG_PAOS_REF(2));
    return (Datum) 0;
}
