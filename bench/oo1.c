/*
 * oo1.c - case: OO1 at 20,000 and 200,000 parts, nothing cached and all that an operation
 * needs cached, straight and over a network that takes 1 ms each way.
 *
 * Every run has other parts to begin with, the same for all ways; their results are
 * checked against the model.
 */
#include "oo1.h"

#include <stdio.h>

typedef struct way
{
    paos_conn *conn;
    oo1_paos paos;
    PGconn *pq;
    oo1_hand hand;
} way;

typedef struct state
{
    oo1_graph graph;
    way near, far;
    way *at;
    oo_net net;
    oo1_operation operation;
    unsigned turns; /* taken by both ways */
} state;

static void compare(const state *state, const char *who, oo_tally found)
{
    oo_tally expected = oo1_graph_run(&state->graph, state->operation);

    if (found.count != expected.count || found.sum != expected.sum ||
        (state->operation == OO1_TRAVERSAL && found.count != OO1_VISITS))
        die("OO1 %s by %s: %lld (%lld), not %lld (%lld)", oo1_names[state->operation], who,
            (long long) found.count, (long long) found.sum, (long long) expected.count,
            (long long) expected.sum);
}

static void end_run(bench *bench, state *state)
{
    if (state->operation != OO1_INSERT)
        return;
    oo1_verify(bench->admin, &state->graph);
    oo1_remove(bench->admin, &state->graph);
}

static double run_paos(bench *bench, state *state)
{
    double started = now();
    oo_tally found = oo1_paos_run(&state->at->paos, state->operation);

    started = now() - started;
    compare(state, "paos", found);
    end_run(bench, state);
    return started;
}

static void forget(const way *way)
{
    check(way->conn, paos_conn_set_cache(way->conn, 0));
    check(way->conn, paos_conn_set_cache(way->conn, 1000000));
}

/* A new start for each pair of runs: the first of them draws it, whichever that is. */
static void draw(state *state)
{
    static uint64_t seed = 3;

    if (state->turns++ % 2 == 0)
        oo1_graph_draw(&state->graph, &seed);
}

static double paos_cold(bench *bench, void *any)
{
    state *state = any;

    draw(state);
    forget(state->at);
    return run_paos(bench, state);
}

static double paos_hot(bench *bench, void *any)
{
    paos_cold(bench, any);
    return run_paos(bench, any);
}

static double hand(bench *bench, void *any)
{
    state *state = any;
    double started;
    oo_tally found;

    draw(state);
    started = now();
    found = oo1_hand_run(&state->at->hand, state->operation);
    started = now() - started;
    compare(state, "hand", found);
    end_run(bench, state);
    return started;
}

static void show(bench *bench, state *state, const char *how, double (*run)(struct bench *, void *),
                 const char *target)
{
    variant variants[] = {{.name = oo1_names[state->operation], .run = run},
                          {.name = "by hand", .run = hand}};
    char what[80];

    sample(bench, variants, 2, state);
    snprintf(what, sizeof what, "OO1 %dk %s, %s", state->graph.size / 1000,
             oo1_names[state->operation], how);
    table_compare(bench, what, &variants[0], &variants[1], target);
}

static void run_operations(bench *bench, state *state)
{
    for (int i = 0; i < OO1_OPERATIONS; i++)
    {
        state->operation = (oo1_operation) i;
        state->at = &state->near;
        show(bench, state, "cold", paos_cold, "");
        if (i != OO1_INSERT && i != OO1_REVERSE)
            show(bench, state, "hot", paos_hot, "");
        state->at = &state->far;
        show(bench, state, "cold, +1 ms each way", paos_cold, i == OO1_REVERSE ? "" : "<= 1.2");
    }
}

static void open_way(way *way, const char *conninfo, const oo1_graph *graph)
{
    check(NULL, paos_conn_open(conninfo, "bench", &way->conn));
    oo1_paos_open(&way->paos, way->conn, graph);
    way->pq = PQconnectdb(conninfo);
    if (PQstatus(way->pq) != CONNECTION_OK)
        die("%s", PQerrorMessage(way->pq));
    oo1_hand_open(&way->hand, way->pq, graph);
}

static void close_way(way *way)
{
    paos_conn_close(way->conn);
    oo1_hand_close(&way->hand);
    PQfinish(way->pq);
}

/* What begins the id of any object of a class. */
static paos_id class_bits(PGconn *pq)
{
    return (paos_id) run_sql_int(pq, "SELECT paos.ref('oo1.part', 1)::bigint - 1");
}

static void run_size(bench *bench, int32_t size)
{
    state state = {0};

    oo1_graph_make(&state.graph, size);
    oo1_store(bench->admin, &state.graph);
    oo_net_open(&state.net, bench->admin);
    open_way(&state.near, bench->conninfo, &state.graph);
    open_way(&state.far, state.net.conninfo, &state.graph);
    state.near.paos.class = state.far.paos.class = class_bits(bench->admin);
    oo_net_say(&state.net, "delay 1", NULL);
    run_operations(bench, &state);
    close_way(&state.near);
    close_way(&state.far);
    oo_net_close(&state.net);
    oo1_graph_free(&state.graph);
    run_sql(bench->admin, "DROP SCHEMA oo1 CASCADE");
}

void case_oo1(bench *bench)
{
    run_size(bench, 20000);
    run_size(bench, 200000);
}
