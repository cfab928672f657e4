/*
 * query_attribute.c - the attributes of a row type, as queries name them.
 *
 * System columns are no attributes: a query is about what an object holds.
 */
#include "query_int.h"

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/* A name further away than this is no misspelling. */
#define HINT_DISTANCE 3

static AttrNumber FindByName(TupleDesc desc, const char *name)
{
    int i;

    for (i = 0; i < desc->natts; i++)
    {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);

        if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
            return attribute->attnum;
    }
    return InvalidAttrNumber;
}

/* The attribute that may have been meant, or NULL. */
static const char *ClosestName(TupleDesc desc, const char *name)
{
    int length = strlen(name);
    int distance = Min(HINT_DISTANCE, length / 2);
    const char *closest = NULL;
    int i;

    for (i = 0; i < desc->natts; i++)
    {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);
        const char *other = NameStr(attribute->attname);
        int d;

        if (attribute->attisdropped)
            continue;
        d = varstr_levenshtein_less_equal(name, length, other, strlen(other), 1, 1, 1, distance,
                                          true);
        if (d > distance)
            continue;
        closest = other;
        distance = d - 1;
    }
    return closest;
}

AttrNumber PaosAttributeFind(const PaosBinding *binding, const PaosQueryNode *name)
{
    TupleDesc desc = binding->row->desc;
    AttrNumber number = FindByName(desc, name->text);
    const char *closest;

    if (number != InvalidAttrNumber)
        return number;
    closest = ClosestName(desc, name->text);
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
            errmsg("attribute \"%s\" does not exist", name->text),
            closest == NULL ? 0 : errhint("Perhaps you meant \"%s\".", closest),
            PaosQueryErrorPosition(binding->text, name->location));
}

Var *PaosAttributeVar(const PaosRow *row, AttrNumber number, int location)
{
    Form_pg_attribute attribute = TupleDescAttr(row->desc, number - 1);
    Var *var =
        makeVar(1, number, attribute->atttypid, attribute->atttypmod, attribute->attcollation, 0);

    var->location = location;
    return var;
}

/* Class that a foreign key on the attribute refers to, or 0. */
int PaosAttributeTarget(const PaosRow *row, AttrNumber number)
{
    Oid type = getBaseType(TupleDescAttr(row->desc, number - 1)->atttypid);
    Relation relation;
    char kind;
    int target;

    if (type != INT2OID && type != INT4OID && type != INT8OID)
        return 0;
    if (!OidIsValid(row->relid))
        return number == 1 ? row->target : 0;
    kind = get_rel_relkind(row->relid);
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
        return 0;
    relation = PaosRelationPeek(row->relid);
    target = PaosColumnTarget(relation, number);
    RelationClose(relation);
    return target;
}
