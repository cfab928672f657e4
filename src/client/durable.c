/*
 * durable.c - durable requests: events that the server keeps until they are acknowledged.
 *
 * Numbers of events do not follow the order of commits, so what was told is
 * remembered one by one and not as "up to".  The answer is not known here: what
 * happened is what the server has kept.
 */
#include "paos_int.h"

#include <stdio.h>

/* Events that are read at once, besides those that were told and not acknowledged. */
#define READ_MAX 1000

/* Columns of sql_pending. */
enum
{
    NUMBER,
    ENTER,
    AUTHOR = ENTER + PAOSI_EFFECTS,
    XID,
    RESYNC,
    COLUMNS
};

static const char sql_pending[] =
    "SELECT p.number, p.enter, p.change, p.leave, p.author::pg_catalog.text,"
    " p.xid::pg_catalog.text::pg_catalog.int8, p.resync"
    " FROM paos.pending($1::pg_catalog.text, $2::pg_catalog.int4) p ORDER BY p.number";

/* ---- subscribing ---- */

/* The request's server number; the name is ours from then on. */
static paos_status attend(paos_conn *conn, const paosi_statement *statement, int64_t *server,
                          char **query)
{
    const unsigned char *id = NULL, *text = NULL;
    paosi_result *result;
    size_t size;
    paos_status status = paosi_conn_ask(conn, statement, 1, &result);

    if (status != PAOS_OK)
        return status;
    if (paosi_result_rows(result) == 1 && paosi_result_columns(result) == 2)
    {
        text = paosi_result_value(result, 0, 1, &size);
        id = paosi_result_value(result, 0, 0, &size);
    }
    if (!id || size != 8 || !text)
        status = paosi_fail(conn, PAOS_SERVER, "malformed answer to a subscription");
    else
    {
        *server = (int64_t) paosi_read64(id);
        *query = paosi_strdup((const char *) text);
        status = *query ? PAOS_OK : paosi_fail_memory(conn);
    }
    paosi_results_free(&result, 1);
    return status;
}

static paos_status subscribe(paosi_question *q, paosi_request *request)
{
    paosi_parameter *parameters = paosi_malloc((q->nargs + 2) * sizeof *parameters);
    paosi_parameter name = {0, true, request->durable, 0};
    paosi_buffer sql = {0};
    paosi_statement statement = {.parameters = parameters, .count = q->nargs + 2};
    paos_status status;

    if (!parameters)
        return paosi_fail_memory(q->conn);
    memcpy(parameters, q->parameters, (q->nargs + 1) * sizeof *parameters);
    parameters[q->nargs + 1] = name;
    paosi_buffer_text(&sql, "SELECT r$.id, q$.query::pg_catalog.text FROM (SELECT ");
    paosi_question_value(q, &sql);
    paosi_buffer_format(&sql,
                        ") q$ (query), paos.subscribe(%u::pg_catalog.regclass, q$.query,"
                        " $%zu::pg_catalog.text) r$ (id)",
                        q->class->table, q->nargs + 2);
    paosi_buffer_add(&sql, "", 1);
    statement.sql = sql.data;
    status = sql.failed ? paosi_fail_memory(q->conn)
                        : attend(q->conn, &statement, &request->server, &request->query);
    paosi_buffer_free(&sql);
    paosi_free(parameters);
    return status;
}

/* Known twice it would be told twice. */
static paos_status check_name(paos_conn *conn, const char *name)
{
    const paosi_request *request;

    for (request = conn->requests.first; request; request = request->next)
        if (request->durable && strcmp(request->durable, name) == 0)
            return paosi_fail(conn, PAOS_INVALID,
                              "the connection has durable request \"%s\" already", name);
    return PAOS_OK;
}

/* Another session has the name: it is stood by for. */
static paos_status stand_by(paosi_question *q, paosi_request *request)
{
    paos_status status;

    request->query = paosi_strdup("");
    if (!request->query)
        return paosi_fail_memory(q->conn);
    status = paosi_standby_number(q->conn, request);
    return status == PAOS_NOT_FOUND ? PAOS_LOCKED : status;
}

