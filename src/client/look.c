/*
 * look.c - what an answer is now, and what became of it since it was last known.
 *
 * Ids and versions are read in one transaction with its snapshot: that says of
 * each commit whether the answer contains it, so that no event about it is
 * told a second time.
 */
#include "paos_int.h"

/* ---- one answer ---- */

void paosi_look_select(paosi_buffer *sql, const paosi_class *class)
{
    paosi_buffer_text(sql, "SELECT o$.");
    paosi_buffer_name(sql, class->shape->columns[class->shape->key].name);
    paosi_buffer_format(sql, "::pg_catalog.int8, o$.xmin FROM %s o$", class->table_sql);
}

paos_status paosi_look_answer(const paosi_class *class, const paosi_result *result,
                              paosi_answer *out)
{
    size_t size, row;

    for (row = 0; row < paosi_result_rows(result); row++)
    {
        const unsigned char *key = paosi_result_value(result, row, 0, &size);
        const unsigned char *version;
        int64_t number = key && size == 8 ? (int64_t) paosi_read64(key) : 0;

        version = paosi_result_value(result, row, 1, &size);
        if (number < 1 || number > PAOSI_KEY_MAX || !version || size != 4)
            return paosi_fail(class->conn, PAOS_INVALID, "key %lld of class %s is out of range",
                              (long long) number, class->name);
        if (!paosi_answer_put(out, paosi_id_make(class->root, (uint64_t) number),
                              paosi_read32(version)))
            return paosi_fail_memory(class->conn);
    }
    return PAOS_OK;
}

paos_status paosi_look_snapshot(paos_conn *conn, const paosi_result *result, paosi_snapshot **out)
{
    paos_status status = PAOS_INVALID;
    const unsigned char *text = NULL;
    size_t size;

    if (paosi_result_rows(result) == 1)
        text = paosi_result_value(result, 0, 0, &size);
    if (text)
        status = paosi_snapshot_parse((const char *) text, out);
    if (status == PAOS_NO_MEMORY)
        return paosi_fail_memory(conn);
    return status == PAOS_OK ? PAOS_OK
                             : paosi_fail(conn, PAOS_SERVER, "malformed snapshot of the server");
}

/* ---- many requests ---- */

/* Statements that come before, when requests are registered: BEGIN, this, COMMIT. */
#define REGISTERING 3

/* Statements that come before the answers: BEGIN, the snapshot, then WORDING unless registered. */
#define LOOKING 2
#define WORDING 2

/* How often names may change while they are looked at. */
#define ATTEMPTS 3

/* One for all; that it takes a number is for their settling, see subscribe.c. */
const char paosi_look_subscribe[] =
    "SELECT r$.id, pg_catalog.pg_current_xact_id() FROM ROWS FROM (pg_catalog.unnest($1),"
    " pg_catalog.unnest($2)) WITH ORDINALITY q$ (class, query, place),"
    " paos.subscribe(q$.class::pg_catalog.regclass, q$.query::paos.query) r$ (id)"
    " ORDER BY q$.place";

typedef struct looking
{
    paos_conn *conn;
    size_t size; /* requests */
    paosi_request **requests;
    bool anew;                   /* they are registered first */
    size_t count;                /* of statements */
    size_t begin, first;         /* that of the look, and the first that asks for an answer */
    paosi_buffer *sqls;          /* of those */
    paosi_parameter *parameters; /* of those, and two for registering */
    paosi_buffer classes, queries;
    paosi_wording wording;
    paosi_statement *statements;
    paosi_result **results;
} looking;

static void looking_free(looking *l)
{
    size_t i;

    for (i = 0; l->sqls && i < l->size; i++)
        paosi_buffer_free(&l->sqls[i]);
    if (l->results)
        paosi_results_free(l->results, l->count);
    paosi_buffer_free(&l->classes);
    paosi_buffer_free(&l->queries);
    paosi_wording_free(&l->wording);
    paosi_free(l->sqls);
    paosi_free(l->parameters);
    paosi_free(l->statements);
    paosi_free(l->results);
}

