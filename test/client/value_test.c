/*
 * value_test.c - values of every type, there and back.
 *
 * What is written is compared with the server's own text of it; then another
 * connection reads it, so that nothing comes out of the writer's own cache.
 */
#include "client.h"

#include <math.h>

static const unsigned char uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
                                       1,    2,    3,    4,    5,    6,    7,    8};

/* A value of one attribute `v`, and the text that the server has for it. */
typedef struct sample
{
    const char *type;
    paos_value value;
    const char *text;
} sample;

static void check_same(paos_value a, paos_value b)
{
    assert_int_equal(a.kind, b.kind);
    switch (a.kind)
    {
        case PAOS_KIND_NULL:
            break;
        case PAOS_KIND_BOOL:
            assert_int_equal(a.as.boolean, b.as.boolean);
            break;
        case PAOS_KIND_FLOAT:
            assert_true(a.as.number == b.as.number || (isnan(a.as.number) && isnan(b.as.number)));
            break;
        case PAOS_KIND_INT:
        case PAOS_KIND_TIMESTAMP:
        case PAOS_KIND_DATE:
            assert_true(a.as.integer == b.as.integer);
            break;
        case PAOS_KIND_UUID:
            assert_memory_equal(a.as.uuid, b.as.uuid, 16);
            break;
        case PAOS_KIND_REF:
            assert_true(a.as.ref.id == b.as.ref.id);
            break;
        case PAOS_KIND_ARRAY:
            assert_int_equal(a.as.array.size, b.as.array.size);
            for (size_t i = 0; i < a.as.array.size; i++)
                check_same(a.as.array.items[i], b.as.array.items[i]);
            break;
        default:
            assert_int_equal(a.as.text.size, b.as.text.size);
            if (a.as.text.size)
                assert_memory_equal(a.as.text.data, b.as.text.data, a.as.text.size);
    }
}

static void check_read(paos_conn *conn, const char *class_name, const sample *s)
{
    paos_object *object = get_one(conn, class_name, NULL);
    paos_value value;

    OK(conn, paos_object_get(object, "v", &value));
    check_same(value, s->value);
    if (!s->text)
        assert_null(paos_object_text(object, "v"));
    else
        assert_string_equal(paos_object_text(object, "v"), s->text);
    paos_object_release(object);
}

/* In a class of its own: the client would notice another table of the same name only in the end. */
static void check_sample(fixture *f, const sample *s)
{
    static int number;
    char name[40], text[200];
    paos_object *object;
    paos_conn *other;

    snprintf(name, sizeof name, "t.thing%d", ++number);
    snprintf(text, sizeof text, "CREATE TABLE %s (id int PRIMARY KEY, v %s)", name, s->type);
    sql(f, text);
    snprintf(text, sizeof text, "SELECT paos.register_class('%s')", name);
    sql(f, text);
    object = make(f->conn, name);
    OK(f->conn, paos_object_set(object, "v", s->value));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    snprintf(text, sizeof text, "SELECT coalesce(v::text, 'null') FROM %s", name);
    sql(f, "SET timezone = 'UTC'");
    assert_sql(f, text, s->text ? s->text : "null");
    check_read(f->conn, name, s);
    other = open_conn();
    check_read(other, name, s);
    paos_conn_close(other);
    paos_object_release(object);
}

