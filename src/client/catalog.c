/*
 * catalog.c - reads what the server knows of all classes, in one round trip.
 *
 * All classes are read, not the one asked for: a reference may lead to any, and
 * a walk must not stop at each class it meets first.  Reading again updates
 * classes in place; nothing is changed before everything has been understood.
 */
#include "paos_int.h"

#include <stdlib.h>

typedef struct paosi_table
{
    uint32_t oid;
    uint16_t class;
} paosi_table;

static const char sql_classes[] =
    "SELECT c.number, c.name::pg_catalog.oid, c.name::pg_catalog.text,"
    " pg_catalog.format('%I.%I', n.nspname, r.relname), c.key::pg_catalog.text,"
    " COALESCE(c.parent, 0), r.relhasrules OR r.relrowsecurity OR EXISTS ("
    "SELECT FROM pg_catalog.pg_trigger g"
    " JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) g.tgfoid"
    " WHERE g.tgrelid OPERATOR(pg_catalog.=) r.oid AND NOT g.tgisinternal"
    " AND f.pronamespace OPERATOR(pg_catalog.<>)"
    " 'paos'::pg_catalog.regnamespace::pg_catalog.oid), paos.shape(c.name)"
    " FROM paos.classes c"
    " JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) c.name::pg_catalog.oid"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace"
    " WHERE c.key IS NOT NULL ORDER BY c.number";

enum
{
    CLASS_NUMBER,
    CLASS_TABLE,
    CLASS_NAME,
    CLASS_SQL,
    CLASS_KEY,
    CLASS_PARENT,
    CLASS_RESTLESS,
    CLASS_SHAPE
};

/* Domains are followed to their base, which is what a result's description names. */
static const char sql_columns[] =
    "WITH RECURSIVE domain (oid, base, modifier) AS ("
    "SELECT t.oid, t.typbasetype, t.typtypmod FROM pg_catalog.pg_type t"
    " WHERE t.typtype OPERATOR(pg_catalog.=) 'd'"
    " UNION ALL SELECT d.oid, t.typbasetype,"
    " CASE WHEN d.modifier OPERATOR(pg_catalog.>=) 0 THEN d.modifier ELSE t.typtypmod END"
    " FROM domain d JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) d.base"
    " WHERE t.typtype OPERATOR(pg_catalog.=) 'd')"
    " SELECT a.class, a.name::pg_catalog.text, pg_catalog.format('%I.%I', n.nspname, t.typname),"
    " b.oid, CASE WHEN b.typcategory OPERATOR(pg_catalog.=) 'A' AND b.typlen"
    " OPERATOR(pg_catalog.=) -1 THEN b.typelem ELSE 0::pg_catalog.oid END,"
    " COALESCE(e.typtype, b.typtype)::pg_catalog.text, COALESCE(d.modifier, m.atttypmod),"
    " m.attgenerated OPERATOR(pg_catalog.<>) '',"
    " m.atthasdef OR m.attidentity OPERATOR(pg_catalog.<>) '' OR t.typdefault IS NOT NULL,"
    " COALESCE(a.refers_to, 0)"
    " FROM paos.attributes a"
    " JOIN paos.class c ON c.number OPERATOR(pg_catalog.=) a.class"
    " JOIN pg_catalog.pg_attribute m"
    " ON m.attrelid OPERATOR(pg_catalog.=) c.relation::pg_catalog.oid"
    " AND m.attnum OPERATOR(pg_catalog.=) a.position"
    " JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) m.atttypid"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace"
    " LEFT JOIN domain d ON d.oid OPERATOR(pg_catalog.=) t.oid AND NOT EXISTS ("
    "SELECT FROM domain o WHERE o.oid OPERATOR(pg_catalog.=) d.base)"
    " JOIN pg_catalog.pg_type b ON b.oid OPERATOR(pg_catalog.=) COALESCE(d.base, t.oid)"
    " LEFT JOIN pg_catalog.pg_type e ON e.oid OPERATOR(pg_catalog.=) b.typelem"
    " AND b.typcategory OPERATOR(pg_catalog.=) 'A'"
    " ORDER BY a.class, a.position";

enum
{
    COLUMN_CLASS,
    COLUMN_NAME,
    COLUMN_TYPE_NAME,
    COLUMN_TYPE,
    COLUMN_ARRAY,
    COLUMN_CATEGORY,
    COLUMN_MODIFIER,
    COLUMN_GENERATED,
    COLUMN_DEFAULTED,
    COLUMN_TARGET
};

/* Partitions, and inherited children that are no classes themselves, hold objects of a class. */
static const char sql_tables[] =
    "WITH RECURSIVE part (relation, class) AS ("
    "SELECT c.relation::pg_catalog.oid, c.number FROM paos.class c"
    " UNION SELECT i.inhrelid, p.class FROM part p"
    " JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) p.relation"
    " WHERE NOT EXISTS (SELECT FROM paos.class c"
    " WHERE c.relation::pg_catalog.oid OPERATOR(pg_catalog.=) i.inhrelid))"
    " SELECT p.relation, p.class::pg_catalog.int4 FROM part p ORDER BY 1, 2";

