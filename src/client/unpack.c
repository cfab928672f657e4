/*
 * unpack.c - rows as paos.pack and paos.reach make them.
 *
 * A row begins with the number of its class's shape: columns that were added,
 * dropped or changed since the classes were read show there and nowhere else.
 * All lengths come from outside and are checked.
 */
#include "paos_int.h"

typedef struct unpacking
{
    const unsigned char *next, *end;
} unpacking;

/* Goes to one of the values that a row's values are packed in. */
static bool begin(unpacking *u, const paosi_result *result, size_t row, size_t column,
                  uint32_t *shape)
{
    size_t size;

    if (column >= paosi_result_columns(result))
        return false;
    u->next = paosi_result_value(result, row, column, &size);
    if (!u->next || size < 4)
        return false;
    *shape = paosi_read32(u->next);
    u->end = u->next + size;
    u->next += 4;
    return true;
}

static inline bool take(unpacking *u, paosi_cell *out)
{
    uint32_t size;

    if (u->end - u->next < 4)
        return false;
    size = paosi_read32(u->next);
    u->next += 4;
    out->data = u->next;
    out->size = 0;
    out->state = PAOSI_NULL;
    if (size == UINT32_MAX)
        return true;
    if (size > (size_t) (u->end - u->next))
        return false;
    out->size = size;
    out->state = PAOSI_VALUE;
    u->next += size;
    return true;
}

static inline bool take_number(unpacking *u, uint32_t *out)
{
    paosi_cell cell;

    if (!take(u, &cell) || cell.size != 4)
        return false;
    *out = paosi_read32(cell.data);
    return true;
}

bool paosi_unpack_head(const paosi_result *result, size_t row, uint32_t *shape, uint32_t *table)
{
    unpacking u;

    return begin(&u, result, row, 0, shape) && take_number(&u, table);
}

bool paosi_unpack_begin(const paosi_result *result, size_t row, uint32_t *table, uint32_t *version,
                        const unsigned char **next, const unsigned char **end)
{
    unpacking u;
    uint32_t shape;

    if (!begin(&u, result, row, 0, &shape) || !take_number(&u, table) || !take_number(&u, version))
        return false;
    *next = u.next;
    *end = u.end;
    return true;
}

bool paosi_unpack(const paosi_result *result, size_t row, unsigned count, uint32_t *table,
                  uint32_t *version, paosi_cell *cells)
{
    unpacking u;
    uint32_t shape;
    unsigned i;

    if (!begin(&u, result, row, 0, &shape) || !take_number(&u, table) || !take_number(&u, version))
        return false;
    for (i = 0; i < count; i++)
    {
        if ((i + 2) % PAOSI_PACK_VALUES == 0 &&
            (u.next != u.end || !begin(&u, result, row, (i + 2) / PAOSI_PACK_VALUES, &shape)))
            return false;
        if (!take(&u, &cells[i]))
            return false;
    }
    return u.next == u.end;
}

/* ---- batches of paos.reach ---- */

bool paosi_batch_open(paosi_batch *batch, const paosi_result *result, size_t row)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, 0, &size);

    if (!data || size < 20)
        return false;
    batch->class = paosi_read32(data);
    batch->shape = paosi_read32(data + 4);
    batch->level = paosi_read32(data + 8);
    batch->rows = paosi_read32(data + 12);
    batch->missing = paosi_read32(data + 16);
    batch->next = data + 20;
    batch->end = data + size;
    return true;
}

bool paosi_batch_begin(paosi_batch *batch, uint32_t *table, uint32_t *version)
{
    unpacking u = {batch->next, batch->end};

    if (!take_number(&u, table) || !take_number(&u, version))
        return false;
    batch->next = u.next;
    return true;
}

bool paosi_batch_row(paosi_batch *batch, unsigned count, uint32_t *table, uint32_t *version,
                     paosi_cell *cells)
{
    unpacking u = {batch->next, batch->end};
    unsigned i;

    if (!take_number(&u, table) || !take_number(&u, version))
        return false;
    for (i = 0; i < count; i++)
        if (!take(&u, &cells[i]))
            return false;
    batch->next = u.next;
    return true;
}

bool paosi_batch_missing(paosi_batch *batch, uint64_t *id)
{
    if (batch->end - batch->next < 8)
        return false;
    *id = paosi_read64(batch->next);
    batch->next += 8;
    return true;
}
