/*
 * query_print.c - the canonical text of a query.
 *
 * Parsing the text gives the same tree again, whatever attribute names and
 * strings hold: this text is what the type paos.query stores.
 */
#include "query.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

static void PrintCondition(StringInfo out, const PaosQueryNode *node);

static const char *OperatorText(PaosQueryOp op)
{
    static const char *const texts[] = {
        [PAOS_QUERY_EQ] = "==", [PAOS_QUERY_NE] = "!=", [PAOS_QUERY_LT] = "<",
        [PAOS_QUERY_LE] = "<=", [PAOS_QUERY_GT] = ">",  [PAOS_QUERY_GE] = ">=",
    };

    return texts[op];
}

static void PrintQuoted(StringInfo out, const char *text, char quote)
{
    appendStringInfoChar(out, quote);
    for (; *text != '\0'; text++)
    {
        if (*text == quote)
            appendStringInfoChar(out, quote);
        appendStringInfoChar(out, *text);
    }
    appendStringInfoChar(out, quote);
}

/* Would the scanner read the bare name as itself, under any locale's folding? */
static bool NameIsPlain(const char *name)
{
    const char *p;

    if (!(*name == '_' || (*name >= 'a' && *name <= 'z')))
        return false;
    for (p = name; *p != '\0'; p++)
        if (!(*p == '_' || *p == '$' || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
            return false;
    return !PaosQueryIsKeyword(name);
}

static void PrintPath(StringInfo out, const PaosQueryNode *path)
{
    const PaosQueryNode *name;

    for (name = path->args; name != NULL; name = name->next)
    {
        if (name != path->args)
            appendStringInfoChar(out, '.');
        if (NameIsPlain(name->text))
            appendStringInfoString(out, name->text);
        else
            PrintQuoted(out, name->text, '`');
    }
}

static void PrintOperand(StringInfo out, const PaosQueryNode *node)
{
    switch (node->tag)
    {
        case PAOS_QUERY_PATH:
            PrintPath(out, node);
            break;
        case PAOS_QUERY_STRING:
            PrintQuoted(out, node->text, '\'');
            break;
        case PAOS_QUERY_NUMBER:
            appendStringInfoString(out, node->text);
            break;
        case PAOS_QUERY_REF:
            appendStringInfo(out, "%d:%lld", (int) (node->ref >> 48),
                             (long long) (node->ref & ((INT64CONST(1) << 48) - 1)));
            break;
        case PAOS_QUERY_BOOL:
            appendStringInfoString(out, node->truth ? "true" : "false");
            break;
        case PAOS_QUERY_NULL:
            appendStringInfoString(out, "null");
            break;
        case PAOS_QUERY_PARAM:
            appendStringInfo(out, "$%d", node->number);
            break;
        default:
            elog(ERROR, "unexpected query node %d", (int) node->tag);
    }
}

static void PrintList(StringInfo out, const PaosQueryNode *first)
{
    const PaosQueryNode *node;

    appendStringInfoChar(out, '(');
    for (node = first; node != NULL; node = node->next)
    {
        if (node != first)
            appendStringInfoString(out, ", ");
        PrintOperand(out, node);
    }
    appendStringInfoChar(out, ')');
}

/* Prints a condition on operands. */
static void PrintPredicate(StringInfo out, const PaosQueryNode *node)
{
    const PaosQueryNode *right = node->args == NULL ? NULL : node->args->next;

    if (node->tag >= PAOS_QUERY_PATH)
    {
        PrintOperand(out, node);
        return;
    }
    PrintOperand(out, node->args);
    switch (node->tag)
    {
        case PAOS_QUERY_COMPARE:
            appendStringInfo(out, " %s ", OperatorText(node->op));
            PrintOperand(out, right);
            break;
        case PAOS_QUERY_LIKE:
            appendStringInfoString(out, node->negated ? " not like " : " like ");
            PrintOperand(out, right);
            break;
        case PAOS_QUERY_IN:
            appendStringInfoString(out, node->negated ? " not in " : " in ");
            PrintList(out, right);
            break;
        case PAOS_QUERY_CONTAINS:
            appendStringInfoString(out, " contains ");
            if (right->next == NULL)
                PrintOperand(out, right);
            else
                PrintList(out, right);
            break;
        case PAOS_QUERY_IS_NULL:
            appendStringInfoString(out, node->negated ? " is not null" : " is null");
            break;
        default:
            elog(ERROR, "unexpected query node %d", (int) node->tag);
    }
}

/* The tags of conditions of conditions are in the order of their precedence. */
static void PrintArg(StringInfo out, const PaosQueryNode *parent, const PaosQueryNode *arg)
{
    bool parentheses = arg->tag < parent->tag;

    if (parentheses)
        appendStringInfoChar(out, '(');
    PrintCondition(out, arg);
    if (parentheses)
        appendStringInfoChar(out, ')');
}

static void PrintJoined(StringInfo out, const PaosQueryNode *node, const char *word)
{
    const PaosQueryNode *arg;

    for (arg = node->args; arg != NULL; arg = arg->next)
    {
        if (arg != node->args)
            appendStringInfoString(out, word);
        PrintArg(out, node, arg);
    }
}

static void PrintCondition(StringInfo out, const PaosQueryNode *node)
{
    check_stack_depth();
    switch (node->tag)
    {
        case PAOS_QUERY_ALL:
            break;
        case PAOS_QUERY_OR:
            PrintJoined(out, node, " or ");
            break;
        case PAOS_QUERY_AND:
            PrintJoined(out, node, " and ");
            break;
        case PAOS_QUERY_NOT:
            appendStringInfoString(out, "not ");
            PrintArg(out, node, node->args);
            break;
        default:
            PrintPredicate(out, node);
    }
}

char *PaosQueryPrint(const PaosQueryNode *tree)
{
    StringInfoData out;

    initStringInfo(&out);
    PrintCondition(&out, tree);
    return out.data;
}