static bool is_attended(const paos_conn *conn, paos_status status)
{
    return status == PAOS_LOCKED && strcmp(conn->error.shown.sqlstate, "55006") == 0;
}

static paos_status make_request(paosi_question *q, const char *name, bool stands_by,
                                paosi_request **out)
{
    paosi_request *request = paosi_calloc(1, sizeof *request);
    paos_status status;

    if (request)
        request->durable = paosi_strdup(name);
    if (!request || !request->durable)
    {
        paosi_request_free(request);
        return paosi_fail_memory(q->conn);
    }
    request->class = q->class;
    status = subscribe(q, request);
    stands_by = stands_by && is_attended(q->conn, status);
    if (stands_by)
        status = stand_by(q, request);
    if (status == PAOS_OK && !paosi_requests_add(&q->conn->requests, request, request->server))
        status = paosi_fail_memory(q->conn);
    if (status == PAOS_OK)
        paosi_request_stand_by(&q->conn->requests, request, stands_by);
    /* What a failure leaves on the server is there to be taken up: that is what it is for. */
    if (status == PAOS_OK)
        *out = request;
    else
        paosi_request_free(request);
    return status;
}

static paos_status begin(paosi_question *q, const char *name, const char *query,
                         const paos_value *args, bool stands_by, paosi_request **out)
{
    paos_status status = check_name(q->conn, name);

    if (status == PAOS_OK)
        status = paosi_question_make(q, query, args);
    if (status == PAOS_OK)
        status = paosi_reconnect(q->conn);
    if (status == PAOS_OK)
        status = paosi_class_find(q->conn, q->class_name, &q->class);
    if (status == PAOS_OK)
        status = make_request(q, name, stands_by, out);
    return status;
}

/* Either way of subscribing; whoever stands by has nothing to read yet. */
static paos_status take_up(paosi_question *q, const char *name, const char *query,
                           const paos_value *args, bool stands_by, paos_callback callback,
                           void *arg, int64_t *out)
{
    paos_conn *conn = q->conn;
    paosi_request *request = NULL;
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    if (!name || !callback || !out)
        return paosi_fail(conn, PAOS_INVALID, "name, callback and request must not be NULL");
    status = begin(q, name, query, args, stands_by, &request);
    paosi_question_free(q);
    if (status != PAOS_OK)
        return status;
    request->callback = callback;
    request->arg = arg;
    *out = request->id;
    if (!request->stands_by)
        paosi_request_want_look(&conn->requests, request);
    paosi_dispatch_arm(conn);
    return PAOS_OK;
}

paos_status paos_subscribe_durable(paos_conn *conn, const char *name, const char *class_name,
                                   const char *query, const paos_value *args, size_t nargs,
                                   paos_callback callback, void *arg, int64_t *request)
{
    paosi_question q = {.conn = conn, .class_name = class_name, .nargs = nargs};

    return take_up(&q, name, query, args, false, callback, arg, request);
}

paos_status paos_subscribe_standby(paos_conn *conn, const char *name, const char *class_name,
                                   const char *query, const paos_value *args, size_t nargs,
                                   paos_callback callback, void *arg, int64_t *request)
{
    paosi_question q = {.conn = conn, .class_name = class_name, .nargs = nargs};

    return take_up(&q, name, query, args, true, callback, arg, request);
}

/* ---- reading ---- */

static paos_status take_refs(paos_conn *conn, const paosi_result *result, size_t row, int effect,
                             paosi_ids *out)
{
    paosi_cell cell = {PAOSI_VALUE, NULL, 0}, element;
    paosi_elements elements;

    cell.data = paosi_result_value(result, row, (size_t) (ENTER + effect), &cell.size);
    if (!cell.data)
        return PAOS_OK;
    elements = paosi_array_begin(cell);
    while (paosi_array_next(&elements, &element))
        if (element.size == 8 && !paosi_ids_add(out, paosi_read64(element.data)))
            return paosi_fail_memory(conn);
    return PAOS_OK;
}

