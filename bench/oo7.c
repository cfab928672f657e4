/*
 * oo7.c - case: OO7 by paos with nothing cached and with everything cached, by hand,
 * and T1 on plain C structs; then over a network that takes 1 ms each way.
 *
 * Cold means the client's cache: the server has the tables in memory for all.  Hot is what
 * the definition says: some runs in a row of the same operation with the same input, the
 * average of all but the first, which is cold, and the last.  Each run, and each transaction
 * of it, is checked against the model before its time counts; a read against what the model
 * came to before, for what else runs in between would drive all from the processor's caches.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <string.h>

#define ENOUGH 10e-3 /* seconds */
#define REPEATS_MAX 10
/* Runs of a hot one, and how often one that writes is measured. */
#define HOT_READS 10
#define HOT_WRITES 4
#define WRITTEN_RUNS 5

/* ---- one run ---- */

oo_tally oo7_expect(const oo7_case *oo7)
{
    return oo7_writes[oo7->operation] ? oo7_model_run(oo7->graph, oo7->operation) : oo7->expected;
}

static void compare(const oo7_case *oo7, const char *who, oo_tally found)
{
    int64_t defined = oo7_expected(oo7->graph->config, oo7->operation);
    oo_tally expected = oo7_expect(oo7);

    if (found.count != expected.count || found.sum != expected.sum ||
        (defined >= 0 && found.count != defined))
        die("OO7 %s %s by %s: %lld (%lld), not %lld (%lld)", oo7->graph->config->name,
            oo7_names[oo7->operation], who, (long long) found.count, (long long) found.sum,
            (long long) expected.count, (long long) expected.sum);
}

static void forget(oo7_way *way)
{
    check(way->conn, paos_conn_set_cache(way->conn, 0));
    check(way->conn, paos_conn_set_cache(way->conn, 1000000));
}

static double run_paos(oo7_case *oo7)
{
    double started = now();
    oo_tally found = oo7_paos_run(&oo7->at->paos, oo7->operation);

    started = now() - started;
    compare(oo7, "paos", found);
    return started;
}

static double run_hand(oo7_case *oo7)
{
    double started = now();
    oo_tally found = oo7_hand_run(&oo7->at->hand, oo7->operation);

    started = now() - started;
    compare(oo7, "hand", found);
    return started;
}

static double run_structs(oo7_case *oo7)
{
    double started = now();
    oo_tally found = oo7_model_run(oo7->graph, oo7->operation);

    started = now() - started;
    compare(oo7, "structs", found);
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
static double run_pair(bench *bench, oo7_case *oo7, double (*run)(oo7_case *), bool cold)
{
    oo7_operation operation = oo7->operation, partner = operation;
    bool paired = has_partner(operation, &partner), second = partner < operation;
    double seconds;

    if (oo7_writes[operation])
        settle(bench->admin);
    oo7->operation = partner;
    if (paired && second)
        run(oo7);
    oo7->operation = operation;
    if (cold)
        forget(oo7->at);
    if (cold)
        oo7_hand_forget(&oo7->at->hand);
    if (oo7->at == &oo7->far)
        oo_net_say(&oo7->net, "reset", NULL);
    seconds = run(oo7);
    if (oo7->at == &oo7->far)
        oo_net_say(&oo7->net, "stats", &oo7->traffic);
    oo7->operation = partner;
    if (paired && !second)
        run(oo7);
    oo7->operation = operation;
    if (oo7_writes[operation])
        oo7_verify(bench->admin, oo7->graph, false);
    return seconds;
}

double oo7_paos_cold(bench *bench, void *any)
{
    return run_pair(bench, any, run_paos, true);
}

double oo7_hand_cold(bench *bench, void *any)
{
    return run_pair(bench, any, run_hand, true);
}

int oo7_hot_runs(oo7_operation operation)
{
    return oo7_writes[operation] ? HOT_WRITES : HOT_READS;
}

static double run_hot(bench *bench, oo7_case *oo7, double (*run)(oo7_case *))
{
    int runs = oo7_hot_runs(oo7->operation);
    double seconds = 0;

    for (int i = 0; i < runs; i++)
    {
        double one = run_pair(bench, oo7, run, i == 0);

        seconds += i > 0 && i < runs - 1 ? one : 0;
    }
    return seconds / (runs - 2);
}

double oo7_paos_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_paos);
}

