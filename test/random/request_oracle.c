/*
 * request_oracle.c - what requests are told, compared with their answers.
 *
 * Random requests, random transactions with savepoints from several sessions.  After each commit
 * the answers are asked for again: what was notified must equal the difference.  Nothing is waited
 * for by time: a request on a table of its own tells when all before it has arrived.
 */
#include "request_listen.h"
#include "request_random.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS 3
#define REQUESTS 24

static PGconn *listener, *reader, *writers[WRITERS];
static char *queries[REQUESTS];
static long ids[REQUESTS];
static long marker;
static int passed, failed;

/* ---- random requests ---- */

static long subscribe(const char *class, const char *query)
{
    char *literal = PQescapeLiteral(listener, query, strlen(query));
    PGresult *result = run(listener, "SELECT paos.subscribe('%s', %s)", class, literal);
    long id = atol(PQgetvalue(result, 0, 0));

    PQfreemem(literal);
    PQclear(result);
    RUN(listener, "SELECT paos.ready(%ld, wait => '0')", id);
    return id;
}

static void renew(int i)
{
    char query[1300];

    if (queries[i] != NULL)
        RUN(listener, "SELECT paos.unsubscribe(%ld)", ids[i]);
    free(queries[i]);
    condition(query, sizeof(query), class_of(i), (int) below(3));
    queries[i] = strdup(query);
    RUN(listener, "SET ROLE %s", is_limited(i) ? "paos_oracle" : "NONE");
    ids[i] = subscribe(class_of(i), query);
    RUN(listener, "RESET ROLE");
}

/* ---- random transactions ---- */

static void statement(PGconn *conn)
{
    char sql[1000];

    random_write(sql, sizeof(sql));
    RUN(conn, "%s", sql);
}

/* Part of a transaction; savepoints nest, and some are rolled back. */
static void work(PGconn *conn, int depth)
{
    for (unsigned n = 1 + below(4); n > 0; n--)
    {
        if (depth == 0 || below(3) != 0)
        {
            statement(conn);
            continue;
        }
        RUN(conn, "SAVEPOINT s%d", depth);
        work(conn, depth - 1);
        RUN(conn, "%s SAVEPOINT s%d", below(2) ? "ROLLBACK TO" : "RELEASE", depth);
    }
}

/* ---- expected and told ---- */

