/*
 * question.c - a query on a class with its arguments, as SQL.
 *
 * The query travels as a parameter and is never part of the statement's text.
 * Its statement is made for the class as it is known, so that it has to be made
 * anew when the class turns out to have changed.
 */
#include "paos_int.h"

/* A function takes 100 arguments at most: paos.bind, the query and these. */
#define ARGUMENTS_MAX 99

void paosi_question_free(paosi_question *q)
{
    paosi_buffer_free(&q->sql);
    paosi_free(q->parameters);
    paosi_free(q->rooms);
}

paos_status paosi_question_make(paosi_question *q, const char *query, const paos_value *args)
{
    paosi_parameter text = {0, true, query ? query : "", 0};
    paos_status status = PAOS_OK;
    size_t i;

    q->query = query && *query ? query : NULL;
    if (q->nargs > ARGUMENTS_MAX)
        return paosi_fail(q->conn, PAOS_INVALID, "a query takes at most %d arguments, not %zu",
                          ARGUMENTS_MAX, q->nargs);
    if (q->nargs > 0 && !args)
        return paosi_fail(q->conn, PAOS_INVALID, "args must not be NULL");
    if (q->query && !paosi_utf8_valid(q->query, strlen(q->query)))
        return paosi_fail(q->conn, PAOS_INVALID, "query is not valid UTF-8");
    q->parameters = paosi_malloc((q->nargs + 1) * sizeof *q->parameters);
    q->rooms = paosi_malloc(q->nargs * PAOSI_ARGUMENT);
    if (!q->parameters || !q->rooms)
        return paosi_fail_memory(q->conn);
    q->parameters[0] = text;
    for (i = 0; status == PAOS_OK && i < q->nargs; i++)
        status = paosi_value_parameter(q->conn, &args[i], q->rooms + i * PAOSI_ARGUMENT,
                                       &q->parameters[i + 1]);
    return status;
}

void paosi_question_value(const paosi_question *q, paosi_buffer *sql)
{
    size_t i;

    if (q->nargs == 0)
    {
        paosi_buffer_text(sql, "$1::paos.query");
        return;
    }
    paosi_buffer_text(sql, "paos.bind($1::paos.query");
    for (i = 0; i < q->nargs; i++)
        paosi_buffer_format(sql, ", $%zu", i + 2);
    paosi_buffer_text(sql, ")");
}

/* A WHERE, if there is a query. */
static void add_condition(const paosi_question *q, paosi_buffer *sql)
{
    if (!q->query)
        return;
    paosi_buffer_text(sql, " WHERE o$ OPERATOR(paos.@@) ");
    paosi_question_value(q, sql);
}

paos_status paosi_question_state(paosi_question *q)
{
    const char *select;
    paos_status status = paosi_class_find(q->conn, q->class_name, &q->class);

    if (status != PAOS_OK)
        return status;
    select = paosi_class_select(q->class);
    if (!select)
        return paosi_fail_memory(q->conn);
    paosi_buffer_reset(&q->sql);
    paosi_buffer_text(&q->sql, select);
    add_condition(q, &q->sql);
    paosi_buffer_add(&q->sql, "", 1);
    if (q->sql.failed)
        return paosi_fail_memory(q->conn);
    q->statement.sql = q->sql.data;
    q->statement.parameters = q->parameters;
    q->statement.count = q->query ? q->nargs + 1 : 0;
    return PAOS_OK;
}
