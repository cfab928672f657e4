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
#include "catalog/pg_attribute.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

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
