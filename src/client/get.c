/*
 * get.c - finding objects: by a query, or by their names.
 *
 * In mode PAOS_WRITE the answer may change between finding it and having the
 * rights on it, so that it is asked for again once they are there, until every
 * object of the answer is one whose right we have.
 */
#include "paos_int.h"

#include <stdlib.h>

#define ATTEMPTS 3
/* Answers in a row that may contain an object whose right we do not have. */
#define LOCK_ROUNDS 100

typedef struct question
{
    paosi_question of;
    const paos_get_options *options; /* may be NULL */
    uint32_t flags;                  /* of the answer's objects */
    bool locking;                    /* the answer comes whole, else as it is found */
    paosi_reach reach;               /* what it leads to */
    paosi_load load;                 /* takes the answer */
    paosi_result *result;            /* that comes whole */
} question;

static void question_free(question *q)
{
    paosi_results_free(&q->result, 1);
    paos_list_free(q->load.list);
    paosi_reach_free(&q->reach);
    paosi_question_free(&q->of);
}

/* ---- how it is got ---- */

static bool is_policy(const paos_get_options *options)
{
    return !options || (unsigned) options->load <= PAOS_LOAD_REFUSE;
}

static uint32_t policy_of(const paos_get_options *options)
{
    if (!options || options->load == PAOS_LOAD_BATCH)
        return 0;
    return options->load == PAOS_LOAD_EACH ? PAOSI_EACH : PAOSI_REFUSE;
}

static void choose_reach(question *q)
{
    paosi_reach *r = &q->reach;

    r->conn = q->of.conn;
    r->flags = q->flags;
    paosi_reach_choose(r, q->options);
    if (!paosi_reach_is_stated(r) && paosi_trail_wide(q->of.conn, q->flags))
        r->levels = 0;
}

/* ---- asking ---- */

/* The statements for the class as it is known now. */
static paos_status state(question *q)
{
    paos_status status = paosi_question_state(&q->of);

    return status == PAOS_OK && !q->locking ? paosi_reach_question(&q->reach, &q->of) : status;
}

/* An empty list for the answer; what an attempt that failed has put in another is let go. */
static paos_status begin_answer(question *q, size_t capacity)
{
    paos_list_free(q->load.list);
    q->load = (paosi_load){.conn = q->of.conn, .siblings = true, .policy = q->flags};
    q->load.list = paosi_list_new(q->of.conn, capacity);
    return q->load.list ? PAOS_OK : paosi_fail_memory(q->of.conn);
}

/* When the server refuses more than was asked for, it need not refuse that. */
static paos_status refused(question *q, bool last, bool *again)
{
    bool ahead = q->reach.levels > 0 && !paosi_reach_is_stated(&q->reach);

    *again = !last && (ahead || paosi_load_outdated(q->reach.result));
    if (ahead)
        q->reach.levels = 0;
    return *again ? PAOS_OK : paosi_fail_result(q->of.conn, q->reach.result);
}

/* Loads the answer as it comes; what came of one that fails in the end stays in the cache. */
static paos_status attempt_loading(question *q, bool last, bool *again)
{
    paos_status status = begin_answer(q, 0);

    if (status == PAOS_OK)
        status = paosi_reach_run(&q->reach, &q->load);
    if (status != PAOS_OK)
        return status;
    return paosi_reach_refused(&q->reach) ? refused(q, last, again)
                                          : paosi_reach_check(&q->reach, last, again);
}

/* With a right to be taken first, when `lock` is given. */
static paos_status attempt(question *q, const paosi_lock_call *lock, int timeout_ms, bool last,
                           bool *again)
{
    paosi_statement statements[2];
    paosi_result *results[2] = {NULL, NULL};
    paos_status status;
    size_t n = 0;

    if (lock)
        statements[n++] = lock->statement;
    statements[n++] = q->of.statement;
    status = paosi_conn_exchange(q->of.conn, statements, n, results);
    if (status == PAOS_OK && lock)
        status = paosi_lock_outcome(q->of.conn, results[0], lock, timeout_ms);
    if (status == PAOS_OK)
        status = paosi_load_check(q->of.class, results[n - 1], last, again);
    paosi_results_free(&q->result, 1);
    if (status == PAOS_OK && !*again)
    {
        q->result = results[n - 1];
        results[n - 1] = NULL;
    }
    paosi_results_free(results, n);
    return status;
}

