/*
 * update.c - case: two attributes of 10,000 objects changed, in one commit.
 *
 * paos refuses to write an object that someone else wrote since it was loaded.
 * By hand that is a condition on xmin and RETURNING the new one; the statement
 * without them, which overwrites blindly, is measured beside.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

typedef struct state
{
    int64_t ids[NODES];
    int32_t versions[NODES];
    char names[NODES][NODE_TEXT];
    wire arrays[4];
} state;

static void begin_run(bench *bench)
{
    settle(bench->admin);
    node_fill(bench->admin, NODES);
    node_wake(bench);
}

static void verify(bench *bench)
{
    if (run_sql_int(bench->admin, "SELECT count(*) FROM bench.node WHERE size = id + 6"
                                  " AND name = 'renamed ' || id - 1") != NODES)
        die("bench.node does not hold what was written");
}

static double update_objects(bench *bench, void *any)
{
    state *state = any;
    paos_list *list;
    double started;

    begin_run(bench);
    check(bench->paos, paos_get(bench->paos, PAOS_READ, "bench.node", NULL, NULL, 0, &list));
    for (size_t i = 0; i < paos_list_size(list); i++)
    {
        paos_object *object = paos_list_at(list, i);
        int64_t id = paos_object_int(object, "id");

        check(bench->paos, paos_object_set(object, "size", paos_int(id + 6)));
        check(bench->paos, paos_object_set(object, "name", paos_text(state->names[id - 1])));
    }
    started = now();
    check(bench->paos, paos_commit(bench->paos, NULL, 0));
    started = now() - started;
    paos_list_free(list);
    verify(bench);
    return started;
}

/* What a program by hand would know of the rows it has read. */
static void read_versions(bench *bench, state *state)
{
    PGresult *result =
        PQexecParams(bench->pq, "SELECT id, xmin FROM bench.node", 0, NULL, NULL, NULL, NULL, 1);

    expect(bench->pq, result, PGRES_TUPLES_OK);
    if (PQntuples(result) != NODES)
        die("bench.node is not full");
    for (int i = 0; i < NODES; i++)
    {
        state->ids[i] = read_int64(PQgetvalue(result, i, 0));
        state->versions[i] = read_int32(PQgetvalue(result, i, 1));
    }
    PQclear(result);
}

static void put_arrays(state *state)
{
    static const Oid types[] = {20, 28, 23, 25};
    wire *arrays = state->arrays;

    for (int i = 0; i < 4; i++)
    {
        wire_reset(&arrays[i]);
        wire_array(&arrays[i], types[i], NODES);
    }
    for (size_t i = 0; i < NODES; i++)
    {
        const char *name = state->names[state->ids[i] - 1];
        size_t size = strlen(name);

        wire_int32(&arrays[0], 8);
        wire_int64(&arrays[0], state->ids[i]);
        wire_int32(&arrays[1], 4);
        wire_int32(&arrays[1], state->versions[i]);
        wire_int32(&arrays[2], 4);
        wire_int32(&arrays[2], (int32_t) state->ids[i] + 6);
        wire_int32(&arrays[3], (int32_t) size);
        wire_bytes(&arrays[3], name, size);
    }
}

static double run_unnest(bench *bench, state *state, const char *statement)
{
    static const int formats[] = {1, 1, 1, 1};
    const char *values[4];
    int lengths[4];
    PGresult *result;
    double started;

    begin_run(bench);
    read_versions(bench, state);
    started = now();
    put_arrays(state);
    for (int i = 0; i < 4; i++)
    {
        values[i] = state->arrays[i].data;
        lengths[i] = (int) state->arrays[i].size;
    }
    result = PQexecPrepared(bench->pq, statement, 4, values, lengths, formats, 1);
    for (int i = 0; i < PQntuples(result); i++)
        state->versions[i] = read_int32(PQgetvalue(result, i, 1));
    started = now() - started;
    if (strcmp(PQcmdTuples(result), "10000") != 0)
        die("%s", PQerrorMessage(bench->pq));
    PQclear(result);
    verify(bench);
    return started;
}

