/*
 * listen.c - who is told of commits: one session that is told of all that match,
 * with a ledger of what came when, and many that are told of nothing.  They are plain
 * connections that LISTEN, or clients by libpaos.
 *
 * The ledger is what makes a figure count: each row must have come, once.
 */
#include "bench.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MAX 450

/* A lost event would be waited for without end. */
#define PATIENCE 20.0

struct listener
{
    const load *load;
    PGconn *pq;      /* told by triggers, and by paos when there is no client */
    paos_conn *conn; /* the client, or NULL */
    pthread_t thread;
    atomic_bool stopping;
    atomic_size_t told;
    unsigned char *times; /* by id: how often it came */
    double *latencies;    /* seconds; of each told since the last look, in order */
    PGconn *idle[IDLE_MAX];
    paos_conn *idle_clients[IDLE_MAX];
    size_t nidle;
};

/* The key of the row that a notification is about. */
static size_t told_id(const PGnotify *notify)
{
    const char *refs = strstr(notify->extra, "\"enter\":[\"");

    if (strncmp(notify->relname, "bench", 5) == 0)
        return strtoul(notify->extra, NULL, 10);
    if (!refs || !(refs = strchr(refs + 10, ':')))
        die("told to look again: %s", notify->extra);
    return strtoul(refs + 1, NULL, 10);
}

static void note(listener *listener, size_t id)
{
    size_t told = atomic_load(&listener->told);

    if (id >= LOAD_IDS_MAX || listener->times[id]++ > 0)
        die("told of row %zu twice", id);
    listener->latencies[told] = now() - load_sent(listener->load, id);
    atomic_store(&listener->told, told + 1);
}

static void take(listener *listener)
{
    PGnotify *notify;

    if (PQconsumeInput(listener->pq) != 1)
        die("%s", PQerrorMessage(listener->pq));
    while ((notify = PQnotifies(listener->pq)) != NULL)
    {
        note(listener, told_id(notify));
        PQfreemem(notify);
    }
}

static void take_event(paos_conn *conn, const paos_event *event, void *arg)
{
    (void) conn;
    if (event->resync)
        die("a client was told to look again");
    for (size_t i = 0; i < paos_list_size(event->entered); i++)
        note(arg, (size_t) (paos_object_id(paos_list_at(event->entered, i)) &
                            (((paos_id) 1 << 48) - 1)));
}

static void *listen_on(void *any)
{
    listener *listener = any;
    struct pollfd fds[] = {
        {.fd = PQsocket(listener->pq), .events = POLLIN},
        {.fd = listener->conn ? paos_conn_fd(listener->conn) : -1, .events = POLLIN}};

    while (!atomic_load(&listener->stopping))
    {
        poll(fds, 2, 100);
        if (fds[0].revents)
            take(listener);
        if (fds[1].revents)
            check(listener->conn, paos_conn_dispatch(listener->conn, 0, NULL));
    }
    return NULL;
}

static paos_conn *open_client(const bench *bench, const char *query, listener *listener)
{
    paos_conn *conn;
    int64_t request;

    check(NULL, paos_conn_open(bench->conninfo, "bench listener", &conn));
    check(conn,
          paos_subscribe(conn, "bench.item", query, NULL, 0, take_event, listener, NULL, &request));
    return conn;
}

listener *listener_open(const bench *bench, const load *load, unsigned means)
{
    listener *listener = calloc(1, sizeof *listener);

    if (!listener || !(listener->times = calloc(LOAD_IDS_MAX, 1)) ||
        !(listener->latencies = calloc(LOAD_IDS_MAX, sizeof(double))))
        die("out of memory");
    listener->load = load;
    listener->pq = connect_to(bench->conninfo);
    if (means & LISTEN_CLIENT)
        listener->conn = open_client(bench, "kind == -1", listener);
    if (means & LISTEN_PLAIN)
        run_sql_int(listener->pq, "SELECT paos.subscribe('bench.item', 'kind == -1')");
    if (means & LISTEN_TRIGGERS)
        run_sql(listener->pq, "LISTEN bench_told");
    if (pthread_create(&listener->thread, NULL, listen_on, listener) != 0)
        die("no thread for the listener");
    return listener;
}

static PGconn *open_idle(const bench *bench, const char *query, size_t number)
{
    PGconn *pq = connect_to(bench->conninfo);
    char sql[128];

    snprintf(sql, sizeof sql, "SELECT paos.subscribe('bench.item', '%s')", query);
    run_sql_int(pq, sql);
    snprintf(sql, sizeof sql, "LISTEN bench_idle_%zu", number);
    run_sql(pq, sql);
    return pq;
}

void listener_idle(const bench *bench, listener *listener, size_t n)
{
    char query[64];

    for (; listener->nidle < n && listener->nidle < IDLE_MAX; listener->nidle++)
    {
        snprintf(query, sizeof query, "kind == -%zu", listener->nidle + 2);
        if (listener->conn)
            listener->idle_clients[listener->nidle] = open_client(bench, query, listener);
        else
            listener->idle[listener->nidle] = open_idle(bench, query, listener->nidle);
    }
}

double listener_expect(listener *listener, size_t first_id, size_t n)
{
    double started = now();

    while (atomic_load(&listener->told) < n)
    {
        if (now() - started > PATIENCE)
            die("%zu of %zu rows were never told of", n - atomic_load(&listener->told), n);
        poll(NULL, 0, 1);
    }
    for (size_t id = first_id; id < first_id + n; id++)
        if (listener->times[id] != 1)
            die("row %zu was not told of", id);
    atomic_store(&listener->told, 0);
    return now() - started;
}

const double *listener_latencies(const listener *listener)
{
    return listener->latencies;
}

void listener_close(listener *listener)
{
    atomic_store(&listener->stopping, true);
    pthread_join(listener->thread, NULL);
    PQfinish(listener->pq);
    paos_conn_close(listener->conn);
    for (size_t i = 0; i < listener->nidle; i++)
    {
        PQfinish(listener->idle[i]);
        paos_conn_close(listener->idle_clients[i]);
    }
    free(listener->times);
    free(listener->latencies);
    free(listener);
}
