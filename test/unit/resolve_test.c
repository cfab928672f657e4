/*
 * resolve_test.c - following references, counted in statements and round trips.
 *
 * The world is N persons in a ring of love, each with a boss who is person 1
 * and a home of their own, so that every reference has a target to load.
 */
#include "fake_world.h"
#include "unit.h"

#define N 100

static int setup(void **state)
{
    int64_t i;

    fake_world_begin();
    for (i = 1; i <= N; i++)
    {
        fake_object(PLACE, fake_int4(i), fake_text("home"), fake_text("calm"));
        fake_object(PERSON, fake_int8(i), fake_text("p"), fake_int4(i), fake_ref(PERSON, i % N + 1),
                    fake_int8(1), fake_int4(i),
                    fake_array(FAKE_REF, fake_ref(PLACE, i), fake_ref(PERSON, N + 1 - i)));
    }
    *state = fake_world_open();
    return 0;
}

/* The first persons, without their targets. */
static paos_list *get(paos_conn *conn, const paos_get_options *options, size_t n)
{
    paos_list *list = NULL;

    fake_query_finds((int64_t) n);
    assert_status(paos_get_with(conn, PAOS_READ, "person", "age <= $1",
                                (const paos_value[]){paos_int((int64_t) n)}, 1, options, &list),
                  PAOS_OK);
    assert_int_equal(paos_list_size(list), n);
    fake_log_clear();
    return list;
}

/* ---- batches ---- */

static void siblings_load_their_targets_together(void **state)
{
    paos_list *list = get(*state, NULL, N / 2);
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
    {
        paos_object *home = paos_object_ref(paos_list_at(list, i), "home");

        assert_non_null(home);
        assert_true(paos_object_id(home) == fake_id(PLACE, (int64_t) i + 1));
    }
    assert_int_equal(fake_exchanges(), 1);
    assert_int_equal(fake_sent_count(), 1);
    paos_list_free(list);
}

/* Siblings are those of the last answer that an object was in. */
static void a_new_answer_is_a_new_batch(void **state)
{
    paos_conn *conn = *state;
    paos_list *all = get(conn, NULL, 10);
    paos_list *some = get(conn, NULL, 2);

    assert_ptr_equal(paos_list_at(some, 0), paos_list_at(all, 0));
    assert_non_null(paos_object_ref(paos_list_at(some, 0), "home"));
    assert_int_equal(fake_sent_at(0)->parameters[0].size, 20 + 2 * 8);
    paos_list_free(some);
    paos_list_free(all);
}

/* Only person N/2 + 1 is not here yet. */
static void only_what_is_missing_is_loaded(void **state)
{
    paos_list *list = get(*state, NULL, N / 2);
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
        assert_non_null(paos_object_ref(paos_list_at(list, i), "loves"));
    assert_int_equal(fake_sent_count(), 1);
    /* An int8 array of one key. */
    assert_int_equal(fake_sent_at(0)->parameters[0].size, 20 + 12);
    paos_list_free(list);
}

static void what_is_here_costs_nothing(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = get(conn, NULL, N);
    size_t i;

    for (i = 0; i < N; i++)
    {
        assert_ptr_equal(paos_object_ref(paos_list_at(list, i), "loves"),
                         paos_list_at(list, (i + 1) % N));
        assert_ptr_equal(paos_object_ref(paos_list_at(list, i), "boss"), paos_list_at(list, 0));
    }
    assert_int_equal(fake_exchanges(), 0);
    paos_list_free(list);
}

/* Homes and friends of two classes: one round trip, a statement for each class. */
static void mixed_classes_are_one_round_trip(void **state)
{
    paos_list *list = get(*state, NULL, 10);
    paos_list *friends = NULL;

    assert_status(paos_object_refs(paos_list_at(list, 0), "friends", &friends), PAOS_OK);
    assert_int_equal(paos_list_size(friends), 2);
    assert_true(paos_object_id(paos_list_at(friends, 0)) == fake_id(PLACE, 1));
    assert_true(paos_object_id(paos_list_at(friends, 1)) == fake_id(PERSON, N));
    assert_int_equal(fake_exchanges(), 1);
    assert_int_equal(fake_sent_count(), 2);
    assert_int_equal(fake_sent_at(0)->exchange, fake_sent_at(1)->exchange);
    paos_list_free(friends);
    assert_status(paos_object_refs(paos_list_at(list, 9), "friends", &friends), PAOS_OK);
    assert_int_equal(fake_exchanges(), 1);
    paos_list_free(friends);
    paos_list_free(list);
}

