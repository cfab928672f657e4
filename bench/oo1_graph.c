/*
 * oo1_graph.c - OO1's parts in plain C: the oracle, and what the tables are filled from.
 *
 * The parts that an insert makes are drawn with the others, at the end, and kept out of
 * the tables until then.
 */
#include "oo1.h"

#include <stdio.h>
#include <stdlib.h>

const char *const oo1_names[] = {"lookup", "traversal", "reverse traversal", "insert"};

/* Nearby: within one in a hundred; at the ends twice as many on the side that there is. */
static int32_t draw_target(int32_t part, int32_t size, uint64_t *seed)
{
    int32_t near = size / 100, target;

    if (oo_random(seed, 10) == 0)
        return 1 + oo_random(seed, size);
    target = part + oo_random(seed, near) - near / 2;
    if (target < 1)
        target += near / 2;
    if (target > size)
        target -= near / 2;
    return target < 1 ? 1 : target > size ? size : target;
}

static void invert(oo1_graph *graph)
{
    int32_t *next;

    for (int32_t i = 1; i <= graph->size; i++)
        for (int k = 0; k < OO1_CONNECTIONS; k++)
            graph->first[graph->parts[i].targets[k] + 1]++;
    for (int32_t i = 1; i <= graph->size + 1; i++)
        graph->first[i] += graph->first[i - 1];
    next = calloc((size_t) graph->size + 2, sizeof *next);
    if (!next)
        die("out of memory");
    for (int32_t i = 1; i <= graph->size; i++)
        for (int k = 0; k < OO1_CONNECTIONS; k++)
        {
            int32_t target = graph->parts[i].targets[k];

            graph->sources[graph->first[target] + next[target]++] = i;
        }
    free(next);
}

void oo1_graph_make(oo1_graph *graph, int32_t size)
{
    size_t all = (size_t) size + OO1_INSERTS + 2;
    uint64_t seed = 1;

    *graph = (oo1_graph){.size = size};
    graph->parts = calloc(all, sizeof *graph->parts);
    graph->sources = calloc(all * OO1_CONNECTIONS, sizeof *graph->sources);
    graph->first = calloc(all, sizeof *graph->first);
    if (!graph->parts || !graph->sources || !graph->first)
        die("out of memory");
    for (int32_t i = 1; i <= size + OO1_INSERTS; i++)
    {
        graph->parts[i].x = oo_random(&seed, 100000);
        graph->parts[i].y = oo_random(&seed, 100000);
        for (int k = 0; k < OO1_CONNECTIONS; k++)
            graph->parts[i].targets[k] = draw_target(i < size ? i : size, size, &seed);
    }
    invert(graph);
}

void oo1_graph_free(oo1_graph *graph)
{
    free(graph->parts);
    free(graph->sources);
    free(graph->first);
}

void oo1_graph_draw(oo1_graph *graph, uint64_t *seed)
{
    graph->start = 1 + oo_random(seed, graph->size);
    for (int i = 0; i < OO1_LOOKUPS; i++)
        graph->lookups[i] = 1 + oo_random(seed, graph->size);
}

/* ---- operations ---- */

static void visit(const oo1_graph *graph, int32_t id, int hops, bool back, oo_tally *tally)
{
    const oo1_part *part = &graph->parts[id];

    oo_touch(tally, id, part->x, part->y);
    if (hops == 0)
        return;
    for (int k = 0; !back && k < OO1_CONNECTIONS; k++)
        visit(graph, part->targets[k], hops - 1, back, tally);
    for (int32_t i = graph->first[id]; back && i < graph->first[id + 1]; i++)
        visit(graph, graph->sources[i], hops - 1, back, tally);
}

oo_tally oo1_graph_run(const oo1_graph *graph, oo1_operation operation)
{
    oo_tally tally = {0};

    if (operation == OO1_TRAVERSAL || operation == OO1_REVERSE)
        visit(graph, graph->start, OO1_HOPS, operation == OO1_REVERSE, &tally);
    for (int i = 0; operation == OO1_LOOKUP && i < OO1_LOOKUPS; i++)
        visit(graph, graph->lookups[i], 0, false, &tally);
    for (int32_t i = 1; operation == OO1_INSERT && i <= OO1_INSERTS; i++)
        visit(graph, graph->size + i, 0, false, &tally);
    return tally;
}

