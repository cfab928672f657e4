/*
 * fake_rows.c - statements on the rows of the fake database.
 *
 * The text of a statement is not parsed but searched for the few things that
 * vary in it; its data, the rows for paos.rows, is decoded to the last byte.
 */
#include "fake_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- what a statement says ---- */

/* The class whose table follows `before`. */
static fake_relation *relation_in(const char *sql, const char *before)
{
    char name[64];
    const char *place = strstr(sql, before);
    size_t i;

    assert_non_null(place);
    assert_int_equal(sscanf(place + strlen(before), "public.%63[a-z]", name), 1);
    for (i = 0; i < FAKE_CLASSES; i++)
        if (fake_relations[i].number && strcmp(fake_relations[i].name, name) == 0)
            return &fake_relations[i];
    fail_msg("no such table: %s", name);
    return NULL;
}

/* Is the row of a key in the answer: found by a query, or among those of an array? */
static bool is_asked_for(const fake_sent *sent, int64_t key)
{
    paosi_cell cell = {PAOSI_VALUE, NULL, 0};
    paosi_elements elements;

    if (strstr(sent->sql, "OPERATOR(paos.@@)"))
        return key <= fake_query_most();
    if (!strstr(sent->sql, "OPERATOR(pg_catalog.=) ANY ($1)"))
        return true;
    cell.data = sent->parameters[0].data;
    cell.size = sent->parameters[0].size;
    elements = paosi_array_begin(cell);
    while (paosi_array_next(&elements, &cell))
        if ((cell.size == 4 ? paosi_read32(cell.data) : paosi_read64(cell.data)) == (uint64_t) key)
            return true;
    return false;
}

/* ---- SELECT paos.pack(...), paos.pack(...) FROM ... ---- */

/* The value that is named at *sql, with *sql moved behind it. */
static fake_cell take_item(const char **sql, const fake_relation *own, const fake_tuple *tuple)
{
    char name[64] = "";
    const fake_datum *datum;
    int length = 0;
    bool system = sscanf(*sql, ", o$.%63[a-z]%n", name, &length) == 1;

    if (!system)
        assert_int_equal(sscanf(*sql, ", o$.\"%63[^\"]\"%n", name, &length), 1);
    *sql += length;
    if (system)
        return fake_int4(strcmp(name, "xmin") == 0 ? tuple->xmin : 10000 + own->number);
    *sql += strspn(*sql, ":_abcdefghijklmnopqrstuvwxyz.[]");
    datum = &tuple->values[fake_place(own, name)];
    return datum->data ? fake_bytes(datum->data, datum->size) : fake_null();
}

/* The cells of one row: a value for each paos.pack. */
static size_t select_row(const fake_sent *sent, const fake_relation *own, const fake_tuple *tuple,
                         fake_cell *packs)
{
    const char *sql = sent->sql + strlen("SELECT ");
    fake_cell cells[2 + FAKE_COLUMNS];
    unsigned table;
    size_t n = 0;
    int length;

    while (sscanf(sql, "paos.pack(%u::pg_catalog.regclass%n", &table, &length) == 1)
    {
        size_t width = 0;

        for (sql += length; *sql == ',';)
            cells[width++] = take_item(&sql, own, tuple);
        packs[n++] = fake_pack_of(fake_shape(fake_relation_of(table - 10000)), cells, width);
        sql += strncmp(sql, "), ", 3) == 0 ? 3 : 0;
    }
    assert_int_equal(strncmp(sql, ") FROM ", 7), 0);
    return n;
}

/* A column may have been dropped since the client looked. */
static bool has_columns(const fake_relation *relation, const char *sql)
{
    char name[64];
    size_t i;

    while ((sql = strstr(sql, "o$.\"")) != NULL)
    {
        assert_int_equal(sscanf(sql, "o$.\"%63[^\"]\"", name), 1);
        for (i = 0; i < relation->width && strcmp(relation->columns[i].name, name) != 0;)
            i++;
        if (i == relation->width)
            return false;
        sql++;
    }
    return true;
}

void fake_rows_select(const fake_sent *sent, fake_table *out, void *arg)
{
    const fake_relation *asked = relation_in(sent->sql, " FROM ");
    fake_cell packs[4];
    unsigned number;
    size_t i, n;

    (void) arg;
    if (!has_columns(asked, sent->sql))
    {
        fake_table_error(out, "42703", "column does not exist", "", "");
        return;
    }
    for (number = 1; number <= FAKE_CLASSES; number++)
    {
        const fake_relation *own = &fake_relations[number - 1];
        const fake_rows *rows = fake_visible(number);

        for (i = 0; own->number && fake_descends(own, asked->number) && i < rows->size; i++)
        {
            if (!is_asked_for(sent, fake_datum_int(&rows->tuples[i].values[0])))
                continue;
            for (n = select_row(sent, own, &rows->tuples[i], packs); out->width < n;)
                fake_table_column(out, "pack", fake_type("bytea"));
            fake_table_row(out, packs);
        }
    }
}

