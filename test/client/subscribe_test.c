/*
 * subscribe_test.c - requests against a server: first answers, events, and their end.
 *
 * Commits are made by a second session; a dispatch waits for what they do for
 * as long as it takes, so that no test waits for a time.
 */
#include "client.h"

/* What a callback was told, as text: "+1 +2 ~3 -4!" (! deleted), ";" between events. */
typedef struct told
{
    char text[4096];
    size_t events;
    paos_event last;
    char application[64];
    int64_t unsubscribe; /* to be ended in the callback */
    bool close;
    bool count_only;
    size_t entered;
    char last_sqlstate[8];
} told;

static void add_list(told *t, const char *sign, const paos_list *list)
{
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
    {
        paos_object *object = paos_list_at(list, i);
        size_t used = strlen(t->text);

        snprintf(t->text + used, sizeof t->text - used, "%s%lld%s ", sign,
                 (long long) paosi_id_key(paos_object_id(object)),
                 paos_object_exists(object) ? "" : "!");
    }
}

static void note(paos_conn *conn, const paos_event *event, void *arg)
{
    told *t = arg;

    t->events++;
    t->last = *event;
    snprintf(t->application, sizeof t->application, "%s", event->author.application);
    t->entered += paos_list_size(event->entered);
    snprintf(t->last_sqlstate, sizeof t->last_sqlstate, "%s", paos_conn_error(conn)->sqlstate);
    if (t->count_only)
        return;
    if (event->resync)
        strcat(t->text, "? ");
    if (event->ended)
        strcat(t->text, "end ");
    add_list(t, "+", event->entered);
    add_list(t, "~", event->changed);
    add_list(t, "-", event->left);
    strcat(t->text, "; ");
    if (t->unsubscribe)
        OK(conn, paos_unsubscribe(conn, t->unsubscribe));
    if (t->close)
        paos_conn_close(conn);
}

static int64_t subscribe(paos_conn *conn, const char *query, told *t, paos_list **first)
{
    int64_t request = 0;

    OK(conn, paos_subscribe(conn, "t.person", query, NULL, 0, note, t, first, &request));
    assert_true(request > 0);
    return request;
}

/* Dispatches until so many callbacks were called. */
static void dispatch(paos_conn *conn, size_t n)
{
    while (n > 0)
    {
        size_t handled = 0;

        OK(conn, paos_conn_dispatch(conn, 30000, &handled));
        assert_in_range(handled, 1, n);
        n -= handled;
    }
}

/* Everything that was committed so far has been told after this. */
static void settle(fixture *f, paos_conn *conn)
{
    told mark = {0};
    int64_t request = 0;

    OK(conn, paos_subscribe(conn, "t.mark", NULL, NULL, 0, note, &mark, NULL, &request));
    sql(f, "INSERT INTO t.mark DEFAULT VALUES");
    while (mark.events == 0)
        OK(conn, paos_conn_dispatch(conn, 30000, NULL));
    OK(conn, paos_unsubscribe(conn, request));
}

/* The channel that the client's session listens to, as only that session can tell. */
static char *sql_channel(const fixture *f)
{
    const paosi_statement statement = {.sql = "SELECT c FROM pg_listening_channels() c"};
    paosi_result *result;
    size_t size;
    char *channel;

    OK(f->conn, paosi_conn_ask(f->conn, &statement, 1, &result));
    assert_int_equal(paosi_result_rows(result), 1);
    channel = strdup((const char *) paosi_result_value(result, 0, 0, &size));
    paosi_results_free(&result, 1);
    return channel;
}

static void people(fixture *f)
{
    sql(f, "CREATE TABLE person (id int PRIMARY KEY, name text, age int, loves paos.ref);"
           "CREATE TABLE mark (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
           "SELECT paos.register_class('person'), paos.register_class('mark');"
           "INSERT INTO person VALUES (1, 'John', 30), (2, 'Sue', 41), (3, 'Bill', 33)");
}

static void first_answer_and_events(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_list *first = NULL;
    int64_t request;

    people(f);
    sql(f, "SET application_name = 'editor'");
    request = subscribe(f->conn, "age > 32", &t, &first);
    assert_int_equal(paos_list_size(first), 2);
    sql(f, "BEGIN; INSERT INTO person VALUES (4, 'Sue', 50); UPDATE person SET age = 31 WHERE id = "
           "3; UPDATE person SET name = 'Susan' WHERE id = 2; COMMIT");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "+4 ~2 -3 ; ");
    assert_int_equal(t.last.request, request);
    assert_false(t.last.resync);
    assert_int_equal(t.last.xid, sql_int(f, "SELECT xmin FROM person WHERE id = 4"));
    assert_string_equal(t.application, "editor");
    assert_string_equal(paos_object_text(paos_list_at(first, 0), "name"), "Susan");
    sql(f, "DELETE FROM person WHERE id = 2");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "+4 ~2 -3 ; -2! ; ");
    OK(f->conn, paos_unsubscribe(f->conn, request));
    EXPECT(f->conn, paos_unsubscribe(f->conn, request), PAOS_NOT_FOUND);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.requests"), 0);
    paos_list_free(first);
}

