/*
 * conn_test.c - opening and closing, errors, figures, converted values.
 */
#include "fake_world.h"
#include "unit.h"

static int setup(void **state)
{
    (void) state;
    fake_world_begin();
    fake_world_people();
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    fake_world_end();
    return 0;
}

/* ---- opening ---- */

static void opening_is_one_round_trip(void **state)
{
    paos_conn *conn = NULL;
    const fake_sent *sent;

    (void) state;
    assert_status(paos_conn_open("dbname=x", "editor", &conn), PAOS_OK);
    assert_int_equal(fake_exchanges(), 1);
    sent = fake_sent_find("paos.introduce", 0);
    assert_int_equal(sent->count, 4);
    assert_string_equal(sent->parameters[3].data, "editor");
    assert_true(atol(sent->parameters[1].data) > 0);
    assert_true(paos_conn_fd(conn) >= 0);
    paos_conn_close(conn);
}

static void nothing_to_open_is_invalid(void **state)
{
    paos_conn *conn = NULL;

    (void) state;
    assert_status(paos_conn_open(NULL, "x", &conn), PAOS_INVALID);
    assert_status(paos_conn_open("", "x", NULL), PAOS_INVALID);
    assert_null(conn);
    assert_status(paos_conn_error(NULL)->status, PAOS_INVALID);
}

static void a_refusal_says_why(void **state)
{
    paos_conn *conn = NULL;
    char message[5000];

    (void) state;
    fake_refuse(PAOS_DISCONNECTED, "no route to the fake");
    assert_status(paos_conn_open("", "x", &conn), PAOS_DISCONNECTED);
    assert_string_equal(paos_conn_error(NULL)->message, "no route to the fake");
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = 0;
    fake_refuse(PAOS_DISCONNECTED, message);
    assert_status(paos_conn_open("", "x", &conn), PAOS_DISCONNECTED);
    assert_true(strlen(paos_conn_error(NULL)->message) > 100);
    fake_refuse(PAOS_NO_MEMORY, NULL);
    assert_status(paos_conn_open("", "x", &conn), PAOS_NO_MEMORY);
    assert_status(paos_conn_error(NULL)->status, PAOS_NO_MEMORY);
    assert_null(conn);
}

static void without_the_extension_there_is_a_hint(void **state)
{
    paos_conn *conn = NULL;

    (void) state;
    fake_columns(fake_on("pg_extension"), "oid oid, typarray oid");
    fake_error(fake_on("paos.introduce"), "3F000", "schema \"paos\" does not exist", "", "");
    assert_status(paos_conn_open("", NULL, &conn), PAOS_INVALID);
    assert_null(conn);
    assert_non_null(strstr(paos_conn_error(NULL)->message, "no extension paos"));
    assert_non_null(strstr(paos_conn_error(NULL)->hint, "CREATE EXTENSION"));
}

static void errors_of_opening_are_passed_on(void **state)
{
    paos_conn *conn = NULL;

    (void) state;
    fake_error(fake_on("paos.introduce"), "42501", "permission denied", "d", "h");
    assert_status(paos_conn_open("", NULL, &conn), PAOS_SERVER);
    assert_string_equal(paos_conn_error(NULL)->sqlstate, "42501");
    assert_string_equal(paos_conn_error(NULL)->detail, "d");
    assert_string_equal(paos_conn_error(NULL)->hint, "h");
    assert_null(conn);
}

static void a_server_that_only_reads_will_do(void **state)
{
    paos_conn *conn = NULL;

    (void) state;
    fake_error(fake_on("paos.introduce"), "25006", "read-only transaction", "", "");
    assert_status(paos_conn_open("", NULL, &conn), PAOS_OK);
    paos_conn_close(conn);
}

/* Types that are not oids: bytes from outside. */
static void malformed_types_are_no_crash(void **state)
{
    static const fake_cell cells[] = {{.null = true}, {.size = 1}, {.size = 0}};
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(cells); i++)
    {
        fake_rule *rule = fake_on("pg_extension");
        paos_conn *conn = NULL;

        fake_columns(rule, "oid oid, typarray oid");
        fake_row(rule, cells[i], cells[i]);
        assert_int_not_equal(paos_conn_open("", NULL, &conn), PAOS_OK);
        assert_null(conn);
    }
}

/* ---- closing ---- */

static void closing_ends_everything(void **state)
{
    paos_conn *conn = fake_world_open();
    paos_object *john = NULL, *ann = NULL;
    paos_list *list = NULL;
    paos_value value;

    (void) state;
    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &john), PAOS_OK);
    assert_status(paos_object_set(john, "age", paos_int(1)), PAOS_OK);
    assert_status(paos_object_new(conn, "person", &ann), PAOS_OK);
    assert_status(paos_object_get(paos_list_at(list, 1), "friends", &value), PAOS_OK);
    paos_conn_close(conn);
    assert_int_equal(paos_list_size(list), 0);
    paos_list_free(list);
    paos_conn_close(NULL);
}

