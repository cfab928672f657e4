/*
 * resolve.c - follows references, for all siblings at once.
 *
 * What is missing of the targets of one attribute is loaded for the object and
 * the siblings after it in their ring, in one round trip with a statement for
 * each class.  Objects loaded so are siblings in turn, so that a walk in any
 * order costs a round trip for each level of the graph, not for each object.
 */
#include "paos_int.h"

/* ---- what is missing ---- */

static bool is_missing(const paos_conn *conn, uint64_t id)
{
    paos_object *target;

    return id && paosi_reference_find(conn, id, &target) == PAOSI_KNOWN_NOT &&
           !paosi_id_temporary(id);
}

/* Adds the missing targets of one attribute of one object; false: no memory. */
static bool gather_cell(const paos_object *object, unsigned position, paosi_ids *ids)
{
    const paos_conn *conn = paosi_object_conn(object);
    const paosi_column *column = &object->shape->columns[position];
    paosi_cell cell = paosi_object_cell(object, position);
    paosi_elements elements;
    paosi_cell element;
    uint64_t id;

    if (!paosi_column_refers(column))
        return true;
    if (column->type.store != PAOSI_ARRAY)
    {
        id = paosi_reference_id(column, cell);
        return !is_missing(conn, id) || paosi_ids_add(ids, id);
    }
    elements = paosi_array_begin(cell);
    while (paosi_array_next(&elements, &element))
    {
        id = element.size == 8 ? paosi_read64(element.data) : 0;
        if (is_missing(conn, id) && !paosi_ids_add(ids, id))
            return false;
    }
    return true;
}

/* What one touch may load: not so much that it would drive itself out of the cache. */
static size_t most(const paos_conn *conn)
{
    size_t half = conn->cache.bound / 2;

    return half < PAOSI_LOAD_MAX ? half : PAOSI_LOAD_MAX;
}

/* The missing targets of an attribute of an object, and of its siblings' of the same name. */
static bool gather(const paos_object *object, unsigned position, paosi_ids *ids)
{
    const paos_conn *conn = paosi_object_conn(object);
    const char *name = object->shape->columns[position].name;
    const paosi_shape *shape = object->shape;
    const paos_object *sibling = object;
    int place = (int) position;

    do
    {
        if (sibling->shape != shape)
        {
            shape = sibling->shape;
            place = paosi_shape_find(shape, name);
        }
        if (place >= 0 && !gather_cell(sibling, (unsigned) place, ids))
            return false;
        sibling = paosi_cache_at(&conn->cache, paosi_object_rest(sibling)->right);
    } while (sibling != object && !(object->flags & PAOSI_EACH) && ids->size < most(conn));
    return true;
}

static paos_status load_targets(paos_object *object, unsigned position)
{
    paos_conn *conn = paosi_object_conn(object);
    paosi_load load = {.conn = conn, .siblings = true};
    paosi_ids ids = {0};
    paos_status status;

    if (object->flags & PAOSI_REFUSE)
        return paosi_fail(conn, PAOS_NOT_LOADED, "the target of \"%s\" is not loaded",
                          object->shape->columns[position].name);
    if (gather(object, position, &ids))
    {
        paosi_ids_sort(&ids);
        load.policy = paosi_trail_miss(object, position, ids.size);
        status = paosi_load_ids(&load, &ids);
        paosi_trail_loaded(conn, load.policy, ids.size);
    }
    else
        status = paosi_fail_memory(conn);
    paosi_free(ids.items);
    return status;
}

/* ---- one reference ---- */

/* The loaded object whose root class an id names: then it is its identity.  Else NULL. */
static inline paos_object *find_hot(const paos_conn *conn, uint64_t id)
{
    paos_object *target = paosi_map_find(conn, id);

    if (!target || !target->row)
        return NULL;
    /* It will be read, and reading it is mostly waiting for memory. */
    __builtin_prefetch(target->row);
    return target;
}

static paos_object *load_target(paos_object *object, unsigned position, uint64_t id)
{
    paos_conn *conn = paosi_object_conn(object);
    paos_object *target = NULL;

    conn->stats.misses++;
    if (load_targets(object, position) != PAOS_OK ||
        paosi_reference_find(conn, id, &target) != PAOSI_KNOWN_PRESENT)
        return NULL;
    paos_object_hold(object);
    paosi_cache_trim(conn, target);
    paos_object_release(object);
    return target;
}

static paos_object *wrong_column(paos_object *object, const paosi_column *column)
{
    paosi_fail(paosi_object_conn(object), PAOS_INVALID, "attribute \"%s\" of type %s is not %s",
               column->name, column->type_name,
               paosi_column_refers(column) ? "a single reference" : "a reference");
    return NULL;
}

