/*
 * buffer.c - bytes that grow: statements, rows for the server, texts.
 *
 * Nothing here reports an error: a failed allocation is remembered in `failed`
 * and all later additions are ignored, so that a caller builds a whole
 * statement and asks once, before it uses the data.
 */
#include "paos_int.h"

#include <stdarg.h>
#include <stdio.h>

/* What a buffer may keep when it is reset: one huge value should not pin its size. */
#define KEEP ((size_t) 1 << 20)

char *paosi_buffer_room(paosi_buffer *buffer, size_t more)
{
    size_t need = buffer->size + more;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    char *data;

    if (buffer->failed)
        return NULL;
    if (need >= more && need <= buffer->capacity)
        return buffer->data + buffer->size;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    data = need < more ? NULL : paosi_realloc(buffer->data, capacity);
    if (!data)
    {
        buffer->failed = true;
        return NULL;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return data + buffer->size;
}

void paosi_buffer_text(paosi_buffer *buffer, const char *text)
{
    paosi_buffer_add(buffer, text, strlen(text));
}

void paosi_buffer_format(paosi_buffer *buffer, const char *format, ...)
{
    va_list args;
    char *room;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    room = paosi_buffer_room(buffer, (size_t) size + 1);
    if (!room)
        return;
    va_start(args, format);
    vsnprintf(room, (size_t) size + 1, format, args);
    va_end(args);
    buffer->size += (size_t) size;
}

void paosi_buffer_name(paosi_buffer *buffer, const char *name)
{
    const char *p;

    paosi_buffer_add(buffer, "\"", 1);
    for (p = name; *p; p++)
    {
        if (*p == '"')
            paosi_buffer_add(buffer, p, 1);
        paosi_buffer_add(buffer, p, 1);
    }
    paosi_buffer_add(buffer, "\"", 1);
}

void paosi_buffer_reset(paosi_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->capacity > KEEP)
        paosi_buffer_free(buffer);
}

void paosi_buffer_free(paosi_buffer *buffer)
{
    paosi_free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}