static void two_connections_have_their_own_objects(void **state)
{
    paos_conn *first = fake_world_open();
    paos_conn *second = fake_world_open();
    paos_object *mine = NULL, *other = NULL;

    (void) state;
    assert_status(paos_fetch(first, fake_id(PERSON, 1), &mine), PAOS_OK);
    assert_status(paos_fetch(second, fake_id(PERSON, 1), &other), PAOS_OK);
    assert_ptr_not_equal(mine, other);
    assert_status(paos_object_set(mine, "loves", paos_ref(other)), PAOS_INVALID);
    assert_status(paos_commit(first, &other, 1), PAOS_INVALID);
    assert_status(paos_lock(first, &other, 1, 0), PAOS_INVALID);
    assert_status(paos_register(first, &other, 1), PAOS_INVALID);
    assert_status(paos_refresh(first, &other, 1), PAOS_INVALID);
    assert_status(paos_delete(first, other), PAOS_INVALID);
    assert_status(paos_conn_error(first)->status, PAOS_INVALID);
    assert_status(paos_conn_error(second)->status, PAOS_OK);
    paos_conn_close(first);
    assert_string_equal(paos_object_text(other, "name"), "John");
    paos_conn_close(second);
}

/* ---- errors ---- */

static void an_error_stays_until_the_next(void **state)
{
    paos_conn *conn = fake_world_open();
    paos_object *object = NULL;

    (void) state;
    assert_status(paos_conn_error(conn)->status, PAOS_OK);
    assert_string_equal(paos_conn_error(conn)->message, "");
    assert_status(paos_fetch(conn, fake_id(PERSON, 99), &object), PAOS_NOT_FOUND);
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    assert_status(paos_conn_error(conn)->status, PAOS_NOT_FOUND);
    assert_null(paos_object_text(object, "nothing"));
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    paos_conn_error_clear(conn);
    assert_status(paos_conn_error(conn)->status, PAOS_OK);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "");
    paos_conn_close(conn);
}

static void a_long_message_is_whole(void **state)
{
    paos_conn *conn = fake_world_open();
    paos_object *object = NULL;
    char name[2000];

    (void) state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    assert_null(paos_object_text(object, name));
    assert_non_null(strstr(paos_conn_error(conn)->message, name));
    paos_conn_close(conn);
}

static void sqlstates_become_statuses(void **state)
{
    static const struct
    {
        const char *sqlstate;
        paos_status status;
    } expected[] = {
        {"55P03", PAOS_LOCKED},       {"P0002", PAOS_NOT_FOUND}, {"40001", PAOS_CONFLICT},
        {"57014", PAOS_TIMEOUT},      {"22003", PAOS_INVALID},   {"22P03", PAOS_INVALID},
        {"42601", PAOS_INVALID},      {"42703", PAOS_INVALID},   {"42501", PAOS_SERVER},
        {"3F000", PAOS_INVALID},      {"23505", PAOS_SERVER},    {"40P01", PAOS_SERVER},
        {"53200", PAOS_SERVER},       {"XX000", PAOS_SERVER},    {"", PAOS_SERVER},
        {"57P01", PAOS_DISCONNECTED},
    };
    paos_conn *conn = fake_world_open();
    paos_list *list = NULL;
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(expected); i++)
    {
        fake_rule *rule = fake_on(FAKE_ANSWER);

        fake_error(rule, expected[i].sqlstate, "m", "d", "h");
        /* Classes are read anew after some errors, and the query is sent again. */
        fake_times(rule, 3);
        assert_status(paos_get(conn, PAOS_READ, "person", "a", NULL, 0, &list), expected[i].status);
        assert_string_equal(paos_conn_error(conn)->sqlstate, expected[i].sqlstate);
        fake_times(rule, 0);
    }
    assert_null(list);
    paos_conn_close(conn);
}

/* ---- settings, figures, conversions ---- */

static void figures_are_what_was_sent(void **state)
{
    paos_conn *conn = fake_world_open();
    paos_stats before, after;

    (void) state;
    paos_conn_stats(conn, &before);
    assert_int_equal(before.round_trips, 1);
    assert_int_equal(before.objects, 0);
    paos_object *object = NULL;
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    paos_conn_stats(conn, &after);
    assert_int_equal(after.round_trips - before.round_trips, fake_exchanges());
    assert_int_equal(after.statements - before.statements, fake_sent_count());
    assert_int_equal(after.objects, 1);
    assert_int_equal(after.misses, 1);
    assert_int_equal(after.hits, 1);
    paos_conn_close(conn);
}

/* Converted values live until the 1000th after them, or until the server is talked to. */
static void conversions_live_as_long_as_promised(void **state)
{
    paos_conn *conn = fake_world_open();
    paos_object *object = NULL;
    const char *texts[1000];
    size_t i;

    (void) state;
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &object), PAOS_OK);
    for (i = 0; i < 5000; i++)
    {
        texts[i % 1000] = paos_object_text(object, "age");
        assert_string_equal(texts[i % 1000], "30");
    }
    for (i = 0; i < 1000; i++)
        assert_string_equal(texts[i], "30");
    assert_status(paos_object_refresh(object), PAOS_OK);
    for (i = 0; i < PAOSI_CONVERSIONS; i++)
        assert_null(conn->conversions[i]);
    assert_string_equal(paos_object_text(object, "age"), "30");
    paos_conn_close(conn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening_is_one_round_trip),
        TEST(nothing_to_open_is_invalid),
        TEST(a_refusal_says_why),
        TEST(without_the_extension_there_is_a_hint),
        TEST(errors_of_opening_are_passed_on),
        TEST(a_server_that_only_reads_will_do),
        TEST(malformed_types_are_no_crash),
        TEST(closing_ends_everything),
        TEST(two_connections_have_their_own_objects),
        TEST(an_error_stays_until_the_next),
        TEST(a_long_message_is_whole),
        TEST(sqlstates_become_statuses),
        TEST(figures_are_what_was_sent),
        TEST(conversions_live_as_long_as_promised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
