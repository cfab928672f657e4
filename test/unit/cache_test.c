/*
 * cache_test.c - where objects live, and which go when there are too many.
 */
#include "fake_conn.h"
#include "unit.h"

static bool is_cached(const paos_conn *conn, int64_t key)
{
    return paosi_map_find(conn, fake_conn_id(key)) != NULL;
}

static void fill(paos_conn *conn, int64_t first, int64_t last)
{
    for (; first <= last; first++)
        fake_conn_object(conn, first);
}

static void holding_moves_between_chains(void **state)
{
    paos_conn *conn = *state;
    paos_object *object;

    conn->cache.bound = 0;
    object = fake_conn_object(conn, 1);
    assert_int_equal(conn->cache.clean.size, 1);
    assert_ptr_equal(paos_object_hold(object), object);
    paos_object_hold(object);
    assert_int_equal(conn->cache.clean.size, 0);
    assert_int_equal(conn->cache.held.size, 1);
    paos_object_release(object);
    assert_int_equal(conn->cache.held.size, 1);
    paos_object_release(object);
    assert_int_equal(conn->cache.held.size, 0);
    assert_int_equal(conn->cache.clean.size, 1);
    paos_object_release(object); /* once too often */
    assert_int_equal(object->holds, 0);
    assert_int_equal(conn->cache.clean.size, 1);
}

/* As long as there is room nothing moves; when there is none, what is held stays. */
static void holding_moves_nothing_while_there_is_room(void **state)
{
    paos_conn *conn = *state;
    paos_object *first = fake_conn_object(conn, 1), *second = fake_conn_object(conn, 2);

    fill(conn, 3, 10);
    paos_object_hold(first);
    paos_object_hold(first);
    paos_object_hold(second);
    paos_object_release(second);
    assert_int_equal(conn->cache.clean.size, 10);
    assert_int_equal(conn->cache.lazy, 1);
    conn->cache.bound = 0;
    paosi_cache_trim(conn, NULL);
    assert_int_equal(conn->cache.lazy, 0);
    assert_int_equal(conn->cache.held.size, 1);
    assert_int_equal(conn->map.used, 1);
    paos_object_release(first);
    paos_object_release(first);
    assert_int_equal(conn->cache.clean.size, 1);
}

/* One that is held among the clean ones may change, or go, as any other. */
static void held_among_the_clean_ones_is_counted(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fake_conn_object(conn, 1);

    paos_object_hold(object);
    object->flags |= PAOSI_DELETE;
    paosi_cache_place(object);
    assert_int_equal(conn->cache.dirty.size, 1);
    assert_int_equal(conn->cache.lazy, 0);
    object->flags &= ~(uint32_t) PAOSI_DELETE;
    paosi_cache_place(object);
    assert_int_equal(conn->cache.held.size, 1);
    paos_object_release(object);
    paos_object_hold(object);
    assert_int_equal(conn->cache.lazy, 1);
    paosi_cache_drop(conn, object);
    assert_int_equal(conn->cache.lazy, 0);
}

static void changed_objects_are_dirty_held_or_not(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fake_conn_object(conn, 1);

    object->flags |= PAOSI_DELETE;
    paosi_cache_place(object);
    assert_int_equal(conn->cache.dirty.size, 1);
    paos_object_hold(object);
    paos_object_release(object);
    assert_int_equal(conn->cache.dirty.size, 1);
    assert_int_equal(conn->cache.clean.size + conn->cache.held.size, 0);
    object->flags &= ~(uint32_t) PAOSI_DELETE;
    paosi_cache_place(object);
    assert_int_equal(conn->cache.clean.size, 1);
    assert_int_equal(conn->cache.dirty.size, 0);
}

static void nothing_goes_within_the_bound(void **state)
{
    paos_conn *conn = *state;

    conn->cache.bound = 100;
    fill(conn, 1, 100);
    paosi_cache_trim(conn, NULL);
    assert_int_equal(conn->cache.clean.size, 100);
}

