/*
 * oo1.h - the OO1 benchmark (Cattell and Skeen, TODS 1992): parts that are connected,
 * three connections from each, nine in ten to parts nearby.
 *
 * The program knows the parts' ids; each operation calls a null procedure for each part
 * with its place and type.  Reverse traversals go by query, level by level: a part does
 * not know who refers to it, but the connections have an index.
 */
#ifndef BENCH_OO1_H
#define BENCH_OO1_H

#include "bench.h"
#include "oo.h"

#define OO1_CONNECTIONS 3 /* from each part */
#define OO1_LOOKUPS 1000
#define OO1_HOPS 7
#define OO1_VISITS 3280 /* of a traversal: 3^0 + ... + 3^7 */
#define OO1_INSERTS 100

/* Connection k of part i is number 3 (i - 1) + k + 1. */
typedef struct oo1_part
{
    int32_t x, y, targets[OO1_CONNECTIONS];
} oo1_part;

typedef struct oo1_graph
{
    int32_t size;
    oo1_part *parts;  /* by id; those that are inserted at the end */
    int32_t *sources; /* of connections, those to a part next to each other */
    int32_t *first;   /* by id of the part: where its begin; one more at the end */
    int32_t lookups[OO1_LOOKUPS], start;
} oo1_graph;

typedef enum oo1_operation
{
    OO1_LOOKUP,
    OO1_TRAVERSAL,
    OO1_REVERSE,
    OO1_INSERT,
    OO1_OPERATIONS
} oo1_operation;

extern const char *const oo1_names[];

/* ---- oo1_graph.c ---- */

void oo1_graph_make(oo1_graph *graph, int32_t size);
void oo1_graph_free(oo1_graph *graph);
/* Other parts to begin with, from a seed. */
void oo1_graph_draw(oo1_graph *graph, uint64_t *seed);
oo_tally oo1_graph_run(const oo1_graph *graph, oo1_operation operation);
/* Makes the classes and fills them; what was inserted goes again. */
void oo1_store(PGconn *pq, const oo1_graph *graph);
void oo1_remove(PGconn *pq, const oo1_graph *graph);
void oo1_verify(PGconn *pq, const oo1_graph *graph);

/* ---- oo1_paos.c ---- */

typedef struct oo1_paos
{
    paos_conn *conn;
    const oo1_graph *graph;
    paos_id class; /* the upper bits of a part's id */
    const paos_attribute *x, *y, *outgoing, *source, *target;
    bool stated; /* what an operation follows is said when it begins */
    oo_tally tally;
} oo1_paos;

void oo1_paos_open(oo1_paos *w, paos_conn *conn, const oo1_graph *graph);
oo_tally oo1_paos_run(oo1_paos *w, oo1_operation operation);

/* ---- oo1_hand.c ---- */

typedef struct oo1_hand
{
    PGconn *pq;
    const oo1_graph *graph;
    wire wires[7];
} oo1_hand;

void oo1_hand_open(oo1_hand *h, PGconn *pq, const oo1_graph *graph);
void oo1_hand_close(oo1_hand *h);
oo_tally oo1_hand_run(oo1_hand *h, oo1_operation operation);

#endif
