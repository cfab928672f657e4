/*
 * index_range.c - entries found by the range that a value lies in.
 *
 * A new entry goes into the bucket that its low bound belongs to; a bucket that
 * is full is split, and one that empties is joined with the next.  All comparing
 * is done before anything changes, so a comparison that fails does no harm, and
 * removing needs none.
 */
#include "index_range.h"

#include "common/pg_prng.h"

/* How many loose buckets one probe or insertion sets right at most. */
#define TIGHTEN_BUDGET 128

typedef struct RangeEntry
{
    PaosEntry entry;
    dsa_pointer bucket; /* bytes of the bounds, if they have any, follow */
} RangeEntry;

/* ---- entries ---- */

static Size LowSize(const PaosSignature *signature, const PaosFiling *filing)
{
    return filing->has_low ? PaosConstantSize(signature, filing->low) : 0;
}

dsa_pointer PaosRangeMake(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing)
{
    Size high = filing->has_high ? PaosConstantSize(use->signature, filing->high) : 0;

    return PaosEntryAllocate(area, filing,
                             sizeof(RangeEntry) + LowSize(use->signature, filing) + high);
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
    dsa_pointer place = entry + sizeof(RangeEntry);

    if (filing->has_low)
        slot.low = StoreBound(tree, filing->low, filing->low_inclusive, place);
    place += LowSize(tree->signature, filing);
    if (filing->has_high)
        slot.high = StoreBound(tree, filing->high, filing->high_inclusive, place);
    return slot;
}

/* ---- slots ---- */

static void MoveSlots(PaosRanges *to, int at, const PaosRanges *from, int first, int n)
{
    memmove(to->low + at, from->low + first, n * sizeof(to->low[0]));
    memmove(to->high + at, from->high + first, n * sizeof(to->high[0]));
    memmove(to->entry + at, from->entry + first, n * sizeof(to->entry[0]));
    memmove(to->low_kind + at, from->low_kind + first, n);
    memmove(to->high_kind + at, from->high_kind + first, n);
}

/* After the first slot may have changed. */
static void CopyLow(const PaosTree *tree, PaosBucket *bucket)
{
    const PaosRanges *slots = PaosRangesOf(tree, bucket);

    bucket->low = slots->low[0];
    bucket->low_kind = slots->low_kind[0];
}

static void ForgetHighest(PaosBucket *bucket)
{
    bucket->highest = 0;
    bucket->highest_kind = PAOS_BOUND_UNKNOWN;
    bucket->loose = true;
}

static void PutSlot(const PaosTree *tree, dsa_pointer pointer, int at, const PaosRange *slot)
{
    PaosBucket *bucket = PaosBucketAt(tree, pointer);
    PaosRanges *slots = PaosRangesOf(tree, bucket);

    MoveSlots(slots, at + 1, slots, at, bucket->n - at);
    slots->low[at] = slot->low.constant;
    slots->low_kind[at] = slot->low.kind;
    slots->high[at] = slot->high.constant;
    slots->high_kind[at] = slot->high.kind;
    slots->entry[at] = slot->entry;
    bucket->n++;
    CopyLow(tree, bucket);
    ((RangeEntry *) dsa_get_address(tree->area, slot->entry))->bucket = pointer;
}

/* Moves the slots of a bucket from a certain one on to the end of another. */
static void PassSlots(const PaosTree *tree, dsa_pointer from_pointer, int first,
                      dsa_pointer to_pointer)
{
    PaosBucket *from = PaosBucketAt(tree, from_pointer);
    PaosBucket *to = PaosBucketAt(tree, to_pointer);
    PaosRanges *slots = PaosRangesOf(tree, to);
    int i;

    MoveSlots(slots, to->n, PaosRangesOf(tree, from), first, from->n - first);
    for (i = to->n; i < to->n + from->n - first; i++)
        ((RangeEntry *) dsa_get_address(tree->area, slots->entry[i]))->bucket = to_pointer;
    to->n += from->n - first;
    from->n = first;
    CopyLow(tree, to);
    ForgetHighest(from);
    ForgetHighest(to);
}

