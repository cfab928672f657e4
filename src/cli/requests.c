/*
 * requests.c - `paos requests`: what is asked, by whom, and how often it was answered.
 *
 * A durable request has an author only while a session attends it.
 */
#include "cli.h"

static const char sql_requests[] =
    "SELECT r.request, r.class, r.query, r.role, a.application, a.host, a.pid, r.events,"
    " r.last_event, r.durable, r.pending"
    " FROM paos.requests r"
    " LEFT JOIN paos.authors() a ON a.backend OPERATOR(pg_catalog.=) r.backend"
    " ORDER BY r.request";

int requests_run(const options *options)
{
    PGconn *sql = sql_open(options);
    PGresult *result = sql ? sql_ask(sql, sql_requests, 0, NULL) : NULL;
    int status = result ? STATUS_DONE : STATUS_FAILED;

    if (result)
        result_show(result, options->json);
    PQclear(result);
    PQfinish(sql);
    return status;
}
