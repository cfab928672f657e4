/*
 * bytes.h - allocations, buffers and bytes in network order.
 *
 * A buffer that failed to grow ignores what is added: whoever builds something
 * in one asks `failed` once, before using it.
 */
#ifndef PAOSI_BYTES_H
#define PAOSI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- alloc.c: all memory, so that tests can make any allocation fail ---- */

extern bool (*paosi_alloc_fails)(void);
void *paosi_malloc(size_t size);
void *paosi_calloc(size_t n, size_t size);
/* Zeroed, and begins a line of the processor's cache. */
void *paosi_calloc_lines(size_t size);
void *paosi_realloc(void *old, size_t size);
/* Makes an array larger, of items of a size; items is where the pointer to it is. */
bool paosi_grow(void *items, size_t item_size, size_t *capacity);
char *paosi_strdup(const char *text);
void paosi_free(void *memory);

/* Is there room for one more item after the first `size`, or can it be made? */
static inline bool paosi_room(void *items, size_t item_size, size_t size, size_t *capacity)
{
    return size < *capacity || paosi_grow(items, item_size, capacity);
}

/* ---- buffer.c: bytes that grow; a failed allocation sticks in `failed` ---- */

typedef struct paosi_buffer
{
    char *data;
    size_t size, capacity;
    bool failed;
} paosi_buffer;

/* Makes room for more bytes and returns where they go; NULL: failed. */
char *paosi_buffer_room(paosi_buffer *buffer, size_t more);
void paosi_buffer_text(paosi_buffer *buffer, const char *text);
void paosi_buffer_format(paosi_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A name as SQL writes it: in double quotes. */
void paosi_buffer_name(paosi_buffer *buffer, const char *name);
/* Empties it, and gives memory back when there is much. */
void paosi_buffer_reset(paosi_buffer *buffer);
void paosi_buffer_free(paosi_buffer *buffer);

/* ---- bytes in network order ---- */

static inline uint16_t paosi_read16(const unsigned char *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t paosi_read32(const unsigned char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* In one expression, which compilers know to be one load. */
static inline uint64_t paosi_read64(const unsigned char *p)
{
    return (uint64_t) p[0] << 56 | (uint64_t) p[1] << 48 | (uint64_t) p[2] << 40 |
           (uint64_t) p[3] << 32 | (uint64_t) p[4] << 24 | (uint64_t) p[5] << 16 |
           (uint64_t) p[6] << 8 | p[7];
}

static inline void paosi_write32(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char) (value >> 24);
    p[1] = (unsigned char) (value >> 16);
    p[2] = (unsigned char) (value >> 8);
    p[3] = (unsigned char) value;
}

static inline void paosi_write64(unsigned char *p, uint64_t value)
{
    paosi_write32(p, (uint32_t) (value >> 32));
    paosi_write32(p + 4, (uint32_t) value);
}

/* Additions to a buffer are most of what a commit and a get do: no call while there is room. */
static inline char *paosi_buffer_next(paosi_buffer *buffer, size_t size)
{
    char *room;

    if (buffer->failed || buffer->capacity - buffer->size < size)
        room = paosi_buffer_room(buffer, size);
    else
        room = buffer->data + buffer->size;
    if (room)
        buffer->size += size;
    return room;
}

static inline void paosi_buffer_add(paosi_buffer *buffer, const void *data, size_t size)
{
    char *room = size ? paosi_buffer_next(buffer, size) : NULL;

    if (room)
        memcpy(room, data, size);
}

static inline void paosi_buffer_add16(paosi_buffer *buffer, uint16_t value)
{
    char *room = paosi_buffer_next(buffer, 2);

    if (!room)
        return;
    room[0] = (char) (value >> 8);
    room[1] = (char) value;
}

static inline void paosi_buffer_add32(paosi_buffer *buffer, uint32_t value)
{
    char *room = paosi_buffer_next(buffer, 4);

    if (room)
        paosi_write32((unsigned char *) room, value);
}

static inline void paosi_buffer_add64(paosi_buffer *buffer, uint64_t value)
{
    char *room = paosi_buffer_next(buffer, 8);

    if (room)
        paosi_write64((unsigned char *) room, value);
}

#endif