/* The loaded target of a loaded reference, or NULL: it may have to be looked for. */
static inline paos_object *hot_target(const paos_object *object, unsigned position)
{
    const unsigned char *data = paosi_object_peek(object, (int) position);
    const paosi_column *column = &object->shape->columns[position];
    uint64_t id;

    if (!data)
        return NULL;
    id = paosi_read64(data);
    if (column->type.store == PAOSI_KEY)
    {
        if (id > (uint64_t) PAOSI_KEY_MAX)
            return NULL;
        id = paosi_id_make(column->target, id);
    }
    return find_hot(paosi_object_conn(object), id);
}

/* The target that a link leads to; NULL: it has to be looked for. */
static inline paos_object *linked_target(paos_object *object, unsigned position)
{
    const paosi_link *link = paosi_links_of(object, position);

    return link && link->one && link->one->row ? link->one : NULL;
}

/* The target of the element i of `count` of an array, or of a single reference: count 0. */
static paos_object *find_or_load(paos_object *object, unsigned position, uint64_t id, size_t count,
                                 size_t i)
{
    paos_conn *conn = paosi_object_conn(object);
    paos_object *target;

    switch (paosi_reference_find(conn, id, &target))
    {
        case PAOSI_KNOWN_PRESENT:
            if (count)
                paosi_links_note_item(object, position, count, i, target);
            else
                paosi_links_note(object, position, target);
            return paosi_resolve_found(conn, target);
        case PAOSI_KNOWN_ABSENT:
            conn->stats.hits++;
            return NULL;
        default:
            return load_target(object, position, id);
    }
}

static paos_object *resolve_ref(paos_object *object, unsigned position)
{
    paosi_cell cell;
    uint64_t id;

    if (paosi_object_read(object, &position, &cell) != PAOS_OK)
        return NULL;
    id = paosi_reference_id(&object->shape->columns[position], cell);
    return id ? find_or_load(object, position, id, 0, 0) : NULL;
}

paos_object *paosi_resolve_ref(paos_object *object, unsigned position)
{
    const paosi_column *column = &object->shape->columns[position];
    paos_conn *conn = paosi_object_conn(object);
    paos_object *target;

    if (column->type.store != PAOSI_REF && column->type.store != PAOSI_KEY)
        return wrong_column(object, column);
    target = linked_target(object, position);
    if (target)
        return paosi_resolve_found(conn, target);
    paosi_trail_note(object, position);
    target = hot_target(object, position);
    if (!target)
        return resolve_ref(object, position);
    paosi_links_note(object, position, target);
    return paosi_resolve_found(conn, target);
}

/* ---- arrays of references ---- */

static paos_status array_cell(paos_object *object, unsigned *position, paosi_cell *out)
{
    const paosi_column *column = &object->shape->columns[*position];

    if (column->type.store != PAOSI_ARRAY || column->type.element != PAOSI_REF)
        return paosi_fail(paosi_object_conn(object), PAOS_INVALID,
                          "attribute \"%s\" of type %s is not an array of references", column->name,
                          column->type_name);
    return paosi_object_read(object, position, out);
}

/* Adds the targets that are here to the list, and counts what is not. */
static paos_status collect(paos_conn *conn, paosi_cell cell, paos_list *list, size_t *missing)
{
    paosi_elements elements = paosi_array_begin(cell);
    paosi_cell element;
    paos_object *target;

    *missing = 0;
    while (paosi_array_next(&elements, &element))
    {
        paosi_known known = PAOSI_KNOWN_PRESENT;

        if (element.size != 8)
            continue;
        target = find_hot(conn, paosi_read64(element.data));
        if (!target)
            known = paosi_reference_find(conn, paosi_read64(element.data), &target);
        if (known == PAOSI_KNOWN_PRESENT && !paosi_list_add(list, target))
            return paosi_fail_memory(conn);
        *missing += known == PAOSI_KNOWN_NOT;
    }
    return PAOS_OK;
}

static paos_status resolve_array(paos_object *object, unsigned position, paosi_cell cell,
                                 paos_list *list)
{
    paos_conn *conn = paosi_object_conn(object);
    size_t missing;
    paos_status status = collect(conn, cell, list, &missing);

    conn->stats.hits += list->size;
    conn->stats.misses += missing;
    if (status != PAOS_OK || missing == 0)
        return status;
    paosi_list_clear(list);
    status = load_targets(object, position);
    if (status != PAOS_OK)
        return status;
    status = collect(conn, paosi_object_cell(object, position), list, &missing);
    paosi_cache_trim(conn, object);
    return status;
}

