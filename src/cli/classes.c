/*
 * classes.c - `paos classes`: all classes, or the attributes of one.
 */
#include "cli.h"

static const char sql_classes[] =
    "SELECT c.number, c.name AS class, c.key, p.name AS parent,"
    " (SELECT pg_catalog.string_agg(a.name, ', ' ORDER BY a.position)"
    " FROM paos.attributes a WHERE a.class OPERATOR(pg_catalog.=) c.number) AS attributes"
    " FROM paos.classes c LEFT JOIN paos.classes p"
    " ON p.number OPERATOR(pg_catalog.=) c.parent"
    " ORDER BY c.number";

/* What a foreign key refers to is known; a paos.ref may refer to any class. */
static const char sql_attributes[] =
    "SELECT a.name AS attribute, a.type, a.not_null,"
    " COALESCE(t.name::pg_catalog.text,"
    " CASE WHEN a.type::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (ARRAY["
    "'paos.ref'::pg_catalog.regtype::pg_catalog.oid, 'paos.ref[]'::pg_catalog.regtype])"
    " THEN 'any class' END) AS refers_to"
    " FROM paos.attributes a"
    " JOIN paos.classes c ON c.number OPERATOR(pg_catalog.=) a.class"
    " LEFT JOIN paos.classes t ON t.number OPERATOR(pg_catalog.=) a.refers_to"
    " WHERE c.name::pg_catalog.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid"
    " ORDER BY a.position";

static PGresult *ask(PGconn *sql, const options *options)
{
    class_info class;
    const char *oid;
    PGresult *result;

    if (options->nargs == 0)
        return sql_ask(sql, sql_classes, 0, NULL);
    if (!class_find(sql, options->args[0], &class))
        return NULL;
    oid = class.oid;
    result = sql_ask(sql, sql_attributes, 1, &oid);
    class_free(&class);
    return result;
}

int classes_run(const options *options)
{
    PGconn *sql = sql_open(options);
    PGresult *result = sql ? ask(sql, options) : NULL;
    int status = result ? STATUS_DONE : STATUS_FAILED;

    if (result)
        result_show(result, options->json);
    if (result && options->nargs == 0 && PQntuples(result) == 0 && !options->json)
        printf("No table is a class yet: SELECT paos.register_class('...') makes one.\n");
    PQclear(result);
    PQfinish(sql);
    return status;
}
