/*
 * commit.c - case: 10,000 new objects that refer to each other.
 *
 * By hand there are three good ways, and the fastest counts: COPY in binary,
 * prepared INSERTs in a pipeline, one INSERT out of arrays.  All draw their ids
 * first, as the objects refer to each other.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

typedef struct state
{
    node nodes[NODES];
    int64_t ids[NODES]; /* refs, drawn */
    Oid ref_type;
    wire wire;
    wire arrays[5];
} state;

#define KEY(ref) ((ref) & (((int64_t) 1 << 48) - 1))

static void begin_run(bench *bench)
{
    settle(bench->admin);
    run_sql(bench->admin, "TRUNCATE bench.node");
    node_wake(bench);
}

static void make_objects(bench *bench, const state *state, paos_object **objects)
{
    for (size_t i = 0; i < NODES; i++)
    {
        check(bench->paos, paos_object_new(bench->paos, "bench.node", &objects[i]));
        check(bench->paos, paos_object_set(objects[i], "name", paos_text(state->nodes[i].name)));
        check(bench->paos, paos_object_set(objects[i], "size", paos_int(state->nodes[i].size)));
        check(bench->paos,
              paos_object_set(objects[i], "weight", paos_float(state->nodes[i].weight)));
    }
    for (size_t i = 0; i < NODES; i++)
        check(bench->paos,
              paos_object_set(objects[i], "next", paos_ref(objects[state->nodes[i].next])));
}

static double run_paos(bench *bench, const state *state, bool from_values)
{
    static paos_object *objects[NODES];
    double started, made, done;

    begin_run(bench);
    started = now();
    make_objects(bench, state, objects);
    made = now();
    check(bench->paos, paos_commit(bench->paos, NULL, 0));
    done = now();
    for (size_t i = 0; i < NODES; i++)
        paos_object_release(objects[i]);
    node_verify(bench->admin, NODES);
    return done - (from_values ? started : made);
}

static double commit_objects(bench *bench, void *state)
{
    return run_paos(bench, state, false);
}

static double commit_from_values(bench *bench, void *state)
{
    return run_paos(bench, state, true);
}

static void put_copy_row(state *state, size_t i)
{
    const node *node = &state->nodes[i];
    wire *wire = &state->wire;
    size_t size = strlen(node->name);

    wire_int16(wire, 5);
    wire_int32(wire, 8);
    wire_int64(wire, KEY(state->ids[i]));
    wire_int32(wire, (int32_t) size);
    wire_bytes(wire, node->name, size);
    wire_int32(wire, 4);
    wire_int32(wire, node->size);
    wire_int32(wire, 8);
    wire_float(wire, node->weight);
    wire_int32(wire, 8);
    wire_int64(wire, state->ids[node->next]);
}

