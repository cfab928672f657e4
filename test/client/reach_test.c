/*
 * reach_test.c - what is loaded with what was asked for, and what that costs.
 *
 * Round trips are what is tested, and that no more is loaded than is bound to be used:
 * what others may not read, what is here already and what is not followed any more is not.
 */
#include "client.h"

/* A chain of 100: person i is boss of person i + 1; towns by tens. */
static void create_chain(const fixture *f)
{
    sql(f, "CREATE TABLE t.town (id int PRIMARY KEY, name text);"
           " INSERT INTO t.town SELECT i, 'town ' || i FROM generate_series(1, 10) i;"
           " SELECT paos.register_class('t.town')");
    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, name text, boss int REFERENCES t.person,"
           " home int REFERENCES t.town, likes paos.ref[]);"
           " SELECT paos.register_class('t.person')");
    sql(f, "INSERT INTO t.person SELECT i, 'person ' || i, nullif(i - 1, 0), (i + 9) / 10,"
           " ARRAY[paos.ref('t.person', i), paos.ref('t.town', 1), NULL]"
           " FROM generate_series(1, 100) i");
}

static void forget_all(fixture *f)
{
    OK(f->conn, paos_conn_set_cache(f->conn, 0));
    OK(f->conn, paos_conn_set_cache(f->conn, 100000));
    round_trips(f);
}

static size_t cached(const fixture *f)
{
    paos_stats stats;

    paos_conn_stats(f->conn, &stats);
    return stats.objects;
}

/* A new connection, as a role. */
static void set_role(fixture *f, const char *role)
{
    char text[400];

    paos_conn_close(f->conn);
    snprintf(text, sizeof text, "%s options='-c role=%s'", conninfo(), role);
    OK(NULL, paos_conn_open(text, "test", &f->conn));
}

/* From person 100 to the boss above so many others. */
static paos_object *climb(paos_object *person, int steps)
{
    while (steps-- > 0)
    {
        person = paos_object_ref(person, "boss");
        assert_non_null(person);
    }
    return person;
}

static void walk(fixture *f, int steps)
{
    paos_list *list;

    forget_all(f);
    list = get(f->conn, "t.person", "id == 100");
    assert_int_equal(paos_object_int(climb(paos_list_at(list, 0), steps), "id"), 100 - steps);
    paos_list_free(list);
}

/* ---- as the program asks ---- */

static void any_depth_is_one_round_trip(void **state)
{
    static const char *const attributes[] = {"boss", NULL};
    const paos_get_options options = {.load = PAOS_LOAD_REFUSE, .follow = attributes};
    fixture *f = *state;
    paos_list *list = NULL;

    create_chain(f);
    paos_list_free(get(f->conn, "t.person", "id == 1"));
    forget_all(f);
    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id == 100", NULL, 0, &options, &list));
    assert_int_equal(paos_list_size(list), 1);
    assert_string_equal(paos_object_text(climb(paos_list_at(list, 0), 99), "name"), "person 1");
    assert_int_equal(round_trips(f), 1);
    /* Nothing but what was named. */
    assert_int_equal(cached(f), 100);
    assert_null(paos_object_ref(paos_list_at(list, 0), "home"));
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_NOT_LOADED);
    paos_list_free(list);
}

static void levels_are_counted(void **state)
{
    const paos_get_options options = {.load = PAOS_LOAD_REFUSE, .prefetch = 3};
    fixture *f = *state;
    paos_list *list = NULL;

    create_chain(f);
    paos_list_free(get(f->conn, "t.person", "id == 1"));
    forget_all(f);
    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id == 100", NULL, 0, &options, &list));
    assert_int_equal(round_trips(f), 1);
    /* Persons 97 to 100, towns 10 and 1; the person herself is met again. */
    assert_int_equal(cached(f), 6);
    assert_null(paos_object_ref(climb(paos_list_at(list, 0), 3), "boss"));
    paos_list_free(list);
}

static void rights_come_first(void **state)
{
    const paos_get_options options = {.prefetch = 5};
    fixture *f = *state;
    paos_list *list = NULL;

    create_chain(f);
    paos_list_free(get(f->conn, "t.person", "id == 1"));
    forget_all(f);
    OK(f->conn,
       paos_get_with(f->conn, PAOS_WRITE, "t.person", "id == 100", NULL, 0, &options, &list));
    /* The answer; the rights and the answer again; the rest. */
    assert_int_equal(round_trips(f), 3);
    climb(paos_list_at(list, 0), 5);
    assert_int_equal(round_trips(f), 0);
    paos_list_free(list);
}

