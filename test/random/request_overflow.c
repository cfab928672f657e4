/*
 * request_overflow.c - more events than there is room for.
 *
 * A session that does not take its mail, a commit that all others wait for in the
 * ring, a table emptied that very many requests are on: in each case the requests
 * are told to look again, once, and after what came before it.  How much room there
 * is, is settled when a database's shared memory is made: hence one of its own.
 */
#include "request_listen.h"

#include <stdbool.h>
#include <string.h>

static PGconn *listener, *writer;

/* A class in a database of its own, whose shared memory takes one of everything. */
static PGconn *open_small(const char *setting)
{
    PGconn *conn;

    RUN(writer, "DROP DATABASE IF EXISTS paos_small");
    RUN(writer, "CREATE DATABASE paos_small");
    conn = PQconnectdb("dbname=paos_small");
    RUN(conn,
        "CREATE EXTENSION paos; CREATE TABLE t (id int PRIMARY KEY);"
        " SELECT paos.register_class('t'); SET paos.%s = 1",
        setting);
    RUN(conn, "SELECT paos.subscribe('t', '')");
    RUN(conn, "SELECT paos.ready(1)");
    return conn;
}

/* Ends what open_small has made; the next two notifications must have been these. */
static bool close_small(PGconn *conn, const char *first, const char *second)
{
    const char *const expected[] = {first, second};
    bool ok = true;

    for (int i = 0; i < 2; i++)
    {
        PGnotify *told = next_notification(conn);

        if (strstr(told->extra, expected[i]) == NULL)
        {
            printf("FAILED: overflow: %s\n", told->extra);
            ok = false;
        }
        PQfreemem(told);
    }
    PQfinish(conn);
    RUN(writer, "DROP DATABASE paos_small");
    return ok;
}

/* A session that is busy is told later, and to look again when it was too much. */
static bool mailbox_overflow(void)
{
    PGconn *conn = open_small("mailbox_size");
    PGconn *other = PQconnectdb("dbname=paos_small");

    RUN(conn, "BEGIN");
    for (int i = 1; i <= 3; i++)
        RUN(other, "INSERT INTO t VALUES (%d)", i);
    RUN(conn, "COMMIT");
    PQfinish(other);
    return close_small(conn, "\"enter\":[\"1:1\"]", "\"resync\":true");
}

/* The last event of a request is never lost: its session finds that it has ended. */
static bool mailbox_overflow_at_end(void)
{
    PGconn *conn = open_small("mailbox_size");
    PGconn *other = PQconnectdb("dbname=paos_small");

    RUN(conn, "BEGIN");
    RUN(other, "INSERT INTO t VALUES (1)");
    RUN(other, "SELECT paos.unregister_class('t')");
    RUN(conn, "COMMIT");
    PQfinish(other);
    return close_small(conn, "\"enter\":[\"1:1\"]",
                       "\"request\":1,\"resync\":true,\"ended\":\"42704\"");
}

/* Does the session wait for a standby?  False: its statement is done. */
static bool waits(PGconn *conn)
{
    for (;;)
    {
        PGresult *result = run(writer,
                               "SELECT wait_event IS NOT DISTINCT FROM 'SyncRep'"
                               " FROM pg_stat_activity WHERE pid = %d",
                               PQbackendPID(conn));
        bool waiting = PQgetvalue(result, 0, 0)[0] == 't';

        PQclear(result);
        if (!PQconsumeInput(conn))
            die("waiting for a standby", conn);
        if (waiting || !PQisBusy(conn))
            return waiting;
    }
}

static void finish(PGconn *conn)
{
    PGresult *result;

    while ((result = PQgetResult(conn)) != NULL)
        PQclear(result);
}

/*
 * A commit has its place in the ring and waits for a standby that there is none of; it
 * is the last one before those who find no place.  Returns the object that it made.
 */
