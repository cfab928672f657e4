/*
 * encode.c - values into cells, and into arguments of queries.
 *
 * A cell holds the binary send format of its column's type, so that a commit
 * only copies.  Whether a value fits is decided here, before anything is sent:
 * kind, range, encoding, and the class of a reference.
 */
#include "paos_int.h"

#include <math.h>
#include <stdio.h>

#define EPOCH_DAYS INT64_C(10957)
#define EPOCH_MICROSECONDS (EPOCH_DAYS * INT64_C(86400000000))
/* The server takes no value of 1 GB. */
#define TEXT_MAX ((size_t) 0x3FFFFFF0)

static const char *const kinds[] = {"null",  "boolean",   "integer", "float", "text",
                                    "bytes", "timestamp", "date",    "uuid",  "numeric",
                                    "json",  "reference", "array"};

static paos_status wrong_kind(paos_conn *conn, const paosi_column *column, paos_kind kind)
{
    if ((size_t) kind >= sizeof kinds / sizeof kinds[0])
        return paosi_fail(conn, PAOS_INVALID, "no such kind of value: %d", (int) kind);
    return paosi_fail(conn, PAOS_INVALID,
                      "attribute \"%s\" of type %s does not take a value of "
                      "kind %s",
                      column->name, column->type_name, kinds[kind]);
}

static paos_status out_of_range(paos_conn *conn, const paosi_column *column)
{
    return paosi_fail(conn, PAOS_INVALID, "value is out of range for attribute \"%s\" of type %s",
                      column->name, column->type_name);
}

/* ---- one kind each; the column has been found to take it ---- */

static paos_status add_integer(paos_conn *conn, const paosi_column *column, uint8_t store,
                               int64_t value, paosi_buffer *out)
{
    if (store == PAOSI_INT2 && (value < INT16_MIN || value > INT16_MAX))
        return out_of_range(conn, column);
    if (store == PAOSI_INT4 && (value < INT32_MIN || value > INT32_MAX))
        return out_of_range(conn, column);
    if (store == PAOSI_INT2)
        paosi_buffer_add16(out, (uint16_t) value);
    else if (store == PAOSI_INT4)
        paosi_buffer_add32(out, (uint32_t) value);
    else
        paosi_buffer_add64(out, (uint64_t) value);
    return PAOS_OK;
}

static paos_status add_float(paos_conn *conn, const paosi_column *column, uint8_t store,
                             double value, paosi_buffer *out)
{
    float single = (float) value;
    uint32_t half;
    uint64_t bits;

    if (store == PAOSI_FLOAT4 && isinf(single) && !isinf(value))
        return out_of_range(conn, column);
    memcpy(&half, &single, sizeof half);
    memcpy(&bits, &value, sizeof bits);
    if (store == PAOSI_FLOAT4)
        paosi_buffer_add32(out, half);
    else
        paosi_buffer_add64(out, bits);
    return PAOS_OK;
}

static paos_status add_timestamp(paos_conn *conn, const paosi_column *column, int64_t value,
                                 paosi_buffer *out)
{
    if (value < INT64_MIN + EPOCH_MICROSECONDS && value != INT64_MIN)
        return out_of_range(conn, column);
    if (value != INT64_MIN && value != INT64_MAX)
        value -= EPOCH_MICROSECONDS;
    paosi_buffer_add64(out, (uint64_t) value);
    return PAOS_OK;
}

static paos_status add_date(paos_conn *conn, const paosi_column *column, int64_t value,
                            paosi_buffer *out)
{
    const bool infinite = value == INT64_MIN || value == INT64_MAX;
    int64_t days = value < 0 ? INT32_MIN : INT32_MAX;

    /* The server's smallest and largest dates are its infinities. */
    if (!infinite && (value <= INT32_MIN + EPOCH_DAYS || value >= INT32_MAX + EPOCH_DAYS))
        return out_of_range(conn, column);
    if (!infinite)
        days = value - EPOCH_DAYS;
    paosi_buffer_add32(out, (uint32_t) (int32_t) days);
    return PAOS_OK;
}

