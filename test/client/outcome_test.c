/*
 * outcome_test.c - what became of commits that broke, at each place where they can.
 *
 * A thread waits until the server has come so far with the commit, and then ends
 * its session, or only the client's side of it, which the server does not notice.
 */
#include "client.h"

#include <pthread.h>
#include <sys/socket.h>

typedef struct breaker
{
    const char *at; /* what the session waits for by then */
    int backend;
    int fd; /* the client's side is broken; -1: the session is ended */
} breaker;

static void *break_it(void *arg)
{
    const breaker *b = arg;
    PGconn *pg = PQconnectdb(conninfo());
    char text[300];
    int n = 0;

    snprintf(text, sizeof text,
             "SELECT 1 FROM pg_stat_activity WHERE pid = %d AND wait_event = '%s'", b->backend,
             b->at);
    while (n == 0)
    {
        PGresult *result = PQexec(pg, text);

        n = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 1;
        PQclear(result);
    }
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", b->backend);
    if (b->fd >= 0)
        shutdown(b->fd, SHUT_RDWR);
    else
        PQclear(PQexec(pg, text));
    PQfinish(pg);
    return NULL;
}

static paos_status commit_and_break(fixture *f, const char *at, bool session)
{
    breaker b = {at, f->conn->backend, session ? -1 : paosi_pgio_fd(f->conn->io)};
    pthread_t thread;
    paos_status status;

    assert_int_equal(pthread_create(&thread, NULL, break_it, &b), 0);
    status = paos_commit(f->conn, NULL, 0);
    pthread_join(thread, NULL);
    OK(f->conn, paos_conn_set_outage_wait(f->conn, -1));
    return status;
}

static void reload(fixture *f, const char *setting)
{
    sql(f, setting);
    sql(f, "SELECT pg_reload_conf()");
}

/* Sessions go by what the checkpointer has made of a setting, and that cannot be shown. */
static void until_commits_wait(fixture *f)
{
    PGconn *pg = PQconnectdb(conninfo());
    bool waits = false;
    char text[200];

    snprintf(text, sizeof text,
             "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'SyncRep'",
             PQbackendPID(pg));
    while (!waits)
    {
        assert_int_equal(PQsendQuery(pg, "SELECT pg_logical_emit_message(true, 'test', '')"), 1);
        do
        {
            waits = sql_int(f, text) == 1;
            assert_int_equal(PQconsumeInput(pg), 1);
        } while (!waits && PQisBusy(pg));
        for (PGresult *result; !waits && (result = PQgetResult(pg)); PQclear(result))
            assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    }
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", PQbackendPID(pg));
    sql(f, text);
    PQfinish(pg);
}

/* Nobody will ever confirm: a commit that waits for it is done here, and not answered. */
static void wait_for_nobody(fixture *f, bool on)
{
    const char *shown = on ? "nobody" : "";
    char *now = NULL;

    reload(f, on ? "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
                 : "ALTER SYSTEM RESET synchronous_standby_names");
    do
    {
        free(now);
        now = sql_text(f, "SHOW synchronous_standby_names");
    } while (!now || strcmp(now, shown) != 0);
    free(now);
    if (on)
        until_commits_wait(f);
}

static int begin(void **state)
{
    char text[1000];
    fixture *f;

    setup(state);
    f = *state;
    paos_conn_close(f->conn);
    sql(f, "SET synchronous_commit = local;"
           "CREATE TABLE thing (id int PRIMARY KEY, n int);"
           "SELECT paos.register_class('thing');"
           "INSERT INTO thing VALUES (1, 1)");
    snprintf(text, sizeof text, "%s options='-c synchronous_commit=on'", conninfo());
    OK(NULL, paos_conn_open(text, "test", &f->conn));
    return 0;
}

static int end(void **state)
{
    wait_for_nobody(*state, false);
    return teardown(state);
}

/* One that is changed, or one that is new: of that not even the transaction's number arrives. */
static paos_object *touch(fixture *f, bool new)
{
    paos_object *object = new ? make(f->conn, "t.thing") : get_one(f->conn, "t.thing", "id == 1");

    OK(f->conn, paos_object_set(object, "n", paos_int(77)));
    if (new)
        OK(f->conn, paos_object_set(object, "id", paos_int(2)));
    return object;
}

