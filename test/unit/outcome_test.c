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

/* Numbers of another history mean nothing. */
static void after_a_failover(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = break_commit(conn, "committed");
    fake_rule *rule = fake_on("pg_walfile_name");
    bool committed = true;

    fake_columns(rule, "substr text");
    fake_row(rule, fake_text("00000002"));
    assert_status(paos_conn_outcome(conn, &committed), PAOS_UNKNOWN);
    assert_non_null(strstr(paos_conn_error(conn)->message, "history"));
    paos_object_release(john);
}

/* Not even the number arrived: a new object's id is nobody else's. */
static void only_new_objects(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = NULL;
    fake_rule *rule;
    bool committed = false;

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
    assert_status(paos_conn_outcome(conn, &committed), PAOS_OK);
    assert_true(committed);
    assert_int_equal(conn->cache.dirty.size, 0);
    paos_object_release(ann);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_was_done),      TEST(it_was_not_done),  TEST(it_is_not_known_yet),
        TEST(after_a_failover), TEST(only_new_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
