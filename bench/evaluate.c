/*
 * evaluate.c - case: conditions that no index helps with: each row is compared
 * with all of them, in one session.
 */
#include "bench.h"

#include <stdio.h>

#define CONDITIONS 1000

void case_evaluate(bench *bench)
{
    static double each[BENCH_RUNS_MAX];
    size_t rows = bench->small ? 1000 : 5000;
    char rate[32], result[64];
    int64_t matched;
    PGconn *holder = connect_to(bench->conninfo);

    item_create(bench->admin);
    matched = run_sql_int(bench->admin, "SELECT rows_matched FROM paos.stats");
    run_sql_int(holder, "SELECT count(paos.subscribe('bench.item',"
                        " format('name like ''%%no item %s''', i)::paos.query))"
                        " FROM generate_series(1, 1000) i");
    for (size_t run = 0; run <= bench->runs; run++)
    {
        double times[2];

        show_run(bench, run, "comparing");
        item_clear(bench->admin);
        times[0] = item_bulk(bench->pq, item_tables[ITEM_PLAIN], rows);
        times[1] = item_bulk(bench->pq, item_tables[ITEM_PAOS], rows);
        each[run > 0 ? run - 1 : 0] = (times[1] - times[0]) / ((double) rows * CONDITIONS);
    }
    show_run(bench, 0, NULL);
    if (run_sql_int(bench->admin, "SELECT rows_matched FROM paos.stats") != matched)
        die("some row matched");
    snprintf(rate, sizeof rate, "%.1f M/s", 1 / median(each, bench->runs) / 1e6);
    snprintf(result, sizeof result, "%.0f ns each", median(each, bench->runs) * 1e9);
    table_row("conditions evaluated for lack of an index", rate, "", result, ">= 2 M/s");
    PQfinish(holder);
}
