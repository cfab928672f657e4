/*
 * reconnect_test.c - connections that are lost: what is told, what is still good, what has changed.
 *
 * The other session ends the connection, or does while it is away what the
 * client has to find out.
 */
#include "client.h"

#include <signal.h>

typedef struct told
{
    char text[4096];
    size_t events;
} told;

static void add_list(told *t, const char *sign, const paos_list *list)
{
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
        snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "%s%lld%s ", sign,
                 (long long) paosi_id_key(paos_object_id(paos_list_at(list, i))),
                 paos_object_exists(paos_list_at(list, i)) ? "" : "!");
}

static void note_event(paos_conn *conn, const paos_event *event, void *arg)
{
    told *t = arg;

    t->events++;
    if (event->ended)
        snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "end %s ",
                 paos_conn_error(conn)->sqlstate);
    else if (event->resync)
        strcat(t->text, "? ");
    add_list(t, "+", event->entered);
    add_list(t, "~", event->changed);
    add_list(t, "-", event->left);
    strcat(t->text, "; ");
}

static void note_signal(paos_conn *conn, paos_status what, const paos_list *objects, void *arg)
{
    told *t = arg;

    (void) conn;
    strcat(t->text, what == PAOS_DISCONNECTED ? "lost "
                    : what == PAOS_CONNECTED  ? "again "
                                              : "rights ");
    add_list(t, "", objects);
    strcat(t->text, "; ");
}

static void watch(paos_conn *conn, told *t)
{
    OK(conn, paos_conn_on(conn, PAOS_DISCONNECTED, note_signal, t));
    OK(conn, paos_conn_on(conn, PAOS_CONNECTED, note_signal, t));
    OK(conn, paos_conn_on(conn, PAOS_RIGHTS_LOST, note_signal, t));
}

static void people(fixture *f)
{
    sql(f, "CREATE TABLE person (id int PRIMARY KEY, name text, age int);"
           "SELECT paos.register_class('person');"
           "INSERT INTO person SELECT i, 'P' || i, 30 + i FROM generate_series(1, 9) i");
}

/* Ends the server's side, and waits until it has. */
static void terminate(fixture *f, paos_conn *conn)
{
    char text[200];

    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", conn->backend);
    sql(f, text);
}

static void dispatch_until(paos_conn *conn, const told *t, const char *part)
{
    while (!strstr(t->text, part))
        OK(conn, paos_conn_dispatch(conn, 30000, NULL));
}

static void everything_goes_on(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_list *first = NULL, *all;
    paos_object *changed;
    int64_t request;
    int fd = paos_conn_fd(f->conn);

    people(f);
    watch(f->conn, &t);
    OK(f->conn,
       paos_subscribe(f->conn, "t.person", "age > 35", NULL, 0, note_event, &t, &first, &request));
    all = get(f->conn, "t.person", NULL);
    changed = paos_list_at(all, 0);
    OK(f->conn, paos_object_set(changed, "name", paos_text("unsaved")));
    OK(f->conn, paos_lock(f->conn, &changed, 1, 0));
    terminate(f, f->conn);
    sql(f, "UPDATE person SET age = 50 WHERE id = 2; UPDATE person SET name = 'new' WHERE id = 7;"
           "DELETE FROM person WHERE id = 8; UPDATE person SET age = 1 WHERE id = 9");
    dispatch_until(f->conn, &t, "again");
    assert_string_equal(t.text, "lost ; rights 1 ; ? +2 ~7 -8! -9 ; again ; ");
    assert_int_equal(paos_conn_fd(f->conn), fd);
    assert_string_equal(paos_object_text(changed, "name"), "unsaved");
    assert_string_equal(paos_object_text(paos_list_at(all, 6), "name"), "new");
    assert_false(paos_object_exists(paos_list_at(all, 7)));
    /* Told of by the same number, and ended by it. */
    t.text[0] = 0;
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    sql(f, "UPDATE person SET age = 60 WHERE id = 1");
    dispatch_until(f->conn, &t, "+1 ;");
    assert_string_equal(t.text, "+1 ; ");
    OK(f->conn, paos_unsubscribe(f->conn, request));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM paos.requests"), 0);
    assert_sql(f, "SELECT name FROM person WHERE id = 1", "unsaved");
    paos_list_free(first);
    paos_list_free(all);
}

static void calls_wait_as_long_as_they_may(void **state)
{
    fixture *f = *state;
    paos_list *all = NULL;

    people(f);
    paos_list_free(get(f->conn, "t.person", NULL));
    OK(f->conn, paos_conn_set_outage_wait(f->conn, -1));
    terminate(f, f->conn);
    EXPECT(f->conn, paos_get(f->conn, PAOS_READ, "t.person", NULL, NULL, 0, &all),
           PAOS_DISCONNECTED);
    OK(f->conn, paos_get(f->conn, PAOS_READ, "t.person", NULL, NULL, 0, &all));
    assert_int_equal(paos_list_size(all), 9);
    paos_list_free(all);
}

