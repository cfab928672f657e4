/*
 * oo7_hand.c - OO7's operations by hand: libpq in binary, one round trip for all that
 * an operation reads, whatever it takes of joins and recursion, into plain C structs.
 *
 * It knows the benchmark: which tables, how many objects, what will be needed.  That
 * is the limit that a general client is measured against.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Composite parts that some base assembly has as a private component. */
#define USED "(SELECT part FROM oo7.component)"

static const char *const statements[] = {
    [OO7_READ_COMPLEXES] = "SELECT id, build_date, super, type FROM oo7.complex_assembly",
    [OO7_READ_BASES] = "SELECT id, build_date, super, type FROM oo7.base_assembly",
    [OO7_READ_COMPONENTS] = "SELECT assembly, place, part FROM oo7.component",
    [OO7_READ_COMPOSITES] = "SELECT id, build_date, root_part, type FROM oo7.composite_part"
                            " WHERE id IN " USED,
    [OO7_READ_ROOTS] = "SELECT a.id, a.build_date, a.x, a.y, a.document, a.part_of, a.xmin, a.type"
                       " FROM oo7.atomic_part a JOIN oo7.composite_part c ON c.root_part = a.id"
                       " WHERE c.id IN " USED,
    [OO7_READ_PARTS] = "SELECT id, build_date, x, y, document, part_of, xmin, type"
                       " FROM oo7.atomic_part WHERE part_of IN " USED,
    [OO7_READ_CONNECTIONS] =
        "SELECT c.id, c.source, c.target, c.length, c.type FROM oo7.connection c"
        " JOIN oo7.atomic_part a ON a.id = c.source WHERE a.part_of IN " USED,
    [OO7_READ_DOCUMENTS] = ("SELECT part, xmin, text FROM oo7.document"
                            " WHERE part IN " USED),
    [OO7_READ_MANUAL] = "SELECT m.text FROM oo7.manual m JOIN oo7.module o ON o.manual = m.id",
};

/* ---- rows into structs ---- */

typedef struct cells
{
    const PGresult *result;
    int row;
} cells;

static int32_t number(cells c, int column)
{
    return read_int32(PQgetvalue(c.result, c.row, column));
}

static void take_design(oo7_design *design, cells c, int type)
{
    design->id = number(c, 0);
    design->build_date = number(c, 1);
    snprintf(design->type, sizeof design->type, "%s", PQgetvalue(c.result, c.row, type));
}

static int place_below(int32_t id)
{
    return (id - 2) % OO7_WIDTH;
}

static void take_complex(oo7_hand *h, cells c)
{
    oo7_complex *complex = &h->graph->complexes[number(c, 0) - 1];

    take_design(&complex->design, c, 3);
    if (PQgetisnull(c.result, c.row, 2))
        return;
    complex->super = &h->graph->complexes[number(c, 2) - 1];
    complex->super->complexes[place_below(complex->design.id)] = complex;
}

static void take_base(oo7_hand *h, cells c)
{
    oo7_base *base = &h->graph->bases[number(c, 0) - h->graph->complexes_size - 1];

    take_design(&base->design, c, 3);
    base->super = &h->graph->complexes[number(c, 2) - 1];
    base->super->bases[place_below(base->design.id)] = base;
}

static void take_component(oo7_hand *h, cells c)
{
    oo7_base *base = &h->graph->bases[number(c, 0) - h->graph->complexes_size - 1];

    base->privates[number(c, 1)] = &h->graph->composites[number(c, 2) - 1];
}

static void take_composite(oo7_hand *h, cells c)
{
    oo7_composite *composite = &h->graph->composites[number(c, 0) - 1];

    take_design(&composite->design, c, 3);
    composite->root = &h->graph->parts[number(c, 2) - 1];
}

static void take_part(oo7_hand *h, cells c)
{
    oo7_part *part = &h->graph->parts[number(c, 0) - 1];

    take_design(&part->design, c, 7);
    part->x = number(c, 2);
    part->y = number(c, 3);
    part->document = number(c, 4);
    part->part_of = &h->graph->composites[number(c, 5) - 1];
    h->versions[part->design.id] = number(c, 6);
    /* The ids of a part's connections are next to each other. */
    part->outgoing = h->graph->connections + (part->design.id - 1) * h->graph->config->connections;
}

static void take_connection(oo7_hand *h, cells c)
{
    oo7_connection *connection = &h->graph->connections[number(c, 0) - 1];

    connection->source = &h->graph->parts[number(c, 1) - 1];
    connection->target = &h->graph->parts[number(c, 2) - 1];
    connection->length = number(c, 3);
    snprintf(connection->type, sizeof connection->type, "%s", PQgetvalue(c.result, c.row, 4));
}

/* With room for what T5 adds. */
static char *copy_text(cells c, int column)
{
    size_t size = (size_t) PQgetlength(c.result, c.row, column);
    char *text = malloc(size + 4);

    if (!text)
        die("out of memory");
    memcpy(text, PQgetvalue(c.result, c.row, column), size + 1);
    return text;
}

static void take_document(oo7_hand *h, cells c)
{
    int32_t id = number(c, 0);

    h->graph->composites[id - 1].text = copy_text(c, 2);
    h->versions[id] = number(c, 1);
}

static void take_manual(oo7_hand *h, cells c)
{
    h->graph->manual = copy_text(c, 0);
}