static paos_status add_text(paos_conn *conn, const paosi_column *column, const paos_value *value,
                            paosi_buffer *out)
{
    if (value->as.text.size > TEXT_MAX)
        return out_of_range(conn, column);
    if (value->kind != PAOS_KIND_BYTES &&
        !paosi_utf8_valid(value->as.text.data, value->as.text.size))
        return paosi_fail(conn, PAOS_INVALID, "value for attribute \"%s\" is not valid UTF-8",
                          column->name);
    paosi_buffer_add(out, value->as.text.data, value->as.text.size);
    return PAOS_OK;
}

/* Numbers for a column that is kept as text. */
static void add_number(const paos_value *value, paosi_buffer *out)
{
    char room[PAOSI_ARGUMENT];

    if (value->kind == PAOS_KIND_INT)
        snprintf(room, sizeof room, "%lld", (long long) value->as.integer);
    else
        paosi_text_float(room, value->as.number, false);
    paosi_buffer_text(out, room);
}

/* ---- references ---- */

/* The id or temporary identity that a value names, 0 with an error. */
static uint64_t name_of(paos_conn *conn, const paos_value *value)
{
    const paos_object *object = value->as.ref.object;
    const paosi_class *class;

    if (object)
    {
        if (!object->shape || paosi_object_conn(object) != conn)
            paosi_fail(conn, PAOS_INVALID, "reference to an object of another connection");
        else if (object->flags & PAOSI_ABSENT)
            paosi_fail(conn, PAOS_INVALID, "reference to an object that is deleted");
        else
            return paosi_id_temporary(object->id) ? object->id : paosi_object_name(object);
        return 0;
    }
    class = paosi_class_by_number(conn, paosi_id_class(value->as.ref.id));
    if (class && paosi_id_key(value->as.ref.id))
        return value->as.ref.id;
    paosi_fail(conn, PAOS_INVALID, "reference %u:%llu names no class",
               paosi_id_class(value->as.ref.id),
               (unsigned long long) paosi_id_key(value->as.ref.id));
    return 0;
}

/* A foreign key takes objects of its own class and subclasses only. */
static bool takes_class(const paos_conn *conn, const paosi_column *column, uint64_t id)
{
    const paos_object *object;
    const paosi_class *class;

    if (!column->target)
        return true;
    object = paosi_id_temporary(id) ? paosi_map_find(conn, id) : NULL;
    class = object ? object->shape->class : paosi_class_by_number(conn, paosi_id_class(id));
    return paosi_class_is(class, column->target);
}

/* The key that a foreign key column holds, in the 8 bytes that it is kept in. */
static paos_status add_key(paos_conn *conn, const paosi_column *column, int64_t key,
                           paosi_buffer *out)
{
    uint32_t type = column->type.oid;

    if ((type == PAOSI_OID_INT2 && (key < INT16_MIN || key > INT16_MAX)) ||
        (type == PAOSI_OID_INT4 && (key < INT32_MIN || key > INT32_MAX)))
        return out_of_range(conn, column);
    paosi_buffer_add64(out, (uint64_t) key);
    return PAOS_OK;
}

static paos_status add_ref(paos_conn *conn, const paosi_column *column, uint8_t store,
                           const paos_value *value, paosi_buffer *out, bool *temporary)
{
    uint64_t id = name_of(conn, value);

    if (!id)
        return PAOS_INVALID;
    if (store == PAOSI_KEY && !takes_class(conn, column, id))
        return paosi_fail(conn, PAOS_INVALID, "attribute \"%s\" refers to objects of class %s",
                          column->name, column->target->name);
    *temporary |= paosi_id_temporary(id);
    if (store == PAOSI_KEY && !paosi_id_temporary(id))
        return add_key(conn, column, (int64_t) paosi_id_key(id), out);
    paosi_buffer_add64(out, id);
    return PAOS_OK;
}

/* ---- any value ---- */

