/*
 * query_fuzz.c - feeds the query language anything.
 *
 * Whatever is accepted has a canonical text, which is accepted again and gives
 * the same tree and the same text.
 */
/* The scanner last: its macros have the names of the grammar's variables. */
#include "query_tree.c"
#include "query_print.c"
#include "query_gram.c"
#include "query_scan.c"

#include "fake_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Case
{
    char *text;
    bool printed; /* the text was accepted, and has been printed */
} Case;

static bool SameText(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool SameTree(const PaosQueryNode *a, const PaosQueryNode *b)
{
    if (a->tag != b->tag || a->op != b->op || a->negated != b->negated || a->truth != b->truth ||
        a->ref != b->ref || a->number != b->number || !SameText(a->text, b->text))
        return false;
    for (a = a->args, b = b->args; a != NULL && b != NULL; a = a->next, b = b->next)
        if (!SameTree(a, b))
            return false;
    return a == b;
}

static void RoundTrip(void *arg)
{
    Case *input = arg;
    PaosQueryNode *tree = PaosQueryParse(input->text);
    char *printed = PaosQueryPrint(tree);
    PaosQueryNode *copy = PaosQueryNodeCopy(tree);
    PaosQueryNode *again;

    input->printed = true;
    again = PaosQueryParse(printed);
    if (!SameTree(tree, again) || !SameTree(tree, copy))
        abort();
    if (strcmp(printed, PaosQueryPrint(again)) != 0)
        abort();
    input->printed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Case input = {.text = malloc(size + 1)};

    memcpy(input.text, data, size);
    input.text[size] = '\0';
    if (!FakeServerRun(RoundTrip, &input) && input.printed)
        abort();
    free(input.text);
    return 0;
}
