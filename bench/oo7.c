/*
 * oo7.c - case: OO7 by paos with nothing cached and with everything cached, by hand,
 * and T1 on plain C structs; then over a network that takes 1 ms each way.
 *
 * Cold means the client's cache: the server has the tables in memory for all.  Each
 * run is checked against the model, which makes the same changes, before its time
 * counts.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <string.h>

typedef struct way
{
    paos_conn *conn;
    oo7_paos paos;
    PGconn *pq;
    oo7_hand hand;
} way;

typedef struct state
{
    oo7_graph *graph;
    way near, far; /* straight to the server, and over the network */
    way *at;
    oo_net net;
    oo7_operation operation;
    const char *size; /* "small" or "medium" */
} state;

/* ---- one run ---- */

static void compare(const state *state, const char *who, oo_tally found, oo_tally expected)
{
    int64_t defined = oo7_expected(state->graph->config, state->operation);

    if (found.count != expected.count || found.sum != expected.sum ||
        (defined >= 0 && found.count != defined))
        die("OO7 %s %s by %s: %lld (%lld), not %lld (%lld)", state->size,
            oo7_names[state->operation], who, (long long) found.count, (long long) found.sum,
            (long long) expected.count, (long long) expected.sum);
}

static void forget(way *way)
{
    check(way->conn, paos_conn_set_cache(way->conn, 0));
    check(way->conn, paos_conn_set_cache(way->conn, 1000000));
}

static double run_paos(state *state)
{
    double started = now();
    oo_tally found = oo7_paos_run(&state->at->paos, state->operation);

    started = now() - started;
    compare(state, "paos", found, oo7_model_run(state->graph, state->operation));
    return started;
}

static double run_hand(state *state)
{
    double started = now();
    oo_tally found = oo7_hand_run(&state->at->hand, state->operation);

    started = now() - started;
    compare(state, "hand", found, oo7_model_run(state->graph, state->operation));
    return started;
}

/* What undoes an operation, or has to be done before it: not timed. */
static bool has_partner(oo7_operation operation, oo7_operation *partner)
{
    static const oo7_operation partners[][2] = {{OO7_T5_DO, OO7_T5_UNDO}, {OO7_SM1, OO7_SM2}};

    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            if (partners[i][k] == operation)
            {
                *partner = partners[i][!k];
                return true;
            }
    return false;
}

/* The operation, timed, with its partner before or after it. */
static double run_pair(bench *bench, state *state, double (*run)(struct state *), bool cold)
{
    oo7_operation operation = state->operation, partner = operation;
    bool paired = has_partner(operation, &partner), second = partner < operation;
    double seconds;

    if (oo7_writes[operation])
        settle(bench->admin);
    state->operation = partner;
    if (paired && second)
        run(state);
    state->operation = operation;
    if (cold)
        forget(state->at);
    if (cold)
        oo7_hand_forget(&state->at->hand);
    seconds = run(state);
    state->operation = partner;
    if (paired && !second)
        run(state);
    state->operation = operation;
    if (oo7_writes[operation])
        oo7_verify(bench->admin, state->graph, false);
    return seconds;
}

static double paos_cold(bench *bench, void *any)
{
    return run_pair(bench, any, run_paos, true);
}

static double hand_cold(bench *bench, void *any)
{
    return run_pair(bench, any, run_hand, true);
}

/* T1 before it loads everything; what the run itself needs is then there. */
static double run_hot(bench *bench, state *state, double (*run)(struct state *))
{
    oo7_operation operation = state->operation;

    forget(state->at);
    oo7_hand_forget(&state->at->hand);
    state->operation = OO7_T1;
    run(state);
    state->operation = operation;
    return run_pair(bench, state, run, false);
}

static double paos_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_paos);
}

static double hand_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_hand);
}

static double structs(bench *bench, void *any)
{
    state *state = any;
    double started = now();

    (void) bench;
    oo7_model_run(state->graph, state->operation);
    return now() - started;
}

/* ---- cases ---- */

static variant *measure(bench *bench, state *state, double (*first)(struct bench *, void *),
                        double (*second)(struct bench *, void *))
{
    static variant variants[2];

    variants[0] = (variant){.name = oo7_names[state->operation], .run = first};
    variants[1] = (variant){.name = oo7_names[state->operation], .run = second};
    sample(bench, variants, 2, state);
    return variants;
}

static void show(bench *bench, state *state, const char *how, const variant *variants,
                 const char *target)
{
    char what[80];

    snprintf(what, sizeof what, "OO7 %s %s%s", state->size, oo7_names[state->operation], how);
    table_compare(bench, what, &variants[0], &variants[1], target);
}

static void run_cold(bench *bench, state *state)
{
    state->at = &state->near;
    for (int i = 0; i < OO7_OPERATION_COUNT; i++)
    {
        const char *target = i == OO7_T1 ? "<= 1.5" : i == OO7_T2B || i == OO7_T3B ? "<= 1.3" : "";

        state->operation = (oo7_operation) i;
        show(bench, state, ", cold", measure(bench, state, paos_cold, hand_cold), target);
    }
}

static void run_cached(bench *bench, state *state)
{
    static const oo7_operation updates[] = {OO7_T2B, OO7_T3B};

    state->at = &state->near;
    state->operation = OO7_T1;
    show(bench, state, ", hot; structs", measure(bench, state, paos_hot, structs), "<= 3");
    for (int i = 0; i < 2; i++)
    {
        state->operation = updates[i];
        show(bench, state, ", hot", measure(bench, state, paos_hot, hand_hot), "<= 1.3");
    }
}

