/*
 * oo7.h - the OO7 benchmark (Carey, DeWitt, Naughton, SIGMOD 1993): a design library
 * of composite parts, graphs of atomic parts, under a tree of assemblies.
 *
 * The graph in plain C structs is three things: what the tables are filled from,
 * the oracle that tells what each operation must come to, and the limit of what a
 * traversal can cost.  Whoever changes the tables makes the same change to it.
 *
 * Deviations from the authors' program, which their paper asks for: Q4 looks up 100
 * titles, Q5 counts assemblies and not parts, Q8 joins by the part's document, and
 * SM1 makes 5 composite parts.  Q1's ids, as Q4's titles, are known before the first of them
 * is looked up: every way asks for all of them at once.
 */
#ifndef BENCH_OO7_H
#define BENCH_OO7_H

#include "bench.h"
#include "oo.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* Sub-assemblies of an assembly, and composite parts of one, in all configurations. */
#define OO7_WIDTH 3
#define OO7_CONNECTIONS_MAX 9  /* from an atomic part */
#define OO7_LOOKUPS 10         /* Q1 */
#define OO7_TITLES 100         /* Q4 */
#define OO7_NEW_PARTS 5        /* SM1: composite parts, */
#define OO7_NEW_PLACES 10      /* and base assemblies that come to use them */
#define OO7_TYPE 10            /* bytes of a type's name, with its zero */
#define OO7_YOUNGEST 1999      /* date of an atomic part */
#define OO7_LAST_1_PART 1990   /* Q2 */
#define OO7_LAST_10_PARTS 1900 /* Q3 */

/* Every operation, and whether it writes. */
/* clang-format off */
#define OO7_OPERATIONS(X) \
    X(T1, false) X(T2A, true) X(T2B, true) X(T2C, true) X(T3A, true) \
    X(T3B, true) X(T3C, true) X(T4, false) X(T5_DO, true) X(T5_UNDO, true) \
    X(T6, false) X(T7, false) X(T8, false) X(T9, false) X(CU, true) \
    X(Q1, false) X(Q2, false) X(Q3, false) X(Q4, false) X(Q5, false) \
    X(Q7, false) X(Q8, false) X(SM1, true) X(SM2, true)
/* clang-format on */

typedef enum oo7_operation
{
#define OO7_MEMBER(name, writes) OO7_##name,
    OO7_OPERATIONS(OO7_MEMBER)
#undef OO7_MEMBER
        OO7_OPERATION_COUNT
} oo7_operation;

/* Q2, Q3 and Q7 are one query: from which date on; -1: another operation. */
static inline int32_t oo7_first_date(oo7_operation operation)
{
    switch (operation)
    {
        case OO7_Q2:
            return OO7_LAST_1_PART;
        case OO7_Q3:
            return OO7_LAST_10_PARTS;
        case OO7_Q7:
            return 0;
        default:
            return -1;
    }
}

typedef struct oo7_config
{
    const char *name;
    int atomic_parts;  /* of a composite part */
    int connections;   /* from an atomic part */
    int composites;    /* in the library */
    int levels;        /* of assemblies */
    int document_size; /* bytes, with a zero byte that is not stored */
    int manual_size;
} oo7_config;

typedef struct oo7_part oo7_part;
typedef struct oo7_composite oo7_composite;
typedef struct oo7_base oo7_base;
typedef struct oo7_complex oo7_complex;

typedef struct oo7_design
{
    int32_t id, build_date;
    char type[OO7_TYPE];
} oo7_design;

typedef struct oo7_connection
{
    oo7_part *source, *target;
    int32_t length;
    char type[OO7_TYPE];
} oo7_connection;

struct oo7_part
{
    oo7_design design;
    int32_t x, y, document;
    uint32_t visited; /* number of the walk that was here last */
    oo7_composite *part_of;
    oo7_connection *outgoing; /* as many as the configuration says */
};

struct oo7_composite
{
    oo7_design design;
    oo7_part *root;
    char *text;       /* of its document, whose id is the composite part's */
    oo7_base **users; /* those that have it as a private component, again for each time */
    int users_size, users_capacity;
};

struct oo7_base
{
    oo7_design design;
    oo7_complex *super;
    oo7_composite *privates[OO7_WIDTH], *shared[OO7_WIDTH];
};

/* Below the last level of complex assemblies there are base assemblies. */
struct oo7_complex
{
    oo7_design design;
    oo7_complex *super;
    oo7_complex *complexes[OO7_WIDTH];
    oo7_base *bases[OO7_WIDTH];
};

