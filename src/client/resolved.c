/*
 * resolved.c - reading and following resolved attributes.
 *
 * What is done for nearly every read comes first in each function, without a call:
 * the object's shape is the one where the attribute was found last, the row is
 * there, nothing was changed.  All else is left to attribute.c.
 */
#include "paos_int.h"

/* Not to be inlined into what is done nearly always. */
#define SELDOM __attribute__((noinline, cold))

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
    cache->values = (object->shape->count + 1) * sizeof(uint16_t);
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

/*
 * Is the attribute where it was found last, and as it was loaded?  A stale handle's shape is
 * NULL, as is that of an attribute that was not found yet: the flag tells them apart.
 */
static inline bool is_plain(const paos_object *object, const paos_attribute *at)
{
    return object && at && object->shape == at->shape && object->flags & PAOSI_PLAIN;
}

/*
 * Where a plain object's value is; false: it has none, or one that is not loaded.  All that the
 * slow ways need is in functions of their own: what comes first would have to save registers for
 * them.
 */
static inline bool peek(const paos_object *object, const paos_attribute *at,
                        const unsigned char **data)
{
    const unsigned char *row = object->row;
    uint16_t offset = ((const uint16_t *) object->row)[at->position];

    *data = row + at->values + offset;
    return offset < PAOSI_NARROW_UNLOADED;
}

/* ---- values ---- */

paos_status paos_object_get_at(paos_object *object, const paos_attribute *at, paos_value *out)
{
    return paosi_attribute_get(object, paosi_object_at(object, at), out);
}

static SELDOM const char *find_text(paos_object *object, const paos_attribute *at)
{
    return paosi_attribute_text(object, paosi_object_at(object, at));
}

const char *paos_object_text_at(paos_object *object, const paos_attribute *at)
{
    const unsigned char *data;

    if (!is_plain(object, at) || at->store != PAOSI_TEXT || !peek(object, at, &data))
        return find_text(object, at);
    return (const char *) data;
}

static SELDOM int64_t find_int(paos_object *object, const paos_attribute *at)
{
    return paosi_attribute_int(object, paosi_object_at(object, at));
}

int64_t paos_object_int_at(paos_object *object, const paos_attribute *at)
{
    const unsigned char *data;

    if (!is_plain(object, at) || !peek(object, at, &data))
        return find_int(object, at);
    if (at->store == PAOSI_INT4)
        return (int32_t) paosi_read32(data);
    if (at->store == PAOSI_INT8 || at->store == PAOSI_KEY)
        return (int64_t) paosi_read64(data);
    return find_int(object, at);
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

/* What an attribute of a plain object has links for leads to; NULL: it has to be looked for. */
static inline paosi_links *links_at(const paos_object *object, const paos_attribute *at)
{
    size_t link = at->many;

    return link ? object->links[link - 1].many : NULL;
}

static inline paos_object *link_at(const paos_object *object, const paos_attribute *at)
{
    size_t link = at->one;

    return link ? object->links[link - 1].one : NULL;
}

static SELDOM paos_object *find_ref(paos_object *object, const paos_attribute *at)
{
    paos_object *target = paosi_attribute_ref(object, paosi_object_at(object, at));

    note_link(object, at);
    return target;
}

paos_object *paos_object_ref_at(paos_object *object, const paos_attribute *at)
{
    paos_object *target;

    if (!is_plain(object, at))
        return find_ref(object, at);
    target = link_at(object, at);
    if (!target || !target->row)
        return find_ref(object, at);
    /* It is likely to be read next. */
    __builtin_prefetch(target->row);
    return paosi_resolve_found(at->conn, target);
}

static SELDOM size_t find_count(paos_object *object, const paos_attribute *at)
{
    return paosi_attribute_count(object, paosi_object_at(object, at));
}

size_t paos_object_ref_count_at(paos_object *object, const paos_attribute *at)
{
    const paosi_links *links = is_plain(object, at) ? links_at(object, at) : NULL;

    return links ? links->count : find_count(object, at);
}

static SELDOM paos_object *find_item(paos_object *object, const paos_attribute *at, size_t i)
{
    paos_object *target = paosi_attribute_item(object, paosi_object_at(object, at), i);

    note_link(object, at);
    return target;
}

paos_object *paos_object_ref_item_at(paos_object *object, const paos_attribute *at, size_t i)
{
    const paosi_links *links = is_plain(object, at) ? links_at(object, at) : NULL;
    paos_object *target = links && i < links->count ? links->items[i] : NULL;

    if (!target || !target->row)
        return find_item(object, at, i);
    return paosi_resolve_found(at->conn, target);
}

static SELDOM size_t find_items(paos_object *object, const paos_attribute *at, paos_object **items,
                                size_t n)
{
    size_t count = find_count(object, at), i;

    for (i = 0; items && i < n && i < count; i++)
        items[i] = paos_object_ref_item_at(object, at, i);
    return count;
}

size_t paos_object_ref_items_at(paos_object *object, const paos_attribute *at, paos_object **items,
                                size_t n)
{
    const paosi_links *links = is_plain(object, at) ? links_at(object, at) : NULL;
    size_t i;

    /* One by one, when their order in the cache has to be kept. */
    if (!links || !items || paosi_cache_crowded(at->conn))
        return find_items(object, at, items, n);
    n = n < links->count ? n : links->count;
    for (i = 0; i < n; i++)
    {
        paos_object *target = links->items[i];

        if (!target || !target->row)
            return find_items(object, at, items, n);
        items[i] = target;
        /* Whoever asks for all of them is likely to go on from each. */
        __builtin_prefetch(target->links[0].one);
    }
    at->conn->stats.hits += n;
    return links->count;
}

paos_status paos_object_refs_at(paos_object *object, const paos_attribute *at, paos_list **out)
{
    return paosi_attribute_refs(object, paosi_object_at(object, at), out);
}
