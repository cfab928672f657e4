/*
 * value_test.c - values of every type: read, shown as text, set and read again.
 *
 * One class, "sample", has a column of each type; what the cells mean is
 * written beside them as the server would show it.
 */
#include <math.h>

#include "fake_world.h"
#include "unit.h"

#define SAMPLE 4

/* A world with one sample whose column "v" is of a type and has a value. */
static paos_object *sample(paos_conn *conn, const char *type, fake_cell cell)
{
    char columns[64];
    paos_object *object = NULL;

    snprintf(columns, sizeof columns, "id int8 !, v %s", type);
    fake_class(SAMPLE, 0, "sample", columns);
    fake_object(SAMPLE, fake_int8(1), cell);
    assert_status(paos_fetch(conn, fake_id(SAMPLE, 1), &object), PAOS_OK);
    return object;
}

static void check_text(const char *type, fake_cell cell, paos_kind kind, const char *text)
{
    paos_conn *conn;
    paos_object *object;
    paos_value value;

    fake_world_begin();
    conn = fake_world_open();
    object = sample(conn, type, cell);
    assert_status(paos_object_get(object, "v", &value), PAOS_OK);
    assert_int_equal(value.kind, kind);
    assert_string_equal(paos_object_text(object, "v"), text);
    paos_conn_close(conn);
    fake_world_end();
}

static fake_cell numeric(void)
{
    /* -12345.60: digits 1 2345 6000, weight 1, negative, scale 2 */
    return fake_bytes("\0\3\0\1\x40\0\0\2\0\1\x09\x29\x17\x70", 14);
}

static void every_type_reads_as_the_server_shows_it(void **state)
{
    static const unsigned char uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
                                           0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};

    (void) state;
    check_text("bool", fake_bool(true), PAOS_KIND_BOOL, "true");
    check_text("bool", fake_bool(false), PAOS_KIND_BOOL, "false");
    check_text("int2", fake_int2(-32768), PAOS_KIND_INT, "-32768");
    check_text("int4", fake_int4(INT32_MIN), PAOS_KIND_INT, "-2147483648");
    check_text("int8", fake_int8(INT64_MIN), PAOS_KIND_INT, "-9223372036854775808");
    check_text("float4", fake_float4(0.1f), PAOS_KIND_FLOAT, "0.1");
    check_text("float8", fake_float8(0.1), PAOS_KIND_FLOAT, "0.1");
    check_text("text", fake_text("gr\xc3\xbc\xc3\x9f"), PAOS_KIND_TEXT, "gr\xc3\xbc\xc3\x9f");
    check_text("text", fake_text(""), PAOS_KIND_TEXT, "");
    check_text("varchar", fake_text("abc"), PAOS_KIND_TEXT, "abc");
    check_text("bytea", fake_bytes("\0\xff\x10", 3), PAOS_KIND_BYTES, "\\x00ff10");
    check_text("bytea", fake_bytes("", 0), PAOS_KIND_BYTES, "\\x");
    check_text("uuid", fake_bytes(uuid, 16), PAOS_KIND_UUID,
               "12345678-9abc-def0-1122-334455667788");
    check_text("numeric", numeric(), PAOS_KIND_NUMERIC, "-12345.60");
    check_text("json", fake_text("{\"a\": 1}"), PAOS_KIND_JSON, "{\"a\": 1}");
    check_text("jsonb", fake_text("\1[1, 2]"), PAOS_KIND_JSON, "[1, 2]");
    check_text("ref", fake_ref(SAMPLE, 42), PAOS_KIND_REF, "4:42");
}

