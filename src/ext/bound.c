/*
 * bound.c - a request's query as it is kept: what its names stood for.
 *
 * Names change, and a name may come to mean another attribute; the number of an
 * attribute is its own for ever.  So behind the text of a query there is, for each
 * path in it, the attribute that its first name stood for.  Names further down a
 * path belong to objects of any class and are looked up each time.
 */
#include "reshape.h"
#include "query.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(paos_query_bound);
PG_FUNCTION_INFO_V1(paos_query_present);

/* The first names of all paths, in the order of the text. */
static void CollectFirstNames(PaosQueryNode *node, List **names)
{
    PaosQueryNode *arg;

    if (node->tag == PAOS_QUERY_PATH)
    {
        *names = lappend(*names, node->args);
        return;
    }
    for (arg = node->args; arg != NULL; arg = arg->next)
        CollectFirstNames(arg, names);
}

static List *FirstNames(PaosQueryNode *tree)
{
    List *names = NIL;

    CollectFirstNames(tree, &names);
    return names;
}

static PaosBoundName Meaning(Oid relid, const char *name)
{
    PaosBoundName bound = {0};
    HeapTuple tuple = SearchSysCacheAttName(relid, name);
    Form_pg_attribute attribute;

    if (!HeapTupleIsValid(tuple))
        return bound;
    attribute = (Form_pg_attribute) GETSTRUCT(tuple);
    if (attribute->attnum > 0)
        bound = (PaosBoundName){attribute->attnum, attribute->atttypid, attribute->attcollation};
    ReleaseSysCache(tuple);
    return bound;
}

dsa_pointer PaosBoundStore(const char *text, int class)
{
    PaosBound bound = {.relid = PaosClassTable(class), .text = text};
    List *names = OidIsValid(bound.relid) ? FirstNames(PaosQueryParse(text)) : NIL;
    PaosBoundName *meanings = palloc0(Max(list_length(names), 1) * sizeof(PaosBoundName));
    ListCell *cell;

    foreach (cell, names)
        meanings[bound.n++] = Meaning(bound.relid, ((PaosQueryNode *) lfirst(cell))->text);
    bound.names = meanings;
    return PaosBoundKeep(PaosSharedAttached(), &bound);
}

/* What has become of one attribute; *name is its present name, when it has one. */
static PaosBoundChange Look(Oid relid, const PaosBoundName *bound, char **name)
{
    HeapTuple tuple = SearchSysCacheAttNum(relid, bound->number);
    PaosBoundChange change = PAOS_BOUND_SAME;
    Form_pg_attribute attribute;

    if (!HeapTupleIsValid(tuple))
        return PAOS_BOUND_DROPPED;
    attribute = (Form_pg_attribute) GETSTRUCT(tuple);
    *name = pstrdup(NameStr(attribute->attname));
    if (attribute->atttypid != bound->type || attribute->attcollation != bound->collation)
        change = PAOS_BOUND_RETYPED;
    ReleaseSysCache(tuple);
    return change;
}

/* Gives the tree the present names; *dropped is the name of an attribute that is gone. */
static PaosBoundChange Rename(const PaosBound *bound, PaosQueryNode *tree, const char **dropped)
{
    PaosBoundChange result = PAOS_BOUND_SAME;
    ListCell *cell;

    foreach (cell, FirstNames(tree))
    {
        PaosQueryNode *node = lfirst(cell);
        char *name = NULL;
        PaosBoundChange change;

        if (foreach_current_index(cell) >= bound->n ||
            bound->names[foreach_current_index(cell)].number == InvalidAttrNumber)
            continue;
        change = Look(bound->relid, &bound->names[foreach_current_index(cell)], &name);
        if (change == PAOS_BOUND_DROPPED && dropped != NULL)
            *dropped = node->text;
        else if (change == PAOS_BOUND_SAME && strcmp(name, node->text) != 0)
            change = PAOS_BOUND_RENAMED;
        if (name != NULL)
            node->text = name;
        result = Max(result, change);
    }
    return result;
}

PaosBoundChange PaosBoundLook(const PaosBound *bound, const char **dropped)
{
    return Rename(bound, PaosQueryParse(bound->text), dropped);
}

char *PaosBoundText(const PaosBound *bound)
{
    PaosQueryNode *tree = PaosQueryParse(bound->text);

    Rename(bound, tree, NULL);
    return PaosQueryPrint(tree);
}

/* ---- in the hands of a client, for when its session is gone ---- */

/* Numbers of attributes mean nothing but for one table, in one database of one cluster. */
enum
{
    OF_CLUSTER,
    OF_DATABASE,
    OF_TABLE,
    OF_NAMES
};

static void PutPlace(int64 *to, Oid relid)
{
    to[OF_CLUSTER] = (int64) GetSystemIdentifier();
    to[OF_DATABASE] = MyDatabaseId;
    to[OF_TABLE] = relid;
}

/* paos.query_bound(class regclass, query paos.query) */
Datum paos_query_bound(PG_FUNCTION_ARGS)
{
    Oid relid = PG_GETARG_OID(0);
    List *names = FirstNames(PaosQueryParse(text_to_cstring(PG_GETARG_TEXT_PP(1))));
    int64 *numbers = palloc((OF_NAMES + list_length(names)) * sizeof(int64));
    Datum *values = palloc((OF_NAMES + list_length(names)) * sizeof(Datum));
    int n = OF_NAMES;
    ListCell *cell;
    int i;

    PutPlace(numbers, relid);
    foreach (cell, names)
        numbers[n++] = Meaning(relid, ((PaosQueryNode *) lfirst(cell))->text).number;
    for (i = 0; i < n; i++)
        values[i] = Int64GetDatum(numbers[i]);
    PG_RETURN_ARRAYTYPE_P(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, 'd'));
}

/* The names' meaning out of an array, when it is one of this table. */
static bool IsOf(ArrayType *array, PaosBound *bound)
{
    int64 here[OF_NAMES];
    PaosBoundName *names;
    const int64 *numbers = (const int64 *) ARR_DATA_PTR(array);
    int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) - OF_NAMES;
    int i;

    PutPlace(here, bound->relid);
    if (n < 0 || ARR_HASNULL(array) || memcmp(numbers, here, sizeof(here)) != 0)
        return false;
    names = palloc0((n + 1) * sizeof(PaosBoundName));
    for (i = 0; i < n; i++)
        if (numbers[OF_NAMES + i] > 0 && numbers[OF_NAMES + i] <= MaxAttrNumber)
            names[i].number = (AttrNumber) numbers[OF_NAMES + i];
    bound->names = names;
    bound->n = n;
    return true;
}

/* paos.query_present(class regclass, query paos.query, bound bigint[]) */
Datum paos_query_present(PG_FUNCTION_ARGS)
{
    PaosBound bound = {.relid = PG_GETARG_OID(0), .text = text_to_cstring(PG_GETARG_TEXT_PP(1))};

    if (!IsOf(PG_GETARG_ARRAYTYPE_P(2), &bound))
        PG_RETURN_DATUM(PG_GETARG_DATUM(1));
    PG_RETURN_TEXT_P(cstring_to_text(PaosBoundText(&bound)));
}
