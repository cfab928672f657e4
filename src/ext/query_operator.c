/*
 * query_operator.c - which operator a word of the language means for a type.
 *
 * Found by type, never by search_path: whoever puts an operator into a schema
 * of the caller's path must not change what a query means.  A type of an
 * extension or a user brings its own: those of its default operator class, or
 * those that came with its extension.  All else is in pg_catalog.
 */
#include "query_int.h"

#include "access/stratnum.h"
#include "catalog/dependency.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static int StrategyOf(const char *name)
{
    static const char *const names[] = {
        [BTLessStrategyNumber] = "<",    [BTLessEqualStrategyNumber] = "<=",
        [BTEqualStrategyNumber] = "=",   [BTGreaterEqualStrategyNumber] = ">=",
        [BTGreaterStrategyNumber] = ">",
    };
    int i;

    for (i = BTLessStrategyNumber; i <= BTMaxStrategyNumber; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return InvalidStrategy;
}

/* Comparison of the type's default operator class, or InvalidOid. */
static Oid ClassOperator(const char *name, Oid type)
{
    TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_EQ_OPR);
    int strategy = StrategyOf(name);

    if (strategy == BTEqualStrategyNumber)
        return entry->eq_opr;
    if (strcmp(name, "<>") == 0)
        return OidIsValid(entry->eq_opr) ? get_negator(entry->eq_opr) : InvalidOid;
    if (strategy == InvalidStrategy || !OidIsValid(entry->btree_opf))
        return InvalidOid;
    return get_opfamily_member(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
                               strategy);
}

/* Operator of this name for this type that came with the type's extension, or InvalidOid. */
static Oid ExtensionOperator(const char *name, Oid type)
{
    Oid extension = getExtensionOfObject(TypeRelationId, type);
    Oid found = InvalidOid;
    CatCList *list;
    int i;

    if (!OidIsValid(extension))
        return InvalidOid;
    list = SearchSysCacheList1(OPERNAMENSP, CStringGetDatum(name));
    for (i = 0; i < list->n_members && !OidIsValid(found); i++)
    {
        Form_pg_operator form = (Form_pg_operator) GETSTRUCT(&list->members[i]->tuple);

        if (form->oprleft == type &&
            getExtensionOfObject(OperatorRelationId, form->oid) == extension)
            found = form->oid;
    }
    ReleaseSysCacheList(list);
    return found;
}

/* Name of the type's own operator with its schema; NIL when it is one of pg_catalog. */
static List *OwnName(const char *name, Oid type)
{
    Oid operator;
    HeapTuple tuple;
    Form_pg_operator form;
    List *result = NIL;

    if (!OidIsValid(type))
        return NIL;
    operator= ClassOperator(name, type);
    if (!OidIsValid(operator))
        operator= ExtensionOperator(name, type);
    if (!OidIsValid(operator))
        return NIL;
    tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for operator %u", operator);
    form = (Form_pg_operator) GETSTRUCT(tuple);
    if (form->oprnamespace != PG_CATALOG_NAMESPACE)
        result = list_make2(makeString(get_namespace_name(form->oprnamespace)),
                            makeString(pstrdup(NameStr(form->oprname))));
    ReleaseSysCache(tuple);
    return result;
}

/* The qualified name of an operator; a type of InvalidOid is that of a literal. */
List *PaosOperatorName(const char *name, Oid left, Oid right)
{
    List *own = OwnName(name, left);

    if (own == NIL)
        own = OwnName(name, right);
    if (own != NIL)
        return own;
    return list_make2(makeString("pg_catalog"), makeString(pstrdup(name)));
}