void fake_rows_look(const fake_sent *sent, fake_table *out, void *arg)
{
    const fake_relation *asked = relation_in(sent->sql, " FROM ");
    unsigned number;
    size_t i;

    (void) arg;
    fake_table_columns(out, "key int8, xmin int4");
    for (number = 1; number <= FAKE_CLASSES; number++)
    {
        const fake_relation *own = &fake_relations[number - 1];
        const fake_rows *rows = fake_visible(number);

        for (i = 0; own->number && fake_descends(own, asked->number) && i < rows->size; i++)
        {
            int64_t key = fake_datum_int(&rows->tuples[i].values[0]);

            if (is_asked_for(sent, key))
                fake_table_row(
                    out, (const fake_cell[]){fake_int8(key), fake_int4(rows->tuples[i].xmin)});
        }
    }
}

/* ---- rows for paos.rows ---- */

typedef struct reader
{
    const unsigned char *next, *end;
    size_t columns[FAKE_COLUMNS]; /* places of the attributes after key and version */
    size_t width;
    bool versions;
    fake_relation *relation;
} reader;

/* The column definition list: v (k int8[, x xid], c3 text, ...). */
static reader read_definition(const fake_sent *sent, fake_relation *relation)
{
    reader r = {.relation = relation};
    const char *place = strstr(sent->sql, " paos.rows($1) AS v (k pg_catalog.int8");
    unsigned column;

    assert_non_null(place);
    assert_int_equal(sent->count, 1);
    assert_int_equal(sent->parameters[0].type, fake_type("bytea"));
    r.versions = strstr(place, ", x pg_catalog.xid") != NULL;
    while ((place = strstr(place, ", c")) != NULL)
    {
        assert_int_equal(sscanf(place, ", c%u ", &column), 1);
        assert_true(column < relation->width && r.width < FAKE_COLUMNS);
        r.columns[r.width++] = column;
        place++;
    }
    r.next = sent->parameters[0].data;
    r.end = r.next + sent->parameters[0].size;
    return r;
}

static uint32_t take32(reader *r)
{
    assert_true(r->end - r->next >= 4);
    r->next += 4;
    return paosi_read32(r->next - 4);
}

/* The bytes of a value; NULL: null. */
static const unsigned char *take(reader *r, size_t *size)
{
    const unsigned char *data = r->next + 4;
    uint32_t length = take32(r);

    *size = length == UINT32_MAX ? 0 : length;
    assert_true((size_t) (r->end - r->next) >= *size);
    r->next += *size;
    return length == UINT32_MAX ? NULL : data;
}

static int64_t take_key(reader *r)
{
    size_t size;
    const unsigned char *data = take(r, &size);

    assert_non_null(data);
    assert_int_equal(size, 8);
    return (int64_t) paosi_read64(data);
}

/* Texts have no zero byte, not even the one that the client keeps behind them. */
static void check_text(const fake_attribute *column, const unsigned char *data, size_t size)
{
    if (data && (column->oid == fake_type("text") || column->oid == fake_type("varchar")))
        assert_null(memchr(data, 0, size));
}

/* Keys travel as int8 whatever the column's width. */
static void store(reader *r, fake_tuple *tuple, size_t column)
{
    size_t size;
    const unsigned char *data = take(r, &size);

    if (data && size == 8 && r->relation->columns[column].oid == fake_type("int4"))
    {
        data += 4;
        size = 4;
    }
    check_text(&r->relation->columns[column], data, size);
    fake_datum_set(&tuple->values[column], data, size);
}

static void store_all(reader *r, fake_tuple *tuple)
{
    size_t i;

    tuple->xmin = fake_xid();
    for (i = 0; i < r->width; i++)
        store(r, tuple, r->columns[i]);
}

static void skip_all(reader *r)
{
    size_t i = r->width;
    size_t size;

    while (i-- > 0)
        take(r, &size);
}

/* ---- INSERT, UPDATE, DELETE ---- */

void fake_rows_insert(const fake_sent *sent, fake_table *out, void *arg)
{
    reader r = read_definition(sent, relation_in(sent->sql, "INSERT INTO "));
    uint32_t left;

    (void) out, (void) arg;
    assert_false(r.versions);
    for (left = take32(&r); left > 0; left--)
    {
        const fake_cell key = fake_int8(take_key(&r));
        size_t narrow = r.relation->columns[0].oid == fake_type("int4") ? 4 : 0;
        fake_tuple *tuple = fake_rows_add(fake_visible(r.relation->number));

        fake_datum_set(&tuple->values[0], key.bytes + narrow, 8 - narrow);
        store_all(&r, tuple);
    }
    assert_ptr_equal(r.next, r.end);
}

