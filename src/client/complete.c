/*
 * complete.c - loads what an object lacks: attributes that a parent's select
 * or a commit left out, and the columns its class got since.
 *
 * Siblings mostly lack the same, so that they are loaded with it.  The objects
 * keep their siblings; no policy forbids an object its own attributes.
 */
#include "paos_int.h"

typedef bool (*lacks)(const paos_object *object, const char *name);

static bool lacks_attribute(const paos_object *object, const char *name)
{
    int position = paosi_shape_find(object->shape, name);

    return position >= 0 && paosi_object_cell(object, (unsigned) position).state == PAOSI_UNLOADED;
}

static bool lacks_shape(const paos_object *object, const char *name)
{
    (void) name;
    return object->shape != object->shape->class->shape;
}

/* The object and those of its siblings, of the same root class, that lack the same. */
static bool gather(const paos_object *object, lacks lacks, const char *name, paosi_ids *ids)
{
    const paosi_cache *cache = &paosi_object_conn(object)->cache;
    const paosi_class *root = object->shape->class->root;
    const paos_object *sibling = object;

    do
    {
        if (!(sibling->flags & (PAOSI_NEW | PAOSI_ABSENT)) && sibling->shape->class->root == root &&
            (sibling == object || lacks(sibling, name)) &&
            !paosi_ids_add(ids, paosi_object_name(sibling)))
            return false;
        sibling = paosi_cache_at(cache, paosi_object_rest(sibling)->right);
    } while (sibling != object && !(object->flags & PAOSI_EACH) && ids->size < PAOSI_LOAD_MAX);
    return true;
}

static paos_status load(paos_object *object, lacks lacks, const char *name)
{
    paos_conn *conn = paosi_object_conn(object);
    paosi_load load = {.conn = conn};
    paosi_ids ids = {0};
    paos_status status;

    if (gather(object, lacks, name, &ids))
        status = paosi_load_ids(&load, &ids);
    else
        status = paosi_fail_memory(conn);
    paosi_free(ids.items);
    if (status == PAOS_OK && object->flags & PAOSI_ABSENT)
        return paosi_fail_absent(object);
    return status;
}

paos_status paosi_load_shape(paos_object *object)
{
    return load(object, lacks_shape, NULL);
}

paos_status paosi_load_complete(paos_object *object, unsigned *position)
{
    paosi_shape *shape = paosi_shape_hold(object->shape);
    const char *name = shape->columns[*position].name;
    paos_status status = load(object, lacks_attribute, name);
    int found;

    if (status == PAOS_OK && object->shape != shape)
    {
        found = paosi_shape_find(object->shape, name);
        if (found < 0)
            status = paosi_fail(paosi_object_conn(object), PAOS_INVALID,
                                "class %s has no attribute \"%s\" any more",
                                object->shape->class->name, name);
        else
            *position = (unsigned) found;
    }
    paosi_shape_release(shape);
    return status;
}