/* Where among the slots a low bound belongs: behind all that are not above it. */
static int PositionOf(const PaosTree *tree, const PaosBucket *bucket, PaosBound low)
{
    const PaosRanges *slots = PaosRangesOf(tree, bucket);
    int first = 0;
    int end = bucket->n;

    while (first < end)
    {
        int middle = (first + end) / 2;
        int order =
            (low.kind != PAOS_BOUND_INFINITE) - (slots->low_kind[middle] != PAOS_BOUND_INFINITE);

        if (order == 0 && low.kind != PAOS_BOUND_INFINITE)
            order = PaosConstantsCompare(tree, low.constant, slots->low[middle]);
        if (order == 0)
            order = (int) low.kind - (int) slots->low_kind[middle];
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/* ---- linking ---- */

static dsa_pointer MakeBucket(const PaosTree *tree)
{
    int flags = DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO;
    dsa_pointer pointer = dsa_allocate_extended(tree->area, sizeof(PaosBucket), flags);
    PaosBucket *bucket;

    if (!DsaPointerIsValid(pointer))
        return pointer;
    bucket = PaosBucketAt(tree, pointer);
    bucket->slots = dsa_allocate_extended(tree->area, sizeof(PaosRanges), flags);
    bucket->priority = pg_prng_uint32(&pg_global_prng_state);
    ForgetHighest(bucket);
    if (DsaPointerIsValid(bucket->slots))
        return pointer;
    dsa_free(tree->area, pointer);
    return InvalidDsaPointer;
}

static void FreeBucket(const PaosTree *tree, dsa_pointer pointer)
{
    dsa_free(tree->area, PaosBucketAt(tree, pointer)->slots);
    dsa_free(tree->area, pointer);
}

/* Puts a slot into a full bucket and a new one behind it. */
static void Split(const PaosTree *tree, dsa_pointer old, dsa_pointer new, int at,
                  const PaosRange *slot)
{
    int keep = at == PAOS_BUCKET_RANGES ? PAOS_BUCKET_RANGES
                                        : PAOS_BUCKET_RANGES / 2; /* what comes in order fills up */

    if (keep < PAOS_BUCKET_RANGES)
        PassSlots(tree, old, keep, new);
    if (at < keep)
        PutSlot(tree, old, at, slot);
    else
        PutSlot(tree, new, at - keep, slot);
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
    int at = bucket == NULL ? 0 : PositionOf(tree, bucket, slot->low);
    bool higher =
        bucket != NULL && bucket->highest_kind != PAOS_BOUND_UNKNOWN &&
        PaosIsHigher(tree, slot->high, (PaosBound){bucket->highest, bucket->highest_kind});
    dsa_pointer new;

    if (bucket != NULL && bucket->n < PAOS_BUCKET_RANGES)
    {
        PutSlot(tree, place, at, slot);
        RaiseHighest(bucket, slot->high, higher);
        PaosTreeAdded(tree, place);
        return true;
    }
    new = MakeBucket(tree);
    if (!DsaPointerIsValid(new))
        return false;
    if (bucket != NULL)
        Split(tree, place, new, at, slot);
    else
    {
        PutSlot(tree, new, 0, slot);
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
    PassSlots(tree, next, 0, pointer);
    PaosTreeTakeOut(tree, next);
    FreeBucket(tree, next);
}

static PaosBound TakeSlot(const PaosTree *tree, PaosBucket *bucket, dsa_pointer entry)
{
    PaosRanges *slots = PaosRangesOf(tree, bucket);
    PaosBound high;
    int at = 0;

    while (slots->entry[at] != entry)
        at++;
    high = (PaosBound){slots->high[at], slots->high_kind[at]};
    bucket->n--;
    MoveSlots(slots, at, slots, at + 1, bucket->n - at);
    CopyLow(tree, bucket);
    if (bucket->highest == high.constant && bucket->highest_kind == high.kind)
        ForgetHighest(bucket);
    return high;
}

void PaosRangeUnlink(dsa_area *area, PaosSignature *signature, dsa_pointer pointer)
{
    PaosTree tree = {.area = area, .signature = signature};
    dsa_pointer place;
    PaosBucket *bucket;
    PaosBound high;

    LWLockAcquire(&signature->lock, LW_EXCLUSIVE);
    /* Not before: others join buckets. */
    place = ((RangeEntry *) dsa_get_address(area, pointer))->bucket;
    bucket = PaosBucketAt(&tree, place);
    high = TakeSlot(&tree, bucket, pointer);
    PaosTreeRemoved(&tree, place, high);
    if (bucket->n > 0)
        JoinNext(&tree, place);
    else
    {
        PaosTreeTakeOut(&tree, place);
        FreeBucket(&tree, place);
    }
    LWLockRelease(&signature->lock);
}

/* ---- finding ---- */

/* How many of a bucket's ranges begin at or below a value: the first so many. */
static int CountBegun(const PaosTree *tree, const PaosBucket *bucket, const PaosRanges *ranges,
                      Datum value)
{
    int first = 0;
    int end = bucket->n;

    while (first < end)
    {
        int middle = (first + end) / 2;

        if (PaosIsAboveLow(tree, value, ranges->low[middle], ranges->low_kind[middle]))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static void FindInBucket(const PaosTree *tree, const PaosBucket *bucket, Datum value,
                         PaosFoundList *found)
{
    const PaosRanges *ranges = PaosRangesOf(tree, bucket);
    int n = CountBegun(tree, bucket, ranges, value);
    int i;

    for (i = 0; i < n; i++)
        if (PaosIsBelowHigh(tree, value, ranges->high[i], ranges->high_kind[i]))
            PaosFoundAdd(found, dsa_get_address(tree->area, ranges->entry[i]));
}

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
            FindInBucket(tree, bucket, value, found);
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
