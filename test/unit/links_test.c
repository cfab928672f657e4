/*
 * links_test.c - references that are pointers once they were followed: when they are
 * used, and that none outlives what it was read from or what it leads to.
 *
 * The world is N persons in a ring of love; everyone's friends are two of them.
 */
#include "fake_alloc.h"
#include "fake_world.h"
#include "unit.h"

#define N 400

static int setup(void **state)
{
    int64_t i;

    fake_world_begin();
    for (i = 1; i <= N; i++)
        fake_object(PERSON, fake_int8(i), fake_text("p"), fake_int4(i), fake_ref(PERSON, i % N + 1),
                    fake_null(), fake_null(),
                    fake_array(FAKE_REF, fake_ref(PERSON, i % N + 1), fake_ref(PERSON, 1)));
    fake_object(CHILD, fake_int8(N + 1), fake_text("c"), fake_int4(1), fake_null(), fake_null(),
                fake_null(), fake_null(), fake_text("ball"));
    *state = fake_world_open();
    return 0;
}

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    return object;
}

static const paos_attribute *attribute(paos_conn *conn, const char *name)
{
    const paos_attribute *at = paos_class_attribute(conn, "person", name);

    assert_non_null(at);
    return at;
}

static paosi_link *link_of(paos_object *object, const char *name)
{
    return paosi_links_of(object, (unsigned) paosi_shape_find(object->shape, name));
}

/* Person 1, whose love and friends were followed. */
static paos_object *followed(paos_conn *conn)
{
    paos_object *object = fetch(conn, PERSON, 1), *items[2];

    paos_object_release(fetch(conn, PERSON, 2));
    assert_non_null(paos_object_ref(object, "loves"));
    assert_int_equal(paos_object_ref_items(object, "friends", items, 2), 2);
    assert_ptr_equal(link_of(object, "loves")->one, paos_cached(conn, fake_id(PERSON, 2)));
    assert_ptr_equal(link_of(object, "friends")->many->items[0], items[0]);
    assert_ptr_equal(link_of(object, "friends")->many->items[1], object);
    return object;
}

/* ---- following ---- */

/* By whatever call, and as often: the same handles, and each counted as a hit. */
static void all_calls_follow_links(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *second = paos_cached(conn, fake_id(PERSON, 2));
    const paos_attribute *loves = attribute(conn, "loves"), *friends = attribute(conn, "friends");
    paos_object *items[3] = {NULL, NULL, object};
    paos_stats before, after;
    int i;

    fake_log_clear();
    paos_conn_stats(conn, &before);
    for (i = 0; i < 2; i++)
    {
        assert_ptr_equal(paos_object_ref_at(object, loves), second);
        assert_ptr_equal(paos_object_ref_item_at(object, friends, 0), second);
        assert_int_equal(paos_object_ref_items_at(object, friends, items, 3), 2);
        assert_ptr_equal(items[0], second);
        assert_ptr_equal(items[1], object);
        assert_ptr_equal(items[2], object);
    }
    paos_conn_stats(conn, &after);
    assert_int_equal(after.hits - before.hits, 8);
    assert_int_equal(after.misses, before.misses);
    assert_int_equal(fake_sent_count(), 0);
    assert_int_equal(paos_object_ref_items_at(object, friends, NULL, 2), 2);
    assert_int_equal(paos_object_ref_items_at(object, friends, items, 0), 2);
    assert_null(paos_object_ref_item_at(object, friends, 2));
    paos_object_release(object);
}

/* What is linked as one is not an array, and the reverse. */
static void the_wrong_call_is_refused(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *item = NULL;

    assert_null(paos_object_ref_at(object, attribute(conn, "friends")));
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    assert_int_equal(paos_object_ref_count_at(object, attribute(conn, "loves")), 0);
    assert_int_equal(paos_object_ref_items_at(object, attribute(conn, "loves"), &item, 1), 0);
    assert_null(item);
    assert_null(paos_object_ref_item_at(object, attribute(conn, "loves"), 0));
    assert_int_equal(paos_object_ref_items(NULL, "friends", &item, 1), 0);
    assert_int_equal(paos_object_ref_items_at(object, NULL, &item, 1), 0);
    paos_object_release(object);
}

static void without_memory_it_is_followed_all_the_same(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fetch(conn, PERSON, 1);

    fake_alloc_fail(0);
    assert_ptr_equal(paos_object_ref_item(object, "friends", 1), object);
    assert_true(fake_alloc_end());
    assert_null(link_of(object, "friends")->many);
    paos_object_release(object);
}

/* ---- what a link was read from ---- */

