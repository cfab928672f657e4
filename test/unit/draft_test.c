/*
 * draft_test.c - local changes: set, read, refused; nothing is sent.
 */
#include "fake_world.h"
#include "unit.h"

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    assert_non_null(object);
    return object;
}

static void a_change_is_seen_before_the_commit(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_object_set(john, "name", paos_text("Johnny, the elder")), PAOS_OK);
    assert_int_equal(paos_object_int(john, "age"), 31);
    assert_string_equal(paos_object_text(john, "name"), "Johnny, the elder");
    assert_status(paos_object_set(john, "name", paos_text("J")), PAOS_OK);
    assert_status(paos_object_set(john, "age", paos_null()), PAOS_OK);
    assert_string_equal(paos_object_text(john, "name"), "J");
    assert_null(paos_object_text(john, "age"));
    assert_int_equal(conn->cache.dirty.size, 1);
    assert_string_equal(fake_stored_text(PERSON, 1, "name"), "John");
    paos_object_release(john);
}

static void setting_what_is_there_changes_nothing(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_object_set(john, "age", paos_int(30)), PAOS_OK);
    assert_status(paos_object_set(john, "name", paos_text("John")), PAOS_OK);
    assert_status(paos_object_set(john, "friends", paos_null()), PAOS_OK);
    assert_int_equal(conn->cache.dirty.size, 0);
    paos_object_release(john);
}

static void a_value_is_copied(void **state)
{
    paos_object *john = fetch(*state, PERSON, 1);
    char name[] = "mutable";

    assert_status(paos_object_set(john, "name", paos_text(name)), PAOS_OK);
    strcpy(name, "XXXXXXX");
    assert_string_equal(paos_object_text(john, "name"), "mutable");
    paos_object_release(john);
}

static void values_that_do_not_fit_are_refused(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    const struct
    {
        const char *attribute;
        paos_value value;
    } bad[] = {
        {"age", paos_int(INT64_C(1) << 31)},
        {"age", paos_text("30")},
        {"age", paos_float(1.5)},
        {"name", paos_int(1)},
        {"name", paos_text("\xff")},
        {"name", paos_bytes("x", 1)},
        {"loves", paos_int(2)},
        {"loves", paos_ref_id(fake_id(77, 1))},
        {"loves", paos_ref_id(1)},
        {"boss", paos_ref_id(fake_id(PLACE, 1))},
        {"friends", paos_ref(john)},
        {"friends", paos_array(&(paos_value){0}, SIZE_MAX)},
        {"id", paos_int(2)},
        {"name", {(paos_kind) 99, {0}}},
    };
    size_t i;

    for (i = 0; i < COUNT(bad); i++)
    {
        assert_status(paos_object_set(john, bad[i].attribute, bad[i].value), PAOS_INVALID);
        assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    }
    assert_int_equal(conn->cache.dirty.size, 0);
    assert_string_equal(paos_object_text(john, "name"), "John");
    paos_object_release(john);
}

/* Many changes of one object, checked against a plain copy of each. */
static void changes_do_not_disturb_each_other(void **state)
{
    paos_object *john = fetch(*state, PERSON, 1);
    char name[512] = "John";
    int64_t age = 30;
    uint32_t random = 1;
    int i;

    for (i = 0; i < 500; i++)
    {
        random = random * 1664525 + 1013904223;
        if (random >> 31)
        {
            snprintf(name, sizeof name, "%0*d", (int) (random >> 8 & 511), i);
            assert_status(paos_object_set(john, "name", paos_text(name)), PAOS_OK);
        }
        else
        {
            age = (int64_t) (random & 0xFFFF);
            assert_status(paos_object_set(john, "age", paos_int(age)), PAOS_OK);
        }
        assert_string_equal(paos_object_text(john, "name"), name);
        assert_int_equal(paos_object_int(john, "age"), age);
        assert_int_equal(paos_object_int(john, "boss"), 2);
    }
    paos_object_release(john);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_is_seen_before_the_commit),
        TEST(setting_what_is_there_changes_nothing),
        TEST(a_value_is_copied),
        TEST(values_that_do_not_fit_are_refused),
        TEST(changes_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