static void least_recently_used_go_first(void **state)
{
    paos_conn *conn = *state;

    conn->cache.bound = 100;
    fill(conn, 1, 101);
    paosi_cache_place(paosi_map_find(conn, fake_conn_id(1))); /* used again */
    paosi_cache_trim(conn, NULL);
    assert_true(conn->cache.clean.size <= 100);
    assert_true(is_cached(conn, 1));
    assert_false(is_cached(conn, 2));
    assert_true(is_cached(conn, 101));
}

static void held_and_dirty_stay(void **state)
{
    paos_conn *conn = *state;
    int64_t key;

    fill(conn, 1, 60);
    for (key = 1; key <= 20; key++)
        paos_object_hold(paosi_map_find(conn, fake_conn_id(key)));
    for (; key <= 40; key++)
    {
        paos_object *object = paosi_map_find(conn, fake_conn_id(key));

        object->flags |= PAOSI_NEW;
        paosi_cache_place(object);
    }
    conn->cache.bound = 10;
    paosi_cache_trim(conn, NULL);
    for (key = 1; key <= 60; key++)
        assert_int_equal(is_cached(conn, key), key <= 40);
}

static void the_one_to_keep_stays(void **state)
{
    paos_conn *conn = *state;
    paos_object *keep;

    fill(conn, 1, 50);
    keep = paosi_map_find(conn, fake_conn_id(1));
    conn->cache.bound = 0;
    paosi_cache_trim(conn, keep);
    assert_ptr_equal(paosi_map_find(conn, fake_conn_id(1)), keep);
    assert_int_equal(keep->holds, 0);
    assert_int_equal(conn->map.used, 1);
}

static void a_dropped_handle_can_be_recognised(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fake_conn_object(conn, 1);
    size_t uses = conn->classes[0]->shape->uses;

    paosi_cache_drop(conn, object);
    assert_null(object->shape);
    assert_null(paos_object_hold(object));
    paos_object_release(object);
    assert_int_equal(conn->classes[0]->shape->uses, uses - 1);
    assert_int_equal(conn->cache.clean.size, 0);
}

/* More objects than a slab has; dropped slots are used again before new memory is. */
static void slots_are_used_again(void **state)
{
    paos_conn *conn = *state;
    size_t slabs;

    fill(conn, 1, 3 * PAOSI_SLAB);
    slabs = conn->cache.slabs_size;
    assert_int_equal(slabs, 3);
    conn->cache.bound = 0;
    paosi_cache_trim(conn, NULL);
    assert_int_equal(conn->map.used, 0);
    fill(conn, 1, 3 * PAOSI_SLAB);
    assert_int_equal(conn->cache.slabs_size, slabs);
}

static void figures_do_not_count_the_absent(void **state)
{
    paos_conn *conn = *state;
    paos_object *object;
    paos_stats stats;

    fill(conn, 1, 3);
    object = fake_conn_object(conn, 4);
    object->flags |= PAOSI_ABSENT;
    conn->cache.absent++;
    paos_conn_stats(conn, &stats);
    assert_int_equal(stats.objects, 3);
    paosi_cache_drop(conn, object);
    assert_int_equal(conn->cache.absent, 0);
    paos_conn_stats(conn, &stats);
    assert_int_equal(stats.objects, 3);
}

static void an_object_stays_small(void **state)
{
    (void) state;
    assert_int_equal(sizeof(paos_object), 64);
    assert_int_equal(sizeof(paosi_rest), 16 + PAOSI_ROOM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_conn_setup, fake_conn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holding_moves_between_chains),
        TEST(holding_moves_nothing_while_there_is_room),
        TEST(held_among_the_clean_ones_is_counted),
        TEST(changed_objects_are_dirty_held_or_not),
        TEST(nothing_goes_within_the_bound),
        TEST(least_recently_used_go_first),
        TEST(held_and_dirty_stay),
        TEST(the_one_to_keep_stays),
        TEST(a_dropped_handle_can_be_recognised),
        TEST(slots_are_used_again),
        TEST(figures_do_not_count_the_absent),
        TEST(an_object_stays_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
