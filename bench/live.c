/*
 * live.c - case: from a change to who is told of it, by paos and by other tools, each with a
 * ledger that proves that all was told of, and once.
 *
 * One change at a time, by turns, gives the time that it takes; then each makes as many as
 * it can for a moment, by turns, until the last of them was told of.
 */
#include "live.h"

#include <stdio.h>

#define CHANGES 30 /* of each tool, in a run */

static const live_peer *const peers[] = {&live_paos, &live_trigger, &live_logical, &live_redis,
                                         &live_pb};
#define PEERS (sizeof peers / sizeof *peers)

static struct
{
    double middle[BENCH_RUNS_MAX], slow[BENCH_RUNS_MAX]; /* seconds until told */
    double each[BENCH_RUNS_MAX];                         /* seconds for each of many */
    size_t told;                                         /* changes, in all */
    bool present;
} results[PEERS];

static void open_all(const bench *bench, void **states, bool many)
{
    for (size_t i = 0; i < PEERS; i++)
    {
        states[i] = many && !results[i].present ? NULL : peers[i]->open(bench, peers[i], many);
        results[i].present = states[i];
    }
}

static void close_all(void **states)
{
    for (size_t i = 0; i < PEERS; i++)
        if (states[i])
            peers[i]->close(states[i]);
}

/* By turns after each change: what comes after a pause finds the machine cold, for all. */
static void run_ones(void **states, size_t run)
{
    double times[PEERS][CHANGES];

    for (size_t turn = 0; turn < CHANGES * PEERS; turn++)
    {
        size_t i = (turn + turn / PEERS) % PEERS;

        if (!states[i])
            continue;
        times[i][turn / PEERS] = peers[i]->one(states[i]);
        results[i].told++;
    }
    for (size_t i = 0; run > 0 && i < PEERS; i++)
    {
        if (!states[i])
            continue;
        results[i].middle[run - 1] = quantile(times[i], CHANGES, 0.5);
        results[i].slow[run - 1] = quantile(times[i], CHANGES, 0.99);
        for (size_t k = 0; k < CHANGES; k++)
            plot_add(PLOT_LIVE, peers[i]->name, times[i][k] * 1e6, 1);
    }
}

static void run_many(bench *bench, void **states, size_t run)
{
    for (size_t turn = 0; turn < PEERS; turn++)
    {
        size_t i = (turn + run) % PEERS;
        live_burst burst;

        if (!states[i])
            continue;
        burst = peers[i]->many(states[i], bench->small ? 0.05 : 0.2);
        results[i].told += burst.changes;
        if (run > 0)
            results[i].each[run - 1] = burst.seconds / (double) burst.changes;
    }
}

static void run_all(bench *bench, bool many)
{
    void *states[PEERS];

    open_all(bench, states, many);
    for (size_t run = 0; run <= bench->runs; run++)
    {
        show_run(bench, run, many ? "as many as possible" : "a change at a time");
        if (many)
            run_many(bench, states, run);
        else
            run_ones(states, run);
    }
    show_run(bench, 0, NULL);
    close_all(states);
}

static void compare(const bench *bench, size_t i)
{
    char what[80], paos[32], theirs[32], result[64];

    snprintf(what, sizeof what, "change to callback, median; %s", peers[i]->name);
    format_seconds(paos, sizeof paos, median(results[0].middle, bench->runs));
    format_seconds(theirs, sizeof theirs, median(results[i].middle, bench->runs));
    format_ratio(result, sizeof result, ratio_of(bench, results[0].middle, results[i].middle));
    table_row(what, paos, theirs, result, "");
    snprintf(what, sizeof what, "changes told of by 8 writers; %s", peers[i]->name);
    snprintf(paos, sizeof paos, "%.0f/s", 1 / median(results[0].each, bench->runs));
    snprintf(theirs, sizeof theirs, "%.0f/s", 1 / median(results[i].each, bench->runs));
    format_ratio(result, sizeof result, ratio_of(bench, results[i].each, results[0].each));
    table_row(what, paos, theirs, result, "");
}

static void show(const bench *bench, size_t i)
{
    char middle[32], slow[32], rate[32], told[32];
    const char *cells[] = {peers[i]->name, peers[i]->means,
                           middle,         slow,
                           rate,           peers[i]->durable ? "yes" : "no",
                           told,           NULL};

    format_seconds(middle, sizeof middle, median(results[i].middle, bench->runs));
    format_seconds(slow, sizeof slow, median(results[i].slow, bench->runs));
    snprintf(rate, sizeof rate, "%.0f", 1 / median(results[i].each, bench->runs));
    snprintf(told, sizeof told, "%zu", results[i].told);
    sheet_row(cells);
}

void case_live(bench *bench)
{
    static const char *const heads[] = {"told by",
                                        "means",
                                        "after, half",
                                        "after, 99 of 100",
                                        "changes/s",
                                        "on the disk first",
                                        "told of, each once",
                                        NULL};

    item_create(bench->admin);
    run_all(bench, false);
    item_clear(bench->admin);
    run_all(bench, true);
    sheet_begin("Told of changes, by paos and by other tools", heads);
    for (size_t i = 0; i < PEERS; i++)
    {
        if (!results[i].present)
            continue;
        show(bench, i);
        if (i > 0)
            compare(bench, i);
    }
}
