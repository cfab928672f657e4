/*
 * durable_test.c - durable requests: told at least once, kept until acknowledged.
 */
#include "client.h"

typedef struct told
{
    char text[60000];
    size_t events;
    int64_t number;
} told;

static void note(paos_conn *conn, const paos_event *event, void *arg)
{
    told *t = arg;
    const paos_list *const lists[] = {event->entered, event->changed, event->left};
    size_t i, j;

    (void) conn;
    t->events++;
    assert_true(event->number > 0 || event->ended);
    t->number = event->number;
    for (i = 0; i < 3; i++)
        for (j = 0; j < paos_list_size(lists[i]); j++)
            snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "%c%lld ",
                     "+~-"[i], (long long) paosi_id_key(paos_object_id(paos_list_at(lists[i], j))));
    strcat(t->text, event->ended ? "end ; " : event->resync ? "? ; " : "; ");
}

static void bills(fixture *f)
{
    sql(f, "CREATE TABLE bill (id int PRIMARY KEY, due int);"
           "CREATE TABLE done (id int PRIMARY KEY, bill int);"
           "SELECT paos.register_class('bill'), paos.register_class('done')");
}

static int64_t subscribe(paos_conn *conn, told *t)
{
    int64_t request = 0;

    OK(conn,
       paos_subscribe_durable(conn, "billing", "t.bill", "due > 10", NULL, 0, note, t, &request));
    return request;
}

static void dispatch(paos_conn *conn, const told *t, size_t n)
{
    while (t->events < n)
        OK(conn, paos_conn_dispatch(conn, 30000, NULL));
}

static void kept_until_acknowledged(void **state)
{
    fixture *f = *state;
    told first = {0}, second = {0};
    int64_t request, other = 0;
    paos_conn *conn;

    bills(f);
    request = subscribe(f->conn, &first);
    conn = open_conn();
    EXPECT(conn,
           paos_subscribe_durable(conn, "billing", "t.bill", "due > 10", NULL, 0, note, &second,
                                  &other),
           PAOS_LOCKED);
    EXPECT(f->conn,
           paos_subscribe_durable(f->conn, "billing", "t.bill", "due > 10", NULL, 0, note, &second,
                                  &other),
           PAOS_INVALID);
    sql(f, "INSERT INTO bill VALUES (1, 20), (2, 5)");
    sql(f, "UPDATE bill SET due = 30 WHERE id IN (1, 2)");
    dispatch(f->conn, &first, 2);
    assert_string_equal(first.text, "+1 ; +2 ~1 ; ");
    paos_conn_close(f->conn);
    sql(f, "DELETE FROM bill WHERE id = 1");
    f->conn = conn;
    while (paos_subscribe_durable(conn, "billing", "t.bill", "due > 10", NULL, 0, note, &second,
                                  &other) == PAOS_LOCKED)
        assert_sql(f, "SELECT 1", "1");
    assert_int_equal(other, request);
    dispatch(conn, &second, 3);
    assert_string_equal(second.text, "+1 ; +2 ~1 ; -1 ; ");
    OK(conn, paos_acknowledge(conn, request, second.number));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.event"), 0);
    EXPECT(conn, paos_acknowledge(conn, request + 1, 1), PAOS_NOT_FOUND);
    OK(conn, paos_unsubscribe(conn, request));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.durable"), 0);
}

static int64_t stand_by(paos_conn *conn, told *t)
{
    int64_t request = 0;

    OK(conn,
       paos_subscribe_standby(conn, "billing", "t.bill", "due > 10", NULL, 0, note, t, &request));
    return request;
}

/* One works, one stands by, by its descriptor alone; what the first did not acknowledge is told. */
static void taken_over(void **state)
{
    fixture *f = *state;
    told first = {0}, second = {0};
    paos_conn *standby = open_conn();
    int64_t request, other;

    bills(f);
    request = stand_by(f->conn, &first);
    assert_true(paos_request_attends(f->conn, request));
    other = stand_by(standby, &second);
    assert_int_equal(other, request);
    assert_false(paos_request_attends(standby, other));
    sql(f, "INSERT INTO bill VALUES (1, 20)");
    dispatch(f->conn, &first, 1);
    OK(f->conn, paos_acknowledge(f->conn, request, first.number));
    sql(f, "INSERT INTO bill VALUES (2, 20)");
    dispatch(f->conn, &first, 2);
    EXPECT(standby, paos_acknowledge(standby, other, first.number), PAOS_LOCKED);
    paos_conn_close(f->conn);
    f->conn = standby;
    dispatch(standby, &second, 1);
    assert_true(paos_request_attends(standby, other));
    assert_string_equal(second.text, "+2 ; ");
    sql(f, "INSERT INTO bill VALUES (3, 20)");
    dispatch(standby, &second, 2);
    assert_string_equal(second.text, "+2 ; +3 ; ");
    OK(standby, paos_unsubscribe(standby, other));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.durable"), 0);
}