static void scalars_come_back(void **state)
{
    const sample samples[] = {
        {"bool", paos_bool(true), "true"},
        {"bool", paos_bool(false), "false"},
        {"int2", paos_int(-32768), "-32768"},
        {"int4", paos_int(2147483647), "2147483647"},
        {"int8", paos_int(INT64_MIN), "-9223372036854775808"},
        {"float4", paos_float(0.5), "0.5"},
        {"float4", paos_float(1e20f), "1e+20"},
        {"float8", paos_float(0.1), "0.1"},
        {"float8", paos_float(-1.5e300), "-1.5e+300"},
        {"float8", paos_float((double) INFINITY), "Infinity"},
        {"float8", paos_float((double) NAN), "NaN"},
        {"text", paos_text("Müller \xf0\x9f\x90\x98"), "Müller \xf0\x9f\x90\x98"},
        {"text", paos_text(""), ""},
        {"varchar(3)", paos_text("abc"), "abc"},
        {"name", paos_text("a_name"), "a_name"},
        {"bytea", paos_bytes("\0\xff\\'", 4), "\\x00ff5c27"},
        {"bytea", paos_bytes("", 0), "\\x"},
        {"date", paos_date(0), "1970-01-01"},
        {"date", paos_date(INT64_MAX), "infinity"},
        {"date", paos_date(-719528 - 366), "0003-12-31 BC"},
        {"timestamp", paos_timestamp(1), "1970-01-01 00:00:00.000001"},
        {"timestamp", paos_timestamp(-1500000), "1969-12-31 23:59:58.5"},
        {"timestamp", paos_timestamp(INT64_MIN), "-infinity"},
        {"timestamptz", paos_timestamp(INT64_C(1700000000000000)), "2023-11-14 22:13:20+00"},
        {"uuid", paos_uuid(uuid), "12345678-9abc-def0-0102-030405060708"},
        {"numeric", paos_numeric("-12345678901234567890.00100"), "-12345678901234567890.00100"},
        {"numeric", paos_numeric("0.00000001"), "0.00000001"},
        {"numeric", paos_numeric("100000000"), "100000000"},
        {"numeric", paos_numeric("NaN"), "NaN"},
        {"jsonb", paos_json("{\"a\": [1, null]}"), "{\"a\": [1, null]}"},
        {"json", paos_json("{\"a\" :1}"), "{\"a\" :1}"},
        {"interval", paos_text("1 day 02:00:00"), "1 day 02:00:00"},
        {"int4", paos_null(), NULL},
        {"text", paos_null(), NULL},
    };

    for (size_t i = 0; i < COUNT(samples); i++)
        check_sample(*state, &samples[i]);
}

static void arrays_come_back(void **state)
{
    const paos_value ints[] = {paos_int(1), paos_null(), paos_int(-3)};
    const paos_value texts[] = {paos_text("a"), paos_text("b \"c\", {d}\\"), paos_text(""),
                                paos_text("NULL"), paos_null()};
    const paos_value floats[] = {paos_float(0.5), paos_float(1e100)};
    const paos_value bytes[] = {paos_bytes("\1\2", 2)};
    const paos_value uuids[] = {paos_uuid(uuid)};
    const paos_value dates[] = {paos_date(1), paos_date(INT64_MIN)};
    const paos_value times[] = {paos_timestamp(1000000)};
    const paos_value flags[] = {paos_bool(true), paos_bool(false)};
    const paos_value spans[] = {paos_text("1 day"), paos_null()};
    const paos_value numbers[] = {paos_text("1.50"), paos_text("NaN")};
    const sample samples[] = {
        {"int4[]", paos_array(ints, 3), "{1,NULL,-3}"},
        {"int8[]", paos_array(ints, 3), "{1,NULL,-3}"},
        {"int2[]", paos_array(NULL, 0), "{}"},
        {"text[]", paos_array(texts, 5), "{a,\"b \\\"c\\\", {d}\\\\\",\"\",\"NULL\",NULL}"},
        {"varchar[]", paos_array(texts, 1), "{a}"},
        {"float8[]", paos_array(floats, 2), "{0.5,1e+100}"},
        {"bytea[]", paos_array(bytes, 1), "{\"\\\\x0102\"}"},
        {"uuid[]", paos_array(uuids, 1), "{12345678-9abc-def0-0102-030405060708}"},
        {"date[]", paos_array(dates, 2), "{1970-01-02,-infinity}"},
        {"timestamptz[]", paos_array(times, 1), "{\"1970-01-01 00:00:01+00\"}"},
        {"bool[]", paos_array(flags, 2), "{t,f}"},
        {"interval[]", paos_array(spans, 2), "{\"1 day\",NULL}"},
        {"numeric[]", paos_array(numbers, 2), "{1.50,NaN}"},
    };

    for (size_t i = 0; i < COUNT(samples); i++)
        check_sample(*state, &samples[i]);
}

static void domains_and_enums_come_back(void **state)
{
    const paos_value moods[] = {paos_text("sad"), paos_text("glad")};
    const sample samples[] = {
        {"t.mood", paos_text("glad"), "glad"},
        {"t.mood[]", paos_array(moods, 2), "{sad,glad}"},
        {"t.age", paos_int(42), "42"},
        {"t.ages", paos_array(NULL, 0), "{}"},
    };
    fixture *f = *state;

    sql(f, "CREATE TYPE t.mood AS ENUM ('sad', 'glad')");
    sql(f, "CREATE DOMAIN t.age AS int CHECK (VALUE >= 0)");
    sql(f, "CREATE DOMAIN t.ages AS int[]");
    for (size_t i = 0; i < COUNT(samples); i++)
        check_sample(f, &samples[i]);
}

