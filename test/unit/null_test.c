/*
 * null_test.c - every public function with NULL, with handles that are stale,
 * and with handles of another connection: PAOS_INVALID or nothing, no crash.
 *
 * The table below has a line for each function of paos.h and what it brings along; `functions`
 * counts them there, so that a new one without a line fails this test.
 */
#include "fake_world.h"
#include "unit.h"

/* What a function is tried with. */
typedef struct given
{
    paos_conn *conn;
    paos_object *object; /* NULL, stale, or of another connection */
    const paos_attribute *at;
    paos_list *list;
    paos_value value;
    const paos_value *values;
} given;

/* Returns what the function returned; PAOS_INVALID for one that returns nothing, NULL, 0, false. */
typedef paos_status (*attempt)(given *g);

#define STATUS(name, call)            \
    static paos_status name(given *g) \
    {                                 \
        (void) g;                     \
        return call;                  \
    }
#define NOTHING(name, call)                     \
    static paos_status name(given *g)           \
    {                                           \
        (void) g;                               \
        return (call) ? PAOS_OK : PAOS_INVALID; \
    }
#define VOID(name, call)              \
    static paos_status name(given *g) \
    {                                 \
        (void) g;                     \
        call;                         \
        return PAOS_INVALID;          \
    }

static void ignore(paos_conn *conn, const paos_event *event, void *arg)
{
    (void) conn;
    (void) event;
    (void) arg;
}

/* ---- with no connection ---- */

STATUS(conn_open, paos_conn_open(NULL, NULL, NULL))
VOID(conn_close, paos_conn_close(NULL))
NOTHING(conn_error, !paos_conn_error(NULL))
VOID(conn_error_clear, paos_conn_error_clear(NULL))
NOTHING(conn_conflicts, paos_conn_conflicts(NULL))
VOID(conn_stats, paos_conn_stats(NULL, NULL); paos_conn_stats(g->conn, NULL))
NOTHING(conn_fd, paos_conn_fd(NULL) != -1)
STATUS(conn_set_cache, paos_conn_set_cache(NULL, 1))
STATUS(conn_set_ahead, paos_conn_set_ahead(NULL, 1))
STATUS(conn_set_lock_wait, paos_conn_set_lock_wait(NULL, 1))
STATUS(object_new, paos_object_new(NULL, "person", &g->object))
STATUS(object_new_class, paos_object_new(g->conn, NULL, &g->object))
STATUS(object_new_out, paos_object_new(g->conn, "person", NULL))
NOTHING(class_attribute, paos_class_attribute(NULL, "person", "name"))
STATUS(register_conn, paos_register(NULL, NULL, 0))
STATUS(register_objects, paos_register(g->conn, NULL, 1))
STATUS(commit_conn, paos_commit(NULL, NULL, 0))
STATUS(commit_objects, paos_commit(g->conn, NULL, 1))
STATUS(delete_conn, paos_delete(NULL, NULL))
STATUS(get_conn, paos_get(NULL, PAOS_READ, "person", NULL, NULL, 0, &g->list))
STATUS(get_class, paos_get(g->conn, PAOS_READ, NULL, NULL, NULL, 0, &g->list))
STATUS(get_args, paos_get(g->conn, PAOS_READ, "person", "a == $1", NULL, 1, &g->list))
STATUS(get_out, paos_get(g->conn, PAOS_READ, "person", NULL, NULL, 0, NULL))
STATUS(get_with_conn, paos_get_with(NULL, PAOS_READ, "person", NULL, NULL, 0, NULL, &g->list))
STATUS(get_with_out, paos_get_with(g->conn, PAOS_READ, "person", NULL, NULL, 0, NULL, NULL))
STATUS(fetch_conn, paos_fetch(NULL, fake_id(PERSON, 1), &g->object))
STATUS(fetch_out, paos_fetch(g->conn, fake_id(PERSON, 1), NULL))
STATUS(fetch_with_conn, paos_fetch_with(NULL, fake_id(PERSON, 1), NULL, &g->object))
STATUS(fetch_with_out, paos_fetch_with(g->conn, fake_id(PERSON, 1), NULL, NULL))
STATUS(fetch_many_conn, paos_fetch_many(NULL, NULL, 0, &g->list))
STATUS(fetch_many_ids, paos_fetch_many(g->conn, NULL, 1, &g->list))
STATUS(fetch_many_out, paos_fetch_many(g->conn, NULL, 0, NULL))
NOTHING(cached, paos_cached(NULL, fake_id(PERSON, 1)))
STATUS(refresh_conn, paos_refresh(NULL, NULL, 0))
STATUS(refresh_objects, paos_refresh(g->conn, NULL, 1))
STATUS(lock_conn, paos_lock(NULL, NULL, 0, 0))
STATUS(lock_objects, paos_lock(g->conn, NULL, 1, 0))
STATUS(on_conn, paos_conn_on(NULL, PAOS_CONNECTED, NULL, NULL))
STATUS(on_what, paos_conn_on(g->conn, PAOS_OK, NULL, NULL))
STATUS(reconnect_conn, paos_conn_set_reconnect(NULL, true))
STATUS(outage_wait_conn, paos_conn_set_outage_wait(NULL, 0))
STATUS(silence_conn, paos_conn_set_silence(NULL, 0))
STATUS(silence_negative, paos_conn_set_silence(g->conn, -1))
STATUS(outcome_conn, paos_conn_outcome(NULL, &(bool){false}))
STATUS(outcome_out, paos_conn_outcome(g->conn, NULL))
STATUS(durable_conn,
       paos_subscribe_durable(NULL, "n", "person", NULL, NULL, 0, ignore, NULL, &(int64_t){0}))
