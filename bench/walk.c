/*
 * walk.c - case: a walk over a graph of 40,000 objects of two classes, nothing
 * cached: a tree three wide, each vertex with a label and a reference across.
 *
 * The limit is a program that loads each level by one statement, knows that keys
 * are dense, and so needs no map.  The walk by paos says nothing about loading.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERTICES 40000
#define LABELS 50
#define KEY(ref) ((ref) & (((int64_t) 1 << 48) - 1))

typedef struct vertex
{
    char *name;
    int64_t label, across;
    int64_t children[3];
    int n;
} vertex;

typedef struct state
{
    int64_t queue[VERTICES]; /* keys, in the order they were reached */
    paos_object *objects[VERTICES];
    bool seen[VERTICES + 1];
    vertex vertices[VERTICES + 1];
    char *labels[LABELS + 1];
    size_t reached, levels;
    size_t paos_trips, hand_trips;
    wire wire;
} state;

static void create_graph(PGconn *pq)
{
    run_sql(pq, "DROP TABLE IF EXISTS bench.vertex, bench.label");
    run_sql(pq, "CREATE TABLE bench.label (id bigint PRIMARY KEY, name text)");
    run_sql(pq, "CREATE TABLE bench.vertex (id bigint PRIMARY KEY, name text,"
                " label bigint REFERENCES bench.label, across paos.ref, children paos.ref[])");
    run_sql(pq, "SELECT paos.register_class('bench.label'), paos.register_class('bench.vertex')");
    run_sql(pq, "INSERT INTO bench.label SELECT i, 'label ' || i FROM generate_series(1, 50) i");
    /* Vertex i has children 3i - 1, 3i and 3i + 1, and refers across to one before it. */
    run_sql(pq, "INSERT INTO bench.vertex SELECT i, 'vertex ' || i, i % 50 + 1,"
                " paos.ref('bench.vertex', i / 2 + 1),"
                " (SELECT array_agg(paos.ref('bench.vertex', c) ORDER BY c)"
                "  FROM generate_series(i * 3 - 1, least(i * 3 + 1, 40000)) c)"
                " FROM generate_series(1, 40000) i");
    run_sql(pq, "VACUUM ANALYZE bench.label");
    run_sql(pq, "VACUUM ANALYZE bench.vertex");
}

static void begin_walk(state *state)
{
    memset(state->seen, 0, sizeof state->seen);
    state->reached = 0;
    state->levels = 0;
}

static void end_walk(const state *state)
{
    if (state->reached != VERTICES)
        die("%zu vertices were reached", state->reached);
}

/* ---- by paos ---- */

static void reach_object(state *state, paos_object *object)
{
    int64_t key = KEY((int64_t) paos_object_id(object));

    if (key < 1 || key > VERTICES || state->seen[key])
        return;
    state->seen[key] = true;
    state->objects[state->reached++] = paos_object_hold(object);
}

static void visit_object(paos_conn *conn, state *state, paos_object *object)
{
    paos_object *across = paos_object_ref(object, "across");
    paos_object *label = paos_object_ref(object, "label");
    paos_list *children;

    if (!across || !label || paos_object_text(label, "name")[0] != 'l' ||
        paos_object_text(object, "name")[0] != 'v')
        die("a vertex is not what it should be: %s", paos_conn_error(conn)->message);
    check(conn, paos_object_refs(object, "children", &children));
    for (size_t i = 0; i < paos_list_size(children); i++)
        reach_object(state, paos_list_at(children, i));
    paos_list_free(children);
}

static double walk_paos(bench *bench, void *any)
{
    state *state = any;
    paos_conn *conn = bench->paos;
    paos_stats before, after;
    paos_value root = paos_int(1);
    paos_list *list;
    double started;

    begin_walk(state);
    empty_cache(bench);
    paos_conn_stats(conn, &before);
    started = now();
    check(conn, paos_get(conn, PAOS_READ, "bench.vertex", "id == $1", &root, 1, &list));
    reach_object(state, paos_list_at(list, 0));
    for (size_t start = 0, end; start < state->reached; start = end, state->levels++)
    {
        end = state->reached;
        for (size_t i = start; i < end; i++)
            visit_object(conn, state, state->objects[i]);
    }
    started = now() - started;
    paos_conn_stats(conn, &after);
    state->paos_trips = after.round_trips - before.round_trips;
    end_walk(state);
    for (size_t i = 0; i < state->reached; i++)
        paos_object_release(state->objects[i]);
    paos_list_free(list);
    return started;
}

/* ---- by hand ---- */

