/*
 * class.c - a class as the catalogue knows it: its table and its attributes.
 *
 * The name is looked up as the server does it for a regclass, so that
 * search_path, quotes and case mean here what they mean in psql.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const char sql_class[] =
    "SELECT r.oid, r.oid::pg_catalog.regclass, c.number"
    " FROM pg_catalog.pg_class r"
    " LEFT JOIN paos.classes c ON c.name::pg_catalog.oid OPERATOR(pg_catalog.=) r.oid"
    " WHERE r.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)";

static const char sql_names[] = "SELECT name FROM paos.classes";

/* The key comes first, as people expect it. */
static const char sql_attributes[] =
    "SELECT a.name, t.typcategory OPERATOR(pg_catalog.=) 'N'"
    " FROM paos.attributes a JOIN paos.classes c ON c.number OPERATOR(pg_catalog.=) a.class"
    " JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.type"
    " WHERE a.class OPERATOR(pg_catalog.=) $1::pg_catalog.int4"
    " ORDER BY a.name OPERATOR(pg_catalog.<>) c.key, a.position";

/* Names the class that is most like what was given. */
static void suggest(PGconn *sql, const char *given)
{
    PGresult *names = sql_ask(sql, sql_names, 0, NULL);
    const char *best = NULL;
    int least = NEAR_FAR;

    for (int i = 0; names && i < PQntuples(names); i++)
    {
        int distance = near_distance(given, PQgetvalue(names, i, 0));

        if (distance < least)
        {
            least = distance;
            best = PQgetvalue(names, i, 0);
        }
    }
    if (best)
        failure_hint("Perhaps you meant %s.", best);
    else if (names && PQntuples(names) == 0)
        failure_hint("No table is a class yet: SELECT paos.register_class('...') makes one.");
    else
        failure_hint("'paos classes' lists the classes.");
    PQclear(names);
}

static bool read_attributes(PGconn *sql, const char *number, class_info *class)
{
    PGresult *result = sql_ask(sql, sql_attributes, 1, &number);

    if (!result)
        return false;
    class->count = PQntuples(result);
    class->attributes = memory_grow(NULL, (size_t) class->count * sizeof *class->attributes);
    class->numeric = memory_grow(NULL, (size_t) class->count * sizeof *class->numeric);
    for (int i = 0; i < class->count; i++)
    {
        class->attributes[i] = memory_copy(PQgetvalue(result, i, 0));
        class->numeric[i] = *PQgetvalue(result, i, 1) == 't';
    }
    PQclear(result);
    return true;
}

bool class_find(PGconn *sql, const char *name, class_info *out)
{
    PGresult *result = sql_ask(sql, sql_class, 1, &name);
    class_info class = {0};
    bool found = false;

    if (!result || PQntuples(result) == 0)
    {
        if (result)
            failure_say("class \"%s\" does not exist", name);
        suggest(sql, name);
    }
    else if (PQgetisnull(result, 0, 2))
    {
        failure_say("table %s is not a class", PQgetvalue(result, 0, 1));
        failure_hint("SELECT paos.register_class('%s') makes it one.", PQgetvalue(result, 0, 1));
    }
    else
    {
        class.oid = memory_copy(PQgetvalue(result, 0, 0));
        class.name = memory_copy(PQgetvalue(result, 0, 1));
        found = read_attributes(sql, PQgetvalue(result, 0, 2), &class);
    }
    PQclear(result);
    if (found)
        *out = class;
    else
        class_free(&class);
    return found;
}

void class_free(class_info *class)
{
    for (int i = 0; i < class->count; i++)
        free(class->attributes[i]);
    free(class->attributes);
    free(class->numeric);
    free(class->oid);
    free(class->name);
}
