/*
 * get_test.c - queries with arguments of every kind, and queries that are refused.
 */
#include "client.h"

static void create_thing(const fixture *f)
{
    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY, name text, small int2, big int8, ok bool,"
           " real float8, exact numeric, raw bytea, day date, at timestamptz, tag uuid,"
           " other paos.ref)");
    sql(f, "INSERT INTO t.thing SELECT i, 'n' || i, i, i, i = 1, i, i, decode('0' || i, 'hex'),"
           " '1970-01-01'::date + i, to_timestamp(i),"
           " ('00000000-0000-0000-0000-00000000000' || i)::uuid FROM generate_series(1, 5) i;"
           " SELECT paos.register_class('t.thing');"
           " UPDATE t.thing SET other = paos.ref('t.thing', id % 5 + 1)");
}

static void arguments_of_every_kind(void **state)
{
    static const unsigned char tag[16] = {[15] = 1};
    fixture *f = *state;
    paos_object *second;

    create_thing(f);
    second = get_one(f->conn, "t.thing", "id == 2");
    const struct
    {
        const char *query;
        paos_value value;
    } all[] = {
        {"id == $1", paos_int(1)},
        {"small == $1", paos_int(1)},
        {"big == $1", paos_int(1)},
        {"name == $1", paos_text("n1")},
        {"ok == $1", paos_bool(true)},
        {"real == $1", paos_float(1)},
        {"exact == $1", paos_numeric("1.0")},
        {"raw == $1", paos_bytes("\1", 1)},
        {"day == $1", paos_date(1)},
        {"at == $1", paos_timestamp(1000000)},
        {"tag == $1", paos_uuid(tag)},
        {"other == $1", paos_ref(second)},
        {"other == $1", paos_ref_id(paos_object_id(second))},
        {"other.other.name == $1", paos_text("n3")},
    };

    for (size_t i = 0; i < COUNT(all); i++)
    {
        paos_list *list = NULL;

        OK(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", all[i].query, &all[i].value, 1, &list));
        if (paos_list_size(list) != 1)
            fail_msg("%s: %zu objects", all[i].query, paos_list_size(list));
        assert_int_equal(paos_object_int(paos_list_at(list, 0), "id"), 1);
        paos_list_free(list);
    }
    paos_object_release(second);
}

static void nulls_and_many_arguments(void **state)
{
    const paos_value many[] = {paos_int(2), paos_int(3), paos_text("n3")};
    const paos_value none[] = {paos_null()};
    paos_value most[99];
    fixture *f = *state;
    paos_list *list = NULL;

    create_thing(f);
    OK(f->conn,
       paos_get(f->conn, PAOS_READ, "t.thing", "id in ($1, $2) and name == $3", many, 3, &list));
    assert_int_equal(paos_list_size(list), 1);
    paos_list_free(list);
    for (size_t i = 0; i < COUNT(most); i++)
        most[i] = paos_int((int64_t) i);
    OK(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", "id == $99 or id == $4", most, 99, &list));
    assert_int_equal(paos_list_size(list), 1);
    paos_list_free(list);
    OK(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", "name == $1", none, 1, &list));
    assert_int_equal(paos_list_size(list), 0);
    paos_list_free(list);
    OK(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", "", NULL, 0, &list));
    assert_int_equal(paos_list_size(list), 5);
    assert_null(paos_list_at(list, 5));
    paos_list_free(list);
}

static void a_get_is_one_round_trip(void **state)
{
    fixture *f = *state;

    create_thing(f);
    paos_list_free(get(f->conn, "t.thing", NULL));
    round_trips(f);
    paos_list_free(get(f->conn, "t.thing", "id > 2"));
    assert_int_equal(round_trips(f), 1);
}

/* Cached or not, in the order asked for; of those that do not exist it is remembered. */
static void many_names_are_one_round_trip(void **state)
{
    fixture *f = *state;
    paos_id ids[6];
    paos_object *first;
    paos_list *list = NULL;

    create_thing(f);
    first = get_one(f->conn, "t.thing", "id == 2");
    ids[0] = paos_object_id(first) + 1;
    ids[1] = ids[4] = paos_object_id(first);
    ids[2] = paos_object_id(first) - 1;
    ids[3] = paos_object_id(first) + ((paos_id) 1 << 40); /* no integer has it */
    ids[5] = 0;
    round_trips(f);
    OK(f->conn, paos_fetch_many(f->conn, ids, COUNT(ids), &list));
    assert_int_equal(round_trips(f), 1);
    assert_int_equal(paos_list_size(list), 4);
    assert_true(paos_object_id(paos_list_at(list, 0)) == ids[0]);
    assert_ptr_equal(paos_list_at(list, 1), first);
    assert_true(paos_object_id(paos_list_at(list, 2)) == ids[2]);
    assert_ptr_equal(paos_list_at(list, 3), first);
    paos_list_free(list);
    OK(f->conn, paos_fetch_many(f->conn, ids, 5, &list));
    assert_int_equal(round_trips(f), 0);
    paos_list_free(list);
    OK(f->conn, paos_fetch_many(f->conn, NULL, 0, &list));
    assert_int_equal(paos_list_size(list), 0);
    paos_list_free(list);
    paos_object_release(first);
}

static void bad_queries_are_refused_and_harm_nothing(void **state)
{
    static const char *const bad[] = {"id = = 1", "nothing == 1",      "id == 'x'",
                                      "name ==",  "id == $2",          "name like 5",
                                      "id == 1)", "other.nothing == 1"};
    const paos_value one = paos_int(1);
    fixture *f = *state;
    paos_list *list = NULL;

    create_thing(f);
    for (size_t i = 0; i < COUNT(bad); i++)
    {
        EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", bad[i], &one, 1, &list),
               PAOS_INVALID);
        assert_true(strlen(paos_conn_error(f->conn)->sqlstate) == 5);
    }
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", "id == 1 and x == 2", NULL, 0, &list),
           PAOS_INVALID);
    assert_int_equal(paos_conn_error(f->conn)->position, 13);
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "t.thing", "name == '\xff'", NULL, 0, &list),
           PAOS_INVALID);
    assert_null(list);
    paos_list_free(get(f->conn, "t.thing", "id == 1"));
}

static void a_class_whose_table_has_odd_names(void **state)
{
    fixture *f = *state;
    paos_object *object;

    sql(f, "CREATE TABLE t.\"o \"\"dd\" (\"the key\" int PRIMARY KEY, p int, \"a\"\"b\" text,"
           " \"select\" int); INSERT INTO t.\"o \"\"dd\" VALUES (1, 2, 'x', 3);"
           " SELECT paos.register_class('t.\"o \"\"dd\"')");
    object = get_one(f->conn, "t.\"o \"\"dd\"", "p == 2");
    OK(f->conn, paos_object_set(object, "a\"b", paos_text("y")));
    OK(f->conn, paos_object_set(object, "select", paos_int(4)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    OK(f->conn, paos_object_refresh(object));
    assert_string_equal(paos_object_text(object, "a\"b"), "y");
    assert_int_equal(paos_object_int(object, "select"), 4);
    paos_object_release(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_of_every_kind),           TEST(nulls_and_many_arguments),
        TEST(a_get_is_one_round_trip),           TEST(bad_queries_are_refused_and_harm_nothing),
        TEST(a_class_whose_table_has_odd_names), TEST(many_names_are_one_round_trip),
    };

    return cmocka_run_group_tests_name("get", tests, NULL, NULL);
}
