/*
 * lock_test.c - taking rights on objects that are known.
 */
#include "fake_world.h"
#include "unit.h"

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    fake_log_clear();
    return object;
}

static void refuse(void)
{
    fake_rule *rule = fake_on("paos.lock_all");

    fake_columns(rule, "lock_all bool");
    fake_row(rule, fake_bool(false));
    fake_on("paos.rights");
}

static void locking_loads_anew(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[] = {fetch(conn, PERSON, 1), fetch(conn, PLACE, 1)};
    const unsigned char *refs;

    fake_write(PERSON, 1, "age", fake_int4(31));
    assert_status(paos_lock(conn, objects, 2, 0), PAOS_OK);
    assert_int_equal(paos_object_int(objects[0], "age"), 31);
    assert_int_equal(fake_sent_with("paos.lock_all"), 1);
    refs = fake_sent_find("paos.lock_all", 0)->parameters[0].data;
    assert_int_equal(paosi_read32(refs + 12), 2);
    /* The rights, then the rows of both classes. */
    assert_int_equal(fake_exchanges(), 2);
    paos_object_release(objects[0]);
    paos_object_release(objects[1]);
}

/* With the right comes the truth, but not over local changes. */
static void local_changes_stay(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_object_set(john, "name", paos_text("mine")), PAOS_OK);
    assert_status(paos_lock(conn, &john, 1, 0), PAOS_OK);
    assert_string_equal(paos_object_text(john, "name"), "mine");
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_string_equal(fake_stored_text(PERSON, 1, "name"), "mine");
    paos_object_release(john);
}

static void the_time_out_says_which_status(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    refuse();
    assert_status(paos_lock(conn, &john, 1, 0), PAOS_LOCKED);
    assert_string_equal(fake_sent_find("paos.lock_all", 0)->parameters[1].data, "0 milliseconds");
    assert_status(paos_lock(conn, &john, 1, 1500), PAOS_TIMEOUT);
    assert_string_equal(fake_sent_find("paos.lock_all", 1)->parameters[1].data,
                        "1500 milliseconds");
    assert_status(paos_lock(conn, &john, 1, INT32_MAX), PAOS_TIMEOUT);
    fake_on("paos.lock_all");
    assert_status(paos_lock(conn, &john, 1, -1), PAOS_LOCKED);
    assert_null(fake_sent_find("paos.lock_all", 3)->parameters[1].data);
    paos_object_release(john);
}

static void the_holder_is_named(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    fake_rule *rule;

    refuse();
    rule = fake_on("paos.rights");
    fake_columns(rule, "format text");
    fake_row(rule, fake_text("Object 1:1 is held by editor."));
    assert_status(paos_lock(conn, &john, 1, 0), PAOS_LOCKED);
    assert_string_equal(paos_conn_error(conn)->detail, "Object 1:1 is held by editor.");
    /* That it cannot be found out who it is does not change the status. */
    fake_error(fake_on("paos.rights"), "42501", "permission denied", "", "");
    assert_status(paos_lock(conn, &john, 1, 0), PAOS_LOCKED);
    assert_status(paos_conn_error(conn)->status, PAOS_LOCKED);
    paos_object_release(john);
}

static void what_does_not_exist_cannot_be_locked(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[] = {fetch(conn, PERSON, 1), NULL};
    fake_rule *rule = fake_on("paos.lock_all");

    assert_status(paos_object_new(conn, "person", &objects[1]), PAOS_OK);
    fake_log_clear();
    assert_status(paos_lock(conn, objects, 2, 0), PAOS_NOT_FOUND);
    assert_int_equal(fake_sent_count(), 0);
    fake_error(rule, "P0002", "object 1:1 does not exist", "", "");
    assert_status(paos_lock(conn, objects, 1, 0), PAOS_NOT_FOUND);
    paos_object_release(objects[0]);
    paos_object_release(objects[1]);
}

static void nothing_to_lock_sends_nothing(void **state)
{
    paos_conn *conn = *state;

    assert_status(paos_lock(conn, NULL, 0, 0), PAOS_OK);
    assert_int_equal(fake_sent_count(), 0);
}

static void a_deadlock_is_the_servers_error(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    fake_error(fake_on("paos.lock_all"), "40P01", "deadlock detected", "", "");
    assert_status(paos_lock(conn, &john, 1, -1), PAOS_SERVER);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "40P01");
    paos_object_release(john);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(locking_loads_anew),
        TEST(local_changes_stay),
        TEST(the_time_out_says_which_status),
        TEST(the_holder_is_named),
        TEST(what_does_not_exist_cannot_be_locked),
        TEST(nothing_to_lock_sends_nothing),
        TEST(a_deadlock_is_the_servers_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