/* A commit while the subscription is under way is in the answer or told, once. */
static void what_is_known_is_not_told(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_object *own;

    people(f);
    subscribe(f->conn, "age > 32", &t, NULL);
    own = make(f->conn, "t.person");
    OK(f->conn, paos_object_set(own, "id", paos_int(7)));
    OK(f->conn, paos_object_set(own, "age", paos_int(70)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    spent(f);
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "+7 ; ");
    /* What this connection wrote is still good. */
    assert_int_equal(paos_object_int(own, "age"), 70);
    assert_int_equal(round_trips(f), 0);
    paos_object_release(own);
}

/* A writer at work when the request is made, who does not know of it. */
static void writer_in_flight(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_list *first = NULL;

    people(f);
    sql(f, "BEGIN; UPDATE person SET age = 20 WHERE id = 2; INSERT INTO person VALUES (9, 'Ann', "
           "60)");
    subscribe(f->conn, "age > 32", &t, &first);
    assert_int_equal(paos_list_size(first), 2);
    sql(f, "COMMIT");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "? +9 -2 ; ");
    settle(f, f->conn);
    assert_string_equal(t.text, "? +9 -2 ; ");
    sql(f, "DELETE FROM person WHERE id = 9");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "? +9 -2 ; -9! ; ");
    paos_list_free(first);
}

static void unsubscribing_in_a_callback(void **state)
{
    fixture *f = *state;
    told one = {0}, two = {0};

    people(f);
    one.unsubscribe = subscribe(f->conn, "age > 1", &two, NULL);
    one.unsubscribe = subscribe(f->conn, "age > 2", &one, NULL);
    sql(f, "UPDATE person SET age = 50 WHERE id = 1");
    dispatch(f->conn, 2);
    assert_string_equal(one.text, "~1 ; ");
    one.unsubscribe = 0;
    sql(f, "UPDATE person SET age = 51 WHERE id = 1");
    dispatch(f->conn, 1);
    assert_int_equal(one.events, 1);
    assert_string_equal(two.text, "~1 ; ~1 ; ");
}

static void closing_in_a_callback(void **state)
{
    fixture *f = *state;
    told t = {.close = true};
    paos_conn *conn = open_conn();
    size_t handled = 0;

    people(f);
    subscribe(conn, "age > 1", &t, NULL);
    subscribe(conn, "age > 2", &t, NULL);
    sql(f, "UPDATE person SET age = 50 WHERE id = 1");
    assert_int_equal(paos_conn_dispatch(conn, 30000, &handled), PAOS_OK);
    assert_int_equal(handled, 1);
    assert_int_equal(t.events, 1);
}

static void table_is_truncated(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_list *first = NULL;

    people(f);
    sql(f, "SET application_name = 'broom'");
    subscribe(f->conn, "age > 32", &t, &first);
    sql(f, "TRUNCATE person");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "? -2! -3! ; ");
    assert_string_equal(t.application, "broom");
    paos_list_free(first);
}

/* The query follows the attribute's name. */
static void attribute_is_renamed(void **state)
{
    fixture *f = *state;
    told t = {0};

    people(f);
    subscribe(f->conn, "age > 32", &t, NULL);
    sql(f, "ALTER TABLE person RENAME age TO years");
    sql(f, "INSERT INTO person VALUES (5, 'Ann', 50)");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "+5 ; ");
    sql(f, "TRUNCATE person");
    dispatch(f->conn, 1);
    assert_non_null(strstr(t.text, "+5 ; ? -"));
    assert_false(t.last.ended);
    sql(f, "INSERT INTO person VALUES (6, 'Ann', 50)");
    dispatch(f->conn, 1);
    sql(f, "ALTER TABLE person DROP years");
    dispatch(f->conn, 1);
    assert_true(t.last.ended);
    assert_string_equal(t.last_sqlstate, "42703");
}

/* A path: the server says to look again, and what did not change is not told. */
static void path_is_looked_at(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_list *first = NULL;

    people(f);
    sql(f, "UPDATE person SET loves = paos.ref('person', 2) WHERE id = 1");
    subscribe(f->conn, "loves.name == 'Sue'", &t, &first);
    assert_int_equal(paos_list_size(first), 1);
    sql(f, "UPDATE person SET name = 'Susan' WHERE id = 2");
    dispatch(f->conn, 1);
    assert_string_equal(t.text, "? -1 ; ");
    sql(f, "UPDATE person SET name = 'Suzanne' WHERE id = 2");
    settle(f, f->conn);
    assert_string_equal(t.text, "? -1 ; ");
    paos_list_free(first);
}

/* More than one notification can hold. */
static void event_in_parts(void **state)
{
    fixture *f = *state;
    told t = {.count_only = true};

    people(f);
    subscribe(f->conn, "age == 7", &t, NULL);
    sql(f, "INSERT INTO person SELECT i, 'x', 7 FROM generate_series(1000, 4999) i");
    dispatch(f->conn, 1);
    assert_int_equal(t.entered, 4000);
    assert_false(t.last.resync);
}

/* What anybody can send on the channel. */
static void strangers_notifications(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_stats stats;
    char text[400];
    int64_t request;
    char *channel;

    people(f);
    request = subscribe(f->conn, "age > 32", &t, NULL);
    channel = sql_channel(f);
    snprintf(text, sizeof text, "NOTIFY \"%s\", 'hello'; NOTIFY \"%s\", '{\"request\":%lld}'",
             channel, channel, (long long) request);
    sql(f, text);
    settle(f, f->conn);
    paos_conn_stats(f->conn, &stats);
    assert_int_equal(stats.foreign, 2);
    assert_int_equal(t.events, 0);
    free(channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(first_answer_and_events), TEST(what_is_known_is_not_told),
        TEST(writer_in_flight),        TEST(unsubscribing_in_a_callback),
        TEST(closing_in_a_callback),   TEST(table_is_truncated),
        TEST(attribute_is_renamed),    TEST(path_is_looked_at),
        TEST(event_in_parts),          TEST(strangers_notifications),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
