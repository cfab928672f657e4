/*
 * slots.c - places in slabs: which are free, and neighbours for neighbours.
 *
 * What a walk is loaded with comes level by level, but what was made together, and so has
 * keys in a row, is what the program goes on to.  While it comes ("nesting"), a block of
 * keys has a block of slots for itself; what of it was not filled is free in the end.
 * That is given up where keys turn out to be sparse, and never makes the slabs more than
 * the cache's bound has them be.
 */
#include "paos_int.h"

/* The identity map has no room for greater slot numbers. */
#define SLABS_MAX (PAOSI_MAP_SLOT >> PAOSI_SLAB_BITS)
#define BLOCKS (PAOSI_SLAB / PAOSI_BLOCK)
/* Slots that may wait to be filled: so many, and so many for each that is. */
#define WAIT 4096
#define WAIT_EACH 8

/* A piece of memory has room for so many slabs. */
#define PIECE_LEAST 4
#define PIECE_MOST 32
/* So much larger is all of it at least, then. */
#define PIECE_PART 16

static size_t count_blocks(const paosi_cache *cache)
{
    return cache->slabs_size * BLOCKS;
}

/* ---- free slots ---- */

static bool make_room(paosi_cache *cache)
{
    size_t capacity = cache->slabs_capacity ? 2 * cache->slabs_capacity : 16;
    paosi_slab **slabs;
    uint64_t *blocks;
    char **rooms;

    if (cache->slabs_size < cache->slabs_capacity)
        return true;
    slabs = paosi_realloc(cache->slabs, capacity * sizeof *slabs);
    if (!slabs)
        return false;
    cache->slabs = slabs;
    blocks = paosi_realloc(cache->slots.blocks, capacity * BLOCKS * sizeof *blocks);
    if (!blocks)
        return false;
    cache->slots.blocks = blocks;
    blocks = paosi_realloc(cache->slots.dropped, capacity * BLOCKS * sizeof *blocks);
    if (!blocks)
        return false;
    cache->slots.dropped = blocks;
    rooms = paosi_realloc(cache->slots.rooms, capacity * BLOCKS * sizeof *rooms);
    if (!rooms)
        return false;
    cache->slots.rooms = rooms;
    cache->slabs_capacity = capacity;
    return true;
}

/* For a slab or for rooms. */
static void *take_memory(paosi_cache *cache, size_t size)
{
    size_t slabs = cache->slabs_size / PIECE_PART;

    slabs = slabs < PIECE_LEAST ? PIECE_LEAST : slabs;
    slabs = slabs > PIECE_MOST ? PIECE_MOST : slabs;
    return paosi_pieces_take(&cache->slots.pieces, size, slabs * sizeof(paosi_slab));
}

static bool add_slab(paosi_cache *cache)
{
    paosi_slab *slab;
    uint32_t i;

    if (cache->slabs_size == SLABS_MAX || !make_room(cache))
        return false;
    slab = take_memory(cache, sizeof *slab);
    if (!slab)
        return false;
    for (i = 0; i < PAOSI_SLAB; i++)
        slab->objects[i].slot = (uint32_t) (cache->slabs_size << PAOSI_SLAB_BITS) + i;
    for (i = 0; i < BLOCKS; i++)
    {
        cache->slots.blocks[count_blocks(cache) + i] = PAOSI_BLOCK_FREE;
        cache->slots.dropped[count_blocks(cache) + i] = 0;
        cache->slots.rooms[count_blocks(cache) + i] = NULL;
    }
    cache->slabs[cache->slabs_size++] = slab;
    cache->slots.vacant += PAOSI_SLAB;
    return true;
}

static void give(paosi_cache *cache, uint32_t slot)
{
    paosi_slots *slots = &cache->slots;
    size_t block = slot / PAOSI_BLOCK;

    if (slots->vacant++ == 0 || !slots->blocks[slots->next])
        slots->next = block;
    slots->blocks[block] |= UINT64_C(1) << slot % PAOSI_BLOCK;
}

