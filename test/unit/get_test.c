/*
 * get_test.c - asking for objects, to look at or to write.
 */
#include "fake_rows.h"
#include "unit.h"

static const fake_sent *asked(size_t skip)
{
    const fake_sent *sent = fake_sent_find(FAKE_ANSWER, skip);

    assert_non_null(sent);
    return sent;
}

/* Places of these keys come; what after them the test says. */
static fake_rule *answer_places(int first, int last)
{
    fake_rule *rule = fake_on(FAKE_ANSWER);
    int i;

    fake_columns(rule, "answer bytea");
    for (i = first; i <= last; i++)
    {
        fake_cell place = fake_pack(fake_shape(fake_relation_of(PLACE)), fake_int4(10000 + PLACE),
                                    fake_int4(9), fake_int4(i), fake_text("Inn"), fake_null());

        fake_row(rule, fake_batch(PLACE, place));
        fake_cell_free(place);
    }
    return rule;
}

/* ---- the statement ---- */

static void all_objects_of_a_class(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 4);
    assert_string_equal(paos_object_text(paos_list_at(list, 0), "name"), "John");
    assert_string_equal(paos_object_class(paos_list_at(list, 3)), "public.child");
    assert_string_equal(asked(0)->sql, "SELECT paos.answer(10001::pg_catalog.regclass, NULL)");
    assert_int_equal(asked(0)->count, 0);
    paos_list_free(list);
    assert_status(paos_get(conn, PAOS_READ, "person", "", NULL, 0, &list), PAOS_OK);
    assert_string_equal(asked(1)->sql, asked(0)->sql);
    paos_list_free(list);
}

static void a_query_is_a_parameter(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    assert_status(
        paos_get(conn, PAOS_READ, "person", "name == 'x'; DROP TABLE person", NULL, 0, &list),
        PAOS_OK);
    assert_string_equal(asked(0)->sql,
                        "SELECT paos.answer(10001::pg_catalog.regclass, $1::paos.query)");
    assert_int_equal(asked(0)->count, 1);
    assert_true(asked(0)->parameters[0].text);
    assert_string_equal(asked(0)->parameters[0].data, "name == 'x'; DROP TABLE person");
    paos_list_free(list);
}

static void arguments_are_bound(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = NULL;
    paos_list *list = NULL;
    paos_value args[10];

    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &john), PAOS_OK);
    fake_log_clear();
    args[0] = paos_int(-2);
    args[1] = paos_text("x");
    args[2] = paos_ref(john);
    args[3] = paos_null();
    args[4] = paos_bool(true);
    args[5] = paos_float(0.5);
    args[6] = paos_numeric("1.25");
    args[7] = paos_timestamp(0);
    args[8] = paos_date(-1);
    args[9] = paos_bytes("a\0b", 3);
    assert_status(paos_get(conn, PAOS_READ, "person", "age > $1", args, 10, &list), PAOS_OK);
    paos_list_free(list);
    assert_non_null(strstr(asked(0)->sql, "paos.bind($1::paos.query, $2, $3, $4"));
    assert_int_equal(asked(0)->count, 11);
    assert_int_equal(asked(0)->parameters[1].type, fake_type("int8"));
    assert_true((int64_t) paosi_read64(asked(0)->parameters[1].data) == -2);
    assert_int_equal(asked(0)->parameters[2].type, fake_type("text"));
    assert_int_equal(asked(0)->parameters[3].type, FAKE_REF);
    assert_true(paosi_read64(asked(0)->parameters[3].data) == fake_id(PERSON, 1));
    assert_null(asked(0)->parameters[4].data);
    assert_int_equal(asked(0)->parameters[5].type, fake_type("bool"));
    assert_int_equal(asked(0)->parameters[6].type, fake_type("float8"));
    assert_string_equal(asked(0)->parameters[7].data, "1.25");
    assert_string_equal(asked(0)->parameters[8].data, "1970-01-01 00:00:00+00");
    assert_string_equal(asked(0)->parameters[9].data, "1969-12-31");
    assert_int_equal(asked(0)->parameters[10].size, 3);
    paos_object_release(john);
}

