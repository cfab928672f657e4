/*
 * load.c - rows of results into objects.
 *
 * The row of a subclass's object may come through its parent: then it lacks
 * the subclass's own attributes, which stay "not loaded".  An object with local
 * changes keeps the row that they were made on, so that its version still tells
 * whether someone else has written it since.
 */
#include "paos_int.h"

/* ---- one object ---- */

/* A row that came. */
typedef struct packed
{
    paosi_mould *mould;
    uint32_t table, version;
    int64_t key;
    bool poured;
} packed;

static bool has_changes(const paos_object *object)
{
    return object->draft || object->flags & (PAOSI_NEW | PAOSI_DELETE);
}

/* Is there no need, or no right, to replace the row by one of this version? */
static bool keeps_row(const paosi_mould *m, const paos_object *object, uint32_t version)
{
    bool same = object->row && object->version == version;

    if (object->flags & PAOSI_NEW)
        return true;
    if (has_changes(object) && (object->version != version || object->shape != m->shape))
        return true;
    return same && object->shape == m->shape && (!m->whole || !(object->flags & PAOSI_PARTIAL));
}

static paos_status take_row(const packed *row, paos_object *object)
{
    const paosi_mould *m = row->mould;
    uint32_t flags;
    void *memory;
    paos_status status;

    if (keeps_row(m, object, row->version))
        return PAOS_OK;
    status = paosi_mould_row(m, row->poured, object, &memory, &flags);
    if (status == PAOS_OK)
        paosi_object_take_row(object, m->shape, memory, flags, row->version);
    return status;
}

