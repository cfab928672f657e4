/*
 * attribute.c - reading an attribute of an object, by its place or its name.
 *
 * A local change comes first, then the row, then the server.  Loading may give
 * the object a new shape, so a position is only good until then.
 */
#include "paos_int.h"

/* ---- finding one ---- */

static int unknown_attribute(const paos_object *object, const char *name)
{
    paosi_fail(paosi_object_conn(object), PAOS_INVALID, "class %s has no attribute \"%s\"",
               object->shape->class->name, name);
    return -1;
}

/* The class may have got the attribute since it was last looked at, or since the object was. */
static int find_anew(paos_object *object, const char *name)
{
    paosi_class *class = object->shape->class;

    if (object->shape == class->shape &&
        paosi_catalog_load(paosi_object_conn(object), NULL, NULL) != PAOS_OK)
        return -1;
    if (object->shape == class->shape || paosi_shape_find(class->shape, name) < 0 ||
        object->flags & (PAOSI_NEW | PAOSI_ABSENT))
        return unknown_attribute(object, name);
    if (paosi_load_shape(object) != PAOS_OK)
        return -1;
    return paosi_shape_find(object->shape, name) < 0 ? unknown_attribute(object, name)
                                                     : paosi_shape_find(object->shape, name);
}

int paosi_object_find(paos_object *object, const char *name)
{
    int position;

    if (!paosi_object_check(object))
        return -1;
    if (!name)
    {
        paosi_fail(paosi_object_conn(object), PAOS_INVALID, "attribute name must not be NULL");
        return -1;
    }
    position = paosi_shape_find(object->shape, name);
    return position >= 0 ? position : find_anew(object, name);
}

static paos_status read_unloaded(paos_object *object, unsigned *position, paosi_cell *out)
{
    paos_status status;

    if (object->flags & PAOSI_ABSENT)
        return paosi_fail_absent(object);
    status = paosi_load_complete(object, position);
    if (status != PAOS_OK)
        return status;
    *out = paosi_object_cell(object, *position);
    if (out->state != PAOSI_UNLOADED)
        return PAOS_OK;
    return paosi_fail(paosi_object_conn(object), PAOS_CONFLICT,
                      "object %u:%llu was written by someone else since it was changed here",
                      object->shape->class->number, (unsigned long long) paosi_id_key(object->id));
}

paos_status paosi_object_read(paos_object *object, unsigned *position, paosi_cell *out)
{
    *out = paosi_object_cell(object, *position);
    return out->state == PAOSI_UNLOADED ? read_unloaded(object, position, out) : PAOS_OK;
}

/* ---- reading, by place; -1: an error that is set already ---- */

/* The cell of an attribute that was found; false: error set. */
static inline bool read_cell(paos_object *object, int position, const paosi_column **column,
                             paosi_cell *cell)
{
    unsigned place = (unsigned) position;

    if (position < 0)
        return false;
    *cell = paosi_object_cell(object, place);
    if (cell->state == PAOSI_UNLOADED && read_unloaded(object, &place, cell) != PAOS_OK)
        return false;
    *column = &object->shape->columns[place];
    return true;
}

paos_status paosi_attribute_get(paos_object *object, int position, paos_value *out)
{
    const paosi_column *column;
    paosi_cell cell;

    if (!paosi_object_check(object))
        return PAOS_INVALID;
    if (!out)
        return paosi_fail(paosi_object_conn(object), PAOS_INVALID, "out must not be NULL");
    if (!read_cell(object, position, &column, &cell))
        return paosi_object_conn(object)->error.shown.status;
    return paosi_value_decode(paosi_object_conn(object), column, cell, out);
}

static const char *any_text(paos_object *object, int position)
{
    const paosi_column *column;
    paosi_cell cell;

    if (!read_cell(object, position, &column, &cell))
        return NULL;
    return paosi_text_of(paosi_object_conn(object), column, cell);
}

const char *paosi_attribute_text(paos_object *object, int position)
{
    const unsigned char *data = paosi_object_peek(object, position);

    if (data && object->shape->columns[position].type.store == PAOSI_TEXT)
        return (const char *) data;
    return any_text(object, position);
}

static int64_t wrong_read(paos_object *object, const paosi_column *column, const char *wanted)
{
    paosi_fail(paosi_object_conn(object), PAOS_INVALID, "attribute \"%s\" of type %s is not %s",
               column->name, column->type_name, wanted);
    return 0;
}