typedef struct oo7_graph
{
    const oo7_config *config;
    int complexes_size, bases_size, composites_size, parts_size, connections_size;
    oo7_complex *complexes; /* ids from 1, the first is the root */
    oo7_base *bases;        /* ids go on from there */
    oo7_composite *composites;
    oo7_part *parts;
    oo7_connection *connections;
    char *manual;
    uint32_t walk;
    /* What operations begin with; the same for every way to run them. */
    int32_t start; /* T7: id of an atomic part */
    int32_t lookups[OO7_LOOKUPS];
    int32_t titles[OO7_TITLES];     /* ids of documents */
    int32_t places[OO7_NEW_PLACES]; /* ids of different base assemblies */
} oo7_graph;

/* ---- oo7_graph.c ---- */

extern const oo7_config oo7_tiny, oo7_small, oo7_medium;
extern const char *const oo7_names[OO7_OPERATION_COUNT];
extern const bool oo7_writes[OO7_OPERATION_COUNT];

oo7_graph *oo7_graph_make(const oo7_config *config, uint64_t seed);
void oo7_graph_free(oo7_graph *graph);
#define OO7_TITLE "Composite Part %08d"

/* ---- oo7_store.c: tables and classes in schema oo7 ---- */

/* Makes the tables anew and fills them from the graph. */
void oo7_store(PGconn *pq, const oo7_graph *graph);
/* Ends the program unless the tables hold what the graph does, but for what SM1 added. */
void oo7_verify(PGconn *pq, const oo7_graph *graph, bool extended);

/* ---- oo7_model.c: operations on the graph ---- */

/* SM1 and SM2 change nothing: only what they must come to is returned. */
oo_tally oo7_model_run(oo7_graph *graph, oo7_operation operation);
/* The results that follow from the definition alone; count -1: it depends on chance. */
int64_t oo7_expected(const oo7_config *config, oo7_operation operation);

/* ---- oo7_paos.c, oo7_paos_query.c, oo7_paos_change.c: operations by the C client ---- */

/* Every attribute that is used: class, and its name. */
/* clang-format off */
#define OO7_ATTRIBUTES(X) \
    X(module, design_root) X(module, manual) X(manual, text) \
    X(complex_assembly, sub_assemblies) X(base_assembly, id) X(base_assembly, build_date) \
    X(base_assembly, super) X(base_assembly, components_priv) X(complex_assembly, id) \
    X(complex_assembly, super) X(composite_part, id) X(composite_part, build_date) \
    X(composite_part, root_part) X(composite_part, documentation) X(composite_part, used_in_priv) \
    X(document, id) X(document, text) X(document, part) \
    X(atomic_part, id) X(atomic_part, build_date) X(atomic_part, x) \
    X(atomic_part, y) X(atomic_part, document) X(atomic_part, part_of) \
    X(atomic_part, outgoing) X(connection, target)
/* clang-format on */

typedef struct oo7_paos
{
    paos_conn *conn;
    const oo7_graph *graph; /* for what operations begin with */
    bool stated;            /* what an operation follows is said when it begins */
    paos_get_options options;
    paos_id module;    /* 0: not looked for yet */
    uint32_t *visited; /* by key of an atomic part: number of the walk that was there last */
    size_t visited_size;
    uint32_t walk;
    oo_tally tally;
    void (*visit)(struct oo7_paos *w, paos_object *part, bool first);
#define OO7_MEMBER(class, name) const paos_attribute *class##_##name;
    OO7_ATTRIBUTES(OO7_MEMBER)
#undef OO7_MEMBER
} oo7_paos;

/* Does the operation follow anything that it can state? */
bool oo7_paos_states(oo7_operation operation);
void oo7_paos_open(oo7_paos *w, paos_conn *conn, const oo7_graph *graph);
void oo7_paos_close(oo7_paos *w);
/* With the commit, when it writes. */
oo_tally oo7_paos_run(oo7_paos *w, oo7_operation operation);
void oo7_paos_query(oo7_paos *w, oo7_operation operation);
void oo7_paos_insert(oo7_paos *w); /* SM1 */
void oo7_paos_delete(oo7_paos *w); /* SM2 */
/* The procedure that is called for an atomic part. */
void oo7_paos_look(oo7_paos *w, paos_object *part, bool first);
/* A list that must be come by. */
paos_list *oo7_paos_get(oo7_paos *w, const char *class_name, const char *query,
                        const paos_value *args, size_t nargs);
/* An object that must be there. */
paos_object *oo7_paos_ref(const oo7_paos *w, paos_object *object, const paos_attribute *at);
paos_list *oo7_paos_refs(const oo7_paos *w, paos_object *object, const paos_attribute *at);

/* ---- oo7_hand.c, oo7_hand_query.c, oo7_hand_change.c: operations by hand ---- */

/* What is read into structs, by bits of these numbers. */
enum
{
    OO7_READ_COMPLEXES,
    OO7_READ_BASES,
    OO7_READ_COMPONENTS,
    OO7_READ_COMPOSITES,
    OO7_READ_ROOTS,
    OO7_READ_PARTS,
    OO7_READ_CONNECTIONS,
    OO7_READ_DOCUMENTS,
    OO7_READ_MANUAL,
    OO7_READ_COUNT
};

