/*
 * load.c - rows of results into objects.
 *
 * The row of a subclass's object may come through its parent: then it lacks
 * the subclass's own attributes, which stay "not loaded".  An object with local
 * changes keeps the row that they were made on, so that its version still tells
 * whether someone else has written it since.
 */
#include "paos_int.h"

/* ---- one row ---- */

/* How the rows of a result become those of a shape. */
typedef struct plan
{
    paos_conn *conn;
    const paosi_result *result;
    const paosi_class *class; /* whose select was run */
    paosi_cell *cells;        /* of one row, in the order of its columns */
    uint32_t table;           /* of the rows that the rest is for */
    paosi_shape *shape;
    int *places; /* of the shape's columns in `cells`, -1: not there; NULL: all as they are */
    bool whole;  /* every column is there */
} plan;

static void plan_free(plan *p)
{
    paosi_free(p->cells);
    paosi_free(p->places);
}

/* A subclass has its parents' columns, perhaps in other places. */
static paos_status find_places(plan *p)
{
    unsigned i;

    p->places = paosi_malloc(p->shape->count * sizeof *p->places);
    if (!p->places)
        return paosi_fail_memory(p->conn);
    for (i = 0; i < p->shape->count; i++)
    {
        p->places[i] = paosi_shape_find(p->class->shape, p->shape->columns[i].name);
        p->whole &= p->places[i] >= 0;
    }
    return PAOS_OK;
}

/* Readies the plan for rows of one table. */
static paos_status plan_for(plan *p, uint32_t table)
{
    const paosi_class *class = paosi_class_by_table(p->conn, table);

    /* The caller has made sure of it; a row of another extent cannot come. */
    if (!class || !class->shape)
        return paosi_fail(p->conn, PAOS_SERVER, "row of a table that is in no class");
    p->table = table;
    p->shape = class->shape;
    p->whole = true;
    paosi_free(p->places);
    p->places = NULL;
    return class == p->class ? PAOS_OK : find_places(p);
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

static paos_status build_row(const plan *p, void *room, void **out, uint32_t *flags)
{
    const paosi_cell unloaded = {PAOSI_UNLOADED, NULL, 0};
    paosi_buffer *bytes = &p->conn->cells;
    unsigned i;

    paosi_row_begin(p->conn);
    for (i = 0; i < p->shape->count; i++)
    {
        int place = p->places ? p->places[i] : (int) i;
        paosi_cell cell = place < 0 ? unloaded : p->cells[place];

        paosi_row_next(p->conn, cell.state);
        if (cell.state == PAOSI_VALUE && !add_value(bytes, &p->shape->columns[i].type, cell))
            return paosi_fail(p->conn, PAOS_SERVER, "malformed value of attribute \"%s\"",
                              p->shape->columns[i].name);
    }
    *out = paosi_row_finish(p->conn, room, flags);
    return *out ? PAOS_OK : paosi_fail_memory(p->conn);
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

static paos_status take_row(const plan *p, paos_object *object, uint32_t version)
{
    uint32_t flags;
    void *memory;
    paos_status status;

    if (keeps_row(p, object, version))
        return PAOS_OK;
    status = build_row(p, paosi_object_rest(object)->room, &memory, &flags);
    if (status == PAOS_OK)
        paosi_object_take_row(object, p->shape, memory, flags, version);
    return status;
}

static paos_status take_object(const plan *p, uint64_t identity, uint32_t version,
                               paos_object **out)
{
    paos_object *object = paosi_map_find(p->conn, identity);
    paos_status status;

    if (object)
    {
        if (object->flags & PAOSI_ABSENT)
            paosi_object_set_present(object, p->shape);
        object->flags &= ~(uint32_t) PAOSI_MARK;
        status = take_row(p, object, version);
        *out = object;
        return status;
    }
    status = paosi_cache_add(p->conn, p->shape, identity, &object);
    if (status != PAOS_OK)
        return status;
    status = take_row(p, object, version);
    if (status != PAOS_OK)
    {
        paosi_cache_drop(p->conn, object);
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

/* The row whose cells are the plan's. */
static paos_status load_cells(plan *p, paosi_load *load, uint32_t table, uint32_t version,
                              int64_t key)
{
    paos_status status = table == p->table ? PAOS_OK : plan_for(p, table);
    paos_object *object;

    if (status == PAOS_OK)
        status =
            take_object(p, paosi_id_make(p->shape->class->root, (uint64_t) key), version, &object);
    return status == PAOS_OK ? settle(load, object) : status;
}

static paos_status load_row(plan *p, paosi_load *load, size_t row)
{
    uint32_t table, version;
    paos_status status;
    int64_t key;

    status = read_row(p->class, p->result, row, &table, &version, p->cells, &key);
    return status == PAOS_OK ? load_cells(p, load, table, version, key) : status;
}

paos_status paosi_load_rows(paosi_load *load, const paosi_class *class, const paosi_result *result)
{
    plan p = {.conn = load->conn, .result = result, .class = class};
    size_t rows = paosi_result_rows(result);
    paos_status status = PAOS_OK;
    size_t row;

    p.cells = paosi_malloc(class->shape->count * sizeof *p.cells);
    if (!p.cells)
        return paosi_fail_memory(load->conn);
    for (row = 0; status == PAOS_OK && row < rows; row++)
        status = load_row(&p, load, row);
    plan_free(&p);
    return status;
}

paos_status paosi_load_index(const paosi_class *class, paosi_batch *batch, paosi_cell *cells,
                             paosi_arrival *out)
{
    const unsigned char *data = batch->next;
    uint32_t table, version;
    int64_t key;
    bool unpacked = paosi_batch_row(batch, class->shape->count, &table, &version, cells);
    paos_status status = check_row(class, unpacked, cells, &key);

    if (status != PAOS_OK)
        return status;
    out->id = paosi_id_make(class, (uint64_t) key);
    out->data = data;
    out->size = (uint32_t) (batch->next - data);
    return PAOS_OK;
}

static paos_status load_arrival(plan *p, paosi_load *load, const paosi_arrival *arrival)
{
    paosi_batch batch = {.next = arrival->data, .end = arrival->data + arrival->size};
    uint32_t table, version;

    /* It was unpacked before. */
    paosi_batch_row(&batch, p->class->shape->count, &table, &version, p->cells);
    load->policy = arrival->flags;
    return load_cells(p, load, table, version, (int64_t) paosi_id_key(arrival->id));
}

paos_status paosi_load_arrivals(paosi_load *load, const paosi_arrival *arrivals, size_t n)
{
    const paosi_class *class = paosi_class_by_number(load->conn, paosi_id_class(arrivals[0].id));
    plan p = {.conn = load->conn, .class = class};
    paos_status status = PAOS_OK;
    size_t i;

    p.cells = paosi_malloc(class->shape->count * sizeof *p.cells);
    if (!p.cells)
        return paosi_fail_memory(load->conn);
    for (i = 0; status == PAOS_OK && i < n; i++)
        status = load_arrival(&p, load, &arrivals[i]);
    plan_free(&p);
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
        const paosi_class *own;
        uint32_t shape, table;

        if (!paosi_unpack_head(result, row, &shape, &table) || shape != class->shape->number)
            return false;
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