static void a_local_change_comes_first(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *third = fetch(conn, PERSON, 3);
    const paos_attribute *loves = attribute(conn, "loves"), *friends = attribute(conn, "friends");
    const paos_value none = paos_array(NULL, 0);

    assert_non_null(paos_object_ref_at(object, loves));
    assert_int_equal(paos_object_ref_count_at(object, friends), 2);
    assert_status(paos_object_set(object, "loves", paos_ref(third)), PAOS_OK);
    assert_status(paos_object_set(object, "friends", none), PAOS_OK);
    assert_ptr_equal(paos_object_ref_at(object, loves), third);
    assert_int_equal(paos_object_ref_count_at(object, friends), 0);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_ptr_equal(paos_object_ref_at(object, loves), third);
    assert_int_equal(paos_object_ref_count_at(object, friends), 0);
    paos_object_release(object);
    paos_object_release(third);
}

/* A commit of something else leaves them. */
static void a_commit_keeps_what_it_does_not_change(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *third = fetch(conn, PERSON, 3);

    assert_status(paos_object_set(object, "age", paos_int(77)), PAOS_OK);
    assert_status(paos_object_set(object, "loves", paos_ref(third)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_non_null(link_of(object, "friends")->many);
    assert_null(link_of(object, "loves")->one);
    assert_ptr_equal(paos_object_ref(object, "loves"), third);
    paos_object_release(object);
    paos_object_release(third);
}

static void a_refresh_follows_anew(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *items[2];
    const paos_attribute *loves = attribute(conn, "loves"), *friends = attribute(conn, "friends");

    assert_non_null(paos_object_ref_at(object, loves));
    assert_int_equal(paos_object_ref_items_at(object, friends, items, 2), 2);
    fake_write(PERSON, 1, "loves", fake_ref(PERSON, 9));
    fake_write(PERSON, 1, "friends", fake_array(FAKE_REF, fake_ref(PERSON, 8)));
    assert_status(paos_object_refresh(object), PAOS_OK);
    assert_true(paos_object_id(paos_object_ref_at(object, loves)) == fake_id(PERSON, 9));
    assert_int_equal(paos_object_ref_items_at(object, friends, items, 2), 1);
    assert_true(paos_object_id(items[0]) == fake_id(PERSON, 8));
    paos_object_release(object);
}

/* ---- what a link leads to ---- */

static void a_deleted_target_is_not_followed(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *second = paos_cached(conn, fake_id(PERSON, 2));
    const paos_attribute *loves = attribute(conn, "loves");

    assert_ptr_equal(paos_object_ref_at(object, loves), second);
    assert_status(paos_delete(conn, second), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_null(paos_object_ref_at(object, loves));
    assert_null(paos_object_ref_item(object, "friends", 0));
    paos_object_release(object);
}

/* The slot of what a link leads to is not another object's before the link is gone. */
static void a_slot_waits_for_the_links_to_it(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = followed(conn), *second = paos_cached(conn, fake_id(PERSON, 2));
    const paos_attribute *loves = attribute(conn, "loves");
    int64_t i;

    assert_ptr_equal(paos_object_ref_at(object, loves), second);
    paosi_cache_drop(conn, second);
    for (i = 3; i <= N; i++)
    {
        paos_object *other = fetch(conn, PERSON, i);

        assert_true(other != second || link_of(object, "loves")->one != second);
        assert_true(link_of(object, "loves")->one != other);
        paosi_cache_drop(conn, other);
    }
    assert_true(conn->cache.slabs_size == 1);
    assert_null(link_of(object, "loves")->one);
    assert_null(link_of(object, "friends")->many->items[0]);
    assert_ptr_equal(link_of(object, "friends")->many->items[1], object);
    assert_true(paos_object_id(paos_object_ref_at(object, loves)) == fake_id(PERSON, 2));
    paos_object_release(object);
}

/* A reference to a child as a child does not hold for a person of the same key. */
static void a_target_of_another_class_is_not_followed(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = fetch(conn, PERSON, 1), *child = fetch(conn, CHILD, N + 1);

    fake_write(PERSON, 1, "loves", fake_ref(CHILD, N + 1));
    assert_status(paos_object_refresh(object), PAOS_OK);
    assert_ptr_equal(paos_object_ref(object, "loves"), child);
    assert_ptr_equal(link_of(object, "loves")->one, child);
    paosi_object_take_row(child, object->shape, child->row, child->flags, child->version);
    assert_null(link_of(object, "loves")->one);
    assert_null(paos_object_ref(object, "loves"));
    paos_object_release(object);
    paos_object_release(child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_calls_follow_links),
        TEST(the_wrong_call_is_refused),
        TEST(without_memory_it_is_followed_all_the_same),
        TEST(a_local_change_comes_first),
        TEST(a_commit_keeps_what_it_does_not_change),
        TEST(a_refresh_follows_anew),
        TEST(a_deleted_target_is_not_followed),
        TEST(a_slot_waits_for_the_links_to_it),
        TEST(a_target_of_another_class_is_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
