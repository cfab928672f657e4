/*
 * million.c - case: a million requests that no row matches: what they cost
 * writers, what registering one more costs, and how much memory they take.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#define BATCH 10000
#define REGISTRATIONS 200 /* in a run */
#define RUNS_ON_THE_WAY 4

/* Bytes of the shared memory segments, made while the server runs, that a session has attached. */
static double shared_bytes(PGconn *pq)
{
    char path[64], line[512];
    double bytes = 0;
    FILE *maps;

    snprintf(path, sizeof path, "/proc/%d/maps", PQbackendPID(pq));
    maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps))
    {
        unsigned long first, end;

        if (strstr(line, "/dev/shm/PostgreSQL.") && sscanf(line, "%lx-%lx", &first, &end) == 2)
            bytes += (double) (end - first);
    }
    if (maps)
        fclose(maps);
    return bytes;
}

/*
 * Registers requests.  The area grows in large pieces: what it has per request is
 * known best just before it grows.  Returns the bytes then, 0 if it never did.
 */
static double fill(bench *bench, PGconn *holder, size_t first, size_t n)
{
    double size = shared_bytes(holder), each = 0;

    for (size_t i = first; i < first + n; i += BATCH)
    {
        size_t left = first + n - i;
        double grown;

        show_run(bench, (i - first) * bench->runs / n, "registering");
        item_request(holder, i, left < BATCH ? left : BATCH);
        grown = shared_bytes(holder);
        if (size > 0 && grown > size)
            each = size / (double) (i + BATCH / 2);
        size = grown;
    }
    show_run(bench, 0, NULL);
    return each;
}

/* Seconds that one registration takes, in each run. */
static void registrations(const bench *bench, double *times)
{
    PGconn *pq = connect_to(bench->conninfo);
    char sql[128];

    for (size_t run = 0; run <= bench->runs; run++)
    {
        double seconds = 0;

        for (int i = 0; i < REGISTRATIONS; i++)
        {
            int64_t id;
            double started = now();

            id = run_sql_int(pq, "SELECT paos.subscribe('bench.item', 'kind == -5')");
            seconds += now() - started;
            snprintf(sql, sizeof sql, "SELECT paos.unsubscribe(%lld)", (long long) id);
            run_sql(pq, sql);
        }
        if (run > 0)
            times[run - 1] = seconds / REGISTRATIONS;
    }
    PQfinish(pq);
}

static void bulk(bench *bench)
{
    static double times[ITEM_TABLES][BENCH_RUNS_MAX];
    static const int compared[] = {ITEM_PLAIN, ITEM_PAOS, ITEM_LOOKED};
    size_t rows = bench->small ? 30000 : 300000;
    size_t runs = bench->runs;
    char what[64], paos[32], plain[32], result[64];
    ratio ratio;

    if (bench->runs > 5)
        bench->runs = 5;
    for (size_t run = 0; run <= bench->runs; run++)
    {
        item_clear(bench->admin);
        settle(bench->admin);
        for (size_t turn = 0; turn < 3; turn++)
        {
            int i = compared[(turn + run) % 3];

            show_run(bench, run, item_tables[i]);
            times[i][run > 0 ? run - 1 : 0] = item_bulk(bench->pq, item_tables[i], rows);
        }
    }
    show_run(bench, 0, NULL);
    ratio = ratio_of(bench, times[ITEM_PLAIN], times[ITEM_PAOS]);
    snprintf(what, sizeof what, "INSERT of %zu rows", rows);
    snprintf(paos, sizeof paos, "%.0f ms", median(times[ITEM_PAOS], bench->runs) * 1e3);
    snprintf(plain, sizeof plain, "%.0f ms", median(times[ITEM_PLAIN], bench->runs) * 1e3);
    format_ratio(result, sizeof result, ratio);
    table_row(what, paos, plain, result, ">= 0.5");
    table_note("%s: a trigger that looks up who asked %.2f", what,
               ratio_of(bench, times[ITEM_PLAIN], times[ITEM_LOOKED]).middle);
    bench->runs = runs;
    item_clear(bench->admin);
}

static void commits(bench *bench, load *load, size_t n, const char *target)
{
    static rates rates;
    load_plan plan = {.writers = 8, .seconds = bench->small ? 0.2 : 0.5};
    char what[64];
    struct bench fewer = *bench;

    /* The way there is for the picture. */
    if (!target[0] && fewer.runs > RUNS_ON_THE_WAY)
        fewer.runs = RUNS_ON_THE_WAY;
    rates_take(&fewer, load, NULL, &plan, &rates);
    snprintf(what, sizeof what, "commits, %zu requests, none matches", n);
    rates_show(&rates, what, target);
    plot_add(PLOT_REQUESTS, "paos", (double) n, rates_ratio(&rates, ITEM_PAOS));
    plot_add(PLOT_REQUESTS, "look-up", (double) n, rates_ratio(&rates, ITEM_LOOKED));
}

static void show_registration(const bench *bench, const double *first, const double *last)
{
    char many[32], few[32], result[64];
    ratio ratio = ratio_of(bench, last, first);

    snprintf(many, sizeof many, "%.0f us", median(last, bench->runs) * 1e6);
    snprintf(few, sizeof few, "first: %.0f us", median(first, bench->runs) * 1e6);
    format_ratio(result, sizeof result, ratio);
    table_row("registering one more request", many, few, result, "<= 2");
}

static int64_t matched(PGconn *pq)
{
    return run_sql_int(pq, "SELECT rows_matched FROM paos.stats");
}

void case_million(bench *bench)
{
    static double first[BENCH_RUNS_MAX], last[BENCH_RUNS_MAX];
    size_t n = bench->small ? 100000 : 1000000, before = 0;
    PGconn *holder = connect_to(bench->conninfo);
    char memory[32];
    double each = 0;
    int64_t matched_before;
    load *load;

    item_create(bench->admin);
    matched_before = matched(bench->admin);
    load = load_open(bench);
    registrations(bench, first);
    for (size_t some = 1; some <= n; some *= 10)
    {
        double bytes = fill(bench, holder, before, some - before);

        item_request_by_hand(bench->admin, before, some - before);
        if (bytes > 0)
            each = bytes;
        before = some;
        commits(bench, load, some, some == n ? ">= 0.9" : "");
    }
    bulk(bench);
    registrations(bench, last);
    show_registration(bench, first, last);
    snprintf(memory, sizeof memory, "%.0f bytes", each);
    table_row("server memory of a request", memory, "", "", "<= 300");
    if (matched(bench->admin) != matched_before)
        die("some row matched a request");
    PQfinish(holder);
    load_close(load);
}
