/*
 * slots_test.c - places for objects: keys in a row have slots in a row, whatever the
 * order in which they come, and what that costs has an end.
 */
#include "fake_conn.h"
#include "unit.h"

#define BLOCK ((int64_t) PAOSI_BLOCK)

static uint32_t slot_of(paos_conn *conn, int64_t key)
{
    return paosi_map_find(conn, fake_conn_id(key))->slot;
}

/* Every eighth of 4 blocks of keys, eight times: as a walk comes, level by level. */
static void neighbours_are_neighbours(void **state)
{
    paos_conn *conn = *state;
    int64_t first, key;

    paosi_slots_nest(&conn->cache);
    for (first = 0; first < 8; first++)
        for (key = BLOCK + first; key < 5 * BLOCK; key += 8)
            fake_conn_object(conn, key);
    assert_false(paosi_slots_unnest(&conn->cache));
    for (key = BLOCK; key < 5 * BLOCK; key++)
        assert_int_equal(slot_of(conn, key) % PAOSI_BLOCK, key % BLOCK);
    for (key = BLOCK; key < 5 * BLOCK; key++)
        assert_int_equal(slot_of(conn, key) / PAOSI_BLOCK,
                         slot_of(conn, key / BLOCK * BLOCK) / PAOSI_BLOCK);
}

static void what_was_not_filled_is_free(void **state)
{
    paos_conn *conn = *state;
    int64_t key;

    paosi_slots_nest(&conn->cache);
    for (key = 1; key <= (int64_t) PAOSI_SLAB / BLOCK; key++)
        fake_conn_object(conn, key * BLOCK);
    assert_true(paosi_slots_unnest(&conn->cache));
    assert_int_equal(conn->cache.slabs_size, 1);
    for (key = 1; conn->cache.clean.size < PAOSI_SLAB; key++)
        if (!paosi_map_find(conn, fake_conn_id(key)))
            fake_conn_object(conn, key);
    assert_int_equal(conn->cache.slabs_size, 1);
    assert_int_equal(conn->cache.slots.vacant, 0);
}

/* One in a block: without an end to it there would be a slab for every few of them. */
static void sparse_keys_give_it_up(void **state)
{
    paos_conn *conn = *state;
    int64_t key;

    conn->cache.bound = 1000000;
    paosi_slots_nest(&conn->cache);
    for (key = 1; key <= 10000; key++)
        fake_conn_object(conn, key * 1000);
    assert_true(paosi_slots_unnest(&conn->cache));
    assert_true(conn->cache.slabs_size * PAOSI_SLAB < 10 * 10000);
}

static void the_bound_ends_it_too(void **state)
{
    paos_conn *conn = *state;
    int64_t key;

    conn->cache.bound = 1024;
    paosi_slots_nest(&conn->cache);
    for (key = 1; key <= 1000; key++)
        fake_conn_object(conn, key * 1000);
    assert_true(paosi_slots_unnest(&conn->cache));
    assert_true(conn->cache.slabs_size * PAOSI_SLAB <= 2 * 1024);
}

/* What went while others came has its place in a nest no more, and one that is free. */
static void one_that_goes_is_counted(void **state)
{
    paos_conn *conn = *state;

    paosi_slots_nest(&conn->cache);
    fake_conn_object(conn, 1);
    paosi_cache_drop(conn, fake_conn_object(conn, 2));
    fake_conn_object(conn, 2);
    paosi_slots_unnest(&conn->cache);
    assert_int_equal(conn->cache.slots.vacant, PAOSI_SLAB - 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_conn_setup, fake_conn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(neighbours_are_neighbours), TEST(what_was_not_filled_is_free),
        TEST(sparse_keys_give_it_up),    TEST(the_bound_ends_it_too),
        TEST(one_that_goes_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