#define OO7_WIRES 4

typedef struct oo7_hand
{
    PGconn *pq;
    const oo7_graph *whole; /* for sizes, and what operations begin with */
    oo7_graph *graph;       /* what was read; NULL: nothing yet */
    int32_t *versions;      /* xmin, by id of an atomic part or document */
    oo7_part *before;       /* atomic parts as they were read */
    int64_t rows;           /* that the last operation read */
    int64_t trips;          /* waits for the server so far */
    wire wires[OO7_WIRES];
} oo7_hand;

void oo7_hand_open(oo7_hand *h, PGconn *pq, const oo7_graph *whole);
void oo7_hand_close(oo7_hand *h);
/* Uses what it has read before, if anything. */
oo_tally oo7_hand_run(oo7_hand *h, oo7_operation operation);
void oo7_hand_forget(oo7_hand *h);
void oo7_hand_prepare_queries(oo7_hand *h);
void oo7_hand_prepare_changes(oo7_hand *h);
oo_tally oo7_hand_query(oo7_hand *h, oo7_operation operation);
oo_tally oo7_hand_change(oo7_hand *h, oo7_operation operation);
/* Before and after the traversal that changes the structs. */
void oo7_hand_remember(oo7_hand *h, oo7_operation operation);
void oo7_hand_write(oo7_hand *h, oo7_operation operation);

/* ---- oo7_peer.c: operations by object-relational mappers ---- */

typedef struct oo7_work
{
    double seconds;
    int64_t rows, statements;
} oo7_work;

typedef struct oo7_peer
{
    const char *tool, *strategy; /* to be set */
    child child;
} oo7_peer;

/* False, with a note below the table: its packages are missing. */
bool oo7_peer_open(oo7_peer *peer, const char *conninfo, const oo7_graph *graph);
void oo7_peer_close(oo7_peer *peer);
/* Forgets what it has loaded, and connects anew; what the mapper itself has learned stays. */
void oo7_peer_renew(oo7_peer *peer);
/* Hot: with what the cold operation before it has loaded. */
oo7_work oo7_peer_run(oo7_peer *peer, oo7_operation operation, bool hot, oo_tally expected);
/* Bytes for each atomic part. */
double oo7_peer_memory(oo7_peer *peer);

/* ---- oo7_way.c: connections ---- */

typedef struct oo7_way
{
    const char *conninfo;
    paos_conn *conn; /* NULL: not open */
    oo7_paos paos;
    PGconn *pq; /* the same */
    oo7_hand hand;
} oo7_way;

/* A new connection, instead of that there was. */
void oo7_way_renew_paos(oo7_way *way, const oo7_graph *graph, bool stated);
void oo7_way_renew_hand(oo7_way *way, const oo7_graph *graph);
void oo7_way_close(oo7_way *way);

/* ---- oo7.c, oo7_run.c: the case, and runs of it ---- */

typedef struct oo7_case
{
    oo7_graph *graph;
    oo7_way near, far; /* straight to the server, and over the network */
    oo7_way *at;       /* one of them */
    oo_net net;
    oo_traffic traffic; /* of the last run over the network */
    oo7_operation operation;
    oo_tally expected; /* of an operation that changes nothing */
} oo7_case;

/* What the runs from here on are of. */
void oo7_begin(oo7_case *oo7, oo7_way *at, oo7_operation operation);
/* What the operation must come to.  One that writes is done on the graph by that. */
oo_tally oo7_expect(const oo7_case *oo7);
/* How many runs of the operation in a row are a hot one: see oo7.c. */
int oo7_hot_runs(oo7_operation operation);
/*
 * Seconds of the case's operation; it is undone, where it can be repeated only then.  Cold is
 * on a new connection, which is open and knows the classes, or has the statements prepared.
 */
double oo7_paos_cold(bench *bench, void *oo7);      /* stated */
double oo7_paos_unstated(bench *bench, void *oo7);  /* cold too */
double oo7_paos_walked(bench *bench, void *oo7);    /* nothing cached, but not the first time */
double oo7_paos_restarted(bench *bench, void *oo7); /* stated, and the server restarted */
double oo7_paos_hot(bench *bench, void *oo7);
double oo7_hand_cold(bench *bench, void *oo7);
double oo7_hand_restarted(bench *bench, void *oo7);
double oo7_hand_hot(bench *bench, void *oo7);
double oo7_structs_hot(bench *bench, void *oo7);
/* Closes all connections and restarts the server; false: it cannot be. */
bool oo7_restart(bench *bench, oo7_case *oo7);
/* That came in a cold run: each is an object. */
int64_t oo7_paos_rows(const oo7_case *oo7);

/* ---- oo7_ways.c: some operations in all ways ---- */

void oo7_ways(bench *bench, oo7_case *oo7);

/* ---- texts ---- */

int oo7_count_letter(const char *text, char letter);

#endif