void paosi_look_array(paosi_buffer *array, uint32_t type, size_t n)
{
    paosi_buffer_add32(array, 1);
    paosi_buffer_add32(array, 0);
    paosi_buffer_add32(array, type);
    paosi_buffer_add32(array, (uint32_t) n);
    paosi_buffer_add32(array, 1);
}

/* The statements that register all requests. */
static void add_registering(looking *l)
{
    paosi_parameter *parameters = &l->parameters[l->size];
    size_t i;

    paosi_look_array(&l->classes, PAOSI_OID_OID, l->size);
    paosi_look_array(&l->queries, PAOSI_OID_TEXT, l->size);
    for (i = 0; i < l->size; i++)
    {
        size_t size = strlen(l->requests[i]->query);

        paosi_buffer_add32(&l->classes, 4);
        paosi_buffer_add32(&l->classes, l->requests[i]->class->table);
        paosi_buffer_add32(&l->queries, (uint32_t) size);
        paosi_buffer_add(&l->queries, l->requests[i]->query, size);
    }
    parameters[0].type = PAOSI_OID_OID_ARRAY;
    parameters[0].data = l->classes.data;
    parameters[0].size = l->classes.size;
    parameters[1].type = PAOSI_OID_TEXT_ARRAY;
    parameters[1].data = l->queries.data;
    parameters[1].size = l->queries.size;
    l->statements[0].sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    l->statements[1].sql = paosi_look_subscribe;
    l->statements[1].parameters = parameters;
    l->statements[1].count = 2;
    l->statements[2].sql = "COMMIT";
}

static void add_request(looking *l, size_t i)
{
    const paosi_request *request = l->requests[i];
    const paosi_parameter query = {0, true, request->query, 0};
    paosi_statement *statement = &l->statements[l->first + i];
    paosi_buffer *sql = &l->sqls[i];

    paosi_look_select(sql, request->class);
    if (*request->query)
        paosi_buffer_text(sql, " WHERE o$ OPERATOR(paos.@@) $1::paos.query");
    paosi_buffer_add(sql, "", 1);
    l->parameters[i] = query;
    statement->sql = sql->data;
    statement->parameters = &l->parameters[i];
    statement->count = *request->query ? 1 : 0;
}

static paos_status looking_make(looking *l)
{
    size_t i;

    l->begin = l->anew ? REGISTERING : 0;
    l->first = l->begin + (l->anew ? LOOKING : LOOKING + 1);
    l->count = l->first + l->size + 1;
    l->sqls = paosi_calloc(l->size, sizeof *l->sqls);
    l->parameters = paosi_calloc(l->size + 2, sizeof *l->parameters);
    l->statements = paosi_calloc(l->count, sizeof *l->statements);
    l->results = paosi_calloc(l->count, sizeof *l->results);
    if (!l->sqls || !l->parameters || !l->statements || !l->results)
        return paosi_fail_memory(l->conn);
    if (l->anew)
        add_registering(l);
    else if (!paosi_wording_ask(&l->wording, l->requests, l->size, &l->statements[WORDING]))
        return paosi_fail_memory(l->conn);
    l->statements[l->begin].sql = PAOSI_LOOK_BEGIN;
    l->statements[l->begin + 1].sql = PAOSI_LOOK_SNAPSHOT;
    l->statements[l->count - 1].sql = PAOSI_LOOK_END;
    for (i = 0; i < l->size; i++)
    {
        add_request(l, i);
        if (l->sqls[i].failed)
            return paosi_fail_memory(l->conn);
    }
    return l->classes.failed || l->queries.failed ? paosi_fail_memory(l->conn) : PAOS_OK;
}

/* Whose doing it is, as far as that is told. */
static void take_cause(paosi_payload *told, paosi_payload *cause)
{
    const bool known = cause->request != 0;

    told->resync = true;
    told->xid = cause->xid;
    told->pid = known ? cause->pid : -1;
    told->uid = known ? cause->uid : -1;
    told->host = cause->host;
    told->application = cause->application;
    told->ended = cause->ended;
    told->reason = cause->reason;
    memset(cause, 0, sizeof *cause);
}

