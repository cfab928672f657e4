/*
 * resolve_test.c - references that load themselves, and what that costs.
 *
 * The numbers of round trips and statements are what is tested: a walk costs
 * one for each level of the graph and class, never one for each object.
 */
#include "client.h"

/* 1,000 persons who refer to 100 others three ways, and to two classes. */
static void create_crowd(const fixture *f)
{
    sql(f, "CREATE TABLE t.town (id int PRIMARY KEY, name text);"
           " INSERT INTO t.town SELECT i, 'town ' || i FROM generate_series(1, 50) i;"
           " SELECT paos.register_class('t.town')");
    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, name text, loves paos.ref,"
           " home int REFERENCES t.town, boss int REFERENCES t.person, likes paos.ref[]);"
           " SELECT paos.register_class('t.person')");
    sql(f, "INSERT INTO t.person SELECT i, 'target ' || i, NULL, NULL, NULL, NULL"
           " FROM generate_series(1, 100) i");
    sql(f, "INSERT INTO t.person SELECT 1000 + i, 'person ' || i,"
           " CASE WHEN i % 2 = 0 THEN paos.ref('t.person', i % 100 + 1)"
           "      ELSE paos.ref('t.town', i % 50 + 1) END,"
           " i % 50 + 1, i % 100 + 1,"
           " ARRAY[paos.ref('t.person', i % 100 + 1), NULL, paos.ref('t.town', i % 50 + 1)]"
           " FROM generate_series(1, 1000) i");
}

static paos_list *crowd(fixture *f, const paos_get_options *options)
{
    paos_list *list = NULL;

    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id > 1000", NULL, 0, options, &list));
    assert_int_equal(paos_list_size(list), 1000);
    round_trips(f);
    return list;
}

static void check_all(const paos_list *list, const char *attribute)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
        assert_non_null(
            paos_object_text(paos_object_ref(paos_list_at(list, i), attribute), "name"));
}

static void siblings_load_together(void **state)
{
    fixture *f = *state;
    paos_list *list;

    create_crowd(f);
    list = crowd(f, NULL);
    check_all(list, "boss");
    assert_int_equal(round_trips(f), 1);
    check_all(list, "home");
    assert_int_equal(round_trips(f), 1);
    /* All of its targets are there by now. */
    check_all(list, "loves");
    assert_int_equal(round_trips(f), 0);
    paos_list_free(list);
}

static void mixed_classes_are_one_round_trip(void **state)
{
    fixture *f = *state;
    paos_list *list;
    paos_stats cost;

    create_crowd(f);
    list = crowd(f, NULL);
    check_all(list, "loves");
    cost = spent(f);
    assert_int_equal(cost.statements, 2);
    assert_int_equal(cost.round_trips, 1);
    paos_list_free(list);
}

static void arrays_of_references_too(void **state)
{
    fixture *f = *state;
    paos_list *list, *likes = NULL;

    create_crowd(f);
    list = crowd(f, NULL);
    for (size_t i = 0; i < 1000; i++)
    {
        OK(f->conn, paos_object_refs(paos_list_at(list, i), "likes", &likes));
        assert_int_equal(paos_list_size(likes), 2);
        assert_string_equal(paos_object_class(paos_list_at(likes, 0)), "t.person");
        assert_string_equal(paos_object_class(paos_list_at(likes, 1)), "t.town");
        paos_list_free(likes);
    }
    assert_int_equal(round_trips(f), 1);
    paos_list_free(list);
}

