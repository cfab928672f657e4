/*
 * map_test.c - the identity map.
 *
 * Removal moves entries back, which is where such a table goes wrong: the
 * random test compares it with a plain array after every step.
 */
#include "fake_conn.h"
#include "unit.h"

#define KEYS 400

static void empty_map_finds_nothing(void **state)
{
    assert_null(paosi_map_find(*state, fake_conn_id(1)));
}

static void finds_what_was_added(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[1000];
    int64_t key;

    for (key = 1; key <= 1000; key++)
        objects[key - 1] = fake_conn_object(conn, key);
    for (key = 1; key <= 1000; key++)
        assert_ptr_equal(paosi_map_find(conn, fake_conn_id(key)), objects[key - 1]);
    assert_null(paosi_map_find(conn, fake_conn_id(1001)));
    assert_int_equal(conn->map.used, 1000);
}

static void classes_and_temporaries_are_apart(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fake_conn_object(conn, 5);

    assert_null(paosi_map_find(conn, (uint64_t) 2 << PAOSI_KEY_BITS | 5));
    assert_null(paosi_map_find(conn, PAOSI_TEMPORARY | 5));
    assert_ptr_equal(paosi_map_find(conn, fake_conn_id(5)), object);
}

static void renaming_keeps_the_object(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;

    assert_status(paosi_cache_add(conn, conn->classes[0]->shape, PAOSI_TEMPORARY | 1, &object),
                  PAOS_OK);
    paosi_map_rename(conn, object, fake_conn_id(9));
    assert_null(paosi_map_find(conn, PAOSI_TEMPORARY | 1));
    assert_ptr_equal(paosi_map_find(conn, fake_conn_id(9)), object);
    assert_int_equal(conn->map.used, 1);
    paosi_cache_place(object);
}

/* As the map should be: keys to objects. */
static void check_all(const paos_conn *conn, paos_object *const *expected, size_t used)
{
    int64_t key;

    assert_int_equal(conn->map.used, used);
    for (key = 1; key <= KEYS; key++)
        assert_ptr_equal(paosi_map_find(conn, fake_conn_id(key * 977)), expected[key]);
}

static void random_adds_and_removes(void **state)
{
    paos_conn *conn = *state;
    paos_object *expected[KEYS + 1] = {NULL};
    size_t used = 0;
    uint32_t random = 12345;
    int step;

    for (step = 0; step < 4000; step++)
    {
        int64_t key;

        random = random * 1664525 + 1013904223;
        key = (int64_t) (random >> 8) % KEYS + 1;
        if (expected[key])
            paosi_cache_drop(conn, expected[key]);
        expected[key] = expected[key] ? NULL : fake_conn_object(conn, key * 977);
        used = expected[key] ? used + 1 : used - 1;
        if (step % 16 == 0)
            check_all(conn, expected, used);
    }
    check_all(conn, expected, used);
}

/* Growing fails at some addition; the map stays as it was, and the next addition works. */
static void out_of_memory_leaves_it_whole(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;
    paos_status status = PAOS_OK;
    int64_t key;

    fake_conn_object(conn, 1);
    fake_alloc_fail_from(0);
    for (key = 2; status == PAOS_OK; key++)
        status = paosi_cache_add(conn, conn->classes[0]->shape, fake_conn_id(key), &object);
    assert_status(status, PAOS_NO_MEMORY);
    assert_true(fake_alloc_end());
    assert_int_equal(conn->map.used, key - 2);
    assert_null(paosi_map_find(conn, fake_conn_id(key - 1)));
    assert_non_null(paosi_map_find(conn, fake_conn_id(key - 2)));
    object = fake_conn_object(conn, key - 1);
    assert_ptr_equal(paosi_map_find(conn, fake_conn_id(key - 1)), object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_conn_setup, fake_conn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_map_finds_nothing),           TEST(finds_what_was_added),
        TEST(classes_and_temporaries_are_apart), TEST(renaming_keeps_the_object),
        TEST(random_adds_and_removes),           TEST(out_of_memory_leaves_it_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
