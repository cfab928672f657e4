/*
 * explain.c - `paos explain`: how a request would be filed, why an object matches.
 */
#include "cli.h"

#include <stdlib.h>

static const char sql_explain[] =
    "SELECT e FROM paos.explain($1::pg_catalog.oid::pg_catalog.regclass,"
    " $2::paos.query, $3::paos.ref) e";

static void show(const PGresult *result, const char *class, const options *options)
{
    json_t *lines = json_array();

    for (int i = 0; i < PQntuples(result); i++)
    {
        const char *line = PQgetvalue(result, i, 0);

        if (options->json)
            json_array_append_new(lines, json_text(line));
        else
        {
            text_put(stdout, line);
            putchar('\n');
        }
    }
    if (options->json)
        json_line(json_pack("{s:o, s:o, s:o}", "class", json_text(class), "query",
                            json_text(options->args[1]), "explain", lines));
    else
        json_decref(lines);
}

int explain_run(const options *options)
{
    PGconn *sql = sql_open(options);
    PGresult *result = NULL;
    class_info class = {0};
    int status = STATUS_FAILED;

    if (sql && class_find(sql, options->args[0], &class))
    {
        const char *values[] = {class.oid, options->args[1],
                                options->nargs > 2 ? options->args[2] : NULL};

        result = sql_ask(sql, sql_explain, 3, values);
    }
    if (result)
    {
        show(result, class.name, options);
        status = STATUS_DONE;
    }
    PQclear(result);
    class_free(&class);
    PQfinish(sql);
    return status;
}
