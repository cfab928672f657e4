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
static dsa_handle chains_area; /* that it is in */

/* The hash is good already; signatures differ in it by their address only. */
static dshash_hash HashKey(const void *key, size_t size, void *arg)
{
    const ConstantKey *constant = key;

    return (dshash_hash) (constant->hash ^ (constant->signature >> 3) * 0x9E3779B1);
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

    shared->constants = dshash_get_hash_table_handle(table);
    dshash_detach(table);
}

static dshash_table *Chains(const PaosShared *shared)
{
    dshash_parameters parameters;
    MemoryContext previous;
    dsa_area *area = PaosSharedArea();

    if (chains != NULL && chains_area == dsa_get_handle(area))
        return chains;
    parameters = Parameters(shared);
    previous = MemoryContextSwitchTo(TopMemoryContext);
    chains = dshash_attach(area, &parameters, shared->constants, NULL);
    chains_area = dsa_get_handle(area);
    MemoryContextSwitchTo(previous);
    return chains;
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
    dsa_pointer pointer = dsa_allocate_extended(area, sizeof(ConstantEntry) + size,
                                                DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
    ConstantEntry *entry;

    if (!DsaPointerIsValid(pointer))
        return pointer;
    entry = dsa_get_address(area, pointer);
    entry->hash = hash;
    entry->constant =
        PaosConstantStore(area, use->signature, filing->low, pointer + sizeof(ConstantEntry));
    return pointer;
}

void PaosConstantLink(PaosShared *shared, PaosSignatureUse *use, dsa_pointer pointer)
{
    dsa_area *area = PaosSharedArea();
    ConstantEntry *entry = dsa_get_address(area, pointer);
    ConstantKey key = {use->pointer, entry->hash};
    bool found;
    Chain *chain = dshash_find_or_insert(Chains(shared), &key, &found);

    entry->next = found ? chain->first : InvalidDsaPointer;
    if (DsaPointerIsValid(entry->next))
        ((ConstantEntry *) dsa_get_address(area, entry->next))->previous = pointer;
    chain->first = pointer;
    dshash_release_lock(Chains(shared), chain);
}

void PaosConstantUnlink(PaosShared *shared, dsa_pointer pointer)
{
    dsa_area *area = PaosSharedArea();
    ConstantEntry *entry = dsa_get_address(area, pointer);
    ConstantKey key = {entry->entry.signature, entry->hash};
    Chain *chain = dshash_find(Chains(shared), &key, true);

    Assert(chain != NULL);
    if (DsaPointerIsValid(entry->next))
        ((ConstantEntry *) dsa_get_address(area, entry->next))->previous = entry->previous;
    if (DsaPointerIsValid(entry->previous))
        ((ConstantEntry *) dsa_get_address(area, entry->previous))->next = entry->next;
    else
        chain->first = entry->next;
    if (DsaPointerIsValid(chain->first))
        dshash_release_lock(Chains(shared), chain);
    else
        dshash_delete_entry(Chains(shared), chain);
}

void PaosConstantFind(PaosShared *shared, PaosSignatureUse *use, Datum value, PaosFoundList *list)
{
    dsa_area *area = PaosSharedArea();
    PaosSignature *signature = use->signature;
    ConstantKey key = {use->pointer, HashOf(use, &use->hash_left, value)};
    Chain *chain = dshash_find(Chains(shared), &key, false);
    dsa_pointer next;

    if (chain == NULL)
        return;
    for (next = chain->first; DsaPointerIsValid(next);)
    {
        ConstantEntry *entry = dsa_get_address(area, next);
        Datum constant = PaosConstantDatum(area, signature, entry->constant);

        if (DatumGetBool(FunctionCall2Coll(&use->equal, signature->collation, value, constant)))
            PaosFoundAdd(list, &entry->entry);
        next = entry->next;
    }
    dshash_release_lock(Chains(shared), chain);
}

/* Looks through the table, which has other signatures' entries too: for rare need. */
void PaosConstantFindAll(PaosShared *shared, PaosSignatureUse *use, PaosFoundList *list)
{
    dsa_area *area = PaosSharedArea();
    dshash_seq_status scan;
    Chain *chain;

    dshash_seq_init(&scan, Chains(shared), false);
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
