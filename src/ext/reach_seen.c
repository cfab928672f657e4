/*
 * reach_seen.c - a set of objects, as a hash table of blocks of 64.
 *
 * Keys of a class are mostly dense, so that a block stands for many objects: an
 * object costs a bit and not an entry, here and in what a client sends.
 */
#include "reach.h"

typedef struct SeenBlock
{
    uint64 number; /* of the block */
    uint64 bits;
    char status;
} SeenBlock;

static inline uint32 HashBlock(uint64 number)
{
    number ^= number >> 33;
    number *= UINT64CONST(0xff51afd7ed558ccd);
    return (uint32) (number ^ (number >> 33));
}

#define SH_PREFIX seenblocks
#define SH_ELEMENT_TYPE SeenBlock
#define SH_KEY_TYPE uint64
#define SH_KEY number
#define SH_HASH_KEY(table, key) HashBlock(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct PaosSeen
{
    seenblocks_hash *blocks;
};

PaosSeen *PaosSeenMake(void)
{
    PaosSeen *seen = palloc(sizeof(PaosSeen));

    seen->blocks = seenblocks_create(CurrentMemoryContext, 256, NULL);
    return seen;
}

static SeenBlock *Block(PaosSeen *seen, uint64 number)
{
    bool found;
    SeenBlock *block = seenblocks_insert(seen->blocks, number, &found);

    if (!found)
        block->bits = 0;
    return block;
}

bool PaosSeenAdd(PaosSeen *seen, PaosRef identity)
{
    SeenBlock *block = Block(seen, (uint64) identity >> 6);
    uint64 bit = UINT64CONST(1) << (identity & 63);

    if (block->bits & bit)
        return false;
    block->bits |= bit;
    return true;
}

void PaosSeenAddBlock(PaosSeen *seen, uint64 block, uint64 bits)
{
    Block(seen, block)->bits |= bits;
}