static const char *const stored = "SELECT count(*) FROM thing WHERE n = 77";

/* A deferred trigger waits for a lock: nothing is committed yet. */
static void hold_back(fixture *f)
{
    sql(f, "CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
           " PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;"
           "CREATE CONSTRAINT TRIGGER hold_back AFTER INSERT OR UPDATE ON thing"
           " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_back();"
           "SELECT pg_advisory_lock(4711)");
}

static void let_go(fixture *f)
{
    sql(f, "SELECT pg_advisory_unlock(4711); DROP TRIGGER hold_back ON thing");
}

/* The changes are there, or have been stored; either way they are after one more commit. */
static void commit_again(fixture *f, paos_object *object)
{
    bool committed;

    EXPECT(f->conn, paos_conn_outcome(f->conn, &committed), PAOS_NOT_FOUND);
    wait_for_nobody(f, false);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, stored), 1);
    paos_object_release(object);
}

static void expect(fixture *f, paos_object *object, bool done)
{
    bool committed = !done;
    paos_status status;

    while ((status = paos_conn_outcome(f->conn, &committed)) == PAOS_UNKNOWN)
        assert_int_equal(sql_int(f, "SELECT 1"), 1);
    OK(f->conn, status);
    assert_int_equal(committed, done);
    assert_int_equal(sql_int(f, stored), done);
    assert_int_equal(paos_object_int(object, "n"), 77);
    assert_int_equal(f->conn->cache.dirty.size, done ? 0 : 1);
    commit_again(f, object);
}

/* The session ends before it has committed, and says so: there is nothing to ask. */
static void before(fixture *f, bool new)
{
    paos_object *object = touch(f, new);
    paos_status status;

    hold_back(f);
    status = commit_and_break(f, "advisory", true);
    let_go(f);
    EXPECT(f->conn, status, PAOS_DISCONNECTED);
    assert_int_equal(sql_int(f, stored), 0);
    commit_again(f, object);
}

/* The client is gone, and the session does not know: it is under way, until it ends. */
static void during(fixture *f, bool new, bool done)
{
    paos_object *object = touch(f, new);
    char text[100];
    bool committed;
    int backend = f->conn->backend;

    hold_back(f);
    EXPECT(f->conn, commit_and_break(f, "advisory", false), PAOS_UNKNOWN);
    EXPECT(f->conn, paos_conn_outcome(f->conn, &committed), PAOS_UNKNOWN);
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 30000)", backend);
    if (!done)
        sql(f, text);
    let_go(f);
    expect(f, object, done);
}

/* It has committed, and cannot say so any more. */
static void after(fixture *f, bool new)
{
    paos_object *object = touch(f, new);

    wait_for_nobody(f, true);
    EXPECT(f->conn, commit_and_break(f, "SyncRep", true), PAOS_UNKNOWN);
    expect(f, object, true);
}

static void before_the_commit(void **state)
{
    before(*state, false);
}

static void before_the_commit_of_a_new_object(void **state)
{
    before(*state, true);
}

static void during_it(void **state)
{
    during(*state, false, true);
}

static void during_it_and_then_ended(void **state)
{
    during(*state, false, false);
}

static void during_that_of_a_new_object(void **state)
{
    during(*state, true, true);
}

static void during_that_of_a_new_object_and_then_ended(void **state)
{
    during(*state, true, false);
}

static void after_the_commit(void **state)
{
    after(*state, false);
}

static void after_the_commit_of_a_new_object(void **state)
{
    after(*state, true);
}

#define OUTCOME(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTCOME(before_the_commit),
        OUTCOME(before_the_commit_of_a_new_object),
        OUTCOME(during_it),
        OUTCOME(during_it_and_then_ended),
        OUTCOME(during_that_of_a_new_object),
        OUTCOME(during_that_of_a_new_object_and_then_ended),
        OUTCOME(after_the_commit),
        OUTCOME(after_the_commit_of_a_new_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
