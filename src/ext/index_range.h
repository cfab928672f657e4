/*
 * index_range.h - the tree that entries with a range hang in.
 *
 * Entries are sorted by their low bounds, some in each bucket; the buckets make
 * a treap in which each knows the greatest high bound below it.  What a search
 * reads of a bucket is one line of the processor's cache; its slots are
 * elsewhere and mostly not looked at.
 */
#ifndef PAOS_INDEX_RANGE_H
#define PAOS_INDEX_RANGE_H

#include "index.h"

#include "utils/builtins.h"

typedef enum PaosBoundKind
{
    PAOS_BOUND_INFINITE,
    PAOS_BOUND_INCLUSIVE,
    PAOS_BOUND_EXCLUSIVE,
    PAOS_BOUND_UNKNOWN /* of the highest among several; to be taken for infinite */
} PaosBoundKind;

typedef struct PaosBound
{
    PaosConstant constant; /* 0 unless inclusive or exclusive */
    PaosBoundKind kind;
} PaosBound;

typedef struct PaosRange
{
    PaosBound low;
    PaosBound high;
    dsa_pointer entry;
} PaosRange;

typedef struct PaosRangeEntry
{
    PaosEntry entry;
    dsa_pointer bucket; /* bytes of the bounds, if they have any, follow */
} PaosRangeEntry;

#define PAOS_GROUP_RANGES 8    /* a line of bounds */
#define PAOS_BUCKET_RANGES 110 /* fill what the area gives for them */
#define PAOS_BUCKET_GROUPS ((PAOS_BUCKET_RANGES + PAOS_GROUP_RANGES - 1) / PAOS_GROUP_RANGES)

/* Arrays beside each other: a search goes through bounds of groups, then of a group or two. */
typedef struct PaosRanges
{
    PaosConstant group_low[PAOS_BUCKET_GROUPS];  /* of the first in the group */
    PaosConstant group_high[PAOS_BUCKET_GROUPS]; /* the highest in the group */
    uint8 group_low_kind[PAOS_BUCKET_GROUPS];
    uint8 group_high_kind[PAOS_BUCKET_GROUPS]; /* unknown in a loose bucket only */
    PaosConstant low[PAOS_BUCKET_RANGES];      /* in order */
    PaosConstant high[PAOS_BUCKET_RANGES];
    dsa_pointer entry[PAOS_BUCKET_RANGES];
    uint8 low_kind[PAOS_BUCKET_RANGES];
    uint8 high_kind[PAOS_BUCKET_RANGES];
} PaosRanges;

StaticAssertDecl(sizeof(PaosRanges) <= 3120, "ranges must fit what the area gives for them");

/* In 64 bytes. */
typedef struct PaosBucket
{
    dsa_pointer left;
    dsa_pointer right;
    dsa_pointer parent;
    dsa_pointer slots;
    PaosConstant low;      /* of the first slot */
    PaosConstant highest;  /* of the slots' high bounds */
    PaosConstant greatest; /* of those of the whole subtree */
    uint32 priority : 16;  /* not above the parent's */
    uint32 n : 8;          /* slots in use, never 0 in the tree */
    uint32 low_kind : 2;
    uint32 highest_kind : 2;
    uint32 greatest_kind : 2;
    uint32 loose : 1; /* highest or greatest is not known, here or below */
} PaosBucket;

StaticAssertDecl(sizeof(PaosBucket) == 64, "a bucket must be one line");

/* What work on one tree needs to know. */
typedef struct PaosTree
{
    dsa_area *area;
    PaosSignature *signature;
    PaosSignatureUse *use; /* NULL: may not compare */
    int budget;            /* of tightening, in buckets */
} PaosTree;

static inline PaosBucket *PaosBucketAt(const PaosTree *tree, dsa_pointer pointer)
{
    return dsa_get_address(tree->area, pointer);
}

static inline PaosRanges *PaosRangesOf(const PaosTree *tree, const PaosBucket *bucket)
{
    return dsa_get_address(tree->area, bucket->slots);
}

/* ---- comparing ---- */

