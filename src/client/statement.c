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

/* An integer that is kept in 8 bytes; a copy wants as many as its column has. */
static void add_integer(paosi_buffer *out, const paosi_group *group, const paosi_column *column,
                        uint64_t value)
{
    switch (group->copy ? integer_size(column) : 8)
    {
        case 2:
            paosi_buffer_add32(out, 2);
            paosi_buffer_add16(out, (uint16_t) value);
            break;
        case 4:
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

static void add_parameter(paosi_chunk *chunk, uint32_t type, const void *data, size_t size)
{
    const paosi_parameter parameter = {.type = type, .data = data, .size = size};

    chunk->parameters[chunk->count++] = parameter;
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
        add_parameter(chunk, PAOSI_OID_OID, group->table, sizeof group->table);
        add_parameter(chunk, PAOSI_OID_TEXT_ARRAY, group->names.data, group->names.size);
    }
    else
    {
        paosi_buffer_add32(out, 0);
        rows = add_rows(out, group, next);
        if (!out->failed)
            paosi_write32((unsigned char *) out->data, rows);
    }
    add_parameter(chunk, PAOSI_OID_BYTEA, out->data, out->size);
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

bool paosi_groups_state(paosi_groups *groups)
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
