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

/* In the area: the header, the text with its terminator, the names. */
typedef struct Stored
{
    Oid relid;
    int32 n;
    int32 names; /* where they are */
    char text[FLEXIBLE_ARRAY_MEMBER];
} Stored;

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

dsa_pointer PaosBoundStore(dsa_area *area, const char *text, int class)
{
    Oid relid = PaosClassTable(class);
    List *names = OidIsValid(relid) ? FirstNames(PaosQueryParse(text)) : NIL;
    Size start = MAXALIGN(offsetof(Stored, text) + strlen(text) + 1);
    dsa_pointer place = dsa_allocate(area, start + list_length(names) * sizeof(PaosBoundName));
    Stored *stored = dsa_get_address(area, place);
    PaosBoundName *meanings = (PaosBoundName *) ((char *) stored + start);
    ListCell *cell;

    stored->relid = relid;
    stored->n = list_length(names);
    stored->names = start;
    strcpy(stored->text, text);
    foreach (cell, names)
        meanings[foreach_current_index(cell)] =
            Meaning(relid, ((PaosQueryNode *) lfirst(cell))->text);
    return place;
}

PaosBound *PaosBoundCopy(dsa_area *area, dsa_pointer place)
{
    const Stored *stored = dsa_get_address(area, place);
    PaosBound *bound = palloc(sizeof(PaosBound));
    PaosBoundName *names = palloc(Max(stored->n, 1) * sizeof(PaosBoundName));

    memcpy(names, (const char *) stored + stored->names, stored->n * sizeof(PaosBoundName));
    bound->relid = stored->relid;
    bound->n = stored->n;
    bound->text = pstrdup(stored->text);
    bound->names = names;
    return bound;
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
