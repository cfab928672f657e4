/*
 * durable_oracle.c - many writers, and consumers that come and go, on one durable request.
 *
 * Each writer's transaction also says in a ledger what it did; prepared ones are committed much
 * later, so that low numbers appear after high ones. A consumer writes down what it reads, in the
 * transaction that acknowledges it; it rolls back now and then, or goes away, and another takes
 * over. In the end everything of the ledger must have been written down exactly once and in order
 * for each object. A reader that goes on from the last number it saw would not have: that is looked
 * at, too.
 */
#include "request_listen.h"
#include "splitmix.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define CONSUMERS 2
#define KEYS 25
#define LAST_KEY 1000 /* written when all writers are done */

static int passed, failed;

static long number_of(PGconn *conn, const char *sql)
{
    PGresult *result = run(conn, "%s", sql);
    long number = PQntuples(result) == 0 ? 0 : atol(PQgetvalue(result, 0, 0));

    PQclear(result);
    return number;
}

/* ---- writers ---- */

/* Writes some objects, in order of their keys so that nobody deadlocks; as the ledger has it. */
static void write_objects(PGconn *conn, const char *ledger)
{
    unsigned key = 1 + below(KEYS);

    for (unsigned n = 1 + below(3); n > 0 && key <= KEYS; n--, key += 1 + below(KEYS / 2))
    {
        RUN(conn,
            "WITH u AS (UPDATE item SET value = value + 1 WHERE id = %u RETURNING id, value)"
            " INSERT INTO %s SELECT pg_current_xact_id(), id, value FROM u",
            key, ledger);
        if (below(4) == 0) /* a while */
            RUN(conn, "SELECT count(*) FROM generate_series(1, %u)", below(20000));
    }
}

/* What is rolled back is the same on objects above. */
static void maybe_savepoint(PGconn *conn)
{
    if (below(5) != 0)
        return;
    RUN(conn, "SAVEPOINT s; UPDATE item SET value = value + 1 WHERE id = %d", KEYS + 1);
    RUN(conn, "ROLLBACK TO s");
}

static void one_transaction(PGconn *conn, int writer, int number, bool *prepared)
{
    RUN(conn, "BEGIN");
    write_objects(conn, "ledger");
    maybe_savepoint(conn);
    if (below(10) == 0)
        RUN(conn, "ROLLBACK");
    else if (writer < 3 && !*prepared && below(10) == 0)
    {
        RUN(conn, "PREPARE TRANSACTION 'writer %d'", writer);
        *prepared = true;
        RUN(conn, "SELECT count(*) FROM generate_series(1, %u)", 50000 + below(200000));
        RUN(conn, "%s PREPARED 'writer %d'", number % 5 == 0 ? "ROLLBACK" : "COMMIT", writer);
        *prepared = false;
    }
    else
        RUN(conn, "COMMIT");
}

static int be_writer(int writer, int transactions)
{
    PGconn *conn = open_connection("");
    bool prepared = false;

    for (int i = 0; i < transactions; i++)
        one_transaction(conn, writer, i, &prepared);
    PQfinish(conn);
    return 0;
}

/* ---- consumers ---- */

/* Writes down what is pending, all or some, and acknowledges as much of it. */
static void consume(PGconn *conn)
{
    char most[16] = "NULL";
    PGresult *result;
    long upto;

    if (below(2) == 0)
        snprintf(most, sizeof(most), "%u", 1 + below(20));
    RUN(conn,
        "BEGIN; CREATE TEMP TABLE batch ON COMMIT DROP AS SELECT * FROM paos.pending('all', %s)",
        most);
    result = run(conn, "SELECT number FROM batch ORDER BY number");
    if (PQntuples(result) > 0)
    {
        upto = atol(PQgetvalue(
            result, below(3) == 0 ? (int) below(PQntuples(result)) : PQntuples(result) - 1, 0));
        RUN(conn,
            "INSERT INTO consumed (number, xid, key, resync)"
            " SELECT b.number, b.xid, paos.key(r), b.resync FROM batch b"
            " LEFT JOIN LATERAL unnest(b.enter || b.change || b.leave) r ON true"
            " WHERE b.number <= %ld ORDER BY b.number",
            upto);
        RUN(conn, "SELECT paos.acknowledge('all', %ld)", upto);
    }
    PQclear(result);
    RUN(conn, below(5) == 0 ? "ROLLBACK" : "COMMIT");
}

/* Woken when there is something; what was there before is found without. */
static void consume_until_quiet(PGconn *conn)
{
    do
    {
        PGnotify *note;

        consume(conn);
        PQconsumeInput(conn);
        while ((note = PQnotifies(conn)) != NULL)
            PQfreemem(note);
    } while (number_of(conn, "SELECT count(*) FROM paos.pending('all')") > 0);
}