double oo7_hand_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_hand);
}

int64_t oo7_paos_rows(const oo7_case *oo7)
{
    paos_stats stats;

    paos_conn_stats(oo7->at->conn, &stats);
    return (int64_t) stats.objects;
}

static double structs_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_structs);
}

/* ---- cases ---- */

/* What takes no time is done again and again; a write once, for it has to be looked at. */
static double repeat(bench *bench, oo7_case *oo7, double (*run)(struct bench *, void *))
{
    double seconds = run(bench, oo7);
    int times = 1;

    for (; !oo7_writes[oo7->operation] && seconds < ENOUGH && times < REPEATS_MAX; times++)
        seconds += run(bench, oo7);
    return seconds / times;
}

static double paos_cold_again(bench *bench, void *oo7)
{
    return repeat(bench, oo7, oo7_paos_cold);
}

static double hand_cold_again(bench *bench, void *oo7)
{
    return repeat(bench, oo7, oo7_hand_cold);
}

static variant *measure(bench *bench, oo7_case *oo7, double (*first)(struct bench *, void *),
                        double (*second)(struct bench *, void *))
{
    static variant variants[2];

    variants[0] = (variant){.name = oo7_names[oo7->operation], .run = first};
    variants[1] = (variant){.name = oo7_names[oo7->operation], .run = second};
    sample(bench, variants, 2, oo7);
    return variants;
}

/* Targets are for the small configuration. */
static void show(bench *bench, const oo7_case *oo7, const char *how, const variant *variants,
                 const char *target)
{
    char what[80];

    snprintf(what, sizeof what, "OO7 %s %s%s", oo7->graph->config->name, oo7_names[oo7->operation],
             how);
    table_compare(bench, what, &variants[0], &variants[1],
                  oo7->graph->config == &oo7_small ? target : NULL);
}

static void run_cold(bench *bench, oo7_case *oo7)
{
    for (int i = 0; i < OO7_OPERATION_COUNT; i++)
    {
        const char *target = i == OO7_T1 ? "<= 1.5" : i == OO7_T2B || i == OO7_T3B ? "<= 1.3" : "";

        oo7_begin(bench, oo7, &oo7->near, (oo7_operation) i);
        show(bench, oo7, ", cold", measure(bench, oo7, paos_cold_again, hand_cold_again), target);
    }
}

static void run_cached(bench *bench, oo7_case *oo7)
{
    static const oo7_operation updates[] = {OO7_T2B, OO7_T3B};
    size_t runs = bench->runs;

    oo7_begin(bench, oo7, &oo7->near, OO7_T1);
    show(bench, oo7, ", hot; structs", measure(bench, oo7, oo7_paos_hot, structs_hot), "<= 3");
    bench->runs = runs < WRITTEN_RUNS ? runs : WRITTEN_RUNS;
    /* Of the medium library all is read again after each run: its cold ones have to do. */
    for (int i = 0; i < 2 && oo7->graph->config != &oo7_medium; i++)
    {
        oo7_begin(bench, oo7, &oo7->near, updates[i]);
        show(bench, oo7, ", hot", measure(bench, oo7, oo7_paos_hot, oo7_hand_hot), "<= 1.3");
    }
    bench->runs = runs;
    table_note("hot: %d runs in a row of the same operation, %d of one that writes, each in a "
               "transaction of its own; the average of all but the first, which is cold, and the "
               "last",
               HOT_READS, HOT_WRITES);
    table_note("cold: nothing cached by the client; each operation begins with new connections, "
               "and paos has gone the way once before, from which it knows what to load ahead");
}

static void show_traffic(const char *what, oo_traffic paos, oo_traffic hand)
{
    char left[40], right[40];

    snprintf(left, sizeof left, "%lld, %lld", (long long) paos.trips,
             (long long) paos.bytes / 1000);
    snprintf(right, sizeof right, "%lld, %lld", (long long) hand.trips,
             (long long) hand.bytes / 1000);
    table_row(what, left, right, "", "");
}