/* Links may lead to a dropped object, whose row is NULL: its slot is not used again before. */
static void recycle(paos_conn *conn)
{
    paosi_slots *slots = &conn->cache.slots;
    size_t i;

    paosi_links_sweep(conn, false);
    for (i = 0; i < count_blocks(&conn->cache); i++)
    {
        slots->blocks[i] |= slots->dropped[i];
        slots->dropped[i] = 0;
    }
    slots->vacant += slots->dropped_size;
    slots->dropped_size = 0;
    slots->whole = 0;
}

/* Sweeping takes as long as there are objects: when it yields many slots. */
static bool recycle_many(paos_conn *conn)
{
    if (conn->cache.slots.dropped_size <= conn->cache.slabs_size * (PAOSI_SLAB / 8))
        return false;
    recycle(conn);
    return true;
}

static bool make_vacant(paos_conn *conn)
{
    paosi_cache *cache = &conn->cache;

    if (recycle_many(conn) || add_slab(cache))
        return true;
    if (cache->slots.dropped_size > 0)
        recycle(conn);
    return cache->slots.vacant > 0;
}

static uint32_t take_any(paosi_cache *cache)
{
    paosi_slots *slots = &cache->slots;
    unsigned bit;

    while (!slots->blocks[slots->next])
        slots->next = slots->next + 1 < count_blocks(cache) ? slots->next + 1 : 0;
    bit = (unsigned) __builtin_ctzll(slots->blocks[slots->next]);
    slots->blocks[slots->next] &= ~(UINT64_C(1) << bit);
    slots->vacant--;
    return (uint32_t) (slots->next * PAOSI_BLOCK + bit);
}

/* ---- nests: blocks of keys that have a block of slots ---- */

