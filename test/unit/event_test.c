/*
 * event_test.c - requests, events and reconnecting, on a fake server.
 *
 * `mirror` is what a program that only follows events thinks the answer is.
 * Whatever mishap there is, at each place there is, it ends up equal to what
 * is stored: nothing is missed and nothing told twice.
 */
#include "fake_world.h"
#include "unit.h"

#define KEYS 10

typedef struct mirror
{
    bool has[KEYS];
    size_t events, wrong, signals;
    int64_t request;
} mirror;

static void apply(mirror *m, const paos_list *list, bool has, bool had)
{
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
    {
        uint64_t key = paosi_id_key(paos_object_id(paos_list_at(list, i)));

        assert_in_range(key, 1, KEYS - 1);
        m->wrong += m->has[key] != had;
        m->has[key] = has;
    }
}

static void follow(paos_conn *conn, const paos_event *event, void *arg)
{
    mirror *m = arg;

    (void) conn;
    assert_int_equal(event->request, m->request);
    m->events++;
    apply(m, event->entered, true, false);
    apply(m, event->changed, true, true);
    apply(m, event->left, false, true);
}

static void signalled(paos_conn *conn, paos_status what, const paos_list *objects, void *arg)
{
    (void) conn;
    (void) what;
    (void) objects;
    ++*(size_t *) arg;
}

static paos_status subscribe(paos_conn *conn, mirror *m)
{
    paos_list *first = NULL;
    paos_status status =
        paos_subscribe(conn, "person", "age > 1", NULL, 0, follow, m, &first, &m->request);

    if (status == PAOS_OK)
        apply(m, first, true, false);
    else
        assert_null(first);
    paos_list_free(first);
    return status;
}

/* Whether what is stored is what was told. */
static bool is_true(const mirror *m)
{
    int64_t key;

    for (key = 1; key < KEYS; key++)
        if (m->has[key] != (key == 4 ? fake_exists(CHILD, key) : fake_exists(PERSON, key)))
            return false;
    return m->wrong == 0;
}

static void enter(int64_t request)
{
    fake_object(PERSON, fake_int8(5), fake_text("Ann"), fake_int4(30), fake_null(), fake_null(),
                fake_null(), fake_null());
    fake_tell(request, "\"enter\":[\"1:5\"],\"change\":[],\"leave\":[]");
}

static void leave(int64_t request)
{
    fake_remove(PERSON, 3);
    fake_tell(request, "\"enter\":[],\"change\":[],\"leave\":[\"1:3\"]");
}

/* ---- without mishaps ---- */

static void a_request_is_one_round_trip(void **state)
{
    mirror m = {0};

    assert_non_null(paos_class_attribute(*state, "person", "name"));
    fake_log_clear();
    assert_status(subscribe(*state, &m), PAOS_OK);
    assert_int_equal(fake_exchanges(), 1);
    assert_true(is_true(&m));
}

static void events_are_told(void **state)
{
    mirror m = {0};
    size_t handled = 0;
    paos_object *bill = NULL;

    assert_status(subscribe(*state, &m), PAOS_OK);
    assert_status(paos_fetch(*state, fake_id(PERSON, 3), &bill), PAOS_OK);
    assert_status(paos_conn_dispatch(*state, 0, &handled), PAOS_OK);
    assert_int_equal(handled, 0);
    enter(m.request);
    leave(m.request);
    assert_status(paos_conn_dispatch(*state, -1, &handled), PAOS_OK);
    assert_int_equal(handled, 2);
    assert_true(is_true(&m));
    assert_false(paos_object_exists(bill));
    paos_object_release(bill);
}

/* A commit that the first answer had, told late. */
static void what_the_answer_had_is_not_told(void **state)
{
    mirror m = {0};
    char text[200];
    size_t handled = 9;

    assert_status(subscribe(*state, &m), PAOS_OK);
    snprintf(text, sizeof text,
             "{\"request\":%lld,\"enter\":[\"1:1\"],\"change\":[],\"leave\":[\"1:2\"],"
             "\"author\":null,\"xid\":\"700\",\"part\":[1,1]}",
             (long long) m.request);
    fake_notify(text);
    assert_status(paos_conn_dispatch(*state, 0, &handled), PAOS_OK);
    assert_int_equal(handled, 0);
    assert_true(is_true(&m));
}

