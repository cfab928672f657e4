/*
 * form_test.c - what the server writes has the form that the client reads straight.
 *
 * Events would come right without, but cost five times as much.
 */
#include "client.h"

/* The next notification of a session; the caller frees it. */
static PGnotify *next(const fixture *f)
{
    PGnotify *notify;

    while ((notify = PQnotifies(f->pg)) == NULL)
        sql(f, "SELECT 1");
    return notify;
}

static void must_be_read(const fixture *f, size_t entered, size_t changed, size_t left)
{
    PGnotify *notify = next(f);
    paosi_payload told = {0};

    if (paosi_form_read(notify->extra, &told) != PAOS_OK)
        fail_msg("%s", notify->extra);
    assert_int_equal(told.refs[PAOSI_ENTER].size, entered);
    assert_int_equal(told.refs[PAOSI_CHANGE].size, changed);
    assert_int_equal(told.refs[PAOSI_LEAVE].size, left);
    assert_int_equal(told.pid, PQbackendPID(f->pg));
    paosi_payload_free(&told);
    PQfreemem(notify);
}

static void the_servers_form_is_the_clients(void **state)
{
    fixture *f = *state;

    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, age int);"
           " SELECT paos.register_class('t.person')");
    sql(f, "SELECT paos.subscribe('t.person', 'age > 1')");
    sql(f, "INSERT INTO t.person SELECT i, i FROM generate_series(1, 4) i");
    must_be_read(f, 3, 0, 0);
    sql(f, "UPDATE t.person SET age = age - 1");
    must_be_read(f, 0, 2, 1);
}

static void an_events_parts_too(void **state)
{
    fixture *f = *state;

    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, age int);"
           " SELECT paos.register_class('t.person', 1234)");
    sql(f, "SELECT paos.subscribe('t.person', '')");
    sql(f, "INSERT INTO t.person SELECT i + 1000, i FROM generate_series(1, 700) i");
    /* 12 bytes a ref, and 10 before the first, until there are 7,000. */
    must_be_read(f, 583, 0, 0);
    must_be_read(f, 117, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_servers_form_is_the_clients),
        TEST(an_events_parts_too),
    };

    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
