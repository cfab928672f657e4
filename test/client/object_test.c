/*
 * object_test.c - objects: new, changed, deleted, refreshed; their identity and the cache.
 */
#include "client.h"

static void create_person(const fixture *f)
{
    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, name text, age int, loves paos.ref,"
           " mood text NOT NULL DEFAULT 'calm', twice int GENERATED ALWAYS AS (age * 2) STORED)");
    sql(f, "INSERT INTO t.person (id, name, age) VALUES (1, 'John', 30), (2, 'Sue', 29)");
    sql(f, "SELECT paos.register_class('t.person')");
}

/* The story of 1996: one handle, however it is reached. */
static void one_handle_per_object(void **state)
{
    fixture *f = *state;
    paos_object *john, *sue, *bill, *same = NULL;
    paos_list *lovers;

    create_person(f);
    john = make(f->conn, "t.person");
    sue = make(f->conn, "t.person");
    bill = make(f->conn, "t.person");
    OK(f->conn, paos_object_set(john, "loves", paos_ref(sue)));
    OK(f->conn, paos_object_set(sue, "loves", paos_ref(bill)));
    OK(f->conn, paos_object_set(bill, "loves", paos_ref(sue)));
    OK(f->conn, paos_object_set(sue, "name", paos_text("Susan")));
    assert_ptr_equal(paos_object_ref(john, "loves"), sue);
    assert_int_equal(paos_object_id(john), 0);
    assert_string_equal(paos_object_text(john, "loves"), "new");
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_true(paos_object_id(john) != 0);
    assert_ptr_equal(paos_object_ref(john, "loves"), sue);
    assert_ptr_equal(paos_object_ref(bill, "loves"), sue);
    assert_ptr_equal(paos_cached(f->conn, paos_object_id(sue)), sue);
    OK(f->conn, paos_fetch(f->conn, paos_object_id(sue), &same));
    assert_ptr_equal(same, sue);
    lovers = get(f->conn, "t.person", "loves.name == 'Susan'");
    assert_int_equal(paos_list_size(lovers), 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(paos_list_at(lovers, i) == john || paos_list_at(lovers, i) == bill);
    paos_list_free(lovers);
    paos_object_release(john);
    paos_object_release(sue);
    paos_object_release(bill);
    paos_object_release(same);
}

static void a_program_reads_its_own_changes(void **state)
{
    fixture *f = *state;
    paos_object *john;
    paos_value value;

    create_person(f);
    john = get_one(f->conn, "t.person", "name == 'John'");
    OK(f->conn, paos_object_set(john, "age", paos_int(31)));
    OK(f->conn, paos_object_set(john, "name", paos_null()));
    assert_int_equal(paos_object_int(john, "age"), 31);
    assert_null(paos_object_text(john, "name"));
    OK(f->conn, paos_object_get(john, "name", &value));
    assert_int_equal(value.kind, PAOS_KIND_NULL);
    /* Found again, it keeps its changes. */
    paos_object_release(get_one(f->conn, "t.person", "name == 'John'"));
    assert_int_equal(paos_object_int(john, "age"), 31);
    OK(f->conn, paos_object_refresh(john));
    assert_int_equal(paos_object_int(john, "age"), 30);
    assert_string_equal(paos_object_text(john, "name"), "John");
    paos_object_release(john);
}

static void what_the_server_gives_is_loaded_when_asked_for(void **state)
{
    fixture *f = *state;
    paos_object *new;

    create_person(f);
    new = make(f->conn, "t.person");
    OK(f->conn, paos_object_set(new, "age", paos_int(5)));
    assert_null(paos_object_text(new, "mood"));
    EXPECT(f->conn, paos_object_set(new, "twice", paos_int(1)), PAOS_INVALID);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    round_trips(f);
    assert_int_equal(paos_object_int(new, "age"), 5);
    assert_null(paos_object_text(new, "name"));
    assert_int_equal(round_trips(f), 0);
    assert_string_equal(paos_object_text(new, "mood"), "calm");
    assert_int_equal(paos_object_int(new, "twice"), 10);
    assert_int_equal(round_trips(f), 1);
    OK(f->conn, paos_object_set(new, "age", paos_int(6)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(paos_object_int(new, "twice"), 12);
    paos_object_release(new);
}

/* A user's trigger may store something else than was sent. */
static void what_a_trigger_stores_is_seen(void **state)
{
    fixture *f = *state;
    paos_object *john;

    create_person(f);
    sql(f, "CREATE FUNCTION t.shout() RETURNS trigger LANGUAGE plpgsql AS"
           " 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END'");
    sql(f, "CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON t.person"
           " FOR EACH ROW EXECUTE FUNCTION t.shout()");
    john = get_one(f->conn, "t.person", "name == 'John'");
    OK(f->conn, paos_object_set(john, "name", paos_text("jack")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_string_equal(paos_object_text(john, "name"), "JACK");
    OK(f->conn, paos_object_set(john, "age", paos_int(1)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    paos_object_release(john);
}

static void a_key_can_be_chosen(void **state)
{
    fixture *f = *state;
    paos_object *new, *taken;

    create_person(f);
    new = make(f->conn, "t.person");
    OK(f->conn, paos_object_set(new, "id", paos_int(77)));
    EXPECT(f->conn, paos_object_set(new, "id", paos_int(78)), PAOS_INVALID);
    assert_int_equal(paosi_id_key(paos_object_id(new)), 77);
    assert_int_equal(paos_object_int(new, "id"), 77);
    taken = make(f->conn, "t.person");
    EXPECT(f->conn, paos_object_set(taken, "id", paos_int(77)), PAOS_INVALID);
    EXPECT(f->conn, paos_object_set(taken, "id", paos_int(0)), PAOS_INVALID);
    EXPECT(f->conn, paos_object_set(taken, "id", paos_int(INT64_C(1) << 48)), PAOS_INVALID);
    OK(f->conn, paos_object_set(taken, "id", paos_int(1)));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_SERVER);
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "23505");
    OK(f->conn, paos_delete(f->conn, taken));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE id = 77"), 1);
    paos_object_release(new);
    paos_object_release(taken);
}

static void a_deleted_object_is_known_to_be(void **state)
{
    fixture *f = *state;
    paos_object *john, *sue, *same = NULL;
    paos_id id;

    create_person(f);
    john = get_one(f->conn, "t.person", "name == 'John'");
    sue = get_one(f->conn, "t.person", "name == 'Sue'");
    id = paos_object_id(john);
    OK(f->conn, paos_delete(f->conn, john));
    assert_true(paos_object_exists(john));
    EXPECT(f->conn, paos_object_set(john, "age", paos_int(1)), PAOS_INVALID);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_false(paos_object_exists(john));
    assert_null(paos_cached(f->conn, id));
    assert_null(paos_object_text(john, "name"));
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_NOT_FOUND);
    EXPECT(f->conn, paos_object_set(john, "age", paos_int(1)), PAOS_NOT_FOUND);
    EXPECT(f->conn, paos_fetch(f->conn, id, &same), PAOS_NOT_FOUND);
    /* By someone else, it is known when it is looked for. */
    sql(f, "DELETE FROM t.person WHERE name = 'Sue'");
    assert_true(paos_object_exists(sue));
    EXPECT(f->conn, paos_object_refresh(sue), PAOS_NOT_FOUND);
    assert_false(paos_object_exists(sue));
    /* There again, it is the same handle. */
    sql(f, "INSERT INTO t.person (id, name) VALUES (1, 'Johnny')");
    OK(f->conn, paos_fetch(f->conn, id, &same));
    assert_ptr_equal(same, john);
    assert_true(paos_object_exists(john));
    assert_string_equal(paos_object_text(john, "name"), "Johnny");
    paos_object_release(same);
    paos_object_release(john);
    paos_object_release(sue);
}

static void an_old_row_is_replaced_by_a_new_one(void **state)
{
    fixture *f = *state;
    paos_object *john;

    create_person(f);
    john = get_one(f->conn, "t.person", "name == 'John'");
    sql(f, "UPDATE t.person SET age = 99 WHERE id = 1");
    assert_int_equal(paos_object_int(john, "age"), 30);
    paos_object_release(get_one(f->conn, "t.person", "name == 'John'"));
    assert_int_equal(paos_object_int(john, "age"), 99);
    paos_object_release(john);
}

static void many_are_refreshed_in_one_round_trip(void **state)
{
    fixture *f = *state;
    paos_object *objects[100];
    paos_list *list;

    create_person(f);
    sql(f, "INSERT INTO t.person (id, name, age) SELECT i, 'P' || i, i"
           " FROM generate_series(100, 199) i");
    list = get(f->conn, "t.person", "id >= 100");
    for (size_t i = 0; i < 100; i++)
    {
        objects[i] = paos_list_at(list, i);
        OK(f->conn, paos_object_set(objects[i], "age", paos_int(0)));
    }
    sql(f, "UPDATE t.person SET age = age + 1000 WHERE id >= 100;"
           " DELETE FROM t.person WHERE id = 150");
    round_trips(f);
    EXPECT(f->conn, paos_refresh(f->conn, objects, 100), PAOS_NOT_FOUND);
    assert_int_equal(round_trips(f), 1);
    for (size_t i = 0; i < 100; i++)
    {
        bool gone = paosi_id_key(paos_object_id(objects[i])) == 150;

        assert_int_equal(paos_object_exists(objects[i]), !gone);
        assert_true(gone || paos_object_int(objects[i], "age") >= 1100);
    }
    paos_list_free(list);
}

/* ---- the cache ---- */

static void the_cache_is_bounded(void **state)
{
    fixture *f = *state;
    paos_object *held;
    paos_stats stats;
    paos_list *list;
    paos_id id;

    create_person(f);
    sql(f, "INSERT INTO t.person (id, name, age) SELECT i, 'P' || i, i"
           " FROM generate_series(100, 1099) i");
    OK(f->conn, paos_conn_set_cache(f->conn, 100));
    held = get_one(f->conn, "t.person", "id == 500");
    id = paos_object_id(held);
    for (int i = 0; i < 20; i++)
    {
        char query[60];

        snprintf(query, sizeof query, "id >= %d and id < %d", 100 + 50 * i, 150 + 50 * i);
        list = get(f->conn, "t.person", query);
        assert_int_equal(paos_list_size(list), 50);
        paos_list_free(list);
        paos_conn_stats(f->conn, &stats);
        assert_true(stats.objects <= 100);
    }
    assert_ptr_equal(paos_cached(f->conn, id), held);
    assert_null(paos_cached(f->conn, id - 400));
    assert_non_null(paos_cached(f->conn, id + 599));
    paos_object_release(held);
}

/* What was followed from a held object stays, whatever is loaded meanwhile. */
static void targets_of_held_objects_stay(void **state)
{
    fixture *f = *state;
    paos_object *john, *sue;

    create_person(f);
    sql(f, "UPDATE t.person SET loves = paos.ref('t.person', 2) WHERE id = 1;"
           " INSERT INTO t.person (id, name) SELECT i, 'P' || i FROM generate_series(100, 999) i");
    OK(f->conn, paos_conn_set_cache(f->conn, 50));
    john = get_one(f->conn, "t.person", "name == 'John'");
    sue = paos_object_ref(john, "loves");
    paos_list_free(get(f->conn, "t.person", "id >= 100"));
    paos_list_free(get(f->conn, "t.person", "id >= 100 and id < 200"));
    round_trips(f);
    assert_ptr_equal(paos_object_ref(john, "loves"), sue);
    assert_string_equal(paos_object_text(sue, "name"), "Sue");
    assert_int_equal(round_trips(f), 0);
    paos_object_release(john);
}

static void figures_are_kept(void **state)
{
    fixture *f = *state;
    paos_object *john, *same = NULL;
    paos_stats stats;

    create_person(f);
    john = get_one(f->conn, "t.person", "name == 'John'");
    paos_conn_stats(f->conn, &stats);
    assert_int_equal(stats.objects, 1);
    assert_int_equal(stats.hits, 0);
    assert_int_equal(stats.misses, 0);
    OK(f->conn, paos_fetch(f->conn, paos_object_id(john), &same));
    paos_object_release(same);
    OK(f->conn, paos_fetch(f->conn, paos_object_id(john) + 1, &same));
    paos_object_release(same);
    paos_conn_stats(f->conn, &stats);
    assert_int_equal(stats.objects, 2);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    paos_object_release(john);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_handle_per_object),
        TEST(a_program_reads_its_own_changes),
        TEST(what_the_server_gives_is_loaded_when_asked_for),
        TEST(what_a_trigger_stores_is_seen),
        TEST(a_key_can_be_chosen),
        TEST(a_deleted_object_is_known_to_be),
        TEST(an_old_row_is_replaced_by_a_new_one),
        TEST(many_are_refreshed_in_one_round_trip),
        TEST(the_cache_is_bounded),
        TEST(targets_of_held_objects_stay),
        TEST(figures_are_kept),
    };

    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
