/*
 * oo7_run.c - one run of an OO7 operation: how it begins, what is timed, what it must come to.
 *
 * Cold begins with a new connection; hot is what the definition says: some runs in a row of
 * the same operation with the same input, the average of all but the first, which is cold,
 * and the last.  Each run, and each transaction of it, is checked against the model before
 * its time counts; a read against what the model came to before, for what else runs in
 * between would drive all from the processor's caches.
 */
#include "bench.h"
#include "oo7.h"

/* Runs of a hot one. */
#define HOT_READS 10
#define HOT_WRITES 4

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

/* ---- how a run begins, which is not timed ---- */

static void begin_stated(bench *bench, oo7_case *oo7)
{
    (void) bench;
    oo7_way_renew_paos(oo7->at, oo7->graph, true);
}

static void begin_unstated(bench *bench, oo7_case *oo7)
{
    (void) bench;
    oo7_way_renew_paos(oo7->at, oo7->graph, false);
}

static void begin_walked(bench *bench, oo7_case *oo7)
{
    begin_unstated(bench, oo7);
    run_paos(oo7);
    check(oo7->at->conn, paos_conn_set_cache(oo7->at->conn, 0));
    check(oo7->at->conn, paos_conn_set_cache(oo7->at->conn, 1000000));
}

static void begin_hand(bench *bench, oo7_case *oo7)
{
    (void) bench;
    oo7_way_renew_hand(oo7->at, oo7->graph);
}

bool oo7_restart(bench *bench, oo7_case *oo7)
{
    oo7_way_close(&oo7->near);
    oo7_way_close(&oo7->far);
    return restart_server(bench);
}

static void begin_restarted(bench *bench, oo7_case *oo7)
{
    oo7_restart(bench, oo7);
    begin_stated(bench, oo7);
}

static void begin_hand_restarted(bench *bench, oo7_case *oo7)
{
    oo7_restart(bench, oo7);
    begin_hand(bench, oo7);
}

/* The operation, timed, with its partner before or after it; begin NULL: it goes on. */
static double run_pair(bench *bench, oo7_case *oo7, double (*run)(oo7_case *),
                       void (*begin)(struct bench *, oo7_case *))
{
    oo7_operation operation = oo7->operation, partner = operation;
    bool paired = has_partner(operation, &partner), second = partner < operation;
    double seconds;

    if (oo7_writes[operation])
        settle(bench->admin);
    oo7->operation = partner;
    if (begin && paired && second)
        begin(bench, oo7);
    if (paired && second)
        run(oo7);
    oo7->operation = operation;
    if (begin)
        begin(bench, oo7);
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
    return run_pair(bench, any, run_paos, begin_stated);
}

double oo7_paos_unstated(bench *bench, void *any)
{
    return run_pair(bench, any, run_paos, begin_unstated);
}

double oo7_paos_walked(bench *bench, void *any)
{
    return run_pair(bench, any, run_paos, begin_walked);
}

double oo7_paos_restarted(bench *bench, void *any)
{
    return run_pair(bench, any, run_paos, begin_restarted);
}

double oo7_hand_cold(bench *bench, void *any)
{
    return run_pair(bench, any, run_hand, begin_hand);
}

double oo7_hand_restarted(bench *bench, void *any)
{
    return run_pair(bench, any, run_hand, begin_hand_restarted);
}

int oo7_hot_runs(oo7_operation operation)
{
    return oo7_writes[operation] ? HOT_WRITES : HOT_READS;
}

static double run_hot(bench *bench, oo7_case *oo7, double (*run)(oo7_case *),
                      void (*begin)(struct bench *, oo7_case *))
{
    int runs = oo7_hot_runs(oo7->operation);
    double seconds = 0;

    for (int i = 0; i < runs; i++)
    {
        double one = run_pair(bench, oo7, run, i == 0 ? begin : NULL);

        seconds += i > 0 && i < runs - 1 ? one : 0;
    }
    return seconds / (runs - 2);
}

double oo7_paos_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_paos, begin_stated);
}

double oo7_hand_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_hand, begin_hand);
}

int64_t oo7_paos_rows(const oo7_case *oo7)
{
    paos_stats stats;

    paos_conn_stats(oo7->at->conn, &stats);
    return (int64_t) stats.objects;
}

double oo7_structs_hot(bench *bench, void *any)
{
    return run_hot(bench, any, run_structs, NULL);
}
