/*
 * fake_result.h - results of statements, made by hand.
 *
 * A fake_table is what a test describes: columns, rows, or an error.  Each
 * paosi_result is a deep copy of one, every value in an allocation of its own
 * with just the zero byte after it, so that a sanitizer sees both a read past
 * a value and one after its result was freed.
 */
#ifndef FAKE_RESULT_H
#define FAKE_RESULT_H

#include "fake_alloc.h"
#include "paos_int.h"

/* Oids that the fake server gives to the extension's types. */
#define FAKE_REF 90001
#define FAKE_REFS 90002

typedef struct fake_cell
{
    bool null;
    unsigned char bytes[16]; /* the value, when data is NULL */
    void *data;              /* freed by whoever takes the cell */
    size_t size;
} fake_cell;

fake_cell fake_null(void);
fake_cell fake_bool(bool value);
fake_cell fake_int2(int value);
fake_cell fake_int4(int64_t value);
fake_cell fake_int8(int64_t value);
fake_cell fake_float4(float value);
fake_cell fake_float8(double value);
fake_cell fake_text(const char *text);
fake_cell fake_bytes(const void *data, size_t size);
/* A one-dimensional array in binary send format. */
fake_cell fake_array_of(uint32_t type, const fake_cell *items, size_t n);
#define fake_array(type, ...)                             \
    fake_array_of(type, (const fake_cell[]){__VA_ARGS__}, \
                  sizeof((fake_cell[]){__VA_ARGS__}) / sizeof(fake_cell))
/* Values as paos.pack makes one of them; shape is the number of their class's columns. */
fake_cell fake_pack_of(uint32_t shape, const fake_cell *items, size_t n);
#define fake_pack(shape, ...)                             \
    fake_pack_of(shape, (const fake_cell[]){__VA_ARGS__}, \
                 sizeof((fake_cell[]){__VA_ARGS__}) / sizeof(fake_cell))
void fake_cell_free(fake_cell cell);

typedef struct fake_column
{
    char *name;
    uint32_t type;
} fake_column;

typedef struct fake_datum
{
    unsigned char *data; /* NULL: null */
    size_t size;
} fake_datum;

typedef struct fake_table
{
    fake_column *columns;
    size_t width;
    fake_datum *data; /* row by row */
    size_t rows;
    paosi_outcome outcome;
    char *error[4]; /* sqlstate, message, detail, hint */
    int position;
} fake_table;

/* The oid of a built-in type, or of ref and ref[]; an unknown name fails the test. */
uint32_t fake_type(const char *name);

/* Adds columns: "id int8, name text". */
void fake_table_columns(fake_table *table, const char *columns);
void fake_table_column(fake_table *table, const char *name, uint32_t type);
/* Adds a row of as many cells as there are columns. */
void fake_table_row(fake_table *table, const fake_cell *cells);
/* Rows that it has come before the error, to who takes them as they come. */
void fake_table_error(fake_table *table, const char *sqlstate, const char *message,
                      const char *detail, const char *hint);
void fake_table_clear(fake_table *table);

paosi_result *fake_result_new(const fake_table *table);
paosi_result *fake_result_skipped(void);
/* One row of a result, and what is left when all its rows were taken. */
paosi_result *fake_result_row(const paosi_result *result, size_t row);
paosi_result *fake_result_end(const paosi_result *result);

#endif
