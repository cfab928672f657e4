/*
 * index_constant.c - entries found by the value that an attribute must have.
 *
 * One hash table serves all signatures of the database, keyed by signature
 * and the hash of the constant.  What has the same key is a chain: equal
 * constants, and now and then different ones, so that a value is compared
 * before an entry counts as found.
 */
#include "index.h"

#include "utils/memutils.h"

/* In the area, where shared->constants says. */
typedef struct Constants
{
    dshash_table_handle chains;
    PaosSketch sketch; /* of their keys */
} Constants;

typedef struct ConstantKey
{
    dsa_pointer signature;
    uint64 hash;
} ConstantKey;

typedef struct Chain
{
    ConstantKey key;
    dsa_pointer first;
} Chain;

typedef struct ConstantEntry
{
    PaosEntry entry;
    dsa_pointer next;
    dsa_pointer previous; /* InvalidDsaPointer: the chain leads here */
    uint64 hash;
    PaosConstant constant; /* bytes, if it has any, follow */
} ConstantEntry;

static dshash_table *chains = NULL;
static Constants *constants;
static dsa_handle attached; /* the area that they are in */

/* A type's own hash function need not be a good one. */
static uint64 HashOfKey(const ConstantKey *key)
{
    uint64 hash = key->hash ^ key->signature;

    hash = (hash ^ hash >> 32) * UINT64CONST(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 29) * UINT64CONST(0xBF58476D1CE4E5B9);
    return hash ^ hash >> 32;
}

static dshash_hash HashKey(const void *key, size_t size, void *arg)
{
    return (dshash_hash) HashOfKey(key);
}

static int CompareKeys(const void *a, const void *b, size_t size, void *arg)
{
    const ConstantKey *left = a;
    const ConstantKey *right = b;

    return left->hash != right->hash || left->signature != right->signature;
}

static dshash_parameters Parameters(const PaosShared *shared)
{
    dshash_parameters parameters = {sizeof(ConstantKey), sizeof(Chain), CompareKeys, HashKey,
                                    shared->tranche};

    return parameters;
}

void PaosConstantsInit(PaosShared *shared, dsa_area *area)
{
    dshash_parameters parameters = Parameters(shared);
    dshash_table *table = dshash_create(area, &parameters, NULL);
    Constants *made;

    shared->constants = dsa_allocate0(area, sizeof(Constants));
    made = dsa_get_address(area, shared->constants);
    made->chains = dshash_get_hash_table_handle(table);
    dshash_detach(table);
    PaosSketchInit(&made->sketch, area, shared->tranche);
}

/* Finds the table and its sketch: chains and constants are this session's way to them. */
static void Attach(PaosShared *shared)
{
    dshash_parameters parameters = Parameters(shared);
    dsa_area *area = PaosSharedArea();
    MemoryContext previous;

    if (chains != NULL && attached == dsa_get_handle(area))
        return;
    previous = MemoryContextSwitchTo(TopMemoryContext);
    constants = dsa_get_address(area, shared->constants);
    chains = dshash_attach(area, &parameters, constants->chains, NULL);
    attached = dsa_get_handle(area);
    MemoryContextSwitchTo(previous);
}

static uint64 HashOf(const PaosSignatureUse *use, FmgrInfo *function, Datum value)
{
    Oid collation = use->signature->collation;
    uint32 hash;

    if (use->extended)
        return DatumGetUInt64(FunctionCall2Coll(function, collation, value, Int64GetDatum(0)));
    hash = DatumGetUInt32(FunctionCall1Coll(function, collation, value));
    return (uint64) hash << 32 | hash;
}

dsa_pointer PaosConstantMake(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing)
{
    Size size = PaosConstantSize(use->signature, filing->low);
    uint64 hash = HashOf(use, &use->hash, filing->low);
    dsa_pointer pointer = PaosEntryAllocate(area, filing, sizeof(ConstantEntry) + size);
    ConstantEntry *entry;

    if (!DsaPointerIsValid(pointer))
        return pointer;
    entry = dsa_get_address(area, pointer);
    entry->hash = hash;
    entry->constant =
        PaosConstantStore(area, use->signature, filing->low, pointer + sizeof(ConstantEntry));
    return pointer;
}

/* Makes the sketch anew with room for more keys. */
static void GrowSketch(dsa_area *area)
{
    PaosSketch *sketch = &constants->sketch;
    dsa_pointer larger;
    dshash_seq_status scan;
    Chain *chain;

    LWLockAcquire(&sketch->lock, LW_EXCLUSIVE);
    larger = PaosSketchIsFull(sketch, area) ? PaosSketchGrowBegin(sketch, area) : InvalidDsaPointer;
    if (DsaPointerIsValid(larger))
    {
        dshash_seq_init(&scan, chains, false);
        while ((chain = dshash_seq_next(&scan)) != NULL)
            PaosSketchGrowAdd(larger, area, HashOfKey(&chain->key));
        dshash_seq_term(&scan);
        PaosSketchGrowEnd(sketch, larger);
    }
    LWLockRelease(&sketch->lock);
}