static bool all_done(PGconn *conn)
{
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT 1 FROM consumed WHERE key = %d LIMIT 1", LAST_KEY);
    return number_of(conn, sql) > 0;
}

static int be_consumer(void)
{
    bool done = false;

    while (!done)
    {
        PGconn *conn = open_connection("");

        RUN(conn, "SELECT paos.attend('all')");
        do
        {
            consume_until_quiet(conn);
            done = all_done(conn);
            if (!done && below(10) != 0)
                PQfreemem(next_notification(conn));
        } while (!done && below(20) != 0);
        PQfinish(conn); /* and so the other takes over */
    }
    return 0;
}

/* ---- the whole ---- */

static const char *const schema =
    "CREATE TABLE item (id int PRIMARY KEY, value int);"
    "CREATE TABLE ledger (xid xid8, key int, value int);"
    "CREATE TABLE consumed (place bigserial, number bigint, xid xid8, key bigint, resync bool);"
    "SELECT paos.register_class('item');"
    "SELECT paos.subscribe('item', '', durable => 'all');"
    "SELECT paos.leave('all')";

static void check(PGconn *conn, const char *what, const char *sql)
{
    long wrong = number_of(conn, sql);

    if (wrong == 0)
        passed++;
    else
    {
        failed++;
        printf("FAILED %s: %ld\n", what, wrong);
    }
}

static void check_all(PGconn *conn)
{
    check(conn, "events missed",
          "SELECT count(*) FROM ledger l WHERE NOT EXISTS"
          " (SELECT FROM consumed c WHERE c.xid = l.xid AND c.key = l.key)");
    check(conn, "events told of more than once",
          "SELECT count(*) - count(DISTINCT (number, key)) FROM consumed");
    check(conn, "more than one event of a transaction",
          "SELECT count(DISTINCT number) - count(DISTINCT xid) FROM consumed");
    check(conn, "events of what was rolled back",
          "SELECT count(*) FROM consumed c WHERE NOT EXISTS"
          " (SELECT FROM ledger l WHERE c.xid = l.xid AND c.key = l.key)");
    check(conn, "events out of order for an object",
          "SELECT count(*) FROM (SELECT l.value - lag(l.value) OVER"
          " (PARTITION BY l.key ORDER BY c.place) AS step FROM consumed c JOIN ledger l"
          " USING (xid, key)) s WHERE step <= 0");
    check(conn, "told to look again for nothing", "SELECT count(*) FROM consumed WHERE resync");
    check(conn, "events left", "SELECT count(*) FROM paos.event");
    check(conn, "numbers that appeared in order, so that nothing was tried",
          "SELECT (count(*) = 0)::int FROM (SELECT number - max(number) OVER"
          " (ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS step"
          " FROM consumed) s WHERE step < 0");
}

static pid_t start(int (*be)(int, int), int writer, int transactions, uint64_t seed)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child != 0)
        return child;
    state = seed;
    exit(be(writer, transactions));
}

static int be_some_consumer(int number, int unused)
{
    (void) number;
    (void) unused;
    return be_consumer();
}

static void wait_for(const pid_t *children, int n)
{
    for (int i = 0; i < n; i++)
    {
        int status;

        if (waitpid(children[i], &status, 0) < 0 || status != 0)
            die("a writer or consumer failed", NULL);
    }
}

int main(int argc, char **argv)
{
    unsigned long seed = 1;
    int transactions = 400;
    pid_t writers[WRITERS], consumers[CONSUMERS];
    PGconn *conn;

    for (int i = 1; i < argc; i++)
    {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--transactions") == 0)
            transactions = atoi(argv[++i]);
        else
        {
            printf("usage: durable_oracle [--seed N] [--transactions N]\n"
                   "Many writers and several consumers on one durable request. Finds the server as"
                   " libpq does.\n");
            return strcmp(argv[i], "--help") != 0;
        }
    }
    printf("durable_oracle: seed %lu, %d transactions of %d writers\n", seed, transactions,
           WRITERS);
    conn = open_connection("");
    RUN(conn, "%s", schema);
    RUN(conn,
        "WITH i AS (INSERT INTO item SELECT g, 0 FROM generate_series(1, %d) g RETURNING *)"
        " INSERT INTO ledger SELECT pg_current_xact_id(), i.* FROM i",
        KEYS + 1);
    for (int i = 0; i < WRITERS; i++)
        writers[i] = start(be_writer, i, transactions, seed * 100 + i);
    for (int i = 0; i < CONSUMERS; i++)
        consumers[i] = start(be_some_consumer, i, 0, seed * 100 + WRITERS + i);
    wait_for(writers, WRITERS);
    RUN(conn,
        "WITH i AS (INSERT INTO item VALUES (%d, 0) RETURNING *)"
        " INSERT INTO ledger SELECT pg_current_xact_id(), i.* FROM i",
        LAST_KEY);
    wait_for(consumers, CONSUMERS);
    check_all(conn);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