static void what_is_here_is_not_sent(void **state)
{
    const paos_get_options options = {.prefetch = 2};
    fixture *f = *state;
    paos_object *boss;
    paos_list *list = NULL;

    create_chain(f);
    boss = get_one(f->conn, "t.person", "id == 99");
    sql(f, "UPDATE t.person SET name = 'another' WHERE id IN (98, 99, 100)");
    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id == 100", NULL, 0, &options, &list));
    assert_string_equal(paos_object_text(paos_list_at(list, 0), "name"), "another");
    assert_ptr_equal(paos_object_ref(paos_list_at(list, 0), "boss"), boss);
    assert_string_equal(paos_object_text(boss, "name"), "person 99");
    paos_list_free(list);
    paos_object_release(boss);
}

static void what_does_not_exist_is_known_then(void **state)
{
    const paos_get_options options = {.prefetch = 1};
    fixture *f = *state;
    paos_list *list = NULL, *likes = NULL;

    create_chain(f);
    sql(f, "UPDATE t.person SET likes = ARRAY[paos.ref('t.person', 500), paos.ref('t.town', 2)]"
           " WHERE id = 100");
    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id == 100", NULL, 0, &options, &list));
    round_trips(f);
    OK(f->conn, paos_object_refs(paos_list_at(list, 0), "likes", &likes));
    assert_int_equal(paos_list_size(likes), 1);
    assert_int_equal(round_trips(f), 0);
    paos_list_free(likes);
    paos_list_free(list);
}

/* By name, too; with an object that is here nothing is loaded. */
static void names_can_bring_what_they_lead_to(void **state)
{
    static const char *const attributes[] = {"boss", NULL};
    const paos_get_options options = {.load = PAOS_LOAD_REFUSE, .follow = attributes};
    const paos_get_options levels = {.prefetch = 3};
    fixture *f = *state;
    paos_object *person;
    paos_id id;

    create_chain(f);
    person = get_one(f->conn, "t.person", "id == 100");
    id = paos_object_id(person);
    paos_object_release(person);
    forget_all(f);
    OK(f->conn, paos_fetch_with(f->conn, id, &options, &person));
    assert_string_equal(paos_object_text(climb(person, 99), "name"), "person 1");
    assert_null(paos_object_ref(person, "home"));
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_NOT_LOADED);
    paos_object_release(person);
    assert_int_equal(round_trips(f), 1);
    OK(f->conn, paos_fetch_with(f->conn, id, &levels, &person));
    paos_object_release(person);
    assert_int_equal(round_trips(f), 0);
    forget_all(f);
    OK(f->conn, paos_fetch_with(f->conn, id, &levels, &person));
    /* Persons 97 to 100, towns 10 and 1. */
    assert_int_equal(cached(f), 6);
    assert_int_equal(round_trips(f), 1);
    paos_object_release(person);
}

/* A person who likes 60,000 towns. */
static void create_crowd(const fixture *f)
{
    create_chain(f);
    sql(f, "INSERT INTO t.town SELECT i, 'town ' || i FROM generate_series(11, 60000) i;"
           " UPDATE t.person SET likes = (SELECT array_agg(paos.ref('t.town', i))"
           " FROM generate_series(1, 60000) i) WHERE id = 1");
}

/* Not so much that it would drive itself out of the cache; else all. */
static void the_cache_bounds_it(void **state)
{
    static const char *const attributes[] = {"likes", NULL};
    const paos_get_options options = {.follow = attributes};
    fixture *f = *state;
    paos_list *list = NULL, *likes = NULL;

    create_crowd(f);
    paos_list_free(get(f->conn, "t.town", "id == 1"));
    forget_all(f);
    OK(f->conn, paos_get_with(f->conn, PAOS_READ, "t.person", "id == 1", NULL, 0, &options, &list));
    assert_int_equal(cached(f), 50001);
    paos_list_free(list);
    forget_all(f);
    OK(f->conn, paos_conn_set_cache(f->conn, 200000));
    OK(f->conn, paos_get_with(f->conn, PAOS_READ, "t.person", "id == 1", NULL, 0, &options, &list));
    OK(f->conn, paos_object_refs(paos_list_at(list, 0), "likes", &likes));
    assert_int_equal(paos_list_size(likes), 60000);
    assert_int_equal(round_trips(f), 1);
    paos_list_free(likes);
    paos_list_free(list);
}

/* ---- as it was seen to go ---- */

static void a_step_taken_again_goes_as_far_again(void **state)
{
    fixture *f = *state;

    create_chain(f);
    walk(f, 1);
    assert_int_equal(round_trips(f), 3); /* the classes, the answer, the step */
    assert_int_equal(cached(f), 2);
    set_role(f, "none");
    walk(f, 2);
    assert_int_equal(round_trips(f), 4);
    assert_int_equal(cached(f), 5);
    set_role(f, "none");
    walk(f, 99);
    /* The classes, the answer, and then up to the bosses 1, 4, 10, 22, 46, 94 and 99. */
    assert_int_equal(round_trips(f), 9);
    assert_int_equal(cached(f), 100);
}