/* The same without a list: an element is followed as a reference is. */
static void elements_are_followed_one_by_one(void **state)
{
    paos_list *list = get(*state, NULL, 10);
    paos_object *object = paos_list_at(list, 0);

    assert_int_equal(paos_object_ref_count(object, "friends"), 2);
    assert_int_equal(fake_exchanges(), 0);
    assert_true(paos_object_id(paos_object_ref_item(object, "friends", 0)) == fake_id(PLACE, 1));
    assert_int_equal(fake_exchanges(), 1);
    assert_int_equal(fake_sent_count(), 2);
    assert_true(paos_object_id(paos_object_ref_item(object, "friends", 1)) == fake_id(PERSON, N));
    assert_null(paos_object_ref_item(object, "friends", 2));
    assert_true(paos_object_id(paos_object_ref_item(paos_list_at(list, 9), "friends", 1)) != 0);
    assert_int_equal(fake_exchanges(), 1);
    assert_int_equal(paos_object_ref_count(object, "loves"), 0);
    assert_int_equal(paos_conn_error(*state)->status, PAOS_INVALID);
    assert_null(paos_object_ref_item(object, "loves", 0));
    paos_list_free(list);
}

/* Whoever is loaded through a reference has siblings in turn; a step taken again brings more. */
static void a_walk_costs_a_round_trip_for_each_kind_of_step(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = get(conn, NULL, 10);
    size_t level, i;

    for (level = 0; level < 3; level++)
    {
        for (i = 0; i < 10; i++)
        {
            paos_object *object = paos_list_at(list, i);
            size_t step;

            for (step = 0; step <= level; step++)
                object = paos_object_ref(object, "loves");
            assert_true(paos_object_id(object) == fake_id(PERSON, (int64_t) (i + level + 2)));
        }
        assert_int_equal(fake_exchanges(), level == 0 ? 1 : 2);
    }
    paos_list_free(list);
}

static void a_cycle_ends(void **state)
{
    paos_list *list = get(*state, NULL, 1);
    paos_object *first = paos_list_at(list, 0);
    paos_object *object = first;
    size_t i;

    for (i = 0; i < N; i++)
        object = paos_object_ref(object, "loves");
    assert_ptr_equal(object, first);
    /* A step, and as far again as it has come each time. */
    assert_int_equal(fake_exchanges(), 7);
    paos_list_free(list);
}

/* ---- policies ---- */

static void each_loads_one_target(void **state)
{
    const paos_get_options options = {.load = PAOS_LOAD_EACH};
    paos_list *list = get(*state, &options, 10);
    size_t i;

    for (i = 0; i < 10; i++)
        assert_non_null(paos_object_ref(paos_list_at(list, i), "home"));
    assert_int_equal(fake_exchanges(), 10);
    paos_list_free(list);
}

static void refuse_loads_nothing(void **state)
{
    paos_conn *conn = *state;
    const paos_get_options options = {.load = PAOS_LOAD_REFUSE};
    paos_list *list = get(conn, &options, 10);
    paos_list *friends = NULL;

    assert_null(paos_object_ref(paos_list_at(list, 0), "home"));
    assert_status(paos_conn_error(conn)->status, PAOS_NOT_LOADED);
    assert_status(paos_object_refs(paos_list_at(list, 0), "friends", &friends), PAOS_NOT_LOADED);
    assert_null(friends);
    assert_non_null(paos_object_ref(paos_list_at(list, 0), "boss"));
    assert_int_equal(fake_exchanges(), 0);
    paos_list_free(list);
}

