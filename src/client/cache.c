/*
 * cache.c - where objects live, and which go when there are too many.
 *
 * An object is in one of three chains: clean (may go), held (someone has a
 * handle or a list), dirty (changed, or not stored yet).  While the cache is far
 * from full, holding an object leaves it among the clean ones, so that a walk
 * that holds and releases touches no neighbours; trimming sorts them out.  Slabs
 * are never given back before the connection is closed, so that a stale handle
 * still points to memory that says so.
 */
#include "paos_int.h"

static paosi_rest *rest_at(const paosi_cache *cache, uint32_t slot)
{
    return &cache->slabs[slot >> PAOSI_SLAB_BITS]->rests[slot & (PAOSI_SLAB - 1)];
}

static paosi_chain *chain_of(paosi_cache *cache, uint32_t flags)
{
    if (flags & PAOSI_CLEAN)
        return &cache->clean;
    if (flags & PAOSI_HELD)
        return &cache->held;
    return flags & PAOSI_DIRTY ? &cache->dirty : NULL;
}

static void chain_remove(paosi_cache *cache, paos_object *object)
{
    paosi_chain *chain = chain_of(cache, object->flags);
    const paosi_rest *rest = paosi_object_rest(object);

    if (!chain)
        return;
    if (rest->prev == PAOSI_NONE)
        chain->first = rest->next;
    else
        rest_at(cache, rest->prev)->next = rest->next;
    if (rest->next == PAOSI_NONE)
        chain->last = rest->prev;
    else
        rest_at(cache, rest->next)->prev = rest->prev;
    chain->size--;
    if (object->flags & PAOSI_CLEAN && object->holds)
        cache->lazy--;
    object->flags &= ~(uint32_t) PAOSI_CHAINS;
}

static void chain_append(paosi_cache *cache, paos_object *object, uint32_t flag)
{
    paosi_chain *chain = chain_of(cache, flag);
    paosi_rest *rest = paosi_object_rest(object);

    object->flags |= flag;
    rest->prev = chain->last;
    rest->next = PAOSI_NONE;
    if (chain->last == PAOSI_NONE)
        chain->first = object->slot;
    else
        rest_at(cache, chain->last)->next = object->slot;
    chain->last = object->slot;
    chain->size++;
}

void paosi_cache_place(paos_object *object)
{
    paosi_cache *cache = &paosi_object_conn(object)->cache;
    bool dirty = object->draft || object->flags & (PAOSI_NEW | PAOSI_DELETE);
    uint32_t flag = dirty ? PAOSI_DIRTY : object->holds ? PAOSI_HELD : PAOSI_CLEAN;

    if (object->flags & flag && flag != PAOSI_CLEAN)
        return;
    chain_remove(cache, object);
    chain_append(cache, object, flag);
}

/* ---- coming and going ---- */

paos_status paosi_cache_add(paos_conn *conn, paosi_shape *shape, uint64_t id, paos_object **out)
{
    paosi_cache *cache = &conn->cache;
    paos_object *object;
    paos_status status;
    uint32_t slot;

    if (!paosi_slots_take(conn, id, &slot))
        return paosi_fail_memory(conn);
    object = paosi_cache_at(cache, slot);
    object->id = id;
    status = paosi_map_add(conn, object);
    if (status != PAOS_OK)
    {
        paosi_slots_give(cache, slot);
        return status;
    }
    object->shape = paosi_shape_hold(shape);
    object->flags = 0;
    object->holds = 0;
    object->version = 0;
    paosi_object_rest(object)->left = paosi_object_rest(object)->right = object->slot;
    *out = object;
    return PAOS_OK;
}

void paosi_cache_drop(paos_conn *conn, paos_object *object)
{
    paosi_cache *cache = &conn->cache;

    paosi_ring_leave(object);
    chain_remove(cache, object);
    paosi_map_remove(conn, object);
    if (object->flags & PAOSI_ABSENT)
        cache->absent--;
    conn->coherent.dropped += (object->flags & PAOSI_COVERED) != 0;
    paosi_draft_drop(object);
    paosi_links_drop(object);
    paosi_object_free_row(object);
    paosi_shape_release(object->shape);
    object->shape = NULL;
    paosi_slots_give(cache, object->slot);
}

void paosi_cache_init(paos_conn *conn)
{
    paosi_cache *cache = &conn->cache;

    cache->clean.first = cache->clean.last = PAOSI_NONE;
    cache->held = cache->dirty = cache->clean;
}

void paosi_cache_free(paos_conn *conn)
{
    paosi_cache *cache = &conn->cache;
    size_t i;

    for (i = 0; i < cache->slabs_size * PAOSI_SLAB; i++)
    {
        paos_object *object = paosi_cache_at(cache, (uint32_t) i);

        if (!object->shape)
            continue;
        paosi_links_drop(object);
        paosi_object_free_row(object);
        paosi_free(object->draft);
        paosi_shape_release(object->shape);
    }
    paosi_slots_free(cache);
    paosi_free(conn->map.slots);
}

