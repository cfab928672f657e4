/*
 * sql.c - questions to the catalogue, the only use of libpq's connections here.
 *
 * libpaos has no calls for what these ask: which classes there are, what they
 * look like, which requests there are, paos.explain and paos.health.  Every
 * name in a statement is qualified, operators included, because search_path is
 * the user's.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const char extension[] =
    "SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'paos'";

static void fail_connection(const PGconn *sql)
{
    failure_show(PQerrorMessage(sql), "", "");
    if (PQconnectionNeedsPassword(sql))
        failure_hint("Put the password into ~/.pgpass or PGPASSWORD.");
}

PGconn *sql_open(const options *options)
{
    char *conninfo = conninfo_make(options);
    const char *const keywords[] = {"dbname", "client_encoding", "fallback_application_name", NULL};
    const char *const values[] = {conninfo, "UTF8", "paos", NULL};
    PGconn *sql;
    PGresult *result;
    bool there;

    if (!conninfo)
        return NULL;
    sql = PQconnectdbParams(keywords, values, 1);
    free(conninfo);
    if (PQstatus(sql) != CONNECTION_OK)
    {
        fail_connection(sql);
        PQfinish(sql);
        return NULL;
    }
    result = sql_ask(sql, extension, 0, NULL);
    there = result && PQntuples(result) > 0;
    if (result && !there)
    {
        failure_say("database \"%s\" has no extension paos", PQdb(sql));
        failure_hint("CREATE EXTENSION paos makes it; -d chooses another database.");
    }
    PQclear(result);
    if (there)
        return sql;
    PQfinish(sql);
    return NULL;
}

static const char *field(const PGresult *result, int code)
{
    const char *value = PQresultErrorField(result, code);

    return value ? value : "";
}

/* Where a paos.query is wrong, the server says in its text as the server has it. */
static void fail_result(const PGconn *sql, const PGresult *result)
{
    const char *query = field(result, PG_DIAG_INTERNAL_QUERY);

    if (!*field(result, PG_DIAG_SQLSTATE))
        failure_show(PQerrorMessage(sql), "", "");
    else
        failure_query(field(result, PG_DIAG_MESSAGE_PRIMARY), query,
                      *query ? atoi(field(result, PG_DIAG_INTERNAL_POSITION)) : 0,
                      field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT));
}

PGresult *sql_ask(PGconn *sql, const char *statement, int n, const char *const *values)
{
    PGresult *result = PQexecParams(sql, statement, n, NULL, values, NULL, NULL, 0);

    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return result;
    fail_result(sql, result);
    PQclear(result);
    return NULL;
}