static int stay_in_commit(PGconn *conn)
{
    int id = 0;

    RUN(writer, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    RUN(writer, "SELECT pg_reload_conf()");
    do
    {
        char sql[64];

        finish(conn);
        snprintf(sql, sizeof(sql), "INSERT INTO t VALUES (%d)", ++id);
        if (!PQsendQuery(conn, sql))
            die("sending", conn);
    } while (!waits(conn));
    return id;
}

static void leave_commit(PGconn *conn)
{
    RUN(writer, "ALTER SYSTEM RESET synchronous_standby_names");
    RUN(writer, "SELECT pg_reload_conf()");
    finish(conn);
}

/* Reads notifications up to one that has the text; false when there is another such one before. */
static bool told_after(PGconn *conn, const char *text, const char *never_before)
{
    for (;;)
    {
        PGnotify *told = next_notification(conn);
        bool found = strstr(told->extra, text) != NULL;
        bool wrong = strstr(told->extra, never_before) != NULL;

        if (wrong)
            printf("FAILED: ring overflow: %s\n", told->extra);
        PQfreemem(told);
        if (found || wrong)
            return found;
    }
}

/* Who finds no place in the ring does not wait, and is told of in its turn. */
static bool ring_overflow(void)
{
    PGconn *conn = open_small("ring_size");
    PGconn *slow = PQconnectdb("dbname=paos_small");
    PGconn *other = PQconnectdb("dbname=paos_small");
    char first[64];
    bool ok;

    RUN(writer, "SET synchronous_commit = local");
    RUN(other, "SET synchronous_commit = local");
    snprintf(first, sizeof(first), "\"enter\":[\"1:%d\"]", stay_in_commit(slow));
    RUN(other, "INSERT INTO t VALUES (1000000)");
    leave_commit(slow);
    ok = told_after(conn, first, "\"resync\"") && told_after(conn, "\"resync\":true", "\"enter\"");
    RUN(other, "INSERT INTO t VALUES (1000001)");
    ok = ok && told_after(conn, "\"enter\":[\"1:1000001\"]", "\"resync\"");
    PQfinish(slow);
    PQfinish(other);
    PQfinish(conn);
    RUN(writer, "RESET synchronous_commit");
    RUN(writer, "DROP DATABASE paos_small");
    return ok;
}

/* Nor when there is no place in the ring, for which there is nothing to wait. */
static bool ring_overflow_at_end(void)
{
    PGconn *conn = open_small("ring_size");
    PGconn *slow = PQconnectdb("dbname=paos_small");
    PGconn *other = PQconnectdb("dbname=paos_small");
    bool ok;

    RUN(conn, "CREATE ROLE paos_reader; GRANT SELECT ON t TO paos_reader");
    RUN(conn, "SET ROLE paos_reader; SELECT paos.subscribe('t', '')");
    RUN(conn, "RESET ROLE");
    RUN(writer, "SET synchronous_commit = local");
    RUN(other, "SET synchronous_commit = local");
    stay_in_commit(slow);
    RUN(other, "REVOKE SELECT ON t FROM paos_reader");
    RUN(other, "INSERT INTO t VALUES (1000000)");
    ok = told_after(conn, "\"request\":2,\"resync\":true,\"ended\":\"42704\"",
                    "\"enter\":[\"1:1000000\"]");
    leave_commit(slow);
    PQfinish(slow);
    PQfinish(other);
    PQfinish(conn);
    RUN(writer, "RESET synchronous_commit");
    RUN(writer, "DROP DATABASE paos_small");
    RUN(writer, "DROP ROLE paos_reader");
    return ok;
}

/* ---- many requests at once ---- */

#define MANY 1500 /* more than get an event each */

/* Each of the requests from the first on must be told to look again, once, and the marker. */
static bool all_told(const char *what, long first, long marker)
{
    static bool told[MANY];
    bool ok = true;

    memset(told, 0, sizeof(told));
    for (int i = 0; i <= MANY; i++)
    {
        PGnotify *note = next_notification(listener);
        long request = atol(strchr(note->extra, ':') + 1);
        bool again = strstr(note->extra, "\"resync\":true") != NULL;

        if (request != marker &&
            (!again || request < first || request >= first + MANY || told[request - first]))
            ok = false;
        if (request >= first && request < first + MANY)
            told[request - first] = true;
        if (!ok)
            printf("FAILED: %s: %s\n", what, note->extra);
        PQfreemem(note);
        if (!ok)
            return false;
    }
    return true;
}

static bool only_marker(const char *what, long marker)
{
    PGnotify *note = next_notification(listener);
    bool ok = atol(strchr(note->extra, ':') + 1) == marker;

    if (!ok)
        printf("FAILED: %s: %s\n", what, note->extra);
    PQfreemem(note);
    return ok;
}

static bool many(const char *what, const char *work, const char *then, bool told, long marker)
{
    PGresult *result =
        run(listener,
            "SELECT min(r), paos.ready(max(r)) FROM (SELECT paos.subscribe('seat', '')"
            " AS r FROM generate_series(1, %d)) s",
            MANY);
    long first = atol(PQgetvalue(result, 0, 0));
    bool ok;

    PQclear(result);
    RUN(writer, "%s", work);
    if (then != NULL)
        RUN(writer, "%s", then);
    RUN(writer, "UPDATE marker SET n = n + 1");
    ok = told ? all_told(what, first, marker) : only_marker(what, marker);
    RUN(writer, "UPDATE marker SET n = n + 1");
    ok = ok && only_marker(what, marker);
    RUN(listener, "SELECT paos.unsubscribe(r) FROM generate_series(%ld, %ld) r", first,
        first + MANY - 1);
    return ok;
}

static bool has_two_phases(void)
{
    PGresult *result = run(writer, "SELECT current_setting('shared_preload_libraries') <> ''"
                                   " AND current_setting('max_prepared_transactions') <> '0'");
    bool has = PQgetvalue(result, 0, 0)[0] == 't';

    PQclear(result);
    return has;
}

static void count(bool ok, int *passed, int *failed)
{
    *passed += ok;
    *failed += !ok;
}

int main(void)
{
    int passed = 0, failed = 0;
    PGresult *result;
    long marker;

    listener = PQconnectdb("");
    writer = PQconnectdb("");
    if (PQstatus(listener) != CONNECTION_OK || PQstatus(writer) != CONNECTION_OK)
        die("connecting", listener);
    RUN(writer,
        "SET client_min_messages = warning; CREATE TABLE seat (id int PRIMARY KEY);"
        " SELECT paos.register_class('seat');"
        " CREATE TABLE marker (id int PRIMARY KEY, n int); INSERT INTO marker VALUES (1, 0);"
        " SELECT paos.register_class('marker')");
    result = run(listener, "SELECT paos.subscribe('marker', '')");
    marker = atol(PQgetvalue(result, 0, 0));
    PQclear(result);

    count(mailbox_overflow(), &passed, &failed);
    count(mailbox_overflow_at_end(), &passed, &failed);
    count(ring_overflow(), &passed, &failed);
    count(ring_overflow_at_end(), &passed, &failed);
    count(many("TRUNCATE", "TRUNCATE seat", NULL, true, marker), &passed, &failed);
    count(many("a savepoint", "BEGIN; SAVEPOINT s; TRUNCATE seat; ROLLBACK TO s; COMMIT", NULL,
               false, marker),
          &passed, &failed);
    if (has_two_phases())
        count(many("two phases", "BEGIN; TRUNCATE seat; PREPARE TRANSACTION 'all'",
                   "COMMIT PREPARED 'all'", true, marker),
              &passed, &failed);
    PQfinish(listener);
    PQfinish(writer);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
