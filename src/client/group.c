/*
 * group.c - a commit's objects, grouped by what one statement can do.
 *
 * Objects of a class with the same changed attributes go in one statement, as
 * binary rows for paos.rows or, when there are many to insert, for COPY.
 * Inserts are looser: attributes without a default may be null as well as
 * unset, so that they do not divide a group; an insert of rows that refer to
 * each other has to be one statement.
 */
#include "paos_int.h"

#include "commit.h"

#include <stdlib.h>

/* Rows of one statement are cut at about this size: the server takes no parameter of 1 GB. */
#define CHUNK_BYTES ((size_t) 64 << 20)
/* Rows from which COPY is worth its round trips. */
#define COPY_ROWS 500

/* ---- forming groups ---- */

static bool is_set(const paos_object *object, unsigned i)
{
    return object->draft && object->draft->cells[i].size != PAOSI_DRAFT_UNSET &&
           !object->shape->columns[i].key;
}

static paosi_action action_of(const paos_object *object)
{
    if (object->flags & PAOSI_NEW)
        return PAOSI_INSERT;
    return object->flags & PAOSI_DELETE ? PAOSI_REMOVE : PAOSI_UPDATE;
}

static bool fits(const paosi_group *group, const paos_object *object, paosi_action action)
{
    unsigned i;

    if (group->shape != object->shape || group->action != action)
        return false;
    for (i = 0; action != PAOSI_REMOVE && i < object->shape->count; i++)
    {
        bool loose = action == PAOSI_INSERT && !object->shape->columns[i].defaulted;

        if (!loose && group->columns[i] != is_set(object, i))
            return false;
    }
    return true;
}

static paosi_group *group_new(paosi_groups *groups, const paos_object *object, paosi_action action)
{
    paosi_group *group;

    if (groups->size == groups->capacity)
    {
        size_t capacity = groups->capacity ? 2 * groups->capacity : 8;
        paosi_group *items = paosi_realloc(groups->items, capacity * sizeof *items);

        if (!items)
            return NULL;
        groups->items = items;
        groups->capacity = capacity;
    }
    group = &groups->items[groups->size];
    memset(group, 0, sizeof *group);
    group->columns = paosi_calloc(object->shape->count, sizeof *group->columns);
    if (!group->columns)
        return NULL;
    group->shape = object->shape;
    group->action = action;
    groups->size++;
    return group;
}

static bool group_add(paosi_group *group, paos_object *object)
{
    unsigned i;

    if (group->size == group->capacity)
    {
        size_t capacity = group->capacity ? 2 * group->capacity : 16;
        paos_object **members = paosi_realloc(group->members, capacity * sizeof *members);

        if (!members)
            return false;
        group->members = members;
        group->capacity = capacity;
    }
    group->members[group->size++] = object;
    for (i = 0; i < object->shape->count; i++)
        group->columns[i] |= is_set(object, i);
    return true;
}

static bool place(paosi_groups *groups, paos_object *object)
{
    paosi_action action = action_of(object);
    paosi_group *group = NULL;
    size_t i;

    /* The last group is the likeliest. */
    for (i = groups->size; i > 0 && !group; i--)
        if (fits(&groups->items[i - 1], object, action))
            group = &groups->items[i - 1];
    if (!group)
        group = group_new(groups, object, action);
    return group && group_add(group, object);
}

/* ---- their order ---- */

/* Classes that others refer to come first; the rest of a cycle stays as it comes. */
static void rank(paosi_class *class, int *next)
{
    unsigned i;

    if (class->rank)
        return;
    class->rank = -1;
    for (i = 0; i < class->shape->count; i++)
        if (class->shape->columns[i].target)
            rank(paosi_class_by_number(class->conn, class->shape->columns[i].target->number), next);
    class->rank = ++*next;
}

static int compare_groups(const void *a, const void *b)
{
    const paosi_group *x = a;
    const paosi_group *y = b;
    int order = x->shape->class->rank - y->shape->class->rank;

    if (x->action != y->action)
        return (x->action > y->action) - (x->action < y->action);
    if (order == 0)
        return (x->number > y->number) - (x->number < y->number);
    return x->action == PAOSI_REMOVE ? -order : order;
}

static void sort_groups(paos_conn *conn, paosi_groups *groups)
{
    int next = 0;
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i])
            conn->classes[i]->rank = 0;
    for (i = 0; i < groups->size; i++)
    {
        groups->items[i].number = i;
        rank(groups->items[i].shape->class, &next);
    }
    if (groups->size > 1)
        qsort(groups->items, groups->size, sizeof *groups->items, compare_groups);
}

/* ---- statements ---- */

static void add_type(paosi_buffer *sql, const paosi_column *column)
{
    if (column->type.store == PAOSI_KEY)
        paosi_buffer_text(sql, "pg_catalog.int8");
    else if (column->type.direct)
        paosi_buffer_text(sql, column->type_name);
    else
        paosi_buffer_text(sql, column->type.array ? "pg_catalog.text[]" : "pg_catalog.text");
}

