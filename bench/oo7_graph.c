/*
 * oo7_graph.c - the design library as plain C structs, made from a seed.
 *
 * Everything that is random is drawn here and in this order, so that the results
 * are the same on every machine and for every way to run the operations.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const oo7_config oo7_tiny = {"tiny", 5, 3, 10, 3, 200, 1000};
const oo7_config oo7_small = {"small", 20, 3, 500, 7, 2000, 100000};
const oo7_config oo7_medium = {"medium", 200, 3, 500, 7, 20000, 1000000};

const char *const oo7_names[] = {
#define OO7_NAME(name, writes) #name,
    OO7_OPERATIONS(OO7_NAME)
#undef OO7_NAME
};

const bool oo7_writes[] = {
#define OO7_WRITES(name, writes) writes,
    OO7_OPERATIONS(OO7_WRITES)
#undef OO7_WRITES
};

static void *allocate(size_t n, size_t size)
{
    void *memory = calloc(n, size);

    if (!memory)
        die("out of memory");
    return memory;
}

/* As often as it fits into `size` bytes with a zero byte at the end; the last is cut. */
static char *repeat(const char *line, int size)
{
    /* T5 makes a text three bytes longer. */
    char *text = allocate((size_t) size + 3, 1);
    int length = (int) strlen(line);

    for (int i = 0; i < size - 1; i++)
        text[i] = line[i % length];
    return text;
}

static void draw_design(oo7_design *design, int32_t id, int32_t oldest, uint64_t *seed)
{
    design->id = id;
    design->build_date = oldest + oo_random(seed, 1000);
    snprintf(design->type, sizeof design->type, "type%03d", (int) oo_random(seed, 10));
}

/* ---- composite parts ---- */

/* The first connection of each part makes a ring, so that all parts can be reached. */
static void draw_connections(oo7_graph *graph, int composite, int part, uint64_t *seed)
{
    int size = graph->config->atomic_parts, n = graph->config->connections;
    oo7_part *parts = graph->parts + composite * size;
    oo7_part *source = parts + part;

    source->outgoing = graph->connections + (composite * size + part) * n;
    for (int i = 0; i < n; i++)
    {
        oo7_connection *connection = source->outgoing + i;

        connection->source = source;
        connection->target = parts + (i == 0 ? (part + 1) % size : oo_random(seed, size));
        connection->length = oo_random(seed, 100000);
        snprintf(connection->type, sizeof connection->type, "type%03d", (int) oo_random(seed, 10));
    }
}

static void draw_parts(oo7_graph *graph, int composite, uint64_t *seed)
{
    int size = graph->config->atomic_parts;

    for (int i = 0; i < size; i++)
    {
        oo7_part *part = graph->parts + composite * size + i;

        draw_design(&part->design, composite * size + i + 1, 1000, seed);
        part->x = oo_random(seed, 100000);
        part->y = oo_random(seed, 100000);
        part->document = 1 + oo_random(seed, graph->config->composites);
        part->part_of = graph->composites + composite;
        draw_connections(graph, composite, i, seed);
    }
}

static void draw_composite(oo7_graph *graph, int i, uint64_t *seed)
{
    oo7_composite *composite = graph->composites + i;
    char line[80];

    /* One in ten is young: younger than any assembly. */
    draw_design(&composite->design, i + 1, (i + 1) % 10 == 0 ? 2000 : 0, seed);
    snprintf(line, sizeof line, "I am the documentation for composite part #%08d.\n", i + 1);
    composite->text = repeat(line, graph->config->document_size);
    composite->root = graph->parts + i * graph->config->atomic_parts;
    draw_parts(graph, i, seed);
}

/* ---- assemblies ---- */

static void add_user(oo7_composite *composite, oo7_base *base)
{
    if (composite->users_size == composite->users_capacity)
    {
        composite->users_capacity = 2 * composite->users_capacity + 4;
        composite->users =
            realloc(composite->users, (size_t) composite->users_capacity * sizeof(oo7_base *));
        if (!composite->users)
            die("out of memory");
    }
    composite->users[composite->users_size++] = base;
}

