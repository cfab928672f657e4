/*
 * draft.c - local changes of an object, until they are committed or dropped.
 *
 * A draft has a cell for every column, and the bytes of those that were set,
 * which stay where they are when a value is replaced by a longer one: the space
 * is won back when the draft has to grow.
 */
#include "paos_int.h"

static size_t draft_bytes(unsigned count, size_t capacity)
{
    return sizeof(paosi_draft) + count * sizeof(((paosi_draft *) NULL)->cells[0]) + capacity;
}

static unsigned char *draft_data(paosi_draft *draft, unsigned count)
{
    return (unsigned char *) (draft->cells + count);
}

static paosi_draft *draft_new(unsigned count, size_t capacity)
{
    paosi_draft *draft = paosi_malloc(draft_bytes(count, capacity));
    unsigned i;

    if (!draft)
        return NULL;
    draft->capacity = (uint32_t) capacity;
    draft->used = draft->count = draft->temporaries = 0;
    for (i = 0; i < count; i++)
    {
        draft->cells[i].start = 0;
        draft->cells[i].size = PAOSI_DRAFT_UNSET;
    }
    return draft;
}

static bool is_value(const paosi_draft *draft, unsigned i)
{
    return draft->cells[i].size < PAOSI_DRAFT_NULL;
}

/* A copy with room for `more` bytes, without the values that were replaced. */
static paosi_draft *draft_grow(paosi_draft *old, unsigned count, size_t more)
{
    size_t live = 0;
    paosi_draft *draft;
    unsigned i;

    for (i = 0; old && i < count; i++)
        live += is_value(old, i) ? old->cells[i].size : 0;
    if (live + more > UINT32_MAX / 2)
        return NULL;
    draft = draft_new(count, live + more + (live + more) / 2 + 32);
    if (!draft || !old)
        return draft;
    draft->count = old->count;
    draft->temporaries = old->temporaries;
    for (i = 0; i < count; i++)
    {
        draft->cells[i].size = old->cells[i].size;
        if (!is_value(old, i))
            continue;
        draft->cells[i].start = draft->used;
        memcpy(draft_data(draft, count) + draft->used, draft_data(old, count) + old->cells[i].start,
               old->cells[i].size);
        draft->used += old->cells[i].size;
    }
    paosi_free(old);
    return draft;
}

/* Puts bytes in a cell; the draft has room for them. */
static void put(paosi_draft *draft, unsigned count, unsigned i, paosi_cell cell)
{
    if (draft->cells[i].size == PAOSI_DRAFT_UNSET)
        draft->count++;
    if (cell.state == PAOSI_NULL)
    {
        draft->cells[i].size = PAOSI_DRAFT_NULL;
        return;
    }
    if (!is_value(draft, i) || draft->cells[i].size < cell.size)
    {
        draft->cells[i].start = draft->used;
        draft->used += (uint32_t) cell.size;
    }
    draft->cells[i].size = (uint32_t) cell.size;
    if (cell.size)
        memcpy(draft_data(draft, count) + draft->cells[i].start, cell.data, cell.size);
}