static bool takes(uint8_t store, paos_kind shown, paos_kind kind)
{
    switch ((paosi_store) store)
    {
        case PAOSI_BOOL:
            return kind == PAOS_KIND_BOOL;
        case PAOSI_INT2:
        case PAOSI_INT4:
        case PAOSI_INT8:
            return kind == PAOS_KIND_INT;
        case PAOSI_FLOAT4:
        case PAOSI_FLOAT8:
            return kind == PAOS_KIND_FLOAT || kind == PAOS_KIND_INT;
        case PAOSI_KEY:
            return kind == PAOS_KIND_REF || kind == PAOS_KIND_INT;
        case PAOSI_REF:
            return kind == PAOS_KIND_REF;
        case PAOSI_TEXT:
            return kind == PAOS_KIND_TEXT || kind == shown ||
                   (shown == PAOS_KIND_NUMERIC &&
                    (kind == PAOS_KIND_INT || kind == PAOS_KIND_FLOAT));
        default:
            return kind == shown;
    }
}

static paos_status add_one(paos_conn *conn, const paosi_column *column, uint8_t store,
                           const paos_value *value, paosi_buffer *out, bool *temporary)
{
    double number = value->kind == PAOS_KIND_INT ? (double) value->as.integer : value->as.number;

    if (!takes(store, (paos_kind) column->type.kind, value->kind))
        return wrong_kind(conn, column, value->kind);
    if (value->kind == PAOS_KIND_REF)
        return add_ref(conn, column, store, value, out, temporary);
    switch ((paosi_store) store)
    {
        case PAOSI_BOOL:
            paosi_buffer_add(out, value->as.boolean ? "\1" : "\0", 1);
            return PAOS_OK;
        case PAOSI_FLOAT4:
        case PAOSI_FLOAT8:
            return add_float(conn, column, store, number, out);
        case PAOSI_DATE:
            return add_date(conn, column, value->as.integer, out);
        case PAOSI_TIMESTAMP:
            return add_timestamp(conn, column, value->as.integer, out);
        case PAOSI_UUID:
            paosi_buffer_add(out, value->as.uuid, 16);
            return PAOS_OK;
        case PAOSI_TEXT:
        case PAOSI_BYTES:
            if (value->kind != PAOS_KIND_INT && value->kind != PAOS_KIND_FLOAT)
                return add_text(conn, column, value, out);
            add_number(value, out);
            return PAOS_OK;
        case PAOSI_KEY:
            return add_key(conn, column, value->as.integer, out);
        default:
            return add_integer(conn, column, store, value->as.integer, out);
    }
}

static paos_status add_array(paos_conn *conn, const paosi_column *column, const paos_value *value,
                             paosi_buffer *out, bool *temporary)
{
    const paosi_type *type = &column->type;
    size_t count = value->as.array.size;
    paos_status status = PAOS_OK;
    size_t i;

    if (count > INT32_MAX / 8)
        return out_of_range(conn, column);
    paosi_buffer_add32(out, count ? 1 : 0);
    paosi_buffer_add32(out, 1); /* may contain nulls */
    paosi_buffer_add32(out, type->cast ? PAOSI_OID_TEXT : type->array);
    if (count)
    {
        paosi_buffer_add32(out, (uint32_t) count);
        paosi_buffer_add32(out, 1);
    }
    for (i = 0; status == PAOS_OK && i < count; i++)
    {
        const paos_value *item = &value->as.array.items[i];
        size_t start = out->size;

        paosi_buffer_add32(out, UINT32_MAX);
        if (item->kind == PAOS_KIND_NULL)
            continue;
        status = add_one(conn, column, type->element, item, out, temporary);
        if (status == PAOS_OK && !out->failed)
            paosi_write32((unsigned char *) out->data + start, (uint32_t) (out->size - start - 4));
    }
    return status;
}

paos_status paosi_value_encode(paos_conn *conn, const paosi_column *column, paos_value value,
                               paosi_buffer *out, bool *temporary)
{
    paos_status status = PAOS_OK;

    if (value.kind == PAOS_KIND_NULL)
        return PAOS_OK;
    if (column->type.store != PAOSI_ARRAY)
        status = add_one(conn, column, column->type.store, &value, out, temporary);
    else if (value.kind == PAOS_KIND_ARRAY)
        status = add_array(conn, column, &value, out, temporary);
    else
        return wrong_kind(conn, column, value.kind);
    if (column->type.store == PAOSI_TEXT)
        paosi_buffer_add(out, "", 1);
    if (status == PAOS_OK && out->failed)
        return paosi_fail_memory(conn);
    return status;
}