static void parts_are_put_together(void **state)
{
    paos_conn *conn = *state;
    mirror m = {0};
    char text[300];
    int i;

    assert_status(subscribe(conn, &m), PAOS_OK);
    for (i = 1; i <= 3; i++)
    {
        snprintf(text, sizeof text,
                 "{\"request\":%lld,\"enter\":[\"1:%d\"],\"change\":[],\"leave\":[],"
                 "\"author\":null,\"xid\":\"99999999999\",\"part\":[%d,3]}",
                 (long long) m.request, 5 + i, i);
        fake_notify(text);
        assert_status(paos_conn_dispatch(conn, 0, NULL), PAOS_OK);
        assert_int_equal(m.events, i == 3);
    }
    assert_true(m.has[6] && m.has[7] && m.has[8]);
}

/* The first part never came: what it would have told is looked for. */
static void a_lost_part_is_looked_for(void **state)
{
    mirror m = {0};
    char text[300];

    assert_status(subscribe(*state, &m), PAOS_OK);
    fake_remove(PERSON, 3);
    snprintf(text, sizeof text,
             "{\"request\":%lld,\"enter\":[],\"change\":[],\"leave\":[\"1:2\"],"
             "\"author\":null,\"xid\":\"99999999999\",\"part\":[2,2]}",
             (long long) m.request);
    fake_notify(text);
    assert_status(paos_conn_dispatch(*state, 0, NULL), PAOS_OK);
    assert_true(is_true(&m));
    assert_int_equal(m.events, 1);
}

static void follow_resync(paos_conn *conn, const paos_event *event, void *arg)
{
    assert_true(event->resync);
    follow(conn, event, arg);
}

/*
 * A commit that is not told took an object out, which the next one put in again: that is no
 * change by the second, and what both did is told by the look.
 */
static void what_comes_after_a_gap_is_looked_for(void **state)
{
    mirror m = {0};
    paos_list *first = NULL;
    char text[100];

    assert_status(
        paos_subscribe(*state, "person", "age > 1", NULL, 0, follow_resync, &m, &first, &m.request),
        PAOS_OK);
    apply(&m, first, true, false);
    paos_list_free(first);
    fake_remove(PERSON, 3);
    snprintf(text, sizeof text, "{\"request\":%lld,\"resync\":true,\"part\":[1,1]}",
             (long long) m.request);
    fake_notify(text);
    fake_object(PERSON, fake_int8(3), fake_text("Bill"), fake_int4(31), fake_null(), fake_null(),
                fake_null(), fake_null());
    fake_tell(m.request, "\"enter\":[\"1:3\"],\"change\":[],\"leave\":[]");
    assert_status(paos_conn_dispatch(*state, 0, NULL), PAOS_OK);
    assert_true(is_true(&m));
    assert_int_equal(m.events, 1);
}

static void what_is_none_of_ours_is_counted(void **state)
{
    static const char *const texts[] = {
        "",
        "hello",
        "{}",
        "[1]",
        "{\"request\":101}",
        "{\"request\":999,\"enter\":[],\"change\":[],\"leave\":[],\"xid\":\"9\",\"part\":[1,1]}",
        "{\"request\":101,\"enter\":[\"7:1\"],\"change\":[],\"leave\":[],\"xid\":\"99999999999\","
        "\"part\":[1,1]}",
        "{\"request\":101,\"enter\":[\"2:1\"],\"change\":[],\"leave\":[],\"xid\":\"99999999999\","
        "\"part\":[1,1]}"};
    mirror m = {0};
    paos_stats stats;
    size_t i;

    assert_status(subscribe(*state, &m), PAOS_OK);
    for (i = 0; i < COUNT(texts); i++)
        fake_notify(texts[i]);
    assert_status(paos_conn_dispatch(*state, 0, NULL), PAOS_OK);
    paos_conn_stats(*state, &stats);
    assert_int_equal(stats.foreign, COUNT(texts));
    assert_int_equal(stats.events, 0);
}

static void silence_is_noticed(void **state)
{
    paos_conn *conn = *state;
    size_t signals = 0;

    assert_status(paos_conn_set_silence(conn, 20), PAOS_OK);
    assert_status(paos_conn_on(conn, PAOS_DISCONNECTED, signalled, &signals), PAOS_OK);
    fake_answer_pings(false);
    assert_status(paos_conn_dispatch(conn, -1, NULL), PAOS_OK);
    assert_int_equal(signals, 1);
    assert_true(conn->broken);
}

