/*
 * oo7.c - case: OO7 by paos with nothing cached and with everything cached, by hand,
 * and T1 on plain C structs; then over a network that takes 1 ms each way.
 *
 * Cold is a new connection for each run, on a server that has the tables in memory for all,
 * and for some operations on one that was just restarted.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>

#define ENOUGH 10e-3 /* seconds */
#define REPEATS_MAX 5
/* How often what takes long is measured: a hot one that writes, and one with a restart. */
#define WRITTEN_RUNS 5
#define RESTARTED_RUNS 5

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

static double unstated_again(bench *bench, void *oo7)
{
    return repeat(bench, oo7, oo7_paos_unstated);
}

static double walked_again(bench *bench, void *oo7)
{
    return repeat(bench, oo7, oo7_paos_walked);
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

/* Cold by paos and by hand, and by paos with other knowledge. */
enum
{
    STATED,
    BY_HAND,
    UNSTATED,
    WALKED,
    KNOWLEDGES
};

static variant *measure_cold(bench *bench, oo7_case *oo7)
{
    static variant variants[KNOWLEDGES];

    variants[STATED].run = paos_cold_again;
    variants[BY_HAND].run = hand_cold_again;
    variants[UNSTATED].run = unstated_again;
    variants[WALKED].run = walked_again;
    for (int i = 0; i < KNOWLEDGES; i++)
        variants[i].name = oo7_names[oo7->operation];
    sample(bench, variants, oo7_paos_states(oo7->operation) ? KNOWLEDGES : UNSTATED, oo7);
    return variants;
}

/* Targets are for the small configuration. */
static void show_one(bench *bench, const oo7_case *oo7, const char *how, const variant *paos,
                     const variant *hand, const char *target)
{
    char what[80];

    snprintf(what, sizeof what, "OO7 %s %s%s", oo7->graph->config->name, oo7_names[oo7->operation],
             how);
    table_compare(bench, what, paos, hand, oo7->graph->config == &oo7_small ? target : NULL);
}

static void show(bench *bench, const oo7_case *oo7, const char *how, const variant *variants,
                 const char *target)
{
    show_one(bench, oo7, how, &variants[0], &variants[1], target);
}

/* Those with a target. */
static const struct
{
    oo7_operation operation;
    const char *target;
} aims[] = {{OO7_T1, "<= 1.5"}, {OO7_T2B, "<= 1.3"}, {OO7_T3B, "<= 1.3"}};

static const char *target_of(oo7_operation operation)
{
    for (size_t i = 0; i < sizeof aims / sizeof *aims; i++)
        if (aims[i].operation == operation)
            return aims[i].target;
    return "";
}

static void run_cold(bench *bench, oo7_case *oo7)
{
    for (int i = 0; i < OO7_OPERATION_COUNT; i++)
    {
        oo7_begin(oo7, &oo7->near, (oo7_operation) i);
        show(bench, oo7, ", cold", measure(bench, oo7, paos_cold_again, hand_cold_again),
             target_of(oo7->operation));
    }
    table_note("cold: a new connection for each run, by hand too, with nothing cached and nothing "
               "learned; by paos the operation states which attributes it will follow, as SQL by "
               "hand names its tables. The connection is open, and the classes are known by paos, "
               "the statements prepared by hand. The server has the tables in its memory, for all "
               "ways alike");
}

static void run_restarted(bench *bench, oo7_case *oo7)
{
    size_t runs = bench->runs;

    if (!oo7_restart(bench, oo7))
    {
        table_note("the server was not restarted: tools/server does not run it");
        return;
    }
    bench->runs = runs < RESTARTED_RUNS ? runs : RESTARTED_RUNS;
    for (size_t i = 0; i < sizeof aims / sizeof *aims; i++)
    {
        oo7_begin(oo7, &oo7->near, aims[i].operation);
        show(bench, oo7, ", cold, server restarted",
             measure(bench, oo7, oo7_paos_restarted, oo7_hand_restarted), aims[i].target);
    }
    bench->runs = runs;
    table_note("server restarted: cold, and the server was restarted before each run, so that it "
               "has nothing in its memory; the operating system has the files in its own");
}

static void run_cached(bench *bench, oo7_case *oo7)
{
    static const oo7_operation updates[] = {OO7_T2B, OO7_T3B};
    size_t runs = bench->runs;

    oo7_begin(oo7, &oo7->near, OO7_T1);
    show(bench, oo7, ", hot; structs", measure(bench, oo7, oo7_paos_hot, oo7_structs_hot), "<= 3");
    bench->runs = runs < WRITTEN_RUNS ? runs : WRITTEN_RUNS;
    /* Of the medium library all is read again after each run: its cold ones have to do. */
    for (int i = 0; i < 2 && oo7->graph->config != &oo7_medium; i++)
    {
        oo7_begin(oo7, &oo7->near, updates[i]);
        show(bench, oo7, ", hot", measure(bench, oo7, oo7_paos_hot, oo7_hand_hot), "<= 1.3");
    }
    bench->runs = runs;
    table_note("hot: %d runs in a row of the same operation, %d of one that writes, each in a "
               "transaction of its own; the average of all but the first, which is cold, and the "
               "last",
               oo7_hot_runs(OO7_T1), oo7_hot_runs(OO7_T2B));
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

/* What has been paid when a cold run begins. */
static void show_opening(oo7_case *oo7)
{
    oo_traffic paos, hand;

    oo7_way_close(&oo7->far);
    oo_net_say(&oo7->net, "reset", NULL);
    oo7_way_renew_paos(&oo7->far, oo7->graph, false);
    oo_net_say(&oo7->net, "stats", &paos);
    oo_net_say(&oo7->net, "reset", NULL);
    oo7_way_renew_hand(&oo7->far, oo7->graph);
    oo_net_say(&oo7->net, "stats", &hand);
    show_traffic("OO7, opening: round trips, kB", paos, hand);
}

/* Lazy loading lives or dies by round trips. */
static void run_far(bench *bench, oo7_case *oo7)
{
    static const oo7_operation operations[] = {OO7_T1, OO7_T2B, OO7_T6, OO7_T7, OO7_Q1, OO7_Q4};

    oo_net_say(&oo7->net, "delay 1", NULL);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    {
        const variant *variants;
        oo_traffic hand;

        oo7_begin(oo7, &oo7->far, operations[i]);
        variants = measure_cold(bench, oo7);
        hand = traffic_of(bench, oo7, oo7_hand_cold);
        show(bench, oo7, ", cold, +1 ms each way", variants, "");
        show_traffic("its round trips, kB", traffic_of(bench, oo7, oo7_paos_cold), hand);
        if (!oo7_paos_states(operations[i]))
            continue;
        show_one(bench, oo7, ", nothing stated, +1 ms each way", &variants[UNSTATED],
                 &variants[BY_HAND], "");
        show_traffic("its round trips, kB", traffic_of(bench, oo7, oo7_paos_unstated), hand);
        show_one(bench, oo7, ", walked before, +1 ms each way", &variants[WALKED],
                 &variants[BY_HAND], "");
        show_traffic("its round trips, kB", traffic_of(bench, oo7, oo7_paos_walked), hand);
    }
    show_opening(oo7);
    oo_net_say(&oo7->net, "delay 0", NULL);
    table_note("nothing stated: the first walk of a new connection that is told nothing; walked "
               "before: the same walk a second time, nothing cached, when paos loads ahead what "
               "was followed the first time");
    table_note(
        "opening: what every cold run has behind it when its time begins. By paos, connecting "
        "and reading the classes; by hand, connecting and preparing the statements");
}

/* ---- set up ---- */

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

void oo7_begin(oo7_case *oo7, oo7_way *at, oo7_operation operation)
{
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
    oo7.near.conninfo = bench->conninfo;
    oo7.far.conninfo = oo7.net.conninfo;
    run_cold(bench, &oo7);
    run_cached(bench, &oo7);
    if (config != &oo7_medium)
    {
        run_restarted(bench, &oo7);
        run_far(bench, &oo7);
        oo7_ways(bench, &oo7);
    }
    tell_progress(&oo7, NULL);
    oo7_way_close(&oo7.near);
    oo7_way_close(&oo7.far);
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

    if (bench->runs > 3)
        bench->runs = 3;
    run_size(bench, bench->small ? &oo7_tiny : &oo7_medium);
    bench->runs = runs;
}
