/*
 * oo1_hand.c - OO1's operations by hand: each is one round trip.
 *
 * A traversal visits parts again and again; what is sent is each part once, with the
 * number of ways that lead to it.
 */
#include "oo1.h"

#include <stdlib.h>
#include <string.h>

/* A recursive term cannot aggregate: the ways are counted after it. */
#define WAYS(from, to)                                                                 \
    "WITH RECURSIVE walk AS (SELECT $1::int AS id, 0 AS hops"                          \
    " UNION ALL SELECT c." to ", w.hops + 1"                                           \
    " FROM walk w JOIN oo1.connection c ON c." from " = w.id WHERE w.hops < $2::int)," \
    " ways AS (SELECT id, count(*) AS times FROM walk GROUP BY id)"                    \
    " SELECT p.id, p.x, p.y, w.times FROM ways w JOIN oo1.part p ON p.id = w.id"

void oo1_hand_open(oo1_hand *h, PGconn *pq, const oo1_graph *graph)
{
    memset(h, 0, sizeof *h);
    h->pq = pq;
    h->graph = graph;
    prepare(pq, "oo1_lookup",
            "SELECT p.id, p.x, p.y, n.times FROM oo1.part p JOIN (SELECT id, count(*) AS times"
            " FROM unnest($1::int[]) u(id) GROUP BY id) n ON n.id = p.id");
    prepare(pq, "oo1_traverse", WAYS("source", "target"));
    prepare(pq, "oo1_reverse", WAYS("target", "source"));
    prepare(pq, "oo1_begin", "BEGIN");
    prepare(pq, "oo1_parts",
            "INSERT INTO oo1.part SELECT id, 'part-type0', x, y, '2000-01-01',"
            " ARRAY[paos.ref('oo1.connection', 3 * id - 2), paos.ref('oo1.connection', 3 * id - 1),"
            " paos.ref('oo1.connection', 3 * id)]"
            " FROM unnest($1::int[], $2::int[], $3::int[]) v(id, x, y)");
    prepare(pq, "oo1_connections",
            "INSERT INTO oo1.connection SELECT id, 'conn-type0', 1, source, target"
            " FROM unnest($1::int[], $2::int[], $3::int[]) v(id, source, target)");
    prepare(pq, "oo1_commit", "COMMIT");
}

void oo1_hand_close(oo1_hand *h)
{
    for (int i = 0; i < 7; i++)
        wire_free(&h->wires[i]);
    run_sql(h->pq, "DEALLOCATE ALL");
}

static void send(oo1_hand *h, const char *statement, int first, int n)
{
    static const int formats[] = {1, 1, 1};
    const char *values[3];
    int lengths[3];

    for (int i = 0; i < n; i++)
    {
        values[i] = h->wires[first + i].data;
        lengths[i] = (int) h->wires[first + i].size;
    }
    if (PQsendQueryPrepared(h->pq, statement, n, values, lengths, formats, 1) != 1)
        die("%s", PQerrorMessage(h->pq));
}

static void begin_array(wire *wire, size_t n)
{
    wire_reset(wire);
    wire_array(wire, 23, n);
}

static void put_int(wire *wire, int32_t value)
{
    wire_int32(wire, 4);
    wire_int32(wire, value);
}

static oo_tally take_parts(oo1_hand *h)
{
    PGresult *result = expect(h->pq, PQgetResult(h->pq), PGRES_TUPLES_OK);
    oo_tally tally = {0};

    for (int i = 0; i < PQntuples(result); i++)
    {
        int64_t times = read_int64(PQgetvalue(result, i, 3));
        oo_tally one = {0};

        oo_touch(&one, read_int32(PQgetvalue(result, i, 0)), read_int32(PQgetvalue(result, i, 1)),
                 read_int32(PQgetvalue(result, i, 2)));
        tally.count += times;
        tally.sum += times * one.sum;
    }
    PQclear(result);
    PQclear(PQgetResult(h->pq));
    return tally;
}

static oo_tally look_up(oo1_hand *h)
{
    begin_array(&h->wires[0], OO1_LOOKUPS);
    for (int i = 0; i < OO1_LOOKUPS; i++)
        put_int(&h->wires[0], h->graph->lookups[i]);
    send(h, "oo1_lookup", 0, 1);
    return take_parts(h);
}

static oo_tally traverse(oo1_hand *h, const char *statement)
{
    wire_reset(&h->wires[0]);
    wire_int32(&h->wires[0], h->graph->start);
    wire_reset(&h->wires[1]);
    wire_int32(&h->wires[1], OO1_HOPS);
    send(h, statement, 0, 2);
    return take_parts(h);
}

static oo_tally put_inserts(oo1_hand *h)
{
    oo_tally tally = {0};

    for (int i = 0; i < 6; i++)
        begin_array(&h->wires[i], i < 3 ? OO1_INSERTS : OO1_INSERTS * OO1_CONNECTIONS);
    for (int32_t id = h->graph->size + 1; id <= h->graph->size + OO1_INSERTS; id++)
    {
        const oo1_part *part = &h->graph->parts[id];

        put_int(&h->wires[0], id);
        put_int(&h->wires[1], part->x);
        put_int(&h->wires[2], part->y);
        for (int k = 0; k < OO1_CONNECTIONS; k++)
        {
            put_int(&h->wires[3], OO1_CONNECTIONS * (id - 1) + k + 1);
            put_int(&h->wires[4], id);
            put_int(&h->wires[5], part->targets[k]);
        }
        oo_touch(&tally, id, part->x, part->y);
    }
    return tally;
}

static oo_tally insert(oo1_hand *h)
{
    oo_tally tally = put_inserts(h);

    PQenterPipelineMode(h->pq);
    send(h, "oo1_begin", 0, 0);
    send(h, "oo1_parts", 0, 3);
    send(h, "oo1_connections", 3, 3);
    send(h, "oo1_commit", 0, 0);
    PQpipelineSync(h->pq);
    for (int i = 0; i < 4; i++)
    {
        PQclear(expect(h->pq, PQgetResult(h->pq), PGRES_COMMAND_OK));
        PQclear(PQgetResult(h->pq));
    }
    PQclear(expect(h->pq, PQgetResult(h->pq), PGRES_PIPELINE_SYNC));
    PQexitPipelineMode(h->pq);
    return tally;
}

oo_tally oo1_hand_run(oo1_hand *h, oo1_operation operation)
{
    switch (operation)
    {
        case OO1_LOOKUP:
            return look_up(h);
        case OO1_TRAVERSAL:
            return traverse(h, "oo1_traverse");
        case OO1_REVERSE:
            return traverse(h, "oo1_reverse");
        default:
            return insert(h);
    }
}
