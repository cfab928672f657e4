/*
 * index_range.c - entries found by the range that a value lies in.
 *
 * A new entry goes into the bucket that its low bound belongs to; a bucket that
 * is full is split, and one that empties is joined with the next.  All comparing
 * is done before anything changes, so a comparison that fails does no harm, and
 * removing needs none.
 */
#include "index_range.h"

/* How many loose buckets one probe or insertion sets right at most. */
#define TIGHTEN_BUDGET 128

/* ---- entries ---- */

static Size LowSize(const PaosSignature *signature, const PaosFiling *filing)
{
    return filing->has_low ? PaosConstantSize(signature, filing->low) : 0;
}

dsa_pointer PaosRangeMake(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing)
{
    Size high = filing->has_high ? PaosConstantSize(use->signature, filing->high) : 0;

    return PaosEntryAllocate(area, filing,
                             sizeof(PaosRangeEntry) + LowSize(use->signature, filing) + high);
}

static PaosBound StoreBound(const PaosTree *tree, Datum value, bool inclusive, dsa_pointer place)
{
    PaosBound bound = {PaosConstantStore(tree->area, tree->signature, value, place),
                       inclusive ? PAOS_BOUND_INCLUSIVE : PAOS_BOUND_EXCLUSIVE};

    return bound;
}

static PaosRange SlotOf(const PaosTree *tree, const PaosFiling *filing, dsa_pointer entry)
{
    PaosRange slot = {{0, PAOS_BOUND_INFINITE}, {0, PAOS_BOUND_INFINITE}, entry};
    dsa_pointer place = entry + sizeof(PaosRangeEntry);

    if (filing->has_low)
        slot.low = StoreBound(tree, filing->low, filing->low_inclusive, place);
    place += LowSize(tree->signature, filing);
    if (filing->has_high)
        slot.high = StoreBound(tree, filing->high, filing->high_inclusive, place);
    return slot;
}

/* ---- linking ---- */

/* Puts a slot into a full bucket and a new one behind it. */
static void Split(const PaosTree *tree, dsa_pointer old, dsa_pointer new, int at,
                  const PaosRange *slot)
{
    int keep = at == PAOS_BUCKET_RANGES ? PAOS_BUCKET_RANGES
                                        : PAOS_BUCKET_RANGES / 2; /* what comes in order fills up */

    if (keep < PAOS_BUCKET_RANGES)
        PaosBucketPass(tree, old, keep, new);
    if (at < keep)
        PaosBucketPut(tree, old, at, slot);
    else
        PaosBucketPut(tree, new, at - keep, slot);
    PaosTreeHang(tree, old, new);
}

static void RaiseHighest(PaosBucket *bucket, PaosBound high, bool higher)
{
    if (!higher)
        return;
    bucket->highest = high.constant;
    bucket->highest_kind = high.kind;
}

/* False: there is no memory for another bucket. */
static bool Insert(const PaosTree *tree, const PaosRange *slot)
{
    dsa_pointer place = PaosTreePlace(tree, slot->low);
    PaosBucket *bucket = DsaPointerIsValid(place) ? PaosBucketAt(tree, place) : NULL;
    int at = bucket == NULL ? 0 : PaosBucketPosition(tree, bucket, slot->low);
    bool higher =
        bucket != NULL && bucket->highest_kind != PAOS_BOUND_UNKNOWN &&
        PaosIsHigher(tree, slot->high, (PaosBound){bucket->highest, bucket->highest_kind});
    dsa_pointer new;

    if (bucket != NULL && bucket->n < PAOS_BUCKET_RANGES)
    {
        PaosBucketPut(tree, place, at, slot);
        RaiseHighest(bucket, slot->high, higher);
        PaosTreeAdded(tree, place);
        return true;
    }
    new = PaosBucketMake(tree);
    if (!DsaPointerIsValid(new))
        return false;
    if (bucket != NULL)
        Split(tree, place, new, at, slot);
    else
    {
        PaosBucketPut(tree, new, 0, slot);
        PaosTreeHang(tree, InvalidDsaPointer, new);
    }
    return true;
}

/* So that nothing is looked up in catalogues, as a collation may be, under a lock. */
static void WarmUp(PaosSignatureUse *use, Datum value, bool of_right_type)
{
    if (use->warm || !of_right_type)
        return;
    FunctionCall2Coll(&use->compare, use->signature->collation, value, value);
    use->warm = true;
}

