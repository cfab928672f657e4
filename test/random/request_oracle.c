/*
 * request_oracle.c - what requests are told, compared with their answers.
 *
 * Random requests, random transactions with savepoints from several sessions.  After each commit
 * the answers are asked for again: what was notified must equal the difference.  Nothing is waited
 * for by time: a request on a table of its own tells when all before it has arrived.
 */
#include "request_listen.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS 3
#define REQUESTS 24
#define KEYS 30

static PGconn *listener, *reader, *writers[WRITERS];
static char *queries[REQUESTS];
static long ids[REQUESTS];
static long marker;
static uint64_t state;
static int passed, failed;

/* splitmix64, so that a seed means the same everywhere */
static unsigned below(unsigned n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned) ((z ^ z >> 31) % n);
}

/* ---- random requests ---- */

static const char *const names[] = {"Ann", "Bill", "Sue", "Zoë", "x"};

static void leaf(char *out, size_t size)
{
    const char *const compare[] = {"==", "!=", "<", "<=", ">", ">="};
    unsigned a = below(20), b = a + below(8);

    switch (below(12))
    {
        case 0:
        case 1:
            snprintf(out, size, "name == '%s'", names[below(5)]);
            break;
        case 2:
            snprintf(out, size, "name in ('%s', '%s')", names[below(5)], names[below(5)]);
            break;
        case 3:
        case 4:
            snprintf(out, size, "age %s %u", compare[below(6)], a);
            break;
        case 5:
            snprintf(out, size, "age >= %u and age < %u", a, b);
            break;
        case 6:
            snprintf(out, size, "score %s %u.5", compare[below(6)], a);
            break;
        case 7:
            snprintf(out, size, "id == %u", 1 + below(KEYS));
            break;
        case 8:
            snprintf(out, size, "name like '%%%c%%'", "nluoe"[below(5)]);
            break;
        case 9:
            snprintf(out, size, "%s is %snull", below(2) ? "name" : "age", below(2) ? "not " : "");
            break;
        case 10:
            snprintf(out, size, "tags contains %u", below(4));
            break;
        default:
            snprintf(out, size, "%sadult", below(2) ? "not " : "");
    }
}

static void condition(char *out, size_t size, int depth)
{
    char left[600], right[600];

    if (depth == 0 || below(3) == 0)
    {
        leaf(out, size);
        return;
    }
    condition(left, sizeof(left), depth - 1);
    condition(right, sizeof(right), depth - 1);
    switch (below(5))
    {
        case 0:
            snprintf(out, size, "not (%.500s)", left);
            break;
        case 1:
        case 2:
            snprintf(out, size, "(%.500s) or (%.500s)", left, right);
            break;
        default:
            snprintf(out, size, "(%.500s) and (%.500s)", left, right);
    }
}

static const char *class_of(int i)
{
    return i % 4 == 3 ? "student" : "person";
}

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
    condition(query, sizeof(query), (int) below(3));
    queries[i] = strdup(query);
    ids[i] = subscribe(class_of(i), query);
}

/* ---- random transactions ---- */

/* An integer or NULL, as SQL. */
static const char *number_or_null(unsigned n)
{
    static char text[8][16];
    static int next;

    next = (next + 1) % 8;
    snprintf(text[next], sizeof(text[next]), "%u", below(n));
    return below(6) == 0 ? "NULL" : text[next];
}

static void statement(PGconn *conn)
{
    static unsigned fresh = 1000;
    const char *table = below(3) == 0 ? "student" : "person";
    unsigned key = 1 + below(KEYS);

    switch (below(9))
    {
        case 0:
        case 1:
        case 2:
            RUN(conn,
                "INSERT INTO %s (id, name, age, score, tags, adult) VALUES (%u, '%s', %s, %s.5,"
                " ARRAY[%u, %u], %s) ON CONFLICT (id) DO UPDATE SET age = excluded.age,"
                " name = excluded.name",
                table, strcmp(table, "person") ? key + KEYS : key, names[below(5)],
                number_or_null(20), below(2) ? "3" : "7", below(4), below(4),
                below(3) == 0 ? "NULL"
                : below(2)    ? "true"
                              : "false");
            break;
        case 3:
            RUN(conn, "UPDATE person SET age = %s WHERE id %% 7 = %u", number_or_null(20), key % 7);
            break;
        case 4:
            RUN(conn, "UPDATE person SET name = '%s' WHERE id = %u", names[below(5)], key);
            break;
        case 5:
            RUN(conn, "UPDATE ONLY person SET id = %u WHERE id = %u", fresh++, key);
            break;
        case 6:
            RUN(conn, "DELETE FROM person WHERE id %% %u = 0 AND id > %u", 2 + below(5), key);
            break;
        case 7:
            RUN(conn, "UPDATE student SET score = age, adult = NOT adult WHERE id > %u",
                key + KEYS);
            break;
        default:
            RUN(conn, "DELETE FROM person WHERE id = %u", key);
    }
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

        RUN(reader,
            "INSERT INTO %s SELECT %ld, paos.ref(p), p.xmin::text FROM %s p"
            " WHERE p OPERATOR(paos.@@) %s",
            when, ids[i], class_of(i), literal);
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
    "CREATE TABLE person (id int PRIMARY KEY, name text, age int, score numeric, tags int[],"
    " adult bool); CREATE TABLE student (school text, PRIMARY KEY (id)) INHERITS (person);"
    "CREATE TABLE marker (id int PRIMARY KEY, n int); INSERT INTO marker VALUES (1, 0);"
    "SELECT paos.register_class('person'), paos.register_class('marker');"
    "SELECT paos.register_class('student');"
    "CREATE TABLE before (request bigint, ref paos.ref, version text);"
    "CREATE TABLE after (LIKE before); CREATE TABLE told (request bigint, ref paos.ref, effect "
    "text);"
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

static PGconn *open_connection(void)
{
    PGconn *conn = PQconnectdb("");

    if (PQstatus(conn) != CONNECTION_OK)
        die("connecting", conn);
    RUN(conn, "SET client_min_messages = warning; SET enable_seqscan = on;"
              " SET search_path = public, paos");
    return conn;
}

static void prepare(void)
{
    listener = open_connection();
    reader = open_connection();
    for (int w = 0; w < WRITERS; w++)
        writers[w] = open_connection();
    RUN(reader, "%s", schema);
    RUN(reader,
        "INSERT INTO person SELECT g, 'Sue', g, g, '{1}', true FROM generate_series(1, 10) g");
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
