/*
 * rates.c - commits per second into each of the tables of item.c, by turns.
 *
 * A round ends when the last event has come, on all sides, so that nobody is fast
 * by being late.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#define SLICES 5 /* of a run: a machine's moods are longer than one */

/* Seconds until all of it was told. */
static load_result run_slice(load *load, listener *listener, const load_plan *plan)
{
    load_result result = load_run(load, plan);

    if (plan->matching && strcmp(plan->table, item_tables[ITEM_PLAIN]) != 0)
        result.seconds += listener_expect(listener, result.first_id, result.commits);
    return result;
}

/* The triggers by hand are there for scale: they take part in every third run. */
static bool takes_part(const rates *rates, size_t table, size_t run)
{
    return table == ITEM_PLAIN || table == ITEM_PAOS || (!rates->only_paos && run % 3 == 0);
}

/* One run: the tables by turns, many times, each time another one first. */
static void run_slices(load *load, listener *listener, const load_plan *plan, size_t run,
                       rates *rates)
{
    double seconds[ITEM_TABLES] = {0};
    size_t commits[ITEM_TABLES] = {0};

    for (size_t turn = 0; turn < SLICES * ITEM_TABLES; turn++)
    {
        size_t i = (turn + turn / ITEM_TABLES + run) % ITEM_TABLES;
        load_plan slice = *plan;
        load_result result;

        if (!takes_part(rates, i, run))
            continue;
        slice.table = item_tables[i];
        slice.seconds = plan->seconds / SLICES;
        result = run_slice(load, listener, &slice);
        seconds[i] += result.seconds;
        commits[i] += result.commits;
    }
    for (size_t i = 0; i < ITEM_TABLES; i++)
    {
        if (!takes_part(rates, i, run))
            continue;
        if (commits[i] == 0)
            die("nothing was committed into %s", item_tables[i]);
        rates->seconds[i][run] = seconds[i] / (double) commits[i];
    }
}

void rates_take(const bench *bench, load *load, listener *listener, const load_plan *plan,
                rates *rates)
{
    load_plan warm_up = *plan;

    rates->only_paos = plan->only_paos;
    for (size_t i = 0; i < ITEM_TABLES; i++)
    {
        if (!takes_part(rates, i, 0))
            continue;
        show_run(bench, 0, item_tables[i]);
        warm_up.table = item_tables[i];
        run_slice(load, listener, &warm_up);
    }
    for (rates->runs = 0; rates->runs < bench->runs && !may_stop(bench, rates->runs); rates->runs++)
    {
        show_run(bench, rates->runs + 1, "commits");
        run_slices(load, listener, plan, rates->runs, rates);
    }
    show_run(bench, 0, NULL);
}

/* What a takes for each that b takes, in the runs that the table took part in. */
static ratio find_ratio(const rates *rates, size_t table, const double *a, const double *b)
{
    double left[BENCH_RUNS_MAX], right[BENCH_RUNS_MAX];
    bench shared = {.runs = 0};

    for (size_t run = 0; run < rates->runs; run++)
    {
        if (!takes_part(rates, table, run))
            continue;
        left[shared.runs] = a[run];
        right[shared.runs++] = b[run];
    }
    return ratio_of(&shared, left, right);
}

double rates_gain(const rates *one, const rates *all, size_t table)
{
    return find_ratio(one->runs < all->runs ? one : all, table, one->seconds[table],
                      all->seconds[table])
        .middle;
}

double rates_ratio(const rates *rates, size_t table)
{
    return find_ratio(rates, table, rates->seconds[ITEM_PLAIN], rates->seconds[table]).middle;
}

void rates_show(const rates *rates, const char *what, const char *target)
{
    char paos[32], plain[32], result[64];
    ratio ratio =
        find_ratio(rates, ITEM_PAOS, rates->seconds[ITEM_PLAIN], rates->seconds[ITEM_PAOS]);

    snprintf(paos, sizeof paos, "%.0f/s", 1 / median(rates->seconds[ITEM_PAOS], rates->runs));
    snprintf(plain, sizeof plain, "%.0f/s", 1 / median(rates->seconds[ITEM_PLAIN], rates->runs));
    format_ratio(result, sizeof result, ratio);
    table_row(what, paos, plain, result, target);
    if (rates->only_paos)
        return;
    table_note("%s: a trigger with pg_notify %.2f, a trigger that looks up who asked %.2f", what,
               rates_ratio(rates, ITEM_NOTIFIED), rates_ratio(rates, ITEM_LOOKED));
}