void PaosRangeLink(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing,
                   dsa_pointer pointer)
{
    PaosTree tree = {area, use->signature, use, TIGHTEN_BUDGET};
    PaosRange slot = SlotOf(&tree, filing, pointer);
    bool done;

    WarmUp(use, filing->has_low ? filing->low : filing->high, true);
    LWLockAcquire(&use->signature->lock, LW_EXCLUSIVE);
    done = Insert(&tree, &slot);
    if (done)
    {
        ((PaosEntry *) dsa_get_address(area, pointer))->linked = true;
        PaosTreeTighten(&tree);
    }
    LWLockRelease(&use->signature->lock);
    if (!done)
        ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of shared memory"));
}

/* ---- unlinking ---- */

/* Joins a bucket with the next when both are nearly empty. */
static void JoinNext(const PaosTree *tree, dsa_pointer pointer)
{
    PaosBucket *bucket = PaosBucketAt(tree, pointer);
    dsa_pointer next = PaosTreeNext(tree, pointer);

    if (!DsaPointerIsValid(next) ||
        bucket->n + PaosBucketAt(tree, next)->n > PAOS_BUCKET_RANGES / 2)
        return;
    PaosBucketPass(tree, next, 0, pointer);
    PaosTreeTakeOut(tree, next);
    PaosBucketFree(tree, next);
}

void PaosRangeUnlink(dsa_area *area, PaosSignature *signature, dsa_pointer pointer)
{
    PaosTree tree = {.area = area, .signature = signature};
    dsa_pointer place;
    PaosBucket *bucket;
    PaosBound high;

    LWLockAcquire(&signature->lock, LW_EXCLUSIVE);
    /* Not before: others join buckets. */
    place = ((PaosRangeEntry *) dsa_get_address(area, pointer))->bucket;
    bucket = PaosBucketAt(&tree, place);
    high = PaosBucketTake(&tree, bucket, pointer);
    PaosTreeRemoved(&tree, place, high);
    if (bucket->n > 0)
        JoinNext(&tree, place);
    else
    {
        PaosTreeTakeOut(&tree, place);
        PaosBucketFree(&tree, place);
    }
    LWLockRelease(&signature->lock);
}

/* ---- finding ---- */

static void FindUnder(const PaosTree *tree, dsa_pointer pointer, Datum value, PaosFoundList *found)
{
    while (DsaPointerIsValid(pointer))
    {
        const PaosBucket *bucket = PaosBucketAt(tree, pointer);

        if (!PaosIsBelowHigh(tree, value, bucket->greatest, bucket->greatest_kind))
            return;
        FindUnder(tree, bucket->left, value, found);
        if (!PaosIsAboveLow(tree, value, bucket->low, bucket->low_kind))
            return;
        if (PaosIsBelowHigh(tree, value, bucket->highest, bucket->highest_kind))
            PaosBucketFind(tree, bucket, value, found);
        pointer = bucket->right;
    }
}

/* Sets some loose buckets right, unless others are at work in the tree. */
static void TightenSome(PaosTree *tree)
{
    if (!LWLockConditionalAcquire(&tree->signature->lock, LW_EXCLUSIVE))
        return;
    PaosTreeTighten(tree);
    LWLockRelease(&tree->signature->lock);
}

void PaosRangeFind(dsa_area *area, PaosSignatureUse *use, Datum value, PaosFoundList *found)
{
    PaosTree tree = {area, use->signature, use, TIGHTEN_BUDGET};
    bool loose;

    WarmUp(use, value, use->signature->left_type == use->signature->type);
    LWLockAcquire(&use->signature->lock, LW_SHARED);
    loose = PaosTreeIsLoose(&tree);
    FindUnder(&tree, use->signature->root, value, found);
    LWLockRelease(&use->signature->lock);
    if (loose)
        TightenSome(&tree);
}

static void AddUnder(const PaosTree *tree, dsa_pointer pointer, PaosFoundList *found)
{
    for (; DsaPointerIsValid(pointer); pointer = PaosBucketAt(tree, pointer)->right)
    {
        const PaosBucket *bucket = PaosBucketAt(tree, pointer);
        const PaosRanges *slots = PaosRangesOf(tree, bucket);
        int i;

        AddUnder(tree, bucket->left, found);
        for (i = 0; i < bucket->n; i++)
            PaosFoundAdd(found, dsa_get_address(tree->area, slots->entry[i]));
    }
}

void PaosRangeFindAll(dsa_area *area, PaosSignatureUse *use, PaosFoundList *found)
{
    PaosTree tree = {.area = area, .signature = use->signature};

    LWLockAcquire(&use->signature->lock, LW_SHARED);
    AddUnder(&tree, use->signature->root, found);
    LWLockRelease(&use->signature->lock);
}