/* Nulls and missing targets have their places, the count and the list differ. */
static void elements_are_numbered_as_they_are_stored(void **state)
{
    fixture *f = *state;
    paos_object *john;

    create_crowd(f);
    john = get_one(f->conn, "t.person", "id == 1001");
    round_trips(f);
    assert_int_equal(paos_object_ref_count(john, "likes"), 3);
    assert_int_equal(round_trips(f), 0);
    assert_string_equal(paos_object_class(paos_object_ref_item(john, "likes", 0)), "t.person");
    assert_int_equal(round_trips(f), 1);
    assert_null(paos_object_ref_item(john, "likes", 1));
    assert_string_equal(paos_object_class(paos_object_ref_item(john, "likes", 2)), "t.town");
    assert_null(paos_object_ref_item(john, "likes", 3));
    assert_int_equal(round_trips(f), 0);
    OK(f->conn, paos_object_set(john, "likes", paos_null()));
    assert_int_equal(paos_object_ref_count(john, "likes"), 0);
    assert_null(paos_object_ref_item(john, "likes", 0));
    const paos_value items[] = {paos_null(), paos_ref(john)};
    OK(f->conn, paos_object_set(john, "likes", paos_array(items, 2)));
    assert_int_equal(paos_object_ref_count(john, "likes"), 2);
    assert_ptr_equal(paos_object_ref_item(john, "likes", 1), john);
    assert_int_equal(paos_object_ref_count(john, "name"), 0);
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_INVALID);
    paos_object_release(john);
}

/* A borrowed element stays while the object it was got from is held. */
static void borrowed_elements_outlive_trimming(void **state)
{
    fixture *f = *state;
    paos_object *john, *target;

    create_crowd(f);
    john = get_one(f->conn, "t.person", "id == 1001");
    target = paos_object_ref_item(john, "likes", 0);
    OK(f->conn, paos_conn_set_cache(f->conn, 0));
    assert_string_equal(paos_object_text(target, "name"), "target 2");
    paos_list_free(get(f->conn, "t.person", "id > 1001"));
    assert_string_equal(paos_object_text(target, "name"), "target 2");
    paos_object_release(john);
}

static void one_at_a_time_on_demand(void **state)
{
    const paos_get_options each = {.load = PAOS_LOAD_EACH};
    fixture *f = *state;
    paos_list *list;

    create_crowd(f);
    list = crowd(f, &each);
    check_all(list, "boss");
    assert_int_equal(round_trips(f), 100);
    paos_list_free(list);
}

static void or_not_at_all(void **state)
{
    const paos_get_options refuse = {.load = PAOS_LOAD_REFUSE};
    fixture *f = *state;
    paos_list *list, *likes = NULL;

    create_crowd(f);
    list = crowd(f, &refuse);
    assert_null(paos_object_ref(paos_list_at(list, 0), "boss"));
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_NOT_LOADED);
    EXPECT(f->conn, paos_object_refs(paos_list_at(list, 0), "likes", &likes), PAOS_NOT_LOADED);
    assert_null(likes);
    assert_int_equal(round_trips(f), 0);
    /* What is there can be followed. */
    paos_list_free(get(f->conn, "t.person", "id <= 100"));
    round_trips(f);
    check_all(list, "boss");
    assert_int_equal(round_trips(f), 0);
    paos_list_free(list);
}

static void prefetch_leaves_nothing_to_load(void **state)
{
    const paos_get_options options = {.prefetch = 2};
    fixture *f = *state;
    paos_list *list = NULL;

    create_crowd(f);
    sql(f, "UPDATE t.person SET boss = 101 - id WHERE id <= 50; UPDATE t.person SET home = 7"
           " WHERE id <= 100");
    paos_list_free(get(f->conn, "t.person", "id == 1"));
    OK(f->conn, paos_conn_set_cache(f->conn, 0));
    OK(f->conn, paos_conn_set_cache(f->conn, 100000));
    round_trips(f);
    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id > 1000", NULL, 0, &options, &list));
    assert_int_equal(round_trips(f), 1);
    check_all(list, "boss");
    check_all(list, "loves");
    for (size_t i = 0; i < 1000; i++)
        assert_non_null(paos_object_ref(paos_object_ref(paos_list_at(list, i), "boss"), "home"));
    assert_int_equal(round_trips(f), 0);
    paos_list_free(list);
}