/* Asks until the result fits the class. */
static paos_status ask(question *q, const paosi_lock_call *lock, int timeout_ms)
{
    paos_status status = PAOS_OK;
    bool again = true;
    int i;

    for (i = 1; status == PAOS_OK && again; i++)
    {
        again = false;
        status = state(q);
        if (status == PAOS_OK && q->locking)
            status = attempt(q, lock, timeout_ms, i == ATTEMPTS, &again);
        else if (status == PAOS_OK)
            status = attempt_loading(q, i == ATTEMPTS, &again);
        if (status == PAOS_OK && again)
            status = paosi_catalog_load(q->of.conn, NULL, NULL);
    }
    return status;
}

/* ---- rights on all of an answer ---- */

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a;
    uint64_t y = *(const uint64_t *) b;

    return (x > y) - (x < y);
}

/* Sets `more` to the objects of the answer that are not among `ids`, which are sorted. */
static paos_status find_unlocked(question *q, const paosi_ids *ids, paosi_ids *more)
{
    paos_status status;
    size_t kept = 0;
    size_t i;

    more->size = 0;
    status = paosi_load_list_ids(q->of.class, q->result, more);
    for (i = 0; i < more->size; i++)
        if (ids->size == 0 ||
            !bsearch(&more->items[i], ids->items, ids->size, sizeof *ids->items, compare_ids))
            more->items[kept++] = more->items[i];
    more->size = kept;
    return status;
}

static paos_status add_locked(paos_conn *conn, paosi_ids *ids, const paosi_ids *more)
{
    size_t i;

    for (i = 0; i < more->size; i++)
        if (!paosi_ids_add(ids, more->items[i]))
            return paosi_fail_memory(conn);
    qsort(ids->items, ids->size, sizeof *ids->items, compare_ids);
    return paosi_lock_note(conn, more);
}

/* Takes the rights on what the answer has more, and asks again. */
static paos_status lock_and_ask(question *q, const paosi_ids *more)
{
    int wait = q->of.conn->lock_wait;
    paosi_lock_call lock;
    paos_status status;

    paosi_lock_prepare(&lock, q->of.conn, more->items, more->size, wait);
    status = lock.refs.failed ? paosi_fail_memory(q->of.conn) : ask(q, &lock, wait);
    paosi_buffer_free(&lock.refs);
    return status;
}

static paos_status lock_answer(question *q)
{
    paosi_ids ids = {0}, more = {0};
    paos_status status = find_unlocked(q, &ids, &more);
    int round;

    for (round = 0; status == PAOS_OK && more.size > 0; round++)
    {
        if (round == LOCK_ROUNDS)
            status = paosi_fail(q->of.conn, PAOS_CONFLICT, "the answer keeps changing");
        else
            status = lock_and_ask(q, &more);
        if (status == PAOS_OK)
            status = add_locked(q->of.conn, &ids, &more);
        /* One was deleted meanwhile, so that none was locked: look what is there now. */
        if (status == PAOS_NOT_FOUND)
            status = ask(q, NULL, 0);
        if (status == PAOS_OK)
            status = find_unlocked(q, &ids, &more);
    }
    paosi_free(ids.items);
    paosi_free(more.items);
    return status;
}

/* ---- paos_get ---- */

/* What the objects of an answer lead to, when they had to be locked first. */
static paos_status prefetch(question *q, const paos_list *answer)
{
    paosi_reach *r = &q->reach;
    paosi_load load = {.conn = q->of.conn, .siblings = true, .policy = q->flags};
    paosi_ids ids = {0};
    paos_status status = PAOS_OK;
    bool again = false;
    size_t i;

    for (i = 0; status == PAOS_OK && i < answer->size; i++)
        if (!paosi_ids_add(&ids, paosi_object_name(answer->items[i])))
            status = paosi_fail_memory(q->of.conn);
    if (status == PAOS_OK)
        status = paosi_reach_ids(r, &ids);
    if (status == PAOS_OK)
        status = paosi_reach_run(r, &load);
    if (status == PAOS_OK)
        status = paosi_reach_check(r, true, &again);
    paosi_free(ids.items);
    return status;
}

