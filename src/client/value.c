/*
 * value.c - values as programs see them: made, and read from cells.
 *
 * Reading copies nothing that the row can lend; only the items of an array are
 * put together, in a conversion.
 */
#include "paos_int.h"

/* Days and microseconds from 1970, where we count from, to 2000, where the server does. */
#define EPOCH_DAYS INT64_C(10957)
#define EPOCH_MICROSECONDS (EPOCH_DAYS * INT64_C(86400000000))

/* ---- constructors ---- */

paos_value paos_null(void)
{
    paos_value value = {PAOS_KIND_NULL, {0}};

    return value;
}

paos_value paos_bool(bool boolean)
{
    paos_value value = {PAOS_KIND_BOOL, {0}};

    value.as.boolean = boolean;
    return value;
}

static paos_value of_integer(paos_kind kind, int64_t integer)
{
    paos_value value = {kind, {0}};

    value.as.integer = integer;
    return value;
}

paos_value paos_int(int64_t integer)
{
    return of_integer(PAOS_KIND_INT, integer);
}

paos_value paos_timestamp(int64_t microseconds)
{
    return of_integer(PAOS_KIND_TIMESTAMP, microseconds);
}

paos_value paos_date(int64_t days)
{
    return of_integer(PAOS_KIND_DATE, days);
}

paos_value paos_float(double number)
{
    paos_value value = {PAOS_KIND_FLOAT, {0}};

    value.as.number = number;
    return value;
}

static paos_value of_text(paos_kind kind, const void *data, size_t size)
{
    paos_value value = {data ? kind : PAOS_KIND_NULL, {0}};

    value.as.text.data = data;
    value.as.text.size = data ? size : 0;
    return value;
}

paos_value paos_text(const char *text)
{
    return of_text(PAOS_KIND_TEXT, text, text ? strlen(text) : 0);
}

paos_value paos_numeric(const char *digits)
{
    return of_text(PAOS_KIND_NUMERIC, digits, digits ? strlen(digits) : 0);
}

paos_value paos_json(const char *text)
{
    return of_text(PAOS_KIND_JSON, text, text ? strlen(text) : 0);
}

paos_value paos_bytes(const void *data, size_t size)
{
    return of_text(PAOS_KIND_BYTES, data, size);
}

paos_value paos_uuid(const unsigned char bytes[16])
{
    paos_value value = {bytes ? PAOS_KIND_UUID : PAOS_KIND_NULL, {0}};

    if (bytes)
        memcpy(value.as.uuid, bytes, 16);
    return value;
}

paos_value paos_ref(const paos_object *object)
{
    paos_value value = {object ? PAOS_KIND_REF : PAOS_KIND_NULL, {0}};

    value.as.ref.id = object ? paos_object_id(object) : 0;
    value.as.ref.object = object;
    return value;
}

paos_value paos_ref_id(paos_id id)
{
    paos_value value = {id ? PAOS_KIND_REF : PAOS_KIND_NULL, {0}};

    value.as.ref.id = id;
    value.as.ref.object = NULL;
    return value;
}

paos_value paos_array(const paos_value *items, size_t size)
{
    paos_value value = {items || size == 0 ? PAOS_KIND_ARRAY : PAOS_KIND_NULL, {0}};

    value.as.array.items = items;
    value.as.array.size = size;
    return value;
}

/* ---- reading cells ---- */