/* What paos.rows gives: key, then version but for inserts, then the changed attributes. */
static void add_source(paosi_buffer *sql, const paosi_group *group)
{
    unsigned i;

    paosi_buffer_text(sql, " paos.rows($1) AS v (k pg_catalog.int8");
    if (group->action != PAOSI_INSERT)
        paosi_buffer_text(sql, ", x pg_catalog.xid");
    for (i = 0; i < group->shape->count; i++)
    {
        if (!group->columns[i])
            continue;
        paosi_buffer_format(sql, ", c%u ", i);
        add_type(sql, &group->shape->columns[i]);
    }
    paosi_buffer_text(sql, ")");
}

static void add_value(paosi_buffer *sql, const paosi_group *group, unsigned i)
{
    const paosi_column *column = &group->shape->columns[i];

    paosi_buffer_format(sql, "v.c%u", i);
    if (!column->type.direct)
        paosi_buffer_format(sql, "::%s", column->type_name);
}

static void add_key(paosi_buffer *sql, const paosi_group *group)
{
    paosi_buffer_name(sql, group->shape->columns[group->shape->key].name);
}

/* The columns of an insert: the key, then what was set. */
static void add_columns(paosi_buffer *sql, const paosi_group *group)
{
    unsigned i;

    add_key(sql, group);
    for (i = 0; i < group->shape->count; i++)
    {
        if (!group->columns[i])
            continue;
        paosi_buffer_text(sql, ", ");
        paosi_buffer_name(sql, group->shape->columns[i].name);
    }
}

static void add_insert(paosi_buffer *sql, const paosi_group *group)
{
    unsigned i;

    paosi_buffer_format(sql, "INSERT INTO %s (", group->shape->class->table_sql);
    add_columns(sql, group);
    /* The program's key wins over an identity's. */
    paosi_buffer_text(sql, ") OVERRIDING SYSTEM VALUE SELECT v.k");
    for (i = 0; i < group->shape->count; i++)
    {
        if (!group->columns[i])
            continue;
        paosi_buffer_text(sql, ", ");
        add_value(sql, group, i);
    }
    paosi_buffer_text(sql, " FROM");
    add_source(sql, group);
}

static void add_update(paosi_buffer *sql, const paosi_group *group)
{
    const char *comma = "";
    unsigned i;

    paosi_buffer_format(sql, "UPDATE %s AS o$ SET ", group->shape->class->table_sql);
    for (i = 0; i < group->shape->count; i++)
    {
        if (!group->columns[i])
            continue;
        paosi_buffer_text(sql, comma);
        paosi_buffer_name(sql, group->shape->columns[i].name);
        paosi_buffer_text(sql, " = ");
        add_value(sql, group, i);
        comma = ", ";
    }
    paosi_buffer_text(sql, " FROM");
    add_source(sql, group);
}

static void add_copy(paosi_buffer *sql, const paosi_group *group)
{
    paosi_buffer_format(sql, "COPY %s (", group->shape->class->table_sql);
    add_columns(sql, group);
    paosi_buffer_text(sql, ") FROM STDIN (FORMAT binary)");
}

/* COPY takes no casts, no rules and no row security. */
static bool takes_copy(const paosi_group *group)
{
    unsigned i;

    if (group->action != PAOSI_INSERT || group->size < COPY_ROWS || group->shape->class->restless)
        return false;
    for (i = 0; i < group->shape->count; i++)
        if (group->columns[i] && !group->shape->columns[i].type.direct)
            return false;
    return true;
}

static bool make_sql(paosi_group *group)
{
    paosi_buffer *sql = &group->sql;

    unsigned i;

    group->width = 1;
    for (i = 0; i < group->shape->count; i++)
        group->width += group->columns[i];
    group->copy = takes_copy(group);
    if (group->copy)
        add_copy(sql, group);
    else if (group->action == PAOSI_INSERT)
        add_insert(sql, group);
    else if (group->action == PAOSI_UPDATE)
        add_update(sql, group);
    else
    {
        paosi_buffer_format(sql, "DELETE FROM %s AS o$ USING", group->shape->class->table_sql);
        add_source(sql, group);
    }
    if (group->action != PAOSI_INSERT)
    {
        paosi_buffer_text(sql, " WHERE o$.");
        add_key(sql, group);
        paosi_buffer_text(sql, " OPERATOR(pg_catalog.=) v.k"
                               " AND o$.xmin OPERATOR(pg_catalog.=) v.x RETURNING v.k");
    }
    paosi_buffer_add(sql, "", 1);
    return !sql->failed;
}

/* ---- rows ---- */