static void a_dangling_reference_is_null_and_remembered(void **state)
{
    fixture *f = *state;
    paos_object *john, *there;

    create_crowd(f);
    sql(f, "UPDATE t.person SET loves = paos.ref('t.person', 500) WHERE id = 1;"
           " UPDATE t.person SET likes = ARRAY[paos.ref('t.person', 500), paos.ref('t.person', 2)]"
           " WHERE id = 1");
    john = get_one(f->conn, "t.person", "id == 1");
    round_trips(f);
    paos_conn_error_clear(f->conn);
    assert_null(paos_object_ref(john, "loves"));
    assert_int_equal(round_trips(f), 1);
    assert_null(paos_object_ref(john, "loves"));
    assert_int_equal(round_trips(f), 0);
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_OK);
    sql(f, "INSERT INTO t.person (id, name) VALUES (500, 'late')");
    assert_null(paos_object_ref(john, "loves"));
    OK(f->conn, paos_object_refresh(john));
    there = paos_object_ref(john, "loves");
    assert_non_null(there);
    assert_string_equal(paos_object_text(there, "name"), "late");
    paos_object_release(john);
}

/* A reference to class number 999 or to an object of another class than it says. */
static void references_may_lie(void **state)
{
    fixture *f = *state;
    paos_object *john;

    create_crowd(f);
    sql(f, "CREATE TABLE t.pupil (PRIMARY KEY (id)) INHERITS (t.person);"
           " SELECT paos.register_class('t.pupil');"
           " UPDATE t.person SET loves = paos.ref((31999::bigint << 48) + 1) WHERE id = 1;"
           " UPDATE t.person SET loves = paos.ref('t.pupil', 3) WHERE id = 2;"
           " UPDATE t.person SET loves = paos.ref('t.person', 3) WHERE id = 4");
    john = get_one(f->conn, "t.person", "id == 1");
    assert_null(paos_object_ref(john, "loves"));
    round_trips(f);
    assert_null(paos_object_ref(john, "loves"));
    assert_int_equal(round_trips(f), 0);
    paos_object_release(john);
    john = get_one(f->conn, "t.person", "id == 2");
    assert_null(paos_object_ref(john, "loves"));
    paos_object_release(john);
    john = get_one(f->conn, "t.person", "id == 4");
    assert_string_equal(paos_object_text(paos_object_ref(john, "loves"), "name"), "target 3");
    paos_object_release(john);
}

/* ---- walks ---- */

/* A tree three wide and 7 deep, with references back to the parent: 1,093 nodes, cycles. */
static void create_tree(const fixture *f)
{
    sql(f, "CREATE TABLE t.node (id int PRIMARY KEY, parent int REFERENCES t.node,"
           " children paos.ref[], friend paos.ref); SELECT paos.register_class('t.node')");
    sql(f, "INSERT INTO t.node SELECT i, NULLIF((i + 1) / 3, 0),"
           " (SELECT array_agg(paos.ref('t.node', c) ORDER BY c)"
           "  FROM generate_series(3 * i - 1, least(3 * i + 1, 1093)) c),"
           " paos.ref('t.node', i * 7919 % 1093 + 1) FROM generate_series(1, 1093) i");
    sql(f, "SELECT setval(sequence, 2000) FROM paos.classes WHERE name = 't.node'::regclass");
}

/* Depth first: each object by itself, in an order that is none of the answers'. */
static size_t walk(paos_conn *conn, paos_object *node)
{
    paos_list *children = NULL;
    size_t count = 1;

    paos_object_hold(node);
    OK(conn, paos_object_refs(node, "children", &children));
    for (size_t i = 0; i < paos_list_size(children); i++)
        count += walk(conn, paos_list_at(children, i));
    paos_list_free(children);
    paos_object_release(node);
    return count;
}