/* The difference as an event, unless there is none; the request then knows the answer. */
static paos_status take_difference(paosi_request *request, paosi_answer *answer,
                                   paosi_snapshot *snapshot)
{
    paos_conn *conn = request->class->conn;
    paosi_event *event = paosi_calloc(1, sizeof *event);
    paosi_ids *refs = event ? event->told.refs : NULL;

    if (!event || !paosi_answer_compare(&request->answer, answer, &refs[PAOSI_ENTER],
                                        &refs[PAOSI_CHANGE], &refs[PAOSI_LEAVE]))
    {
        paosi_event_free(event);
        return paosi_fail_memory(conn);
    }
    paosi_request_take(&conn->requests, request, answer, snapshot);
    event->request = request;
    take_cause(&event->told, &request->cause);
    if (refs[PAOSI_ENTER].size + refs[PAOSI_CHANGE].size + refs[PAOSI_LEAVE].size == 0)
        paosi_event_free(event);
    else
        paosi_event_add(&conn->requests, event);
    return PAOS_OK;
}

/* The server's new numbers; whoever wrote while they were given may not have known of them. */
static paos_status take_numbers(const looking *l, paosi_snapshot *snapshot)
{
    const paosi_result *result = l->results[1];
    size_t size, i;

    if (paosi_result_rows(result) != l->size)
        return paosi_fail(l->conn, PAOS_SERVER, "malformed answer to subscriptions");
    for (i = 0; i < l->size; i++)
    {
        const unsigned char *id = paosi_result_value(result, i, 0, &size);

        if (!id || size != 8)
            return paosi_fail(l->conn, PAOS_SERVER, "malformed answer to subscriptions");
        paosi_requests_serve(&l->conn->requests, l->requests[i], (int64_t) paosi_read64(id));
        paosi_request_unsettle(&l->conn->requests, l->requests[i], snapshot);
    }
    return PAOS_OK;
}

static paos_status take_answers(const looking *l)
{
    paosi_snapshot *snapshot = NULL;
    paos_status status = paosi_look_snapshot(l->conn, l->results[l->begin + 1], &snapshot);
    size_t i;

    for (i = 0; status == PAOS_OK && i < l->size; i++)
    {
        paosi_answer answer = {0};

        status = paosi_look_answer(l->requests[i]->class, l->results[l->first + i], &answer);
        if (status == PAOS_OK)
            status = take_difference(l->requests[i], &answer, snapshot);
        paosi_answer_free(&answer);
    }
    if (status == PAOS_OK && l->anew)
        status = take_numbers(l, snapshot);
    paosi_snapshot_release(snapshot);
    return status;
}

static const paosi_result *first_failure(const looking *l)
{
    size_t i;

    for (i = 0; i < l->count; i++)
        if (paosi_result_outcome(l->results[i]) == PAOSI_FAILED)
            return l->results[i];
    return NULL;
}

/* Does the failure come from what a request asks for, and not from the server's state? */
static bool is_refusal(const paosi_result *failure)
{
    const char *sqlstate = paosi_result_sqlstate(failure);

    return strncmp(sqlstate, "42", 2) == 0 || strncmp(sqlstate, "22", 2) == 0 ||
           strncmp(sqlstate, "3F", 2) == 0;
}

/* Looks once; *again: by names that are others now. */
static paos_status look_once(looking *l, bool *again, bool *refused)
{
    paos_conn *conn = l->conn;
    const paosi_result *failure = NULL;
    paos_status status = looking_make(l);

    *again = *refused = false;
    if (status == PAOS_OK)
        status = paosi_conn_exchange(conn, l->statements, l->count, l->results);
    if (status != PAOS_OK)
        return status;
    failure = first_failure(l);
    if (!l->anew && paosi_result_outcome(l->results[WORDING]) == PAOSI_DONE)
        status = paosi_wording_take(conn, l->results[WORDING], l->requests, l->size, again);
    if (failure)
        status = paosi_conn_roll_back(conn, paosi_fail_result(conn, failure));
    else if (status == PAOS_OK && !*again)
        status = take_answers(l);
    *refused = failure && !conn->broken && is_refusal(failure);
    return status;
}

