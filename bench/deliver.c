/*
 * deliver.c - case: what writers lose when each commit is told to somebody, with
 * one session that listens, and with many more that are told of nothing.
 *
 * A round ends when the last event has come, on all sides.
 */
#include "bench.h"

#include <stdio.h>

typedef struct variant_rates
{
    double seconds[BENCH_RUNS_MAX]; /* for each commit */
} variant_rates;

static double run_round(load *load, listener *listener, const char *table, double seconds)
{
    load_plan plan = {.table = table, .writers = 8, .seconds = seconds, .matching = true};
    bool told = table != item_tables[ITEM_PLAIN];
    load_result result = load_run(load, &plan);

    if (told)
        result.seconds += listener_expect(listener, result.first_id, result.commits);
    return result.seconds / (double) result.commits;
}

static void compare(bench *bench, load *load, listener *listener, size_t idle, const char *target)
{
    static variant_rates rates[ITEM_TABLES];
    char what[64], paos[32], hand[64], result[64];
    ratio ratio;

    listener_idle(bench, listener, idle);
    for (size_t run = 0; run <= bench->runs; run++)
        for (size_t turn = 0; turn < ITEM_TABLES; turn++)
        {
            size_t i = (turn + run) % ITEM_TABLES;
            double seconds;

            show_run(bench, run, item_tables[i]);
            seconds = run_round(load, listener, item_tables[i], bench->small ? 0.2 : 0.5);
            if (run > 0)
                rates[i].seconds[run - 1] = seconds;
        }
    show_run(bench, 0, NULL);
    snprintf(what, sizeof what, "commits, each told, %zu idle listeners", idle);
    snprintf(paos, sizeof paos, "%.0f/s", 1 / median(rates[ITEM_PAOS].seconds, bench->runs));
    snprintf(hand, sizeof hand, "%.0f/s", 1 / median(rates[ITEM_PLAIN].seconds, bench->runs));
    ratio = ratio_of(bench, rates[ITEM_PLAIN].seconds, rates[ITEM_PAOS].seconds);
    snprintf(result, sizeof result, "%.2f (%.2f to %.2f)", ratio.middle, ratio.low, ratio.high);
    table_row(what, paos, hand, result, target);
    table_note("%s: trigger with pg_notify %.2f, trigger that looks up who asked %.2f", what,
               ratio_of(bench, rates[ITEM_PLAIN].seconds, rates[ITEM_NOTIFIED].seconds).middle,
               ratio_of(bench, rates[ITEM_PLAIN].seconds, rates[ITEM_LOOKED].seconds).middle);
}

void case_deliver(bench *bench)
{
    load *load;
    listener *listener;

    item_create(bench->admin);
    load = load_open(bench);
    listener = listener_open(bench, load);
    compare(bench, load, listener, 0, ">= 0.8");
    compare(bench, load, listener, 100, ">= 0.7");
    compare(bench, load, listener, 400, ">= 0.85");
    listener_close(listener);
    load_close(load);
}
