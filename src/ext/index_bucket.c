/*
 * index_bucket.c - ranges beside each other in the order of their low bounds.
 *
 * A probe must touch few lines of memory, for most of a large index is in no
 * cache of the processor.  So the ranges of a bucket are looked through by groups:
 * the first low bound and the greatest high bound of each group are beside each other.
 * Changing a bucket compares nothing: greatest bounds it may have changed are not
 * known then, and make the bucket loose.
 */
#include "index_range.h"

#include "common/pg_prng.h"

#define GROUP PAOS_GROUP_RANGES

/* ---- changing ---- */

static void MoveSlots(PaosRanges *to, int at, const PaosRanges *from, int first, int n)
{
    memmove(to->low + at, from->low + first, n * sizeof(to->low[0]));
    memmove(to->high + at, from->high + first, n * sizeof(to->high[0]));
    memmove(to->entry + at, from->entry + first, n * sizeof(to->entry[0]));
    memmove(to->low_kind + at, from->low_kind + first, n);
    memmove(to->high_kind + at, from->high_kind + first, n);
}

/* After slots from a certain one on may have changed. */
static void Regroup(const PaosTree *tree, PaosBucket *bucket, int changed)
{
    PaosRanges *ranges = PaosRangesOf(tree, bucket);
    int group;

    for (group = changed / GROUP; group * GROUP < bucket->n; group++)
    {
        ranges->group_low[group] = ranges->low[group * GROUP];
        ranges->group_low_kind[group] = ranges->low_kind[group * GROUP];
        ranges->group_high[group] = 0;
        ranges->group_high_kind[group] = PAOS_BOUND_UNKNOWN;
    }
    bucket->low = ranges->low[0];
    bucket->low_kind = ranges->low_kind[0];
    bucket->loose = true;
}

static void ForgetHighest(PaosBucket *bucket)
{
    bucket->highest = 0;
    bucket->highest_kind = PAOS_BOUND_UNKNOWN;
    bucket->loose = true;
}

static void NoteBucket(const PaosTree *tree, dsa_pointer entry, dsa_pointer bucket)
{
    ((PaosRangeEntry *) dsa_get_address(tree->area, entry))->bucket = bucket;
}

dsa_pointer PaosBucketMake(const PaosTree *tree)
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

void PaosBucketFree(const PaosTree *tree, dsa_pointer pointer)
{
    dsa_free(tree->area, PaosBucketAt(tree, pointer)->slots);
    dsa_free(tree->area, pointer);
}

void PaosBucketPut(const PaosTree *tree, dsa_pointer pointer, int at, const PaosRange *slot)
{
    PaosBucket *bucket = PaosBucketAt(tree, pointer);
    PaosRanges *ranges = PaosRangesOf(tree, bucket);

    MoveSlots(ranges, at + 1, ranges, at, bucket->n - at);
    ranges->low[at] = slot->low.constant;
    ranges->low_kind[at] = slot->low.kind;
    ranges->high[at] = slot->high.constant;
    ranges->high_kind[at] = slot->high.kind;
    ranges->entry[at] = slot->entry;
    bucket->n++;
    Regroup(tree, bucket, at);
    NoteBucket(tree, slot->entry, pointer);
}

void PaosBucketPass(const PaosTree *tree, dsa_pointer from_pointer, int first,
                    dsa_pointer to_pointer)
{
    PaosBucket *from = PaosBucketAt(tree, from_pointer);
    PaosBucket *to = PaosBucketAt(tree, to_pointer);
    PaosRanges *ranges = PaosRangesOf(tree, to);
    int end = to->n;
    int i;

    MoveSlots(ranges, end, PaosRangesOf(tree, from), first, from->n - first);
    to->n += from->n - first;
    from->n = first;
    for (i = end; i < to->n; i++)
        NoteBucket(tree, ranges->entry[i], to_pointer);
    Regroup(tree, to, end);
    Regroup(tree, from, first);
    ForgetHighest(from);
    ForgetHighest(to);
}

PaosBound PaosBucketTake(const PaosTree *tree, PaosBucket *bucket, dsa_pointer entry)
{
    PaosRanges *ranges = PaosRangesOf(tree, bucket);
    PaosBound high;
    int at = 0;

    while (ranges->entry[at] != entry)
        at++;
    high = (PaosBound){ranges->high[at], ranges->high_kind[at]};
    bucket->n--;
    MoveSlots(ranges, at, ranges, at + 1, bucket->n - at);
    Regroup(tree, bucket, at);
    if (bucket->highest == high.constant && bucket->highest_kind == high.kind)
        ForgetHighest(bucket);
    return high;
}