void PaosConstantLink(PaosShared *shared, PaosSignatureUse *use, dsa_pointer pointer)
{
    dsa_area *area = PaosSharedArea();
    ConstantEntry *entry = dsa_get_address(area, pointer);
    ConstantKey key = {use->pointer, entry->hash};
    bool found;
    Chain *chain;

    Attach(shared);
    LWLockAcquire(&constants->sketch.lock, LW_SHARED);
    chain = dshash_find_or_insert(chains, &key, &found);
    entry->next = found ? chain->first : InvalidDsaPointer;
    if (DsaPointerIsValid(entry->next))
        ((ConstantEntry *) dsa_get_address(area, entry->next))->previous = pointer;
    chain->first = pointer;
    if (!found)
        PaosSketchAdd(&constants->sketch, area, HashOfKey(&key));
    dshash_release_lock(chains, chain);
    LWLockRelease(&constants->sketch.lock);
    if (PaosSketchIsFull(&constants->sketch, area))
        GrowSketch(area);
}

static void TakeOut(dsa_area *area, Chain *chain, const ConstantEntry *entry)
{
    if (DsaPointerIsValid(entry->next))
        ((ConstantEntry *) dsa_get_address(area, entry->next))->previous = entry->previous;
    if (DsaPointerIsValid(entry->previous))
        ((ConstantEntry *) dsa_get_address(area, entry->previous))->next = entry->next;
    else
        chain->first = entry->next;
}

void PaosConstantUnlink(PaosShared *shared, dsa_pointer pointer)
{
    dsa_area *area = PaosSharedArea();
    ConstantEntry *entry = dsa_get_address(area, pointer);
    ConstantKey key = {entry->entry.signature, entry->hash};
    Chain *chain;

    Attach(shared);
    LWLockAcquire(&constants->sketch.lock, LW_SHARED);
    chain = dshash_find(chains, &key, true);
    Assert(chain != NULL);
    TakeOut(area, chain, entry);
    if (DsaPointerIsValid(chain->first))
        dshash_release_lock(chains, chain);
    else
    {
        PaosSketchRemove(&constants->sketch, area, HashOfKey(&key));
        dshash_delete_entry(chains, chain);
    }
    LWLockRelease(&constants->sketch.lock);
}

static void FindInChain(dsa_area *area, PaosSignatureUse *use, const Chain *chain, Datum value,
                        PaosFoundList *list)
{
    Oid collation = use->signature->collation;
    dsa_pointer next;

    for (next = chain->first; DsaPointerIsValid(next);)
    {
        ConstantEntry *entry = dsa_get_address(area, next);
        Datum constant = PaosConstantDatum(area, use->signature, entry->constant);

        if (DatumGetBool(FunctionCall2Coll(&use->equal, collation, value, constant)))
            PaosFoundAdd(list, &entry->entry);
        next = entry->next;
    }
}

void PaosConstantFind(PaosShared *shared, PaosSignatureUse *use, Datum value, PaosFoundList *list)
{
    dsa_area *area = PaosSharedArea();
    ConstantKey key = {use->pointer, HashOf(use, &use->hash_left, value)};
    Chain *chain;

    Attach(shared);
    if (!PaosSketchMayHave(&constants->sketch, area, HashOfKey(&key)))
        return;
    chain = dshash_find(chains, &key, false);
    if (chain == NULL)
        return;
    FindInChain(area, use, chain, value, list);
    dshash_release_lock(chains, chain);
}

/* Looks through the table, which has other signatures' entries too: for rare need. */
void PaosConstantFindAll(PaosShared *shared, PaosSignatureUse *use, PaosFoundList *list)
{
    dsa_area *area = PaosSharedArea();
    dshash_seq_status scan;
    Chain *chain;

    Attach(shared);
    dshash_seq_init(&scan, chains, false);
    while ((chain = dshash_seq_next(&scan)) != NULL)
    {
        dsa_pointer next = chain->key.signature == use->pointer ? chain->first : InvalidDsaPointer;

        while (DsaPointerIsValid(next))
        {
            ConstantEntry *entry = dsa_get_address(area, next);

            PaosFoundAdd(list, &entry->entry);
            next = entry->next;
        }
    }
    dshash_seq_term(&scan);
}
