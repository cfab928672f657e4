/*
 * links.c - references that are pointers, once they were followed.
 *
 * A link is no promise: it may lead to an object that is not loaded, or was dropped,
 * and whose row is then NULL; whoever follows it has to look.  So dropping an object
 * costs nothing here, but its slot is not used for another before a sweep has taken
 * the links to it away.  A link goes with the row that it was read from.
 */
#include "paos_int.h"

/* The attributes that are followed first get them. */
static bool get_link(paosi_shape *shape, unsigned position)
{
    paosi_column *column = &shape->columns[position];

    if (column->link)
        return true;
    if (shape->links == PAOSI_LINKS)
        return false;
    shape->linked[shape->links++] = (uint16_t) position;
    column->link = shape->links;
    return true;
}

static bool is_array(const paosi_shape *shape, unsigned link)
{
    return shape->columns[shape->linked[link]].type.store == PAOSI_ARRAY;
}

static paosi_link *new_link(paos_object *object, unsigned position)
{
    paosi_link *link;

    if (!object->row || !get_link(object->shape, position))
        return NULL;
    link = paosi_links_of(object, position);
    if (link)
        paosi_object_conn(object)->cache.linked = true;
    return link;
}

void paosi_links_note(paos_object *object, unsigned position, paos_object *target)
{
    paosi_link *link = new_link(object, position);

    if (link)
        link->one = target;
}

void paosi_links_note_item(paos_object *object, unsigned position, size_t count, size_t i,
                           paos_object *target)
{
    paosi_link *link = new_link(object, position);

    if (!link)
        return;
    if (!link->many)
    {
        link->many = paosi_calloc(1, sizeof *link->many + count * sizeof link->many->items[0]);
        if (!link->many)
            return;
        link->many->count = count;
    }
    link->many->items[i] = target;
}

void paosi_links_drop(paos_object *object)
{
    const paosi_shape *shape = object->shape;
    unsigned i;

    for (i = 0; i < shape->links; i++)
    {
        if (is_array(shape, i))
            paosi_free(object->links[i].many);
        object->links[i].one = NULL;
    }
}

void paosi_links_keep(paos_object *object, paosi_link *kept)
{
    const paosi_shape *shape = object->shape;
    unsigned i;

    for (i = 0; i < PAOSI_LINKS; i++)
    {
        kept[i].one = NULL;
        if (i >= shape->links || paosi_object_changed(object, shape->linked[i]))
            continue;
        kept[i] = object->links[i];
        object->links[i].one = NULL;
    }
}

/* Is the object's slot free? */
static bool is_dropped(const paos_object *object)
{
    return object && !object->shape;
}

static void sweep_items(paosi_links *links)
{
    size_t i;

    for (i = 0; links && i < links->count; i++)
        if (is_dropped(links->items[i]))
            links->items[i] = NULL;
}

static void sweep_object(paos_object *object)
{
    const paosi_shape *shape = object->shape;
    unsigned i;

    for (i = 0; i < shape->links; i++)
        if (is_array(shape, i))
            sweep_items(object->links[i].many);
        else if (is_dropped(object->links[i].one))
            object->links[i].one = NULL;
}

void paosi_links_sweep(paos_conn *conn, bool all)
{
    paosi_cache *cache = &conn->cache;
    size_t i;

    for (i = 0; cache->linked && i < cache->slabs_size * PAOSI_SLAB; i++)
    {
        paos_object *object = paosi_cache_at(cache, (uint32_t) i);

        if (!object->shape)
            continue;
        if (all)
            paosi_links_drop(object);
        else
            sweep_object(object);
    }
    cache->linked &= !all;
}
