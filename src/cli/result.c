/*
 * result.c - what a statement returned, for people or for programs.
 */
#include "cli.h"

#include <stdlib.h>

/* Oids that do not change, from the server's pg_type.dat. */
enum
{
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23
};

static bool is_integer(Oid type)
{
    return type == TYPE_INT8 || type == TYPE_INT4 || type == TYPE_INT2;
}

static void show_table(const PGresult *result)
{
    table *table = table_new(PQnfields(result));

    for (int i = 0; i < PQnfields(result); i++)
        table_title(table, i, PQfname(result, i), is_integer(PQftype(result, i)));
    for (int row = 0; row < PQntuples(result); row++)
        for (int i = 0; i < PQnfields(result); i++)
            table_cell(table, PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i));
    table_print(table);
    table_free(table);
}

static json_t *value(const PGresult *result, int row, int column)
{
    const char *text = PQgetvalue(result, row, column);

    if (PQgetisnull(result, row, column))
        return json_null();
    if (is_integer(PQftype(result, column)))
        return json_integer(strtoll(text, NULL, 10));
    if (PQftype(result, column) == TYPE_BOOL)
        return json_boolean(*text == 't');
    return json_text(text);
}

static void show_json(const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
    {
        json_t *line = json_object();

        for (int i = 0; i < PQnfields(result); i++)
            json_object_set_new(line, PQfname(result, i), value(result, row, i));
        json_line(line);
    }
}

void result_show(const PGresult *result, bool json)
{
    if (json)
        show_json(result);
    else
        show_table(result);
}
