/*
 * mould.c - rows as they come into rows as they are kept.
 *
 * Nearly all rows are of the class that was asked for, with values that are kept as they
 * come, and small enough for narrow offsets: those are poured, in one pass over their
 * bytes and without looking at columns.  Whatever is in the way of that, a malformed row
 * too, is left to the long way, by cells, which is right for every row.
 */
#include "paos_int.h"

/* How a column's values are poured: their size when it is fixed, else one of these. */
enum
{
    WAY_KEY = 32, /* widened */
    WAY_TEXT,     /* with a zero byte */
    WAY_BYTES,
    WAY_LONG /* not at all */
};

/* Short values are copied whole, and then some, without a call. */
#define SHORT 16

/* ---- what it is for ---- */

static uint8_t way_of(const paosi_type *type)
{
    uint8_t fixed = paosi_store_sizes[type->store];

    if (type->store == PAOSI_KEY)
        return WAY_KEY;
    if (fixed)
        return fixed;
    if (type->store != PAOSI_TEXT)
        return WAY_BYTES;
    return type->cast || type->direct ? WAY_TEXT : WAY_LONG;
}

static size_t head_size(unsigned count)
{
    return (count + 1) * sizeof(uint16_t);
}

paos_status paosi_mould_make(paosi_mould *m, paos_conn *conn, const paosi_class *class)
{
    unsigned count = class->shape->count;
    size_t cells = count * sizeof *m->cells;
    unsigned i;

    memset(m, 0, sizeof *m);
    m->conn = conn;
    m->class = class;
    m->cells = paosi_malloc(cells + head_size(count) + PAOSI_NARROW_UNLOADED + SHORT + count);
    if (!m->cells)
        return paosi_fail_memory(conn);
    m->row = (unsigned char *) m->cells + cells;
    m->ways = m->row + head_size(count) + PAOSI_NARROW_UNLOADED + SHORT;
    /* More values than one are packed in do not come one after the other. */
    m->straight = count + 2 <= PAOSI_PACK_VALUES;
    for (i = 0; i < count; i++)
    {
        m->ways[i] = way_of(&class->shape->columns[i].type);
        m->straight &= m->ways[i] != WAY_LONG;
    }
    return PAOS_OK;
}

void paosi_mould_free(paosi_mould *m)
{
    paosi_free(m->cells);
    paosi_free(m->places);
}

/* A subclass has its parents' columns, perhaps in other places. */
static paos_status find_places(paosi_mould *m)
{
    unsigned i;

    m->places = paosi_malloc(m->shape->count * sizeof *m->places);
    if (!m->places)
        return paosi_fail_memory(m->conn);
    for (i = 0; i < m->shape->count; i++)
    {
        m->places[i] = paosi_shape_find(m->class->shape, m->shape->columns[i].name);
        m->whole &= m->places[i] >= 0;
    }
    return PAOS_OK;
}

paos_status paosi_mould_for(paosi_mould *m, uint32_t table)
{
    const paosi_class *class = paosi_class_by_table(m->conn, table);

    /* The caller has made sure of it; a row of another extent cannot come. */
    if (!class || !class->shape)
        return paosi_fail(m->conn, PAOS_SERVER, "row of a table that is in no class");
    m->table = table;
    m->shape = class->shape;
    m->whole = true;
    paosi_free(m->places);
    m->places = NULL;
    return class == m->class ? PAOS_OK : find_places(m);
}

/* ---- pouring ---- */

/* Copies more than the size when there is more, which the next value overwrites. */
static inline void copy(unsigned char *to, const unsigned char *from, size_t size, size_t there)
{
    if (size <= SHORT && there >= SHORT)
        memcpy(to, from, SHORT);
    else
        memcpy(to, from, size);
}

/* Copies a value of so many bytes, of which `there` follow; as many as it became, or -1. */
static inline long pour_value(unsigned char *to, const unsigned char *from, size_t size,
                              size_t there, uint8_t way)
{
    switch (way)
    {
        case 4:
            if (size != 4)
                return -1;
            memcpy(to, from, 4);
            return 4;
        case 8:
            if (size != 8)
                return -1;
            memcpy(to, from, 8);
            return 8;
        case WAY_KEY:
            if (size != 4)
                return size == 8 ? (memcpy(to, from, 8), 8) : -1;
            paosi_write64(to, (uint64_t) (int64_t) (int32_t) paosi_read32(from));
            return 8;
        case WAY_TEXT:
            copy(to, from, size, there);
            to[size] = 0;
            return (long) size + 1;
        case WAY_BYTES:
            copy(to, from, size, there);
            return (long) size;
        default:
            copy(to, from, size, there);
            return size == way ? (long) size : -1;
    }
}