/* Both friends come together, but each loads its own home. */
static void the_policy_goes_with_the_reference(void **state)
{
    paos_conn *conn = *state;
    const paos_get_options options = {.load = PAOS_LOAD_EACH};
    paos_list *list;
    paos_list *friends = NULL;
    size_t i;

    list = get(conn, &options, 1);
    assert_status(paos_object_set(paos_list_at(list, 0), "friends",
                                  paos_array((const paos_value[]){paos_ref_id(fake_id(PERSON, 7)),
                                                                  paos_ref_id(fake_id(PERSON, 8))},
                                             2)),
                  PAOS_OK);
    assert_status(paos_object_refs(paos_list_at(list, 0), "friends", &friends), PAOS_OK);
    assert_int_equal(paos_list_size(friends), 2);
    assert_int_equal(fake_exchanges(), 1);
    for (i = 0; i < 2; i++)
    {
        assert_non_null(paos_object_ref(paos_list_at(friends, i), "home"));
        assert_int_equal(fake_exchanges(), 2 + i);
        assert_int_equal(fake_sent_at(1 + i)->parameters[0].size, 20 + 8);
    }
    paos_list_free(friends);
    paos_list_free(list);
}

static void prefetch_loads_levels_at_once(void **state)
{
    paos_conn *conn = *state;
    const paos_get_options options = {.load = PAOS_LOAD_REFUSE, .prefetch = 2};
    paos_stats before, after;
    paos_list *list;
    paos_object *object;

    paos_conn_stats(conn, &before);
    list = get(conn, &options, 10);
    paos_conn_stats(conn, &after);
    /* The classes; the answer with two levels. */
    assert_int_equal(after.round_trips - before.round_trips, 2);
    object = paos_object_ref(paos_list_at(list, 9), "loves");
    assert_non_null(object);
    object = paos_object_ref(object, "loves");
    assert_non_null(object);
    assert_non_null(paos_object_ref(paos_object_ref(paos_list_at(list, 9), "loves"), "home"));
    assert_null(paos_object_ref(object, "loves"));
    assert_status(paos_conn_error(conn)->status, PAOS_NOT_LOADED);
    assert_int_equal(fake_exchanges(), 0);
    paos_list_free(list);
}

/* ---- what is not there ---- */

static void a_dangling_reference_is_asked_about_once(void **state)
{
    paos_conn *conn = *state;
    paos_list *list;
    paos_object *first;

    fake_remove(PLACE, 1);
    list = get(conn, NULL, 1);
    first = paos_list_at(list, 0);
    paos_conn_error_clear(conn);
    assert_null(paos_object_ref(first, "home"));
    assert_null(paos_object_ref(first, "home"));
    assert_status(paos_conn_error(conn)->status, PAOS_OK);
    assert_int_equal(fake_exchanges(), 1);
    /* It is there now, which is only seen when the object is refreshed. */
    fake_object(PLACE, fake_int4(1), fake_text("new"), fake_null());
    assert_null(paos_object_ref(first, "home"));
    assert_status(paos_object_refresh(first), PAOS_OK);
    assert_non_null(paos_object_ref(first, "home"));
    paos_list_free(list);
}

static void missing_targets_are_left_out_of_a_list(void **state)
{
    paos_conn *conn = *state;
    paos_list *list;
    paos_list *friends = NULL;

    fake_remove(PERSON, N);
    list = get(conn, NULL, 1);
    assert_status(paos_object_refs(paos_list_at(list, 0), "friends", &friends), PAOS_OK);
    assert_int_equal(paos_list_size(friends), 1);
    assert_true(paos_object_id(paos_list_at(friends, 0)) == fake_id(PLACE, 1));
    paos_list_free(friends);
    paos_list_free(list);
}

