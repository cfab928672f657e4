/*
 * catalog.c - the classes of the server, as far as the connection knows them.
 *
 * They are read anew, all at once, when something does not fit.  A class stays at its
 * address, and what was read becomes its present state in one go: whatever fails before
 * leaves everything as it was.
 */
#include "paos_int.h"
#include "reading.h"

#include <stdlib.h>

/* ---- taking over what was read ---- */

static void swap_text(char **a, char **b)
{
    char *text = *a;

    *a = *b;
    *b = text;
}

static void take_class(paosi_description *read)
{
    paosi_class *class = read->shape->class;

    /* Without a key there is nothing to do with it. */
    class->gone = read->shape->key == read->shape->count;
    class->table = read->table;
    class->parent = read->parent;
    class->restless = read->restless;
    class->root = class;
    class->fresh = read->shape;
    swap_text(&class->name, &read->name);
    swap_text(&class->table_sql, &read->table_sql);
    /* The texts that were swapped out are the old ones. */
    if (!read->table_sql || strcmp(read->table_sql, class->table_sql) != 0)
        paosi_class_forget_aliases(class);
    paosi_free(class->select);
    class->select = NULL;
}

/* A foreign key is not inherited by PostgreSQL, but what a column means is. */
static void inherit_targets(paosi_shape *shape, const paosi_shape *parent)
{
    unsigned i;

    for (i = 0; i < shape->count; i++)
    {
        paosi_column *column = &shape->columns[i];
        int place = column->target ? -1 : paosi_shape_find(parent, column->name);

        if (place < 0 || !parent->columns[place].target)
            continue;
        column->target = parent->columns[place].target;
        column->type.store = PAOSI_KEY;
    }
}

/* The root of a class; on the way up, what columns of parents refer to comes down to it. */
static paosi_class *inherit(paosi_class *class)
{
    paosi_class *parent = paosi_class_by_number(class->conn, class->parent);

    if (!parent || parent->gone || !parent->fresh)
        return class;
    class->root = inherit(parent);
    inherit_targets(class->fresh, parent->fresh);
    return class->root;
}

static void take_shape(paosi_shape **shape)
{
    paosi_class *class = (*shape)->class;
    paosi_shape *old = class->shape;

    if (old && paosi_shape_equal(old, *shape))
        return;
    class->shape = *shape;
    *shape = old;
}

/* Is the class among its own ancestors?  Then it has none: what is said comes from outside. */
static bool is_circular(const paosi_class *class, size_t most)
{
    const paosi_class *at = class;

    while (at && most-- > 0)
        at = paosi_class_by_number(class->conn, at->parent);
    return at != NULL;
}

static void take(paos_conn *conn, paosi_reading *r)
{
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i])
            conn->classes[i]->gone = true;
    for (i = 0; i < r->count; i++)
        take_class(&r->classes[i]);
    for (i = 0; i < r->count; i++)
        if (is_circular(r->classes[i].shape->class, conn->classes_size))
            r->classes[i].shape->class->parent = 0;
    for (i = 0; i < r->count; i++)
        inherit(r->classes[i].shape->class);
    for (i = 0; i < r->count; i++)
    {
        r->classes[i].shape->class->fresh = NULL;
        take_shape(&r->classes[i].shape);
    }
    paosi_free(conn->tables);
    conn->tables = r->tables;
    conn->tables_size = r->tables_size;
    r->tables = NULL;
    conn->last_class = NULL;
    memset(conn->unknown, 0, sizeof conn->unknown);
    conn->catalog_known = true;
    conn->catalog_stale = false;
}

/* ---- what others call ---- */

paos_status paosi_catalog_load(paos_conn *conn, const char *name, uint32_t *table)
{
    paosi_reading reading;
    paos_status status;

    if (name && !paosi_utf8_valid(name, strlen(name)))
        return paosi_fail(conn, PAOS_INVALID, "class name is not valid UTF-8");
    status = paosi_reading_ask(&reading, conn, name);
    if (status == PAOS_OK)
        take(conn, &reading);
    if (status == PAOS_OK && name)
        *table = reading.named;
    paosi_reading_free(&reading);
    return status;
}

paos_status paosi_catalog_ensure(paos_conn *conn)
{
    if (conn->catalog_known && !conn->catalog_stale)
        return PAOS_OK;
    return paosi_catalog_load(conn, NULL, NULL);
}

paos_status paosi_catalog_number(paos_conn *conn, unsigned number, paosi_class **out)
{
    unsigned char bit = (unsigned char) (1 << number % 8);
    paos_status status = paosi_catalog_ensure(conn);

    if (status == PAOS_OK && number <= PAOSI_CLASS_MAX && !paosi_class_by_number(conn, number) &&
        !(conn->unknown[number / 8] & bit))
    {
        status = paosi_catalog_load(conn, NULL, NULL);
        if (status == PAOS_OK && !paosi_class_by_number(conn, number))
            conn->unknown[number / 8] |= bit;
    }
    if (status == PAOS_OK)
        *out = paosi_class_by_number(conn, number);
    return status;
}

static int compare_tables(const void *a, const void *b)
{
    uint32_t x = ((const paosi_table *) a)->oid;
    uint32_t y = ((const paosi_table *) b)->oid;

    return (x > y) - (x < y);
}

paosi_class *paosi_class_by_table(const paos_conn *conn, uint32_t table)
{
    const paosi_table key = {table, 0};
    const paosi_table *found =
        conn->tables_size == 0
            ? NULL
            : bsearch(&key, conn->tables, conn->tables_size, sizeof key, compare_tables);

    return found ? paosi_class_by_number(conn, found->class) : NULL;
}

void paosi_catalog_free(paos_conn *conn)
{
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        paosi_class_free(conn->classes[i]);
    paosi_free(conn->classes);
    paosi_free(conn->tables);
}