/* Reads the key of the row that was poured; false: none that is in range. */
static bool read_key(paosi_mould *m)
{
    unsigned count = m->class->shape->count, at = m->class->shape->key;
    uint16_t start = ((const uint16_t *) (const void *) m->row)[at];
    const unsigned char *value = m->row + head_size(count) + start;

    if (start >= PAOSI_NARROW_UNLOADED)
        return false;
    if (m->ways[at] == 2)
        m->key = (int16_t) paosi_read16(value);
    else if (m->ways[at] == 4)
        m->key = (int32_t) paosi_read32(value);
    else if (m->ways[at] == 8 || m->ways[at] == WAY_KEY)
        m->key = (int64_t) paosi_read64(value);
    else
        return false;
    return m->key >= 1 && m->key <= PAOSI_KEY_MAX;
}

const unsigned char *paosi_mould_pour(paosi_mould *m, const unsigned char *next,
                                      const unsigned char *end)
{
    unsigned count = m->class->shape->count;
    uint16_t *offsets = (uint16_t *) (void *) m->row;
    unsigned char *values = m->row + head_size(count);
    size_t used = 0;
    unsigned i;

    for (i = 0; i < count; i++)
    {
        size_t size;
        long added;

        if (end - next < 4)
            return NULL;
        size = paosi_read32(next);
        next += 4;
        offsets[i] = PAOSI_NARROW_NULL;
        if (size == UINT32_MAX)
            continue;
        if (size > (size_t) (end - next) || used + size + 8 >= PAOSI_NARROW_UNLOADED)
            return NULL;
        added = pour_value(values + used, next, size, (size_t) (end - next), m->ways[i]);
        if (added < 0)
            return NULL;
        offsets[i] = (uint16_t) used;
        used += (size_t) added;
        next += size;
    }
    offsets[count] = (uint16_t) used;
    m->size = head_size(count) + used;
    return read_key(m) ? next : NULL;
}

/* ---- the long way ---- */

static void add_widened(paosi_buffer *out, const unsigned char *data, size_t size)
{
    int64_t value = size == 2   ? (int16_t) paosi_read16(data)
                    : size == 4 ? (int32_t) paosi_read32(data)
                                : (int64_t) paosi_read64(data);

    paosi_buffer_add64(out, (uint64_t) value);
}

/* Values that are not kept as they come. */
static bool add_converted(paosi_buffer *out, const paosi_type *type, const unsigned char *data,
                          size_t size)
{
    if (type->store == PAOSI_KEY)
        add_widened(out, data, size);
    else if (type->oid == PAOSI_OID_JSONB && size > 0)
        /* A version comes before the text. */
        paosi_buffer_add(out, data + 1, size - 1);
    else if (!paosi_numeric_text(out, data, size))
        return false;
    if (type->store == PAOSI_TEXT)
        paosi_buffer_add(out, "", 1);
    return true;
}

static inline bool add_value(paosi_buffer *out, const paosi_type *type, paosi_cell cell)
{
    size_t fixed = paosi_store_sizes[type->store];

    if (type->store == PAOSI_KEY)
        return (cell.size == 2 || cell.size == 4 || cell.size == 8) &&
               add_converted(out, type, cell.data, cell.size);
    if (fixed && cell.size != fixed)
        return false;
    if (type->store == PAOSI_TEXT && !type->cast && !type->direct)
        return add_converted(out, type, cell.data, cell.size);
    paosi_buffer_add(out, cell.data, cell.size);
    if (type->store == PAOSI_TEXT)
        paosi_buffer_add(out, "", 1);
    return true;
}

static paos_status build(const paosi_mould *m, const paos_object *object, void **out,
                         uint32_t *flags)
{
    const paosi_cell unloaded = {PAOSI_UNLOADED, NULL, 0};
    paosi_buffer *bytes = &m->conn->cells;
    unsigned i;

    paosi_row_begin(m->conn);
    for (i = 0; i < m->shape->count; i++)
    {
        int place = m->places ? m->places[i] : (int) i;
        paosi_cell cell = place < 0 ? unloaded : m->cells[place];

        paosi_row_next(m->conn, cell.state);
        if (cell.state == PAOSI_VALUE && !add_value(bytes, &m->shape->columns[i].type, cell))
            return paosi_fail(m->conn, PAOS_SERVER, "malformed value of attribute \"%s\"",
                              m->shape->columns[i].name);
    }
    *out = paosi_row_finish(m->conn, object, flags);
    return *out ? PAOS_OK : paosi_fail_memory(m->conn);
}

/* ---- the row ---- */

paos_status paosi_mould_row(const paosi_mould *m, bool poured, const paos_object *object,
                            void **out, uint32_t *flags)
{
    if (!poured)
        return build(m, object, out, flags);
    *flags = PAOSI_NARROW;
    *out = paosi_slots_room(object, m->size);
    if (!*out)
        *out = paosi_malloc(m->size);
    if (!*out)
        return paosi_fail_memory(m->conn);
    memcpy(*out, m->row, m->size);
    return PAOS_OK;
}
