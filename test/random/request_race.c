/*
 * request_race.c - what a listener makes of events, when writers' transactions overlap.
 *
 * Several sessions have transactions open at a time, at all isolation levels, and take turns at
 * random.  A listener keeps the set of objects that each request's events tell it of, and asks
 * again when told to look again.  After each turn the set must be the answer: also for queries that
 * follow references, whose answers change by what others do to the objects referred to.
 */
#include "request_listen.h"
#include "splitmix.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WRITERS 4
#define REQUESTS 14
#define KEYS 8

typedef struct request
{
    const char *class;
    char query[200];
    long id;
} request;

static PGconn *listener, *reader, *writers[WRITERS];
static bool open[WRITERS];
static request requests[REQUESTS];
static long marker, resyncs, lists;
static int passed, failed;

/* ---- random requests ---- */

static const char *const names[] = {"Ann", "Bob", "Sue"};

static void predicate(char *out, size_t size, const char *path)
{
    switch (below(7))
    {
        case 0:
        case 1:
            snprintf(out, size, "%sname == '%s'", path, names[below(3)]);
            break;
        case 2:
            snprintf(out, size, "%sname != '%s'", path, names[below(3)]);
            break;
        case 3:
            snprintf(out, size, "%sage >= %u", path, below(6));
            break;
        case 4:
            snprintf(out, size, "%sname is %snull", path, below(2) ? "not " : "");
            break;
        case 5:
            snprintf(out, size, "%sname in ('Ann', '%s')", path, names[below(3)]);
            break;
        default:
            snprintf(out, size, "not %sname like '%%%c%%'", path, "nu"[below(2)]);
    }
}

static const char *path_of(const char *class)
{
    static const char *const of_person[] = {"", "loves.", "home.", "loves.home.", "loves.loves."};
    static const char *const of_city[] = {"", "mayor.", "mayor.loves.", "mayor.home."};

    return strcmp(class, "city") == 0 ? of_city[below(4)] : of_person[below(5)];
}

static void make_query(request *r)
{
    char left[90], right[90];

    r->class = below(4) == 0 ? "city" : "person";
    predicate(left, sizeof(left), path_of(r->class));
    predicate(right, sizeof(right), path_of(r->class));
    switch (below(4))
    {
        case 0:
            snprintf(r->query, sizeof(r->query), "%s and %s", left, right);
            break;
        case 1:
            snprintf(r->query, sizeof(r->query), "%s or %s", left, right);
            break;
        default:
            snprintf(r->query, sizeof(r->query), "%s", left);
    }
}

/* ---- what the listener knows ---- */

/* Asks for the answer of a request, into the table known or actual. */
static void look(const char *table, const request *r)
{
    char *literal = PQescapeLiteral(reader, r->query, strlen(r->query));

    RUN(reader, "DELETE FROM %s WHERE request = %ld", table, r->id);
    RUN(reader, "INSERT INTO %s SELECT %ld, paos.ref(p) FROM %s p WHERE p OPERATOR(paos.@@) %s",
        table, r->id, r->class, literal);
    PQfreemem(literal);
}

static request *request_of(long id)
{
    for (int i = 0; i < REQUESTS; i++)
        if (requests[i].id == id)
            return &requests[i];
    return NULL;
}

/* Does what an event says; false when it is the marker's. */
static bool take(const char *payload)
{
    long id = atol(payload + strlen("{\"request\":"));
    request *r = request_of(id);
    char *literal;

    if (r == NULL)
        return id != marker;
    if (strstr(payload, "\"resync\":true") != NULL)
    {
        resyncs++;
        look("known", r);
        return true;
    }
    lists++;
    literal = PQescapeLiteral(reader, payload, strlen(payload));
    RUN(reader, "SELECT take(%s)", literal);
    PQfreemem(literal);
    return true;
}

static void settle(void)
{
    bool more = true;

    RUN(reader, "UPDATE marker SET n = n + 1");
    while (more)
    {
        PGnotify *note = next_notification(listener);

        more = take(note->extra);
        PQfreemem(note);
    }
}

