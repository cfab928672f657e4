/*
 * class_test.c - classes: their names, and what happens when they change under a client.
 */
#include "client.h"

static void create_person(const fixture *f)
{
    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, name text, age int);"
           " INSERT INTO t.person VALUES (1, 'John', 30), (2, 'Sue', 29);"
           " SELECT paos.register_class('t.person')");
}

static void check_one(const fixture *f, const char *class_name, const paos_object *expected)
{
    paos_object *object = get_one(f->conn, class_name, "age == 29");

    assert_ptr_equal(object, expected);
    paos_object_release(object);
}

static void any_spelling_that_regclass_takes(void **state)
{
    fixture *f = *state;
    paos_object *object;

    create_person(f);
    sql(f, "CREATE TABLE t.\"Odd \"\"name\" (id int PRIMARY KEY);"
           " SELECT paos.register_class('t.\"Odd \"\"name\"')");
    object = get_one(f->conn, "t.person", "name == 'Sue'");
    check_one(f, "T.Person", object);
    check_one(f, "\"t\".\"person\"", object);
    assert_string_equal(paos_object_class(object), "t.person");
    paos_list_free(get(f->conn, "t.\"Odd \"\"name\"", NULL));
    round_trips(f);
    /* Once asked, a spelling is known. */
    check_one(f, "T.Person", object);
    assert_int_equal(round_trips(f), 1);
    paos_object_release(object);
}

static void what_is_no_class_is_refused(void **state)
{
    fixture *f = *state;
    paos_list *list = NULL;
    paos_object *object = NULL;

    sql(f, "CREATE TABLE t.plain (id int PRIMARY KEY)");
    EXPECT(f->conn, paos_object_new(f->conn, "t.plain", &object), PAOS_INVALID);
    assert_non_null(strstr(paos_conn_error(f->conn)->message, "not registered"));
    EXPECT(f->conn, paos_object_new(f->conn, "t.none", &object), PAOS_INVALID);
    assert_non_null(strstr(paos_conn_error(f->conn)->message, "does not exist"));
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "a b c", NULL, NULL, 0, &list), PAOS_INVALID);
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "\xff", NULL, NULL, 0, &list), PAOS_INVALID);
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, NULL, NULL, NULL, 0, &list), PAOS_INVALID);
    EXPECT(f->conn, paos_fetch(f->conn, ((uint64_t) 32000 << 48) + 1, &object), PAOS_INVALID);
    EXPECT(f->conn, paos_fetch(f->conn, 0, &object), PAOS_INVALID);
    assert_null(paos_class_attribute(f->conn, "t.plain", "id"));
    assert_null(list);
    assert_null(object);
    /* Registered meanwhile. */
    sql(f, "SELECT paos.register_class('t.plain')");
    OK(f->conn, paos_object_new(f->conn, "t.plain", &object));
    paos_object_release(object);
}

static void an_added_column_appears(void **state)
{
    fixture *f = *state;
    paos_object *john, *new;

    create_person(f);
    john = get_one(f->conn, "t.person", "name == 'John'");
    assert_null(paos_object_text(john, "mood"));
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_INVALID);
    sql(f, "ALTER TABLE t.person ADD mood text DEFAULT 'calm'");
    assert_string_equal(paos_object_text(john, "mood"), "calm");
    assert_string_equal(paos_object_text(john, "name"), "John");
    OK(f->conn, paos_object_set(john, "mood", paos_text("glad")));
    new = make(f->conn, "t.person");
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_string_equal(paos_object_text(new, "mood"), "calm");
    assert_sql(f, "SELECT mood FROM t.person WHERE id = 1", "glad");
    paos_object_release(john);
    paos_object_release(new);
}

static void a_dropped_column_disappears(void **state)
{
    fixture *f = *state;
    paos_object *john;
    const paos_attribute *age;

    create_person(f);
    age = paos_class_attribute(f->conn, "t.person", "age");
    john = get_one(f->conn, "t.person", "name == 'John'");
    assert_int_equal(paos_object_int_at(john, age), 30);
    sql(f, "ALTER TABLE t.person DROP age");
    OK(f->conn, paos_object_set(john, "age", paos_int(31)));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_INVALID);
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "42703");
    OK(f->conn, paos_object_refresh(john));
    assert_string_equal(paos_object_text(john, "name"), "John");
    paos_conn_error_clear(f->conn);
    assert_int_equal(paos_object_int_at(john, age), 0);
    assert_int_equal(paos_conn_error(f->conn)->status, PAOS_INVALID);
    OK(f->conn, paos_object_set(john, "name", paos_text("Jack")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT name FROM t.person WHERE id = 1", "Jack");
    paos_object_release(john);
}

static void a_column_changes_its_type(void **state)
{
    fixture *f = *state;
    paos_object *john;
    const paos_attribute *age;

    create_person(f);
    age = paos_class_attribute(f->conn, "t.person", "age");
    john = get_one(f->conn, "t.person", "name == 'John'");
    sql(f, "ALTER TABLE t.person ALTER age TYPE text USING 'about ' || age");
    OK(f->conn, paos_object_refresh(john));
    assert_string_equal(paos_object_text_at(john, age), "about 30");
    paos_object_release(john);
}

static void a_renamed_table_is_the_same_class(void **state)
{
    fixture *f = *state;
    paos_object *john;
    paos_list *list;

    create_person(f);
    john = get_one(f->conn, "t.person", "name == 'John'");
    sql(f, "ALTER TABLE t.person RENAME TO human");
    OK(f->conn, paos_object_refresh(john));
    OK(f->conn, paos_object_set(john, "age", paos_int(31)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    list = get(f->conn, "t.human", "age == 31");
    assert_ptr_equal(paos_list_at(list, 0), john);
    paos_list_free(list);
    paos_object_release(john);
}

static void a_dropped_table_is_a_clear_error(void **state)
{
    fixture *f = *state;
    paos_object *john, *other = NULL;
    paos_list *list = NULL;

    create_person(f);
    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY); SELECT paos.register_class('t.thing')");
    john = get_one(f->conn, "t.person", "name == 'John'");
    sql(f, "DROP TABLE t.person");
    assert_string_equal(paos_object_text(john, "name"), "John");
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "t.person", NULL, NULL, 0, &list), PAOS_INVALID);
    EXPECT(f->conn, paos_object_refresh(john), PAOS_NOT_FOUND);
    assert_false(paos_object_exists(john));
    EXPECT(f->conn, paos_object_new(f->conn, "t.person", &other), PAOS_INVALID);
    paos_list_free(get(f->conn, "t.thing", NULL));
    /* Another table of the name is another class. */
    create_person(f);
    other = get_one(f->conn, "t.person", "name == 'John'");
    assert_ptr_not_equal(other, john);
    paos_object_release(john);
    paos_object_release(other);
}

