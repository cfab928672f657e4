/*
 * list_test.c - lists of objects, and rings of siblings.
 *
 * A list may be freed after its connection is closed, and in any order.
 */
#include "fake_conn.h"
#include "unit.h"

static void a_list_holds_its_objects(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fake_conn_object(conn, 1);
    paos_list *list = paosi_list_new(conn, 1);

    assert_true(paosi_list_add(list, object));
    assert_true(paosi_list_add(list, object)); /* twice is held twice */
    assert_int_equal(object->holds, 2);
    assert_int_equal(paos_list_size(list), 2);
    assert_ptr_equal(paos_list_at(list, 1), object);
    assert_null(paos_list_at(list, 2));
    paos_list_free(list);
    assert_int_equal(object->holds, 0);
    assert_int_equal(conn->cache.clean.size, 1);
}

static void null_is_an_empty_list(void **state)
{
    (void) state;
    assert_int_equal(paos_list_size(NULL), 0);
    assert_null(paos_list_at(NULL, 0));
    paos_list_free(NULL);
}

static void lists_are_freed_in_any_order(void **state)
{
    paos_conn *conn = *state;
    paos_list *lists[5];
    const int order[] = {2, 0, 4, 3, 1};
    size_t i;

    conn->cache.bound = 0;
    for (i = 0; i < COUNT(lists); i++)
    {
        lists[i] = paosi_list_new(conn, 0);
        assert_true(paosi_list_add(lists[i], fake_conn_object(conn, (int64_t) i + 1)));
    }
    for (i = 0; i < COUNT(lists); i++)
    {
        paos_list_free(lists[order[i]]);
        assert_int_equal(conn->cache.held.size, COUNT(lists) - 1 - i);
    }
    assert_null(conn->lists);
}

static void a_list_outlives_its_connection(void **state)
{
    paos_conn *conn = *state;
    paos_list *first = paosi_list_new(conn, 4);
    paos_list *second = paosi_list_new(conn, 4);
    paos_list *third = paosi_list_new(conn, 4);

    assert_true(paosi_list_add(second, fake_conn_object(conn, 1)));
    paos_list_free(first);
    fake_conn_teardown(state);
    assert_int_equal(paos_list_size(second), 0);
    assert_null(paos_list_at(second, 0));
    paos_list_free(third);
    paos_list_free(second);
    assert_int_equal(fake_conn_setup(state), 0);
}

static void without_memory_nothing_is_added(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fake_conn_object(conn, 1);
    paos_list *list;

    fake_alloc_fail(0);
    assert_null(paosi_list_new(conn, 1));
    fake_alloc_fail(1);
    assert_null(paosi_list_new(conn, 1));
    assert_null(conn->lists);
    assert_true(fake_alloc_end());
    list = paosi_list_new(conn, 0);
    fake_alloc_fail(0);
    assert_false(paosi_list_add(list, object));
    assert_true(fake_alloc_end());
    assert_int_equal(object->holds, 0);
    assert_true(paosi_list_add(list, object));
    paos_list_free(list);
}

/* ---- rings ---- */

/* The keys of a ring, from the object on. */
static void assert_ring(const paos_object *object, const int64_t *keys, size_t n)
{
    const paosi_cache *cache = &paosi_object_conn(object)->cache;
    const paos_object *member = object;
    size_t i;

    for (i = 0; i < n; i++)
    {
        const paos_object *next = paosi_cache_at(cache, paosi_object_rest(member)->right);

        assert_true(member->id == fake_conn_id(keys[i]));
        assert_ptr_equal(paosi_cache_at(cache, paosi_object_rest(next)->left), member);
        member = next;
    }
    assert_ptr_equal(member, object);
}

static void an_object_alone_is_its_own_ring(void **state)
{
    paos_object *object = fake_conn_object(*state, 1);

    assert_ring(object, (const int64_t[]){1}, 1);
    paosi_ring_leave(object);
    paosi_ring_join(object, object);
    assert_ring(object, (const int64_t[]){1}, 1);
}

static void a_ring_keeps_the_order_of_the_answer(void **state)
{
    paos_object *objects[4];
    int64_t i;

    for (i = 0; i < 4; i++)
    {
        objects[i] = fake_conn_object(*state, i + 1);
        paosi_ring_join(objects[i], objects[0]);
    }
    assert_ring(objects[0], (const int64_t[]){1, 2, 3, 4}, 4);
    paosi_ring_join(objects[1], objects[0]);
    assert_ring(objects[0], (const int64_t[]){1, 3, 4, 2}, 4);
    paosi_ring_leave(objects[2]);
    assert_ring(objects[0], (const int64_t[]){1, 4, 2}, 3);
    assert_ring(objects[2], (const int64_t[]){3}, 1);
}

static void a_dropped_object_leaves_its_ring(void **state)
{
    paos_conn *conn = *state;
    paos_object *first = fake_conn_object(conn, 1);
    paos_object *second = fake_conn_object(conn, 2);
    paos_object *third = fake_conn_object(conn, 3);

    paosi_ring_join(second, first);
    paosi_ring_join(third, first);
    paosi_cache_drop(conn, second);
    assert_ring(first, (const int64_t[]){1, 3}, 2);
    paosi_cache_drop(conn, first);
    assert_ring(third, (const int64_t[]){3}, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_conn_setup, fake_conn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_holds_its_objects),
        TEST(null_is_an_empty_list),
        TEST(lists_are_freed_in_any_order),
        TEST(a_list_outlives_its_connection),
        TEST(without_memory_nothing_is_added),
        TEST(an_object_alone_is_its_own_ring),
        TEST(a_ring_keeps_the_order_of_the_answer),
        TEST(a_dropped_object_leaves_its_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
