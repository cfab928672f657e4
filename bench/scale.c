/*
 * scale.c - case: do more writers commit more when each commit is told to
 * somebody, as they do without?
 */
#include "bench.h"

#include <stdio.h>

void case_scale(bench *bench)
{
    static rates one, all;
    load_plan plan = {.writers = 1, .seconds = bench->small ? 0.2 : 0.5, .matching = true};
    char paos[32], plain[32], result[64];
    double gain[ITEM_TABLES];
    load *load;
    listener *listener;

    item_create(bench->admin);
    load = load_open(bench);
    listener = listener_open(bench, load, LISTEN_PLAIN | LISTEN_TRIGGERS);
    rates_take(bench, load, listener, &plan, &one);
    plan.writers = 8;
    rates_take(bench, load, listener, &plan, &all);
    for (size_t i = 0; i < ITEM_TABLES; i++)
        gain[i] = rates_gain(&one, &all, i);
    snprintf(paos, sizeof paos, "x %.2f", gain[ITEM_PAOS]);
    snprintf(plain, sizeof plain, "x %.2f", gain[ITEM_PLAIN]);
    snprintf(result, sizeof result, "%.2f", gain[ITEM_PAOS] / gain[ITEM_PLAIN]);
    rates_show(&one, "commits of 1 writer, each told", "");
    table_row("gain by 8 writers instead of 1, each told", paos, plain, result, "0.9 to 1.1");
    table_note("gain by 8 writers: a trigger with pg_notify x %.2f, one that looks up x %.2f",
               gain[ITEM_NOTIFIED], gain[ITEM_LOOKED]);
    listener_close(listener);
    load_close(load);
}
