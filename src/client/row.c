/*
 * row.c - makes rows as they are kept: see paosi_row_cell for their layout.
 *
 * A row is built in the connection's two buffers and then copied: to the room in its
 * object when it is small, else to memory of just its size.  A failed addition shows
 * only in paosi_row_finish.
 */
#include "paos_int.h"

void paosi_row_begin(paos_conn *conn)
{
    paosi_buffer_reset(&conn->cells);
    paosi_buffer_reset(&conn->offsets);
}

void *paosi_row_finish(paos_conn *conn, const paos_object *object, uint32_t *flags)
{
    size_t end = conn->cells.size;
    bool narrow = end < PAOSI_NARROW_UNLOADED;
    const uint32_t *offsets;
    size_t count, size, i;
    char *row;

    paosi_row_next(conn, PAOSI_VALUE);
    if (conn->cells.failed || conn->offsets.failed || end >= PAOSI_WIDE_UNLOADED)
        return NULL;
    count = conn->offsets.size / sizeof *offsets;
    size = count * (narrow ? sizeof(uint16_t) : sizeof(uint32_t));
    row = object ? paosi_slots_room(object, size + end) : NULL;
    if (!row)
        row = paosi_malloc(size + end);
    if (!row)
        return NULL;
    offsets = (const uint32_t *) (const void *) conn->offsets.data;
    *flags = narrow ? PAOSI_NARROW : 0;
    for (i = 0; i < count; i++)
    {
        if (offsets[i] == PAOSI_WIDE_UNLOADED)
            *flags |= PAOSI_PARTIAL;
        /* The low half of a state's number is the narrow state. */
        if (narrow)
            ((uint16_t *) (void *) row)[i] = (uint16_t) offsets[i];
        else
            ((uint32_t *) (void *) row)[i] = offsets[i];
    }
    if (end)
        memcpy(row + size, conn->cells.data, end);
    return row;
}
