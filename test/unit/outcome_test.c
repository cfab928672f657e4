/*
 * outcome_test.c - what became of a commit during which the connection broke.
 */
#include "fake_world.h"
#include "unit.h"

/* John is changed, and the connection breaks before the answer to COMMIT. */
static paos_object *break_commit(paos_conn *conn, const char *verdict)
{
    fake_rule *rule = fake_on("pg_xact_status");
    paos_object *john = NULL;

    fake_columns(rule, "pg_xact_status text");
    fake_row(rule, verdict ? fake_text(verdict) : fake_null());
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &john), PAOS_OK);
    assert_status(paos_object_set(john, "age", paos_int(77)), PAOS_OK);
    fake_break(1, 2, 0);
    assert_status(paos_commit(conn, NULL, 0), PAOS_UNKNOWN);
    fake_come_back();
    assert_status(paos_conn_set_outage_wait(conn, -1), PAOS_OK);
    conn->outage.next = 1;
    return john;
}

static void it_was_done(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = break_commit(conn, "committed");
    bool committed = false;

    assert_status(paos_conn_outcome(conn, &committed), PAOS_OK);
    assert_true(committed);
    assert_int_equal(conn->cache.dirty.size, 0);
    assert_int_equal(paos_object_int(john, "age"), 77);
    assert_status(paos_conn_outcome(conn, &committed), PAOS_NOT_FOUND);
    paos_object_release(john);
}

static void it_was_not_done(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = break_commit(conn, "aborted");
    bool committed = true;

    assert_status(paos_conn_outcome(conn, &committed), PAOS_OK);
    assert_false(committed);
    assert_int_equal(conn->cache.dirty.size, 1);
    assert_int_equal(paos_object_int(john, "age"), 77);
    paos_object_release(john);
}

static void it_is_not_known_yet(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = break_commit(conn, "in progress");
    bool committed = true;

    assert_status(paos_conn_outcome(conn, &committed), PAOS_UNKNOWN);
    assert_status(paos_conn_outcome(conn, &committed), PAOS_UNKNOWN);
    assert_true(committed);
    paos_object_release(john);
}

/* The server that is connected to next has another history. */
static void fake_timeline(const char *timeline)
{
    fake_rule *rule = fake_on("pg_walfile_name");

    fake_columns(rule, "substr text");
    fake_row(rule, fake_text(timeline));
}

/* Numbers of another history mean nothing. */
static void after_a_failover(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = break_commit(conn, "committed");
    bool committed = true;

    fake_timeline("00000002");
    assert_status(paos_conn_outcome(conn, &committed), PAOS_UNKNOWN);
    assert_non_null(strstr(paos_conn_error(conn)->message, "history"));
    paos_object_release(john);
}

/* A commit of a new object breaks, and an object of its id exists afterwards. */
static paos_object *break_insert(paos_conn *conn)
{
    paos_object *ann = NULL;
    fake_rule *rule;

    assert_status(paos_object_new(conn, "person", &ann), PAOS_OK);
    assert_status(paos_register(conn, &ann, 1), PAOS_OK);
    fake_break(0, 5, 0);
    assert_status(paos_commit(conn, NULL, 0), PAOS_UNKNOWN);
    fake_come_back();
    assert_status(paos_conn_set_outage_wait(conn, -1), PAOS_OK);
    conn->outage.next = 1;
    rule = fake_on("pg_stat_activity");
    fake_columns(rule, "case text");
    fake_row(rule, fake_text("aborted"));
    rule = fake_on("SELECT 'committed' FROM public.person");
    fake_columns(rule, "?column? text");
    fake_row(rule, fake_text("committed"));
    return ann;
}

/* Not even the number arrived: a new object's id is nobody else's. */
static void only_new_objects(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = break_insert(conn);
    bool committed = false;

    assert_status(paos_conn_outcome(conn, &committed), PAOS_OK);
    assert_true(committed);
    assert_int_equal(conn->cache.dirty.size, 0);
    paos_object_release(ann);
}

/* In another history it may be. */
static void only_new_objects_after_a_failover(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = break_insert(conn);
    bool committed = true;

    fake_timeline("00000002");
    assert_status(paos_conn_outcome(conn, &committed), PAOS_UNKNOWN);
    assert_true(committed);
    assert_int_equal(conn->cache.dirty.size, 1);
    paos_object_release(ann);
}

/* Ids that waited for new objects may have been given to others. */
static void ids_after_a_failover(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[2] = {NULL, NULL};
    size_t i;

    for (i = 0; i < COUNT(objects); i++)
        assert_status(paos_object_new(conn, "person", &objects[i]), PAOS_OK);
    assert_status(paos_register(conn, objects, 1), PAOS_OK);
    fake_log_clear();
    fake_timeline("00000002");
    fake_come_back();
    fake_hang_up();
    assert_status(paos_conn_dispatch(conn, 0, NULL), PAOS_OK);
    assert_true(conn->broken);
    conn->outage.next = 1;
    assert_status(paos_conn_dispatch(conn, 0, NULL), PAOS_OK);
    assert_false(conn->broken);
    assert_status(paos_register(conn, &objects[1], 1), PAOS_OK);
    assert_int_equal(fake_sent_with("paos.register_objects"), 1);
    for (i = 0; i < COUNT(objects); i++)
        paos_object_release(objects[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_was_done),          TEST(it_was_not_done),  TEST(it_is_not_known_yet),
        TEST(after_a_failover),     TEST(only_new_objects), TEST(only_new_objects_after_a_failover),
        TEST(ids_after_a_failover),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
