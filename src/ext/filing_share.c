/*
 * filing_share.c - which part of a class's rows a filing finds.
 *
 * Only an order among the parts of an `and` is wanted, so what the statistics
 * say of the number of values is enough, and the planner's defaults without.
 */
#include "filing.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#define TWO_SIDED_SHARE 0.02

/* Rows of a table as last counted; at least one. */
static double RowsOf(Oid relid)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
    double rows;

    if (!HeapTupleIsValid(tuple))
        return 1;
    rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
    ReleaseSysCache(tuple);
    return Max(rows, 1);
}

/* Statistics of the table with its subclasses, where there are any. */
static HeapTuple StatisticsOf(Form_pg_attribute attribute)
{
    Datum relid = ObjectIdGetDatum(attribute->attrelid);
    Datum number = Int16GetDatum(attribute->attnum);
    HeapTuple tuple = SearchSysCache3(STATRELATTINH, relid, number, BoolGetDatum(true));

    if (HeapTupleIsValid(tuple))
        return tuple;
    return SearchSysCache3(STATRELATTINH, relid, number, BoolGetDatum(false));
}

/* How many values an attribute has; 0: nobody has counted. */
static double ValuesOf(Form_pg_attribute attribute, double *nulls)
{
    HeapTuple tuple = StatisticsOf(attribute);
    Form_pg_statistic statistics;
    double values;

    *nulls = 0.1;
    if (!HeapTupleIsValid(tuple))
        return attribute->atttypid == BOOLOID ? 2 : 0;
    statistics = (Form_pg_statistic) GETSTRUCT(tuple);
    *nulls = statistics->stanullfrac;
    values = statistics->stadistinct;
    ReleaseSysCache(tuple);
    return values < 0 ? -values * RowsOf(attribute->attrelid) : values;
}

static bool IsOneValue(const PaosFiling *filing)
{
    return filing->kind == PAOS_FILE_EQUAL || filing->equal_bounds;
}

double PaosFilingShare(const PaosFiling *filing, TupleDesc desc)
{
    double nulls;
    double values;

    if (filing->kind == PAOS_FILE_REST)
        return 1;
    values = ValuesOf(TupleDescAttr(desc, filing->attribute - 1), &nulls);
    if (filing->kind == PAOS_FILE_NULL)
        return nulls;
    if (IsOneValue(filing))
        return 1 / (values > 0 ? values : DEFAULT_NUM_DISTINCT);
    return filing->has_low && filing->has_high ? TWO_SIDED_SHARE : DEFAULT_INEQ_SEL;
}