/* A value or constant with a constant, by the function given or what it is known to do. */
static inline int PaosRangeCompare(const PaosTree *tree, FmgrInfo *function, Datum a,
                                   PaosConstant b)
{
    switch (tree->use->order)
    {
        case PAOS_ORDER_INT4:
            return (DatumGetInt32(a) > DatumGetInt32(b)) - (DatumGetInt32(a) < DatumGetInt32(b));
        case PAOS_ORDER_INT8:
            return (DatumGetInt64(a) > DatumGetInt64(b)) - (DatumGetInt64(a) < DatumGetInt64(b));
        default:
            return DatumGetInt32(
                FunctionCall2Coll(function, tree->signature->collation, a,
                                  PaosConstantDatum(tree->area, tree->signature, b)));
    }
}

static inline int PaosConstantsCompare(const PaosTree *tree, PaosConstant a, PaosConstant b)
{
    return PaosRangeCompare(tree, &tree->use->compare,
                            PaosConstantDatum(tree->area, tree->signature, a), b);
}

static inline bool PaosIsAboveLow(const PaosTree *tree, Datum value, PaosConstant low, int kind)
{
    if (kind == PAOS_BOUND_INFINITE)
        return true;
    return PaosRangeCompare(tree, &tree->use->compare_left, value, low) >=
           (kind == PAOS_BOUND_INCLUSIVE ? 0 : 1);
}

static inline bool PaosIsBelowHigh(const PaosTree *tree, Datum value, PaosConstant high, int kind)
{
    if (kind == PAOS_BOUND_INFINITE || kind == PAOS_BOUND_UNKNOWN)
        return true;
    return PaosRangeCompare(tree, &tree->use->compare_left, value, high) <=
           (kind == PAOS_BOUND_INCLUSIVE ? 0 : -1);
}

/* Is the first high bound above the second?  An inclusive one is above the same exclusive one. */
static inline bool PaosIsHigher(const PaosTree *tree, PaosBound a, PaosBound b)
{
    int order;

    if (a.kind == PAOS_BOUND_INFINITE || b.kind == PAOS_BOUND_INFINITE)
        return b.kind != PAOS_BOUND_INFINITE;
    order = PaosConstantsCompare(tree, a.constant, b.constant);
    return order > 0 || (order == 0 && a.kind < b.kind);
}

/* in index_bucket.c */
/* InvalidDsaPointer: there is no memory. */
extern dsa_pointer PaosBucketMake(const PaosTree *tree);
extern void PaosBucketFree(const PaosTree *tree, dsa_pointer bucket);
/* Where a low bound belongs: behind all that are not above it. */
extern int PaosBucketPosition(const PaosTree *tree, const PaosBucket *bucket, PaosBound low);
/* These compare nothing, and leave the bucket loose. */
extern void PaosBucketPut(const PaosTree *tree, dsa_pointer bucket, int at, const PaosRange *slot);
/* Moves the slots of a bucket from a certain one on to the end of another. */
extern void PaosBucketPass(const PaosTree *tree, dsa_pointer from, int first, dsa_pointer to);
/* Takes out the slot of an entry; its high bound. */
extern PaosBound PaosBucketTake(const PaosTree *tree, PaosBucket *bucket, dsa_pointer entry);
/* Finds out about its own bounds, not those below it. */
extern void PaosBucketTighten(const PaosTree *tree, PaosBucket *bucket);
extern void PaosBucketFind(const PaosTree *tree, const PaosBucket *bucket, Datum value,
                           PaosFoundList *found);

/* in index_tree.c */
/* The bucket that a low bound belongs in; InvalidDsaPointer: the tree is empty. */
extern dsa_pointer PaosTreePlace(const PaosTree *tree, PaosBound low);
/*
 * Hang a bucket under the tree behind another, or as the only one, and take one
 * out again.  The greatest bounds of all above it are not known then: the other,
 * and one before it, are always among these.
 */
extern void PaosTreeHang(const PaosTree *tree, dsa_pointer after, dsa_pointer bucket);
extern void PaosTreeTakeOut(const PaosTree *tree, dsa_pointer bucket);
extern dsa_pointer PaosTreeNext(const PaosTree *tree, dsa_pointer bucket);
/* A bucket has one more high bound, or one less. */
extern void PaosTreeAdded(const PaosTree *tree, dsa_pointer bucket);
extern void PaosTreeRemoved(const PaosTree *tree, dsa_pointer bucket, PaosBound gone);
extern bool PaosTreeIsLoose(const PaosTree *tree);
/* Finds out about bounds that are not known, as many as the budget allows. */
extern void PaosTreeTighten(PaosTree *tree);

#endif