static uint64_t number_at(const paosi_result *result, size_t row, size_t column)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, column, &size);

    return data && size == 8 ? paosi_read64(data) : 0;
}

static paos_status fill_event(paos_conn *conn, const paosi_result *result, size_t row,
                              paosi_event *event)
{
    paosi_payload *told = &event->told;
    paos_status status = PAOS_OK;
    const unsigned char *data;
    size_t size;
    int effect;

    event->number = (int64_t) number_at(result, row, NUMBER);
    told->xid = number_at(result, row, XID);
    told->pid = told->uid = -1;
    data = paosi_result_value(result, row, RESYNC, &size);
    told->resync = data && size == 1 && data[0];
    data = paosi_result_value(result, row, AUTHOR, &size);
    if (data && paosi_payload_author((const char *) data, told) == PAOS_NO_MEMORY)
        return paosi_fail_memory(conn);
    for (effect = 0; status == PAOS_OK && effect < PAOSI_EFFECTS; effect++)
        status = take_refs(conn, result, row, effect, &told->refs[effect]);
    return status == PAOS_OK ? paosi_event_know(conn, told) : status;
}

/* References to classes that are gone name nothing any more; nor do cached contents hold. */
static void sort_out(const paosi_request *request, paosi_payload *told)
{
    const paos_conn *conn = request->class->conn;
    int effect;
    size_t i;

    for (effect = 0; effect < PAOSI_EFFECTS; effect++)
    {
        paosi_ids *refs = &told->refs[effect];
        size_t kept = 0;

        for (i = 0; i < refs->size; i++)
        {
            uint64_t identity = paosi_reference_identity(conn, refs->items[i]);

            if (!identity)
                continue;
            paosi_event_invalidate(conn, identity, told->xid);
            refs->items[kept++] = refs->items[i];
        }
        refs->size = kept;
    }
}

static paos_status take_event(paosi_request *request, const paosi_result *result, size_t row)
{
    paos_conn *conn = request->class->conn;
    uint64_t number = number_at(result, row, NUMBER);
    paosi_event *event;
    paos_status status;
    uint32_t unused;

    if (number == 0 || paosi_answer_has(&request->told, number, &unused))
        return PAOS_OK;
    event = paosi_calloc(1, sizeof *event);
    status = event ? fill_event(conn, result, row, event) : paosi_fail_memory(conn);
    if (status == PAOS_OK && !paosi_answer_put(&request->told, number, 0))
        status = paosi_fail_memory(conn);
    if (status != PAOS_OK)
    {
        paosi_event_free(event);
        return status;
    }
    sort_out(request, &event->told);
    event->request = request;
    paosi_event_add(&conn->requests, event);
    return PAOS_OK;
}

static paos_status read_pending(paosi_request *request)
{
    paos_conn *conn = request->class->conn;
    size_t most = request->told.size + READ_MAX;
    char max[16];
    const paosi_parameter parameters[] = {{0, true, request->durable, 0}, {0, true, max, 0}};
    const paosi_statement statement = {.sql = sql_pending, .parameters = parameters, .count = 2};
    paosi_result *result;
    paos_status status;
    size_t row;

    snprintf(max, sizeof max, "%zu", most);
    status = paosi_conn_exchange(conn, &statement, 1, &result);
    if (status != PAOS_OK)
        return status;
    if (paosi_result_outcome(result) == PAOSI_FAILED)
        status = paosi_fail_result(conn, result);
    else if (paosi_result_columns(result) != COLUMNS)
        status = paosi_fail(conn, PAOS_SERVER, "malformed answer of paos.pending");
    for (row = 0; status == PAOS_OK && row < paosi_result_rows(result); row++)
        status = take_event(request, result, row);
    request->look = status != PAOS_OK || paosi_result_rows(result) == most;
    paosi_results_free(&result, 1);
    return status;
}

