/*
 * change.c - changing objects here; nothing is sent before the commit.
 *
 * Deleting a new object just forgets it.  Deleting any other only marks it: it
 * can be read, and exists, until the commit.
 */
#include "paos_int.h"

/* A new object may be given its key instead of one from the class's sequence. */
static paos_status set_key(paos_object *object, paos_value value)
{
    paos_conn *conn = paosi_object_conn(object);

    if (value.kind != PAOS_KIND_INT || !paosi_id_temporary(object->id))
        return paosi_fail(conn, PAOS_INVALID, "the key of a registered object cannot be changed");
    if (value.as.integer < 1 || value.as.integer > PAOSI_KEY_MAX)
        return paosi_fail(conn, PAOS_INVALID, "key %lld is out of range",
                          (long long) value.as.integer);
    return paosi_register_as(object, (uint64_t) value.as.integer);
}

static paos_status set(paos_object *object, int position, paos_value value)
{
    paos_conn *conn;
    const paosi_column *column;

    if (position < 0)
        return paosi_object_check(object) ? paosi_object_conn(object)->error.shown.status
                                          : PAOS_INVALID;
    conn = paosi_object_conn(object);
    column = &object->shape->columns[position];
    if (object->flags & PAOSI_ABSENT)
        return paosi_fail_absent(object);
    if (object->flags & PAOSI_DELETE)
        return paosi_fail(conn, PAOS_INVALID, "the object is to be deleted");
    if (column->generated)
        return paosi_fail(conn, PAOS_INVALID, "attribute \"%s\" is generated", column->name);
    if (column->key)
        return set_key(object, value);
    return paosi_draft_set(object, (unsigned) position, value);
}

paos_status paos_object_set(paos_object *object, const char *attribute, paos_value value)
{
    return set(object, paosi_object_find(object, attribute), value);
}

paos_status paos_object_set_at(paos_object *object, const paos_attribute *at, paos_value value)
{
    return set(object, paosi_object_at(object, at), value);
}

paos_status paos_delete(paos_conn *conn, paos_object *object)
{
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    status = paosi_objects_check(conn, &object, 1);
    if (status != PAOS_OK)
        return status;
    if (object->flags & PAOSI_ABSENT)
        return paosi_fail_absent(object);
    if (object->flags & PAOSI_NEW)
        paosi_object_set_absent(object);
    else
        object->flags |= PAOSI_DELETE;
    paosi_cache_place(object);
    return PAOS_OK;
}