static void dates_read_as_the_server_shows_them(void **state)
{
    const int64_t day = INT64_C(86400000000);

    (void) state;
    check_text("date", fake_int4(0), PAOS_KIND_DATE, "2000-01-01");
    check_text("date", fake_int4(-1), PAOS_KIND_DATE, "1999-12-31");
    check_text("date", fake_int4(59), PAOS_KIND_DATE, "2000-02-29");
    check_text("date", fake_int4(INT32_MAX), PAOS_KIND_DATE, "infinity");
    check_text("date", fake_int4(INT32_MIN), PAOS_KIND_DATE, "-infinity");
    check_text("date", fake_int4(-730119), PAOS_KIND_DATE, "0001-01-01");
    check_text("date", fake_int4(-730120), PAOS_KIND_DATE, "0001-12-31 BC");
    check_text("date", fake_int4(-2451545), PAOS_KIND_DATE, "4714-11-24 BC");
    check_text("date", fake_int4(2921939), PAOS_KIND_DATE, "9999-12-31");
    check_text("date", fake_int4(2921940), PAOS_KIND_DATE, "10000-01-01");
    check_text("timestamp", fake_int8(0), PAOS_KIND_TIMESTAMP, "2000-01-01 00:00:00");
    check_text("timestamptz", fake_int8(0), PAOS_KIND_TIMESTAMP, "2000-01-01 00:00:00+00");
    check_text("timestamp", fake_int8(-1), PAOS_KIND_TIMESTAMP, "1999-12-31 23:59:59.999999");
    check_text("timestamp", fake_int8(day + 1500000), PAOS_KIND_TIMESTAMP, "2000-01-02 00:00:01.5");
    check_text("timestamp", fake_int8(INT64_MAX), PAOS_KIND_TIMESTAMP, "infinity");
    check_text("timestamp", fake_int8(INT64_MIN), PAOS_KIND_TIMESTAMP, "-infinity");
    check_text("timestamptz", fake_int8(-730485 * day), PAOS_KIND_TIMESTAMP,
               "0001-01-01 00:00:00+00 BC");
}

/* More than a server stores, but it is its word that we would have to take. */
static void dates_beyond_the_calendar_are_no_overflow(void **state)
{
    static const int64_t beyond[] = {INT64_MAX - 1, INT64_MIN + 1, INT64_MAX - 946684800000000};
    size_t i;

    for (i = 0; i < COUNT(beyond); i++)
    {
        paos_conn *conn;
        paos_object *object;

        fake_world_begin();
        conn = fake_world_open();
        object = sample(conn, "timestamp", fake_int8(beyond[i]));
        assert_non_null(paos_object_text(object, "v"));
        paos_conn_close(conn);
        fake_world_end();
    }
    (void) state;
}

static void floats_have_the_shortest_digits(void **state)
{
    (void) state;
    check_text("float8", fake_float8(1.0), PAOS_KIND_FLOAT, "1");
    check_text("float8", fake_float8(-0.0), PAOS_KIND_FLOAT, "-0");
    check_text("float8", fake_float8(0.1 + 0.2), PAOS_KIND_FLOAT, "0.30000000000000004");
    check_text("float8", fake_float8(1e15), PAOS_KIND_FLOAT, "1e+15");
    check_text("float8", fake_float8(123456789012345), PAOS_KIND_FLOAT, "123456789012345");
    check_text("float8", fake_float8(1234567890123456), PAOS_KIND_FLOAT, "1.234567890123456e+15");
    check_text("float8", fake_float8(1e-5), PAOS_KIND_FLOAT, "1e-05");
    check_text("float8", fake_float8(1.7976931348623157e308), PAOS_KIND_FLOAT,
               "1.7976931348623157e+308");
    check_text("float8", fake_float8(5e-324), PAOS_KIND_FLOAT, "5e-324");
    check_text("float8", fake_float8((double) INFINITY), PAOS_KIND_FLOAT, "Infinity");
    check_text("float8", fake_float8((double) -INFINITY), PAOS_KIND_FLOAT, "-Infinity");
    check_text("float8", fake_float8((double) NAN), PAOS_KIND_FLOAT, "NaN");
    check_text("float4", fake_float4(1e-45f), PAOS_KIND_FLOAT, "1e-45");
    check_text("float4", fake_float4(16777216.0f), PAOS_KIND_FLOAT, "1.6777216e+07");
    check_text("float4", fake_float4(3.4028235e38f), PAOS_KIND_FLOAT, "3.4028235e+38");
}