static void subscribe(request *r)
{
    char *literal;
    PGresult *result;

    make_query(r);
    literal = PQescapeLiteral(listener, r->query, strlen(r->query));
    result = run(listener, "SELECT paos.subscribe('%s', %s)", r->class, literal);
    r->id = atol(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfreemem(literal);
}

/* All transactions are over, so that ready has nobody to wait for. */
static void renew(request *r)
{
    if (r->id != 0)
        RUN(listener, "SELECT paos.unsubscribe(%ld)", r->id);
    RUN(reader, "DELETE FROM known WHERE request = %ld", r->id);
    subscribe(r);
    RUN(listener, "SELECT paos.ready(%ld)", r->id);
    look("known", r);
}

/* ---- random transactions ---- */

static const char *ref_or_null(char *out, size_t size)
{
    if (below(5) == 0)
        return "NULL";
    snprintf(out, size, below(4) == 0 ? "'802:%u'" : "'801:%u'", 1 + below(KEYS + 1));
    return out;
}

static const char *key_or_null(char *out, size_t size)
{
    if (below(4) == 0)
        return "NULL";
    snprintf(out, size, "(SELECT id FROM city ORDER BY id LIMIT 1 OFFSET %u)", below(3));
    return out;
}

static void statement(char *sql, size_t size)
{
    char ref[40], key[80];
    unsigned id = 1 + below(KEYS);

    switch (below(11))
    {
        case 0:
        case 1:
        case 2:
            snprintf(sql, size,
                     "INSERT INTO person VALUES (%u, '%s', %u, %s, %s) ON CONFLICT (id) DO UPDATE"
                     " SET name = excluded.name, loves = excluded.loves",
                     id, names[below(3)], below(6), ref_or_null(ref, sizeof(ref)),
                     key_or_null(key, sizeof(key)));
            break;
        case 3:
        case 4:
            snprintf(sql, size, "UPDATE person SET name = '%s' WHERE id = %u", names[below(3)], id);
            break;
        case 5:
            snprintf(sql, size, "UPDATE person SET age = age + 1, loves = %s WHERE id = %u",
                     ref_or_null(ref, sizeof(ref)), id);
            break;
        case 9:
            snprintf(sql, size, "UPDATE person SET id = %u WHERE id = %u", 1 + below(KEYS + 1), id);
            break;
        case 6:
            snprintf(sql, size, "DELETE FROM person WHERE id = %u", id);
            break;
        case 7:
            snprintf(sql, size, "UPDATE city SET name = '%s', mayor = %s WHERE id = %u",
                     names[below(3)], ref_or_null(ref, sizeof(ref)), id);
            break;
        case 8:
            snprintf(
                sql, size,
                "INSERT INTO city VALUES (%u, '%s', %u, %s) ON CONFLICT (id) DO UPDATE SET age ="
                " city.age + 1",
                id, names[below(3)], below(6), ref_or_null(ref, sizeof(ref)));
            break;
        default:
            snprintf(sql, size, "UPDATE person SET home = %s WHERE id = %u",
                     key_or_null(key, sizeof(key)), id);
    }
}

/* A turn of a writer: a lock that another holds, and whatever else fails, ends its transaction. */
static void turn(int w)
{
    static const char *const levels[] = {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"};
    char sql[400];
    PGresult *result;

    if (!open[w])
        RUN(writers[w], "BEGIN ISOLATION LEVEL %s", levels[below(3)]);
    open[w] = true;
    if (below(4) == 0)
    {
        PQclear(PQexec(writers[w], below(5) == 0 ? "ROLLBACK" : "COMMIT"));
        open[w] = false;
        return;
    }
    statement(sql, sizeof(sql));
    result = PQexec(writers[w], sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
    {
        RUN(writers[w], "ROLLBACK");
        open[w] = false;
    }
    PQclear(result);
}

static void end_all(void)
{
    for (int w = 0; w < WRITERS; w++)
    {
        if (open[w])
            PQclear(PQexec(writers[w], "COMMIT"));
        open[w] = false;
    }
}

/* ---- the run ---- */

static void report(unsigned long seed, int number)
{
    PGresult *result = run(reader, "SELECT request, ref, side FROM wrong ORDER BY 1, 2");

    printf("seed %lu, turn %d:\n", seed, number);
    for (int row = 0; row < PQntuples(result); row++)
    {
        const request *r = request_of(atol(PQgetvalue(result, row, 0)));

        printf("  %s %s only %s: %s\n", PQgetvalue(result, row, 0), PQgetvalue(result, row, 1),
               PQgetvalue(result, row, 2), r == NULL ? "?" : r->query);
    }
    PQclear(result);
    RUN(reader, "TRUNCATE known; INSERT INTO known SELECT * FROM actual");
}

static void compare(unsigned long seed, int number)
{
    PGresult *result;
    bool ok;

    settle();
    RUN(reader, "TRUNCATE actual");
    for (int i = 0; i < REQUESTS; i++)
        look("actual", &requests[i]);
    result = run(reader, "SELECT count(*) FROM wrong");
    ok = strcmp(PQgetvalue(result, 0, 0), "0") == 0;
    passed += ok;
    failed += !ok;
    if (!ok)
        report(seed, number);
    PQclear(result);
}

static const char *const schema =
    "CREATE TABLE city (id int PRIMARY KEY, name text, age int, mayor paos.ref);"
    "CREATE TABLE person (id int PRIMARY KEY, name text, age int, loves paos.ref,"
    " home int REFERENCES city ON DELETE SET NULL);"
    "CREATE TABLE marker (id int PRIMARY KEY, n int); INSERT INTO marker VALUES (1, 0);"
    "SELECT paos.register_class('person', 801); SELECT paos.register_class('city', 802);"
    "SELECT paos.register_class('marker', 803);"
    "CREATE TABLE known (request bigint, ref paos.ref); CREATE TABLE actual (LIKE known);"
    "CREATE VIEW wrong AS (SELECT *, 'told' AS side FROM (TABLE known EXCEPT TABLE actual) k)"
    " UNION ALL (SELECT *, 'true' FROM (TABLE actual EXCEPT TABLE known) a);"
    "CREATE FUNCTION take(p jsonb) RETURNS void LANGUAGE sql AS $$"
    " DELETE FROM known k USING jsonb_array_elements_text(p->'leave') r(ref)"
    " WHERE k.request = (p->>'request')::bigint AND k.ref OPERATOR(paos.=) r.ref::paos.ref;"
    " INSERT INTO known SELECT (p->>'request')::bigint, r.ref::paos.ref"
    " FROM jsonb_array_elements_text((p->'enter') || (p->'change')) r(ref) $$;"
    "INSERT INTO city SELECT g, 'Ann', g, NULL FROM generate_series(1, 5) g";

static const char *const settings = "SET search_path = public, paos";

static void prepare(void)
{
    PGresult *result;

    listener = open_connection(settings);
    reader = open_connection(settings);
    for (int w = 0; w < WRITERS; w++)
    {
        writers[w] = open_connection(settings);
        RUN(writers[w], "SET lock_timeout = 1");
    }
    RUN(reader, "%s", schema);
    result = run(listener, "SELECT paos.subscribe('marker', '')");
    marker = atol(PQgetvalue(result, 0, 0));
    PQclear(result);
    for (int i = 0; i < REQUESTS; i++)
        renew(&requests[i]);
}

int main(int argc, char **argv)
{
    unsigned long seed = 1;
    int turns = 1500;

    for (int i = 1; i < argc; i++)
    {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--cases") == 0)
            turns = atoi(argv[++i]);
        else
        {
            printf("usage: request_race [--seed N] [--cases N]\n"
                   "Compares what a listener learns with the answers, while transactions overlap."
                   " Finds the server as libpq does.\n");
            return strcmp(argv[i], "--help") != 0;
        }
    }
    state = seed;
    printf("request_race: seed %lu, %d turns\n", seed, turns);
    prepare();
    for (int number = 0; number < turns; number++)
    {
        if (below(40) == 0)
        {
            end_all();
            settle();
            renew(&requests[below(REQUESTS)]);
        }
        turn((int) below(WRITERS));
        compare(seed, number);
    }
    printf("%ld events with lists, %ld resyncs\n", lists, resyncs);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
