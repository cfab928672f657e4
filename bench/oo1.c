/*
 * oo1.c - case: OO1 at 20,000 and 200,000 parts: the first run of a new connection, which is
 * cold, its tenth, which the benchmark calls warm, and the same run again; straight and over
 * a network that takes 1 ms each way.
 *
 * Every run has other parts to begin with, the same for all ways; their results are
 * checked against the model.
 */
#include "oo1.h"

#include <stdio.h>

#define WARM 10 /* the run that is warm, from 1 */

typedef struct way
{
    const char *conninfo;
    paos_conn *conn; /* NULL: not open */
    oo1_paos paos;
    PGconn *pq; /* the same */
    oo1_hand hand;
} way;

typedef struct state
{
    oo1_graph graph;
    way near, far;
    way *at;
    oo_net net;
    oo1_operation operation;
    paos_id class;  /* upper bits of a part's id */
    unsigned turns; /* taken by all ways, */
    unsigned ways;  /* so many */
    uint64_t seed;  /* of what runs of this turn begin with */
    oo_traffic traffic;
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

static double run_hand(bench *bench, state *state)
{
    double started = now();
    oo_tally found = oo1_hand_run(&state->at->hand, state->operation);

    started = now() - started;
    compare(state, "hand", found);
    end_run(bench, state);
    return started;
}

/* ---- connections, whose making is not timed ---- */

static void close_paos(way *way)
{
    if (way->conn)
        paos_conn_close(way->conn);
    way->conn = NULL;
}

static void close_hand(way *way)
{
    if (!way->pq)
        return;
    oo1_hand_close(&way->hand);
    PQfinish(way->pq);
    way->pq = NULL;
}

static void renew_paos(state *state, bool stated)
{
    way *way = state->at;

    close_paos(way);
    check(NULL, paos_conn_open(way->conninfo, "bench", &way->conn));
    oo1_paos_open(&way->paos, way->conn, &state->graph);
    check(way->conn, paos_conn_set_cache(way->conn, 1000000));
    way->paos.class = state->class;
    way->paos.stated = stated;
}

static void renew_hand(state *state)
{
    way *way = state->at;

    close_hand(way);
    way->pq = connect_to(way->conninfo);
    oo1_hand_open(&way->hand, way->pq, &state->graph);
}

/* ---- runs ---- */

/* Other parts to begin with for each turn, but the same for all ways, also where they make many
 * runs: the first of them begins it, whichever that is. */
static void begin_turn(state *state)
{
    state->seed = 3 + 1000 * (uint64_t) (state->turns++ / state->ways);
}

static void draw(state *state)
{
    oo1_graph_draw(&state->graph, &state->seed);
}

static void count_traffic(state *state, bool begin)
{
    if (state->at == &state->far)
        oo_net_say(&state->net, begin ? "reset" : "stats", begin ? NULL : &state->traffic);
}

/* The nth run of a new connection. */
static double nth_paos(bench *bench, state *state, bool stated, int n)
{
    double seconds = 0;

    begin_turn(state);
    renew_paos(state, stated);
    for (int i = 0; i < n; i++)
    {
        draw(state);
        count_traffic(state, true);
        seconds = run_paos(bench, state);
        count_traffic(state, false);
    }
    return seconds;
}

static double nth_hand(bench *bench, state *state, int n)
{
    double seconds = 0;

    begin_turn(state);
    renew_hand(state);
    for (int i = 0; i < n; i++)
    {
        draw(state);
        count_traffic(state, true);
        seconds = run_hand(bench, state);
        count_traffic(state, false);
    }
    return seconds;
}

static double paos_cold(bench *bench, void *state)
{
    return nth_paos(bench, state, true, 1);
}

static double paos_unstated(bench *bench, void *state)
{
    return nth_paos(bench, state, false, 1);
}

static double hand_cold(bench *bench, void *state)
{
    return nth_hand(bench, state, 1);
}

static double paos_warm(bench *bench, void *state)
{
    return nth_paos(bench, state, true, WARM);
}

static double hand_warm(bench *bench, void *state)
{
    return nth_hand(bench, state, WARM);
}

/* The same parts again. */
static double paos_hot(bench *bench, void *any)
{
    paos_cold(bench, any);
    return run_paos(bench, any);
}

static double hand_hot(bench *bench, void *any)
{
    hand_cold(bench, any);
    return run_hand(bench, any);
}

/* Other parts, and nothing cached, on a connection that has gone such a way. */
static double paos_walked(bench *bench, void *any)
{
    state *state = any;
    const way *way = state->at;

    paos_unstated(bench, state);
    check(way->conn, paos_conn_set_cache(way->conn, 0));
    check(way->conn, paos_conn_set_cache(way->conn, 1000000));
    count_traffic(state, true);
    return run_paos(bench, state);
}

/* ---- rows ---- */

static void show_one(const bench *bench, const state *state, const char *how, const variant *paos,
                     const variant *hand, const char *target)
{
    char what[80];

    snprintf(what, sizeof what, "OO1 %dk %s, %s", state->graph.size / 1000,
             oo1_names[state->operation], how);
    table_compare(bench, what, paos, hand, target);
}

static void show(bench *bench, state *state, const char *how,
                 double (*paos)(struct bench *, void *), double (*hand)(struct bench *, void *))
{
    variant variants[] = {{.name = oo1_names[state->operation], .run = paos},
                          {.name = "by hand", .run = hand}};

    state->ways = 2;
    sample(bench, variants, 2, state);
    show_one(bench, state, how, &variants[0], &variants[1], "");
}

static void show_traffic(bench *bench, state *state, double (*paos)(struct bench *, void *))
{
    char left[40], right[40];

    state->ways = 1;
    paos(bench, state);
    count_traffic(state, false);
    snprintf(left, sizeof left, "%lld, %lld", (long long) state->traffic.trips,
             (long long) state->traffic.bytes / 1000);
    hand_cold(bench, state);
    snprintf(right, sizeof right, "%lld, %lld", (long long) state->traffic.trips,
             (long long) state->traffic.bytes / 1000);
    table_row("its round trips, kB", left, right, "", "");
}

/* What an operation follows can be stated, or else be learned. */
static void show_far(bench *bench, state *state)
{
    variant variants[] = {{.name = oo1_names[state->operation], .run = paos_cold},
                          {.name = "by hand", .run = hand_cold},
                          {.name = "nothing stated", .run = paos_unstated},
                          {.name = "walked before", .run = paos_walked}};
    bool follows = state->operation == OO1_TRAVERSAL || state->operation == OO1_REVERSE;

    state->ways = follows ? 4 : 2;
    sample(bench, variants, state->ways, state);
    show_one(bench, state, "cold, +1 ms each way", &variants[0], &variants[1],
             state->operation == OO1_REVERSE ? "" : "<= 1.2");
    show_traffic(bench, state, paos_cold);
    if (!follows)
        return;
    show_one(bench, state, "nothing stated, +1 ms each way", &variants[2], &variants[1], "");
    show_traffic(bench, state, paos_unstated);
    show_one(bench, state, "walked before, +1 ms each way", &variants[3], &variants[1], "");
    show_traffic(bench, state, paos_walked);
}

static void run_operations(bench *bench, state *state)
{
    for (int i = 0; i < OO1_OPERATIONS; i++)
    {
        state->operation = (oo1_operation) i;
        state->at = &state->near;
        show(bench, state, "cold", paos_cold, hand_cold);
        if (i != OO1_INSERT)
            show(bench, state, "warm", paos_warm, hand_warm);
        if (i != OO1_INSERT && i != OO1_REVERSE)
            show(bench, state, "hot", paos_hot, hand_hot);
        state->at = &state->far;
        show_far(bench, state);
    }
}

static void close_way(way *way)
{
    close_paos(way);
    close_hand(way);
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
    state.near.conninfo = bench->conninfo;
    state.far.conninfo = state.net.conninfo;
    state.class = class_bits(bench->admin);
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
    table_note("cold: the first run of a new connection, by hand too, with nothing cached and "
               "nothing learned; by paos a traversal states which attributes it will follow and "
               "how far, as SQL by hand does. The connection is open, and the classes are known "
               "by paos, the statements prepared by hand. The server is not restarted: it has the "
               "tables in its memory, for all ways alike");
    table_note("warm: the tenth run of a connection, each with other parts; hot: the same parts "
               "again; nothing stated: the first run of a new connection that is told nothing; "
               "walked before: such a run the second time, nothing cached");
}