static double copy_binary(bench *bench, void *any)
{
    state *state = any;
    double started;

    begin_run(bench);
    started = now();
    draw_ids(bench->pq, "bench.node", state->ids, NODES);
    wire_reset(&state->wire);
    wire_bytes(&state->wire, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (size_t i = 0; i < NODES; i++)
        put_copy_row(state, i);
    wire_int16(&state->wire, -1);
    PQclear(expect(bench->pq,
                   PQexec(bench->pq, "COPY bench.node (id, name, size, weight, next)"
                                     " FROM STDIN (FORMAT binary)"),
                   PGRES_COPY_IN));
    if (PQputCopyData(bench->pq, state->wire.data, (int) state->wire.size) != 1 ||
        PQputCopyEnd(bench->pq, NULL) != 1)
        die("%s", PQerrorMessage(bench->pq));
    PQclear(expect(bench->pq, PQgetResult(bench->pq), PGRES_COMMAND_OK));
    started = now() - started;
    PQclear(PQgetResult(bench->pq));
    node_verify(bench->admin, NODES);
    return started;
}

static void send_insert(PGconn *pq, const state *state, size_t i)
{
    static const int formats[] = {1, 1, 1, 1, 1};
    const node *node = &state->nodes[i];
    int lengths[] = {8, (int) strlen(node->name), 4, 8, 8};
    static wire wire;

    wire_reset(&wire);
    wire_int64(&wire, KEY(state->ids[i]));
    wire_int64(&wire, state->ids[node->next]);
    wire_float(&wire, node->weight);
    wire_int32(&wire, node->size);
    const char *values[] = {wire.data, node->name, wire.data + 24, wire.data + 16, wire.data + 8};
    if (PQsendQueryPrepared(pq, "insert_node", 5, values, lengths, formats, 1) != 1)
        die("%s", PQerrorMessage(pq));
}

static double pipeline(bench *bench, void *any)
{
    state *state = any;
    PGconn *pq = bench->pq;
    double started;

    begin_run(bench);
    started = now();
    draw_ids(pq, "bench.node", state->ids, NODES);
    PQenterPipelineMode(pq);
    /* Up to the sync it is one transaction. */
    for (size_t i = 0; i < NODES; i++)
        send_insert(pq, state, i);
    PQpipelineSync(pq);
    for (size_t i = 0; i < NODES; i++)
    {
        PQclear(expect(pq, PQgetResult(pq), PGRES_COMMAND_OK));
        PQclear(PQgetResult(pq));
    }
    PQclear(expect(pq, PQgetResult(pq), PGRES_PIPELINE_SYNC));
    started = now() - started;
    PQexitPipelineMode(pq);
    node_verify(bench->admin, NODES);
    return started;
}

static void put_arrays(state *state)
{
    const Oid types[] = {20, 25, 23, 701, state->ref_type};
    wire *arrays = state->arrays;

    for (int i = 0; i < 5; i++)
    {
        wire_reset(&arrays[i]);
        wire_array(&arrays[i], types[i], NODES);
    }
    for (size_t i = 0; i < NODES; i++)
    {
        const node *node = &state->nodes[i];
        size_t size = strlen(node->name);

        wire_int32(&arrays[0], 8);
        wire_int64(&arrays[0], KEY(state->ids[i]));
        wire_int32(&arrays[1], (int32_t) size);
        wire_bytes(&arrays[1], node->name, size);
        wire_int32(&arrays[2], 4);
        wire_int32(&arrays[2], node->size);
        wire_int32(&arrays[3], 8);
        wire_float(&arrays[3], node->weight);
        wire_int32(&arrays[4], 8);
        wire_int64(&arrays[4], state->ids[node->next]);
    }
}

static double unnest(bench *bench, void *any)
{
    static const int formats[] = {1, 1, 1, 1, 1};
    state *state = any;
    const char *values[5];
    int lengths[5];
    double started;

    begin_run(bench);
    started = now();
    draw_ids(bench->pq, "bench.node", state->ids, NODES);
    put_arrays(state);
    for (int i = 0; i < 5; i++)
    {
        values[i] = state->arrays[i].data;
        lengths[i] = (int) state->arrays[i].size;
    }
    PQclear(expect(bench->pq,
                   PQexecPrepared(bench->pq, "unnest_nodes", 5, values, lengths, formats, 1),
                   PGRES_COMMAND_OK));
    started = now() - started;
    node_verify(bench->admin, NODES);
    return started;
}

void case_commit(bench *bench)
{
    static state state;
    static variant variants[] = {{.name = "paos", .run = commit_objects},
                                 {.name = "paos, from values", .run = commit_from_values},
                                 {.name = "COPY", .run = copy_binary},
                                 {.name = "pipeline", .run = pipeline},
                                 {.name = "unnest", .run = unnest}};
    size_t best;

    node_create(bench->admin);
    for (size_t i = 0; i < NODES; i++)
        state.nodes[i] = node_make(i, NODES);
    state.ref_type = (Oid) run_sql_int(bench->pq, "SELECT 'paos.ref'::regtype::oid");
    prepare(bench->pq, "insert_node", "INSERT INTO bench.node VALUES ($1, $2, $3, $4, $5)");
    prepare(bench->pq, "unnest_nodes",
            "INSERT INTO bench.node SELECT * FROM unnest($1::bigint[], $2::text[],"
            " $3::int[], $4::float8[], $5::paos.ref[])");
    sample(bench, variants, 5, &state);

    best = fastest(bench, variants, 2, 5);
    table_compare(bench, "commit of 10,000 new objects", &variants[0], &variants[best], "<= 1.2");
    table_compare(bench, "the same, with new and set", &variants[1], &variants[best], NULL);
    table_note("commit by hand: COPY %.1f ms, pipeline %.1f ms, INSERT from unnest %.1f ms",
               median(variants[2].times, bench->runs) * 1e3,
               median(variants[3].times, bench->runs) * 1e3,
               median(variants[4].times, bench->runs) * 1e3);
    wire_free(&state.wire);
    for (int i = 0; i < 5; i++)
        wire_free(&state.arrays[i]);
}
