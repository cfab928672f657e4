/*
 * link.c - sessions by plain libpq, for roles and with a limit in time.
 *
 * A server that is stopped or cut off answers nothing and closes nothing.  Who
 * waits longer than the limit for an answer takes the session for lost, as a
 * program in earnest has to.
 */
#include "attack.h"

#include <poll.h>
#include <string.h>

#define LIMIT_MS 4000

/* The last words of a server that ends are expected here. */
static void no_notice(void *arg, const PGresult *result)
{
    (void) arg;
    (void) result;
}

/* A session of either server, whichever takes writes; through the proxy it is the proxy's choice.
 */
PGconn *link_open(seat *s)
{
    char conninfo[700];
    PGconn *pg;

    if (s->through_proxy)
        snprintf(conninfo, sizeof(conninfo),
                 "host=127.0.0.1 port=%d user=boss dbname=paos application_name=%s "
                 "connect_timeout=3 sslmode=disable gssencmode=disable",
                 the->proxy_port, s->name);
    else
        snprintf(conninfo, sizeof(conninfo),
                 "host=%s,%s port=%d,%d user=boss dbname=paos application_name=%s "
                 "connect_timeout=3 target_session_attrs=read-write",
                 the->sockets, the->sockets, node_port(0), node_port(1), s->name);
    pg = PQconnectdb(conninfo);
    if (PQstatus(pg) != CONNECTION_OK)
    {
        PQfinish(pg);
        return NULL;
    }
    PQsetNoticeReceiver(pg, no_notice, NULL);
    s->backend = PQbackendPID(pg);
    return pg;
}

void link_close(seat *s, PGconn **pg)
{
    s->backend = 0;
    PQfinish(*pg);
    *pg = NULL;
}

/* Reads until an answer is there; false when the session is lost or time is up. */
static bool await(PGconn *pg, int64_t end)
{
    while (PQisBusy(pg))
    {
        struct pollfd fd = {PQsocket(pg), POLLIN, 0};
        int64_t left = (end - clock_ns()) / 1000000;

        if (left <= 0 || poll(&fd, 1, (int) left) <= 0 || !PQconsumeInput(pg))
            return false;
    }
    return true;
}

/* The last of the answers, or the first that is an error. */
PGresult *link_run(PGconn *pg, const char *format, ...)
{
    int64_t end = clock_ns() + LIMIT_MS * INT64_C(1000000);
    PGresult *last = NULL;
    char text[16384];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!PQsendQuery(pg, text))
        return NULL;
    for (;;)
    {
        PGresult *result;

        if (!await(pg, end))
            break;
        result = PQgetResult(pg);
        if (result == NULL)
            return PQstatus(pg) == CONNECTION_OK ? last : (PQclear(last), NULL);
        PQclear(last);
        last = result;
    }
    PQclear(last);
    return NULL;
}

bool link_ok(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

bool link_failed_with(const PGresult *result, const char *sqlstate)
{
    const char *had = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return had != NULL && strcmp(had, sqlstate) == 0;
}