static void bad_arguments_are_not_sent(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    paos_object *ann = NULL;
    paos_value many[2];
    size_t i;

    assert_status(paos_object_new(conn, "person", &ann), PAOS_OK);
    fake_log_clear();
    const paos_value bad[] = {paos_ref(ann),
                              paos_array(many, 0),
                              paos_ref_id(fake_id(77, 1)),
                              paos_bytes("", SIZE_MAX),
                              {(paos_kind) 99, {0}}};

    for (i = 0; i < COUNT(bad); i++)
        assert_status(paos_get(conn, PAOS_READ, "person", "age > $1", &bad[i], 1, &list),
                      PAOS_INVALID);
    assert_status(paos_get(conn, PAOS_READ, "person", "age > $1", many, SIZE_MAX, &list),
                  PAOS_INVALID);
    assert_status(paos_get(conn, PAOS_READ, "person", "age > $1", many, 100, &list), PAOS_INVALID);
    assert_string_equal(paos_conn_error(conn)->message,
                        "a query takes at most 99 arguments, not 100");
    assert_status(paos_get(conn, PAOS_READ, "person", "age > $1", NULL, 1, &list), PAOS_INVALID);
    /* No class has number 0, so that none has to be read. */
    assert_status(paos_fetch(conn, 0, &ann), PAOS_INVALID);
    assert_status(paos_get(conn, PAOS_READ, "person", "name == '\xc0'", NULL, 0, &list),
                  PAOS_INVALID);
    assert_status(paos_get(conn, (paos_mode) 7, "person", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_status(paos_get(conn, PAOS_READ, NULL, NULL, NULL, 0, &list), PAOS_INVALID);
    assert_null(list);
    assert_int_equal(fake_sent_count(), 0);
    paos_object_release(ann);
}

/* Dates near the ends of their range are no argument that could be printed. */
static void extreme_dates_are_no_overflow(void **state)
{
    const int64_t ends[] = {INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
    paos_conn *conn = *state;
    size_t i;

    for (i = 0; i < 2 * COUNT(ends); i++)
    {
        paos_value value = i % 2 ? paos_date(ends[i / 2]) : paos_timestamp(ends[i / 2]);
        paos_list *list = NULL;
        paos_status status = paos_get(conn, PAOS_READ, "person", "a > $1", &value, 1, &list);

        assert_true(status == PAOS_OK || (i >= 4 && status == PAOS_INVALID));
        paos_list_free(list);
    }
}

static void a_bad_query_says_where(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    fake_rule *rule = fake_on(FAKE_ANSWER);

    fake_error(rule, "42601", "syntax error in query", "At position 5.", "");
    fake_position(rule, 5);
    assert_status(paos_get(conn, PAOS_READ, "person", "name", NULL, 0, &list), PAOS_INVALID);
    assert_null(list);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "42601");
    assert_string_equal(paos_conn_error(conn)->detail, "At position 5.");
    assert_int_equal(paos_conn_error(conn)->position, 5);
    assert_status(paos_get(conn, PAOS_READ, "nowhere", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_int_equal(paos_conn_error(conn)->position, 0);
}

static void no_privilege_is_an_error_of_the_server(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    fake_error(fake_on(FAKE_ANSWER), "42501", "permission denied", "", "");
    assert_status(paos_get(conn, PAOS_READ, "person", "name", NULL, 0, &list), PAOS_SERVER);
    assert_null(list);
}

/* ---- what comes of it ---- */

static void known_objects_keep_their_handles(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = NULL;
    paos_list *list = NULL;

    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &john), PAOS_OK);
    fake_write(PERSON, 1, "age", fake_int4(31));
    assert_int_equal(paos_object_int(john, "age"), 30);
    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    assert_ptr_equal(paos_list_at(list, 0), john);
    assert_int_equal(paos_object_int(john, "age"), 31);
    paos_list_free(list);
    paos_object_release(john);
}

static void an_answer_larger_than_the_cache_is_whole(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    paos_stats stats;
    int64_t i;

    for (i = 100; i < 400; i++)
        fake_object(PLACE, fake_int4(i), fake_text("p"), fake_null());
    assert_status(paos_conn_set_cache(conn, 10), PAOS_OK);
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 301);
    for (i = 0; i < 301; i++)
        assert_non_null(paos_object_text(paos_list_at(list, (size_t) i), "name"));
    paos_list_free(list);
    assert_status(paos_conn_set_cache(conn, 10), PAOS_OK);
    paos_conn_stats(conn, &stats);
    assert_true(stats.objects <= 10);
}

static void a_key_out_of_range_is_invalid(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    fake_object(PLACE, fake_int4(-5), fake_text("p"), fake_null());
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_null(list);
    assert_non_null(strstr(paos_conn_error(conn)->message, "-5"));
    fake_remove(PLACE, -5);
    answer_places(-5, -5);
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_INVALID);
    assert_null(list);
    assert_non_null(strstr(paos_conn_error(conn)->message, "-5"));
}

/* ---- as it comes ---- */

/* What came is cached and true; the list that was had before is as it was. */
static void an_error_in_the_middle_loses_nothing(void **state)
{
    paos_conn *conn = *state;
    paos_list *before = NULL, *list = NULL;

    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &before), PAOS_OK);
    fake_error(answer_places(1, 2), "XX000", "page is broken", "", "");
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_SERVER);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "XX000");
    assert_null(list);
    assert_int_equal(paos_list_size(before), 1);
    assert_true(paos_object_exists(paos_list_at(before, 0)));
    assert_string_equal(paos_object_text(paos_list_at(before, 0), "name"), "Inn");
    assert_string_equal(paos_object_text(paos_cached(conn, fake_id(PLACE, 2)), "name"), "Inn");
    paos_list_free(before);
}

