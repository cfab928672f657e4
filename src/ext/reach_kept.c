/*
 * reach_kept.c - the rows of a table that was scanned, as bytes, by key.
 *
 * Walks find nearly every row of such a table, so that what counts is the processor's
 * cache: rows are in the order of their keys, and keys, being dense, are found by blocks
 * of 64, a bit for each.  A hash table of keys would put neighbours anywhere.
 */
#include "reach.h"

#include "port/pg_bitutils.h"

/* Rows that are looked for before the first of them is copied. */
#define TAKE_AHEAD 16

typedef struct KeptRow
{
    int64 key;
    uint32 bytes, size; /* where, in the bytes of all */
    uint32 refs, count; /* and in the refs of all */
} KeptRow;

typedef struct KeptBlock
{
    uint64 number;
    uint64 bits;  /* which keys there are */
    uint32 first; /* the row of the first of them */
    char status;
} KeptBlock;

#define SH_PREFIX keptblocks
#define SH_ELEMENT_TYPE KeptBlock
#define SH_KEY_TYPE uint64
#define SH_KEY number
#define SH_HASH_KEY(table, key) ((uint32) ((key) *UINT64CONST(0x9E3779B97F4A7C15) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct PaosKept
{
    KeptRow *rows;
    uint32 size, capacity;
    bool sorted; /* as they came */
    StringInfoData bytes;
    PaosRef *refs;
    uint32 refs_size, refs_capacity;
    keptblocks_hash *blocks;
};

PaosKept *PaosKeptMake(double rows)
{
    PaosKept *kept = palloc0(sizeof(PaosKept));

    kept->capacity = (uint32) Max(Min(rows, 1e6), 64);
    kept->rows = palloc_extended(kept->capacity * sizeof(KeptRow), MCXT_ALLOC_HUGE);
    kept->sorted = true;
    initStringInfo(&kept->bytes);
    kept->refs_capacity = 1024;
    kept->refs = palloc(kept->refs_capacity * sizeof(PaosRef));
    kept->blocks = keptblocks_create(CurrentMemoryContext, kept->capacity / 64 + 16, NULL);
    return kept;
}

void PaosKeptFree(PaosKept *kept)
{
    keptblocks_destroy(kept->blocks);
    pfree(kept->bytes.data);
    pfree(kept->refs);
    pfree(kept->rows);
    pfree(kept);
}

StringInfo PaosKeptBytes(PaosKept *kept)
{
    return &kept->bytes;
}

/* ---- keeping ---- */

static void AddRefs(PaosKept *kept, const ReachRow *row)
{
    if (kept->refs_size + row->refs_size > kept->refs_capacity)
    {
        while (kept->refs_size + row->refs_size > kept->refs_capacity)
            kept->refs_capacity *= 2;
        kept->refs = repalloc_huge(kept->refs, kept->refs_capacity * sizeof(PaosRef));
    }
    memcpy(kept->refs + kept->refs_size, row->refs, row->refs_size * sizeof(PaosRef));
    kept->refs_size += row->refs_size;
}

void PaosKeptAdd(PaosKept *kept, const ReachRow *row, int64 key)
{
    KeptRow *last = kept->size > 0 ? &kept->rows[kept->size - 1] : NULL;
    KeptRow *added;

    if (kept->size == kept->capacity)
    {
        kept->capacity *= 2;
        kept->rows = repalloc_huge(kept->rows, kept->capacity * sizeof(KeptRow));
        last = &kept->rows[kept->size - 1];
    }
    added = &kept->rows[kept->size++];
    added->key = key;
    added->bytes = last ? last->bytes + last->size : 0;
    added->size = kept->bytes.len - added->bytes;
    added->refs = kept->refs_size;
    added->count = row->refs_size;
    AddRefs(kept, row);
    kept->sorted &= last == NULL || last->key < key;
}

static int CompareRows(const void *a, const void *b)
{
    int64 x = ((const KeptRow *) a)->key;
    int64 y = ((const KeptRow *) b)->key;

    return (x > y) - (x < y);
}

void PaosKeptFinish(PaosKept *kept)
{
    KeptBlock *block = NULL;
    uint32 i;

    if (!kept->sorted)
        qsort(kept->rows, kept->size, sizeof(KeptRow), CompareRows);
    for (i = 0; i < kept->size; i++)
    {
        uint64 key = (uint64) kept->rows[i].key;

        if (block == NULL || block->number != key >> 6)
        {
            bool found;

            block = keptblocks_insert(kept->blocks, key >> 6, &found);
            block->bits = 0;
            block->first = i;
        }
        block->bits |= UINT64CONST(1) << (key & 63);
    }
}

/* ---- taking ---- */

static const KeptRow *Find(const PaosKept *kept, int64 key)
{
    const KeptBlock *block = keptblocks_lookup(kept->blocks, (uint64) key >> 6);
    uint64 bit = UINT64CONST(1) << (key & 63);

    if (block == NULL || !(block->bits & bit))
        return NULL;
    return &kept->rows[block->first + pg_popcount64(block->bits & (bit - 1))];
}

/* Looking for a row, its bytes and its refs each wait for memory: several wait at once. */
static int FindSome(const PaosKept *kept, const ReachBatch *batch, const KeptRow **some)
{
    int n = Min(batch->size - batch->next, TAKE_AHEAD);
    int i;

    for (i = 0; i < n; i++)
    {
        some[i] = Find(kept, batch->keys[batch->next + i]);
        __builtin_prefetch(some[i]);
    }
    for (i = 0; i < n; i++)
        if (some[i] != NULL)
        {
            __builtin_prefetch(kept->bytes.data + some[i]->bytes);
            __builtin_prefetch(kept->bytes.data + some[i]->bytes + 64);
            __builtin_prefetch(kept->refs + some[i]->refs);
        }
    return n;
}

void PaosKeptTake(const PaosKept *kept, ReachWalk *walk, ReachBatch *batch, StringInfo bytes,
                  ReachFound *found)
{
    const KeptRow *some[TAKE_AHEAD];
    int i, n;

    while (batch->next < batch->size && bytes->len < REACH_ANSWER_BYTES)
    {
        n = FindSome(kept, batch, some);
        for (i = 0; i < n && bytes->len < REACH_ANSWER_BYTES; i++, batch->next++)
        {
            if (some[i] == NULL)
            {
                PaosReachFoundMiss(found, batch->keys[batch->next]);
                continue;
            }
            appendBinaryStringInfoNT(bytes, kept->bytes.data + some[i]->bytes, some[i]->size);
            PaosReachFollow(walk, kept->refs + some[i]->refs, some[i]->count, batch->level);
            found->rows++;
        }
    }
}