static void a_null_array_is_an_empty_list(void **state)
{
    paos_conn *conn = *state;
    paos_list *friends = NULL;
    paos_object *object = NULL;

    fake_write(PERSON, 1, "friends", fake_null());
    fake_write(PERSON, 2, "friends", fake_array_of(FAKE_REF, NULL, 0));
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    assert_status(paos_object_refs(object, "friends", &friends), PAOS_OK);
    assert_int_equal(paos_list_size(friends), 0);
    paos_list_free(friends);
    paos_object_release(object);
    assert_status(paos_fetch(conn, fake_id(PERSON, 2), &object), PAOS_OK);
    assert_status(paos_object_refs(object, "friends", &friends), PAOS_OK);
    assert_int_equal(paos_list_size(friends), 0);
    paos_list_free(friends);
    paos_object_release(object);
}

/* A reference to a class that was unregistered is as good as dangling. */
static void a_reference_to_no_class_is_dangling(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;

    fake_write(PERSON, 1, "loves", fake_ref(7, 1));
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    paos_conn_error_clear(conn);
    assert_null(paos_object_ref(object, "loves"));
    assert_status(paos_conn_error(conn)->status, PAOS_OK);
    paos_object_release(object);
}

/* ---- the cache and the figures ---- */

static void figures_count_hits_and_misses(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = get(conn, NULL, 10);
    paos_stats before, after;
    size_t i;

    paos_conn_stats(conn, &before);
    for (i = 0; i < 10; i++)
        paos_object_ref(paos_list_at(list, i), "home");
    paos_conn_stats(conn, &after);
    assert_int_equal(after.misses - before.misses, 1);
    assert_int_equal(after.hits - before.hits, 9);
    assert_int_equal(after.statements - before.statements, 1);
    assert_int_equal(after.round_trips - before.round_trips, 1);
    assert_int_equal(after.objects - before.objects, 10);
    paos_list_free(list);
}

/* A borrowed target stays while the object that refers to it is held, whatever else is loaded. */
static void borrowed_targets_outlive_a_small_cache(void **state)
{
    paos_conn *conn = *state;
    const paos_get_options options = {.load = PAOS_LOAD_EACH};
    paos_list *list = get(conn, &options, 20);
    paos_object *homes[20];
    size_t i;

    assert_status(paos_conn_set_cache(conn, 4), PAOS_OK);
    for (i = 0; i < 20; i++)
        homes[i] = paos_object_ref(paos_list_at(list, i), "home");
    for (i = 0; i < 20; i++)
    {
        assert_true(paos_object_id(homes[i]) == fake_id(PLACE, (int64_t) i + 1));
        assert_string_equal(paos_object_text(homes[i], "name"), "home");
    }
    paos_list_free(list);
}

static void a_walk_stays_within_the_cache(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;
    paos_stats stats;
    int i;

    assert_status(paos_conn_set_cache(conn, 10), PAOS_OK);
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    for (i = 0; i < 2 * N; i++)
    {
        paos_object *next = paos_object_hold(paos_object_ref(object, "loves"));

        assert_non_null(next);
        paos_object_release(object);
        object = next;
        paos_conn_stats(conn, &stats);
        assert_true(stats.objects <= 14);
    }
    assert_true(paos_object_id(object) == fake_id(PERSON, 1));
    paos_object_release(object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(siblings_load_their_targets_together),
        TEST(a_new_answer_is_a_new_batch),
        TEST(only_what_is_missing_is_loaded),
        TEST(what_is_here_costs_nothing),
        TEST(mixed_classes_are_one_round_trip),
        TEST(elements_are_followed_one_by_one),
        TEST(a_walk_costs_a_round_trip_for_each_kind_of_step),
        TEST(a_cycle_ends),
        TEST(each_loads_one_target),
        TEST(refuse_loads_nothing),
        TEST(the_policy_goes_with_the_reference),
        TEST(prefetch_loads_levels_at_once),
        TEST(a_dangling_reference_is_asked_about_once),
        TEST(missing_targets_are_left_out_of_a_list),
        TEST(a_null_array_is_an_empty_list),
        TEST(a_reference_to_no_class_is_dangling),
        TEST(figures_count_hits_and_misses),
        TEST(borrowed_targets_outlive_a_small_cache),
        TEST(a_walk_stays_within_the_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