paos_status paosi_resolve_refs(paos_object *object, unsigned position, paos_list **out)
{
    paos_conn *conn = paosi_object_conn(object);
    paos_list *list;
    paosi_cell cell;
    paos_status status;

    status = array_cell(object, &position, &cell);
    if (status != PAOS_OK)
        return status;
    paosi_trail_note(object, position);
    list = paosi_list_new(conn, paosi_array_begin(cell).left);
    if (!list)
        return paosi_fail_memory(conn);
    status = resolve_array(object, position, cell, list);
    if (status == PAOS_OK)
        *out = list;
    else
        paos_list_free(list);
    return status;
}

/* ---- one element of an array ---- */

/* Elements whose targets are fetched ahead from memory. */
#define WARM_MAX 16

/*
 * The elements of an array of references in the usual case, loaded and one-dimensional
 * without nulls: each is its length and eight bytes.  NULL: it has to be read in turn.
 */
static inline const unsigned char *peek_elements(const paos_object *object, unsigned position,
                                                 size_t *n)
{
    const unsigned char *data = paosi_object_peek(object, (int) position);
    const paosi_column *column = &object->shape->columns[position];
    const uint16_t *offsets = object->row;
    size_t size;

    if (!data || column->type.store != PAOSI_ARRAY || column->type.element != PAOSI_REF ||
        offsets[position + 1] >= PAOSI_NARROW_UNLOADED)
        return NULL;
    size = (size_t) offsets[position + 1] - offsets[position];
    if (size < 20 || paosi_read32(data) != 1)
        return NULL;
    *n = paosi_read32(data + 12);
    return size == 20 + 12 * *n ? data + 20 : NULL;
}

/* Who counts the elements is about to walk them: what they refer to is fetched meanwhile. */
static void warm(const paos_conn *conn, const unsigned char *elements, size_t n)
{
    const paosi_map *map = &conn->map;
    size_t i;

    for (i = 0; map->mask && i < n && i < WARM_MAX; i++)
    {
        uint64_t id = paosi_read64(elements + 12 * i + 4);
        uint32_t entry = map->slots[paosi_map_place(map, id)];

        if (entry != PAOSI_NONE)
            __builtin_prefetch(paosi_cache_at(&conn->cache, entry & PAOSI_MAP_SLOT));
    }
}

/* The links of an array of references, or NULL. */
static const paosi_links *linked_targets(paos_object *object, unsigned position)
{
    const paosi_link *link = paosi_links_of(object, position);

    return link && object->shape->columns[position].type.store == PAOSI_ARRAY ? link->many : NULL;
}

size_t paosi_resolve_count(paos_object *object, unsigned position)
{
    const paosi_links *links = linked_targets(object, position);
    const unsigned char *elements;
    paosi_cell cell;
    size_t n;

    if (links)
        return links->count;
    elements = peek_elements(object, position, &n);
    if (elements)
    {
        warm(paosi_object_conn(object), elements, n);
        return n;
    }
    if (array_cell(object, &position, &cell) != PAOS_OK)
        return 0;
    return paosi_array_begin(cell).left;
}

/* The ref at i of an array's cell; 0: null, or past its end. */
static uint64_t element_at(paosi_cell cell, size_t i)
{
    paosi_elements elements = paosi_array_begin(cell);
    paosi_cell element = {PAOSI_NULL, NULL, 0};

    if (i >= elements.left)
        return 0;
    while (paosi_array_next(&elements, &element) && i-- > 0)
        ;
    return element.size == 8 ? paosi_read64(element.data) : 0;
}

paos_object *paosi_resolve_item(paos_object *object, unsigned position, size_t i)
{
    const paosi_links *links = linked_targets(object, position);
    paos_conn *conn = paosi_object_conn(object);
    const unsigned char *elements;
    paos_object *target;
    paosi_cell cell;
    uint64_t id;
    size_t n;

    if (links && i < links->count && links->items[i] && links->items[i]->row)
        return paosi_resolve_found(conn, links->items[i]);
    paosi_trail_note(object, position);
    elements = peek_elements(object, position, &n);
    if (elements && i < n)
    {
        target = find_hot(conn, paosi_read64(elements + 12 * i + 4));
        if (target)
        {
            paosi_links_note_item(object, position, n, i, target);
            return paosi_resolve_found(conn, target);
        }
    }
    if (array_cell(object, &position, &cell) != PAOS_OK)
        return NULL;
    id = element_at(cell, i);
    return id ? find_or_load(object, position, id, paosi_array_begin(cell).left, i) : NULL;
}
