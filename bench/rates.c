/*
 * rates.c - commits per second into each of the tables of item.c, by turns.
 *
 * A round ends when the last event has come, on all sides, so that nobody is fast
 * by being late.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static double run_round(load *load, listener *listener, const load_plan *plan)
{
    load_result result = load_run(load, plan);

    if (result.commits == 0)
        die("nothing was committed into %s", plan->table);
    if (plan->matching && strcmp(plan->table, item_tables[ITEM_PLAIN]) != 0)
        result.seconds += listener_expect(listener, result.first_id, result.commits);
    return result.seconds / (double) result.commits;
}

void rates_take(const bench *bench, load *load, listener *listener, const load_plan *plan,
                rates *rates)
{
    for (size_t run = 0; run <= bench->runs; run++)
        for (size_t turn = 0; turn < ITEM_TABLES; turn++)
        {
            size_t i = (turn + run) % ITEM_TABLES;
            load_plan one = *plan;
            double seconds;

            one.table = item_tables[i];
            show_run(bench, run, one.table);
            seconds = run_round(load, listener, &one);
            if (run > 0)
                rates->seconds[i][run - 1] = seconds;
        }
    show_run(bench, 0, NULL);
}

double rates_ratio(const bench *bench, const rates *rates, size_t table)
{
    return ratio_of(bench, rates->seconds[ITEM_PLAIN], rates->seconds[table]).middle;
}

void rates_show(const bench *bench, const rates *rates, const char *what, const char *target)
{
    char paos[32], plain[32], result[64];
    ratio ratio = ratio_of(bench, rates->seconds[ITEM_PLAIN], rates->seconds[ITEM_PAOS]);

    snprintf(paos, sizeof paos, "%.0f/s", 1 / median(rates->seconds[ITEM_PAOS], bench->runs));
    snprintf(plain, sizeof plain, "%.0f/s", 1 / median(rates->seconds[ITEM_PLAIN], bench->runs));
    snprintf(result, sizeof result, "%.2f (%.2f to %.2f)", ratio.middle, ratio.low, ratio.high);
    table_row(what, paos, plain, result, target);
    table_note("%s: a trigger with pg_notify %.2f, a trigger that looks up who asked %.2f", what,
               rates_ratio(bench, rates, ITEM_NOTIFIED), rates_ratio(bench, rates, ITEM_LOOKED));
}