/* ---- greatest bounds ---- */

static PaosBound HigherOf(const PaosTree *tree, PaosBound a, PaosBound b)
{
    return PaosIsHigher(tree, b, a) ? b : a;
}

static PaosBound HighestOfGroup(const PaosTree *tree, const PaosRanges *ranges, int first, int end)
{
    PaosBound highest = {ranges->high[first], ranges->high_kind[first]};
    int i;

    for (i = first + 1; i < end; i++)
        highest = HigherOf(tree, highest, (PaosBound){ranges->high[i], ranges->high_kind[i]});
    return highest;
}

void PaosBucketTighten(const PaosTree *tree, PaosBucket *bucket)
{
    PaosRanges *ranges = PaosRangesOf(tree, bucket);
    PaosBound highest = {0, PAOS_BOUND_UNKNOWN};
    int group;

    for (group = 0; group * GROUP < bucket->n; group++)
    {
        PaosBound bound = {ranges->group_high[group], ranges->group_high_kind[group]};

        if (bound.kind == PAOS_BOUND_UNKNOWN)
            bound = HighestOfGroup(tree, ranges, group * GROUP,
                                   Min(group * GROUP + GROUP, (int) bucket->n));
        ranges->group_high[group] = bound.constant;
        ranges->group_high_kind[group] = bound.kind;
        if (bucket->highest_kind == PAOS_BOUND_UNKNOWN)
            highest = group == 0 ? bound : HigherOf(tree, highest, bound);
    }
    if (bucket->highest_kind != PAOS_BOUND_UNKNOWN)
        return;
    bucket->highest = highest.constant;
    bucket->highest_kind = highest.kind;
}

/* ---- finding ---- */

int PaosBucketPosition(const PaosTree *tree, const PaosBucket *bucket, PaosBound low)
{
    const PaosRanges *ranges = PaosRangesOf(tree, bucket);
    int first = 0;
    int end = bucket->n;

    while (first < end)
    {
        int middle = (first + end) / 2;
        int order =
            (low.kind != PAOS_BOUND_INFINITE) - (ranges->low_kind[middle] != PAOS_BOUND_INFINITE);

        if (order == 0 && low.kind != PAOS_BOUND_INFINITE)
            order = PaosConstantsCompare(tree, low.constant, ranges->low[middle]);
        if (order == 0)
            order = (int) low.kind - (int) ranges->low_kind[middle];
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

/* How many of some low bounds, which are in order, are not above a value: the first so many. */
static int CountBegun(const PaosTree *tree, const PaosConstant *low, const uint8 *kind, int n,
                      Datum value)
{
    int first = 0;
    int end = n;

    while (first < end)
    {
        int middle = (first + end) / 2;

        if (PaosIsAboveLow(tree, value, low[middle], kind[middle]))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static void FindInGroup(const PaosTree *tree, const PaosRanges *ranges, int first, int n,
                        Datum value, PaosFoundList *found)
{
    int end = first + CountBegun(tree, ranges->low + first, ranges->low_kind + first, n, value);
    int i;

    for (i = first; i < end; i++)
        if (PaosIsBelowHigh(tree, value, ranges->high[i], ranges->high_kind[i]))
            PaosFoundAdd(found, dsa_get_address(tree->area, ranges->entry[i]));
}

/* What is read of a group is asked of memory all at once. */
static void AskForGroup(const PaosRanges *ranges, int first)
{
    __builtin_prefetch(ranges->low + first);
    __builtin_prefetch(ranges->high + first);
    __builtin_prefetch(ranges->low_kind + first);
    __builtin_prefetch(ranges->high_kind + first);
}

void PaosBucketFind(const PaosTree *tree, const PaosBucket *bucket, Datum value,
                    PaosFoundList *found)
{
    const PaosRanges *ranges = PaosRangesOf(tree, bucket);
    int groups = (bucket->n + GROUP - 1) / GROUP;
    int group;

    __builtin_prefetch(ranges->group_high);
    __builtin_prefetch(ranges->group_low_kind);
    groups = CountBegun(tree, ranges->group_low, ranges->group_low_kind, groups, value);
    for (group = 0; group < groups; group++)
    {
        int first = group * GROUP;

        if (!PaosIsBelowHigh(tree, value, ranges->group_high[group],
                             ranges->group_high_kind[group]))
            continue;
        AskForGroup(ranges, first);
        FindInGroup(tree, ranges, first, Min(GROUP, bucket->n - first), value, found);
    }
}
