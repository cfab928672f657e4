/*
 * query_settle.c - literals that mean something else to another session.
 *
 * How a date or an interval is read depends on DateStyle, IntervalStyle and TimeZone.
 * A request is evaluated by whoever writes, so what its subscriber meant is written out
 * in a way that every session reads alike.  Words such as 'now' stay words: a durable
 * request that is subscribed again with the same query must stay the same.
 */
#include "query.h"
#include "request.h"

#include "nodes/nodeFuncs.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

typedef struct Settling
{
    PaosQueryNode *tree;
    bool changed;
} Settling;

static bool IsOfTime(Oid type)
{
    Oid element = get_element_type(type);
    Oid part = OidIsValid(element) ? element : get_range_subtype(type);
    char category;
    bool preferred;

    get_type_category_preferred(OidIsValid(part) ? part : type, &category, &preferred);
    return category == TYPCATEGORY_DATETIME || category == TYPCATEGORY_TIMESPAN;
}

static PaosQueryNode *FindString(PaosQueryNode *node, int location)
{
    PaosQueryNode *arg;
    PaosQueryNode *found = NULL;

    if (node->tag == PAOS_QUERY_STRING && node->location == location)
        return node;
    for (arg = node->args; arg != NULL && found == NULL; arg = arg->next)
        found = FindString(arg, location);
    return found;
}

static void WriteOut(const Const *constant, Settling *settling)
{
    PaosQueryNode *node = FindString(settling->tree, constant->location);
    Oid function;
    bool varlena;
    char *text;

    if (node == NULL || strpbrk(node->text, "0123456789") == NULL)
        return;
    getTypeOutputInfo(constant->consttype, &function, &varlena);
    text = OidOutputFunctionCall(function, constant->constvalue);
    settling->changed = settling->changed || strcmp(text, node->text) != 0;
    node->text = text;
}

static bool Walk(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, Const) && !((const Const *) node)->constisnull &&
        IsOfTime(((const Const *) node)->consttype))
        WriteOut((const Const *) node, context);
    return expression_tree_walker(node, Walk, context);
}

static void Set(const char *name, const char *value)
{
    (void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                             false);
}

char *PaosQuerySettle(const char *text, Expr *condition)
{
    Settling settling = {.tree = PaosQueryParse(text)};
    int settings = NewGUCNestLevel();

    Set("DateStyle", "ISO, YMD");
    Set("IntervalStyle", "iso_8601");
    Set("TimeZone", "UTC");
    Walk((Node *) condition, &settling);
    AtEOXact_GUC(false, settings);
    return settling.changed ? PaosQueryPrint(settling.tree) : pstrdup(text);
}
