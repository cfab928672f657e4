/*
 * resolved.c - reading and following resolved attributes.
 *
 * What is done for nearly every read comes first in each function, without a call:
 * the object's shape is the one where the attribute was found last, the row is
 * there, nothing was changed.  All else is left to attribute.c.
 */
#include "paos_int.h"

/* ---- finding one ---- */

/* In a shape where it was not found last. */
static int find_anew(paos_object *object, const paos_attribute *at)
{
    paos_attribute *cache = (paos_attribute *) at;
    int position;

    if (!paosi_class_is(object->shape->class, at->class))
    {
        paosi_fail(paosi_object_conn(object), PAOS_INVALID, "attribute \"%s\" is not of class %s",
                   at->name, object->shape->class->name);
        return -1;
    }
    position = paosi_object_find(object, at->name);
    if (position < 0)
        return -1;
    paosi_shape_release(cache->shape);
    cache->shape = paosi_shape_hold(object->shape);
    cache->position = (unsigned) position;
    cache->store = object->shape->columns[position].type.store;
    cache->one = cache->many = 0;
    return position;
}

int paosi_object_at(paos_object *object, const paos_attribute *at)
{
    if (!paosi_object_check(object))
        return -1;
    if (!at)
    {
        paosi_fail(paosi_object_conn(object), PAOS_INVALID, "attribute must not be NULL");
        return -1;
    }
    return at->shape == object->shape ? (int) at->position : find_anew(object, at);
}

/* Is the attribute, where it was found last, as it was loaded?  A stale handle has no row. */
static inline bool is_plain(const paos_object *object, const paos_attribute *at)
{
    return object && at && object->shape == at->shape && object->row &&
           !paosi_object_changed(object, at->position);
}

/* The bytes of a value in the usual case, or NULL. */
static inline const unsigned char *peek(const paos_object *object, const paos_attribute *at)
{
    const uint16_t *offsets;

    if (!is_plain(object, at) || !(object->flags & PAOSI_NARROW))
        return NULL;
    offsets = object->row;
    if (offsets[at->position] >= PAOSI_NARROW_UNLOADED)
        return NULL;
    return (const unsigned char *) (offsets + at->shape->count + 1) + offsets[at->position];
}

/* ---- values ---- */

paos_status paos_object_get_at(paos_object *object, const paos_attribute *at, paos_value *out)
{
    return paosi_attribute_get(object, paosi_object_at(object, at), out);
}

const char *paos_object_text_at(paos_object *object, const paos_attribute *at)
{
    const unsigned char *data = peek(object, at);

    if (data && at->store == PAOSI_TEXT)
        return (const char *) data;
    return paosi_attribute_text(object, paosi_object_at(object, at));
}

int64_t paos_object_int_at(paos_object *object, const paos_attribute *at)
{
    const unsigned char *data = peek(object, at);

    if (data && at->store == PAOSI_INT4)
        return (int32_t) paosi_read32(data);
    if (data && (at->store == PAOSI_INT8 || at->store == PAOSI_KEY))
        return (int64_t) paosi_read64(data);
    return paosi_attribute_int(object, paosi_object_at(object, at));
}

double paos_object_float_at(paos_object *object, const paos_attribute *at)
{
    return paosi_attribute_float(object, paosi_object_at(object, at));
}

/* ---- references ---- */

/* Remembers which link the attribute has, once it has one. */
static void note_link(const paos_object *object, const paos_attribute *at)
{
    paos_attribute *cache = (paos_attribute *) at;
    uint8_t link;

    if (!object || !at || !at->shape || object->shape != at->shape)
        return;
    link = at->shape->columns[at->position].link;
    cache->many = at->store == PAOSI_ARRAY ? link : 0;
    cache->one = at->store == PAOSI_ARRAY ? 0 : link;
}

/* The links of an array of references, or NULL. */
static inline const paosi_links *links_at(const paos_object *object, const paos_attribute *at)
{
    return is_plain(object, at) && at->many ? object->links[at->many - 1].many : NULL;
}

paos_object *paos_object_ref_at(paos_object *object, const paos_attribute *at)
{
    paos_object *target = is_plain(object, at) && at->one ? object->links[at->one - 1].one : NULL;

    if (target && target->row)
    {
        /* It is likely to be read next. */
        __builtin_prefetch(target->row);
        return paosi_resolve_found(at->class->conn, target);
    }
    target = paosi_attribute_ref(object, paosi_object_at(object, at));
    note_link(object, at);
    return target;
}

size_t paos_object_ref_count_at(paos_object *object, const paos_attribute *at)
{
    const paosi_links *links = links_at(object, at);

    return links ? links->count : paosi_attribute_count(object, paosi_object_at(object, at));
}

paos_object *paos_object_ref_item_at(paos_object *object, const paos_attribute *at, size_t i)
{
    const paosi_links *links = links_at(object, at);
    paos_object *target;

    if (links && i < links->count && links->items[i] && links->items[i]->row)
        return paosi_resolve_found(at->class->conn, links->items[i]);
    target = paosi_attribute_item(object, paosi_object_at(object, at), i);
    note_link(object, at);
    return target;
}

/* Fills in those of n items that links lead to, up to the first that has to be looked for. */
static size_t copy_links(const paos_attribute *at, const paosi_links *links, paos_object **items,
                         size_t n)
{
    size_t i;

    for (i = 0; i < n && links->items[i] && links->items[i]->row; i++)
    {
        items[i] = paosi_resolve_found(at->class->conn, links->items[i]);
        /* Whoever asks for all of them is likely to go on from each. */
        __builtin_prefetch(items[i]->links[0].one);
    }
    return i;
}

size_t paos_object_ref_items_at(paos_object *object, const paos_attribute *at, paos_object **items,
                                size_t n)
{
    const paosi_links *links = links_at(object, at);
    size_t count, i = 0;

    n = items ? n : 0;
    if (links)
    {
        count = links->count;
        i = copy_links(at, links, items, n < count ? n : count);
        if (i == n || i == count)
            return count;
    }
    count = paos_object_ref_count_at(object, at);
    for (; i < n && i < count; i++)
        items[i] = paos_object_ref_item_at(object, at, i);
    return count;
}

paos_status paos_object_refs_at(paos_object *object, const paos_attribute *at, paos_list **out)
{
    return paosi_attribute_refs(object, paosi_object_at(object, at), out);
}
