/*
 * latency.c - case: from a commit to who is told of it.
 *
 * On a quiet system, one commit at a time, beside a commit of the same row with a
 * bare NOTIFY; the clock starts when COMMIT is sent.  Then with many commits.
 */
#include "bench.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define SAMPLES 100 /* in a run; both sides take turns */

static void wait_for(PGconn *pq)
{
    struct pollfd fd = {.fd = PQsocket(pq), .events = POLLIN};
    PGnotify *notify;

    while ((notify = PQnotifies(pq)) == NULL)
    {
        if (poll(&fd, 1, 10000) <= 0 || PQconsumeInput(pq) != 1)
            die("a commit was not told of: %s", PQerrorMessage(pq));
    }
    PQfreemem(notify);
}

/* One transaction, made by sql up to its COMMIT; seconds until the listener knows. */
static double sample_one(PGconn *writer, PGconn *listener, const char *sql)
{
    PGresult *result;
    double started, seconds;

    run_sql(writer, sql);
    started = now();
    if (PQsendQuery(writer, "COMMIT") != 1)
        die("%s", PQerrorMessage(writer));
    wait_for(listener);
    seconds = now() - started;
    while ((result = PQgetResult(writer)) != NULL)
        PQclear(expect(writer, result, PGRES_COMMAND_OK));
    return seconds;
}

static const char *const statements[] = {
    "BEGIN; INSERT INTO bench.item (kind, size) VALUES (-1, 0)",
    "BEGIN; INSERT INTO bench.plain (kind, size) VALUES (-1, 0); NOTIFY bench_bare, '12345'",
};

static void show(const bench *bench, const char *what, double (*times)[BENCH_RUNS_MAX])
{
    char paos[32], bare[32], result[64];
    ratio ratio = ratio_of(bench, times[0], times[1]);

    snprintf(paos, sizeof paos, "%.0f us", median(times[0], bench->runs) * 1e6);
    snprintf(bare, sizeof bare, "NOTIFY: %.0f us", median(times[1], bench->runs) * 1e6);
    format_ratio(result, sizeof result, ratio);
    table_row(what, paos, bare, result, "<= 1.3");
}

static void quiet(bench *bench)
{
    static double middle[2][BENCH_RUNS_MAX], slow[2][BENCH_RUNS_MAX];
    double times[2][SAMPLES];
    PGconn *listener = connect_to(bench->conninfo);

    run_sql_int(listener, "SELECT paos.subscribe('bench.item', 'kind == -1')");
    run_sql(listener, "LISTEN bench_bare");
    for (size_t run = 0; run <= bench->runs; run++)
    {
        show_run(bench, run, "a commit at a time");
        for (size_t i = 0; i < 2 * SAMPLES; i++)
            times[i % 2][i / 2] = sample_one(bench->pq, listener, statements[i % 2]);
        for (int side = 0; run > 0 && side < 2; side++)
        {
            middle[side][run - 1] = quantile(times[side], SAMPLES, 0.5);
            slow[side][run - 1] = quantile(times[side], SAMPLES, 0.99);
            for (size_t i = 0; i < SAMPLES; i++)
                plot_add(PLOT_LATENCY, side == 0 ? "paos" : "bare NOTIFY", times[side][i] * 1e6, 1);
        }
    }
    show_run(bench, 0, NULL);
    show(bench, "commit to event, quiet, median", middle);
    show(bench, "commit to event, quiet, 99 of 100", slow);
    PQfinish(listener);
}

/* All commits of all rounds together: what counts is the slowest of them. */
static void busy(bench *bench)
{
    static double middle[BENCH_RUNS_MAX], slow[BENCH_RUNS_MAX];
    load_plan plan = {.table = item_tables[ITEM_PAOS],
                      .writers = 8,
                      .seconds = bench->small ? 0.3 : 2,
                      .rate = 5000,
                      .matching = true};
    load *load = load_open(bench);
    listener *listener = listener_open(bench, load, LISTEN_PLAIN | LISTEN_TRIGGERS);
    char paos[32], result[64];
    double reached = 0;

    for (size_t run = 0; run <= bench->runs; run++)
    {
        load_result round;

        show_run(bench, run, "5,000 commits per second");
        round = load_run(load, &plan);
        listener_expect(listener, round.first_id, round.commits);
        reached += (double) round.commits / round.seconds / (double) (bench->runs + 1);
        if (run == 0)
            continue;
        middle[run - 1] = quantile(listener_latencies(listener), round.commits, 0.5);
        slow[run - 1] = quantile(listener_latencies(listener), round.commits, 0.99);
    }
    show_run(bench, 0, NULL);
    snprintf(paos, sizeof paos, "%.1f ms", median(slow, bench->runs) * 1e3);
    snprintf(result, sizeof result, "median %.2f ms", median(middle, bench->runs) * 1e3);
    table_row("commit to event, 5,000 commits/s, 99 of 100", paos, "", result, "<= 10 ms");
    table_note("5,000 commits/s: %.0f were reached; the time includes the commit itself", reached);
    listener_close(listener);
    load_close(load);
}

void case_latency(bench *bench)
{
    item_create(bench->admin);
    quiet(bench);
    item_clear(bench->admin);
    busy(bench);
}