/* A ring of 500 whose parts are joined by links: two kinds of steps, each from its own class. */
static void a_ring_costs_its_kinds_of_steps(void **state)
{
    fixture *f = *state;
    paos_object *part, *first;
    paos_list *list;
    int i;

    sql(f, "CREATE TABLE t.part (id int PRIMARY KEY, outgoing paos.ref[]);"
           " CREATE TABLE t.link (id int PRIMARY KEY, target int REFERENCES t.part);"
           " SELECT paos.register_class('t.part'), paos.register_class('t.link')");
    sql(f,
        "INSERT INTO t.part SELECT i, ARRAY[paos.ref('t.link', i)] FROM generate_series(1, 500) i;"
        " INSERT INTO t.link SELECT i, i % 500 + 1 FROM generate_series(1, 500) i");
    round_trips(f);
    list = get(f->conn, "t.part", "id == 1");
    part = first = paos_list_at(list, 0);
    for (i = 0; i < 500; i++)
        part = paos_object_ref(paos_object_ref_item(part, "outgoing", 0), "target");
    assert_ptr_equal(part, first);
    /* The classes, the answer, each kind of step, and then as far again each time. */
    assert_int_equal(round_trips(f), 10);
    paos_list_free(list);
}

/* What a step taken again brings is some times what the walk has come to. */
static void a_step_taken_again_is_bounded(void **state)
{
    fixture *f = *state;
    paos_list *list;

    create_chain(f);
    sql(f, "INSERT INTO t.person SELECT i, 'person ' || i, i - 1"
           " FROM generate_series(101, 9000) i");
    round_trips(f);
    list = get(f->conn, "t.person", "id == 9000");
    climb(paos_list_at(list, 0), 100);
    assert_true(cached(f) < 1200);
    climb(paos_list_at(list, 0), 8999);
    assert_int_equal(round_trips(f), 10);
    paos_list_free(list);
    set_role(f, "none");
    OK(f->conn, paos_conn_set_ahead(f->conn, 1));
    walk(f, 2);
    assert_int_equal(cached(f), 4);
}

static void what_was_followed_comes_ahead(void **state)
{
    fixture *f = *state;

    create_chain(f);
    walk(f, 7);
    assert_int_equal(round_trips(f), 5); /* the classes, the answer, bosses 1, 4 and 10 */
    walk(f, 7);
    assert_int_equal(round_trips(f), 1);
    /* As far as it went, and no more; the person on whom it ended is the eighth. */
    assert_int_equal(cached(f), 8);
    walk(f, 9);
    assert_int_equal(round_trips(f), 2);
    walk(f, 9);
    assert_int_equal(round_trips(f), 1);
    assert_int_equal(cached(f), 10);
}

static void what_is_not_followed_any_more_does_not(void **state)
{
    fixture *f = *state;

    create_chain(f);
    walk(f, 7);
    walk(f, 0);
    assert_int_equal(cached(f), 8);
    walk(f, 0);
    assert_int_equal(cached(f), 1);
}

static void names_begin_walks_too(void **state)
{
    fixture *f = *state;
    paos_object *person;
    paos_id id;
    int i;

    create_chain(f);
    person = get_one(f->conn, "t.person", "id == 100");
    id = paos_object_id(person);
    paos_object_release(person);
    for (i = 0; i < 2; i++)
    {
        forget_all(f);
        OK(f->conn, paos_fetch(f->conn, id, &person));
        climb(person, 7);
        assert_int_equal(round_trips(f), i == 0 ? 4 : 1);
        paos_object_release(person);
    }
}

static void it_is_bounded(void **state)
{
    fixture *f = *state;

    create_chain(f);
    walk(f, 20);
    OK(f->conn, paos_conn_set_ahead(f->conn, 5));
    walk(f, 0);
    assert_int_equal(cached(f), 6);
    OK(f->conn, paos_conn_set_ahead(f->conn, 0));
    walk(f, 0);
    assert_int_equal(cached(f), 1);
}

/* ---- what the caller may not read ---- */

/* A chain, and then as somebody who may read no more of it than is granted. */
static void create_chain_for_reader(fixture *f, const char *grant)
{
    create_chain(f);
    sql(f, "DROP ROLE IF EXISTS reach_reader; CREATE ROLE reach_reader;"
           " GRANT USAGE ON SCHEMA t TO reach_reader");
    sql(f, grant);
    set_role(f, "reach_reader");
}

