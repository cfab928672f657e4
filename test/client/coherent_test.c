/*
 * coherent_test.c - cached objects that stay true, whoever writes them.
 */
#include "client.h"

static void nobody(paos_conn *conn, const paos_event *event, void *arg)
{
    (void) conn;
    (void) event;
    ++*(size_t *) arg;
}

/* A dispatch that has taken in all that was committed before it was called. */
static void settle(fixture *f)
{
    int64_t request = 0;
    size_t told = 0;

    OK(f->conn, paos_subscribe(f->conn, "t.mark", NULL, NULL, 0, nobody, &told, NULL, &request));
    sql(f, "INSERT INTO mark DEFAULT VALUES");
    while (told == 0)
        OK(f->conn, paos_conn_dispatch(f->conn, 30000, NULL));
    OK(f->conn, paos_unsubscribe(f->conn, request));
}

static void things(fixture *f, int n)
{
    char text[400];

    snprintf(text, sizeof text,
             "CREATE TABLE thing (id int PRIMARY KEY, name text);"
             "CREATE TABLE mark (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
             "SELECT paos.register_class('thing'), paos.register_class('mark');"
             "INSERT INTO thing SELECT i, 'old' FROM generate_series(1, %d) i",
             n);
    sql(f, text);
    OK(f->conn, paos_conn_set_coherent(f->conn, true));
}

static void whoever_writes(void **state)
{
    fixture *f = *state;
    paos_list *all;

    things(f, 2500);
    all = get(f->conn, "t.thing", NULL);
    settle(f);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.requests"), 3);
    sql(f, "UPDATE thing SET name = 'new' WHERE id IN (1, 1500, 2500); DELETE FROM thing WHERE id "
           "= 7");
    settle(f);
    spent(f);
    assert_string_equal(paos_object_text(paos_list_at(all, 0), "name"), "new");
    /* All that was changed was loaded with it. */
    assert_int_equal(round_trips(f), 1);
    assert_string_equal(paos_object_text(paos_list_at(all, 1499), "name"), "new");
    assert_string_equal(paos_object_text(paos_list_at(all, 1), "name"), "old");
    assert_null(paos_object_text(paos_list_at(all, 6), "name"));
    assert_false(paos_object_exists(paos_list_at(all, 6)));
    /* It comes again. */
    sql(f, "INSERT INTO thing VALUES (7, 'again')");
    settle(f);
    assert_string_equal(paos_object_text(paos_list_at(all, 6), "name"), "again");
    OK(f->conn, paos_conn_set_coherent(f->conn, false));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.requests"), 0);
    paos_list_free(all);
}

/* Somebody was writing it when it was loaded, and knew of no request. */
static void loaded_while_it_was_written(void **state)
{
    fixture *f = *state;
    paos_list *all;

    things(f, 3);
    sql(f, "BEGIN; UPDATE thing SET name = 'new' WHERE id = 2");
    all = get(f->conn, "t.thing", NULL);
    OK(f->conn, paos_conn_dispatch(f->conn, 0, NULL));
    sql(f, "COMMIT");
    settle(f);
    while (f->conn->requests.unsettled)
        OK(f->conn, paos_conn_dispatch(f->conn, 10, NULL));
    assert_string_equal(paos_object_text(paos_list_at(all, 1), "name"), "new");
    paos_list_free(all);
}

/* Between the load and the dispatch that covers it. */
static void written_before_it_was_covered(void **state)
{
    fixture *f = *state;
    paos_list *all;

    things(f, 3);
    all = get(f->conn, "t.thing", NULL);
    sql(f, "UPDATE thing SET name = 'new' WHERE id = 2");
    OK(f->conn, paos_conn_dispatch(f->conn, 0, NULL));
    assert_string_equal(paos_object_text(paos_list_at(all, 1), "name"), "new");
    paos_list_free(all);
}

/* What left the cache needs no request. */
static void released_with_the_cache(void **state)
{
    fixture *f = *state;

    things(f, 5000);
    paos_list_free(get(f->conn, "t.thing", "id <= 4000"));
    settle(f);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.requests"), 4);
    OK(f->conn, paos_conn_set_cache(f->conn, 100));
    paos_list_free(get(f->conn, "t.thing", "id > 4900"));
    settle(f);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.requests"), 1);
}

static void over_a_reconnect(void **state)
{
    fixture *f = *state;
    paos_list *all;
    char text[200];

    things(f, 1500);
    all = get(f->conn, "t.thing", NULL);
    settle(f);
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", f->conn->backend);
    sql(f, text);
    sql(f, "UPDATE thing SET name = 'meanwhile' WHERE id = 2");
    while (sql_int(f, "SELECT count(*) FROM paos.requests") < 2)
        OK(f->conn, paos_conn_dispatch(f->conn, 10, NULL));
    assert_string_equal(paos_object_text(paos_list_at(all, 1), "name"), "meanwhile");
    sql(f, "UPDATE thing SET name = 'after' WHERE id = 1400");
    settle(f);
    assert_string_equal(paos_object_text(paos_list_at(all, 1399), "name"), "after");
    paos_list_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_writes),
        TEST(loaded_while_it_was_written),
        TEST(written_before_it_was_covered),
        TEST(released_with_the_cache),
        TEST(over_a_reconnect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
