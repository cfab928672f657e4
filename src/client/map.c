/*
 * map.c - the identity map: one object for an identity.
 *
 * Open addressing with linear probing over slot numbers; the identity itself
 * is in the object.  Removal moves later entries back instead of leaving
 * tombstones, so that a probe always ends at a free place.
 */
#include "paos_int.h"

static void put(paosi_map *map, uint64_t id, uint32_t slot)
{
    uint32_t place = paosi_map_place(map, id);

    while (map->slots[place] != PAOSI_NONE)
        place = (place + 1) & map->mask;
    map->slots[place] = slot | paosi_map_tag(paosi_map_hash(id));
}

static paos_object *object_of(const paos_conn *conn, uint32_t entry)
{
    return paosi_cache_at(&conn->cache, entry & PAOSI_MAP_SLOT);
}

static paos_status grow(paos_conn *conn)
{
    paosi_map *map = &conn->map;
    paosi_map wider = {.mask = map->mask ? 2 * map->mask + 1 : 63, .used = map->used};
    uint32_t i;

    wider.shift = map->mask ? map->shift - 1 : 64 - 6;
    wider.slots = paosi_malloc((wider.mask + (size_t) 1) * sizeof *wider.slots);
    if (!wider.slots)
        return paosi_fail_memory(conn);
    memset(wider.slots, 0xFF, (wider.mask + (size_t) 1) * sizeof *wider.slots);
    for (i = 0; map->mask && i <= map->mask; i++)
        if (map->slots[i] != PAOSI_NONE)
            put(&wider, object_of(conn, map->slots[i])->id, map->slots[i] & PAOSI_MAP_SLOT);
    paosi_free(map->slots);
    *map = wider;
    return PAOS_OK;
}

paos_status paosi_map_add(paos_conn *conn, paos_object *object)
{
    paosi_map *map = &conn->map;

    /* At most 7 of 8 places are taken. */
    if (!map->mask || map->used >= map->mask - map->mask / 8)
    {
        paos_status status = grow(conn);

        if (status != PAOS_OK)
            return status;
    }
    put(map, object->id, object->slot);
    map->used++;
    paosi_cache_count(conn);
    return PAOS_OK;
}

void paosi_map_remove(paos_conn *conn, paos_object *object)
{
    paosi_map *map = &conn->map;
    uint32_t hole = paosi_map_place(map, object->id);
    uint32_t place;

    while ((map->slots[hole] & PAOSI_MAP_SLOT) != object->slot)
        hole = (hole + 1) & map->mask;
    for (place = (hole + 1) & map->mask; map->slots[place] != PAOSI_NONE;
         place = (place + 1) & map->mask)
    {
        uint32_t home = paosi_map_place(map, object_of(conn, map->slots[place])->id);

        /* An entry may move back to the hole unless its home lies after it. */
        if (((place - home) & map->mask) < ((place - hole) & map->mask))
            continue;
        map->slots[hole] = map->slots[place];
        hole = place;
    }
    map->slots[hole] = PAOSI_NONE;
    map->used--;
    paosi_cache_count(conn);
}

void paosi_map_rename(paos_conn *conn, paos_object *object, uint64_t id)
{
    paosi_map_remove(conn, object);
    object->id = id;
    put(&conn->map, id, object->slot);
    conn->map.used++;
    paosi_cache_count(conn);
}
