/*
 * index_constant.c - entries found by the value that an attribute must have.
 *
 * One hash table serves all signatures of the database, by a hash of signature and
 * constant.  Entries with the same hash and signature are equals: equal constants,
 * and now and then different ones, so that a value is compared before an entry
 * counts as found.  The first of its equals is in a bucket's list and the others
 * hang on it.  The table is cut into parts, each with its lock, that grow on their own.
 */
#include "index.h"

#define PARTS 128 /* a power of 2 */
#define BUCKETS_FIRST 8
#define ENTRIES_PER_BUCKET 2 /* more, on average, make a part grow */

typedef struct Part
{
    LWLock lock;
    dsa_pointer buckets; /* each the first of a list, by next */
    uint32 nbuckets;     /* a power of 2 */
    uint32 n;            /* entries in lists */
} Part;

/* In the area, where shared->constants says. */
typedef struct Constants
{
    PaosSketch sketch; /* of the hashes; its lock is taken before a part's */
    Part parts[PARTS];
} Constants;

typedef struct ConstantEntry
{
    PaosEntry entry;       /* first: of its equals */
    dsa_pointer next;      /* in the bucket's list, or among the equals */
    dsa_pointer other;     /* of the first, the second; of the others, the one before */
    uint64 hash;           /* of signature and constant */
    PaosConstant constant; /* bytes, if it has any, follow */
} ConstantEntry;

static Constants *constants = NULL;
static dsa_area *area; /* that they are in */
static dsa_handle attached;

static inline ConstantEntry *At(dsa_pointer pointer)
{
    return dsa_get_address(area, pointer);
}

/* ---- the table ---- */