STATUS(standby_conn,
       paos_subscribe_standby(NULL, "n", "person", NULL, NULL, 0, ignore, NULL, &(int64_t){0}))
STATUS(standby_name,
       paos_subscribe_standby(g->conn, NULL, "person", NULL, NULL, 0, ignore, NULL, &(int64_t){0}))
STATUS(durable_name,
       paos_subscribe_durable(g->conn, NULL, "person", NULL, NULL, 0, ignore, NULL, &(int64_t){0}))
STATUS(acknowledge_conn, paos_acknowledge(NULL, 1, 1))
STATUS(acknowledge_commit_conn, paos_acknowledge_commit(NULL, 1, 1))
STATUS(coherent_conn, paos_conn_set_coherent(NULL, true))
STATUS(dispatch_conn, paos_conn_dispatch(NULL, 0, NULL))
STATUS(subscribe_conn,
       paos_subscribe(NULL, "person", NULL, NULL, 0, ignore, NULL, &g->list, &(int64_t){0}))
STATUS(subscribe_class,
       paos_subscribe(g->conn, NULL, NULL, NULL, 0, ignore, NULL, &g->list, &(int64_t){0}))
STATUS(subscribe_args,
       paos_subscribe(g->conn, "person", "a == $1", NULL, 1, ignore, NULL, NULL, &(int64_t){0}))
STATUS(subscribe_callback,
       paos_subscribe(g->conn, "person", NULL, NULL, 0, NULL, NULL, &g->list, &(int64_t){0}))
STATUS(subscribe_out,
       paos_subscribe(g->conn, "person", NULL, NULL, 0, ignore, NULL, &g->list, NULL))
STATUS(unsubscribe_conn, paos_unsubscribe(NULL, 1))
NOTHING(list_size, paos_list_size(NULL))
NOTHING(list_at, paos_list_at(NULL, 0))
VOID(list_free, paos_list_free(NULL))

static const attempt without[] = {
    conn_open,
    conn_close,
    conn_error,
    conn_error_clear,
    conn_conflicts,
    conn_stats,
    conn_fd,
    conn_set_cache,
    conn_set_ahead,
    conn_set_lock_wait,
    object_new,
    object_new_class,
    object_new_out,
    class_attribute,
    register_conn,
    register_objects,
    commit_conn,
    commit_objects,
    delete_conn,
    get_conn,
    get_class,
    get_args,
    get_out,
    get_with_conn,
    get_with_out,
    fetch_conn,
    fetch_out,
    fetch_with_conn,
    fetch_with_out,
    fetch_many_conn,
    fetch_many_ids,
    fetch_many_out,
    cached,
    refresh_conn,
    refresh_objects,
    lock_conn,
    lock_objects,
    durable_conn,
    standby_conn,
    standby_name,
    durable_name,
    acknowledge_conn,
    acknowledge_commit_conn,
    coherent_conn,
    on_conn,
    on_what,
    reconnect_conn,
    outage_wait_conn,
    silence_conn,
    silence_negative,
    outcome_conn,
    outcome_out,
    dispatch_conn,
    subscribe_conn,
    subscribe_class,
    subscribe_args,
    subscribe_callback,
    subscribe_out,
    unsubscribe_conn,
    list_size,
    list_at,
    list_free,
};

/* ---- with a bad object ---- */

