/*
 * request.h - what the files of requests share: the shared memory they live in.
 *
 * Requests are in a DSA area of the database, made when somebody first
 * subscribes: see shared.c.  What is there goes with the server; it is removed
 * by session exit without a transaction, so removal may neither look at
 * catalogues nor compare values.
 */
#ifndef PAOS_REQUEST_H
#define PAOS_REQUEST_H

#include "paos.h"

#include "executor/tuptable.h"
#include "lib/dshash.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/dsa.h"

/* One per database, at a place in the area that shared.c knows. */
typedef struct PaosShared
{
    int tranche;                     /* of every lock in the area */
    LWLock lock;                     /* guards class_index's pointers and the lists of signatures */
    pg_atomic_uint64 last_request;   /* ids, never given twice */
    dshash_table_handle requests;    /* PaosRequest by id */
    dshash_table_handle constants;   /* of the predicate index: see index.c */
    pg_atomic_uint32 class_requests[PAOS_CLASS_MAX + 1]; /* how many; what a writer looks at first */
    dsa_pointer class_index[PAOS_CLASS_MAX + 1];         /* of index.c; made once, never freed */
} PaosShared;

/* in shared.c */
/* The shared memory of requests; NULL when there is none and create is false. */
extern PaosShared *PaosSharedGet(bool create);
extern dsa_area *PaosSharedArea(void);

/*
 * in filing.c: how a bound condition is filed.  A filing is a list of entries;
 * an object can satisfy the condition only if it is found by one of them.
 */
typedef enum PaosFilingKind
{
    PAOS_FILE_EQUAL, /* attribute = constant, by hash */
    PAOS_FILE_RANGE, /* attribute between bounds, by order */
    PAOS_FILE_REST   /* nothing usable: every row of the class is a candidate */
} PaosFilingKind;

typedef struct PaosFiling
{
    PaosFilingKind kind;
    bool exact;          /* whoever is found by the entry satisfies the condition */
    AttrNumber attribute;
    Oid opfamily;        /* hash (EQUAL) or btree (RANGE) */
    Oid type;            /* of the constants, as the opfamily has it */
    Oid collation;
    Oid equal;           /* EQUAL: the operator */
    Datum low, high;     /* EQUAL: low is the constant */
    bool has_low, has_high;
    bool low_inclusive, high_inclusive;
} PaosFiling;

/* List of PaosFiling, or NIL when no row can satisfy the condition. */
extern List *PaosFile(Expr *condition, TupleDesc desc);

/* in index.c: the predicate index */
/* Files a request; the handle is what PaosIndexRemove takes. May fail with an error: then nothing was filed. */
extern dsa_pointer PaosIndexAdd(PaosShared *shared, int class, int64 request, List *filings);
/* Never fails, looks at no catalogue, needs no transaction. */
extern void PaosIndexRemove(PaosShared *shared, int class, dsa_pointer handle);

/* Told of each request that the row may satisfy, perhaps more than once; exact: it does satisfy. */
typedef void (*PaosFound)(int64 request, bool exact, void *arg);
extern void PaosIndexProbe(PaosShared *shared, int class, TupleTableSlot *row, PaosFound found,
                           void *arg);

#endif