paos_status paosi_durable_read(paos_conn *conn)
{
    paosi_request *request;
    paos_status status = PAOS_OK;
    bool more = false;

    for (request = conn->requests.first; status == PAOS_OK && request; request = request->next)
    {
        if (!request->durable || !request->look || request->ends || request->stands_by)
            continue;
        status = read_pending(request);
        more |= request->look;
    }
    conn->requests.look = more;
    return status;
}

/* ---- acknowledging ---- */

static paos_status find(paos_conn *conn, int64_t id, paosi_request **out)
{
    *out = paosi_requests_find(&conn->requests, id);
    if (*out && (*out)->durable)
        return PAOS_OK;
    return paosi_fail(conn, PAOS_NOT_FOUND, "durable request %lld does not exist", (long long) id);
}

/* What is acknowledged is not read again; nor is it remembered as told. */
static void forget_told(paosi_request *request, int64_t upto)
{
    paosi_answer rest = {0};
    size_t i;
    bool done = true;

    for (i = 0; done && i < request->told.capacity; i++)
        if (request->told.ids[i] > (uint64_t) upto)
            done = paosi_answer_put(&rest, request->told.ids[i], 0);
    /* Without memory for it they are remembered a while longer, which costs a little. */
    if (!done)
    {
        paosi_answer_free(&rest);
        return;
    }
    paosi_answer_free(&request->told);
    request->told = rest;
}

static void make_statement(const paosi_request *request, int64_t upto, paosi_statement *statement,
                           paosi_parameter *parameters, char *room)
{
    const paosi_parameter name = {0, true, request->durable, 0};
    const paosi_parameter number = {0, true, room, 0};
    const paosi_statement acknowledge = {.sql = "SELECT paos.acknowledge($1, $2::pg_catalog.int8)",
                                         .parameters = parameters,
                                         .count = 2};

    snprintf(room, PAOSI_ARGUMENT, "%lld", (long long) upto);
    parameters[0] = name;
    parameters[1] = number;
    *statement = acknowledge;
}

paos_status paos_acknowledge(paos_conn *conn, int64_t id, int64_t upto)
{
    paosi_request *request;
    paosi_parameter parameters[2];
    paosi_statement statement;
    paosi_result *result;
    char room[PAOSI_ARGUMENT];
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    status = find(conn, id, &request);
    if (status == PAOS_OK)
        status = paosi_reconnect(conn);
    if (status != PAOS_OK)
        return status;
    make_statement(request, upto, &statement, parameters, room);
    status = paosi_conn_ask(conn, &statement, 1, &result);
    paosi_results_free(&result, 1);
    if (status == PAOS_OK)
        forget_told(request, upto);
    return status;
}

paos_status paos_acknowledge_commit(paos_conn *conn, int64_t id, int64_t upto)
{
    paosi_request *request;
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    status = find(conn, id, &request);
    if (status == PAOS_OK && upto > request->settles)
        request->settles = upto;
    return status;
}

size_t paosi_durable_settling(const paos_conn *conn)
{
    const paosi_request *request;
    size_t n = 0;

    for (request = conn->requests.first; request; request = request->next)
        n += request->settles != 0;
    return n;
}

void paosi_durable_settle(paos_conn *conn, paosi_statement *statements, paosi_parameter *parameters,
                          char *rooms)
{
    const paosi_request *request;
    size_t n = 0;

    for (request = conn->requests.first; request; request = request->next)
    {
        if (!request->settles)
            continue;
        make_statement(request, request->settles, &statements[n], &parameters[2 * n],
                       rooms + n * PAOSI_ARGUMENT);
        n++;
    }
}

void paosi_durable_settled(paos_conn *conn)
{
    paosi_request *request;

    for (request = conn->requests.first; request; request = request->next)
    {
        if (request->settles)
            forget_told(request, request->settles);
        request->settles = 0;
    }
}