static void requests_that_make_no_sense_any_more(void **state)
{
    fixture *f = *state;
    told good = {0}, bad = {0};
    int64_t request;

    people(f);
    watch(f->conn, &good);
    OK(f->conn,
       paos_subscribe(f->conn, "t.person", "age > 38", NULL, 0, note_event, &bad, NULL, &request));
    OK(f->conn,
       paos_subscribe(f->conn, "t.person", "id > 8", NULL, 0, note_event, &good, NULL, &request));
    terminate(f, f->conn);
    sql(f, "ALTER TABLE person DROP age; INSERT INTO person VALUES (10, 'x')");
    dispatch_until(f->conn, &good, "again");
    assert_string_equal(good.text, "lost ; ? +10 ; again ; ");
    assert_string_equal(bad.text, "end 42703 -9 ; ");
}

/* A request goes by what its names stood for, connected or not. */
static void an_attribute_that_was_renamed(void **state)
{
    fixture *f = *state;
    told t = {0};
    int64_t request;

    people(f);
    watch(f->conn, &t);
    OK(f->conn,
       paos_subscribe(f->conn, "t.person", "age > 38", NULL, 0, note_event, &t, NULL, &request));
    terminate(f, f->conn);
    sql(f, "ALTER TABLE person RENAME age TO years; UPDATE person SET years = 40 WHERE id = 1");
    dispatch_until(f->conn, &t, "again");
    assert_string_equal(t.text, "lost ; ? +1 ; again ; ");
    sql(f, "UPDATE person SET years = 41 WHERE id = 1");
    dispatch_until(f->conn, &t, "~1");
    terminate(f, f->conn);
    sql(f, "ALTER TABLE person DROP years");
    t.text[0] = '\0';
    dispatch_until(f->conn, &t, "again");
    assert_string_equal(t.text, "lost ; end 42703 -1 -9 ; again ; ");
}

/* Two attributes that exchange their names: the text makes sense, but another one. */
static void names_that_were_exchanged(void **state)
{
    fixture *f = *state;
    told t = {0};
    int64_t request;

    people(f);
    watch(f->conn, &t);
    sql(f, "ALTER TABLE person ADD size int DEFAULT 0");
    OK(f->conn,
       paos_subscribe(f->conn, "t.person", "age > 38", NULL, 0, note_event, &t, NULL, &request));
    terminate(f, f->conn);
    sql(f, "ALTER TABLE person RENAME age TO other; ALTER TABLE person RENAME size TO age;"
           "ALTER TABLE person RENAME other TO size");
    dispatch_until(f->conn, &t, "again");
    assert_string_equal(t.text, "lost ; again ; ");
    sql(f, "UPDATE person SET size = 40 WHERE id = 1");
    dispatch_until(f->conn, &t, "+1");
    sql(f, "ALTER TABLE person RENAME age TO other; ALTER TABLE person RENAME size TO age;"
           "ALTER TABLE person RENAME other TO size");
    t.text[0] = '\0';
    sql(f, "TRUNCATE person; INSERT INTO person (id, name, age, size) VALUES (2, 'x', 0, 50),"
           " (3, 'y', 50, 0)");
    dispatch_until(f->conn, &t, "+3");
    assert_string_equal(t.text, "? +3 -1! -9! ; ");
}

static void a_server_that_refuses(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_conn *conn = NULL;
    paos_list *list = NULL;
    char text[1000];
    paos_status status = PAOS_OK;

    sql(f, "DROP ROLE IF EXISTS paos_gone; CREATE ROLE paos_gone LOGIN SUPERUSER PASSWORD 'x'");
    snprintf(text, sizeof text, "%s user=paos_gone password=x", conninfo());
    OK(NULL, paos_conn_open(text, "test", &conn));
    watch(conn, &t);
    sql(f, "ALTER ROLE paos_gone NOLOGIN");
    terminate(f, conn);
    while (status == PAOS_OK)
        status = paos_conn_dispatch(conn, 30000, NULL);
    EXPECT(conn, status, PAOS_REFUSED);
    EXPECT(conn, paos_get(conn, PAOS_READ, "t.person", NULL, NULL, 0, &list), PAOS_REFUSED);
    assert_non_null(strstr(paos_conn_error(conn)->detail,
                           "FATAL:  role \"paos_gone\" is not permitted to log in"));
    assert_null(strstr(paos_conn_error(conn)->detail, "LOCATION"));
    assert_string_equal(t.text, "lost ; ");
    paos_conn_close(conn);
    sql(f, "DROP ROLE paos_gone");
}

