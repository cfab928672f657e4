/*
 * fake_result.c - results of statements, made by hand.
 *
 * Memory is malloc's own: what a test builds must not count as an allocation of
 * the client, and must not fail with it.
 */
#include "fake_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct paosi_result
{
    fake_table table;
};

/* ---- memory that does not fail ---- */

static void *copy_bytes(const void *data, size_t size)
{
    unsigned char *copy = fake_must(malloc(size + 1));

    if (size)
        memcpy(copy, data, size);
    copy[size] = 0;
    return copy;
}

/* ---- cells ---- */

static fake_cell cell_number(uint64_t value, size_t size)
{
    fake_cell cell = {.size = size};
    size_t i;

    for (i = 0; i < size; i++)
        cell.bytes[i] = (unsigned char) (value >> 8 * (size - 1 - i));
    return cell;
}

fake_cell fake_null(void)
{
    return (fake_cell){.null = true};
}

fake_cell fake_bool(bool value)
{
    return cell_number(value, 1);
}

fake_cell fake_int2(int value)
{
    return cell_number((uint64_t) value, 2);
}

fake_cell fake_int4(int64_t value)
{
    return cell_number((uint64_t) value, 4);
}

fake_cell fake_int8(int64_t value)
{
    return cell_number((uint64_t) value, 8);
}

fake_cell fake_float4(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return cell_number(bits, 4);
}

fake_cell fake_float8(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return cell_number(bits, 8);
}

fake_cell fake_bytes(const void *data, size_t size)
{
    return (fake_cell){.data = copy_bytes(data, size), .size = size};
}

fake_cell fake_text(const char *text)
{
    return text ? fake_bytes(text, strlen(text)) : fake_null();
}

static const unsigned char *cell_data(const fake_cell *cell)
{
    return cell->data ? cell->data : cell->bytes;
}

/* Each with its size before it, after the head. */
static fake_cell pack(const uint32_t *head, size_t size, const fake_cell *items, size_t n)
{
    fake_cell cell = {.size = 4 * size};
    unsigned char *data;
    size_t i;

    for (i = 0; i < n; i++)
        cell.size += 4 + items[i].size;
    cell.data = data = fake_must(malloc(cell.size));
    for (i = 0; i < size; i++, data += 4)
        paosi_write32(data, head[i]);
    for (i = 0; i < n; i++)
    {
        paosi_write32(data, items[i].null ? UINT32_MAX : (uint32_t) items[i].size);
        memcpy(data + 4, cell_data(&items[i]), items[i].size);
        data += 4 + items[i].size;
        fake_cell_free(items[i]);
    }
    return cell;
}

fake_cell fake_array_of(uint32_t type, const fake_cell *items, size_t n)
{
    const uint32_t head[] = {n ? 1 : 0, 0, type, (uint32_t) n, 1};

    return pack(head, n ? 5 : 3, items, n);
}

fake_cell fake_pack_of(uint32_t shape, const fake_cell *items, size_t n)
{
    return pack(&shape, 1, items, n);
}

void fake_cell_free(fake_cell cell)
{
    free(cell.data);
}

/* ---- tables ---- */

uint32_t fake_type(const char *name)
{
    static const struct
    {
        const char *name;
        uint32_t oid;
    } types[] = {
        {"bool", 16},      {"bytea", 17},         {"name", 19},         {"int8", 20},
        {"int2", 21},      {"int4", 23},          {"text", 25},         {"oid", 26},
        {"xid", 28},       {"json", 114},         {"point", 600},       {"float4", 700},
        {"float8", 701},   {"int4[]", 1007},      {"text[]", 1009},     {"int8[]", 1016},
        {"bpchar", 1042},  {"varchar", 1043},     {"date", 1082},       {"timestamp", 1114},
        {"numeric", 1700}, {"timestamptz", 1184}, {"numeric[]", 1231},  {"uuid", 2950},
        {"jsonb", 3802},   {"ref", FAKE_REF},     {"ref[]", FAKE_REFS},
    };
    size_t i;

    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].oid;
    fail_msg("the fake server has no type %s", name);
    return 0;
}

void fake_table_column(fake_table *table, const char *name, uint32_t type)
{
    fake_column column = {copy_bytes(name, strlen(name)), type};

    table->columns = fake_must(realloc(table->columns, (table->width + 1) * sizeof column));
    table->columns[table->width++] = column;
}

