/*
 * class_test.c - what is known of classes, and how it changes under a program.
 */
#include "fake_rows.h"
#include "unit.h"

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    return object;
}

static paos_list *get_all(paos_conn *conn, const char *class_name)
{
    paos_list *list = NULL;

    assert_status(paos_get(conn, PAOS_READ, class_name, NULL, NULL, 0, &list), PAOS_OK);
    return list;
}

/* ---- finding them ---- */

static void classes_are_read_once(void **state)
{
    paos_conn *conn = *state;

    paos_list_free(get_all(conn, "person"));
    paos_list_free(get_all(conn, "place"));
    paos_list_free(get_all(conn, "person"));
    assert_int_equal(fake_sent_with("FROM paos.classes"), 1);
    assert_int_equal(fake_exchanges(), 4);
}

/* A spelling that regclass takes, but nobody has used before. */
static void other_spellings_are_learned(void **state)
{
    paos_conn *conn = *state;
    int i;

    paos_list_free(get_all(conn, "person"));
    for (i = 0; i < 3; i++)
        paos_list_free(get_all(conn, "\"person\""));
    assert_int_equal(fake_sent_with("to_regclass"), 2);
}

static void what_is_no_class_is_invalid(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    fake_class_forget(PLACE);
    assert_status(paos_get(conn, PAOS_READ, "nowhere", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_string_equal(paos_conn_error(conn)->message, "table \"nowhere\" does not exist");
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_string_equal(paos_conn_error(conn)->message,
                        "table \"place\" is not registered as a class");
    assert_null(list);
}

static void a_class_that_came_later_is_found(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;

    paos_list_free(get_all(conn, "person"));
    assert_status(paos_fetch(conn, fake_id(5, 1), &object), PAOS_INVALID);
    fake_class(4, 0, "tool", "id int8 !, name text");
    fake_object(4, fake_int8(1), fake_text("saw"));
    object = fetch(conn, 4, 1);
    assert_string_equal(paos_object_text(object, "name"), "saw");
    paos_object_release(object);
}

/* ---- their attributes ---- */

static void a_resolved_attribute_reads_the_same(void **state)
{
    paos_conn *conn = *state;
    const paos_attribute *name = paos_class_attribute(conn, "person", "name");
    const paos_attribute *age = paos_class_attribute(conn, "person", "age");
    paos_object *tim = fetch(conn, CHILD, 4);
    paos_object *john = fetch(conn, PERSON, 1);

    assert_non_null(name);
    assert_ptr_equal(paos_class_attribute(conn, "person", "name"), name);
    assert_string_equal(paos_object_text_at(john, name), "John");
    assert_string_equal(paos_object_text_at(tim, name), "Tim");
    assert_string_equal(paos_object_text_at(john, name), "John");
    assert_int_equal(paos_object_int_at(tim, age), 7);
    assert_status(paos_object_set_at(john, age, paos_int(5)), PAOS_OK);
    assert_int_equal(paos_object_int(john, "age"), 5);
    paos_object_release(john);
    paos_object_release(tim);
}

static void an_attribute_is_of_its_class(void **state)
{
    paos_conn *conn = *state;
    const paos_attribute *toy = paos_class_attribute(conn, "child", "toy");
    const paos_attribute *mood = paos_class_attribute(conn, "place", "mood");
    paos_object *john = fetch(conn, PERSON, 1);

    assert_non_null(toy);
    assert_null(paos_object_text_at(john, toy));
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    assert_null(paos_object_text_at(john, mood));
    /* Nor by the same name. */
    assert_null(paos_object_text_at(john, paos_class_attribute(conn, "place", "name")));
    assert_null(paos_class_attribute(conn, "person", "toy"));
    assert_null(paos_class_attribute(conn, "nowhere", "toy"));
    assert_null(paos_class_attribute(conn, NULL, "toy"));
    assert_null(paos_class_attribute(conn, "person", NULL));
    assert_null(paos_class_attribute(NULL, "person", "toy"));
    paos_object_release(john);
}

/* A foreign key of the parent is one of the child, though PostgreSQL does not inherit it. */
static void a_foreign_key_is_inherited(void **state)
{
    paos_conn *conn = *state;
    paos_object *tim;

    fake_class(CHILD, 0, "child",
               "id int8 !, name text, age int4, loves ref, boss int8, home int4, friends ref[], "
               "toy text");
    fake_relation_of(CHILD)->parent = PERSON;
    tim = fetch(conn, CHILD, 4);
    assert_true(paos_object_id(paos_object_ref(tim, "boss")) == fake_id(PERSON, 1));
    assert_true(paos_object_id(paos_object_ref(tim, "home")) == fake_id(PLACE, 1));
    paos_object_release(tim);
}

/* ---- changing under a program ---- */

static void a_new_column_is_seen(void **state)
{
    paos_conn *conn = *state;
    paos_object *inn = fetch(conn, PLACE, 1);

    fake_class_alter(PLACE, "id int4 !, name text, mood text !, rooms int4");
    fake_write(PLACE, 1, "rooms", fake_int4(12));
    assert_int_equal(paos_object_int(inn, "rooms"), 12);
    assert_string_equal(paos_object_text(inn, "name"), "Inn");
    paos_object_release(inn);
}

static void a_dropped_column_is_noticed(void **state)
{
    paos_conn *conn = *state;
    const paos_attribute *mood = paos_class_attribute(conn, "place", "mood");
    paos_object *inn = fetch(conn, PLACE, 1);
    paos_list *list;

    assert_string_equal(paos_object_text_at(inn, mood), "merry");
    fake_class_alter(PLACE, "id int4 !, name text");
    fake_write(PLACE, 1, "name", fake_text("Pub"));
    list = get_all(conn, "place");
    assert_ptr_equal(paos_list_at(list, 0), inn);
    assert_string_equal(paos_object_text(inn, "name"), "Pub");
    assert_null(paos_object_text_at(inn, mood));
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    assert_status(paos_object_set(inn, "mood", paos_text("x")), PAOS_INVALID);
    paos_list_free(list);
    paos_object_release(inn);
}

static void another_type_is_noticed(void **state)
{
    paos_conn *conn = *state;
    paos_object *inn = fetch(conn, PLACE, 1);
    paos_list *list;

    fake_class_alter(PLACE, "id int4 !, name bytea, mood text !");
    fake_write(PLACE, 1, "mood", fake_text("x"));
    list = get_all(conn, "place");
    assert_string_equal(paos_object_text(inn, "name"), "\\x496e6e");
    paos_list_free(list);
    paos_object_release(inn);
}

/* The read fails for the column that is gone; read anew, it succeeds. */
static void a_read_is_tried_again(void **state)
{
    paos_conn *conn = *state;
    paos_object *inn = NULL;
    fake_rule *rule;

    paos_list_free(get_all(conn, "person"));
    rule = fake_on(FAKE_SELECT);
    fake_error(rule, "42703", "column does not exist", "", "");
    fake_times(rule, 1);
    inn = fetch(conn, PLACE, 1);
    assert_int_equal(fake_sent_with("FROM paos.classes"), 2);
    paos_object_release(inn);
}

static void a_class_that_changes_all_the_time_is_given_up(void **state)
{
    paos_conn *conn = *state;
    paos_object *inn = NULL;
    paos_list *list = NULL;

    fake_error(fake_on(FAKE_SELECT), "42703", "column does not exist", "", "");
    fake_error(fake_on(FAKE_ANSWER), "42703", "column does not exist", "", "");
    assert_status(paos_fetch(conn, fake_id(PLACE, 1), &inn), PAOS_INVALID);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "42703");
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_true(fake_sent_with(FAKE_SELECT) <= 6);
    assert_true(fake_sent_with(FAKE_ANSWER) <= 3);
    assert_null(inn);
    assert_null(list);
}

/* A row of a table that the asked class has nothing to do with, whole or as it comes. */
static void a_row_of_another_class_is_not_taken(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    fake_rule *whole = fake_on(FAKE_SELECT), *part = fake_on(FAKE_ANSWER);
    fake_cell row = fake_pack(fake_shape(fake_relation_of(PLACE)), fake_int4(10000 + PERSON),
                              fake_int4(9), fake_int4(1), fake_text("x"), fake_null());

    fake_columns(part, "answer bytea");
    fake_row(part, fake_batch(PLACE, row));
    fake_columns(whole, "pack bytea");
    fake_row(whole, row);
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_null(list);
    assert_null(paos_cached(conn, fake_id(PERSON, 1)));
}

/* A commit finds out that the class has changed; the next use of it looks. */
static void a_failed_commit_has_classes_read_anew(void **state)
{
    paos_conn *conn = *state;
    paos_object *inn = fetch(conn, PLACE, 1);
    fake_rule *rule = fake_on("UPDATE public.place");

    fake_error(rule, "42703", "column does not exist", "", "");
    fake_times(rule, 1);
    assert_status(paos_object_set(inn, "mood", paos_text("x")), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_INVALID);
    fake_log_clear();
    paos_list_free(get_all(conn, "place"));
    assert_int_equal(fake_sent_with("FROM paos.classes"), 1);
    paos_object_release(inn);
}

static void an_unregistered_class_is_noticed(void **state)
{
    paos_conn *conn = *state;
    paos_object *inn = fetch(conn, PLACE, 1);
    paos_object *john = fetch(conn, PERSON, 1);
    paos_list *list = NULL;

    fake_class_forget(PLACE);
    fake_error(fake_on("FROM public.place o$"), "42P01", "relation does not exist", "", "");
    assert_status(paos_object_refresh(inn), PAOS_NOT_FOUND);
    assert_false(paos_object_exists(inn));
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    /* The rest goes on. */
    assert_status(paos_object_refresh(john), PAOS_OK);
    paos_list_free(get_all(conn, "person"));
    paos_object_release(inn);
    paos_object_release(john);
}

/* The key renamed between the two reads of the catalogue. */
static void a_class_without_its_key_is_no_crash(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;
    paos_list *list = NULL;
    fake_rule *rule = fake_on("FROM paos.attributes");

    fake_columns(rule, "class int4, name text, format text, oid oid, array oid, category text, "
                       "modifier int4, generated bool, defaulted bool, target int4");
    fake_row(rule, fake_int4(PLACE), fake_text("key"), fake_text("pg_catalog.int4"),
             fake_int4(fake_type("int4")), fake_int4(0), fake_text("b"), fake_int4(-1),
             fake_bool(false), fake_bool(true), fake_int4(0));
    assert_int_not_equal(paos_fetch(conn, fake_id(PLACE, 1), &object), PAOS_OK);
    assert_int_not_equal(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_OK);
    if (paos_object_new(conn, "place", &object) == PAOS_OK)
        assert_int_not_equal(paos_commit(conn, NULL, 0), PAOS_OK);
    paos_object_release(object);
}

/* ---- types ---- */

static void unknown_types_are_read_as_text(void **state)
{
    paos_conn *conn = *state;
    paos_object *shape;
    paos_value value;

    fake_class(4, 0, "shape", "id int8 !, center point, sizes numeric[], name text");
    fake_object(4, fake_int8(1), fake_text("(1,2)"),
                fake_array(fake_type("text"), fake_text("1.5"), fake_null()), fake_text("box"));
    shape = fetch(conn, 4, 1);
    assert_non_null(fake_sent_find("o$.\"center\"::pg_catalog.text,", 0));
    assert_non_null(fake_sent_find("o$.\"sizes\"::pg_catalog.text[]", 0));
    assert_string_equal(paos_object_text(shape, "center"), "(1,2)");
    assert_string_equal(paos_object_text(shape, "name"), "box");
    assert_status(paos_object_get(shape, "sizes", &value), PAOS_OK);
    assert_int_equal(value.as.array.size, 2);
    assert_int_equal(value.as.array.items[0].kind, PAOS_KIND_TEXT);
    assert_string_equal(value.as.array.items[0].as.text.data, "1.5");
    assert_int_equal(value.as.array.items[1].kind, PAOS_KIND_NULL);
    assert_status(paos_object_set(shape, "center", paos_text("(3,4)")), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_non_null(fake_sent_find("\"center\" = v.c1::pg_catalog.point", 0));
    paos_object_release(shape);
}

static void generated_columns_are_not_written(void **state)
{
    paos_conn *conn = *state;
    paos_object *item = NULL;

    fake_class(4, 0, "item", "id int8 !, price int4, tax int4 =");
    assert_status(paos_object_new(conn, "item", &item), PAOS_OK);
    assert_status(paos_object_set(item, "tax", paos_int(1)), PAOS_INVALID);
    assert_status(paos_object_set(item, "price", paos_int(10)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    fake_write(4, (int64_t) paosi_id_key(paos_object_id(item)), "tax", fake_int4(2));
    assert_int_equal(paos_object_int(item, "tax"), 2);
    paos_object_release(item);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(classes_are_read_once),
        TEST(other_spellings_are_learned),
        TEST(what_is_no_class_is_invalid),
        TEST(a_class_that_came_later_is_found),
        TEST(a_resolved_attribute_reads_the_same),
        TEST(an_attribute_is_of_its_class),
        TEST(a_foreign_key_is_inherited),
        TEST(a_new_column_is_seen),
        TEST(a_dropped_column_is_noticed),
        TEST(another_type_is_noticed),
        TEST(a_read_is_tried_again),
        TEST(a_class_that_changes_all_the_time_is_given_up),
        TEST(a_row_of_another_class_is_not_taken),
        TEST(a_failed_commit_has_classes_read_anew),
        TEST(an_unregistered_class_is_noticed),
        TEST(a_class_without_its_key_is_no_crash),
        TEST(unknown_types_are_read_as_text),
        TEST(generated_columns_are_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