/* However much there is, it is few round trips. */
static void much_to_set_up_again(void **state)
{
    fixture *f = *state;
    told t = {0};
    paos_list *all;
    int64_t request, began;
    char query[40];
    int i;

    sql(f, "CREATE TABLE person (id int PRIMARY KEY, age int);"
           "SELECT paos.register_class('person');"
           "INSERT INTO person SELECT i, i FROM generate_series(1, 20000) i");
    watch(f->conn, &t);
    for (i = 1; i <= 300; i++)
    {
        snprintf(query, sizeof query, "id == %d", i);
        OK(f->conn,
           paos_subscribe(f->conn, "t.person", query, NULL, 0, note_event, &t, NULL, &request));
    }
    all = get(f->conn, "t.person", NULL);
    terminate(f, f->conn);
    sql(f, "UPDATE person SET age = 0 WHERE id = 77");
    dispatch_until(f->conn, &t, "lost");
    spent(f);
    began = paosi_wake_now();
    dispatch_until(f->conn, &t, "again");
    print_message("set up again after %lld ms\n", (long long) (paosi_wake_now() - began));
    assert_in_range(round_trips(f), 1, 10);
    assert_string_equal(t.text, "lost ; ? ~77 ; again ; ");
    assert_int_equal(paos_object_int(paos_list_at(all, 76), "age"), 0);
    paos_list_free(all);
}

/* A server that answers pings is not taken for lost; one that does not is, in time. */
static void a_server_that_is_silent(void **state)
{
    fixture *f = *state;
    told t = {0};
    int64_t began, noticed, heard;
    int backend = f->conn->backend;
    size_t answers;

    watch(f->conn, &t);
    OK(f->conn, paos_conn_set_silence(f->conn, 400));
    for (answers = 0; answers < 5; answers += f->conn->outage.heard != heard)
    {
        heard = f->conn->outage.heard;
        OK(f->conn, paos_conn_dispatch(f->conn, 50, NULL));
    }
    assert_string_equal(t.text, "");
    assert_int_equal(kill(backend, SIGSTOP), 0);
    began = paosi_wake_now();
    while (!t.text[0])
        OK(f->conn, paos_conn_dispatch(f->conn, 30000, NULL));
    noticed = paosi_wake_now() - began;
    assert_int_equal(kill(backend, SIGCONT), 0);
    assert_string_equal(t.text, "lost ; ");
    assert_in_range(noticed, 0, 400 + 1000);
    dispatch_until(f->conn, &t, "again");
}

/* The session is ended within COMMIT: its error comes before the end of the connection. */
static void a_commit_that_was_broken(void **state)
{
    fixture *f = *state;
    paos_object *object;
    bool committed = true;
    paos_status status;

    people(f);
    OK(f->conn, paos_conn_set_outage_wait(f->conn, -1));
    object = get_one(f->conn, "t.person", "id == 1");
    OK(f->conn, paos_object_set(object, "age", paos_int(77)));
    sql(f, "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
           " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(100);"
           " RETURN NULL; END $$;"
           "CREATE CONSTRAINT TRIGGER break AFTER INSERT OR UPDATE ON person"
           " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION break()");
    status = paos_commit(f->conn, NULL, 0);
    assert_true(status == PAOS_DISCONNECTED || status == PAOS_UNKNOWN);
    sql(f, "DROP TRIGGER break ON person");
    if (status == PAOS_UNKNOWN)
    {
        OK(f->conn, paos_conn_outcome(f->conn, &committed));
        assert_false(committed);
    }
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT age FROM person WHERE id = 1", "77");
    paos_object_release(object);
}

static void not_to_be_made_again(void **state)
{
    fixture *f = *state;

    OK(f->conn, paos_conn_set_reconnect(f->conn, false));
    terminate(f, f->conn);
    EXPECT(f->conn, paos_conn_dispatch(f->conn, -1, NULL), PAOS_DISCONNECTED);
    EXPECT(f->conn, paos_conn_dispatch(f->conn, -1, NULL), PAOS_DISCONNECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_goes_on),
        TEST(calls_wait_as_long_as_they_may),
        TEST(requests_that_make_no_sense_any_more),
        TEST(an_attribute_that_was_renamed),
        TEST(names_that_were_exchanged),
        TEST(a_server_that_refuses),
        TEST(not_to_be_made_again),
        TEST(a_server_that_is_silent),
        TEST(much_to_set_up_again),
        TEST(a_commit_that_was_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