static bool same(paosi_cell a, paosi_cell b)
{
    return a.state == b.state && a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The cell of an integer in the usual case, in which it fits; false: see encode.c. */
static bool encode_integer(uint8_t store, int64_t value, unsigned char *data, paosi_cell *cell)
{
    if (store == PAOSI_INT4 && value == (int32_t) value)
        paosi_write32(data, (uint32_t) value);
    else if (store == PAOSI_INT8)
        paosi_write64(data, (uint64_t) value);
    else
        return false;
    cell->state = PAOSI_VALUE;
    cell->data = data;
    cell->size = paosi_store_sizes[store];
    return true;
}

static paos_status encode(paos_conn *conn, const paosi_column *column, paos_value value,
                          paosi_cell *cell, bool *temporary)
{
    paos_status status;

    paosi_buffer_reset(&conn->cells);
    status = paosi_value_encode(conn, column, value, &conn->cells, temporary);
    if (value.kind == PAOS_KIND_NULL)
        return status;
    cell->state = PAOSI_VALUE;
    cell->data = (const unsigned char *) conn->cells.data;
    cell->size = conn->cells.size;
    return status;
}

paos_status paosi_draft_set(paos_object *object, unsigned position, paos_value value)
{
    paos_conn *conn = paosi_object_conn(object);
    const paosi_column *column = &object->shape->columns[position];
    unsigned count = object->shape->count;
    paosi_draft *draft = object->draft;
    paosi_cell cell = {PAOSI_NULL, NULL, 0};
    unsigned char small[8];
    bool temporary = false;
    paos_status status = PAOS_OK;

    if (value.kind != PAOS_KIND_INT ||
        !encode_integer(column->type.store, value.as.integer, small, &cell))
        status = encode(conn, column, value, &cell, &temporary);
    if (status != PAOS_OK)
        return status;
    /* A new object's unset attribute reads as null, but may get a default: a set null counts. */
    if (!(object->flags & PAOSI_NEW) && same(cell, paosi_object_cell(object, position)))
        return PAOS_OK;
    if (!draft || draft->capacity - draft->used < cell.size)
        draft = draft_grow(draft, count, cell.size);
    if (!draft)
        return paosi_fail_memory(conn);
    object->draft = draft;
    paosi_object_note_plain(object);
    put(draft, count, position, cell);
    draft->temporaries += temporary;
    conn->unsettled += temporary;
    paosi_cache_place(object);
    return PAOS_OK;
}

/* In the usual case, which a commit of many objects meets with each, nothing can go wrong. */
paos_status paosi_draft_set_key(paos_object *object, uint64_t key)
{
    const unsigned position = object->shape->key;
    paosi_draft *draft = object->draft;
    unsigned char data[8];
    paosi_cell cell;

    if (!draft || draft->capacity - draft->used < sizeof data ||
        !encode_integer(object->shape->columns[position].type.store, (int64_t) key, data, &cell))
        return paosi_draft_set(object, position, paos_int((int64_t) key));
    put(draft, object->shape->count, position, cell);
    return PAOS_OK;
}

void paosi_draft_drop(paos_object *object)
{
    if (!object->draft)
        return;
    paosi_object_conn(object)->unsettled -= object->draft->temporaries;
    paosi_free(object->draft);
    object->draft = NULL;
    paosi_object_note_plain(object);
}

/* What the server makes of a value may differ from the value: padded, rounded, rewritten. */
bool paosi_draft_exact(const paos_object *object, unsigned position)
{
    const paosi_type *type = &object->shape->columns[position].type;
    paosi_cell cell = paosi_draft_cell(object->draft, object->shape->count, position);

    if (cell.state == PAOSI_NULL)
        return true;
    /* varchar(n) drops blanks beyond n, and takes as many bytes as characters at least. */
    if (type->oid == PAOSI_OID_VARCHAR && type->modifier >= 0)
        return cell.size - 1 + 4 <= (size_t) type->modifier;
    return type->exact;
}

/* ---- temporary identities ---- */

static const paos_object *registered(const paos_conn *conn, uint64_t id)
{
    const paos_object *target = paosi_id_temporary(id) ? paosi_map_find(conn, id) : NULL;

    return target && target->flags & PAOSI_MARK ? target : NULL;
}

/* Replaces the identity at p; true when it stays temporary. */
static bool settle_one(const paos_conn *conn, unsigned char *p, bool key, const uint64_t *ids)
{
    uint64_t id = paosi_read64(p);
    const paos_object *target = registered(conn, id);

    if (target)
        paosi_write64(p, key ? paosi_id_key(ids[target->version]) : ids[target->version]);
    return paosi_id_temporary(id) && !target;
}

static unsigned settle_cell(const paos_conn *conn, const paosi_column *column, paosi_cell cell,
                            const uint64_t *ids)
{
    paosi_elements elements;
    paosi_cell element;
    bool left = false;

    if (column->type.store != PAOSI_ARRAY)
        return settle_one(conn, (unsigned char *) cell.data, column->type.store == PAOSI_KEY, ids);
    elements = paosi_array_begin(cell);
    while (paosi_array_next(&elements, &element))
        if (element.state == PAOSI_VALUE && element.size == 8)
            left |= settle_one(conn, (unsigned char *) element.data, false, ids);
    return left;
}

static unsigned settle_object(const paos_object *object, const uint64_t *ids)
{
    unsigned left = 0;
    unsigned i;

    for (i = 0; i < object->shape->count; i++)
    {
        const paosi_column *column = &object->shape->columns[i];
        paosi_cell cell = paosi_draft_cell(object->draft, object->shape->count, i);

        if (cell.state == PAOSI_VALUE && paosi_column_refers(column))
            left += settle_cell(paosi_object_conn(object), column, cell, ids);
    }
    return left;
}

void paosi_draft_settle(paos_conn *conn, const uint64_t *ids)
{
    uint32_t slot = conn->unsettled ? conn->cache.dirty.first : PAOSI_NONE;

    while (slot != PAOSI_NONE)
    {
        paos_object *object = paosi_cache_at(&conn->cache, slot);

        slot = paosi_object_rest(object)->next;
        if (!object->draft || !object->draft->temporaries)
            continue;
        conn->unsettled -= object->draft->temporaries;
        object->draft->temporaries = settle_object(object, ids);
        conn->unsettled += object->draft->temporaries;
    }
}
