/*
 * wording.c - the texts of requests, which go with the names of attributes.
 *
 * The server knows what the names in a request's query stood for when it was
 * made, and says so in a form that is kept here with the text: so an attribute
 * that was renamed is found again, on another connection too.  A text that still
 * makes sense need not mean the same, when two attributes exchanged their names.
 */
#include "paos_int.h"

static const char sql_wording[] =
    "SELECT paos.query_present(q$.class::pg_catalog.regclass, q$.query::paos.query,"
    " q$.bound::pg_catalog.int8[])::pg_catalog.text FROM ROWS FROM (pg_catalog.unnest($1),"
    " pg_catalog.unnest($2), pg_catalog.unnest($3))"
    " WITH ORDINALITY q$ (class, query, bound, place) ORDER BY q$.place";

void paosi_wording_free(paosi_wording *wording)
{
    paosi_buffer_free(&wording->classes);
    paosi_buffer_free(&wording->queries);
    paosi_buffer_free(&wording->bounds);
}

static void add_text(paosi_buffer *array, const char *text)
{
    size_t size = strlen(text);

    paosi_buffer_add32(array, (uint32_t) size);
    paosi_buffer_add(array, text, size);
}

static paosi_parameter array_of(const paosi_buffer *array, uint32_t type)
{
    const paosi_parameter parameter = {type, false, array->data, array->size};

    return parameter;
}

bool paosi_wording_ask(paosi_wording *wording, paosi_request *const *requests, size_t n,
                       paosi_statement *out)
{
    size_t i;

    paosi_look_array(&wording->classes, PAOSI_OID_OID, n);
    paosi_look_array(&wording->queries, PAOSI_OID_TEXT, n);
    paosi_look_array(&wording->bounds, PAOSI_OID_TEXT, n);
    for (i = 0; i < n; i++)
    {
        paosi_buffer_add32(&wording->classes, 4);
        paosi_buffer_add32(&wording->classes, requests[i]->class->table);
        add_text(&wording->queries, requests[i]->query);
        add_text(&wording->bounds, requests[i]->bound);
    }
    wording->parameters[0] = array_of(&wording->classes, PAOSI_OID_OID_ARRAY);
    wording->parameters[1] = array_of(&wording->queries, PAOSI_OID_TEXT_ARRAY);
    wording->parameters[2] = array_of(&wording->bounds, PAOSI_OID_TEXT_ARRAY);
    out->sql = sql_wording;
    out->parameters = wording->parameters;
    out->count = 3;
    return !wording->classes.failed && !wording->queries.failed && !wording->bounds.failed;
}

paos_status paosi_wording_take(paos_conn *conn, const paosi_result *result,
                               paosi_request *const *requests, size_t n, bool *changed)
{
    size_t size, i;

    *changed = false;
    if (paosi_result_rows(result) != n)
        return paosi_fail(conn, PAOS_SERVER, "malformed queries of requests");
    for (i = 0; i < n; i++)
    {
        const char *text = (const char *) paosi_result_value(result, i, 0, &size);
        char *query;

        if (!text || strcmp(text, requests[i]->query) == 0)
            continue;
        query = paosi_strdup(text);
        if (!query)
            return paosi_fail_memory(conn);
        paosi_free(requests[i]->query);
        requests[i]->query = query;
        *changed = true;
    }
    return PAOS_OK;
}

paos_status paosi_wording_follow(paos_conn *conn, paosi_request *const *requests, size_t n)
{
    paosi_wording wording = {0};
    paosi_statement statement = {0};
    paosi_result *result;
    paos_status status = paosi_wording_ask(&wording, requests, n, &statement)
                             ? paosi_conn_ask(conn, &statement, 1, &result)
                             : paosi_fail_memory(conn);
    bool changed;

    if (status == PAOS_OK)
    {
        status = paosi_wording_take(conn, result, requests, n, &changed);
        paosi_results_free(&result, 1);
    }
    paosi_wording_free(&wording);
    return status;
}