static paosi_nest *find_nest(const paosi_slots *slots, uint64_t number)
{
    size_t mask = slots->nests_capacity - 1;
    size_t i = (size_t) (number * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;

    /* No identity has class 0. */
    while (slots->nests[i].number && slots->nests[i].number != number)
        i = (i + 1) & mask;
    return &slots->nests[i];
}

static bool grow_nests(paosi_slots *slots)
{
    size_t capacity = slots->nests_capacity ? 2 * slots->nests_capacity : 64;
    paosi_nest *old = slots->nests;
    paosi_nest *nests = paosi_calloc(capacity, sizeof *nests);
    size_t size = slots->nests_capacity;
    size_t i;

    if (!nests)
        return false;
    slots->nests = nests;
    slots->nests_capacity = capacity;
    for (i = 0; i < size; i++)
        if (old[i].number)
            *find_nest(slots, old[i].number) = old[i];
    paosi_free(old);
    return true;
}

/* A block of slots that are all free. */
static bool find_whole(paos_conn *conn, size_t *block)
{
    paosi_cache *cache = &conn->cache;
    paosi_slots *slots = &cache->slots;

    for (;;)
    {
        while (slots->whole < count_blocks(cache) &&
               slots->blocks[slots->whole] != PAOSI_BLOCK_FREE)
            slots->whole++;
        *block = slots->whole;
        if (slots->whole < count_blocks(cache))
            return true;
        if (recycle_many(conn))
            continue;
        /* Slabs that others need from here on are for them. */
        slots->enough = cache->slabs_size * PAOSI_SLAB >= cache->bound || !add_slab(cache);
        if (slots->enough)
            return false;
    }
}

static paosi_nest *add_nest(paos_conn *conn, uint64_t number)
{
    paosi_slots *slots = &conn->cache.slots;
    paosi_nest *nest;
    size_t block;

    if (slots->enough || slots->waiting > WAIT + WAIT_EACH * slots->filled ||
        (2 * slots->nests_size >= slots->nests_capacity && !grow_nests(slots)) ||
        !find_whole(conn, &block))
        return NULL;
    slots->blocks[block] = 0;
    slots->vacant -= PAOSI_BLOCK;
    slots->waiting += PAOSI_BLOCK;
    slots->nests_size++;
    nest = find_nest(slots, number);
    *nest = (paosi_nest){number, PAOSI_BLOCK_FREE, block};
    return nest;
}

/* False: there is no place of its own for it. */
static bool take_nest(paos_conn *conn, uint64_t id, uint32_t *slot)
{
    paosi_slots *slots = &conn->cache.slots;
    uint64_t number = id / PAOSI_BLOCK, bit = UINT64_C(1) << id % PAOSI_BLOCK;
    paosi_nest *nest = slots->nests ? find_nest(slots, number) : NULL;

    if (!nest || !nest->number)
        nest = add_nest(conn, number);
    if (!nest || !(nest->free & bit))
        return false;
    nest->free &= ~bit;
    slots->waiting--;
    slots->filled++;
    *slot = (uint32_t) (nest->block * PAOSI_BLOCK + id % PAOSI_BLOCK);
    return true;
}

/* ---- rooms: where the rows of neighbours are neighbours too ---- */

static char **rooms_of(const paos_object *object)
{
    return &paosi_object_conn(object)->cache.slots.rooms[object->slot / PAOSI_BLOCK];
}

void *paosi_slots_room(const paos_object *object, size_t size)
{
    char **rooms;

    if (size <= PAOSI_ROOM)
        return paosi_object_rest(object)->room;
    if (size > PAOSI_WIDE_ROOM)
        return NULL;
    rooms = rooms_of(object);
    /* A row then begins with a line of the processor's cache: its first values are all in that. */
    if (!*rooms)
        *rooms = take_memory(&paosi_object_conn(object)->cache, PAOSI_BLOCK * PAOSI_WIDE_ROOM);
    return *rooms ? *rooms + object->slot % PAOSI_BLOCK * PAOSI_WIDE_ROOM : NULL;
}

bool paosi_slots_holds(const paos_object *object)
{
    const char *room = *rooms_of(object);

    return object->row == paosi_object_rest(object)->room ||
           (room &&
            (const char *) object->row == room + object->slot % PAOSI_BLOCK * PAOSI_WIDE_ROOM);
}

/* ---- for the cache ---- */

bool paosi_slots_take(paos_conn *conn, uint64_t id, uint32_t *slot)
{
    if (conn->cache.slots.nesting && take_nest(conn, id, slot))
        return true;
    if (conn->cache.slots.vacant == 0 && !make_vacant(conn))
        return false;
    *slot = take_any(&conn->cache);
    return true;
}

void paosi_slots_give(paosi_cache *cache, uint32_t slot)
{
    if (!cache->linked)
    {
        give(cache, slot);
        return;
    }
    cache->slots.dropped[slot / PAOSI_BLOCK] |= UINT64_C(1) << slot % PAOSI_BLOCK;
    cache->slots.dropped_size++;
}

void paosi_slots_nest(paosi_cache *cache)
{
    cache->slots.nesting = true;
    cache->slots.enough = false;
    cache->slots.whole = 0;
}

bool paosi_slots_unnest(paosi_cache *cache)
{
    paosi_slots *slots = &cache->slots;
    bool sparse = slots->waiting > slots->filled;
    size_t i;

    slots->nesting = false;
    for (i = 0; i < slots->nests_capacity; i++)
    {
        const paosi_nest *nest = &slots->nests[i];

        if (nest->number)
            slots->blocks[nest->block] |= nest->free;
    }
    slots->vacant += slots->waiting;
    paosi_free(slots->nests);
    slots->nests = NULL;
    slots->nests_size = slots->nests_capacity = 0;
    slots->waiting = slots->filled = 0;
    return sparse;
}

void paosi_slots_free(paosi_cache *cache)
{
    paosi_pieces_free(&cache->slots.pieces);
    paosi_free(cache->slots.rooms);
    paosi_free(cache->slots.dropped);
    paosi_free(cache->slabs);
    paosi_free(cache->slots.blocks);
    paosi_free(cache->slots.nests);
}