/* The answer whose objects are all locked. */
static paos_status load_locked(question *q)
{
    paos_status status = begin_answer(q, paosi_result_rows(q->result));

    if (status == PAOS_OK)
        status = paosi_load_rows(&q->load, q->of.class, q->result);
    /* The result can be as large as the answer: do not keep it while more is loaded. */
    paosi_results_free(&q->result, 1);
    if (status == PAOS_OK && paosi_reach_is_stated(&q->reach))
        status = prefetch(q, q->load.list);
    return status;
}

static paos_status hand_out(question *q, paos_list **out)
{
    paos_status status = q->locking ? load_locked(q) : PAOS_OK;

    if (q->load.list)
        paosi_trail_began(q->of.conn, q->flags, q->load.list->size);
    if (status == PAOS_OK)
    {
        *out = q->load.list;
        q->load.list = NULL;
    }
    paosi_cache_trim(q->of.conn, NULL);
    return status;
}

/* Rights are taken on an answer first: what it leads to comes after it. */
static void begin(question *q, paos_mode mode)
{
    q->flags = policy_of(q->options);
    if (q->flags == 0)
        q->flags = paosi_trail_begin(q->of.conn, q->of.class);
    choose_reach(q);
    q->locking = mode == PAOS_WRITE;
}

paos_status paos_get_with(paos_conn *conn, paos_mode mode, const char *class_name,
                          const char *query, const paos_value *args, size_t nargs,
                          const paos_get_options *options, paos_list **out)
{
    question q = {.of = {.conn = conn, .class_name = class_name, .nargs = nargs},
                  .options = options};
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    if (!out || (mode != PAOS_READ && mode != PAOS_WRITE) || !is_policy(options))
        return paosi_fail(conn, PAOS_INVALID, "out, mode or options are not valid");
    status = paosi_question_make(&q.of, query, args);
    if (status == PAOS_OK)
        status = paosi_reconnect(conn);
    if (status == PAOS_OK)
        status = paosi_class_find(conn, class_name, &q.of.class);
    if (status == PAOS_OK)
        begin(&q, mode);
    if (status == PAOS_OK)
        status = ask(&q, NULL, 0);
    if (status == PAOS_OK && mode == PAOS_WRITE)
        status = lock_answer(&q);
    if (status == PAOS_OK)
        status = hand_out(&q, out);
    question_free(&q);
    return status;
}

paos_status paos_get(paos_conn *conn, paos_mode mode, const char *class_name, const char *query,
                     const paos_value *args, size_t nargs, paos_list **out)
{
    return paos_get_with(conn, mode, class_name, query, args, nargs, NULL, out);
}

/* ---- by name ---- */

static paos_status fetch_missing(paos_conn *conn, paos_id id, const paos_get_options *options,
                                 paos_object **out)
{
    paosi_load load = {.conn = conn, .siblings = true, .options = options};
    paosi_ids ids = {0};
    paos_object *object;
    paos_status status;

    load.policy = policy_of(options);
    if (load.policy == 0)
        load.policy = paosi_trail_begin(conn, paosi_class_by_number(conn, paosi_id_class(id)));
    conn->stats.misses++;
    if (!paosi_ids_add(&ids, id))
        return paosi_fail_memory(conn);
    status = paosi_load_ids(&load, &ids);
    paosi_free(ids.items);
    if (status != PAOS_OK)
        return status;
    if (paosi_reference_find(conn, id, &object) != PAOSI_KNOWN_PRESENT)
        return paosi_fail(conn, PAOS_NOT_FOUND, "object %u:%llu does not exist", paosi_id_class(id),
                          (unsigned long long) paosi_id_key(id));
    *out = paos_object_hold(object);
    paosi_cache_trim(conn, NULL);
    return PAOS_OK;
}

static paos_status names_nothing(paos_conn *conn, paos_id id)
{
    return paosi_fail(conn, PAOS_INVALID, "id %u:%llu names no class", paosi_id_class(id),
                      (unsigned long long) paosi_id_key(id));
}

