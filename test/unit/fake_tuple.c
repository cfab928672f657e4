/*
 * fake_tuple.c - values and rows as the fake database keeps them.
 *
 * Each value is an allocation of its own with a zero byte behind it, NULL being
 * SQL's null.  A row has its key first.
 */
#include "fake_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void fake_datum_set(fake_datum *datum, const void *data, size_t size)
{
    unsigned char *copy = NULL;

    if (data)
    {
        copy = fake_must(malloc(size + 1));
        memcpy(copy, data, size);
        copy[size] = 0;
    }
    free(datum->data);
    datum->data = copy;
    datum->size = data ? size : 0;
}

int64_t fake_datum_int(const fake_datum *datum)
{
    switch (datum->data ? datum->size : 0)
    {
        case 1:
            return datum->data[0];
        case 2:
            return (int16_t) paosi_read16(datum->data);
        case 4:
            return (int32_t) paosi_read32(datum->data);
        case 8:
            return (int64_t) paosi_read64(datum->data);
        default:
            fail_msg("no integer of %zu bytes", datum->size);
            return 0;
    }
}

fake_tuple *fake_rows_add(fake_rows *rows)
{
    rows->tuples = fake_must(realloc(rows->tuples, (rows->size + 1) * sizeof *rows->tuples));
    return memset(&rows->tuples[rows->size++], 0, sizeof *rows->tuples);
}

void fake_rows_drop(fake_rows *rows, size_t i)
{
    size_t column;

    for (column = 0; column < FAKE_COLUMNS; column++)
        free(rows->tuples[i].values[column].data);
    rows->size--;
    memmove(&rows->tuples[i], &rows->tuples[i + 1], (rows->size - i) * sizeof *rows->tuples);
}

fake_tuple *fake_rows_find(const fake_rows *rows, int64_t key)
{
    size_t i;

    for (i = 0; i < rows->size; i++)
        if (fake_datum_int(&rows->tuples[i].values[0]) == key)
            return &rows->tuples[i];
    return NULL;
}

void fake_rows_copy(fake_rows *to, const fake_rows *from)
{
    size_t i, column;

    for (i = 0; i < from->size; i++)
    {
        fake_tuple *tuple = fake_rows_add(to);

        tuple->xmin = from->tuples[i].xmin;
        for (column = 0; column < FAKE_COLUMNS; column++)
            fake_datum_set(&tuple->values[column], from->tuples[i].values[column].data,
                           from->tuples[i].values[column].size);
    }
}

void fake_rows_clear(fake_rows *rows)
{
    while (rows->size > 0)
        fake_rows_drop(rows, rows->size - 1);
    free(rows->tuples);
    rows->tuples = NULL;
}