/* Whoever comes back to find its name taken stands by, and the connection is there. */
static void the_name_is_taken(void **state)
{
    fixture *f = *state;
    told first = {0}, second = {0};
    paos_conn *other = open_conn();
    char text[200];
    int64_t request;

    bills(f);
    request = subscribe(f->conn, &first);
    stand_by(other, &second);
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", f->conn->backend);
    sql(f, text);
    sql(f, "INSERT INTO bill VALUES (1, 20)");
    dispatch(other, &second, 1);
    OK(f->conn, paos_conn_set_outage_wait(f->conn, -1));
    while (paos_request_attends(f->conn, request) || f->conn->broken)
        OK(f->conn, paos_conn_dispatch(f->conn, 100, NULL));
    paos_list_free(get(f->conn, "t.bill", NULL));
    OK(other, paos_acknowledge(other, request, second.number));
    paos_conn_close(other);
    sql(f, "INSERT INTO bill VALUES (2, 20)");
    dispatch(f->conn, &first, 1);
    assert_string_equal(first.text, "+2 ; ");
    OK(f->conn, paos_unsubscribe(f->conn, request));
}

/* The end of a request ends the standing by for it; the other way round it does not. */
static void nothing_to_stand_by_for(void **state)
{
    fixture *f = *state;
    told first = {0}, second = {0}, third = {0};
    paos_conn *standby = open_conn();
    int64_t request, other;

    bills(f);
    request = subscribe(f->conn, &first);
    other = stand_by(standby, &second);
    OK(standby, paos_unsubscribe(standby, other));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.durable"), 1);
    stand_by(standby, &third);
    OK(f->conn, paos_unsubscribe(f->conn, request));
    while (third.events == 0)
        OK(standby, paos_conn_dispatch(standby, 30000, NULL));
    assert_string_equal(third.text, "end ; ");
    assert_int_equal(second.events, 0);
    paos_conn_close(standby);
}

/* Told once in a process, though the connection broke before it was acknowledged. */
static void over_a_reconnect(void **state)
{
    fixture *f = *state;
    told t = {0};
    char text[200];
    int64_t request;

    bills(f);
    request = subscribe(f->conn, &t);
    sql(f, "INSERT INTO bill VALUES (1, 20)");
    dispatch(f->conn, &t, 1);
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", f->conn->backend);
    sql(f, text);
    sql(f, "ALTER TABLE bill RENAME due TO amount");
    sql(f, "INSERT INTO bill VALUES (2, 20)");
    dispatch(f->conn, &t, 2);
    assert_string_equal(t.text, "+1 ; +2 ; ");
    OK(f->conn, paos_acknowledge(f->conn, request, t.number));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.event"), 0);
    OK(f->conn, paos_unsubscribe(f->conn, request));
}

static void acknowledged_with_a_commit(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_object *done;
    int64_t request;

    bills(f);
    request = subscribe(f->conn, &t);
    sql(f, "INSERT INTO bill VALUES (1, 20)");
    dispatch(f->conn, &t, 1);
    sql(f, "INSERT INTO done VALUES (7, 7)");
    done = make(f->conn, "t.done");
    OK(f->conn, paos_object_set(done, "id", paos_int(7)));
    OK(f->conn, paos_acknowledge_commit(f->conn, request, t.number));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_SERVER);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.event"), 1);
    sql(f, "DELETE FROM done");
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.event"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM done"), 1);
    sql(f, "INSERT INTO bill VALUES (2, 20)");
    dispatch(f->conn, &t, 2);
    OK(f->conn, paos_acknowledge_commit(f->conn, request, t.number));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.event"), 0);
    OK(f->conn, paos_unsubscribe(f->conn, request));
    paos_object_release(done);
}

/* More than are read at once. */
static void many_events(void **state)
{
    fixture *f = *state;
    told t = {0};
    int64_t request;

    bills(f);
    request = subscribe(f->conn, &t);
    sql(f, "DO 'BEGIN FOR i IN 1..2500 LOOP INSERT INTO t.bill VALUES (i, 20); COMMIT; END LOOP; "
           "END'");
    t.text[0] = 0;
    while (t.events < 2500)
    {
        OK(f->conn, paos_conn_dispatch(f->conn, 30000, NULL));
        t.text[0] = 0;
    }
    OK(f->conn, paos_acknowledge(f->conn, request, t.number));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.event"), 0);
    OK(f->conn, paos_unsubscribe(f->conn, request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kept_until_acknowledged),
        TEST(taken_over),
        TEST(the_name_is_taken),
        TEST(nothing_to_stand_by_for),
        TEST(over_a_reconnect),
        TEST(acknowledged_with_a_commit),
        TEST(many_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
