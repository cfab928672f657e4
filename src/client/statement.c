/*
 * statement.c - a group of a commit's objects as SQL and binary rows.
 *
 * Rows go through paos.rows or, when there are many to insert, to paos.copy,
 * which is faster but takes no casts.  Keys are sent in 8 bytes to the former,
 * and have to be in their column's own size for the latter.
 */
#include "commit.h"

/* Rows of one statement are cut at about this size: the server takes no parameter of 1 GB. */
#define CHUNK_BYTES ((size_t) 64 << 20)
/* Those of a copy much earlier: the server is at work on one piece while the next is made. */
#define PIECE_BYTES ((size_t) 64 << 10)
/* Rows from which paos.copy is faster. */
#define COPY_ROWS 100

/* ---- texts ---- */

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

static void add_insert(paosi_buffer *sql, const paosi_group *group)
{
    unsigned i;

    paosi_buffer_format(sql, "INSERT INTO %s (", group->shape->class->table_sql);
    add_key(sql, group);
    for (i = 0; i < group->shape->count; i++)
    {
        if (!group->columns[i])
            continue;
        paosi_buffer_text(sql, ", ");
        paosi_buffer_name(sql, group->shape->columns[i].name);
    }
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

static void add_name(paosi_buffer *names, const paosi_column *column)
{
    size_t size = strlen(column->name);

    paosi_buffer_add32(names, (uint32_t) size);
    paosi_buffer_add(names, column->name, size);
}

/* The statement, with its table and columns as parameters: the key, then what was set. */
static void add_copy(paosi_group *group)
{
    const paosi_shape *shape = group->shape;
    unsigned i;

    paosi_buffer_text(&group->sql, "SELECT paos.copy($1::pg_catalog.regclass, $2, $3)");
    paosi_write32(group->table, shape->class->table);
    paosi_buffer_add32(&group->names, 1);
    paosi_buffer_add32(&group->names, 0);
    paosi_buffer_add32(&group->names, PAOSI_OID_TEXT);
    paosi_buffer_add32(&group->names, group->width);
    paosi_buffer_add32(&group->names, 1);
    add_name(&group->names, &shape->columns[shape->key]);
    for (i = 0; i < shape->count; i++)
        if (group->columns[i])
            add_name(&group->names, &shape->columns[i]);
}

static unsigned integer_size(const paosi_column *column)
{
    return column->type.oid == PAOSI_OID_INT2 ? 2 : column->type.oid == PAOSI_OID_INT4 ? 4 : 8;
}

/* May a key that is good for its class be too large for the column that refers to it? */
static bool is_narrow(const paosi_column *column)
{
    const paosi_shape *target = column->target ? column->target->shape : NULL;

    return target && (target->key == target->count ||
                      integer_size(column) < integer_size(&target->columns[target->key]));
}

/* It takes no casts, no rules and no row security, and here no range is checked. */
static bool takes_copy(const paosi_group *group)
{
    unsigned i;

    if (group->action != PAOSI_INSERT || group->size < COPY_ROWS || group->shape->class->restless)
        return false;
    for (i = 0; i < group->shape->count; i++)
        if (group->columns[i] &&
            (!group->shape->columns[i].type.direct || is_narrow(&group->shape->columns[i])))
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
        add_copy(group);
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
    return !sql->failed && !group->names.failed;
}

/* ---- rows ---- */

/* What comes before and after the rows of a copy takes less. */
#define FRAME_BYTES 32

static char *put16(char *p, uint16_t value)
{
    p[0] = (char) (value >> 8);
    p[1] = (char) value;
    return p + 2;
}

static char *put32(char *p, uint32_t value)
{
    paosi_write32((unsigned char *) p, value);
    return p + 4;
}

static char *put_bytes(char *p, const void *data, size_t size)
{
    memcpy(p, data, size);
    return p + size;
}

/* An integer that is kept in 8 bytes; a copy wants as many as its column has. */
static char *put_integer(char *p, const paosi_group *group, const paosi_column *column,
                         uint64_t value)
{
    switch (group->copy ? integer_size(column) : 8)
    {
        case 2:
            return put16(put32(p, 2), (uint16_t) value);
        case 4:
            return put32(put32(p, 4), (uint32_t) value);
        default:
            paosi_write64((unsigned char *) put32(p, 8), value);
            return p + 12;
    }
}

static char *put_cell(char *p, const paosi_group *group, const paosi_column *column,
                      paosi_cell cell)
{
    if (cell.state != PAOSI_VALUE)
        return put32(p, UINT32_MAX);
    if (column->type.store == PAOSI_KEY)
        return put_integer(p, group, column, paosi_read64(cell.data));
    if (column->type.store == PAOSI_TEXT)
        cell.size--;
    return put_bytes(put32(p, (uint32_t) cell.size), cell.data, cell.size);
}

static paosi_cell changed_cell(const paos_object *object, unsigned i)
{
    const paosi_cell none = {PAOSI_UNLOADED, NULL, 0};

    return object->draft ? paosi_draft_cell(object->draft, object->shape->count, i) : none;
}

static char *put_row(char *p, const paosi_group *group, const paos_object *object)
{
    const paosi_shape *shape = group->shape;
    unsigned i;

    if (group->copy)
        p = put16(p, group->width);
    p = put_integer(p, group, &shape->columns[shape->key], paosi_id_key(object->id));
    if (group->action != PAOSI_INSERT)
        p = put32(put32(p, 4), object->version);
    for (i = 0; i < shape->count; i++)
        if (group->columns[i])
            p = put_cell(p, group, &shape->columns[i], changed_cell(object, i));
    return p;
}

/* No less than put_row takes; not much more for what is large. */
static size_t row_bytes(const paosi_group *group, const paos_object *object)
{
    const size_t frame = 2 + 12 + 8 + 4 * (size_t) group->width;
    size_t bytes = 0;
    unsigned i;

    if (!object->draft)
        return frame;
    if (object->draft->used < CHUNK_BYTES)
        return frame + object->draft->used;
    for (i = 0; i < group->shape->count; i++)
        if (group->columns[i])
            bytes += paosi_draft_cell(object->draft, group->shape->count, i).size;
    return frame + bytes;
}

static void add_parameter(paosi_chunk *chunk, uint32_t type, const void *data, size_t size)
{
    const paosi_parameter parameter = {.type = type, .data = data, .size = size};

    chunk->parameters[chunk->count++] = parameter;
}

bool paosi_chunk_make(paosi_chunk *chunk)
{
    static const char copy_header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    const paosi_group *group = chunk->group;
    paosi_parameter *rows = &chunk->parameters[chunk->count - 1];
    char *p;
    size_t i;

    chunk->rows->size = 0;
    p = paosi_buffer_room(chunk->rows, chunk->bytes);
    if (!p)
        return false;
    if (group->copy)
        p = put_bytes(p, copy_header, sizeof copy_header);
    else
        p = put32(p, (uint32_t) chunk->size);
    for (i = 0; i < chunk->size; i++)
        p = put_row(p, group, chunk->members[i]);
    if (group->copy)
        p = put16(p, UINT16_MAX);
    rows->data = chunk->rows->data;
    rows->size = (size_t) (p - chunk->rows->data);
    return true;
}

/* ---- chunks ---- */

static paosi_chunk *chunk_new(paosi_groups *groups, const paosi_group *group)
{
    paosi_chunk *chunk;

    if (!paosi_room(&groups->chunks, sizeof *groups->chunks, groups->chunk_count,
                    &groups->chunk_capacity))
        return NULL;
    chunk = &groups->chunks[groups->chunk_count++];
    memset(chunk, 0, sizeof *chunk);
    chunk->group = group;
    chunk->rows = &groups->rows;
    chunk->bytes = FRAME_BYTES;
    return chunk;
}

/* Rows that refer to each other by a foreign key have to come in one statement. */
static bool is_whole(const paosi_group *group)
{
    const paosi_shape *shape = group->shape;
    unsigned i;

    for (i = 0; i < shape->count; i++)
        if (shape->columns[i].target && shape->columns[i].target->root == shape->class->root)
            return true;
    return shape->class->whole;
}

/* Members from *next on. */
static bool add_chunk(paosi_groups *groups, const paosi_group *group, size_t most, size_t *next)
{
    paosi_chunk *chunk = chunk_new(groups, group);

    if (!chunk)
        return false;
    chunk->members = group->members + *next;
    while (*next < group->size && chunk->bytes < most)
    {
        chunk->bytes += row_bytes(group, group->members[*next]);
        chunk->size++;
        ++*next;
    }
    if (group->copy)
    {
        add_parameter(chunk, PAOSI_OID_OID, group->table, sizeof group->table);
        add_parameter(chunk, PAOSI_OID_TEXT_ARRAY, group->names.data, group->names.size);
    }
    add_parameter(chunk, PAOSI_OID_BYTEA, NULL, 0);
    return true;
}

bool paosi_groups_state(paosi_groups *groups)
{
    size_t i, next;

    for (i = 0; i < groups->size; i++)
    {
        paosi_group *group = &groups->items[i];
        size_t most;

        if (!make_sql(group))
            return false;
        most = group->copy && !is_whole(group) ? PIECE_BYTES : CHUNK_BYTES;
        for (next = 0; next < group->size;)
            if (!add_chunk(groups, group, most, &next))
                return false;
    }
    return true;
}
