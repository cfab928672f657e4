/*
 * sample.c - runs variants in turns and makes medians of their times.  Each round
 * begins with another one, for what runs after a pause finds the machine cold.
 *
 * The ratio of two variants is the median of the ratios of runs that followed
 * each other, not the ratio of medians: a machine that is slow for a minute is
 * slow for both.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RUNS_ENOUGH 3

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

void show_run(const bench *bench, size_t run, const char *name)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K");
    if (name)
        fprintf(stderr, "    run %zu of %zu: %s", run, bench->runs, name);
}

bool may_stop(const bench *bench, size_t run)
{
    return run >= RUNS_ENOUGH && now() > bench->late;
}

void sample(bench *bench, variant *variants, size_t n, void *state)
{
    for (size_t run = 0; run <= bench->runs; run++)
    {
        for (size_t turn = 0; turn < n; turn++)
        {
            size_t i = (turn + run) % n;
            double time;

            show_run(bench, run, variants[i].name);
            time = variants[i].run(bench, state);
            if (run > 0)
                variants[i].times[run - 1] = time;
        }
        if (may_stop(bench, run))
            bench->runs = run;
    }
    show_run(bench, 0, NULL);
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;

    return (left > right) - (left < right);
}

double quantile(const double *times, size_t n, double part)
{
    double *sorted = malloc(n * sizeof *sorted);
    double place = part * (double) (n - 1);
    size_t i = (size_t) place;
    double value;

    if (!sorted)
        die("out of memory");
    memcpy(sorted, times, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    value = sorted[i];
    if (i + 1 < n)
        value += (place - (double) i) * (sorted[i + 1] - sorted[i]);
    free(sorted);
    return value;
}

double median(const double *times, size_t n)
{
    return quantile(times, n, 0.5);
}

size_t fastest(const bench *bench, const variant *variants, size_t first, size_t n)
{
    size_t best = first;

    for (size_t i = first + 1; i < n; i++)
        if (median(variants[i].times, bench->runs) < median(variants[best].times, bench->runs))
            best = i;
    return best;
}

ratio ratio_of(const bench *bench, const double *a, const double *b)
{
    double ratios[BENCH_RUNS_MAX];
    ratio result;

    for (size_t i = 0; i < bench->runs; i++)
        ratios[i] = a[i] / b[i];
    result.low = quantile(ratios, bench->runs, 0.25);
    result.middle = quantile(ratios, bench->runs, 0.5);
    result.high = quantile(ratios, bench->runs, 0.75);
    result.runs = bench->runs;
    return result;
}