STATUS(object_set, paos_object_set(g->object, "age", paos_int(1)))
STATUS(object_get, paos_object_get(g->object, "age", &g->value))
NOTHING(object_text, paos_object_text(g->object, "name"))
NOTHING(object_int, paos_object_int(g->object, "age"))
NOTHING(object_float, paos_object_float(g->object, "age") != 0)
NOTHING(object_ref, paos_object_ref(g->object, "loves"))
STATUS(object_refs, paos_object_refs(g->object, "friends", &g->list))
NOTHING(object_ref_count, paos_object_ref_count(g->object, "friends"))
NOTHING(object_ref_item, paos_object_ref_item(g->object, "friends", 0))
NOTHING(object_ref_items, paos_object_ref_items(g->object, "friends", &g->object, 1))
NOTHING(object_id, paos_object_id(g->object))
NOTHING(object_class, paos_object_class(g->object))
NOTHING(object_exists, paos_object_exists(g->object))
STATUS(object_refresh, paos_object_refresh(g->object))
NOTHING(object_hold, paos_object_hold(g->object))
VOID(object_release, paos_object_release(g->object))
STATUS(object_set_at, paos_object_set_at(g->object, g->at, paos_int(1)))
STATUS(object_get_at, paos_object_get_at(g->object, g->at, &g->value))
NOTHING(object_text_at, paos_object_text_at(g->object, g->at))
NOTHING(object_int_at, paos_object_int_at(g->object, g->at))
NOTHING(object_float_at, paos_object_float_at(g->object, g->at) != 0)
NOTHING(object_ref_at, paos_object_ref_at(g->object, g->at))
STATUS(object_refs_at, paos_object_refs_at(g->object, g->at, &g->list))
NOTHING(object_ref_count_at, paos_object_ref_count_at(g->object, g->at))
NOTHING(object_ref_item_at, paos_object_ref_item_at(g->object, g->at, 0))
NOTHING(object_ref_items_at, paos_object_ref_items_at(g->object, g->at, &g->object, 1))

static const attempt of_object[] = {
    object_set,          object_get,      object_text,         object_int,         object_float,
    object_ref,          object_refs,     object_id,           object_class,       object_exists,
    object_refresh,      object_hold,     object_release,      object_set_at,      object_get_at,
    object_text_at,      object_int_at,   object_float_at,     object_ref_at,      object_refs_at,
    object_ref_count,    object_ref_item, object_ref_count_at, object_ref_item_at, object_ref_items,
    object_ref_items_at,
};

/* Those that also take a connection: objects of another one are bad here. */
STATUS(register_object, paos_register(g->conn, &g->object, 1))
STATUS(commit_object, paos_commit(g->conn, &g->object, 1))
STATUS(delete_object, paos_delete(g->conn, g->object))
STATUS(refresh_object, paos_refresh(g->conn, &g->object, 1))
STATUS(lock_object, paos_lock(g->conn, &g->object, 1, 0))

static const attempt of_both[] = {register_object, commit_object, delete_object, refresh_object,
                                  lock_object};

/* ---- with a good object and a bad rest ---- */

STATUS(set_name, paos_object_set(g->object, NULL, paos_int(1)))
STATUS(get_name, paos_object_get(g->object, NULL, &g->value))
STATUS(get_value, paos_object_get(g->object, "age", NULL))
NOTHING(text_name, paos_object_text(g->object, NULL))
NOTHING(int_name, paos_object_int(g->object, NULL))
NOTHING(float_name, paos_object_float(g->object, NULL) != 0)
NOTHING(ref_name, paos_object_ref(g->object, NULL))
STATUS(refs_name, paos_object_refs(g->object, NULL, &g->list))
STATUS(refs_out, paos_object_refs(g->object, "friends", NULL))
STATUS(set_at, paos_object_set_at(g->object, NULL, paos_int(1)))
STATUS(get_at, paos_object_get_at(g->object, NULL, &g->value))
STATUS(get_at_out, paos_object_get_at(g->object, g->at, NULL))
NOTHING(text_at, paos_object_text_at(g->object, NULL))
NOTHING(int_at, paos_object_int_at(g->object, NULL))
NOTHING(float_at, paos_object_float_at(g->object, NULL) != 0)
NOTHING(ref_at, paos_object_ref_at(g->object, NULL))
STATUS(refs_at, paos_object_refs_at(g->object, NULL, &g->list))
NOTHING(count_name, paos_object_ref_count(g->object, NULL))
NOTHING(item_name, paos_object_ref_item(g->object, NULL, 0))
NOTHING(count_at, paos_object_ref_count_at(g->object, NULL))
NOTHING(item_at, paos_object_ref_item_at(g->object, NULL, 0))
NOTHING(items_name, paos_object_ref_items(g->object, NULL, &g->object, 1))
NOTHING(items_at, paos_object_ref_items_at(g->object, NULL, &g->object, 1))
NOTHING(attribute_class, paos_class_attribute(g->conn, NULL, "name"))
NOTHING(attribute_name, paos_class_attribute(g->conn, "person", NULL))

