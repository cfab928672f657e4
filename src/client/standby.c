/*
 * standby.c - whose durable requests are: taken up again, or stood by for.
 *
 * A name is one session's at a time.  That may be another's when this connection
 * is made again, be it only the broken one's, which the server has not noticed
 * yet.  So nobody waits for it: it is asked for now and then, by a timer in the
 * descriptor, for as long as the program dispatches.
 */
#include "paos_int.h"

/* First and longest time between two tries, in milliseconds. */
#define TRY_FIRST 50
#define TRY_LONGEST 1000

/* By its name alone: what it asks for may be written differently by now, and its number be new. */
static const char sql_attend[] =
    "SELECT paos.attend($1::pg_catalog.text, '0'::pg_catalog.interval), (SELECT r.request"
    " FROM paos.requests r WHERE r.durable OPERATOR(pg_catalog.=) $1::pg_catalog.text)";

static const char sql_number[] = "SELECT false, (SELECT r.request FROM paos.requests r"
                                 " WHERE r.durable OPERATOR(pg_catalog.=) $1::pg_catalog.text)";

/* Asks for the name, or only for the request's number, which is 0 when there is none. */
static paos_status ask(paosi_request *request, const char *sql, paos_conn *conn, bool *taken,
                       int64_t *number)
{
    const paosi_parameter name = {0, true, request->durable, 0};
    const paosi_statement statement = {.sql = sql, .parameters = &name, .count = 1};
    const unsigned char *value;
    paosi_result *result;
    size_t size;
    paos_status status = paosi_conn_ask(conn, &statement, 1, &result);

    if (status != PAOS_OK)
        return status;
    *taken = false;
    *number = 0;
    if (paosi_result_rows(result) == 1 && paosi_result_columns(result) == 2)
    {
        value = paosi_result_value(result, 0, 0, &size);
        *taken = value && size == 1 && value[0];
        value = paosi_result_value(result, 0, 1, &size);
        *number = value && size == 8 ? (int64_t) paosi_read64(value) : 0;
    }
    paosi_results_free(&result, 1);
    return PAOS_OK;
}

paos_status paosi_standby_number(paos_conn *conn, paosi_request *request)
{
    bool taken;
    paos_status status = ask(request, sql_number, conn, &taken, &request->server);

    return status == PAOS_OK && !request->server ? PAOS_NOT_FOUND : status;
}

static void try_later(paosi_requests *requests)
{
    requests->stand_due = paosi_wake_later(&requests->stand_delay, TRY_FIRST, TRY_LONGEST);
}

/* Has the name from now on, if nobody else has. */
static paos_status attend(paosi_request *request)
{
    paos_conn *conn = request->class->conn;
    paosi_requests *requests = &conn->requests;
    bool taken;
    int64_t number;
    paos_status status = ask(request, sql_attend, conn, &taken, &number);

    if (status == PAOS_INVALID && !conn->broken)
    {
        paosi_request_stand_by(requests, request, false);
        return paosi_look_end_refused(request);
    }
    if (status != PAOS_OK)
        return status;
    paosi_request_stand_by(requests, request, !taken);
    if (number && number != request->server)
        paosi_requests_serve(requests, request, number);
    if (taken)
        paosi_request_want_look(requests, request);
    return PAOS_OK;
}

static paos_status attend_all(paos_conn *conn, bool standing)
{
    paosi_request *request;
    paos_status status = PAOS_OK;

    for (request = conn->requests.first; status == PAOS_OK && request; request = request->next)
        if (request->durable && !request->ends && (request->stands_by || !standing))
            status = attend(request);
    return status;
}

paos_status paosi_standby_again(paos_conn *conn)
{
    conn->requests.stand_delay = 0;
    try_later(&conn->requests);
    return attend_all(conn, false);
}

paos_status paosi_standby_try(paos_conn *conn)
{
    paosi_requests *requests = &conn->requests;

    if (requests->standing == 0 || paosi_wake_now() < requests->stand_due)
        return PAOS_OK;
    try_later(requests);
    return attend_all(conn, true);
}

bool paos_request_attends(const paos_conn *conn, int64_t id)
{
    const paosi_request *request = conn ? paosi_requests_find(&conn->requests, id) : NULL;

    return request && request->durable && !request->stands_by && !request->ends && !conn->broken;
}
