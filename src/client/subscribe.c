/*
 * subscribe.c - registering a request with its first answer, and ending it.
 *
 * One round trip, two transactions: the session listens from the end of the
 * first on, and the second reads what is there then.  A commit is in the answer
 * or told afterwards; the snapshot of the second says which, and which writers
 * were at work who may not have known of the request.
 */
#include "paos_int.h"

#define ATTEMPTS 3

/* The statements, in their order. */
enum
{
    BEGIN_FIRST,
    SUBSCRIBE,
    COMMIT_FIRST,
    BEGIN_SECOND,
    SNAPSHOT,
    ANSWER,
    COMMIT_SECOND,
    STATEMENTS
};

/*
 * A snapshot lists only what runs below the newest transaction that has ended.
 * So that it lists every writer who may not know of the request, this one gets
 * a number after registering, and ends before the snapshot is taken.
 */
static const char sql_subscribe[] =
    "SELECT r$.id, q$.query::pg_catalog.text,"
    " paos.query_bound(%u::pg_catalog.regclass, q$.query)::pg_catalog.text,"
    " pg_catalog.pg_current_xact_id() FROM (SELECT ";
static const char sql_subscribe_end[] =
    ") q$ (query), paos.subscribe(%u::pg_catalog.regclass, q$.query) r$ (id)";

typedef struct subscription
{
    paosi_question of;
    bool objects; /* are wanted, not only their ids */
    paosi_buffer subscribe, look;
    paosi_result *results[STATEMENTS];
    paosi_request *request;
    int64_t server; /* the request's number there; 0: not registered */
} subscription;

static void subscription_free(subscription *s)
{
    paosi_results_free(s->results, STATEMENTS);
    paosi_request_free(s->request);
    paosi_buffer_free(&s->subscribe);
    paosi_buffer_free(&s->look);
    paosi_question_free(&s->of);
}

/* ---- asking ---- */

static paos_status state(subscription *s)
{
    paosi_question *q = &s->of;
    paos_status status = paosi_question_state(q);

    if (status != PAOS_OK)
        return status;
    paosi_buffer_reset(&s->subscribe);
    paosi_buffer_format(&s->subscribe, sql_subscribe, q->class->table);
    paosi_question_value(q, &s->subscribe);
    paosi_buffer_format(&s->subscribe, sql_subscribe_end, q->class->table);
    paosi_buffer_add(&s->subscribe, "", 1);
    paosi_buffer_reset(&s->look);
    paosi_look_select(&s->look, q->class);
    if (q->query)
    {
        paosi_buffer_text(&s->look, " WHERE o$ OPERATOR(paos.@@) ");
        paosi_question_value(q, &s->look);
    }
    paosi_buffer_add(&s->look, "", 1);
    return s->subscribe.failed || s->look.failed ? paosi_fail_memory(q->conn) : PAOS_OK;
}