static oo_traffic traffic_of(bench *bench, state *state, double (*run)(struct bench *, void *))
{
    oo_traffic traffic;

    oo_net_say(&state->net, "reset", NULL);
    run(bench, state);
    oo_net_say(&state->net, "stats", &traffic);
    return traffic;
}

/* Lazy loading lives or dies by round trips. */
static void run_far(bench *bench, state *state)
{
    static const oo7_operation operations[] = {OO7_T1, OO7_T2B, OO7_T6, OO7_T7, OO7_Q1, OO7_Q4};

    state->at = &state->far;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    {
        char what[80], paos[40], hand[40];
        oo_traffic traffic;
        int64_t rows;

        state->operation = operations[i];
        oo_net_say(&state->net, "delay 1", NULL);
        show(bench, state, ", cold, +1 ms each way", measure(bench, state, paos_cold, hand_cold),
             "");
        oo_net_say(&state->net, "delay 0", NULL);
        traffic = traffic_of(bench, state, paos_cold);
        snprintf(paos, sizeof paos, "%lld, %lld", (long long) traffic.trips,
                 (long long) traffic.bytes / 1000);
        traffic = traffic_of(bench, state, hand_cold);
        rows = state->far.hand.rows;
        snprintf(hand, sizeof hand, "%lld, %lld, %lld", (long long) traffic.trips,
                 (long long) traffic.bytes / 1000, (long long) rows);
        snprintf(what, sizeof what, "its round trips, kB; rows by hand");
        table_row(what, paos, hand, "", "");
    }
}

/* ---- beside other tools ---- */

static void show_peer(bench *bench, state *state, const char *peer, const char *how, double seconds,
                      double (*run)(struct bench *, void *), const char *target)
{
    char what[80], paos[32], theirs[64], result[32];
    double ours[BENCH_RUNS_MAX];

    if (seconds <= 0)
        return;
    for (size_t i = 0; i < bench->runs; i++)
        ours[i] = run(bench, state);
    snprintf(what, sizeof what, "OO7 %s %s, %s", state->size, oo7_names[state->operation], how);
    snprintf(paos, sizeof paos, "%.1f ms", median(ours, bench->runs) * 1e3);
    snprintf(theirs, sizeof theirs, "%s %.0f ms", peer, seconds * 1e3);
    snprintf(result, sizeof result, "%.1f x faster", seconds / median(ours, bench->runs));
    table_row(what, paos, theirs, result, target);
}

static void run_peer(bench *bench, state *state, const char *peer, const char *command)
{
    oo7_peer result;

    fprintf(stderr, "    %s\n", peer);
    if (!oo7_peer_run(bench->conninfo, state->graph, command, &result))
    {
        table_note("%s did not run: tools/deps bench", peer);
        return;
    }
    for (int i = 0; i < OO7_OPERATION_COUNT; i++)
    {
        state->operation = (oo7_operation) i;
        show_peer(bench, state, peer, "cold", result.cold[i], paos_cold,
                  i == OO7_T1 ? ">= 10" : "");
        show_peer(bench, state, peer, "hot", result.hot[i], paos_hot, i == OO7_T1 ? ">= 50" : "");
    }
}

static void run_peers(bench *bench, state *state)
{
    static const char *const strategies[] = {"lazy", "selectin", "joined"};

    state->at = &state->near;
    for (int i = 0; i < 3; i++)
    {
        char name[40], command[80];

        snprintf(name, sizeof name, "SQLAlchemy %s", strategies[i]);
        snprintf(command, sizeof command, "/usr/bin/python3 bench/peers/oo7_sqlalchemy.py %s",
                 strategies[i]);
        run_peer(bench, state, name, command);
    }
}

/* ---- set up ---- */

static void open_way(way *way, const char *conninfo, const oo7_graph *graph)
{
    check(NULL, paos_conn_open(conninfo, "bench", &way->conn));
    oo7_paos_open(&way->paos, way->conn, graph);
    way->pq = PQconnectdb(conninfo);
    if (PQstatus(way->pq) != CONNECTION_OK)
        die("%s", PQerrorMessage(way->pq));
    oo7_hand_open(&way->hand, way->pq, graph);
}

static void close_way(way *way)
{
    oo7_paos_close(&way->paos);
    paos_conn_close(way->conn);
    oo7_hand_close(&way->hand);
    PQfinish(way->pq);
}

static void run_size(bench *bench, const oo7_config *config)
{
    state state = {.size = config->name};

    state.graph = oo7_graph_make(config, 1);
    oo7_store(bench->admin, state.graph);
    oo_net_open(&state.net, bench->admin);
    open_way(&state.near, bench->conninfo, state.graph);
    open_way(&state.far, state.net.conninfo, state.graph);
    run_cold(bench, &state);
    run_cached(bench, &state);
    run_far(bench, &state);
    run_peers(bench, &state);
    close_way(&state.near);
    close_way(&state.far);
    oo_net_close(&state.net);
    oo7_graph_free(state.graph);
    run_sql(bench->admin, "DROP SCHEMA oo7 CASCADE");
}

void case_oo7(bench *bench)
{
    run_size(bench, &oo7_small);
}

void case_oo7_medium(bench *bench)
{
    run_size(bench, &oo7_medium);
}