/* Sends the statement for the keys in queue[start...end). */
static PGresult *load_keys(bench *bench, state *state, const char *statement, const int64_t *keys,
                           size_t n)
{
    static const int formats[] = {1};
    const char *values[1];
    int lengths[1];

    wire_reset(&state->wire);
    wire_array(&state->wire, 20, n);
    for (size_t i = 0; i < n; i++)
    {
        wire_int32(&state->wire, 8);
        wire_int64(&state->wire, keys[i]);
    }
    values[0] = state->wire.data;
    lengths[0] = (int) state->wire.size;
    state->hand_trips++;
    return expect(bench->pq, PQexecPrepared(bench->pq, statement, 1, values, lengths, formats, 1),
                  PGRES_TUPLES_OK);
}

static void read_children(vertex *vertex, const char *array)
{
    const char *next = array + 20;

    vertex->n = read_int32(array) == 0 ? 0 : read_int32(array + 12);
    for (int i = 0; i < vertex->n; i++, next += 12)
        vertex->children[i] = KEY(read_int64(next + 4));
}

static void load_vertices(bench *bench, state *state, size_t start, size_t end)
{
    PGresult *result = load_keys(bench, state, "load_vertices", state->queue + start, end - start);

    for (int i = 0; i < PQntuples(result); i++)
    {
        vertex *vertex = &state->vertices[read_int64(PQgetvalue(result, i, 0))];

        vertex->name = strdup(PQgetvalue(result, i, 1));
        vertex->label = read_int64(PQgetvalue(result, i, 2));
        vertex->across = KEY(read_int64(PQgetvalue(result, i, 3)));
        vertex->n = 0;
        if (!PQgetisnull(result, i, 4))
            read_children(vertex, PQgetvalue(result, i, 4));
    }
    PQclear(result);
}

static void load_labels(bench *bench, state *state, size_t start, size_t end)
{
    int64_t keys[LABELS];
    bool asked[LABELS + 1] = {false};
    size_t n = 0;
    PGresult *result;

    for (size_t i = start; i < end; i++)
    {
        int64_t label = state->vertices[state->queue[i]].label;

        if (state->labels[label] || asked[label])
            continue;
        asked[label] = true;
        keys[n++] = label;
    }
    if (n == 0)
        return;
    result = load_keys(bench, state, "load_labels", keys, n);
    for (int i = 0; i < PQntuples(result); i++)
        state->labels[read_int64(PQgetvalue(result, i, 0))] = strdup(PQgetvalue(result, i, 1));
    PQclear(result);
}

static void reach_key(state *state, int64_t key)
{
    if (state->seen[key])
        return;
    state->seen[key] = true;
    state->queue[state->reached++] = key;
}

static void visit_vertex(state *state, const vertex *vertex)
{
    if (!vertex->across || state->labels[vertex->label][0] != 'l' || vertex->name[0] != 'v')
        die("a vertex is not what it should be");
    for (int i = 0; i < vertex->n; i++)
        reach_key(state, vertex->children[i]);
}

static void free_graph(state *state)
{
    for (size_t i = 0; i <= VERTICES; i++)
        free(state->vertices[i].name);
    for (size_t i = 0; i <= LABELS; i++)
        free(state->labels[i]);
    memset(state->vertices, 0, sizeof state->vertices);
    memset(state->labels, 0, sizeof state->labels);
}

static double walk_by_hand(bench *bench, void *any)
{
    state *state = any;
    double started = now();

    begin_walk(state);
    state->hand_trips = 0;
    reach_key(state, 1);
    for (size_t start = 0, end; start < state->reached; start = end, state->levels++)
    {
        end = state->reached;
        load_vertices(bench, state, start, end);
        load_labels(bench, state, start, end);
        for (size_t i = start; i < end; i++)
            visit_vertex(state, &state->vertices[state->queue[i]]);
    }
    started = now() - started;
    end_walk(state);
    free_graph(state);
    return started;
}

void case_walk(bench *bench)
{
    static state state;
    static variant variants[] = {{.name = "paos", .run = walk_paos},
                                 {.name = "by hand", .run = walk_by_hand}};
    char paos[32], hand[32], target[32];

    create_graph(bench->admin);
    prepare(bench->pq, "load_vertices",
            "SELECT id, name, label, across, children FROM bench.vertex WHERE id = ANY($1)");
    prepare(bench->pq, "load_labels", "SELECT id, name FROM bench.label WHERE id = ANY($1)");
    sample(bench, variants, 2, &state);
    table_compare(bench, "cold walk of 40,000 objects", &variants[0], &variants[1], NULL);
    snprintf(paos, sizeof paos, "%zu", state.paos_trips);
    snprintf(hand, sizeof hand, "%zu", state.hand_trips);
    snprintf(target, sizeof target, "<= %zu", state.levels * 2);
    table_row("its round trips", paos, hand, "", target);
    table_note("cold walk: depth %zu, 2 classes", state.levels);
    wire_free(&state.wire);
}