/* Does the statement write just the rows whose key and version it was given? */
static void check_condition(const fake_sent *sent, const reader *r)
{
    char condition[256];

    assert_true(r->versions);
    snprintf(condition, sizeof condition,
             " WHERE o$.\"%s\" OPERATOR(pg_catalog.=) v.k"
             " AND o$.xmin OPERATOR(pg_catalog.=) v.x RETURNING v.k",
             r->relation->columns[0].name);
    assert_non_null(strstr(sent->sql, condition));
}

/* The row of this key and version in this very table. */
static fake_tuple *take_target(reader *r, int64_t *key)
{
    fake_rows *rows = fake_visible(r->relation->number);
    const unsigned char *version;
    fake_tuple *tuple;
    size_t size;

    *key = take_key(r);
    version = take(r, &size);
    assert_non_null(version);
    assert_int_equal(size, 4);
    tuple = fake_rows_find(rows, *key);
    return tuple && tuple->xmin == paosi_read32(version) ? tuple : NULL;
}

void fake_rows_update(const fake_sent *sent, fake_table *out, void *arg)
{
    reader r = read_definition(sent, relation_in(sent->sql, "UPDATE "));
    uint32_t left;

    (void) arg;
    check_condition(sent, &r);
    fake_table_columns(out, "k int8");
    for (left = take32(&r); left > 0; left--)
    {
        int64_t key;
        fake_tuple *tuple = take_target(&r, &key);

        if (!tuple)
        {
            skip_all(&r);
            continue;
        }
        store_all(&r, tuple);
        fake_table_row(out, (const fake_cell[]){fake_int8(key)});
    }
    assert_ptr_equal(r.next, r.end);
}

void fake_rows_delete(const fake_sent *sent, fake_table *out, void *arg)
{
    reader r = read_definition(sent, relation_in(sent->sql, "DELETE FROM "));
    fake_rows *rows = fake_visible(r.relation->number);
    uint32_t left;

    (void) arg;
    check_condition(sent, &r);
    fake_table_columns(out, "k int8");
    for (left = take32(&r); left > 0; left--)
    {
        int64_t key;
        fake_tuple *tuple = take_target(&r, &key);

        skip_all(&r);
        if (!tuple)
            continue;
        fake_rows_drop(rows, (size_t) (tuple - rows->tuples));
        fake_table_row(out, (const fake_cell[]){fake_int8(key)});
    }
    assert_ptr_equal(r.next, r.end);
}

/* ---- paos.copy ---- */

static void copy_row(reader *r, paosi_cell names)
{
    fake_tuple *tuple = fake_rows_add(fake_visible(r->relation->number));
    paosi_elements elements = paosi_array_begin(names);
    int width = paosi_read16(r->next);

    r->next += 2;
    tuple->xmin = fake_xid();
    for (; width > 0; width--)
    {
        char name[64];
        size_t place, size;
        const unsigned char *data;

        assert_true(paosi_array_next(&elements, &names));
        snprintf(name, sizeof name, "%.*s", (int) names.size, (const char *) names.data);
        place = fake_place(r->relation, name);
        data = take(r, &size);
        /* Here nothing is converted. */
        assert_true(!data || r->relation->columns[place].oid != fake_type("int4") || size == 4);
        assert_true(!data || r->relation->columns[place].oid != fake_type("int8") || size == 8);
        check_text(&r->relation->columns[place], data, size);
        fake_datum_set(&tuple->values[place], data, size);
    }
    assert_false(paosi_array_next(&elements, &names));
}

void fake_rows_copy_in(const fake_sent *sent, fake_table *out, void *arg)
{
    static const char header[19] = "PGCOPY\n\377\r\n";
    const paosi_parameter *p = sent->parameters;
    paosi_cell names = {PAOSI_VALUE, p[1].data, p[1].size};
    reader r = {.next = p[2].data};

    (void) arg;
    assert_string_equal(sent->sql, "SELECT paos.copy($1::pg_catalog.regclass, $2, $3)");
    assert_int_equal(p[1].type, fake_type("text[]"));
    r.relation = fake_relation_of(paosi_read32(p[0].data) - 10000);
    r.end = r.next + p[2].size;
    assert_true(r.end - r.next >= 21);
    assert_memory_equal(r.next, header, sizeof header);
    for (r.next += sizeof header; paosi_read16(r.next) != UINT16_MAX;)
        copy_row(&r, names);
    assert_ptr_equal(r.next + 2, r.end);
    fake_table_columns(out, "copy int8");
    fake_table_row(out, (const fake_cell[]){fake_int8(1)});
}