static void a_walk_costs_fewer_round_trips_than_levels(void **state)
{
    fixture *f = *state;
    paos_object *root;

    create_tree(f);
    root = get_one(f->conn, "t.node", "id == 1");
    round_trips(f);
    assert_int_equal(walk(f->conn, root), 1093);
    /* To the levels 1, 4 and 6. */
    assert_int_equal(round_trips(f), 3);
    assert_int_equal(walk(f->conn, root), 1093);
    assert_int_equal(round_trips(f), 0);
    paos_object_release(root);
}

/* One chain through all: every step is a new object, and a cycle at the end. */
static void a_random_walk_stays_cheap(void **state)
{
    fixture *f = *state;
    paos_object *at;
    uint64_t trips;

    create_tree(f);
    at = get_one(f->conn, "t.node", "id == 1");
    paos_object_release(at);
    OK(f->conn, paos_conn_set_cache(f->conn, 100));
    round_trips(f);
    paos_list *all = get(f->conn, "t.node", NULL);
    at = paos_list_at(all, 0);
    for (int i = 0; i < 5000; i++)
        assert_non_null(at = paos_object_ref(at, "friend"));
    trips = round_trips(f);
    assert_int_equal(trips, 1);
    paos_list_free(all);
}

/* With a cache smaller than the graph a walk gets slower, but it arrives. */
static void a_small_cache_is_enough(void **state)
{
    fixture *f = *state;
    paos_object *root;
    paos_stats stats;

    create_tree(f);
    OK(f->conn, paos_conn_set_cache(f->conn, 20));
    root = get_one(f->conn, "t.node", "id == 1");
    assert_int_equal(walk(f->conn, root), 1093);
    paos_object_release(root);
    paos_list_free(get(f->conn, "t.node", "id == 2"));
    paos_conn_stats(f->conn, &stats);
    assert_true(stats.objects <= 20);
}

/* A reference that was changed here is followed as it is here. */
static void local_references_are_followed(void **state)
{
    fixture *f = *state;
    paos_object *node, *new;

    create_tree(f);
    node = get_one(f->conn, "t.node", "id == 5");
    OK(f->conn, paos_object_set(node, "friend", paos_ref_id(paos_object_id(node) + 2)));
    assert_int_equal(paosi_id_key(paos_object_id(paos_object_ref(node, "friend"))), 7);
    new = make(f->conn, "t.node");
    OK(f->conn, paos_object_set(node, "friend", paos_ref(new)));
    assert_ptr_equal(paos_object_ref(node, "friend"), new);
    const paos_value items[] = {paos_ref(new), paos_ref(node), paos_null()};
    OK(f->conn, paos_object_set(node, "children", paos_array(items, 3)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_ptr_equal(paos_object_ref(node, "friend"), new);
    paos_list *children = NULL;
    OK(f->conn, paos_object_refs(node, "children", &children));
    assert_int_equal(paos_list_size(children), 2);
    assert_ptr_equal(paos_list_at(children, 0), new);
    paos_list_free(children);
    assert_null(paos_object_ref(node, "id"));
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_INVALID);
    assert_null(paos_object_ref(node, "children"));
    paos_object_release(node);
    paos_object_release(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(siblings_load_together),
        TEST(mixed_classes_are_one_round_trip),
        TEST(arrays_of_references_too),
        TEST(elements_are_numbered_as_they_are_stored),
        TEST(borrowed_elements_outlive_trimming),
        TEST(one_at_a_time_on_demand),
        TEST(or_not_at_all),
        TEST(prefetch_leaves_nothing_to_load),
        TEST(a_dangling_reference_is_null_and_remembered),
        TEST(references_may_lie),
        TEST(a_walk_costs_fewer_round_trips_than_levels),
        TEST(a_random_walk_stays_cheap),
        TEST(a_small_cache_is_enough),
        TEST(local_references_are_followed),
    };

    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