/* An object is found through its parent with its own class, and gets its own attributes. */
static void a_subclass_object_is_one_object(void **state)
{
    fixture *f = *state;
    paos_object *ann, *same = NULL;
    paos_list *all;

    create_person(f);
    sql(f, "CREATE TABLE t.student (school text, PRIMARY KEY (id)) INHERITS (t.person);"
           " SELECT paos.register_class('t.student');"
           " INSERT INTO t.student VALUES (10, 'Ann', 20, 'MIT'), (11, 'Bob', 21, 'ETH')");
    all = get(f->conn, "t.person", NULL);
    assert_int_equal(paos_list_size(all), 4);
    ann = get_one(f->conn, "t.person", "name == 'Ann'");
    assert_string_equal(paos_object_class(ann), "t.student");
    assert_string_equal(paos_object_text(ann, "name"), "Ann");
    round_trips(f);
    assert_string_equal(paos_object_text(ann, "school"), "MIT");
    assert_int_equal(round_trips(f), 1);
    OK(f->conn, paos_fetch(f->conn, paos_object_id(ann), &same));
    assert_ptr_equal(same, ann);
    paos_object_release(same);
    same = get_one(f->conn, "t.student", "school == 'MIT'");
    assert_ptr_equal(same, ann);
    paos_object_release(same);
    OK(f->conn, paos_object_set(ann, "school", paos_text("CIT")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT school FROM t.student WHERE id = 10", "CIT");
    paos_list_free(all);
    paos_object_release(ann);
}

/* What was missing of one is loaded for all: its siblings lack it too. */
static void missing_attributes_come_in_one_round_trip(void **state)
{
    fixture *f = *state;
    paos_list *all;

    create_person(f);
    sql(f, "CREATE TABLE t.student (school text, PRIMARY KEY (id)) INHERITS (t.person);"
           " SELECT paos.register_class('t.student');"
           " INSERT INTO t.student SELECT i, 'S' || i, 20, 'school ' || i"
           " FROM generate_series(10, 109) i");
    all = get(f->conn, "t.person", "id >= 10");
    round_trips(f);
    for (size_t i = 0; i < 100; i++)
        assert_non_null(paos_object_text(paos_list_at(all, i), "school"));
    assert_int_equal(round_trips(f), 1);
    paos_list_free(all);
}

/* A class made after the classes were read shows up among its parent's objects. */
static void a_new_subclass_is_noticed(void **state)
{
    fixture *f = *state;
    paos_object *ann;

    create_person(f);
    paos_list_free(get(f->conn, "t.person", NULL));
    sql(f, "CREATE TABLE t.student (school text, PRIMARY KEY (id)) INHERITS (t.person);"
           " SELECT paos.register_class('t.student');"
           " INSERT INTO t.student VALUES (10, 'Ann', 20, 'MIT')");
    ann = get_one(f->conn, "t.person", "name == 'Ann'");
    assert_string_equal(paos_object_class(ann), "t.student");
    assert_string_equal(paos_object_text(ann, "school"), "MIT");
    paos_object_release(ann);
}

static void partitions_are_of_the_class(void **state)
{
    fixture *f = *state;
    paos_object *object;
    paos_list *list;

    sql(f, "CREATE TABLE t.part (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);"
           " CREATE TABLE t.low PARTITION OF t.part FOR VALUES FROM (1) TO (100);"
           " SELECT paos.register_class('t.part')");
    sql(f, "INSERT INTO t.part VALUES (1, 'one')");
    object = get_one(f->conn, "t.part", NULL);
    assert_string_equal(paos_object_class(object), "t.part");
    sql(f, "CREATE TABLE t.high PARTITION OF t.part FOR VALUES FROM (100) TO (200);"
           " INSERT INTO t.part VALUES (150, 'two')");
    list = get(f->conn, "t.part", NULL);
    assert_int_equal(paos_list_size(list), 2);
    paos_list_free(list);
    OK(f->conn, paos_object_set(object, "name", paos_text("uno")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT name FROM t.low", "uno");
    paos_object_release(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_spelling_that_regclass_takes),
        TEST(what_is_no_class_is_refused),
        TEST(an_added_column_appears),
        TEST(a_dropped_column_disappears),
        TEST(a_column_changes_its_type),
        TEST(a_renamed_table_is_the_same_class),
        TEST(a_dropped_table_is_a_clear_error),
        TEST(a_subclass_object_is_one_object),
        TEST(missing_attributes_come_in_one_round_trip),
        TEST(a_new_subclass_is_noticed),
        TEST(partitions_are_of_the_class),
    };

    return cmocka_run_group_tests_name("class", tests, NULL, NULL);
}
