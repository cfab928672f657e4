/*
 * reference.c - what references name.
 *
 * An id says the class that whoever wrote it knew, which may be an ancestor of
 * the object's own.  An identity says the root class instead: keys are unique
 * in a root's extent, so that both name the same object.
 */
#include "paos_int.h"

uint64_t paosi_reference_id(const paosi_column *column, paosi_cell cell)
{
    uint64_t value;

    if (cell.state != PAOSI_VALUE || cell.size != 8)
        return 0;
    value = paosi_read64(cell.data);
    if (column->type.store == PAOSI_REF || paosi_id_temporary(value))
        return value;
    return value == 0 || value > PAOSI_KEY_MAX ? 0 : paosi_id_make(column->target, value);
}

uint64_t paosi_reference_identity(const paos_conn *conn, uint64_t id)
{
    const paosi_class *class;

    if (paosi_id_temporary(id))
        return id;
    class = paosi_class_by_number(conn, paosi_id_class(id));
    if (!class || paosi_id_key(id) == 0)
        return 0;
    return paosi_id_make(class->root, paosi_id_key(id));
}

static bool is_of(const paos_object *object, const paosi_class *class)
{
    return object->shape->class == class || paosi_class_is(object->shape->class, class);
}

paosi_known paosi_reference_find(const paos_conn *conn, uint64_t id, paos_object **out)
{
    const paosi_class *class = paosi_class_by_number(conn, paosi_id_class(id));
    uint64_t identity = paosi_reference_identity(conn, id);
    paos_object *object = identity ? paosi_map_find(conn, identity) : NULL;

    if (!object)
        return PAOSI_KNOWN_NOT;
    /* An absence that was found in a subclass says nothing about the rest of the extent. */
    if (object->flags & PAOSI_ABSENT)
        return paosi_id_temporary(id) || paosi_class_is(class, object->shape->class)
                   ? PAOSI_KNOWN_ABSENT
                   : PAOSI_KNOWN_NOT;
    if (!(paosi_id_temporary(id)) && !is_of(object, class))
        return PAOSI_KNOWN_ABSENT;
    *out = object;
    return object->row || object->flags & PAOSI_NEW ? PAOSI_KNOWN_PRESENT : PAOSI_KNOWN_NOT;
}

/* A handle that someone holds stays what it is known to be. */
static void forget(paos_conn *conn, uint64_t id)
{
    uint64_t identity = id ? paosi_reference_identity(conn, id) : 0;
    paos_object *target = identity ? paosi_map_find(conn, identity) : NULL;

    if (target && target->flags & PAOSI_ABSENT && target->holds == 0)
        paosi_cache_drop(conn, target);
}

void paosi_reference_forget(paos_object *object)
{
    paos_conn *conn = paosi_object_conn(object);
    paosi_elements elements;
    paosi_cell element;
    unsigned i;

    for (i = 0; i < object->shape->count; i++)
    {
        const paosi_column *column = &object->shape->columns[i];
        paosi_cell cell = paosi_object_cell(object, i);

        if (!paosi_column_refers(column))
            continue;
        if (column->type.store != PAOSI_ARRAY)
            forget(conn, paosi_reference_id(column, cell));
        elements = paosi_array_begin(cell);
        while (column->type.store == PAOSI_ARRAY && paosi_array_next(&elements, &element))
            if (element.size == 8)
                forget(conn, paosi_read64(element.data));
    }
}

/* ---- arrays, in binary send format: dimensions, null flag, type, then for each its extent ---- */

paosi_elements paosi_array_begin(paosi_cell cell)
{
    paosi_elements elements = {NULL, NULL, 0, false};
    uint32_t dimensions, i;
    size_t count = 1;

    if (cell.state != PAOSI_VALUE)
        return elements;
    dimensions = cell.size < 12 ? UINT32_MAX : paosi_read32(cell.data);
    elements.malformed = dimensions > 6 || cell.size < 12 + 8 * (size_t) dimensions;
    if (elements.malformed || dimensions == 0)
        return elements;
    /* No more elements than bytes: the product cannot wrap. */
    for (i = 0; i < dimensions && count <= cell.size; i++)
        count *= paosi_read32(cell.data + 12 + 8 * i);
    elements.malformed = count > cell.size;
    elements.next = cell.data + 12 + 8 * dimensions;
    elements.end = cell.data + cell.size;
    elements.left = elements.malformed ? 0 : count;
    return elements;
}

bool paosi_array_next(paosi_elements *elements, paosi_cell *out)
{
    uint32_t size;

    if (elements->left == 0)
        return false;
    elements->left--;
    elements->malformed = elements->end - elements->next < 4;
    if (elements->malformed)
        return false;
    size = paosi_read32(elements->next);
    elements->next += 4;
    out->state = size == UINT32_MAX ? PAOSI_NULL : PAOSI_VALUE;
    out->data = elements->next;
    out->size = size == UINT32_MAX ? 0 : size;
    elements->malformed = out->size > (size_t) (elements->end - elements->next);
    if (elements->malformed)
        return false;
    elements->next += out->size;
    return true;
}
