/*
 * coherent.c - case: 100,000 cached objects that stay true, whoever writes them.
 *
 * What it costs the client to have them covered, and writers of one in a hundred
 * of them; the figures count only when every object that was written, and no other,
 * has to be loaded again.
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

/* Seconds that a writer takes for one in a hundred. */
static double write_some(bench *bench)
{
    double began = now();

    run_sql(bench->pq, "UPDATE bench.node SET size = size + 1 WHERE id % 100 = 0");
    return now() - began;
}

static void note(paos_conn *conn, const paos_event *event, void *arg)
{
    (void) conn;
    (void) event;
    *(bool *) arg = true;
}

/* Dispatches until all that was committed has been taken in. */
static void take_in(bench *bench)
{
    int64_t request;
    bool told = false;

    check(bench->paos,
          paos_subscribe(bench->paos, "bench.mark", NULL, NULL, 0, note, &told, NULL, &request));
    run_sql(bench->admin, "INSERT INTO bench.mark DEFAULT VALUES");
    while (!told)
        check(bench->paos, paos_conn_dispatch(bench->paos, -1, NULL));
    check(bench->paos, paos_unsubscribe(bench->paos, request));
}

/* Reads all objects: each that was written is new here, in one round trip for all of them. */
static void check_objects(bench *bench, const paos_list *all, int64_t sum)
{
    paos_stats before, after;
    int64_t found = 0;
    size_t i;

    paos_conn_stats(bench->paos, &before);
    for (i = 0; i < paos_list_size(all); i++)
        found += paos_object_int(paos_list_at(all, i), "size");
    paos_conn_stats(bench->paos, &after);
    if (found != sum)
        die("an object is not as it is stored");
    if (after.round_trips - before.round_trips > 1)
        die("objects were loaded in %zu round trips",
            (size_t) (after.round_trips - before.round_trips));
}

void case_coherent(bench *bench)
{
    double began, get, cover, bytes, free_writer, told_writer;
    char paos[32], hand[32], result[32];
    paos_list *all;

    node_create(bench->admin);
    node_fill(bench->admin, OBJECTS);
    run_sql(bench->admin,
            "CREATE TABLE bench.mark (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)");
    run_sql_int(bench->admin, "SELECT paos.register_class('bench.mark')");
    check(bench->paos, paos_conn_set_cache(bench->paos, OBJECTS * 2));
    write_some(bench);
    free_writer = write_some(bench);

    began = now();
    check(bench->paos, paos_get(bench->paos, PAOS_READ, "bench.node", NULL, NULL, 0, &all));
    get = now() - began;
    check(bench->paos, paos_conn_set_coherent(bench->paos, true));
    bytes = allocated();
    began = now();
    check(bench->paos, paos_conn_dispatch(bench->paos, 0, NULL));
    cover = now() - began;
    bytes = (allocated() - bytes) / OBJECTS;
    told_writer = write_some(bench);
    take_in(bench);
    check_objects(bench, all, run_sql_int(bench->admin, "SELECT sum(size) FROM bench.node"));
    paos_list_free(all);
    check(bench->paos, paos_conn_set_coherent(bench->paos, false));

    snprintf(paos, sizeof paos, "%.0f ms", cover * 1000);
    snprintf(hand, sizeof hand, "get: %.0f ms", get * 1000);
    snprintf(result, sizeof result, "%.1f × get, %.0f bytes each", cover / get, bytes);
    table_row("100,000 cached objects covered", paos, hand, result, "");
    snprintf(paos, sizeof paos, "%.1f ms", told_writer * 1000);
    snprintf(hand, sizeof hand, "not watched: %.1f ms", free_writer * 1000);
    snprintf(result, sizeof result, "%.2f ×", told_writer / free_writer);
    table_row("1,000 of them written", paos, hand, result, "");
}