paos_status paos_fetch_with(paos_conn *conn, paos_id id, const paos_get_options *options,
                            paos_object **out)
{
    paosi_class *class = NULL;
    paos_object *object;
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    if (!out || !is_policy(options))
        return paosi_fail(conn, PAOS_INVALID, "out or options are not valid");
    /* No class has number 0: nothing has to be read to know that. */
    if (paosi_id_class(id) == 0 || paosi_id_class(id) > PAOSI_CLASS_MAX)
        return names_nothing(conn, id);
    if (paosi_reference_find(conn, id, &object) == PAOSI_KNOWN_NOT &&
        (status = paosi_reconnect(conn)) != PAOS_OK)
        return status;
    status = paosi_catalog_number(conn, paosi_id_class(id), &class);
    if (status != PAOS_OK)
        return status;
    if (!class || class->gone || paosi_id_key(id) == 0)
        return names_nothing(conn, id);
    if (paosi_reference_find(conn, id, &object) != PAOSI_KNOWN_PRESENT)
        return fetch_missing(conn, id, options, out);
    conn->stats.hits++;
    *out = paos_object_hold(object);
    return PAOS_OK;
}

paos_status paos_fetch(paos_conn *conn, paos_id id, paos_object **out)
{
    return paos_fetch_with(conn, id, NULL, out);
}

/* Names of one class are where a walk may begin. */
static paos_status load_names(paosi_load *load, paosi_ids *ids)
{
    paosi_class *class = NULL;
    paos_status status = paosi_catalog_number(load->conn, paosi_id_class(ids->items[0]), &class);

    if (status != PAOS_OK)
        return status;
    if (class && !class->gone)
        load->policy = paosi_trail_begin(load->conn, class);
    return paosi_load_ids(load, ids);
}

/* Loads those of the objects that are not here. */
static paos_status load_missing(paos_conn *conn, const paos_id *names, size_t n)
{
    paosi_load load = {.conn = conn, .siblings = true};
    paosi_ids ids = {0};
    paos_object *object;
    paos_status status = PAOS_OK;
    size_t i;

    for (i = 0; status == PAOS_OK && i < n; i++)
        if (paosi_reference_find(conn, names[i], &object) == PAOSI_KNOWN_NOT &&
            paosi_id_key(names[i]) && !paosi_id_temporary(names[i]) &&
            !paosi_ids_add(&ids, names[i]))
            status = paosi_fail_memory(conn);
    conn->stats.hits += n - ids.size;
    conn->stats.misses += ids.size;
    if (status == PAOS_OK && ids.size > 0)
        status = paosi_reconnect(conn);
    if (status == PAOS_OK && ids.size > 0)
        status = load_names(&load, &ids);
    paosi_free(ids.items);
    return status;
}

paos_status paos_fetch_many(paos_conn *conn, const paos_id *ids, size_t n, paos_list **out)
{
    paos_status status;
    paos_list *list;
    size_t i;

    if (!conn)
        return PAOS_INVALID;
    if (!out || (n > 0 && !ids))
        return paosi_fail(conn, PAOS_INVALID, "%s must not be NULL", out ? "ids" : "out");
    status = load_missing(conn, ids, n);
    if (status != PAOS_OK)
        return status;
    list = paosi_list_new(conn, n);
    if (!list)
        return paosi_fail_memory(conn);
    for (i = 0; i < n; i++)
    {
        paos_object *object;

        /* There is room for all: nothing can fail. */
        if (paosi_reference_find(conn, ids[i], &object) == PAOSI_KNOWN_PRESENT)
            paosi_list_add(list, object);
    }
    paosi_cache_trim(conn, NULL);
    *out = list;
    return PAOS_OK;
}

paos_object *paos_cached(paos_conn *conn, paos_id id)
{
    paos_object *object = NULL;

    if (!conn || paosi_id_temporary(id) ||
        paosi_reference_find(conn, id, &object) == PAOSI_KNOWN_ABSENT || !object)
        return NULL;
    conn->stats.hits++;
    if (object->flags & PAOSI_CLEAN)
        paosi_cache_place(object);
    return object;
}