/* ---- holding ---- */

/* A function of its own, as what comes first would have to save registers for it. */
static __attribute__((noinline)) paos_object *place_held(paos_object *object)
{
    paosi_cache_place(object);
    return object;
}

paos_object *paos_object_hold(paos_object *object)
{
    paos_conn *conn;

    if (!object || !object->shape)
        return NULL;
    if (object->holds++ > 0)
        return object;
    if (!(object->flags & PAOSI_CLEAN))
        return place_held(object);
    conn = paosi_object_conn(object);
    conn->cache.lazy++;
    return paosi_cache_crowded(conn) ? place_held(object) : object;
}

void paos_object_release(paos_object *object)
{
    if (!object || !object->shape || object->holds == 0)
        return;
    if (object->holds > 1 || !(object->flags & PAOSI_CLEAN))
    {
        if (--object->holds == 0)
            paosi_cache_place(object);
        return;
    }
    paosi_object_conn(object)->cache.lazy--;
    object->holds = 0;
    if (paosi_cache_crowded(paosi_object_conn(object)))
        paosi_cache_place(object);
}

/* ---- trimming ---- */

/* Held objects that were left among the clean ones go to their own chain. */
static void sort_out(paosi_cache *cache)
{
    uint32_t slot = cache->clean.first;

    while (cache->lazy > 0 && slot != PAOSI_NONE)
    {
        paos_object *object = paosi_cache_at(cache, slot);

        slot = paosi_object_rest(object)->next;
        if (object->holds)
            paosi_cache_place(object);
    }
}

/* Moves a target that may go to the end of its chain, where trimming stops. */
static void protect(paos_conn *conn, uint64_t id)
{
    paos_object *target;

    if (!id || paosi_reference_find(conn, id, &target) != PAOSI_KNOWN_PRESENT ||
        !(target->flags & PAOSI_CLEAN) || target->flags & PAOSI_MARK)
        return;
    target->flags |= PAOSI_MARK;
    paosi_cache_place(target);
}

static void protect_cell(paos_conn *conn, const paosi_column *column, paosi_cell cell)
{
    paosi_elements elements;
    paosi_cell element;

    if (column->type.store != PAOSI_ARRAY)
    {
        protect(conn, paosi_reference_id(column, cell));
        return;
    }
    elements = paosi_array_begin(cell);
    while (paosi_array_next(&elements, &element))
        if (element.size == 8)
            protect(conn, paosi_read64(element.data));
}

/* A borrowed handle is good while the object that it was got from is held. */
static void protect_targets(paos_conn *conn, paosi_chain *chain)
{
    uint32_t slot;
    unsigned i;

    for (slot = chain->first; slot != PAOSI_NONE;)
    {
        const paos_object *object = paosi_cache_at(&conn->cache, slot);

        for (i = 0; i < object->shape->count; i++)
            if (paosi_column_refers(&object->shape->columns[i]))
                protect_cell(conn, &object->shape->columns[i], paosi_object_cell(object, i));
        slot = paosi_object_rest(object)->next;
    }
}

static void unprotect(paosi_cache *cache)
{
    uint32_t slot;

    for (slot = cache->clean.last; slot != PAOSI_NONE;)
    {
        paos_object *object = paosi_cache_at(cache, slot);

        if (!(object->flags & PAOSI_MARK))
            return;
        object->flags &= ~(uint32_t) PAOSI_MARK;
        slot = paosi_object_rest(object)->prev;
    }
}

static size_t total(const paosi_cache *cache)
{
    return cache->clean.size + cache->held.size + cache->dirty.size;
}

void paosi_cache_trim(paos_conn *conn, paos_object *keep)
{
    paosi_cache *cache = &conn->cache;
    size_t size = total(cache);
    size_t goal = cache->bound - cache->bound / 8;

    if (size <= cache->bound || cache->clean.size <= cache->trim_at)
        return;
    paos_object_hold(keep);
    sort_out(cache);
    protect_targets(conn, &cache->held);
    protect_targets(conn, &cache->dirty);
    while (size > goal && cache->clean.first != PAOSI_NONE)
    {
        paos_object *object = paosi_cache_at(cache, cache->clean.first);

        if (object->flags & PAOSI_MARK)
            break;
        paosi_cache_drop(conn, object);
        size--;
    }
    unprotect(cache);
    paos_object_release(keep);
    /* Finding what is protected takes as long as much is held: not for every few objects more. */
    cache->trim_at =
        size <= goal ? 0 : cache->clean.size + (cache->held.size + cache->dirty.size) / 8;
}