static const attempt of_rest[] = {
    set_name,  get_name, get_value,  text_name,       int_name,       float_name, ref_name,
    refs_name, refs_out, set_at,     get_at,          get_at_out,     text_at,    int_at,
    float_at,  ref_at,   refs_at,    attribute_class, attribute_name, count_name, item_name,
    count_at,  item_at,  items_name, items_at,
};

/* ---- trying them ---- */

static void try_all(const attempt *attempts, size_t n, const given *with)
{
    size_t i;

    for (i = 0; i < n; i++)
    {
        given g = *with;
        paos_status status = attempts[i](&g);

        if (status != PAOS_INVALID)
            fail_msg("attempt %zu: %s", i, paos_status_name(status));
        assert_ptr_equal(g.list, with->list);
        assert_ptr_equal(g.object, with->object);
        assert_int_equal(g.value.kind, with->value.kind);
    }
}

static void without_a_connection(void **state)
{
    given g = {.conn = *state};

    try_all(without, COUNT(without), &g);
    assert_int_equal(((paos_conn *) *state)->cache.dirty.size, 0);
}

static void without_an_object(void **state)
{
    given g = {.conn = *state};

    g.at = paos_class_attribute(g.conn, "person", "age");
    try_all(of_object, COUNT(of_object), &g);
    try_all(of_both, COUNT(of_both), &g);
    g.at = NULL;
    try_all(of_object, COUNT(of_object), &g);
}

/* The cache dropped it, since nobody held it. */
static void with_a_stale_object(void **state)
{
    given g = {.conn = *state};

    assert_status(paos_fetch(g.conn, fake_id(PERSON, 1), &g.object), PAOS_OK);
    paos_object_release(g.object);
    assert_status(paos_conn_set_cache(g.conn, 0), PAOS_OK);
    g.at = paos_class_attribute(g.conn, "person", "age");
    try_all(of_object, COUNT(of_object), &g);
    try_all(of_both, COUNT(of_both), &g);
}

static void with_an_object_of_another_connection(void **state)
{
    given g = {.conn = *state};
    paos_conn *other = fake_world_open();

    assert_status(paos_fetch(other, fake_id(PERSON, 1), &g.object), PAOS_OK);
    try_all(of_both, COUNT(of_both), &g);
    assert_status(paos_conn_error(g.conn)->status, PAOS_INVALID);
    /* An attribute of another connection is another attribute. */
    g.at = paos_class_attribute(g.conn, "place", "mood");
    assert_null(paos_object_text_at(g.object, g.at));
    paos_conn_close(other);
}

static void with_a_good_object(void **state)
{
    given g = {.conn = *state};

    assert_status(paos_fetch(g.conn, fake_id(PERSON, 1), &g.object), PAOS_OK);
    g.at = paos_class_attribute(g.conn, "person", "age");
    try_all(of_rest, COUNT(of_rest), &g);
    assert_string_equal(paos_object_text(g.object, "name"), "John");
    paos_object_release(g.object);
}

static void null_makes_null_values(void **state)
{
    const paos_value values[] = {paos_null(),     paos_text(NULL),    paos_bytes(NULL, 5),
                                 paos_uuid(NULL), paos_numeric(NULL), paos_json(NULL),
                                 paos_ref(NULL),  paos_ref_id(0),     paos_array(NULL, 3)};
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(values); i++)
        assert_int_equal(values[i].kind, PAOS_KIND_NULL);
    assert_int_equal(paos_array(NULL, 0).kind, PAOS_KIND_ARRAY);
    assert_false(paos_request_attends(NULL, 1));
}

/* Functions of a connection, an object or a list that a public header declares. */
static size_t functions(const char *file)
{
    FILE *header = fopen(file, "r");
    char line[256];
    size_t n = 0;

    if (!header)
        fail_msg("run from the top of the tree");
    while (fgets(line, sizeof line, header))
        if (strchr(line, '(') && !strchr(line, '#') && !strstr(line, "* ") &&
            (strstr(line, "paos_conn *") || strstr(line, "paos_object *object") ||
             strstr(line, "paos_list *list") || strstr(line, "paos_conn_open(")))
            n++;
    fclose(header);
    return n;
}

static void every_function_is_here(void **state)
{
    static const char *const headers[] = {"src/client/paos.h", "src/client/paos_request.h",
                                          "src/client/paos_value.h"};
    size_t n = 0;
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(headers); i++)
        n += functions(headers[i]);
    assert_int_equal(n, 69);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_connection),   TEST(without_an_object),
        TEST(with_a_stale_object),    TEST(with_an_object_of_another_connection),
        TEST(with_a_good_object),     TEST(null_makes_null_values),
        TEST(every_function_is_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
