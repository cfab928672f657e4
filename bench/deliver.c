/*
 * deliver.c - case: what writers lose when each commit is told to somebody, with
 * one session that listens, and with many more that are told of nothing: plain sessions,
 * and clients by libpaos.
 */
#include "bench.h"

#include <stdio.h>

#define RUNS_ON_THE_WAY 4

static void add_points(const rates *rates, double listeners)
{
    plot_add(PLOT_LISTENERS, "paos", listeners, rates_ratio(rates, ITEM_PAOS));
    plot_add(PLOT_LISTENERS, "pg_notify", listeners, rates_ratio(rates, ITEM_NOTIFIED));
    plot_add(PLOT_LISTENERS, "look-up", listeners, rates_ratio(rates, ITEM_LOOKED));
}

/* Where there is no target, it is for the picture. */
static size_t runs_for(const bench *bench, const char *target)
{
    return target[0] || bench->runs < RUNS_ON_THE_WAY ? bench->runs : RUNS_ON_THE_WAY;
}

/* In turns with the same commits by hand; by C clients, with those of paos alone. */
static void compare(bench *bench, load *load, listener *listener, size_t idle, bool clients,
                    const char *target)
{
    static rates rates;
    load_plan plan = {
        .writers = 8, .seconds = bench->small ? 0.2 : 0.5, .matching = true, .only_paos = clients};
    double sessions = (double) idle + 1;
    size_t runs = bench->runs;
    char what[64];

    bench->runs = runs_for(bench, target);
    listener_idle(bench, listener, idle);
    rates_take(bench, load, listener, &plan, &rates);
    snprintf(what, sizeof what,
             clients ? "the same, %.0f C clients" : "commits, each told to 1, %.0f listeners",
             sessions);
    rates_show(&rates, what, target);
    if (clients)
        plot_add(PLOT_LISTENERS, "paos, C clients", sessions, rates_ratio(&rates, ITEM_PAOS));
    else
        add_points(&rates, sessions);
    bench->runs = runs;
}

void case_deliver(bench *bench)
{
    load *load;
    listener *listener;

    item_create(bench->admin);
    load = load_open(bench);
    listener = listener_open(bench, load, LISTEN_PLAIN | LISTEN_TRIGGERS);
    compare(bench, load, listener, 0, false, ">= 0.8");
    compare(bench, load, listener, 9, false, "");
    compare(bench, load, listener, 99, false, ">= 0.7");
    compare(bench, load, listener, 399, false, ">= 0.6");
    listener_close(listener);
    listener = listener_open(bench, load, LISTEN_CLIENT);
    compare(bench, load, listener, 0, true, "");
    compare(bench, load, listener, 399, true, ">= 0.85");
    listener_close(listener);
    load_close(load);
}