static double unnest_checked(bench *bench, void *state)
{
    return run_unnest(bench, state, "update_checked");
}

static double unnest_blind(bench *bench, void *state)
{
    return run_unnest(bench, state, "update_blind");
}

static void send_update(PGconn *pq, const state *state, size_t i)
{
    static const int formats[] = {1, 1, 1, 1};
    const char *name = state->names[state->ids[i] - 1];
    int lengths[] = {8, 4, 4, (int) strlen(name)};
    static wire wire;

    wire_reset(&wire);
    wire_int64(&wire, state->ids[i]);
    wire_int32(&wire, state->versions[i]);
    wire_int32(&wire, (int32_t) state->ids[i] + 6);
    const char *values[] = {wire.data, wire.data + 8, wire.data + 12, name};
    if (PQsendQueryPrepared(pq, "update_one", 4, values, lengths, formats, 1) != 1)
        die("%s", PQerrorMessage(pq));
}

static double pipeline(bench *bench, void *any)
{
    state *state = any;
    PGconn *pq = bench->pq;
    double started;

    begin_run(bench);
    read_versions(bench, state);
    started = now();
    PQenterPipelineMode(pq);
    for (size_t i = 0; i < NODES; i++)
        send_update(pq, state, i);
    PQpipelineSync(pq);
    for (size_t i = 0; i < NODES; i++)
    {
        PGresult *result = expect(pq, PQgetResult(pq), PGRES_TUPLES_OK);

        if (PQntuples(result) != 1)
            die("a row was not updated");
        state->versions[i] = read_int32(PQgetvalue(result, 0, 1));
        PQclear(result);
        PQclear(PQgetResult(pq));
    }
    PQclear(expect(pq, PQgetResult(pq), PGRES_PIPELINE_SYNC));
    started = now() - started;
    PQexitPipelineMode(pq);
    verify(bench);
    return started;
}

void case_update(bench *bench)
{
    static state state;
    static variant variants[] = {{.name = "paos", .run = update_objects},
                                 {.name = "unnest", .run = unnest_checked},
                                 {.name = "pipeline", .run = pipeline},
                                 {.name = "unnest, unchecked", .run = unnest_blind}};

    node_create(bench->admin);
    for (size_t i = 0; i < NODES; i++)
        snprintf(state.names[i], NODE_TEXT, "renamed %zu", i);
    prepare(bench->pq, "update_checked",
            "UPDATE bench.node t SET size = u.s, name = u.n"
            " FROM unnest($1::bigint[], $2::xid[], $3::int[], $4::text[]) u(i, v, s, n)"
            " WHERE t.id = u.i AND t.xmin = u.v RETURNING t.id, t.xmin");
    prepare(bench->pq, "update_blind",
            "UPDATE bench.node t SET size = u.s, name = u.n"
            " FROM unnest($1::bigint[], $2::xid[], $3::int[], $4::text[]) u(i, v, s, n)"
            " WHERE t.id = u.i");
    prepare(bench->pq, "update_one",
            "UPDATE bench.node SET size = $3, name = $4"
            " WHERE id = $1 AND xmin = $2 RETURNING id, xmin");
    sample(bench, variants, 4, &state);
    table_compare(bench, "update of 10,000 objects", &variants[0],
                  &variants[fastest(bench, variants, 1, 3)], NULL);
    table_note("update by hand: UPDATE from unnest %.1f ms, pipeline %.1f ms; unnest without a "
               "check of versions %.1f ms",
               median(variants[1].times, bench->runs) * 1e3,
               median(variants[2].times, bench->runs) * 1e3,
               median(variants[3].times, bench->runs) * 1e3);
    for (int i = 0; i < 4; i++)
        wire_free(&state.arrays[i]);
}
