/*
 * live_server.c - who is told of a row's commit by PostgreSQL: a client by libpaos, a session
 * that listens to a hand-written trigger's pg_notify, and the npm package postgres, which
 * reads the log and so needs a server with wal_level = logical.
 *
 * That server is found by $PAOS_LOGICAL_CONNINFO, which tools/bench sets.
 */
#include "live.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 20000
/* Beyond those of load.c. */
#define FIRST_ID (LOAD_IDS_MAX + 1)

typedef struct server_peer
{
    const live_peer *peer;
    bench bench; /* with the server's address */
    size_t id;   /* of the last change */

    /* one change at a time */
    PGconn *writer, *listener;
    paos_conn *client;
    size_t told;

    /* many */
    load *load;
    struct listener *ledger;

    child child; /* of the npm package */
} server_peer;

static const char *table_of(const server_peer *s)
{
    if (s->peer == &live_paos)
        return item_tables[ITEM_PAOS];
    return item_tables[s->peer == &live_trigger ? ITEM_NOTIFIED : ITEM_PLAIN];
}

/* ---- one change at a time ---- */

static void note(paos_conn *conn, const paos_event *event, void *arg)
{
    server_peer *s = arg;

    (void) conn;
    if (event->resync || paos_list_size(event->entered) != 1)
        die("one row was written, and something else told of");
    s->told =
        (size_t) (paos_object_id(paos_list_at(event->entered, 0)) & (((paos_id) 1 << 48) - 1));
}

static void wait_for_client(server_peer *s)
{
    struct pollfd fd = {.fd = paos_conn_fd(s->client), .events = POLLIN};

    while (s->told != s->id)
    {
        if (poll(&fd, 1, PATIENCE_MS) <= 0)
            die("a client was not told of row %zu", s->id);
        check(s->client, paos_conn_dispatch(s->client, 0, NULL));
    }
}

static void wait_for_listener(server_peer *s)
{
    struct pollfd fd = {.fd = PQsocket(s->listener), .events = POLLIN};
    PGnotify *notify;

    while (s->told != s->id)
    {
        if (poll(&fd, 1, PATIENCE_MS) <= 0 || PQconsumeInput(s->listener) != 1)
            die("row %zu was not told of: %s", s->id, PQerrorMessage(s->listener));
        while ((notify = PQnotifies(s->listener)) != NULL)
        {
            s->told = strtoul(notify->extra, NULL, 10);
            PQfreemem(notify);
        }
    }
}

static double ask_child(server_peer *s)
{
    char question[40], answer[80];

    snprintf(question, sizeof question, "when %zu", s->id);
    if (!child_say(&s->child, question) || !child_hear(&s->child, answer, sizeof answer))
        die("%s did not tell of row %zu", s->peer->name, s->id);
    if (strchr(answer, ' '))
        die("%s: %s", s->peer->name, answer);
    return strtod(answer, NULL) / 1e9;
}

static void end_write(server_peer *s)
{
    PGresult *result;

    while ((result = PQgetResult(s->writer)) != NULL)
        PQclear(expect(s->writer, result, PGRES_COMMAND_OK));
}

static double change_one(void *state)
{
    server_peer *s = state;
    char id[24];
    const char *values[] = {id};
    double started, told;

    snprintf(id, sizeof id, "%zu", ++s->id);
    started = now();
    if (PQsendQueryPrepared(s->writer, "live_insert", 1, values, NULL, NULL, 0) != 1 ||
        PQflush(s->writer) != 0)
        die("%s", PQerrorMessage(s->writer));
    if (s->child.pid)
    {
        end_write(s);
        return ask_child(s) - started;
    }
    if (s->client)
        wait_for_client(s);
    else
        wait_for_listener(s);
    told = now();
    end_write(s);
    return told - started;
}

static void open_one(server_peer *s)
{
    char sql[200];
    int64_t request;

    s->id = FIRST_ID;
    s->writer = connect_to(s->bench.conninfo);
    snprintf(sql, sizeof sql,
             "INSERT INTO bench.%s (id, kind, size, weight, name)"
             " VALUES ($1, -1, 2, 0, 'item 2')",
             table_of(s));
    prepare(s->writer, "live_insert", sql);
    if (s->peer == &live_paos)
    {
        check(NULL, paos_conn_open(s->bench.conninfo, "bench live", &s->client));
        check(s->client, paos_subscribe(s->client, "bench.item", "kind == -1", NULL, 0, note, s,
                                        NULL, &request));
    }
    if (s->peer == &live_trigger)
    {
        s->listener = connect_to(s->bench.conninfo);
        run_sql(s->listener, "LISTEN bench_told");
    }
}