/* ---- tables ---- */

static void put(wire *rows, const char *text, int size)
{
    wire_bytes(rows, text, (size_t) size);
}

static void copy(PGconn *pq, const char *sql, wire *rows)
{
    PQclear(expect(pq, PQexec(pq, sql), PGRES_COPY_IN));
    if (PQputCopyData(pq, rows->data, (int) rows->size) != 1 || PQputCopyEnd(pq, NULL) != 1)
        die("%s", PQerrorMessage(pq));
    PQclear(expect(pq, PQgetResult(pq), PGRES_COMMAND_OK));
    PQclear(PQgetResult(pq));
    wire_free(rows);
}

void oo1_store(PGconn *pq, const oo1_graph *graph)
{
    wire parts = {0}, connections = {0};
    char text[200];

    run_sql(pq, "DROP SCHEMA IF EXISTS oo1 CASCADE; CREATE SCHEMA oo1;"
                "CREATE TABLE oo1.part (id int PRIMARY KEY, type text, x int, y int, build date,"
                " outgoing paos.ref[]);"
                "CREATE TABLE oo1.connection (id int PRIMARY KEY, type text, length int,"
                " source int, target int)");
    run_sql(pq, "SELECT paos.register_class('oo1.part'), paos.register_class('oo1.connection')");
    for (int32_t i = 1; i <= graph->size; i++)
    {
        put(&parts, text,
            snprintf(text, sizeof text, "%d\tpart-type%d\t%d\t%d\t2000-01-01\n", i, i % 10,
                     graph->parts[i].x, graph->parts[i].y));
        for (int k = 0; k < OO1_CONNECTIONS; k++)
            put(&connections, text,
                snprintf(text, sizeof text, "%d\tconn-type%d\t%d\t%d\t%d\n",
                         OO1_CONNECTIONS * (i - 1) + k + 1, i % 10, i % 1000 + 1, i,
                         graph->parts[i].targets[k]));
    }
    copy(pq, "COPY oo1.part (id, type, x, y, build) FROM STDIN", &parts);
    copy(pq, "COPY oo1.connection FROM STDIN", &connections);
    run_sql(pq, "UPDATE oo1.part SET outgoing = ARRAY[paos.ref('oo1.connection', 3 * id - 2),"
                " paos.ref('oo1.connection', 3 * id - 1), paos.ref('oo1.connection', 3 * id)]");
    run_sql(pq, "CREATE INDEX ON oo1.connection (source); CREATE INDEX ON oo1.connection (target);"
                "ALTER TABLE oo1.connection ADD FOREIGN KEY (source) REFERENCES oo1.part,"
                " ADD FOREIGN KEY (target) REFERENCES oo1.part");
    run_sql(pq, "VACUUM FULL oo1.part");
    run_sql(pq, "VACUUM ANALYZE oo1.part");
    run_sql(pq, "VACUUM ANALYZE oo1.connection");
}

void oo1_remove(PGconn *pq, const oo1_graph *graph)
{
    char sql[160];

    snprintf(sql, sizeof sql,
             "DELETE FROM oo1.connection WHERE id > %d; DELETE FROM oo1.part WHERE id > %d",
             OO1_CONNECTIONS * graph->size, graph->size);
    run_sql(pq, sql);
}

void oo1_verify(PGconn *pq, const oo1_graph *graph)
{
    char sql[300];

    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM oo1.part p, unnest(p.outgoing) r JOIN oo1.connection c"
             " ON c.id = paos.key(r) WHERE c.source = p.id AND p.id > %d AND c.target <= %d",
             graph->size, graph->size);
    if (run_sql_int(pq, sql) != OO1_INSERTS * OO1_CONNECTIONS)
        die("OO1: the inserted parts are not what they should be");
}
