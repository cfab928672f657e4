/*
 * hot.c - case: what a program pays for objects it has: reading an attribute and
 * following a reference, both cached.
 *
 * A ring of 1,000 nodes, so that the processor's own caches are warm too; beside
 * it the same ring of plain C structs, for scale.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define RING 1000
#define TURNS 1000
#define STEPS ((double) RING * TURNS)

typedef struct link
{
    struct link *next;
    int64_t size;
} link;

typedef struct state
{
    paos_list *list;
    paos_object *first;
    const paos_attribute *size, *next, *name;
    link links[RING];
} state;

#define SUM ((int64_t) TURNS * RING * (RING - 1) / 2)

static double done(double started, int64_t sum)
{
    double elapsed = now() - started;

    if (sum != SUM)
        die("the sum of sizes is wrong");
    return elapsed / STEPS;
}

static double read_resolved(bench *bench, void *any)
{
    const state *state = any;
    double started = now();
    int64_t sum = 0;

    (void) bench;
    for (int turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < RING; i++)
            sum += paos_object_int_at(paos_list_at(state->list, i), state->size);
    return done(started, sum);
}

static double read_by_name(bench *bench, void *any)
{
    const state *state = any;
    double started = now();
    int64_t sum = 0;

    (void) bench;
    for (int turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < RING; i++)
            sum += paos_object_int(paos_list_at(state->list, i), "size");
    return done(started, sum);
}

static double read_text(bench *bench, void *any)
{
    const state *state = any;
    double started = now();
    int64_t sum = 0;

    (void) bench;
    for (int turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < RING; i++)
            sum += paos_object_text_at(paos_list_at(state->list, i), state->name)[0] == 'n'
                       ? (int64_t) i
                       : 0;
    return done(started, sum);
}

/* Steps only; the sum at the end tells whether the ring was followed. */
static double step_resolved(bench *bench, void *any)
{
    const state *state = any;
    paos_object *at = state->first;
    double started = now();

    (void) bench;
    for (int step = 0; step < RING * TURNS; step++)
        at = paos_object_ref_at(at, state->next);
    return done(started, at == state->first ? SUM : 0);
}

static double step_by_name(bench *bench, void *any)
{
    const state *state = any;
    paos_object *at = state->first;
    double started = now();

    (void) bench;
    for (int step = 0; step < RING * TURNS; step++)
        at = paos_object_ref(at, "next");
    return done(started, at == state->first ? SUM : 0);
}

static double step_struct(bench *bench, void *any)
{
    state *state = any;
    link *volatile start = state->links;
    link *at = start;
    double started = now();
    int64_t sum = 0;

    (void) bench;
    for (int step = 0; step < RING * TURNS; step++)
    {
        sum += at->size;
        at = at->next;
    }
    return done(started, sum);
}

static void load_nodes(bench *bench, state *state)
{
    paos_object *at;

    node_create(bench->admin);
    node_fill(bench->admin, RING);
    check(bench->paos, paos_get(bench->paos, PAOS_READ, "bench.node", NULL, NULL, 0, &state->list));
    state->first = paos_list_at(state->list, 0);
    state->size = paos_class_attribute(bench->paos, "bench.node", "size");
    state->next = paos_class_attribute(bench->paos, "bench.node", "next");
    state->name = paos_class_attribute(bench->paos, "bench.node", "name");
    if (!state->size || !state->next || !state->name)
        check(bench->paos, paos_conn_error(bench->paos)->status);
    at = state->first;
    for (size_t i = 0; i < RING; i++)
    {
        state->links[i].size = paos_object_int_at(at, state->size);
        state->links[i].next = &state->links[(i + 1) % RING];
        at = paos_object_ref_at(at, state->next);
    }
}

static void show(const bench *bench, const char *what, const variant *variant, const char *target)
{
    char text[32];

    snprintf(text, sizeof text, "%.1f ns", median(variant->times, bench->runs) * 1e9);
    table_row(what, text, "", "", target);
}

void case_hot(bench *bench)
{
    static state state;
    static variant variants[] = {{.name = "reference", .run = step_resolved},
                                 {.name = "attribute", .run = read_resolved},
                                 {.name = "attribute by name", .run = read_by_name},
                                 {.name = "text", .run = read_text},
                                 {.name = "reference by name", .run = step_by_name},
                                 {.name = "struct", .run = step_struct}};

    load_nodes(bench, &state);
    sample(bench, variants, 6, &state);
    show(bench, "hot reference step", &variants[0], "<= 20 ns");
    show(bench, "hot attribute read, integer", &variants[1], "<= 10 ns");
    show(bench, "hot attribute read, text", &variants[3], "<= 10 ns");
    show(bench, "hot attribute read by name", &variants[2], "<= 60 ns");
    show(bench, "hot reference step by name", &variants[4], "");
    table_note("a step and a read of plain C structs: %.1f ns",
               median(variants[5].times, bench->runs) * 1e9);
    paos_list_free(state.list);
}