/* An integer that is kept in 8 bytes; COPY wants as many as its column has. */
static void add_integer(paosi_buffer *out, const paosi_group *group, const paosi_column *column,
                        uint64_t value)
{
    switch (group->copy ? column->type.oid : PAOSI_OID_INT8)
    {
        case PAOSI_OID_INT2:
            paosi_buffer_add32(out, 2);
            paosi_buffer_add16(out, (uint16_t) value);
            break;
        case PAOSI_OID_INT4:
            paosi_buffer_add32(out, 4);
            paosi_buffer_add32(out, (uint32_t) value);
            break;
        default:
            paosi_buffer_add32(out, 8);
            paosi_buffer_add64(out, value);
    }
}

static void add_cell(paosi_buffer *out, const paosi_group *group, const paosi_column *column,
                     paosi_cell cell)
{
    if (cell.state != PAOSI_VALUE)
    {
        paosi_buffer_add32(out, UINT32_MAX);
        return;
    }
    if (column->type.store == PAOSI_KEY)
    {
        add_integer(out, group, column, paosi_read64(cell.data));
        return;
    }
    if (column->type.store == PAOSI_TEXT)
        cell.size--;
    paosi_buffer_add32(out, (uint32_t) cell.size);
    paosi_buffer_add(out, cell.data, cell.size);
}

static void add_row(paosi_buffer *out, const paosi_group *group, const paos_object *object)
{
    const paosi_shape *shape = group->shape;
    unsigned i;

    if (group->copy)
        paosi_buffer_add16(out, group->width);
    add_integer(out, group, &shape->columns[shape->key], paosi_id_key(object->id));
    if (group->action != PAOSI_INSERT)
    {
        paosi_buffer_add32(out, 4);
        paosi_buffer_add32(out, object->version);
    }
    for (i = 0; i < shape->count; i++)
        if (group->columns[i])
            add_cell(out, group, &shape->columns[i],
                     paosi_draft_cell(object->draft, shape->count, i));
}

/* Rows from *next on, up to the size of a chunk; as many, after a place for their number. */
static uint32_t add_rows(paosi_buffer *out, const paosi_group *group, size_t *next)
{
    uint32_t rows = 0;

    while (*next < group->size && out->size < CHUNK_BYTES && !out->failed)
    {
        add_row(out, group, group->members[*next]);
        ++*next;
        rows++;
    }
    return rows;
}

static void fill(paosi_chunk *chunk, const paosi_group *group, size_t *next)
{
    static const char copy_header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    paosi_buffer *out = &chunk->rows;
    uint32_t rows;

    if (group->copy)
    {
        paosi_buffer_add(out, copy_header, sizeof copy_header);
        add_rows(out, group, next);
        paosi_buffer_add16(out, UINT16_MAX);
    }
    else
    {
        paosi_buffer_add32(out, 0);
        rows = add_rows(out, group, next);
        if (!out->failed)
            paosi_write32((unsigned char *) out->data, rows);
    }
    chunk->parameter.type = PAOSI_OID_BYTEA;
    chunk->parameter.text = false;
    chunk->parameter.data = out->data;
    chunk->parameter.size = out->size;
}

static paosi_chunk *chunk_new(paosi_groups *groups, paosi_group *group)
{
    paosi_chunk *chunks = paosi_realloc(groups->chunks, (groups->chunk_count + 1) * sizeof *chunks);

    if (!chunks)
        return NULL;
    groups->chunks = chunks;
    chunks += groups->chunk_count++;
    memset(chunks, 0, sizeof *chunks);
    chunks->group = group;
    return chunks;
}

static bool make_chunks(paosi_groups *groups)
{
    size_t i, next;

    for (i = 0; i < groups->size; i++)
    {
        paosi_group *group = &groups->items[i];

        if (!make_sql(group))
            return false;
        for (next = 0; next < group->size;)
        {
            paosi_chunk *chunk = chunk_new(groups, group);

            if (!chunk)
                return false;
            fill(chunk, group, &next);
            if (chunk->rows.failed)
                return false;
        }
    }
    return true;
}

/* ---- all of it ---- */

paos_status paosi_groups_make(paos_conn *conn, paosi_groups *groups, paos_object *const *objects,
                              size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!place(groups, objects[i]))
            return paosi_fail_memory(conn);
    sort_groups(conn, groups);
    if (!make_chunks(groups))
        return paosi_fail_memory(conn);
    for (i = 0; i < groups->chunk_count; i++)
        if (groups->chunks[i].rows.size > PAOSI_PARAMETER_MAX)
            return paosi_fail(conn, PAOS_INVALID, "an object of class %s is larger than 1 GB",
                              groups->chunks[i].group->shape->class->name);
    return PAOS_OK;
}

void paosi_groups_free(paosi_groups *groups)
{
    size_t i;

    for (i = 0; i < groups->chunk_count; i++)
        paosi_buffer_free(&groups->chunks[i].rows);
    for (i = 0; i < groups->size; i++)
    {
        paosi_free(groups->items[i].columns);
        paosi_free(groups->items[i].members);
        paosi_buffer_free(&groups->items[i].sql);
    }
    paosi_free(groups->chunks);
    paosi_free(groups->items);
}
