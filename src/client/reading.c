/*
 * reading.c - reads what the server knows of all classes, in one round trip.
 *
 * All classes are read, not the one asked for: a reference may lead to any, and
 * a walk must not stop at each class it meets first.  The only mark that reading
 * leaves on the connection are empty entries for classes not met before.
 */
#include "reading.h"

#include "paos_int.h"

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

/* ---- all of it ---- */

static bool describe(paos_conn *conn, const paosi_result *classes, size_t i,
                     const paosi_result *columns, size_t *row, paosi_description *out)
{
    paosi_class *class = paosi_class_by_number(conn, cell_number(classes, i, CLASS_NUMBER));

    out->table = cell_number(classes, i, CLASS_TABLE);
    out->parent = (uint16_t) cell_number(classes, i, CLASS_PARENT);
    out->restless = cell_flag(classes, i, CLASS_RESTLESS);
    out->name = paosi_strdup(cell_text(classes, i, CLASS_NAME));
    out->table_sql = paosi_strdup(cell_text(classes, i, CLASS_SQL));
    out->shape = read_shape(class, columns, row, cell_text(classes, i, CLASS_KEY));
    if (!out->name || !out->table_sql || !out->shape)
        return false;
    out->shape->number = cell_number(classes, i, CLASS_SHAPE);
    return true;
}

static bool read_classes(paosi_reading *r, paos_conn *conn, const paosi_result *classes,
                         const paosi_result *columns)
{
    size_t row = 0;
    size_t i;

    r->count = paosi_result_rows(classes);
    r->classes = paosi_calloc(r->count, sizeof *r->classes);
    if (!r->classes || !make_classes(conn, classes))
        return false;
    for (i = 0; i < r->count; i++)
        if (!describe(conn, classes, i, columns, &row, &r->classes[i]))
            return false;
    return true;
}

static bool read_tables(paosi_reading *r, const paosi_result *tables)
{
    size_t i;

    r->tables_size = paosi_result_rows(tables);
    r->tables = paosi_calloc(r->tables_size, sizeof *r->tables);
    if (!r->tables)
        return false;
    for (i = 0; i < r->tables_size; i++)
    {
        r->tables[i].oid = cell_number(tables, i, 0);
        r->tables[i].class = (uint16_t) cell_number(tables, i, 1);
    }
    return true;
}

paos_status paosi_reading_ask(paosi_reading *r, paos_conn *conn, const char *name)
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
    paos_status status;

    memset(r, 0, sizeof *r);
    status = paosi_conn_ask(conn, statements, n, results);
    if (status != PAOS_OK)
        return status;
    if (!read_classes(r, conn, results[0], results[1]) || !read_tables(r, results[2]))
        status = paosi_fail_memory(conn);
    else if (name)
        r->named = cell_number(results[3], 0, 0);
    paosi_results_free(results, n);
    return status;
}

void paosi_reading_free(paosi_reading *r)
{
    size_t i;

    for (i = 0; r->classes && i < r->count; i++)
    {
        paosi_shape_release(r->classes[i].shape);
        paosi_free(r->classes[i].name);
        paosi_free(r->classes[i].table_sql);
    }
    paosi_free(r->classes);
    paosi_free(r->tables);
}