static oo_traffic traffic_of(bench *bench, oo7_case *oo7, double (*run)(struct bench *, void *))
{
    run(bench, oo7);
    return oo7->traffic;
}

/* Lazy loading lives or dies by round trips. */
static void run_far(bench *bench, oo7_case *oo7)
{
    static const oo7_operation operations[] = {OO7_T1, OO7_T2B, OO7_T6, OO7_T7, OO7_Q1, OO7_Q4};

    oo_net_say(&oo7->net, "delay 1", NULL);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    {
        oo_traffic first, hand;

        oo7_begin(bench, oo7, &oo7->far, operations[i]);
        first = traffic_of(bench, oo7, oo7_paos_cold);
        show(bench, oo7, ", cold, +1 ms each way",
             measure(bench, oo7, paos_cold_again, hand_cold_again), "");
        hand = traffic_of(bench, oo7, oo7_hand_cold);
        show_traffic("its round trips, kB", traffic_of(bench, oo7, oo7_paos_cold), hand);
        show_traffic("the same the first time", first, hand);
    }
    oo_net_say(&oo7->net, "delay 0", NULL);
}

/* ---- set up ---- */

static void open_way(oo7_way *way, const char *conninfo, const oo7_graph *graph)
{
    check(NULL, paos_conn_open(conninfo, "bench", &way->conn));
    oo7_paos_open(&way->paos, way->conn, graph);
    way->pq = PQconnectdb(conninfo);
    if (PQstatus(way->pq) != CONNECTION_OK)
        die("%s", PQerrorMessage(way->pq));
    oo7_hand_open(&way->hand, way->pq, graph);
}

static void close_way(oo7_way *way)
{
    oo7_paos_close(&way->paos);
    paos_conn_close(way->conn);
    oo7_hand_close(&way->hand);
    PQfinish(way->pq);
}

/* What takes long; NULL: the last one has ended. */
static void tell_progress(const oo7_case *oo7, const char *where)
{
    static char test[60];
    static double started;

    if (test[0])
        fprintf(stderr, "    %s: %.1f s\n", test, now() - started);
    test[0] = '\0';
    if (where)
        snprintf(test, sizeof test, "%s %s%s", oo7->graph->config->name, oo7_names[oo7->operation],
                 where);
    started = now();
}

void oo7_begin(bench *bench, oo7_case *oo7, oo7_way *at, oo7_operation operation)
{
    close_way(at);
    open_way(at, at == &oo7->far ? oo7->net.conninfo : bench->conninfo, oo7->graph);
    oo7->at = at;
    oo7->operation = operation;
    if (!oo7_writes[operation])
        oo7->expected = oo7_model_run(oo7->graph, operation);
    tell_progress(oo7, at == &oo7->far ? ", +1 ms each way" : "");
}

static void run_size(bench *bench, const oo7_config *config)
{
    oo7_case oo7 = {0};

    oo7.graph = oo7_graph_make(config, 1);
    oo7_store(bench->admin, oo7.graph);
    oo_net_open(&oo7.net, bench->admin);
    open_way(&oo7.near, bench->conninfo, oo7.graph);
    open_way(&oo7.far, oo7.net.conninfo, oo7.graph);
    run_cold(bench, &oo7);
    run_cached(bench, &oo7);
    if (config != &oo7_medium)
    {
        run_far(bench, &oo7);
        oo7_ways(bench, &oo7);
    }
    tell_progress(&oo7, NULL);
    close_way(&oo7.near);
    close_way(&oo7.far);
    oo_net_close(&oo7.net);
    oo7_graph_free(oo7.graph);
    run_sql(bench->admin, "DROP SCHEMA oo7 CASCADE");
}

void case_oo7(bench *bench)
{
    run_size(bench, bench->small ? &oo7_tiny : &oo7_small);
}

void case_oo7_medium(bench *bench)
{
    size_t runs = bench->runs;

    if (bench->runs > 2)
        bench->runs = 2;
    run_size(bench, bench->small ? &oo7_tiny : &oo7_medium);
    bench->runs = runs;
}