/* ---- arguments of queries ---- */

static void argument(paosi_parameter *out, uint32_t type, const void *data, size_t size)
{
    out->type = type;
    out->text = false;
    out->data = data;
    out->size = size;
}

static void text_argument(paosi_parameter *out, uint32_t type, const char *text)
{
    argument(out, type, text, strlen(text));
    out->text = true;
}

static paos_status ref_argument(paos_conn *conn, const paos_value *value, char *room,
                                paosi_parameter *out)
{
    uint64_t id = name_of(conn, value);

    if (!id)
        return PAOS_INVALID;
    if (paosi_id_temporary(id))
        return paosi_fail(conn, PAOS_INVALID, "an object without an id cannot be asked for");
    paosi_write64((unsigned char *) room, id);
    argument(out, conn->ref_oid, room, 8);
    return PAOS_OK;
}

/* Text and bytes, where the program has them. */
static paos_status lent_argument(paos_conn *conn, const paos_value *value, paosi_parameter *out)
{
    if (value->as.text.size > TEXT_MAX)
        return paosi_fail(conn, PAOS_INVALID, "an argument of the query is too long");
    if (value->kind == PAOS_KIND_NUMERIC)
        text_argument(out, PAOSI_OID_NUMERIC, value->as.text.data);
    else
        argument(out, value->kind == PAOS_KIND_BYTES ? PAOSI_OID_BYTEA : PAOSI_OID_TEXT,
                 value->as.text.data, value->as.text.size);
    return PAOS_OK;
}

static paos_status date_argument(paos_conn *conn, int64_t days, char *room, paosi_parameter *out)
{
    if ((days < INT32_MIN || days > INT32_MAX) && days != INT64_MIN && days != INT64_MAX)
        return paosi_fail(conn, PAOS_INVALID, "a date in the query's arguments is out of range");
    paosi_text_date(room, days);
    text_argument(out, PAOSI_OID_TEXT, room);
    return PAOS_OK;
}

paos_status paosi_value_parameter(paos_conn *conn, const paos_value *value, char *room,
                                  paosi_parameter *out)
{
    uint64_t bits;

    switch (value->kind)
    {
        case PAOS_KIND_NULL:
            argument(out, PAOSI_OID_TEXT, NULL, 0);
            return PAOS_OK;
        case PAOS_KIND_BOOL:
            room[0] = value->as.boolean;
            argument(out, PAOSI_OID_BOOL, room, 1);
            return PAOS_OK;
        case PAOS_KIND_INT:
            paosi_write64((unsigned char *) room, (uint64_t) value->as.integer);
            argument(out, PAOSI_OID_INT8, room, 8);
            return PAOS_OK;
        case PAOS_KIND_FLOAT:
            memcpy(&bits, &value->as.number, sizeof bits);
            paosi_write64((unsigned char *) room, bits);
            argument(out, PAOSI_OID_FLOAT8, room, 8);
            return PAOS_OK;
        case PAOS_KIND_BYTES:
        case PAOS_KIND_TEXT:
        case PAOS_KIND_JSON:
        case PAOS_KIND_NUMERIC:
            return lent_argument(conn, value, out);
        case PAOS_KIND_DATE:
            return date_argument(conn, value->as.integer, room, out);
        case PAOS_KIND_TIMESTAMP:
            paosi_text_timestamp(room, value->as.integer, true);
            text_argument(out, PAOSI_OID_TEXT, room);
            return PAOS_OK;
        case PAOS_KIND_UUID:
            paosi_text_uuid(room, value->as.uuid);
            text_argument(out, PAOSI_OID_TEXT, room);
            return PAOS_OK;
        case PAOS_KIND_REF:
            return ref_argument(conn, value, room, out);
        case PAOS_KIND_ARRAY:
            return paosi_fail(conn, PAOS_INVALID, "an array cannot be an argument of a query");
        default:
            return paosi_fail(conn, PAOS_INVALID, "no such kind of value: %d", (int) value->kind);
    }
}
