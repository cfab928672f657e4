/*
 * class.c - what the client knows of one class, and the search for one.
 *
 * A class stays at its address for the life of the connection, even after it
 * is unregistered (`gone`).  Its name is whatever regclass takes, so that only
 * spellings that were met before can be found without asking the server.
 */
#include "paos_int.h"

typedef struct paosi_alias
{
    struct paosi_alias *next;
    char name[];
} paosi_alias;

/* ---- one class ---- */

/*
 * Each row comes as one binary value, or as several when a function cannot take
 * so many arguments.  The alias o$ is one that no column is likely to have as
 * its name: as a row it would lose.
 */
static void select_value(paosi_buffer *sql, const paosi_class *class, unsigned value)
{
    const paosi_column *column;

    if (value % PAOSI_PACK_VALUES == 0)
        paosi_buffer_format(sql, "%spaos.pack(%u::pg_catalog.regclass", value ? "), " : "",
                            class->table);
    if (value < 2)
    {
        paosi_buffer_text(sql, value == 0 ? ", o$.tableoid" : ", o$.xmin");
        return;
    }
    column = &class->shape->columns[value - 2];
    paosi_buffer_text(sql, ", o$.");
    paosi_buffer_name(sql, column->name);
    if (column->type.cast)
        paosi_buffer_text(sql, "::pg_catalog.text");
    if (column->type.cast && column->type.array)
        paosi_buffer_text(sql, "[]");
}

const char *paosi_class_select(paosi_class *class)
{
    paosi_buffer sql = {0};
    unsigned i;

    if (class->select)
        return class->select;
    paosi_buffer_text(&sql, "SELECT ");
    for (i = 0; i < 2 + class->shape->count; i++)
        select_value(&sql, class, i);
    paosi_buffer_format(&sql, ") FROM %s o$", class->table_sql);
    paosi_buffer_add(&sql, "", 1);
    if (sql.failed)
        paosi_buffer_free(&sql);
    class->select = sql.data;
    return class->select;
}

void paosi_class_forget_aliases(paosi_class *class)
{
    while (class->aliases)
    {
        paosi_alias *alias = class->aliases;

        class->aliases = alias->next;
        paosi_free(alias);
    }
}

void paosi_class_free(paosi_class *class)
{
    if (!class)
        return;
    while (class->attributes)
    {
        paos_attribute *attribute = class->attributes;

        class->attributes = attribute->next;
        paosi_shape_release(attribute->shape);
        paosi_free(attribute->name);
        paosi_free(attribute);
    }
    paosi_class_forget_aliases(class);
    paosi_shape_release(class->shape);
    paosi_free(class->name);
    paosi_free(class->table_sql);
    paosi_free(class->select);
    paosi_free(class->ids);
    paosi_free(class);
}

bool paosi_class_is(const paosi_class *class, const paosi_class *ancestor)
{
    while (class && class != ancestor)
        class = paosi_class_by_number(class->conn, class->parent);
    return class != NULL;
}

/* ---- the search ---- */

paosi_class *paosi_class_by_number(const paos_conn *conn, unsigned number)
{
    return number >= 1 && number <= conn->classes_size ? conn->classes[number - 1] : NULL;
}

static bool is_called(const paosi_class *class, const char *name)
{
    const paosi_alias *alias;

    if (strcmp(class->name, name) == 0 || strcmp(class->table_sql, name) == 0)
        return true;
    for (alias = class->aliases; alias; alias = alias->next)
        if (strcmp(alias->name, name) == 0)
            return true;
    return false;
}

static paosi_class *find_known(const paos_conn *conn, const char *name)
{
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i] && !conn->classes[i]->gone && is_called(conn->classes[i], name))
            return conn->classes[i];
    return NULL;
}

/* Without memory for it the name is asked for again, no more. */
static void remember_alias(paosi_class *class, const char *name)
{
    size_t size = strlen(name) + 1;
    paosi_alias *alias = is_called(class, name) ? NULL : paosi_malloc(sizeof *alias + size);

    if (!alias)
        return;
    memcpy(alias->name, name, size);
    alias->next = class->aliases;
    class->aliases = alias;
}

/* Asks the server which table a name means, and reads the classes anew. */
static paos_status find_on_server(paos_conn *conn, const char *name, paosi_class **out)
{
    paosi_class *class;
    uint32_t table = 0;
    paos_status status = paosi_catalog_load(conn, name, &table);

    if (status != PAOS_OK)
        return status;
    if (!table)
        return paosi_fail(conn, PAOS_INVALID, "table \"%s\" does not exist", name);
    class = paosi_class_by_table(conn, table);
    if (!class || class->gone || class->table != table)
        return paosi_fail(conn, PAOS_INVALID, "table \"%s\" is not registered as a class", name);
    remember_alias(class, name);
    *out = class;
    return PAOS_OK;
}

paos_status paosi_class_find(paos_conn *conn, const char *name, paosi_class **out)
{
    paosi_class *class = NULL;
    paos_status status = PAOS_OK;

    if (!name)
        return paosi_fail(conn, PAOS_INVALID, "class name must not be NULL");
    if (conn->catalog_known && !conn->catalog_stale)
        class = conn->last_class && is_called(conn->last_class, name) ? conn->last_class
                                                                      : find_known(conn, name);
    if (!class)
        status = find_on_server(conn, name, &class);
    if (status != PAOS_OK)
        return status;
    conn->last_class = class;
    *out = class;
    return PAOS_OK;
}

/* ---- resolved attributes ---- */

static bool has_attribute(paosi_class *class, const char *name)
{
    if (paosi_shape_find(class->shape, name) >= 0)
        return true;
    if (paosi_catalog_load(class->conn, NULL, NULL) != PAOS_OK)
        return false;
    if (paosi_shape_find(class->shape, name) >= 0)
        return true;
    paosi_fail(class->conn, PAOS_INVALID, "class %s has no attribute \"%s\"", class->name, name);
    return false;
}

static const paos_attribute *add_attribute(paosi_class *class, const char *name)
{
    paos_attribute *at = paosi_calloc(1, sizeof *at);

    if (at)
        at->name = paosi_strdup(name);
    if (!at || !at->name)
    {
        paosi_free(at);
        paosi_fail_memory(class->conn);
        return NULL;
    }
    at->class = class;
    at->conn = class->conn;
    at->next = class->attributes;
    class->attributes = at;
    return at;
}

const paos_attribute *paos_class_attribute(paos_conn *conn, const char *class_name,
                                           const char *name)
{
    paosi_class *class;
    const paos_attribute *at;

    if (!conn)
        return NULL;
    if (!name)
    {
        paosi_fail(conn, PAOS_INVALID, "attribute name must not be NULL");
        return NULL;
    }
    if (paosi_class_find(conn, class_name, &class) != PAOS_OK || !has_attribute(class, name))
        return NULL;
    for (at = class->attributes; at; at = at->next)
        if (strcmp(at->name, name) == 0)
            return at;
    return add_attribute(class, name);
}