static paos_status send(subscription *s)
{
    const paosi_question *q = &s->of;
    const paosi_statement statements[STATEMENTS] = {
        [BEGIN_FIRST] = {.sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
        [SUBSCRIBE] = {.sql = s->subscribe.data,
                       .parameters = q->parameters,
                       .count = q->nargs + 1},
        [COMMIT_FIRST] = {.sql = "COMMIT"},
        [BEGIN_SECOND] = {.sql = PAOSI_LOOK_BEGIN},
        [SNAPSHOT] = {.sql = PAOSI_LOOK_SNAPSHOT},
        [ANSWER] = {.sql = s->objects ? q->statement.sql : s->look.data,
                    .parameters = q->parameters,
                    .count = q->statement.count},
        [COMMIT_SECOND] = {.sql = PAOSI_LOOK_END},
    };

    return paosi_conn_exchange(q->conn, statements, STATEMENTS, s->results);
}

/* ---- taking it in ---- */

/* The new request: what the server says of it. */
static paos_status take_request(subscription *s)
{
    const paosi_result *result = s->results[SUBSCRIBE];
    const unsigned char *id, *query, *bound;
    size_t size, text_size;

    if (paosi_result_outcome(s->results[COMMIT_FIRST]) != PAOSI_DONE ||
        paosi_result_rows(result) != 1 || paosi_result_columns(result) < 3)
        return PAOS_OK;
    id = paosi_result_value(result, 0, 0, &size);
    query = paosi_result_value(result, 0, 1, &text_size);
    bound = paosi_result_value(result, 0, 2, &text_size);
    if (!id || size != 8 || !query || !bound)
        return PAOS_OK;
    s->server = (int64_t) paosi_read64(id);
    paosi_free(s->request->query);
    paosi_free(s->request->bound);
    s->request->query = paosi_strdup((const char *) query);
    s->request->bound = paosi_strdup((const char *) bound);
    return s->request->query && s->request->bound ? PAOS_OK : paosi_fail_memory(s->of.conn);
}

static paos_status take_answer(subscription *s, bool last, bool *again)
{
    paos_conn *conn = s->of.conn;
    const paosi_result *result = s->results[ANSWER];
    paosi_snapshot *snapshot = NULL;
    paosi_answer answer = {0};
    paos_status status = PAOS_OK;

    if (s->objects)
        status = paosi_load_check(s->of.class, result, last, again);
    if (status != PAOS_OK || *again)
        return status;
    status = paosi_look_snapshot(conn, s->results[SNAPSHOT], &snapshot);
    if (status == PAOS_OK)
        status = s->objects ? paosi_load_answer(s->of.class, result, &answer)
                            : paosi_look_answer(s->of.class, result, &answer);
    s->request->class = s->of.class;
    if (status == PAOS_OK)
        paosi_request_take(&conn->requests, s->request, &answer, snapshot);
    paosi_answer_free(&answer);
    paosi_snapshot_release(snapshot);
    return status;
}

/* The first error of an exchange; *again when it may be that the classes have changed. */
static paos_status judge(subscription *s, bool last, bool *again)
{
    size_t i;

    for (i = 0; i < STATEMENTS; i++)
        if (paosi_result_outcome(s->results[i]) == PAOSI_FAILED)
        {
            *again = !last && paosi_load_outdated(s->results[i]);
            return paosi_conn_roll_back(s->of.conn, paosi_fail_result(s->of.conn, s->results[i]));
        }
    return PAOS_OK;
}

/* Ends what came of an attempt on the server; why it failed is still what is to be reported. */
static void give_up(subscription *s)
{
    paos_conn *conn = s->of.conn;
    const paosi_error error = conn->error;

    if (!s->server)
        return;
    conn->error.texts = NULL;
    /* Better no connection than a request that nobody knows of. */
    if (!conn->broken && paosi_subscribe_end(conn, s->server) != PAOS_OK && !conn->broken)
        paosi_conn_break(conn);
    paosi_free(conn->error.texts);
    conn->error = error;
    s->server = 0;
}

static paos_status attempt(subscription *s, bool last, bool *again)
{
    paos_status status = state(s), judged;

    paosi_results_free(s->results, STATEMENTS);
    if (status == PAOS_OK)
        status = send(s);
    if (status != PAOS_OK)
        return status;
    status = take_request(s);
    judged = judge(s, last, again);
    if (judged != PAOS_OK)
        status = judged;
    if (status == PAOS_OK && !s->server)
        status = paosi_fail(s->of.conn, PAOS_SERVER, "malformed answer to a subscription");
    if (status == PAOS_OK)
        status = take_answer(s, last, again);
    if (status != PAOS_OK || *again)
        give_up(s);
    return status;
}

static paos_status ask(subscription *s)
{
    paos_conn *conn = s->of.conn;
    paos_status status = PAOS_OK;
    bool again = true;
    int i;

    s->request = paosi_calloc(1, sizeof *s->request);
    if (!s->request)
        return paosi_fail_memory(conn);
    for (i = 1; again; i++)
    {
        again = false;
        status = attempt(s, i == ATTEMPTS, &again);
        if (again)
            status = paosi_catalog_load(conn, NULL, NULL);
        again = again && status == PAOS_OK;
    }
    return status;
}

static paos_status load_objects(subscription *s, paos_list **out)
{
    paosi_load load = {.conn = s->of.conn, .siblings = true};
    paos_status status;

    load.list = paosi_list_new(s->of.conn, paosi_result_rows(s->results[ANSWER]));
    if (!load.list)
        return paosi_fail_memory(s->of.conn);
    status = paosi_load_rows(&load, s->of.class, s->results[ANSWER]);
    if (status == PAOS_OK)
        *out = load.list;
    else
        paos_list_free(load.list);
    return status;
}

/* ---- paos_subscribe ---- */

static paos_status subscribe(subscription *s, paos_callback callback, void *arg, paos_list **first,
                             int64_t *out)
{
    paosi_requests *requests = &s->of.conn->requests;
    paosi_request *request;
    paos_list *list = NULL;
    paos_status status = ask(s);

    if (status == PAOS_OK && first)
        status = load_objects(s, &list);
    if (status == PAOS_OK && !paosi_requests_add(requests, s->request, s->server))
    {
        paos_list_free(list);
        status = paosi_fail_memory(s->of.conn);
    }
    if (status != PAOS_OK)
    {
        give_up(s);
        return status;
    }
    request = s->request;
    s->request = NULL;
    request->callback = callback;
    request->arg = arg;
    paosi_request_unsettle(requests, request, request->seen);
    if (first)
        *first = list;
    *out = request->id;
    return PAOS_OK;
}

paos_status paos_subscribe(paos_conn *conn, const char *class_name, const char *query,
                           const paos_value *args, size_t nargs, paos_callback callback, void *arg,
                           paos_list **first, int64_t *request)
{
    subscription s = {.of = {.conn = conn, .class_name = class_name, .nargs = nargs},
                      .objects = first != NULL};
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    if (!callback || !request)
        return paosi_fail(conn, PAOS_INVALID, "callback and request must not be NULL");
    status = paosi_question_make(&s.of, query, args);
    if (status == PAOS_OK)
        status = paosi_reconnect(conn);
    if (status == PAOS_OK)
        status = subscribe(&s, callback, arg, first, request);
    subscription_free(&s);
    if (status == PAOS_OK)
    {
        paosi_dispatch_arm(conn);
        paosi_cache_trim(conn, NULL);
    }
    return status;
}

/* ---- paos_unsubscribe ---- */

paos_status paosi_subscribe_end(paos_conn *conn, int64_t server)
{
    unsigned char number[8];
    const paosi_parameter parameter = {PAOSI_OID_INT8, false, number, sizeof number};
    const paosi_statement statement = {
        .sql = "SELECT paos.unsubscribe($1)", .parameters = &parameter, .count = 1};
    paosi_result *result;
    paos_status status;

    paosi_write64(number, (uint64_t) server);
    status = paosi_conn_exchange(conn, &statement, 1, &result);
    /* undefined_object: the server has ended it already. */
    if (status == PAOS_OK && paosi_result_outcome(result) == PAOSI_FAILED &&
        strcmp(paosi_result_sqlstate(result), "42704") != 0)
        status = paosi_fail_result(conn, result);
    paosi_results_free(&result, 1);
    return status;
}

paos_status paos_unsubscribe(paos_conn *conn, int64_t id)
{
    paosi_request *request;
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    request = paosi_requests_find(&conn->requests, id);
    if (!request || request->members.items)
        return paosi_fail(conn, PAOS_NOT_FOUND, "request %lld does not exist", (long long) id);
    /* With a connection goes what the server has; who stands by has nothing there. */
    status =
        conn->broken || request->stands_by ? PAOS_OK : paosi_subscribe_end(conn, request->server);
    if (status != PAOS_OK && !conn->broken)
        return status;
    paosi_requests_drop(&conn->requests, request);
    return PAOS_OK;
}