static dsa_pointer MakeBuckets(dsa_area *in, uint32 n)
{
    return dsa_allocate_extended(in, n * sizeof(dsa_pointer),
                                 DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
}

void PaosConstantsInit(PaosShared *shared, dsa_area *in)
{
    Constants *made;
    int i;

    shared->constants = dsa_allocate0(in, sizeof(Constants));
    made = dsa_get_address(in, shared->constants);
    for (i = 0; i < PARTS; i++)
    {
        LWLockInitialize(&made->parts[i].lock, shared->tranche);
        made->parts[i].buckets = dsa_allocate0(in, BUCKETS_FIRST * sizeof(dsa_pointer));
        made->parts[i].nbuckets = BUCKETS_FIRST;
    }
    PaosSketchInit(&made->sketch, in, shared->tranche);
}

static void Attach(PaosShared *shared)
{
    if (constants != NULL && attached == dsa_get_handle(PaosSharedArea()))
        return;
    area = PaosSharedArea();
    constants = dsa_get_address(area, shared->constants);
    attached = dsa_get_handle(area);
}

static Part *PartOf(uint64 hash)
{
    return &constants->parts[hash % PARTS];
}

static dsa_pointer *BucketsOf(const Part *part)
{
    return dsa_get_address(area, part->buckets);
}

static uint32 BucketOf(uint32 nbuckets, uint64 hash)
{
    return hash / PARTS & (nbuckets - 1);
}

/* What leads to the first of some equals, or is to lead to it. */
static dsa_pointer *LinkTo(const Part *part, uint64 hash, dsa_pointer signature)
{
    dsa_pointer *link = &BucketsOf(part)[BucketOf(part->nbuckets, hash)];

    while (DsaPointerIsValid(*link))
    {
        ConstantEntry *entry = At(*link);

        if (entry->hash == hash && entry->entry.signature == signature)
            break;
        link = &entry->next;
    }
    return link;
}

static void MoveList(dsa_pointer pointer, dsa_pointer *buckets, uint32 nbuckets)
{
    while (DsaPointerIsValid(pointer))
    {
        ConstantEntry *entry = At(pointer);
        dsa_pointer *bucket = &buckets[BucketOf(nbuckets, entry->hash)];
        dsa_pointer next = entry->next;

        entry->next = *bucket;
        *bucket = pointer;
        pointer = next;
    }
}

static bool IsFull(const Part *part)
{
    return part->n / ENTRIES_PER_BUCKET > part->nbuckets;
}

/* Without the memory for more buckets the part goes on as it is, with longer lists. */
static void Grow(Part *part)
{
    uint32 nbuckets = part->nbuckets * 2;
    dsa_pointer buckets = MakeBuckets(area, nbuckets);
    uint32 i;

    if (!DsaPointerIsValid(buckets))
        return;
    for (i = 0; i < part->nbuckets; i++)
        MoveList(BucketsOf(part)[i], dsa_get_address(area, buckets), nbuckets);
    dsa_free(area, part->buckets);
    part->buckets = buckets;
    part->nbuckets = nbuckets;
}

/* Told of the first entry of all equals, under a lock. */
typedef void (*Seen)(const ConstantEntry *first, void *arg);

static void LookThrough(Seen seen, void *arg)
{
    Part *part;
    uint32 i;

    for (part = constants->parts; part < constants->parts + PARTS; part++)
    {
        LWLockAcquire(&part->lock, LW_SHARED);
        for (i = 0; i < part->nbuckets; i++)
        {
            dsa_pointer next = BucketsOf(part)[i];

            for (; DsaPointerIsValid(next); next = At(next)->next)
                seen(At(next), arg);
        }
        LWLockRelease(&part->lock);
    }
}

/* ---- making ---- */

/* A type's own hash function need not be a good one. */
static uint64 Mixed(uint64 hash, dsa_pointer signature)
{
    hash ^= signature;
    hash = (hash ^ hash >> 32) * UINT64CONST(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 29) * UINT64CONST(0xBF58476D1CE4E5B9);
    return hash ^ hash >> 32;
}

static uint64 HashOf(const PaosSignatureUse *use, FmgrInfo *function, Datum value)
{
    Oid collation = use->signature->collation;
    uint32 hash;

    if (use->extended)
        return Mixed(
            DatumGetUInt64(FunctionCall2Coll(function, collation, value, Int64GetDatum(0))),
            use->pointer);
    hash = DatumGetUInt32(FunctionCall1Coll(function, collation, value));
    return Mixed((uint64) hash << 32 | hash, use->pointer);
}

dsa_pointer PaosConstantMake(dsa_area *in, PaosSignatureUse *use, const PaosFiling *filing)
{
    Size size = PaosConstantSize(use->signature, filing->low);
    uint64 hash = HashOf(use, &use->hash, filing->low);
    dsa_pointer pointer = PaosEntryAllocate(in, filing, sizeof(ConstantEntry) + size);
    ConstantEntry *entry;

    if (!DsaPointerIsValid(pointer))
        return pointer;
    entry = dsa_get_address(in, pointer);
    entry->hash = hash;
    entry->constant =
        PaosConstantStore(in, use->signature, filing->low, pointer + sizeof(ConstantEntry));
    return pointer;
}

/* Has the part of an entry to itself, and the sketch as it is. */
static Part *Open(PaosShared *shared, dsa_pointer entry)
{
    Part *part;

    Attach(shared);
    part = PartOf(At(entry)->hash);
    LWLockAcquire(&constants->sketch.lock, LW_SHARED);
    LWLockAcquire(&part->lock, LW_EXCLUSIVE);
    return part;
}

static void Close(Part *part)
{
    LWLockRelease(&part->lock);
    LWLockRelease(&constants->sketch.lock);
}

/* ---- linking ---- */

static void AddToSketch(const ConstantEntry *first, void *arg)
{
    PaosSketchGrowAdd(*(dsa_pointer *) arg, area, first->hash);
}

/* Makes the sketch anew with room for more. */
static void GrowSketch(void)
{
    PaosSketch *sketch = &constants->sketch;
    dsa_pointer larger;

    LWLockAcquire(&sketch->lock, LW_EXCLUSIVE);
    larger = PaosSketchIsFull(sketch, area) ? PaosSketchGrowBegin(sketch, area) : InvalidDsaPointer;
    if (DsaPointerIsValid(larger))
    {
        LookThrough(AddToSketch, &larger);
        PaosSketchGrowEnd(sketch, larger);
    }
    LWLockRelease(&sketch->lock);
}

/* Puts an entry behind the first of its equals, or as that into the list. */
static void PutIn(Part *part, dsa_pointer pointer)
{
    ConstantEntry *entry = At(pointer);
    dsa_pointer *link = LinkTo(part, entry->hash, entry->entry.signature);
    ConstantEntry *first;

    if (!DsaPointerIsValid(*link))
    {
        entry->entry.first = true;
        *link = pointer;
        part->n++;
        PaosSketchAdd(&constants->sketch, area, entry->hash);
        return;
    }
    first = At(*link);
    entry->next = first->other;
    entry->other = *link;
    if (DsaPointerIsValid(entry->next))
        At(entry->next)->other = pointer;
    first->other = pointer;
}

void PaosConstantLink(PaosShared *shared, dsa_pointer pointer)
{
    Part *part = Open(shared, pointer);

    PutIn(part, pointer);
    At(pointer)->entry.linked = true;
    if (IsFull(part))
        Grow(part);
    Close(part);
    if (PaosSketchIsFull(&constants->sketch, area))
        GrowSketch();
}

/* ---- unlinking ---- */

/* The second of the equals becomes the first. */
static void TakeFirst(Part *part, const ConstantEntry *entry)
{
    dsa_pointer *link = LinkTo(part, entry->hash, entry->entry.signature);
    ConstantEntry *heir;

    if (!DsaPointerIsValid(entry->other))
    {
        *link = entry->next;
        part->n--;
        PaosSketchRemove(&constants->sketch, area, entry->hash);
        return;
    }
    *link = entry->other;
    heir = At(entry->other);
    heir->other = heir->next;
    heir->next = entry->next;
    heir->entry.first = true;
}

static void TakeOther(const ConstantEntry *entry)
{
    ConstantEntry *before = At(entry->other);

    if (before->entry.first)
        before->other = entry->next;
    else
        before->next = entry->next;
    if (DsaPointerIsValid(entry->next))
        At(entry->next)->other = entry->other;
}

void PaosConstantUnlink(PaosShared *shared, dsa_pointer pointer)
{
    Part *part = Open(shared, pointer);
    const ConstantEntry *entry = At(pointer);

    if (entry->entry.first)
        TakeFirst(part, entry);
    else
        TakeOther(entry);
    Close(part);
}

/* ---- finding ---- */

static void FindOne(PaosSignatureUse *use, const ConstantEntry *entry, Datum value,
                    PaosFoundList *list)
{
    Datum constant = PaosConstantDatum(area, use->signature, entry->constant);

    if (DatumGetBool(FunctionCall2Coll(&use->equal, use->signature->collation, value, constant)))
        PaosFoundAdd(list, &entry->entry);
}

static void FindAmong(PaosSignatureUse *use, dsa_pointer first, Datum value, PaosFoundList *list)
{
    const ConstantEntry *entry = At(first);
    dsa_pointer next;

    FindOne(use, entry, value, list);
    for (next = entry->other; DsaPointerIsValid(next); next = At(next)->next)
        FindOne(use, At(next), value, list);
}

uint64 PaosConstantAsk(PaosShared *shared, PaosSignatureUse *use, Datum value)
{
    uint64 hash = HashOf(use, &use->hash_left, value);

    Attach(shared);
    PaosSketchAsk(&constants->sketch, area, hash);
    return hash;
}

void PaosConstantFind(PaosShared *shared, PaosSignatureUse *use, Datum value, uint64 hash,
                      PaosFoundList *list)
{
    dsa_pointer first;
    Part *part;

    Attach(shared);
    if (!PaosSketchMayHave(&constants->sketch, area, hash))
        return;
    part = PartOf(hash);
    LWLockAcquire(&part->lock, LW_SHARED);
    first = *LinkTo(part, hash, use->pointer);
    if (DsaPointerIsValid(first))
        FindAmong(use, first, value, list);
    LWLockRelease(&part->lock);
}

typedef struct Wanted
{
    dsa_pointer signature;
    PaosFoundList *list;
} Wanted;

static void AddEquals(const ConstantEntry *first, void *arg)
{
    const Wanted *wanted = arg;
    dsa_pointer next;

    if (first->entry.signature != wanted->signature)
        return;
    PaosFoundAdd(wanted->list, &first->entry);
    for (next = first->other; DsaPointerIsValid(next); next = At(next)->next)
        PaosFoundAdd(wanted->list, &At(next)->entry);
}

/* Looks through the table, which has other signatures' entries too: for rare need. */
void PaosConstantFindAll(PaosShared *shared, PaosSignatureUse *use, PaosFoundList *list)
{
    Wanted wanted = {use->pointer, list};

    Attach(shared);
    LookThrough(AddEquals, &wanted);
}