static void what_is_refused_ahead_fails_nobody(void **state)
{
    fixture *f = *state;
    paos_list *list;

    create_chain_for_reader(f, "GRANT SELECT ON t.person, t.town TO reach_reader");
    list = get(f->conn, "t.person", "id == 100");
    assert_non_null(paos_object_ref(paos_list_at(list, 0), "home"));
    paos_list_free(list);
    sql(f, "REVOKE SELECT ON t.town FROM reach_reader");
    forget_all(f);
    list = get(f->conn, "t.person", "id == 100");
    assert_string_equal(paos_object_text(paos_list_at(list, 0), "name"), "person 100");
    assert_null(paos_object_ref(paos_list_at(list, 0), "home"));
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "42501");
    paos_list_free(list);
    sql(f, "DROP OWNED BY reach_reader; DROP ROLE reach_reader");
}

static void what_was_asked_for_fails(void **state)
{
    const paos_get_options options = {.prefetch = 1};
    fixture *f = *state;
    paos_object *person = NULL;
    paos_list *list = NULL;
    char *name;
    paos_id id;

    create_chain_for_reader(f, "GRANT SELECT ON t.person TO reach_reader");
    name = sql_text(f, "SELECT paos.ref('t.person', 100)::bigint");
    id = strtoull(name, NULL, 10);
    free(name);
    assert_int_equal(
        paos_get_with(f->conn, PAOS_READ, "t.person", "id == 100", NULL, 0, &options, &list),
        PAOS_SERVER);
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "42501");
    assert_null(list);
    forget_all(f);
    assert_int_equal(paos_fetch_with(f->conn, id, &options, &person), PAOS_SERVER);
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "42501");
    OK(f->conn, paos_fetch(f->conn, id, &person));
    paos_object_release(person);
    sql(f, "DROP OWNED BY reach_reader; DROP ROLE reach_reader");
}

/* ---- neighbours ---- */

/* Are the targets of all where slots of their own were kept for their neighbours? */
static bool walk_to_far(fixture *f)
{
    paos_list *list = get(f->conn, "t.near", NULL);
    bool kept = true;
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
    {
        const paos_object *far = paos_object_ref(paos_list_at(list, i), "far");

        assert_non_null(far);
        kept &= far->slot % PAOSI_BLOCK == 0;
    }
    paos_list_free(list);
    forget_all(f);
    return kept;
}

static void no_slots_are_kept_where_keys_were_sparse(void **state)
{
    fixture *f = *state;

    sql(f, "CREATE TABLE t.far (id int PRIMARY KEY); SELECT paos.register_class('t.far');"
           " INSERT INTO t.far SELECT 32 * i FROM generate_series(1, 100) i");
    sql(f, "CREATE TABLE t.near (id int PRIMARY KEY, far int REFERENCES t.far);"
           " SELECT paos.register_class('t.near');"
           " INSERT INTO t.near SELECT i, 32 * i FROM generate_series(1, 100) i");
    walk_to_far(f);
    assert_true(walk_to_far(f));
    assert_false(walk_to_far(f));
}

/* ---- classes that change ---- */

static void a_changed_class_is_read_anew(void **state)
{
    const paos_get_options options = {.prefetch = 1};
    fixture *f = *state;
    paos_list *list = NULL;

    create_chain(f);
    paos_list_free(get(f->conn, "t.person", "id == 100"));
    sql(f, "ALTER TABLE t.town ADD size int DEFAULT 7");
    OK(f->conn,
       paos_get_with(f->conn, PAOS_READ, "t.person", "id == 100", NULL, 0, &options, &list));
    assert_int_equal(paos_object_int(paos_object_ref(paos_list_at(list, 0), "home"), "size"), 7);
    paos_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_depth_is_one_round_trip),
        TEST(levels_are_counted),
        TEST(rights_come_first),
        TEST(what_is_here_is_not_sent),
        TEST(what_does_not_exist_is_known_then),
        TEST(names_can_bring_what_they_lead_to),
        TEST(the_cache_bounds_it),
        TEST(a_step_taken_again_goes_as_far_again),
        TEST(a_ring_costs_its_kinds_of_steps),
        TEST(a_step_taken_again_is_bounded),
        TEST(what_was_followed_comes_ahead),
        TEST(what_is_not_followed_any_more_does_not),
        TEST(names_begin_walks_too),
        TEST(it_is_bounded),
        TEST(what_is_refused_ahead_fails_nobody),
        TEST(what_was_asked_for_fails),
        TEST(no_slots_are_kept_where_keys_were_sparse),
        TEST(a_changed_class_is_read_anew),
    };

    return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