static void arrays_read_as_the_server_shows_them(void **state)
{
    (void) state;
    check_text("int4[]", fake_array(23, fake_int4(1), fake_null(), fake_int4(-3)), PAOS_KIND_ARRAY,
               "{1,NULL,-3}");
    check_text("int4[]", fake_array_of(23, NULL, 0), PAOS_KIND_ARRAY, "{}");
    check_text("text[]",
               fake_array(25, fake_text("a"), fake_text("b c"), fake_text(""), fake_text("NuLL"),
                          fake_text("q\"\\"), fake_text("{x}"), fake_text("nulls")),
               PAOS_KIND_ARRAY, "{a,\"b c\",\"\",\"NuLL\",\"q\\\"\\\\\",\"{x}\",nulls}");
    check_text("ref[]", fake_array(FAKE_REF, fake_ref(1, 2), fake_ref(3, 4)), PAOS_KIND_ARRAY,
               "{1:2,3:4}");
}

static void an_array_has_items(void **state)
{
    paos_conn *conn = *state;
    paos_object *object =
        sample(conn, "text[]", fake_array(25, fake_text("ab"), fake_null(), fake_text("")));
    paos_value value;

    assert_status(paos_object_get(object, "v", &value), PAOS_OK);
    assert_int_equal(value.as.array.size, 3);
    assert_int_equal(value.as.array.items[0].kind, PAOS_KIND_TEXT);
    assert_int_equal(value.as.array.items[0].as.text.size, 2);
    assert_string_equal(value.as.array.items[0].as.text.data, "ab");
    assert_int_equal(value.as.array.items[1].kind, PAOS_KIND_NULL);
    assert_string_equal(value.as.array.items[2].as.text.data, "");
    paos_object_release(object);
}

/* Two dimensions: {{1,2},{3,4}} */
static void more_dimensions_are_flattened(void **state)
{
    static const unsigned char bytes[] = {
        0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0,
        0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0,  0, 2, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4};
    paos_object *object = sample(*state, "int4[]", fake_bytes(bytes, sizeof bytes));
    paos_value value;
    size_t i;

    assert_status(paos_object_get(object, "v", &value), PAOS_OK);
    assert_int_equal(value.as.array.size, 4);
    for (i = 0; i < 4; i++)
        assert_int_equal(value.as.array.items[i].as.integer, i + 1);
    paos_object_release(object);
}

/* ---- malformed, as only a broken server sends them ---- */

static void malformed_values_are_refused(void **state)
{
    static const struct
    {
        const char *type;
        const char *data;
        size_t size;
    } bad[] = {
        {"int4", "\0\0\0", 3},      {"int8", "", 0},      {"bool", "\1\1", 2},
        {"float8", "1234", 4},      {"uuid", "short", 5}, {"ref", "1234567", 7},
        {"numeric", "\0\7\0\0", 4}, {"date", "12345", 5}, {"timestamp", "1", 1},
        {"jsonb", "", 0},
    };
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(bad); i++)
    {
        char columns[64];
        paos_object *object = NULL;
        paos_conn *conn;

        fake_world_begin();
        conn = fake_world_open();
        snprintf(columns, sizeof columns, "id int8 !, v %s", bad[i].type);
        fake_class(SAMPLE, 0, "sample", columns);
        fake_object(SAMPLE, fake_int8(1), fake_bytes(bad[i].data, bad[i].size));
        assert_status(paos_fetch(conn, fake_id(SAMPLE, 1), &object), PAOS_SERVER);
        assert_null(object);
        paos_conn_close(conn);
        fake_world_end();
    }
}