void fake_table_columns(fake_table *table, const char *columns)
{
    char name[64], type[32];
    int length;

    for (; sscanf(columns, " %63s %31[^,]%n", name, type, &length) == 2; columns += length)
    {
        fake_table_column(table, name, fake_type(type));
        length += columns[length] == ',';
    }
}

void fake_table_row(fake_table *table, const fake_cell *cells)
{
    size_t first = table->rows * table->width;
    size_t i;

    table->rows++;
    table->data = fake_must(realloc(table->data, (first + table->width + 1) * sizeof *table->data));
    for (i = 0; i < table->width; i++)
    {
        fake_datum *datum = &table->data[first + i];

        datum->size = cells[i].null ? 0 : cells[i].size;
        datum->data = cells[i].null ? NULL : copy_bytes(cell_data(&cells[i]), cells[i].size);
        fake_cell_free(cells[i]);
    }
}

void fake_table_error(fake_table *table, const char *sqlstate, const char *message,
                      const char *detail, const char *hint)
{
    const char *const texts[] = {sqlstate, message, detail, hint};
    size_t i;

    table->outcome = PAOSI_FAILED;
    for (i = 0; i < 4; i++)
        free(table->error[i]);
    for (i = 0; i < 4; i++)
        table->error[i] = copy_bytes(texts[i], strlen(texts[i]));
}

void fake_table_clear(fake_table *table)
{
    size_t i;

    for (i = 0; i < table->rows * table->width; i++)
        free(table->data[i].data);
    for (i = 0; i < table->width; i++)
        free(table->columns[i].name);
    for (i = 0; i < 4; i++)
        free(table->error[i]);
    free(table->data);
    free(table->columns);
    memset(table, 0, sizeof *table);
}

/* ---- results, as pgio.h has them ---- */

paosi_result *fake_result_new(const fake_table *table)
{
    paosi_result *result = fake_must(calloc(1, sizeof *result));
    fake_table *copy = &result->table;
    size_t i;

    for (i = 0; i < table->width; i++)
        fake_table_column(copy, table->columns[i].name, table->columns[i].type);
    copy->rows = table->rows;
    copy->outcome = table->outcome;
    copy->position = table->position;
    copy->data = fake_must(calloc(table->rows * table->width + 1, sizeof *copy->data));
    for (i = 0; i < table->rows * table->width; i++)
    {
        copy->data[i].size = table->data[i].size;
        if (table->data[i].data)
            copy->data[i].data = copy_bytes(table->data[i].data, table->data[i].size);
    }
    for (i = 0; i < 4 && table->error[i]; i++)
        copy->error[i] = copy_bytes(table->error[i], strlen(table->error[i]));
    return result;
}

paosi_result *fake_result_skipped(void)
{
    return fake_result_new(&(fake_table){.outcome = PAOSI_SKIPPED});
}

paosi_result *fake_result_row(const paosi_result *result, size_t row)
{
    fake_table part = result->table;

    part.data += row * part.width;
    part.rows = 1;
    return fake_result_new(&part);
}

paosi_result *fake_result_end(const paosi_result *result)
{
    fake_table part = result->table;

    part.rows = 0;
    return fake_result_new(&part);
}

paosi_outcome paosi_result_outcome(const paosi_result *result)
{
    return result->table.outcome;
}

static const char *error_text(const paosi_result *result, size_t i)
{
    return result->table.error[i] ? result->table.error[i] : "";
}

const char *paosi_result_sqlstate(const paosi_result *result)
{
    return error_text(result, 0);
}

const char *paosi_result_message(const paosi_result *result)
{
    return error_text(result, 1);
}

const char *paosi_result_detail(const paosi_result *result)
{
    return error_text(result, 2);
}

const char *paosi_result_hint(const paosi_result *result)
{
    return error_text(result, 3);
}

int paosi_result_position(const paosi_result *result)
{
    return result->table.position;
}

size_t paosi_result_rows(const paosi_result *result)
{
    return result->table.rows;
}

size_t paosi_result_columns(const paosi_result *result)
{
    return result->table.width;
}

const unsigned char *paosi_result_value(const paosi_result *result, size_t row, size_t column,
                                        size_t *size)
{
    const fake_datum *datum;

    assert_true(row < result->table.rows && column < result->table.width);
    datum = &result->table.data[row * result->table.width + column];
    *size = datum->size;
    return datum->data;
}

void paosi_result_free(paosi_result *result)
{
    if (!result)
        return;
    fake_table_clear(&result->table);
    free(result);
}
