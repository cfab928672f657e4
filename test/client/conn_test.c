/*
 * conn_test.c - opening, closing, losing a connection; what is shared and what is not.
 */
#include "client.h"

static void it_says_who_it_is(void **state)
{
    fixture *f = *state;
    paos_conn *conn = NULL;

    OK(NULL, paos_conn_open(conninfo(), "editor", &conn));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.authors() a"
                                " WHERE a.application = 'editor' AND a.uid IS NOT NULL"),
                     1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pg_stat_activity"
                                " WHERE application_name = 'editor'"),
                     1);
    assert_true(paos_conn_fd(conn) >= 0);
    paos_conn_close(conn);
}

static void opening_fails_with_a_reason(void **state)
{
    paos_conn *conn = NULL;

    (void) state;
    EXPECT(NULL, paos_conn_open("host=/nowhere dbname=none", "t", &conn), PAOS_DISCONNECTED);
    assert_non_null(strstr(paos_conn_error(NULL)->message, "/nowhere"));
    EXPECT(NULL, paos_conn_open("nonsense=1", "t", &conn), PAOS_DISCONNECTED);
    EXPECT(NULL, paos_conn_open(NULL, "t", &conn), PAOS_INVALID);
    EXPECT(NULL, paos_conn_open(conninfo(), "t", NULL), PAOS_INVALID);
    assert_null(conn);
}

static void a_database_without_the_extension_is_refused(void **state)
{
    fixture *f = *state;
    paos_conn *conn = NULL;
    char text[400];

    sql(f, "DROP DATABASE IF EXISTS t_plain");
    sql(f, "CREATE DATABASE t_plain TEMPLATE template0");
    snprintf(text, sizeof text, "%s dbname=t_plain", conninfo());
    EXPECT(NULL, paos_conn_open(text, "t", &conn), PAOS_INVALID);
    assert_null(conn);
    assert_string_equal(paos_conn_error(NULL)->message,
                        "database \"t_plain\" has no extension paos");
    assert_non_null(strstr(paos_conn_error(NULL)->hint, "CREATE EXTENSION paos"));
    sql(f, "DROP DATABASE t_plain");
}

static void a_server_that_only_reads_is_enough_to_read(void **state)
{
    fixture *f = *state;
    paos_conn *conn = NULL;
    paos_object *object;
    char text[400];

    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY); SELECT paos.register_class('t.thing');"
           " INSERT INTO t.thing VALUES (1)");
    snprintf(text, sizeof text, "%s options='-c default_transaction_read_only=on'", conninfo());
    OK(NULL, paos_conn_open(text, "t", &conn));
    object = get_one(conn, "t.thing", NULL);
    paos_object_release(object);
    paos_conn_close(conn);
}

static void closing_leaves_lists_to_be_freed(void **state)
{
    fixture *f = *state;
    paos_conn *conn = open_conn();
    paos_list *list;

    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY); SELECT paos.register_class('t.thing');"
           " INSERT INTO t.thing VALUES (1), (2)");
    list = get(conn, "t.thing", NULL);
    make(conn, "t.thing");
    paos_conn_close(conn);
    assert_int_equal(paos_list_size(list), 0);
    paos_list_free(list);
    paos_conn_close(NULL);
}

/* A handle of another connection is refused wherever it is given. */
static void foreign_handles_are_refused(void **state)
{
    fixture *f = *state;
    paos_conn *other = open_conn();
    paos_object *mine, *foreign;
    paos_object *gone = NULL;

    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY, other paos.ref);"
           " SELECT paos.register_class('t.thing'); INSERT INTO t.thing VALUES (1)");
    mine = get_one(f->conn, "t.thing", NULL);
    foreign = get_one(other, "t.thing", NULL);
    assert_ptr_not_equal(mine, foreign);
    EXPECT(f->conn, paos_object_set(mine, "other", paos_ref(foreign)), PAOS_INVALID);
    EXPECT(f->conn, paos_commit(f->conn, &foreign, 1), PAOS_INVALID);
    EXPECT(f->conn, paos_register(f->conn, &foreign, 1), PAOS_INVALID);
    EXPECT(f->conn, paos_lock(f->conn, &foreign, 1, 0), PAOS_INVALID);
    EXPECT(f->conn, paos_refresh(f->conn, &foreign, 1), PAOS_INVALID);
    EXPECT(f->conn, paos_delete(f->conn, foreign), PAOS_INVALID);
    EXPECT(f->conn, paos_commit(f->conn, &gone, 1), PAOS_INVALID);
    paos_object_release(mine);
    paos_object_release(foreign);
    paos_conn_close(other);
}

static void terminate(const fixture *f)
{
    char text[200];

    snprintf(text, sizeof text,
             "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
             " WHERE application_name = 'test'");
    sql(f, text);
}

static void a_lost_connection_stays_lost(void **state)
{
    fixture *f = *state;
    paos_object *object, *fresh;
    paos_list *list = NULL;
    paos_stats before, after;

    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY, name text);"
           " SELECT paos.register_class('t.thing'); INSERT INTO t.thing VALUES (1, 'one')");
    OK(f->conn, paos_conn_set_reconnect(f->conn, false));
    object = get_one(f->conn, "t.thing", NULL);
    terminate(f);
    EXPECT(f->conn, paos_object_refresh(object), PAOS_DISCONNECTED);
    paos_conn_stats(f->conn, &before);
    assert_string_equal(paos_object_text(object, "name"), "one");
    assert_ptr_equal(paos_cached(f->conn, paos_object_id(object)), object);
    OK(f->conn, paos_object_set(object, "name", paos_text("two")));
    assert_string_equal(paos_object_text(object, "name"), "two");
    OK(f->conn, paos_object_new(f->conn, "t.thing", &fresh));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_DISCONNECTED);
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", NULL, NULL, 0, &list),
           PAOS_DISCONNECTED);
    EXPECT(f->conn, paos_lock(f->conn, &object, 1, -1), PAOS_DISCONNECTED);
    EXPECT(f->conn, paos_conn_dispatch(f->conn, -1, NULL), PAOS_DISCONNECTED);
    paos_conn_stats(f->conn, &after);
    assert_int_equal(before.round_trips, after.round_trips);
    paos_object_release(object);
    paos_object_release(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_says_who_it_is),
        TEST(opening_fails_with_a_reason),
        TEST(a_database_without_the_extension_is_refused),
        TEST(a_server_that_only_reads_is_enough_to_read),
        TEST(closing_leaves_lists_to_be_freed),
        TEST(foreign_handles_are_refused),
        TEST(a_lost_connection_stays_lost),
    };

    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
