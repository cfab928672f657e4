/*
 * object.c - an object as a whole: its handle, its name, its row.
 *
 * A handle outlives rows: one that is found not to exist any more, or that is
 * loaded anew, stays the same handle.
 */
#include "paos_int.h"

/* ---- handles ---- */

bool paosi_object_check(const paos_object *object)
{
    return object && object->shape;
}

paos_status paosi_objects_check(paos_conn *conn, paos_object *const *objects, size_t n)
{
    size_t i;

    if (n > 0 && !objects)
        return paosi_fail(conn, PAOS_INVALID, "objects must not be NULL");
    for (i = 0; i < n; i++)
        if (!paosi_object_check(objects[i]) || paosi_object_conn(objects[i]) != conn)
            return paosi_fail(conn, PAOS_INVALID,
                              "object %zu of %zu is no handle of the connection", i + 1, n);
    return PAOS_OK;
}

paos_status paosi_fail_absent(paos_object *object)
{
    return paosi_fail(paosi_object_conn(object), PAOS_NOT_FOUND, "object %u:%llu does not exist",
                      object->shape->class->number, (unsigned long long) paosi_id_key(object->id));
}

void paosi_object_take_row(paos_object *object, paosi_shape *shape, void *row, uint32_t flags,
                           uint32_t version)
{
    const uint32_t mask = PAOSI_NARROW | PAOSI_PARTIAL;
    paosi_shape *old = object->shape;

    if (object->row)
        paosi_links_drop(object);
    /* What was followed to it may have named a class that it is not of. */
    if (old->class != shape->class)
        paosi_links_sweep(paosi_object_conn(object), true);
    if (row != object->row)
        paosi_object_free_row(object);
    object->row = row;
    object->flags = (object->flags & ~mask) | (flags & mask);
    object->version = version;
    paosi_object_note_plain(object);
    if (row && !(object->flags & PAOSI_COVERED))
        paosi_coherent_note(object);
    if (old == shape)
        return;
    object->shape = paosi_shape_hold(shape);
    paosi_shape_release(old);
}

void paosi_object_set_absent(paos_object *object)
{
    if (!(object->flags & PAOSI_ABSENT))
        paosi_object_conn(object)->cache.absent++;
    paosi_draft_drop(object);
    paosi_object_take_row(object, object->shape, NULL, 0, 0);
    object->flags &= ~(uint32_t) (PAOSI_NEW | PAOSI_DELETE);
    object->flags |= PAOSI_ABSENT;
    if (!(object->flags & PAOSI_COVERED))
        paosi_coherent_note(object);
    paosi_ring_leave(object);
    paosi_cache_place(object);
}

void paosi_object_set_present(paos_object *object, paosi_shape *shape)
{
    if (object->flags & PAOSI_ABSENT)
        paosi_object_conn(object)->cache.absent--;
    object->flags &= ~(uint32_t) PAOSI_ABSENT;
    paosi_object_take_row(object, shape, NULL, 0, 0);
}

static inline paos_id name(const paos_object *object)
{
    /* Of identities these alone have the bit: a class's number has 15. */
    if (object->id & PAOSI_TEMPORARY)
        return 0;
    return paosi_id_make(object->shape->class, paosi_id_key(object->id));
}

paos_id paosi_object_name(const paos_object *object)
{
    return name(object);
}

paos_id paos_object_id(const paos_object *object)
{
    return object && object->shape ? name(object) : 0;
}

const char *paos_object_class(const paos_object *object)
{
    return paosi_object_check(object) ? object->shape->class->table_sql : NULL;
}

bool paos_object_exists(const paos_object *object)
{
    return paosi_object_check(object) && !(object->flags & PAOSI_ABSENT);
}

paos_status paos_object_new(paos_conn *conn, const char *class_name, paos_object **out)
{
    paosi_class *class;
    paos_object *object;
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    if (!out)
        return paosi_fail(conn, PAOS_INVALID, "out must not be NULL");
    status = paosi_class_find(conn, class_name, &class);
    if (status != PAOS_OK)
        return status;
    status = paosi_cache_add(conn, class->shape, PAOSI_TEMPORARY | conn->temporaries, &object);
    if (status != PAOS_OK)
        return status;
    conn->temporaries++;
    object->flags |= PAOSI_NEW;
    object->holds = 1;
    paosi_cache_place(object);
    *out = object;
    return PAOS_OK;
}

paos_status paos_refresh(paos_conn *conn, paos_object *const *objects, size_t n)
{
    paosi_load load = {.conn = conn, .discard = true};
    paosi_ids ids = {0};
    paos_status status;
    size_t i;

    if (!conn)
        return PAOS_INVALID;
    status = paosi_objects_check(conn, objects, n);
    for (i = 0; status == PAOS_OK && i < n; i++)
    {
        if (objects[i]->flags & PAOSI_NEW)
            status =
                paosi_fail(conn, PAOS_NOT_FOUND, "object %zu of %zu is not stored yet", i + 1, n);
        else if (!paosi_ids_add(&ids, paosi_object_name(objects[i])))
            status = paosi_fail_memory(conn);
    }
    if (status == PAOS_OK)
        status = paosi_reconnect(conn);
    if (status == PAOS_OK)
        status = paosi_load_ids(&load, &ids);
    paosi_free(ids.items);
    for (i = 0; status == PAOS_OK && i < n; i++)
    {
        paosi_reference_forget(objects[i]);
        if (objects[i]->flags & PAOSI_ABSENT)
            status = paosi_fail_absent(objects[i]);
    }
    return status;
}

paos_status paos_object_refresh(paos_object *object)
{
    if (!paosi_object_check(object))
        return PAOS_INVALID;
    return paos_refresh(paosi_object_conn(object), &object, 1);
}
