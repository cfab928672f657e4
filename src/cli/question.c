/*
 * question.c - a class, a query and its arguments, as get and watch take them.
 *
 * The class is looked up in the catalogue first, over a connection that is gone
 * before the objects' own is made: libpaos cannot list a class's attributes.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

bool question_open(const options *options, question *out)
{
    question question = {.options = options, .query = options->nargs > 1 ? options->args[1] : ""};
    PGconn *sql = sql_open(options);
    char *conninfo;
    bool opened;

    opened = sql && class_find(sql, options->args[0], &question.class);
    PQfinish(sql);
    conninfo = opened ? conninfo_make(options) : NULL;
    if (opened && paos_conn_open(conninfo, "paos", &question.conn) != PAOS_OK)
    {
        const paos_error *error = paos_conn_error(NULL);

        failure_show(error->message, error->detail, error->hint);
        opened = false;
    }
    free(conninfo);
    if (!opened)
    {
        question_close(&question);
        return false;
    }
    question.nargs = options->nargs > 2 ? (size_t) options->nargs - 2 : 0;
    question.args = memory_grow(NULL, question.nargs * sizeof *question.args);
    for (size_t i = 0; i < question.nargs; i++)
        question.args[i] = paos_text(options->args[2 + i]);
    *out = question;
    return true;
}

void question_close(question *question)
{
    paos_conn_close(question->conn);
    class_free(&question->class);
    free(question->args);
}

/*
 * Where a query is wrong is said of its text as it was given only for syntax
 * errors; afterwards it is in the server's own spelling, arguments in place.
 */
static bool is_position_ours(const paos_error *error)
{
    return strcmp(error->sqlstate, "42601") == 0;
}

/* The query in the server's own spelling; owned, NULL on failure. */
static char *spelled(const question *question)
{
    size_t n = question->nargs;
    const char **values = memory_grow(NULL, (n + 1) * sizeof *values);
    PGconn *sql = sql_open(question->options);
    char *statement = NULL;
    size_t size;
    FILE *file = sql ? open_memstream(&statement, &size) : NULL;
    PGresult *result = NULL;
    char *query;

    values[0] = question->query;
    for (size_t i = 0; i < n; i++)
        values[i + 1] = question->args[i].as.text.data;
    if (file)
    {
        fputs(n ? "SELECT paos.bind($1" : "SELECT ($1::paos.query", file);
        for (size_t i = 0; i < n; i++)
            fprintf(file, ", $%zu::pg_catalog.text", i + 2);
        fputs(")", file);
        fclose(file);
        result = sql_ask(sql, statement, (int) n + 1, values);
    }
    query = result ? memory_copy(PQgetvalue(result, 0, 0)) : NULL;
    PQclear(result);
    PQfinish(sql);
    free(statement);
    free(values);
    return query;
}

/* The server's hint is a function that whoever types a command has not called. */
static const char *hint_of(const paos_error *error)
{
    if (strcmp(error->sqlstate, "42P02") == 0 && error->hint)
        return "Values of $1, $2, ... follow the query.";
    return error->hint;
}

int question_fail(const question *question)
{
    const paos_error *error = paos_conn_error(question->conn);
    char *query = error->position > 0 && !is_position_ours(error) ? spelled(question) : NULL;

    failure_query(error->message, query ? query : question->query,
                  query || is_position_ours(error) ? error->position : 0, error->detail,
                  hint_of(error));
    free(query);
    return STATUS_FAILED;
}