static void ask(const char *when)
{
    RUN(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; TRUNCATE %s", when);
    for (int i = 0; i < REQUESTS; i++)
    {
        char *literal = PQescapeLiteral(reader, queries[i], strlen(queries[i]));

        RUN(reader, "SET LOCAL ROLE %s", is_limited(i) ? "paos_oracle" : "NONE");
        RUN(reader,
            "INSERT INTO %s SELECT %ld, paos.ref(p), p.xmin::text FROM %s p"
            " WHERE p OPERATOR(paos.@@) %s",
            when, ids[i], class_of(i), literal);
        RUN(reader, "RESET ROLE");
        PQfreemem(literal);
    }
    RUN(reader, "COMMIT");
}

/* All that was told up to the marker's own event, into the table told. */
static void collect(void)
{
    char end[64];

    snprintf(end, sizeof(end), "{\"request\":%ld,", marker);
    RUN(reader, "TRUNCATE told");
    RUN(reader, "UPDATE marker SET n = n + 1");
    for (;;)
    {
        PGnotify *note = next_notification(listener);
        bool done = strncmp(note->extra, end, strlen(end)) == 0;
        char *literal = PQescapeLiteral(reader, note->extra, strlen(note->extra));

        if (!done)
            RUN(reader, "INSERT INTO told SELECT * FROM payload(%s)", literal);
        PQfreemem(literal);
        PQfreemem(note);
        if (done)
            return;
    }
}

static void report(unsigned long seed, int number)
{
    PGresult *result = run(reader, "SELECT * FROM wrong ORDER BY 1, 2");

    printf("seed %lu, case %d:\n", seed, number);
    for (int row = 0; row < PQntuples(result); row++)
    {
        const char *query = "?";

        for (int i = 0; i < REQUESTS; i++)
            if (ids[i] == atol(PQgetvalue(result, row, 0)))
                query = queries[i];
        printf("  %s %s expected %s, told %s: %s\n", PQgetvalue(result, row, 0),
               PQgetvalue(result, row, 1), PQgetvalue(result, row, 2), PQgetvalue(result, row, 3),
               query);
    }
    PQclear(result);
}

static void compare(unsigned long seed, int number)
{
    PGresult *result;

    collect();
    ask("after");
    result = run(reader, "SELECT count(*) FROM wrong");
    if (strcmp(PQgetvalue(result, 0, 0), "0") == 0)
        passed++;
    else
    {
        failed++;
        report(seed, number);
    }
    PQclear(result);
    RUN(reader, "TRUNCATE before; INSERT INTO before SELECT * FROM after");
}

/* ---- the run ---- */

static void one_case(unsigned long seed, int number)
{
    int w = (int) below(WRITERS);

    if (below(4) == 0)
    {
        renew((int) below(REQUESTS));
        ask("before");
    }
    RUN(writers[w], "BEGIN ISOLATION LEVEL %s", below(2) ? "READ COMMITTED" : "REPEATABLE READ");
    work(writers[w], 3);
    RUN(writers[w], "%s", below(6) == 0 ? "ROLLBACK" : "COMMIT");
    compare(seed, number);
}

static const char *const schema =
    "CREATE TABLE marker (id int PRIMARY KEY, n int); INSERT INTO marker VALUES (1, 0);"
    "SELECT paos.register_class('marker');"
    "CREATE TABLE before (request bigint, ref paos.ref, version text);"
    "CREATE TABLE after (LIKE before); CREATE TABLE told (request bigint, ref paos.ref, effect "
    "text); GRANT INSERT ON before, after TO paos_oracle;"
    "CREATE FUNCTION payload(p jsonb) RETURNS SETOF told LANGUAGE sql AS $$"
    " SELECT (p->>'request')::bigint, r.ref::paos.ref, e.effect FROM (VALUES ('enter'), ('change'),"
    " ('leave')) e(effect), jsonb_array_elements_text(p->e.effect) r(ref) WHERE NOT p ? 'resync'"
    " UNION ALL SELECT (p->>'request')::bigint, NULL, 'resync' WHERE p ? 'resync' $$;"
    "CREATE VIEW expected AS SELECT request, ref, CASE WHEN b.version IS NULL THEN 'enter'"
    " WHEN a.version IS NULL THEN 'leave' ELSE 'change' END AS effect"
    " FROM before b FULL JOIN after a USING (request, ref) WHERE a.version IS DISTINCT FROM "
    "b.version;"
    "CREATE VIEW wrong AS SELECT request, ref, e.effect AS expected, t.effect AS told"
    " FROM expected e FULL JOIN told t USING (request, ref)"
    " WHERE e.effect IS DISTINCT FROM t.effect";

static const char *const settings = "SET enable_seqscan = on; SET search_path = public, paos";

static void prepare(void)
{
    listener = open_connection(settings);
    reader = open_connection(settings);
    for (int w = 0; w < WRITERS; w++)
        writers[w] = open_connection(settings);
    RUN(reader, "%s", random_schema);
    RUN(reader, "%s", schema);
    RUN(reader, "INSERT INTO person (id, name, age, score, tags, adult)"
                " SELECT g, 'Sue', g, g, '{1}', true FROM generate_series(1, 10) g");
    marker = subscribe("marker", "");
    for (int i = 0; i < REQUESTS; i++)
        renew(i);
    ask("before");
}

int main(int argc, char **argv)
{
    unsigned long seed = 1;
    int cases = 1500;

    for (int i = 1; i < argc; i++)
    {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--cases") == 0)
            cases = atoi(argv[++i]);
        else
        {
            printf("usage: request_oracle [--seed N] [--cases N]\n"
                   "Compares what requests are told with their answers. Finds the server as libpq "
                   "does.\n");
            return strcmp(argv[i], "--help") != 0;
        }
    }
    state = seed;
    printf("request_oracle: seed %lu, %d cases\n", seed, cases);
    prepare();
    for (int number = 0; number < cases; number++)
        one_case(seed, number);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