static int64_t other_integer(paos_object *object, const paosi_column *column, paosi_cell cell)
{
    paos_value value;

    if (paosi_value_decode(paosi_object_conn(object), column, cell, &value) != PAOS_OK)
        return 0;
    switch (value.kind)
    {
        case PAOS_KIND_BOOL:
            return value.as.boolean;
        case PAOS_KIND_TIMESTAMP:
        case PAOS_KIND_DATE:
        case PAOS_KIND_INT:
            return value.as.integer;
        case PAOS_KIND_REF:
            return (int64_t) value.as.ref.id;
        default:
            return wrong_read(object, column, "an integer");
    }
}

static int64_t any_integer(paos_object *object, int position)
{
    const paosi_column *column;
    paosi_cell cell;

    if (!read_cell(object, position, &column, &cell) || cell.state == PAOSI_NULL)
        return 0;
    if (column->type.store == PAOSI_KEY)
        return (int64_t) paosi_read64(cell.data);
    return other_integer(object, column, cell);
}

int64_t paosi_attribute_int(paos_object *object, int position)
{
    const unsigned char *data = paosi_object_peek(object, position);

    if (!data)
        return any_integer(object, position);
    switch (object->shape->columns[position].type.store)
    {
        case PAOSI_INT2:
            return (int16_t) paosi_read16(data);
        case PAOSI_INT4:
            return (int32_t) paosi_read32(data);
        case PAOSI_INT8:
        case PAOSI_KEY:
            return (int64_t) paosi_read64(data);
        default:
            return any_integer(object, position);
    }
}

double paosi_attribute_float(paos_object *object, int position)
{
    const paosi_column *column;
    paos_value value;
    paosi_cell cell;

    if (!read_cell(object, position, &column, &cell) || cell.state == PAOSI_NULL ||
        paosi_value_decode(paosi_object_conn(object), column, cell, &value) != PAOS_OK)
        return 0;
    switch (value.kind)
    {
        case PAOS_KIND_FLOAT:
            return value.as.number;
        case PAOS_KIND_INT:
            return (double) value.as.integer;
        case PAOS_KIND_NUMERIC:
            return paosi_text_to_float(value.as.text.data);
        default:
            return (double) wrong_read(object, column, "a number");
    }
}

paos_object *paosi_attribute_ref(paos_object *object, int position)
{
    return position < 0 ? NULL : paosi_resolve_ref(object, (unsigned) position);
}

paos_status paosi_attribute_refs(paos_object *object, int position, paos_list **out)
{
    if (!paosi_object_check(object))
        return PAOS_INVALID;
    if (!out)
        return paosi_fail(paosi_object_conn(object), PAOS_INVALID, "out must not be NULL");
    if (position < 0)
        return paosi_object_conn(object)->error.shown.status;
    return paosi_resolve_refs(object, (unsigned) position, out);
}

size_t paosi_attribute_count(paos_object *object, int position)
{
    return position < 0 ? 0 : paosi_resolve_count(object, (unsigned) position);
}

paos_object *paosi_attribute_item(paos_object *object, int position, size_t i)
{
    return position < 0 ? NULL : paosi_resolve_item(object, (unsigned) position, i);
}

/* ---- by name ---- */

paos_status paos_object_get(paos_object *object, const char *attribute, paos_value *out)
{
    return paosi_attribute_get(object, paosi_object_find(object, attribute), out);
}

const char *paos_object_text(paos_object *object, const char *attribute)
{
    return paosi_attribute_text(object, paosi_object_find(object, attribute));
}

int64_t paos_object_int(paos_object *object, const char *attribute)
{
    return paosi_attribute_int(object, paosi_object_find(object, attribute));
}

double paos_object_float(paos_object *object, const char *attribute)
{
    return paosi_attribute_float(object, paosi_object_find(object, attribute));
}

paos_object *paos_object_ref(paos_object *object, const char *attribute)
{
    return paosi_attribute_ref(object, paosi_object_find(object, attribute));
}

paos_status paos_object_refs(paos_object *object, const char *attribute, paos_list **out)
{
    return paosi_attribute_refs(object, paosi_object_find(object, attribute), out);
}

size_t paos_object_ref_count(paos_object *object, const char *attribute)
{
    return paosi_attribute_count(object, paosi_object_find(object, attribute));
}

paos_object *paos_object_ref_item(paos_object *object, const char *attribute, size_t i)
{
    return paosi_attribute_item(object, paosi_object_find(object, attribute), i);
}

size_t paos_object_ref_items(paos_object *object, const char *attribute, paos_object **items,
                             size_t n)
{
    size_t count = paos_object_ref_count(object, attribute), i;

    for (i = 0; items && i < n && i < count; i++)
        items[i] = paos_object_ref_item(object, attribute, i);
    return count;
}
