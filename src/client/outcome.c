/*
 * outcome.c - what became of a commit during which the connection broke.
 *
 * The server knows it by the transaction's number.  When not even that arrived,
 * the commit was one that only inserts, and the ids of new objects are nobody
 * else's: they exist, or the commit came to nothing once its session has ended.
 */
#include "commit.h"

#include <stdio.h>

void paosi_outcome_forget(paos_conn *conn)
{
    paos_list_free(conn->undecided.objects);
    conn->undecided.objects = NULL;
}

/* Without memory for it the question cannot be asked; the commit is unknown all the same. */
void paosi_outcome_note(paos_conn *conn, paos_object *const *objects, size_t n, uint64_t xid)
{
    paosi_unknown *unknown = &conn->undecided;
    size_t i;

    paosi_outcome_forget(conn);
    unknown->objects = paosi_list_new(conn, n);
    if (!unknown->objects)
        return;
    for (i = 0; i < n; i++)
        paosi_list_add(unknown->objects, objects[i]);
    unknown->xid = xid;
    unknown->backend = conn->backend;
    snprintf(unknown->timeline, sizeof unknown->timeline, "%s", conn->timeline);
}

/* ---- asking ---- */

typedef enum verdict
{
    DONE,
    NOT_DONE,
    OPEN
} verdict;

static verdict verdict_of(const paosi_result *result)
{
    size_t size;
    const unsigned char *text =
        paosi_result_rows(result) == 1 ? paosi_result_value(result, 0, 0, &size) : NULL;

    if (text && strcmp((const char *) text, "committed") == 0)
        return DONE;
    return text && strcmp((const char *) text, "aborted") == 0 ? NOT_DONE : OPEN;
}

static paos_status ask_status(paos_conn *conn, verdict *out)
{
    char xid[24];
    const paosi_parameter parameter = {0, true, xid, 0};
    const paosi_statement statement = {.sql =
                                           "SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)",
                                       .parameters = &parameter,
                                       .count = 1};
    paosi_result *result;
    paos_status status;

    snprintf(xid, sizeof xid, "%llu", (unsigned long long) conn->undecided.xid);
    status = paosi_conn_ask(conn, &statement, 1, &result);
    if (status == PAOS_OK)
        *out = verdict_of(result);
    paosi_results_free(&result, 1);
    return status;
}

/* First whether the session still lives, and only then whether the object exists. */
static paos_status ask_object(paos_conn *conn, const paos_object *object, verdict *out)
{
    const paosi_class *class = object->shape->class;
    char backend[24], key[24];
    const paosi_parameter parameters[] = {{0, true, backend, 0}, {0, true, key, 0}};
    paosi_buffer sql = {0};
    paosi_statement statements[] = {
        {.sql = "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid"
                " OPERATOR(pg_catalog.=) $1::pg_catalog.int4) THEN 'open' ELSE 'aborted' END",
         .parameters = &parameters[0],
         .count = 1},
        {.parameters = &parameters[1], .count = 1},
    };
    paosi_result *results[2];
    paos_status status;

    snprintf(backend, sizeof backend, "%d", conn->undecided.backend);
    snprintf(key, sizeof key, "%llu", (unsigned long long) paosi_id_key(object->id));
    paosi_buffer_format(&sql, "SELECT 'committed' FROM %s o$ WHERE o$.", class->table_sql);
    paosi_buffer_name(&sql, class->shape->columns[class->shape->key].name);
    paosi_buffer_text(&sql, " OPERATOR(pg_catalog.=) $1::pg_catalog.int8");
    paosi_buffer_add(&sql, "", 1);
    statements[1].sql = sql.data;
    status = sql.failed ? paosi_fail_memory(conn) : paosi_conn_ask(conn, statements, 2, results);
    if (status == PAOS_OK)
    {
        *out = verdict_of(results[1]);
        if (*out != DONE)
            *out = verdict_of(results[0]);
        paosi_results_free(results, 2);
    }
    paosi_buffer_free(&sql);
    return status;
}

/* ---- what follows from it ---- */

static void take_done(paos_object *object)
{
    if (object->flags & PAOSI_DELETE)
    {
        paosi_object_set_absent(object);
        return;
    }
    paosi_draft_drop(object);
    object->flags &= ~(uint32_t) PAOSI_NEW;
    paosi_object_take_row(object, object->shape, NULL, 0, 0);
    paosi_cache_place(object);
}

static paos_status ask(paos_conn *conn, verdict *out)
{
    const paos_list *objects = conn->undecided.objects;
    paos_status status = paosi_reconnect(conn);

    if (status != PAOS_OK)
        return status;
    /* There numbers of transactions and ids of new objects may have been given to others. */
    if (strcmp(conn->undecided.timeline, conn->timeline) != 0)
        return paosi_fail(conn, PAOS_UNKNOWN, "the server's history is another one now");
    if (conn->undecided.xid == 0 && objects->size > 0)
        return ask_object(conn, objects->items[0], out);
    return ask_status(conn, out);
}

paos_status paos_conn_outcome(paos_conn *conn, bool *committed)
{
    verdict verdict = OPEN;
    paos_status status;
    size_t i;

    if (!conn)
        return PAOS_INVALID;
    if (!committed)
        return paosi_fail(conn, PAOS_INVALID, "committed must not be NULL");
    if (!conn->undecided.objects)
        return paosi_fail(conn, PAOS_NOT_FOUND, "the outcome of no commit is unknown");
    status = ask(conn, &verdict);
    if (status != PAOS_OK)
        return status;
    if (verdict == OPEN)
        return paosi_fail(conn, PAOS_UNKNOWN, "the commit is still under way");
    for (i = 0; verdict == DONE && i < conn->undecided.objects->size; i++)
        take_done(conn->undecided.objects->items[i]);
    *committed = verdict == DONE;
    paosi_outcome_forget(conn);
    return PAOS_OK;
}
