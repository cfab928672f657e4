/*
 * load.c - rows of results into objects.
 *
 * The row of a subclass's object may come through its parent: then it lacks
 * the subclass's own attributes, which stay "not loaded".  An object with local
 * changes keeps the row that they were made on, so that its version still tells
 * whether someone else has written it since.
 */
#include "paos_int.h"

#include <stdlib.h>

/* Places of columns in the results of a class's select. */
enum
{
    COLUMN_TABLE,
    COLUMN_VERSION,
    COLUMN_FIRST
};

/* ---- one row ---- */

/* How the columns of a result become a shape. */
typedef struct plan
{
    const paosi_result *result;
    const paosi_class *class; /* whose select was run */
    uint32_t table;           /* of the rows that `shape` and `sources` are for */
    paosi_shape *shape;
    uint16_t *sources; /* column of the result for each column of the shape; 0: none */
    size_t sources_size;
    bool whole; /* every column has one */
} plan;

/* The column of the result that has a column of the class; those that are cast come last. */
static uint16_t source_of(const paosi_shape *shape, unsigned position)
{
    unsigned casts = 0;
    unsigned i;

    if (!shape->columns[position].type.cast)
        return (uint16_t) (COLUMN_FIRST + position);
    for (i = 0; i < position; i++)
        casts += shape->columns[i].type.cast;
    return (uint16_t) (COLUMN_FIRST + shape->count + casts);
}

/* Readies the plan for rows of one table. */
static paos_status plan_for(plan *p, paos_conn *conn, uint32_t table)
{
    const paosi_class *class = paosi_class_by_table(conn, table);
    unsigned i;

    /* The caller has made sure of it; a row of another extent cannot come. */
    if (!class || !class->shape)
        return paosi_fail(conn, PAOS_SERVER, "row of a table that is in no class");
    p->table = table;
    p->shape = class->shape;
    p->whole = true;
    if (p->sources_size < p->shape->count)
    {
        uint16_t *sources = paosi_realloc(p->sources, p->shape->count * sizeof *sources);

        if (!sources)
            return paosi_fail_memory(conn);
        p->sources = sources;
        p->sources_size = p->shape->count;
    }
    for (i = 0; i < p->shape->count; i++)
    {
        int place =
            class == p->class ? (int) i
                              : paosi_shape_find(p->class->shape, p->shape->columns[i].name);

        p->sources[i] = place < 0 ? 0 : source_of(p->class->shape, (unsigned) place);
        p->whole &= place >= 0;
    }
    return PAOS_OK;
}

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
        paosi_buffer_add(out, data + 1, size);
    else
    {
        if (!paosi_numeric_text(out, data, size))
            return false;
        paosi_buffer_add(out, "", 1);
    }
    return true;
}

static inline bool add_value(paosi_buffer *out, const paosi_type *type, const unsigned char *data,
                             size_t size)
{
    size_t fixed = paosi_store_sizes[type->store];

    if (type->store == PAOSI_KEY)
        return (size == 2 || size == 4 || size == 8) && add_converted(out, type, data, size);
    if (fixed && size != fixed)
        return false;
    if (type->store == PAOSI_TEXT && !type->cast && !type->direct)
        return add_converted(out, type, data, size);
    /* A result's values end with a zero byte, as our texts do. */
    paosi_buffer_add(out, data, size + (type->store == PAOSI_TEXT));
    return true;
}

static paos_status build_row(const plan *p, paos_conn *conn, size_t row, void **out,
                             uint32_t *flags)
{
    unsigned i;

    paosi_row_begin(conn);
    for (i = 0; i < p->shape->count; i++)
    {
        const unsigned char *data = NULL;
        size_t size = 0;

        if (p->sources[i])
            data = paosi_result_value(p->result, row, p->sources[i], &size);
        paosi_row_next(conn, data ? PAOSI_VALUE : p->sources[i] ? PAOSI_NULL : PAOSI_UNLOADED);
        if (data && !add_value(&conn->cells, &p->shape->columns[i].type, data, size))
            return paosi_fail(conn, PAOS_SERVER, "malformed value of attribute \"%s\"",
                              p->shape->columns[i].name);
    }
    *out = paosi_row_finish(conn, flags);
    return *out ? PAOS_OK : paosi_fail_memory(conn);
}

/* ---- one object ---- */

static bool has_changes(const paos_object *object)
{
    return object->draft || object->flags & (PAOSI_NEW | PAOSI_DELETE);
}

/* Is there no need, or no right, to replace the row by one of this version? */
static bool keeps_row(const plan *p, const paos_object *object, uint32_t version)
{
    bool same = object->row && object->version == version;

    if (object->flags & PAOSI_NEW)
        return true;
    if (has_changes(object) && (object->version != version || object->shape != p->shape))
        return true;
    return same && object->shape == p->shape && (!p->whole || !(object->flags & PAOSI_PARTIAL));
}

static paos_status take_row(const plan *p, paos_conn *conn, size_t row, paos_object *object,
                            uint32_t version)
{
    uint32_t flags;
    void *memory;
    paos_status status;

    if (keeps_row(p, object, version))
        return PAOS_OK;
    status = build_row(p, conn, row, &memory, &flags);
    if (status == PAOS_OK)
        paosi_object_take_row(object, p->shape, memory, flags, version);
    return status;
}