static void refused_for_good(void **state)
{
    paos_conn *conn = *state;

    fake_lock_out();
    fake_hang_up();
    assert_status(paos_conn_dispatch(conn, -1, NULL), PAOS_REFUSED);
    assert_status(paos_commit(conn, NULL, 0), PAOS_REFUSED);
}

/* ---- with mishaps ---- */

/* The next attempt to reconnect need not wait. */
static void hurry(paos_conn *conn)
{
    conn->outage.next = 1;
}

static void must_go_on(const paos_conn *conn, paos_status status, const char *step)
{
    if (status != PAOS_OK && status != PAOS_NO_MEMORY && status != PAOS_DISCONNECTED)
        fail_msg("%s: %s: %s", step, paos_status_name(status), paos_conn_error(conn)->message);
}

/* Subscribes, hears of two commits and unsubscribes, trying again whatever fails. */
static void scenario(paos_conn *conn)
{
    mirror m = {0};
    paos_status status;
    int i;

    fake_come_back();
    for (i = 0; (status = subscribe(conn, &m)) != PAOS_OK; i++)
    {
        must_go_on(conn, status, "subscribe");
        assert_int_equal(conn->requests.size, 0);
        assert_in_range(i, 0, 3);
        hurry(conn);
    }
    enter(m.request);
    leave(m.request);
    for (i = 0; !is_true(&m) || conn->requests.look || conn->broken; i++)
    {
        must_go_on(conn, paos_conn_dispatch(conn, 0, NULL), "dispatch");
        assert_in_range(i, 0, 10);
        hurry(conn);
    }
    assert_int_equal(m.wrong, 0);
    for (i = 0; (status = paos_unsubscribe(conn, m.request)) != PAOS_OK; i++)
    {
        must_go_on(conn, status, "unsubscribe");
        assert_in_range(i, 0, 3);
        hurry(conn);
    }
    assert_int_equal(conn->requests.size, 0);
}

static paos_conn *begin(void)
{
    fake_world_begin();
    fake_world_people();
    return fake_world_open();
}

static void end(paos_conn *conn)
{
    paos_conn_close(conn);
    fake_world_end();
}

static void memory_runs_out(void **state)
{
    bool failed = true;
    size_t n;

    (void) state;
    for (n = 0; failed; n++)
    {
        paos_conn *conn = begin();

        fake_alloc_fail(n);
        scenario(conn);
        failed = fake_alloc_end();
        end(conn);
    }
    assert_true(n > 50);
}

static void the_connection_breaks(void **state)
{
    size_t exchange, reached, answered;

    (void) state;
    for (exchange = 0; exchange < 6; exchange++)
        for (reached = 0; reached <= 7; reached++)
            for (answered = 0; answered <= reached; answered++)
            {
                paos_conn *conn = begin();

                fake_break(exchange, reached, answered);
                scenario(conn);
                end(conn);
            }
}

/* While everything is set up again memory runs out as well. */
static void memory_runs_out_after_it_broke(void **state)
{
    bool failed = true;
    size_t n;

    (void) state;
    for (n = 0; failed; n++)
    {
        paos_conn *conn = begin();
        mirror m = {0};
        int i;

        fake_come_back();
        assert_status(subscribe(conn, &m), PAOS_OK);
        fake_remove(PERSON, 3);
        fake_hang_up();
        assert_status(paos_conn_dispatch(conn, 0, NULL), PAOS_OK);
        fake_alloc_fail(n);
        for (i = 0; !is_true(&m) || conn->broken; i++)
        {
            hurry(conn);
            must_go_on(conn, paos_conn_dispatch(conn, 0, NULL), "dispatch");
            assert_in_range(i, 0, 10);
        }
        failed = fake_alloc_end();
        end(conn);
    }
    assert_true(n > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_one_round_trip),
        TEST(events_are_told),
        TEST(what_the_answer_had_is_not_told),
        TEST(parts_are_put_together),
        TEST(a_lost_part_is_looked_for),
        TEST(what_comes_after_a_gap_is_looked_for),
        TEST(what_is_none_of_ours_is_counted),
        TEST(silence_is_noticed),
        TEST(refused_for_good),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(the_connection_breaks),
        cmocka_unit_test(memory_runs_out_after_it_broke),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
