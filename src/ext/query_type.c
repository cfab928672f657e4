/*
 * query_type.c - the type paos.query.
 *
 * A value holds the canonical text and nothing else, laid out as text is: what
 * was stored years ago needs no more than the grammar to be read, and text's
 * own functions serve for output and comparison (see sql/paos.sql).
 */
#include "paos.h"
#include "query.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(paos_query_in);
PG_FUNCTION_INFO_V1(paos_query_recv);

/*
 * A client shows the place of a literal in its own statement and hides the
 * place in the query behind it, so that the latter is told in words too.
 */
static void ShowPosition(void *arg)
{
    int position = getinternalerrposition();

    (void) arg;
    if (position > 0)
        errcontext("character %d of the query", position);
}

static Datum QueryFromText(const char *text)
{
    ErrorContextCallback context = {.callback = ShowPosition, .previous = error_context_stack};
    char *canonical;

    error_context_stack = &context;
    canonical = PaosQueryPrint(PaosQueryParse(text));
    error_context_stack = context.previous;
    return CStringGetTextDatum(canonical);
}

Datum paos_query_in(PG_FUNCTION_ARGS)
{
    return QueryFromText(PG_GETARG_CSTRING(0));
}

Datum paos_query_recv(PG_FUNCTION_ARGS)
{
    StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
    int length;

    return QueryFromText(pq_getmsgtext(buffer, buffer->len - buffer->cursor, &length));
}