static const char sql_name[] =
    "SELECT COALESCE(pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid, 0)";

/* ---- reading results; all columns are of known types ---- */

static uint32_t cell_number(const paosi_result *result, size_t row, size_t column)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, column, &size);

    return data && size == 4 ? paosi_read32(data) : 0;
}

static bool cell_flag(const paosi_result *result, size_t row, size_t column)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, column, &size);

    return data && size == 1 && data[0];
}

static const char *cell_text(const paosi_result *result, size_t row, size_t column)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, row, column, &size);

    return data ? (const char *) data : "";
}

/* ---- classes ---- */

/* The class of a number, made when it is new. */
static paosi_class *make_class(paos_conn *conn, unsigned number)
{
    paosi_class **classes;
    paosi_class *class = paosi_class_by_number(conn, number);
    size_t size = conn->classes_size;

    if (class || number < 1 || number > PAOSI_CLASS_MAX)
        return class;
    if (number > size)
    {
        classes = paosi_realloc(conn->classes, number * sizeof *classes);
        if (!classes)
            return NULL;
        memset(classes + size, 0, (number - size) * sizeof *classes);
        conn->classes = classes;
        conn->classes_size = number;
    }
    class = paosi_calloc(1, sizeof *class);
    if (!class)
        return NULL;
    class->conn = conn;
    class->number = (uint16_t) number;
    class->gone = true;
    class->root = class;
    conn->classes[number - 1] = class;
    return class;
}

static bool make_classes(paos_conn *conn, const paosi_result *classes)
{
    size_t i;

    for (i = 0; i < paosi_result_rows(classes); i++)
        if (!make_class(conn, cell_number(classes, i, CLASS_NUMBER)))
            return false;
    return true;
}

/* ---- shapes ---- */

static bool read_column(const paos_conn *conn, const paosi_result *columns, size_t row,
                        paosi_column *out)
{
    out->name = paosi_strdup(cell_text(columns, row, COLUMN_NAME));
    out->type_name = paosi_strdup(cell_text(columns, row, COLUMN_TYPE_NAME));
    out->type.oid = cell_number(columns, row, COLUMN_TYPE);
    out->type.array = cell_number(columns, row, COLUMN_ARRAY);
    out->type.category = cell_text(columns, row, COLUMN_CATEGORY)[0];
    out->type.modifier = (int32_t) cell_number(columns, row, COLUMN_MODIFIER);
    out->generated = cell_flag(columns, row, COLUMN_GENERATED);
    out->defaulted = cell_flag(columns, row, COLUMN_DEFAULTED);
    out->target = paosi_class_by_number(conn, cell_number(columns, row, COLUMN_TARGET));
    paosi_type_resolve(conn, &out->type);
    if (out->target && out->type.store >= PAOSI_INT2 && out->type.store <= PAOSI_INT8)
        out->type.store = PAOSI_KEY;
    else
        out->target = NULL;
    return out->name && out->type_name;
}

