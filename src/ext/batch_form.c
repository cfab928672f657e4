/*
 * batch_form.c - COPY's binary format: are bytes rows of it, and where are their values?
 *
 * The bytes come from outside.  All lengths are checked once, before the first value
 * is read; whoever reads then need not.  Nothing here knows of tables or allocates.
 */
#include "batch_form.h"

#include "port/pg_bswap.h"

#define HEADER_SIZE 19

static const char header[HEADER_SIZE] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";

static uint16 Read16(const char *p)
{
    uint16 value;

    memcpy(&value, p, sizeof(value));
    return pg_ntoh16(value);
}

static int32 Read32(const char *p)
{
    uint32 value;

    memcpy(&value, p, sizeof(value));
    return (int32) pg_ntoh32(value);
}

/* Rows of so many columns, ending where the data does. */
static bool IsWellFormed(const char *data, size_t size, int width)
{
    const char *end = data + size;
    const char *p = data + HEADER_SIZE;
    int i;

    if (size < HEADER_SIZE + 2 || memcmp(data, header, HEADER_SIZE) != 0)
        return false;
    while (end - p > 2 && Read16(p) == width)
    {
        for (p += 2, i = 0; i < width; i++)
        {
            int32 length = end - p < 4 ? -2 : Read32(p);

            if (length < -1 || length > end - p - 4)
                return false;
            p += 4 + Max(length, 0);
        }
    }
    return end - p == 2 && Read16(p) == PG_UINT16_MAX;
}

bool PaosBatchFormOpen(PaosBatchForm *form, const char *data, size_t size, int width)
{
    if (!IsWellFormed(data, size, width))
        return false;
    form->next = data + HEADER_SIZE;
    form->width = width;
    return true;
}

bool PaosBatchFormRow(PaosBatchForm *form)
{
    if (Read16(form->next) != form->width)
        return false;
    form->next += 2;
    return true;
}

const char *PaosBatchFormValue(PaosBatchForm *form, int *length)
{
    const char *value = form->next + 4;

    *length = Read32(form->next);
    form->next = value + Max(*length, 0);
    return *length < 0 ? NULL : value;
}