static void (*const takers[])(oo7_hand *h, cells c) = {
    [OO7_READ_COMPLEXES] = take_complex,
    [OO7_READ_BASES] = take_base,
    [OO7_READ_COMPONENTS] = take_component,
    [OO7_READ_COMPOSITES] = take_composite,
    [OO7_READ_ROOTS] = take_part,
    [OO7_READ_PARTS] = take_part,
    [OO7_READ_CONNECTIONS] = take_connection,
    [OO7_READ_DOCUMENTS] = take_document,
    [OO7_READ_MANUAL] = take_manual,
};

/* ---- reading ---- */

static void take_result(oo7_hand *h, int statement)
{
    PGresult *result = expect(h->pq, PQgetResult(h->pq), PGRES_TUPLES_OK);

    for (int row = 0; row < PQntuples(result); row++)
        takers[statement](h, (cells){result, row});
    h->rows += PQntuples(result);
    PQclear(result);
    PQclear(PQgetResult(h->pq));
}

/* All that the bits say, in one round trip. */
static void read_tables(oo7_hand *h, unsigned what)
{
    PQenterPipelineMode(h->pq);
    for (int i = 0; i < OO7_READ_COUNT; i++)
    {
        char name[16];

        snprintf(name, sizeof name, "oo7_%d", i);
        if (what & 1u << i && PQsendQueryPrepared(h->pq, name, 0, NULL, NULL, NULL, 1) != 1)
            die("%s", PQerrorMessage(h->pq));
    }
    PQpipelineSync(h->pq);
    h->trips++;
    for (int i = 0; i < OO7_READ_COUNT; i++)
        if (what & 1u << i)
            take_result(h, i);
    PQclear(expect(h->pq, PQgetResult(h->pq), PGRES_PIPELINE_SYNC));
    PQexitPipelineMode(h->pq);
}

#define BIT(what) (1u << OO7_READ_##what)
#define TREE (BIT(COMPLEXES) | BIT(BASES) | BIT(COMPONENTS) | BIT(COMPOSITES))

static unsigned what_is_read(oo7_operation operation)
{
    switch (operation)
    {
        case OO7_T4:
        case OO7_T5_DO:
        case OO7_T5_UNDO:
            return TREE | BIT(DOCUMENTS);
        case OO7_T6:
            return TREE | BIT(ROOTS);
        case OO7_T8:
        case OO7_T9:
            return BIT(MANUAL);
        default:
            return TREE | BIT(PARTS) | BIT(CONNECTIONS);
    }
}

/* Room for as many objects as the library has, none of them read. */
static void make_room(oo7_hand *h)
{
    const oo7_graph *whole = h->whole;
    oo7_graph *graph = calloc(1, sizeof *graph);

    if (!graph)
        die("out of memory");
    *graph = *whole;
    graph->manual = NULL;
    graph->complexes = calloc((size_t) whole->complexes_size, sizeof *graph->complexes);
    graph->bases = calloc((size_t) whole->bases_size, sizeof *graph->bases);
    graph->composites = calloc((size_t) whole->composites_size, sizeof *graph->composites);
    graph->parts = calloc((size_t) whole->parts_size, sizeof *graph->parts);
    graph->connections = calloc((size_t) whole->connections_size, sizeof *graph->connections);
    h->versions = calloc((size_t) whole->parts_size + 1, sizeof *h->versions);
    if (!graph->complexes || !graph->bases || !graph->composites || !graph->parts ||
        !graph->connections || !h->versions)
        die("out of memory");
    h->graph = graph;
}

void oo7_hand_forget(oo7_hand *h)
{
    if (!h->graph)
        return;
    oo7_graph_free(h->graph);
    free(h->versions);
    free(h->before);
    h->graph = NULL;
    h->versions = NULL;
    h->before = NULL;
}

/* ---- all operations ---- */

static bool is_query(oo7_operation operation)
{
    return operation == OO7_T7 || (operation >= OO7_Q1 && operation <= OO7_Q8);
}

oo_tally oo7_hand_run(oo7_hand *h, oo7_operation operation)
{
    oo_tally tally;

    h->rows = 0;
    if (is_query(operation))
        return oo7_hand_query(h, operation);
    if (operation == OO7_SM1 || operation == OO7_SM2)
        return oo7_hand_change(h, operation);
    if (!h->graph)
    {
        make_room(h);
        read_tables(h, what_is_read(operation));
    }
    if (oo7_writes[operation])
        oo7_hand_remember(h, operation);
    if (operation == OO7_CU)
        oo7_model_run(h->graph, OO7_T1);
    tally = oo7_model_run(h->graph, operation);
    if (oo7_writes[operation])
        oo7_hand_write(h, operation);
    return tally;
}

void oo7_hand_open(oo7_hand *h, PGconn *pq, const oo7_graph *whole)
{
    memset(h, 0, sizeof *h);
    h->pq = pq;
    h->whole = whole;
    for (int i = 0; i < OO7_READ_COUNT; i++)
    {
        char name[16];

        snprintf(name, sizeof name, "oo7_%d", i);
        prepare(pq, name, statements[i]);
    }
    oo7_hand_prepare_queries(h);
    oo7_hand_prepare_changes(h);
}

void oo7_hand_close(oo7_hand *h)
{
    oo7_hand_forget(h);
    for (int i = 0; i < OO7_WIRES; i++)
        wire_free(&h->wires[i]);
    run_sql(h->pq, "DEALLOCATE ALL");
}