static void draw_base(oo7_graph *graph, oo7_base *base, uint64_t *seed)
{
    for (int i = 0; i < OO7_WIDTH; i++)
    {
        base->privates[i] = graph->composites + oo_random(seed, graph->composites_size);
        base->shared[i] = graph->composites + oo_random(seed, graph->composites_size);
        add_user(base->privates[i], base);
    }
}

/* Level by level: the children of the nth assembly are the next three after those before. */
static void draw_assemblies(oo7_graph *graph, uint64_t *seed)
{
    int complexes = graph->complexes_size;

    for (int i = 0; i < complexes + graph->bases_size; i++)
    {
        bool is_complex = i < complexes;
        oo7_complex *super = i == 0 ? NULL : graph->complexes + (i - 1) / OO7_WIDTH;
        int place = i == 0 ? 0 : (i - 1) % OO7_WIDTH;

        draw_design(is_complex ? &graph->complexes[i].design : &graph->bases[i - complexes].design,
                    i + 1, 1000, seed);
        if (is_complex)
            graph->complexes[i].super = super;
        if (is_complex && super)
            super->complexes[place] = graph->complexes + i;
        if (is_complex)
            continue;
        graph->bases[i - complexes].super = super;
        super->bases[place] = graph->bases + i - complexes;
        draw_base(graph, graph->bases + i - complexes, seed);
    }
}

/* ---- what operations begin with ---- */

static bool is_place_taken(const oo7_graph *graph, int n, int32_t place)
{
    for (int i = 0; i < n; i++)
        if (graph->places[i] == place)
            return true;
    return false;
}

static void draw_inputs(oo7_graph *graph, uint64_t *seed)
{
    graph->start = 1 + oo_random(seed, graph->parts_size);
    for (int i = 0; i < OO7_LOOKUPS; i++)
        graph->lookups[i] = 1 + oo_random(seed, graph->parts_size);
    for (int i = 0; i < OO7_TITLES; i++)
        graph->titles[i] = 1 + oo_random(seed, graph->composites_size);
    /* The tiny configuration has fewer assemblies: then all of them. */
    for (int i = 0; i < OO7_NEW_PLACES && i < graph->bases_size; i++)
        do
            graph->places[i] = graph->complexes_size + 1 + oo_random(seed, graph->bases_size);
        while (is_place_taken(graph, i, graph->places[i]));
}

/* ---- the graph ---- */

static void count_objects(oo7_graph *graph)
{
    const oo7_config *config = graph->config;

    graph->bases_size = 1;
    for (int level = 1; level < config->levels; level++)
    {
        graph->complexes_size += graph->bases_size;
        graph->bases_size *= OO7_WIDTH;
    }
    graph->composites_size = config->composites;
    graph->parts_size = config->composites * config->atomic_parts;
    graph->connections_size = graph->parts_size * config->connections;
}

oo7_graph *oo7_graph_make(const oo7_config *config, uint64_t seed)
{
    oo7_graph *graph = allocate(1, sizeof *graph);
    char line[80];

    graph->config = config;
    count_objects(graph);
    graph->complexes = allocate((size_t) graph->complexes_size, sizeof *graph->complexes);
    graph->bases = allocate((size_t) graph->bases_size, sizeof *graph->bases);
    graph->composites = allocate((size_t) graph->composites_size, sizeof *graph->composites);
    graph->parts = allocate((size_t) graph->parts_size, sizeof *graph->parts);
    graph->connections = allocate((size_t) graph->connections_size, sizeof *graph->connections);
    snprintf(line, sizeof line, "I am the manual for module #%08d.\n", 1);
    graph->manual = repeat(line, config->manual_size);
    for (int i = 0; i < graph->composites_size; i++)
        draw_composite(graph, i, &seed);
    draw_assemblies(graph, &seed);
    draw_inputs(graph, &seed);
    return graph;
}

void oo7_graph_free(oo7_graph *graph)
{
    for (int i = 0; i < graph->composites_size; i++)
    {
        free(graph->composites[i].text);
        free(graph->composites[i].users);
    }
    free(graph->complexes);
    free(graph->bases);
    free(graph->composites);
    free(graph->parts);
    free(graph->connections);
    free(graph->manual);
    free(graph);
}