static double read_float(const unsigned char *data, bool single)
{
    uint64_t bits = single ? paosi_read32(data) : paosi_read64(data);
    uint32_t half = (uint32_t) bits;
    double number;
    float small;

    if (single)
    {
        memcpy(&small, &half, sizeof small);
        return (double) small;
    }
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Infinity is the largest and smallest number of the type, here of int64. */
static int64_t read_timestamp(const unsigned char *data)
{
    uint64_t value = paosi_read64(data);

    if ((int64_t) value == INT64_MIN || (int64_t) value == INT64_MAX)
        return (int64_t) value;
    /* Unsigned: a server stores nothing so large, but it is its word. */
    return (int64_t) (value + (uint64_t) EPOCH_MICROSECONDS);
}

static int64_t read_date(const unsigned char *data)
{
    int32_t value = (int32_t) paosi_read32(data);

    if (value == INT32_MIN)
        return INT64_MIN;
    return value == INT32_MAX ? INT64_MAX : value + EPOCH_DAYS;
}

static paos_value read_ref(const paos_conn *conn, uint64_t id)
{
    const paos_object *object = paosi_id_temporary(id) ? paosi_map_find(conn, id) : NULL;

    return object ? paos_ref(object) : paos_ref_id(id);
}

/* A foreign key is a reference when it can be one, else the integer that it is. */
static paos_value read_key(const paos_conn *conn, const paosi_column *column, paosi_cell cell)
{
    uint64_t id = paosi_reference_id(column, cell);

    /* A key of the server's may look like a temporary identity, but names no object here. */
    if (!id || (paosi_id_temporary(id) && !paosi_map_find(conn, id)))
        return paos_int((int64_t) paosi_read64(cell.data));
    return read_ref(conn, id);
}

/* A value of fixed size, or text whose bytes the cell lends. */
static paos_value read_one(const paos_conn *conn, uint8_t store, paos_kind kind, paosi_cell cell)
{
    switch ((paosi_store) store)
    {
        case PAOSI_BOOL:
            return paos_bool(cell.data[0] != 0);
        case PAOSI_INT2:
            return paos_int((int16_t) paosi_read16(cell.data));
        case PAOSI_INT4:
            return paos_int((int32_t) paosi_read32(cell.data));
        case PAOSI_INT8:
            return paos_int((int64_t) paosi_read64(cell.data));
        case PAOSI_FLOAT4:
        case PAOSI_FLOAT8:
            return paos_float(read_float(cell.data, store == PAOSI_FLOAT4));
        case PAOSI_DATE:
            return paos_date(read_date(cell.data));
        case PAOSI_TIMESTAMP:
            return paos_timestamp(read_timestamp(cell.data));
        case PAOSI_UUID:
            return paos_uuid(cell.data);
        case PAOSI_REF:
            return read_ref(conn, paosi_read64(cell.data));
        default:
            return of_text(kind, cell.data, cell.size);
    }
}

/* One item; a text among them goes to *texts, with the zero byte that it lacks in the cell. */
static bool read_item(const paos_conn *conn, const paosi_type *type, paosi_cell cell,
                      paos_value *item, char **texts)
{
    size_t fixed = paosi_store_sizes[type->element];

    *item = paos_null();
    if (cell.state == PAOSI_NULL)
        return true;
    if (fixed && cell.size != fixed)
        return false;
    *item = read_one(conn, type->element, (paos_kind) type->kind, cell);
    if (fixed)
        return true;
    memcpy(*texts, cell.data, cell.size);
    (*texts)[cell.size] = 0;
    item->as.text.data = *texts;
    *texts += cell.size + 1;
    return true;
}

static paos_status read_array(paos_conn *conn, const paosi_type *type, paosi_cell cell,
                              paos_value *out)
{
    paosi_elements elements = paosi_array_begin(cell);
    size_t count = elements.left;
    paos_value *items = paosi_conn_conversion(conn, count * (sizeof *items + 1) + cell.size);
    char *texts = (char *) (items + count);
    paosi_cell element;
    size_t i;

    if (!items)
        return PAOS_NO_MEMORY;
    for (i = 0; i < count && paosi_array_next(&elements, &element); i++)
        if (!read_item(conn, type, element, &items[i], &texts))
            break;
    if (i < count || elements.malformed)
        return paosi_fail(conn, PAOS_SERVER, "malformed array from the server");
    *out = paos_array(items, count);
    return PAOS_OK;
}

paos_status paosi_value_decode(paos_conn *conn, const paosi_column *column, paosi_cell cell,
                               paos_value *out)
{
    if (cell.state != PAOSI_VALUE)
        *out = paos_null();
    else if (column->type.store == PAOSI_ARRAY)
        return read_array(conn, &column->type, cell, out);
    else if (column->type.store == PAOSI_KEY)
        *out = read_key(conn, column, cell);
    else
    {
        if (column->type.store == PAOSI_TEXT)
            cell.size--;
        *out = read_one(conn, column->type.store, (paos_kind) column->type.kind, cell);
    }
    return PAOS_OK;
}