/* What the server makes of a value is not guessed: it is loaded when it is asked for. */
static void what_the_server_rewrites_is_read_back(void **state)
{
    fixture *f = *state;
    paos_object *object;

    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY, a numeric(10,2), b char(5), c jsonb,"
           " d timestamp(0), e inet, f varchar(10))");
    sql(f, "SELECT paos.register_class('t.thing')");
    object = make(f->conn, "t.thing");
    OK(f->conn, paos_object_set(object, "a", paos_numeric("1.005")));
    OK(f->conn, paos_object_set(object, "b", paos_text("ab")));
    OK(f->conn, paos_object_set(object, "c", paos_json("{\"b\":1,\"a\":2}")));
    OK(f->conn, paos_object_set(object, "d", paos_timestamp(1600000)));
    OK(f->conn, paos_object_set(object, "e", paos_text("10.1.2.3")));
    OK(f->conn, paos_object_set(object, "f", paos_text("x")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    round_trips(f);
    assert_string_equal(paos_object_text(object, "f"), "x");
    assert_int_equal(round_trips(f), 0);
    assert_string_equal(paos_object_text(object, "a"), "1.01");
    assert_string_equal(paos_object_text(object, "b"), "ab   ");
    assert_string_equal(paos_object_text(object, "c"), "{\"a\": 2, \"b\": 1}");
    assert_string_equal(paos_object_text(object, "d"), "1970-01-01 00:00:02");
    assert_string_equal(paos_object_text(object, "e"), "10.1.2.3/32");
    assert_int_equal(round_trips(f), 1);
    paos_object_release(object);
}

static void a_value_that_does_not_fit_is_refused(void **state)
{
    fixture *f = *state;
    const paos_value items[] = {paos_text("x")};
    const struct
    {
        const char *attribute;
        paos_value value;
    } bad[] = {
        {"small", paos_int(32768)},
        {"four", paos_int(INT64_C(1) << 31)},
        {"four", paos_text("1")},
        {"four", paos_float(1)},
        {"single", paos_float(1e300)},
        {"name", paos_int(1)},
        {"name", paos_text("\xc0\xaf")},
        {"name", paos_text("\xed\xa0\x80")},
        {"name", paos_bytes("x", 1)},
        {"day", paos_date(INT64_MAX / 2)},
        {"day", paos_timestamp(0)},
        {"numbers", paos_int(1)},
        {"numbers", paos_array(items, 1)},
        {"other", paos_ref_id(((uint64_t) 30000 << 48) + 1)},
        {"other", paos_int(1)},
    };
    paos_object *object;

    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY, small int2, four int4, single float4,"
           " name text, day date, numbers int[], other paos.ref)");
    sql(f, "SELECT paos.register_class('t.thing')");
    object = make(f->conn, "t.thing");
    for (size_t i = 0; i < COUNT(bad); i++)
        EXPECT(f->conn, paos_object_set(object, bad[i].attribute, bad[i].value), PAOS_INVALID);
    OK(f->conn, paos_object_set(object, "name", paos_text("whole")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT row_to_json(x) FROM (SELECT name, small, four FROM t.thing) x",
               "{\"name\":\"whole\",\"small\":null,\"four\":null}");
    paos_object_release(object);
}

/* 100 MB in one attribute: there and back, without a deadlock on full sockets. */
static void a_huge_value_passes(void **state)
{
    const size_t size = 100 << 20;
    fixture *f = *state;
    char *huge = malloc(size + 1);
    paos_object *object;
    paos_conn *other;

    memset(huge, 'x', size);
    huge[size] = 0;
    sql(f, "CREATE TABLE t.thing (id int PRIMARY KEY, a text, b bytea)");
    sql(f, "ALTER TABLE t.thing ALTER a SET STORAGE EXTERNAL");
    sql(f, "SELECT paos.register_class('t.thing')");
    object = make(f->conn, "t.thing");
    OK(f->conn, paos_object_set(object, "a", paos_text(huge)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT length(a) FROM t.thing"), size);
    assert_true(strcmp(paos_object_text(object, "a"), huge) == 0);
    paos_object_release(object);
    other = open_conn();
    object = get_one(other, "t.thing", NULL);
    assert_true(strcmp(paos_object_text(object, "a"), huge) == 0);
    paos_object_release(object);
    paos_conn_close(other);
    free(huge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_come_back),
        TEST(arrays_come_back),
        TEST(domains_and_enums_come_back),
        TEST(what_the_server_rewrites_is_read_back),
        TEST(a_value_that_does_not_fit_is_refused),
        TEST(a_huge_value_passes),
    };

    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