static paos_status take_object(const packed *row, paos_object **out)
{
    const paosi_mould *m = row->mould;
    uint64_t identity = paosi_id_make(m->shape->class->root, (uint64_t) row->key);
    paos_object *object = paosi_map_find(m->conn, identity);
    paos_status status;

    if (object)
    {
        if (object->flags & PAOSI_ABSENT)
            paosi_object_set_present(object, m->shape);
        object->flags &= ~(uint32_t) PAOSI_MARK;
        status = take_row(row, object);
        *out = object;
        return status;
    }
    status = paosi_cache_add(m->conn, m->shape, identity, &object);
    if (status != PAOS_OK)
        return status;
    status = take_row(row, object);
    if (status != PAOS_OK)
    {
        paosi_cache_drop(m->conn, object);
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

/* The key in the cells of a class's row; false: none that is in range. */
static bool read_key(const paosi_class *class, const paosi_cell *cells, int64_t *out)
{
    paosi_cell cell = cells[class->shape->key];

    *out = 0;
    if (cell.state == PAOSI_VALUE && cell.size == 2)
        *out = (int16_t) paosi_read16(cell.data);
    else if (cell.state == PAOSI_VALUE && cell.size == 4)
        *out = (int32_t) paosi_read32(cell.data);
    else if (cell.state == PAOSI_VALUE && cell.size == 8)
        *out = (int64_t) paosi_read64(cell.data);
    return *out >= 1 && *out <= PAOSI_KEY_MAX;
}

static paos_status check_row(const paosi_class *class, bool unpacked, const paosi_cell *cells,
                             int64_t *key)
{
    if (!unpacked)
        return paosi_fail(class->conn, PAOS_SERVER, "malformed row of class %s", class->name);
    if (!read_key(class, cells, key))
        return paosi_fail(class->conn, PAOS_INVALID, "key %lld of class %s is out of range",
                          (long long) *key, class->name);
    return PAOS_OK;
}

static paos_status read_row(const paosi_class *class, const paosi_result *result, size_t row,
                            uint32_t *table, uint32_t *version, paosi_cell *cells, int64_t *key)
{
    bool unpacked = paosi_unpack(result, row, class->shape->count, table, version, cells);

    return check_row(class, unpacked, cells, key);
}

/* A row that was read, into its object. */
static paos_status load_packed(paosi_load *load, const packed *row)
{
    paos_object *object;
    paos_status status = take_object(row, &object);

    return status == PAOS_OK ? settle(load, object) : status;
}

/* Readies the mould for the row's table; is it one to be poured? */
static paos_status begin_row(packed *row, bool *straight)
{
    paosi_mould *m = row->mould;
    paos_status status = row->table == m->table ? PAOS_OK : paosi_mould_for(m, row->table);

    *straight = m->straight && !m->places;
    return status;
}

static paos_status load_row(paosi_mould *m, paosi_load *load, const paosi_result *result,
                            size_t number)
{
    packed row = {.mould = m};
    const unsigned char *data, *end;
    bool straight;
    paos_status status;

    if (!paosi_unpack_begin(result, number, &row.table, &row.version, &data, &end))
        return check_row(m->class, false, NULL, NULL);
    status = begin_row(&row, &straight);
    if (status != PAOS_OK)
        return status;
    row.poured = straight && paosi_mould_pour(m, data, end) == end;
    row.key = m->key;
    if (!row.poured)
        status = read_row(m->class, result, number, &row.table, &row.version, m->cells, &row.key);
    return status == PAOS_OK ? load_packed(load, &row) : status;
}

paos_status paosi_load_rows(paosi_load *load, const paosi_class *class, const paosi_result *result)
{
    size_t rows = paosi_result_rows(result);
    paosi_mould mould;
    paos_status status = paosi_mould_make(&mould, load->conn, class);
    size_t row;

    for (row = 0; status == PAOS_OK && row < rows; row++)
        status = load_row(&mould, load, result, row);
    paosi_mould_free(&mould);
    return status;
}

/* ---- is a row of the class? ---- */

static bool is_of(const paosi_class *class, uint32_t table)
{
    const paosi_class *own = paosi_class_by_table(class->conn, table);

    return own && !own->gone && own->root == class->root;
}

/* ---- rows of batches ---- */

/* The next row of a batch; one of a table that we do not know is not taken. */
static paos_status load_next(paosi_mould *m, paosi_load *load, paosi_batch *batch, bool *unfit)
{
    packed row = {.mould = m};
    const paosi_batch start = *batch;
    const unsigned char *next;
    bool straight;
    paos_status status;

    if (!paosi_batch_begin(batch, &row.table, &row.version))
        return check_row(m->class, false, NULL, NULL);
    *unfit = row.table != m->table && !is_of(m->class, row.table);
    if (*unfit)
        return PAOS_OK;
    status = begin_row(&row, &straight);
    if (status != PAOS_OK)
        return status;
    next = straight ? paosi_mould_pour(m, batch->next, batch->end) : NULL;
    row.poured = next != NULL;
    row.key = m->key;
    if (next)
        batch->next = next;
    else
    {
        bool unpacked;

        batch->next = start.next;
        unpacked =
            paosi_batch_row(batch, m->class->shape->count, &row.table, &row.version, m->cells);
        status = check_row(m->class, unpacked, m->cells, &row.key);
    }
    return status == PAOS_OK ? load_packed(load, &row) : status;
}

paos_status paosi_load_batch(paosi_load *load, const paosi_class *class, paosi_batch *batch,
                             bool *unfit)
{
    paosi_mould mould;
    paos_status status = paosi_mould_make(&mould, load->conn, class);
    uint32_t i;

    *unfit = false;
    for (i = 0; status == PAOS_OK && !*unfit && i < batch->rows; i++)
        status = load_next(&mould, load, batch, unfit);
    paosi_mould_free(&mould);
    return status;
}

/* ---- names and versions alone ---- */

/* Takes the id and version of a row; false: no memory. */
typedef bool (*taker)(void *to, uint64_t id, uint32_t version);

static paos_status take_names(const paosi_class *class, const paosi_class *named,
                              const paosi_result *result, taker take, void *to)
{
    paosi_cell *cells = paosi_malloc(class->shape->count * sizeof *cells);
    paos_status status = cells ? PAOS_OK : paosi_fail_memory(class->conn);
    uint32_t table, version;
    int64_t key;
    size_t row;

    for (row = 0; status == PAOS_OK && row < paosi_result_rows(result); row++)
    {
        status = read_row(class, result, row, &table, &version, cells, &key);
        if (status == PAOS_OK && !take(to, paosi_id_make(named, (uint64_t) key), version))
            status = paosi_fail_memory(class->conn);
    }
    paosi_free(cells);
    return status;
}

static bool take_identity(void *to, uint64_t id, uint32_t version)
{
    return paosi_answer_put(to, id, version);
}

static bool take_id(void *to, uint64_t id, uint32_t version)
{
    (void) version;
    return paosi_ids_add(to, id);
}

paos_status paosi_load_answer(const paosi_class *class, const paosi_result *result,
                              paosi_answer *answer)
{
    return take_names(class, class->root, result, take_identity, answer);
}

paos_status paosi_load_list_ids(const paosi_class *class, const paosi_result *result,
                                paosi_ids *ids)
{
    return take_names(class, class, result, take_id, ids);
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

/* Are its rows of the shape that we know, and of tables of the class? */
static bool fits(const paosi_class *class, const paosi_result *result)
{
    uint32_t last = 0;
    size_t row;

    for (row = 0; row < paosi_result_rows(result); row++)
    {
        uint32_t shape, table;

        if (!paosi_unpack_head(result, row, &shape, &table) || shape != class->shape->number)
            return false;
        if (table == last)
            continue;
        if (!is_of(class, table))
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
