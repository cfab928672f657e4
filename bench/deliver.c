/*
 * deliver.c - case: what writers lose when each commit is told to somebody, with
 * one session that listens, and with many more that are told of nothing.
 */
#include "bench.h"

#include <stdio.h>

static void compare(bench *bench, load *load, listener *listener, size_t idle, const char *target)
{
    static rates rates;
    load_plan plan = {.writers = 8, .seconds = bench->small ? 0.2 : 0.5, .matching = true};
    char what[64];

    listener_idle(bench, listener, idle);
    rates_take(bench, load, listener, &plan, &rates);
    snprintf(what, sizeof what, "commits, each told to 1, %zu listeners", idle + 1);
    rates_show(bench, &rates, what, target);
    plot_add(PLOT_LISTENERS, "paos", (double) idle + 1, rates_ratio(bench, &rates, ITEM_PAOS));
    plot_add(PLOT_LISTENERS, "pg_notify", (double) idle + 1,
             rates_ratio(bench, &rates, ITEM_NOTIFIED));
    plot_add(PLOT_LISTENERS, "look-up", (double) idle + 1, rates_ratio(bench, &rates, ITEM_LOOKED));
}

void case_deliver(bench *bench)
{
    load *load;
    listener *listener;

    item_create(bench->admin);
    load = load_open(bench);
    listener = listener_open(bench, load);
    compare(bench, load, listener, 0, ">= 0.8");
    compare(bench, load, listener, 10, "");
    compare(bench, load, listener, 100, ">= 0.85");
    compare(bench, load, listener, 400, ">= 0.85");
    listener_close(listener);
    load_close(load);
}