/* ---- many ---- */

static live_burst change_many(void *state, double seconds)
{
    server_peer *s = state;
    load_plan plan = {
        .table = table_of(s), .writers = LIVE_WRITERS, .seconds = seconds, .matching = true};
    load_result result = load_run(s->load, &plan);
    char question[60], answer[80];
    double started = now();

    if (s->ledger)
    {
        result.seconds += listener_expect(s->ledger, result.first_id, result.commits);
        return (live_burst){result.seconds, result.commits};
    }
    snprintf(question, sizeof question, "expect %zu %zu", result.first_id, result.commits);
    if (!child_say(&s->child, question) || !child_hear(&s->child, answer, sizeof answer) ||
        strcmp(answer, "ok") != 0)
        die("%s did not tell of all rows once", s->peer->name);
    return (live_burst){result.seconds + now() - started, result.commits};
}

static void open_many(server_peer *s)
{
    s->load = load_open(&s->bench);
    if (s->peer != &live_logical)
        s->ledger = listener_open(&s->bench, s->load,
                                  s->peer == &live_paos ? LISTEN_CLIENT : LISTEN_TRIGGERS);
}

/* ---- either ---- */

/* The npm package, on the server whose log can be read. */
static bool open_child(server_peer *s)
{
    static const char *const argv[] = {"node", "bench/peers/live_postgres.mjs", NULL};
    PGconn *admin;
    char line[200] = "its npm package";

    s->bench.conninfo = getenv("PAOS_LOGICAL_CONNINFO");
    if (!s->bench.conninfo)
    {
        table_note("%s was left out: no server with wal_level = logical", s->peer->name);
        return false;
    }
    admin = connect_to(s->bench.conninfo);
    run_sql(admin, "SET client_min_messages = warning; DROP PUBLICATION IF EXISTS bench_live;"
                   "CREATE SCHEMA IF NOT EXISTS bench");
    item_create(admin);
    run_sql(admin, "CREATE PUBLICATION bench_live FOR TABLE bench.plain");
    PQfinish(admin);
    setenv("PAOS_CONNINFO", s->bench.conninfo, 1);
    child_start(&s->child, argv);
    if (child_hear(&s->child, line, sizeof line) && strcmp(line, "ready") == 0)
        return true;
    table_note("%s was left out; it needs node, and %s: tools/deps bench, tools/bench",
               s->peer->name, line);
    child_end(&s->child);
    return false;
}

static void *open_peer(const bench *bench, const live_peer *peer, bool many)
{
    server_peer *s = calloc(1, sizeof *s);

    if (!s)
        die("out of memory");
    s->peer = peer;
    s->bench = *bench;
    if (peer == &live_logical && !open_child(s))
    {
        free(s);
        return NULL;
    }
    if (many)
        open_many(s);
    else
        open_one(s);
    return s;
}

static void close_peer(void *state)
{
    server_peer *s = state;

    if (s->ledger)
        listener_close(s->ledger);
    if (s->load)
        load_close(s->load);
    paos_conn_close(s->client);
    PQfinish(s->writer);
    PQfinish(s->listener);
    child_end(&s->child);
    free(s);
}

const live_peer live_paos = {.name = "paos",
                             .means = "libpaos, C",
                             .durable = true,
                             .open = open_peer,
                             .one = change_one,
                             .many = change_many,
                             .close = close_peer};
const live_peer live_trigger = {.name = "trigger + pg_notify",
                                .means = "LISTEN, libpq, C",
                                .durable = true,
                                .open = open_peer,
                                .one = change_one,
                                .many = change_many,
                                .close = close_peer};
const live_peer live_logical = {.name = "npm postgres",
                                .means = "logical replication, Node",
                                .durable = true,
                                .open = open_peer,
                                .one = change_one,
                                .many = change_many,
                                .close = close_peer};
