/*
 * known.c - says which objects are here, so that a server does not send them again.
 *
 * Blocks of 64: what their ids have in common, and a bit for each.  Keys being mostly
 * dense, an object costs little more than its bit.  It is a hint: what was left out
 * comes again, and what goes meanwhile is loaded when it is touched.
 */
#include "paos_int.h"

#define FIRST 64

typedef struct block
{
    uint64_t number, bits;
} block;

typedef struct blocks
{
    block *items;
    uint32_t *places; /* of items, by hash; PAOSI_NONE: none */
    size_t size, capacity;
} blocks;

/* There are twice as many places as items. */
static uint32_t *find(const blocks *b, uint64_t number)
{
    size_t mask = 2 * b->capacity - 1;
    size_t i = (size_t) (number * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;

    while (b->places[i] != PAOSI_NONE && b->items[b->places[i]].number != number)
        i = (i + 1) & mask;
    return &b->places[i];
}

static bool grow(blocks *b)
{
    size_t capacity = b->capacity ? 2 * b->capacity : FIRST;
    block *items = paosi_realloc(b->items, capacity * sizeof *items);
    uint32_t *places;
    size_t i;

    if (!items)
        return false;
    b->items = items;
    places = paosi_realloc(b->places, 2 * capacity * sizeof *places);
    if (!places)
        return false;
    b->places = places;
    b->capacity = capacity;
    memset(places, 0xFF, 2 * capacity * sizeof *places);
    for (i = 0; i < b->size; i++)
        *find(b, items[i].number) = (uint32_t) i;
    return true;
}

/* False: no memory. */
static bool add(blocks *b, uint64_t id)
{
    block *last = b->size ? &b->items[b->size - 1] : NULL;
    uint64_t number = id >> 6, bit = UINT64_C(1) << (id & 63);
    uint32_t *place;

    if (last && last->number == number)
    {
        last->bits |= bit;
        return true;
    }
    if (b->size == b->capacity && !grow(b))
        return false;
    place = find(b, number);
    if (*place == PAOSI_NONE)
    {
        *place = (uint32_t) b->size;
        b->items[b->size++] = (block){number, 0};
    }
    b->items[*place].bits |= bit;
    return true;
}

static bool gather(const paos_conn *conn, blocks *b)
{
    const paosi_cache *cache = &conn->cache;
    size_t i;

    for (i = 0; i < cache->slabs_size * PAOSI_SLAB; i++)
    {
        const paos_object *object = paosi_cache_at(cache, (uint32_t) i);

        if (object->shape && object->row && !paosi_id_temporary(object->id) && !add(b, object->id))
            return false;
    }
    return true;
}

bool paosi_known_add(const paos_conn *conn, paosi_buffer *out)
{
    blocks b = {0};
    bool gathered = gather(conn, &b);
    size_t i;

    for (i = 0; gathered && i < b.size; i++)
    {
        paosi_buffer_add64(out, b.items[i].number);
        paosi_buffer_add64(out, b.items[i].bits);
    }
    paosi_free(b.items);
    paosi_free(b.places);
    return gathered && !out->failed;
}