/* Looks at some requests; *refused when that is for what they ask. */
static paos_status look_at(paos_conn *conn, paosi_request **requests, size_t n, bool anew,
                           bool *refused)
{
    paos_status status = PAOS_OK;
    bool again = true;
    int i;

    for (i = 0; again && i < ATTEMPTS; i++)
    {
        looking l = {.conn = conn, .size = n, .requests = requests, .anew = anew};

        status = look_once(&l, &again, refused);
        looking_free(&l);
        if (conn->broken)
            return status;
    }
    return again ? paosi_fail(conn, PAOS_SERVER, "attributes are renamed all the time") : status;
}

/* ---- what cannot be answered any more ---- */

/* The class, an attribute or a privilege is gone: everything leaves, and the request ends. */
paos_status paosi_look_end(paosi_request *request, paosi_payload *told)
{
    paos_conn *conn = request->class->conn;
    paosi_event *event = paosi_calloc(1, sizeof *event);
    const paosi_answer nothing = {0};

    if (!event ||
        !paosi_answer_compare(&request->answer, &nothing, &event->told.refs[PAOSI_ENTER],
                              &event->told.refs[PAOSI_CHANGE], &event->told.refs[PAOSI_LEAVE]))
    {
        paosi_event_free(event);
        return paosi_fail_memory(conn);
    }
    event->request = request;
    take_cause(&event->told, told);
    event->ended = true;
    request->look = false;
    request->ends = true;
    paosi_event_add(&conn->requests, event);
    return PAOS_OK;
}

paos_status paosi_look_end_refused(paosi_request *request)
{
    const paos_error *error = paos_conn_error(request->class->conn);
    paosi_payload told = {0};
    paos_status status;

    told.ended = paosi_strdup(error->sqlstate);
    told.reason = paosi_strdup(error->message);
    status = paosi_look_end(request, &told);
    paosi_payload_free(&told);
    return status;
}

/* One that fails fails all that are looked at with it: then by halves, down to it. */
static paos_status look_all(paos_conn *conn, paosi_request **requests, size_t n, bool anew)
{
    bool refused;
    paos_status status = look_at(conn, requests, n, anew, &refused);

    if (!refused)
        return status;
    status = paosi_catalog_load(conn, NULL, NULL);
    if (status != PAOS_OK)
        return status;
    if (n > 1)
    {
        status = look_all(conn, requests, n / 2, anew);
        return status == PAOS_OK ? look_all(conn, requests + n / 2, n - n / 2, anew) : status;
    }
    /* The classes may have been all that was wrong. */
    status = look_at(conn, requests, 1, anew, &refused);
    return refused ? paosi_look_end_refused(requests[0]) : status;
}

/* ---- when to ---- */

static size_t choose(const paosi_requests *requests, bool all, paosi_request **out)
{
    paosi_request *request;
    size_t n = 0;

    for (request = requests->first; request; request = request->next)
        if ((all || request->look) && !request->ends && !request->members.items &&
            !request->durable)
            out[n++] = request;
    return n;
}

static paos_status look(paos_conn *conn, bool anew)
{
    paosi_requests *all = &conn->requests;
    paosi_request **chosen = paosi_malloc(all->size * sizeof(paosi_request *));
    paos_status status = PAOS_OK;
    size_t n;

    if (!chosen)
        return paosi_fail_memory(conn);
    n = choose(all, anew, chosen);
    if (n > 0 && anew)
        status = paosi_wording_follow(conn, chosen, n);
    if (n > 0 && status == PAOS_OK)
        status = look_all(conn, chosen, n, anew);
    all->look = status != PAOS_OK;
    paosi_free(chosen);
    return status;
}

paos_status paosi_look(paos_conn *conn)
{
    paos_status status;

    if (!conn->requests.look)
        return PAOS_OK;
    status = look(conn, false);
    if (status == PAOS_OK)
        status = paosi_coherent_look(conn);
    if (status == PAOS_OK)
        status = paosi_durable_read(conn);
    conn->requests.look = status != PAOS_OK;
    return status;
}

paos_status paosi_look_anew(paos_conn *conn)
{
    paos_status status = conn->requests.size ? look(conn, true) : PAOS_OK;

    return status == PAOS_OK ? paosi_standby_again(conn) : status;
}