/* The columns of a class are consecutive rows from *row on. */
static paosi_shape *read_shape(paosi_class *class, const paosi_result *columns, size_t *row,
                               const char *key)
{
    size_t rows = paosi_result_rows(columns);
    size_t first = *row;
    paosi_shape *shape;
    size_t i;

    while (first < rows && cell_number(columns, first, COLUMN_CLASS) < class->number)
        first++;
    for (*row = first; *row < rows; ++*row)
        if (cell_number(columns, *row, COLUMN_CLASS) != class->number)
            break;
    shape = paosi_shape_new(class, (unsigned) (*row - first));
    for (i = first; shape && i < *row; i++)
    {
        paosi_column *column = &shape->columns[i - first];

        if (!read_column(class->conn, columns, i, column))
        {
            paosi_shape_release(shape);
            return NULL;
        }
        column->key = strcmp(column->name, key) == 0;
    }
    if (shape)
        paosi_shape_finish(shape);
    return shape;
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

/* ---- taking over what was read ---- */

/* Everything read, before anything is changed. */
typedef struct reading
{
    paos_conn *conn;
    const paosi_result *classes, *columns, *tables;
    size_t count; /* classes */
    paosi_shape **shapes;
    char **names, **sqls;
    paosi_table *table;
} reading;

static void reading_free(reading *r)
{
    size_t i;

    for (i = 0; i < r->count; i++)
    {
        if (r->shapes)
            paosi_shape_release(r->shapes[i]);
        if (r->names)
            paosi_free(r->names[i]);
        if (r->sqls)
            paosi_free(r->sqls[i]);
    }
    paosi_free(r->shapes);
    paosi_free(r->names);
    paosi_free(r->sqls);
    paosi_free(r->table);
}

/* Allocates all that taking over needs. */
static bool reading_read(reading *r)
{
    size_t tables = paosi_result_rows(r->tables);
    size_t row = 0;
    size_t i;

    r->count = paosi_result_rows(r->classes);
    r->shapes = paosi_calloc(r->count, sizeof *r->shapes);
    r->names = paosi_calloc(r->count, sizeof *r->names);
    r->sqls = paosi_calloc(r->count, sizeof *r->sqls);
    r->table = paosi_calloc(tables, sizeof *r->table);
    if (!r->shapes || !r->names || !r->sqls || !r->table || !make_classes(r->conn, r->classes))
        return false;
    for (i = 0; i < r->count; i++)
    {
        unsigned number = cell_number(r->classes, i, CLASS_NUMBER);

        r->shapes[i] = read_shape(paosi_class_by_number(r->conn, number), r->columns, &row,
                                  cell_text(r->classes, i, CLASS_KEY));
        r->names[i] = paosi_strdup(cell_text(r->classes, i, CLASS_NAME));
        r->sqls[i] = paosi_strdup(cell_text(r->classes, i, CLASS_SQL));
        if (!r->shapes[i] || !r->names[i] || !r->sqls[i])
            return false;
        r->shapes[i]->number = cell_number(r->classes, i, CLASS_SHAPE);
    }
    for (i = 0; i < tables; i++)
    {
        r->table[i].oid = cell_number(r->tables, i, 0);
        r->table[i].class = (uint16_t) cell_number(r->tables, i, 1);
    }
    return true;
}

static void swap_text(char **a, char **b)
{
    char *text = *a;

    *a = *b;
    *b = text;
}

static void take_class(reading *r, size_t i)
{
    paosi_class *class = paosi_class_by_number(r->conn, cell_number(r->classes, i, CLASS_NUMBER));

    /* Without a key there is nothing to do with it. */
    class->gone = r->shapes[i]->key == r->shapes[i]->count;
    class->table = cell_number(r->classes, i, CLASS_TABLE);
    class->parent = (uint16_t) cell_number(r->classes, i, CLASS_PARENT);
    class->restless = cell_flag(r->classes, i, CLASS_RESTLESS);
    class->root = class;
    swap_text(&class->name, &r->names[i]);
    swap_text(&class->table_sql, &r->sqls[i]);
    /* The texts that were swapped out are the old ones. */
    if (!r->sqls[i] || strcmp(r->sqls[i], class->table_sql) != 0)
        paosi_class_forget_aliases(class);
    paosi_free(class->select);
    class->select = NULL;
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

static void take(reading *r)
{
    paos_conn *conn = r->conn;
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i])
            conn->classes[i]->gone = true;
    for (i = 0; i < r->count; i++)
    {
        take_class(r, i);
        r->shapes[i]->class->fresh = r->shapes[i];
    }
    for (i = 0; i < r->count; i++)
        if (is_circular(r->shapes[i]->class, conn->classes_size))
            r->shapes[i]->class->parent = 0;
    for (i = 0; i < r->count; i++)
        inherit(r->shapes[i]->class);
    for (i = 0; i < r->count; i++)
    {
        r->shapes[i]->class->fresh = NULL;
        take_shape(&r->shapes[i]);
    }
    paosi_free(conn->tables);
    conn->tables = r->table;
    conn->tables_size = paosi_result_rows(r->tables);
    conn->last_class = NULL;
    memset(conn->unknown, 0, sizeof conn->unknown);
    r->table = NULL;
}

/* ---- what others call ---- */

paos_status paosi_catalog_load(paos_conn *conn, const char *name, uint32_t *table)
{
    const paosi_parameter parameter = {0, true, name, 0};
    const paosi_statement statements[] = {
        {.sql = sql_classes},
        {.sql = sql_columns},
        {.sql = sql_tables},
        {.sql = sql_name, .parameters = &parameter, .count = 1},
    };
    size_t n = name ? 4 : 3;
    paosi_result *results[4];
    reading r = {.conn = conn};
    paos_status status;

    if (name && !paosi_utf8_valid(name, strlen(name)))
        return paosi_fail(conn, PAOS_INVALID, "class name is not valid UTF-8");
    status = paosi_conn_ask(conn, statements, n, results);
    if (status != PAOS_OK)
        return status;
    r.classes = results[0];
    r.columns = results[1];
    r.tables = results[2];
    if (!reading_read(&r))
        status = paosi_fail_memory(conn);
    else
    {
        take(&r);
        conn->catalog_known = true;
        conn->catalog_stale = false;
        if (name)
            *table = cell_number(results[3], 0, 0);
    }
    reading_free(&r);
    paosi_results_free(results, n);
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
