/*
 * query_tree.c - a query as a tree of nodes, and from text to tree.
 *
 * Args hang in a list by their `next`: a node may stand in one place of one
 * tree only, and is copied to stand in another.
 */
#include "query.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

PaosQueryNode *PaosQueryNodeMake(PaosQueryTag tag, int location)
{
    PaosQueryNode *node = palloc0(sizeof(PaosQueryNode));

    node->tag = tag;
    node->location = location;
    return node;
}

/* Appends an arg and those that follow it. */
PaosQueryNode *PaosQueryNodeAppend(PaosQueryNode *parent, PaosQueryNode *arg)
{
    if (parent->last == NULL)
        parent->args = arg;
    else
        parent->last->next = arg;
    while (arg->next != NULL)
        arg = arg->next;
    parent->last = arg;
    return parent;
}

/* Copies a node with all under it, but not what follows it. */
PaosQueryNode *PaosQueryNodeCopy(const PaosQueryNode *node)
{
    PaosQueryNode *copy = palloc(sizeof(PaosQueryNode));
    const PaosQueryNode *arg;

    check_stack_depth();
    *copy = *node;
    copy->next = copy->args = copy->last = NULL;
    for (arg = node->args; arg != NULL; arg = arg->next)
        PaosQueryNodeAppend(copy, PaosQueryNodeCopy(arg));
    return copy;
}

/*
 * Joins conditions by AND or OR.  Those joined by the same word already become
 * one node, so that the tree of a long chain is flat.
 */
PaosQueryNode *PaosQueryJoin(PaosQueryTag tag, PaosQueryNode *left, PaosQueryNode *right)
{
    PaosQueryNode *node = left;

    if (left->tag != tag)
        node = PaosQueryNodeAppend(PaosQueryNodeMake(tag, left->location), left);
    return PaosQueryNodeAppend(node, right->tag == tag ? right->args : right);
}

/* Inside ereport: shows the place in the text of a query. */
int PaosQueryErrorPosition(const char *text, int location)
{
    if (location < 0)
        return 0;
    internalerrquery(text);
    return internalerrposition(pg_mbstrlen_with_len(text, location) + 1);
}

/* Complains about the last token. */
void PaosQuerySyntaxError(const PaosQueryScan *scan, int code, const char *message)
{
    int length = scan->position - scan->location;

    if (scan->text[scan->location] == '\0')
        ereport(ERROR, errcode(code), errmsg("%s at end of query", message),
                PaosQueryErrorPosition(scan->text, scan->location));
    ereport(ERROR, errcode(code),
            errmsg("%s at or near \"%.*s\"", message, length, scan->text + scan->location),
            PaosQueryErrorPosition(scan->text, scan->location));
}

PaosQueryNode *PaosQueryParse(const char *text)
{
    PaosQueryScan scan = {0};

    scan.text = text;
    PaosQueryScanBegin(&scan);
    paos_query_yyparse(&scan);
    PaosQueryScanEnd(&scan);
    return scan.result;
}