/* Head, then dimensions, then elements: a text for each thing that can be wrong. */
static void malformed_arrays_are_refused(void **state)
{
    static const struct
    {
        const char *data;
        size_t size;
    } bad[] = {
        {"", 0},
        {"\0\0\0\1\0\0\0\0\0\0\0\x14", 12},
        {"\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1", 20},
        {"\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\10\0\0", 26},
        /* an int8 of one byte */
        {"\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\1\7", 25},
        /* 2^32 - 1 elements, and 2^16 to the fourth, which wraps to 0 */
        {"\0\0\0\1\0\0\0\0\0\0\0\x14\377\377\377\377\0\0\0\1", 20},
        {"\0\0\0\4\0\0\0\0\0\0\0\x14\0\1\0\0\0\0\0\1\0\1\0\0\0\0\0\1"
         "\0\1\0\0\0\0\0\1\0\1\0\0\0\0\0\1\0\0\0\10\1\2\3\4\5\6\7\10",
         56},
        /* an element of a size that is negative, but no null */
        {"\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\377\377\377\376", 24},
        {"\0\0\0\7\0\0\0\0\0\0\0\x14", 12},
    };
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(bad); i++)
    {
        paos_object *object;
        paos_value value = paos_int(5);
        paos_conn *conn;

        fake_world_begin();
        conn = fake_world_open();
        object = sample(conn, "int8[]", fake_bytes(bad[i].data, bad[i].size));
        assert_status(paos_object_get(object, "v", &value), PAOS_SERVER);
        assert_int_equal(value.kind, PAOS_KIND_INT);
        assert_null(paos_object_text(object, "v"));
        paos_conn_close(conn);
        fake_world_end();
    }
}

/* ---- numbers ---- */

static void integers_are_read_out_of_what_has_one(void **state)
{
    paos_conn *conn = *state;
    paos_object *object;
    const paos_attribute *v;

    object = sample(conn, "bool", fake_bool(true));
    v = paos_class_attribute(conn, "sample", "v");
    assert_int_equal(paos_object_int(object, "v"), 1);
    assert_int_equal(paos_object_int_at(object, v), 1);
    fake_class_alter(SAMPLE, "id int8 !, v numeric");
    fake_write(SAMPLE, 1, "v", numeric());
    assert_status(paos_object_refresh(object), PAOS_OK);
    assert_true(paos_object_float_at(object, v) == -12345.6);
    fake_class_alter(SAMPLE, "id int8 !, v float4");
    fake_write(SAMPLE, 1, "v", fake_float4(0.5f));
    assert_status(paos_object_refresh(object), PAOS_OK);
    assert_true(paos_object_float(object, "v") == 0.5);
    fake_class_alter(SAMPLE, "id int8 !, v date");
    fake_write(SAMPLE, 1, "v", fake_int4(0));
    assert_status(paos_object_refresh(object), PAOS_OK);
    assert_int_equal(paos_object_int(object, "v"), 10957);
    paos_object_release(object);
}

/* A foreign key that cannot be a reference is the integer that it is. */
static void odd_foreign_keys_are_integers(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = NULL;
    paos_value value;

    fake_write(PERSON, 1, "boss", fake_int8(-5));
    fake_write(PERSON, 1, "home", fake_int4(0));
    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &john), PAOS_OK);
    assert_status(paos_object_get(john, "boss", &value), PAOS_OK);
    assert_int_equal(value.kind, PAOS_KIND_INT);
    assert_int_equal(value.as.integer, -5);
    assert_null(paos_object_ref(john, "boss"));
    assert_null(paos_object_ref(john, "home"));
    assert_int_equal(paos_object_int(john, "boss"), -5);
    assert_string_equal(paos_object_text(john, "boss"), "-5");
    paos_object_release(john);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reads_as_the_server_shows_it),
        cmocka_unit_test(dates_read_as_the_server_shows_them),
        cmocka_unit_test(dates_beyond_the_calendar_are_no_overflow),
        cmocka_unit_test(floats_have_the_shortest_digits),
        cmocka_unit_test(arrays_read_as_the_server_shows_them),
        TEST(an_array_has_items),
        TEST(more_dimensions_are_flattened),
        cmocka_unit_test(malformed_values_are_refused),
        cmocka_unit_test(malformed_arrays_are_refused),
        TEST(integers_are_read_out_of_what_has_one),
        TEST(odd_foreign_keys_are_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
