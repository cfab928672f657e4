/*
 * memory.c - case: what the client's memory grows by for each object it caches.
 *
 * Everything that malloc gave out counts: objects, the identity map, what libpq
 * keeps.  The list they were got in is freed before, for it is not the cache's.
 */
#include "bench.h"

#include <malloc.h>
#include <stdio.h>

#define OBJECTS 100000

static double allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double) (info.uordblks + info.hblkhd);
}

void case_memory(bench *bench)
{
    char memory[32], row[64], result[64];
    double before, bytes, row_bytes;
    paos_list *list;
    paos_stats stats;

    node_create(bench->admin);
    node_fill(bench->admin, OBJECTS);
    row_bytes = (double) run_sql_int(bench->admin, "SELECT sum(8 + octet_length(name) + 4 + 8 + 8)"
                                                   " FROM bench.node") /
                OBJECTS;
    check(bench->paos, paos_conn_set_cache(bench->paos, OBJECTS * 2));
    check(bench->paos, paos_get(bench->paos, PAOS_READ, "bench.node", "id < 10", NULL, 0, &list));
    paos_list_free(list);

    before = allocated();
    check(bench->paos, paos_get(bench->paos, PAOS_READ, "bench.node", NULL, NULL, 0, &list));
    paos_list_free(list);
    bytes = (allocated() - before) / OBJECTS;
    paos_conn_stats(bench->paos, &stats);
    if (stats.objects != OBJECTS)
        die("not all objects are cached");
    snprintf(memory, sizeof memory, "%.0f bytes", bytes);
    snprintf(row, sizeof row, "row: %.0f bytes", row_bytes);
    snprintf(result, sizeof result, "row + %.0f", bytes - row_bytes);
    table_row("memory of a cached object", memory, row, result, "<= row + 120");
}