static paos_status take_object(const plan *p, paosi_load *load, size_t row, uint64_t identity,
                               uint32_t version, paos_object **out)
{
    paos_object *object = paosi_map_find(load->conn, identity);
    paos_status status;

    if (object)
    {
        if (object->flags & PAOSI_ABSENT)
            paosi_object_set_present(object, p->shape);
        object->flags &= ~(uint32_t) PAOSI_MARK;
        status = take_row(p, load->conn, row, object, version);
        *out = object;
        return status;
    }
    status = paosi_cache_add(load->conn, p->shape, identity, &object);
    if (status != PAOS_OK)
        return status;
    status = take_row(p, load->conn, row, object, version);
    if (status != PAOS_OK)
    {
        paosi_cache_drop(load->conn, object);
        return status;
    }
    *out = object;
    return PAOS_OK;
}

/* Puts a loaded object where it is used last, among its siblings and in the answer. */
static paos_status settle(paosi_load *load, paos_object *object)
{
    if (load->siblings)
    {
        object->flags = (object->flags & ~(uint32_t) PAOSI_POLICY) | load->policy;
        if (!load->leader)
            paosi_ring_leave(object);
        load->leader = load->leader ? load->leader : object;
        paosi_ring_join(object, load->leader);
    }
    /* A list holds the object, which puts it in its chain. */
    if (load->list && paosi_list_add(load->list, object))
        return PAOS_OK;
    paosi_cache_place(object);
    return load->list ? paosi_fail_memory(load->conn) : PAOS_OK;
}

static bool read_key(const paosi_result *result, size_t row, size_t column, uint64_t *out)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, column, &size);
    int64_t key = !data       ? 0
                  : size == 2 ? (int16_t) paosi_read16(data)
                  : size == 4 ? (int32_t) paosi_read32(data)
                  : size == 8 ? (int64_t) paosi_read64(data)
                              : 0;

    *out = (uint64_t) key;
    return key >= 1 && key <= PAOSI_KEY_MAX;
}

static uint32_t read_number(const paosi_result *result, size_t row, size_t column)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, column, &size);

    return data && size == 4 ? paosi_read32(data) : 0;
}

uint64_t paosi_load_id(const paosi_class *class, const paosi_result *result, size_t row)
{
    uint64_t key;

    if (!read_key(result, row, source_of(class->shape, class->shape->key), &key))
        return 0;
    return paosi_id_make(class, key);
}

static paos_status load_row(plan *p, paosi_load *load, size_t row)
{
    paos_conn *conn = load->conn;
    uint32_t table = read_number(p->result, row, COLUMN_TABLE);
    uint32_t version = read_number(p->result, row, COLUMN_VERSION);
    size_t key_column = source_of(p->class->shape, p->class->shape->key);
    paos_object *object;
    paos_status status;
    uint64_t key;

    status = table == p->table ? PAOS_OK : plan_for(p, conn, table);
    if (status != PAOS_OK)
        return status;
    if (!read_key(p->result, row, key_column, &key))
        return paosi_fail(conn, PAOS_INVALID, "key %lld of class %s is out of range",
                          (long long) (int64_t) key, p->class->name);
    status = take_object(p, load, row, paosi_id_make(p->shape->class->root, key), version, &object);
    return status == PAOS_OK ? settle(load, object) : status;
}

paos_status paosi_load_rows(paosi_load *load, const paosi_class *class, const paosi_result *result)
{
    plan p = {.result = result, .class = class};
    size_t rows = paosi_result_rows(result);
    paos_status status = PAOS_OK;
    size_t row;

    for (row = 0; status == PAOS_OK && row < rows; row++)
        status = load_row(&p, load, row);
    paosi_free(p.sources);
    return status;
}

/* ---- are the classes as we think? ---- */

bool paosi_load_outdated(const paosi_result *result)
{
    /* undefined_table, undefined_column, undefined_object, datatype_mismatch, wrong_object_type */
    static const char *const states[] = {"42P01", "42703", "42704", "42804", "42809", "42883"};
    size_t i;

    if (paosi_result_outcome(result) != PAOSI_FAILED)
        return false;
    for (i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(paosi_result_sqlstate(result), states[i]) == 0)
            return true;
    return false;
}

/* Do its columns and the tables of its rows fit what we know? */
static bool fits(const paosi_class *class, const paosi_result *result)
{
    uint32_t last = 0;
    size_t row;

    if (!paosi_shape_fits(class->shape, result))
        return false;
    for (row = 0; row < paosi_result_rows(result); row++)
    {
        uint32_t table = read_number(result, row, COLUMN_TABLE);
        const paosi_class *own;

        if (table == last)
            continue;
        own = paosi_class_by_table(class->conn, table);
        if (!own || own->gone || own->root != class->root)
            return false;
        last = table;
    }
    return true;
}

paos_status paosi_load_check(const paosi_class *class, const paosi_result *result, bool last,
                             bool *again)
{
    switch (paosi_result_outcome(result))
    {
        case PAOSI_SKIPPED:
            return PAOS_OK;
        case PAOSI_FAILED:
            *again = paosi_load_outdated(result) && !last;
            return *again ? PAOS_OK : paosi_fail_result(class->conn, result);
        default:
            if (fits(class, result))
                return PAOS_OK;
            *again = true;
            if (!last)
                return PAOS_OK;
            class->conn->catalog_stale = true;
            return paosi_fail(class->conn, PAOS_INVALID, "class %s changes all the time",
                              class->name);
    }
}