static void a_connection_lost_in_the_middle_loses_nothing(void **state)
{
    paos_conn *conn = *state;
    paos_list *before = NULL, *list = NULL;

    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &before), PAOS_OK);
    answer_places(1, 2);
    fake_break(0, 1, 1);
    assert_status(paos_get(conn, PAOS_READ, "place", NULL, NULL, 0, &list), PAOS_DISCONNECTED);
    assert_null(list);
    assert_int_equal(paos_list_size(before), 1);
    assert_string_equal(paos_object_text(paos_list_at(before, 0), "name"), "Inn");
    assert_string_equal(paos_object_text(paos_cached(conn, fake_id(PLACE, 2)), "name"), "Inn");
    paos_list_free(before);
}

/* A child's table that was not there when the classes were read, between rows of others. */
static void a_new_class_in_the_middle_is_looked_up(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    paos_list_free(list);
    fake_class(4, PERSON, "pet", "owner text");
    fake_object(4, fake_int8(9), fake_text("Rex"), fake_int4(3), fake_null(), fake_null(),
                fake_null(), fake_null(), fake_text("Sue"));
    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 5);
    assert_string_equal(paos_object_class(paos_list_at(list, 4)), "public.pet");
    assert_string_equal(paos_object_text(paos_list_at(list, 0), "name"), "John");
    paos_list_free(list);
}

/* ---- to write ---- */

/* Found, then locked and asked for again in one round trip. */
static void write_mode_takes_rights(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    const fake_sent *lock, *found;

    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 1);
    lock = fake_sent_find("paos.lock_all", 0);
    assert_non_null(lock);
    assert_int_equal(lock->parameters[0].type, FAKE_REFS);
    assert_true(paosi_read64((const unsigned char *) lock->parameters[0].data + 24) ==
                fake_id(PLACE, 1));
    assert_string_equal(lock->parameters[1].data, "0 milliseconds");
    assert_int_equal(fake_sent_with(FAKE_SELECT), 2);
    found = fake_sent_find(FAKE_SELECT, 1);
    assert_non_null(strstr(found->sql, ", o$.tableoid, o$.xmin, o$.\"id\", o$.\"name\", "));
    assert_non_null(strstr(found->sql, "o$.\"mood\") FROM public.place o$"));
    assert_int_equal(found->exchange, lock->exchange);
    paos_list_free(list);
}

static void write_mode_without_an_answer_takes_none(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    fake_remove(PLACE, 1);
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 0);
    assert_int_equal(fake_sent_with("paos.lock_all"), 0);
    paos_list_free(list);
}

/* While the right is waited for someone else adds one: it is locked too. */
static void add_place(const fake_sent *sent, fake_table *out, void *arg)
{
    int *calls = arg;

    (void) sent;
    if (++*calls == 1)
        fake_object(PLACE, fake_int4(2), fake_text("late"), fake_null());
    fake_table_columns(out, "lock_all bool");
    fake_table_row(out, (const fake_cell[]){fake_bool(true)});
}

static void an_answer_that_grows_is_locked_whole(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    int calls = 0;

    fake_call(fake_on("paos.lock_all"), add_place, &calls);
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 2);
    assert_int_equal(calls, 2);
    paos_list_free(list);
}

static void a_right_of_another_fails_the_get(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;
    fake_rule *rule = fake_on("paos.lock_all");

    fake_columns(rule, "lock_all bool");
    fake_row(rule, fake_bool(false));
    rule = fake_on("paos.rights");
    fake_columns(rule, "format text");
    fake_row(rule, fake_text("Object 2:1 is held by editor, process 7 on host."));
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_LOCKED);
    assert_null(list);
    assert_string_equal(paos_conn_error(conn)->detail,
                        "Object 2:1 is held by editor, process 7 on host.");
    assert_status(paos_conn_set_lock_wait(conn, 250), PAOS_OK);
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_TIMEOUT);
    assert_string_equal(fake_sent_find("paos.lock_all", 1)->parameters[1].data, "250 milliseconds");
    assert_status(paos_conn_set_lock_wait(conn, -1), PAOS_OK);
    fake_error(fake_on("paos.lock_all"), "40P01", "deadlock detected", "", "");
    assert_status(paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, &list), PAOS_SERVER);
    assert_null(fake_sent_find("paos.lock_all", 2)->parameters[1].data);
    assert_null(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_objects_of_a_class),
        TEST(a_query_is_a_parameter),
        TEST(arguments_are_bound),
        TEST(bad_arguments_are_not_sent),
        TEST(extreme_dates_are_no_overflow),
        TEST(a_bad_query_says_where),
        TEST(no_privilege_is_an_error_of_the_server),
        TEST(known_objects_keep_their_handles),
        TEST(an_answer_larger_than_the_cache_is_whole),
        TEST(a_key_out_of_range_is_invalid),
        TEST(an_error_in_the_middle_loses_nothing),
        TEST(a_connection_lost_in_the_middle_loses_nothing),
        TEST(a_new_class_in_the_middle_is_looked_up),
        TEST(write_mode_takes_rights),
        TEST(write_mode_without_an_answer_takes_none),
        TEST(an_answer_that_grows_is_locked_whole),
        TEST(a_right_of_another_fails_the_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
