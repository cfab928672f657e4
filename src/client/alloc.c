/*
 * alloc.c - all memory of the client.
 *
 * Out of memory is a status, never an abort, so every caller checks.  A test
 * sets paosi_alloc_fails to make any single allocation fail; memory that libpq
 * takes for itself is not seen here.
 */
#include "paos_int.h"

#include <stdlib.h>

bool (*paosi_alloc_fails)(void) = NULL;

static bool fails(void)
{
    return paosi_alloc_fails && paosi_alloc_fails();
}

void *paosi_malloc(size_t size)
{
    return fails() ? NULL : malloc(size ? size : 1);
}

void *paosi_calloc(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *paosi_calloc_lines(size_t size)
{
    void *memory = fails() ? NULL : aligned_alloc(64, (size + 63) / 64 * 64);

    return memory ? memset(memory, 0, size) : NULL;
}

void *paosi_realloc(void *old, size_t size)
{
    return fails() ? NULL : realloc(old, size ? size : 1);
}

bool paosi_grow(void *items, size_t item_size, size_t *capacity)
{
    size_t more = *capacity ? 2 * *capacity : 16;
    void *old;
    void *grown;

    /* A pointer of whatever type may be copied as bytes, but not be read as a void pointer. */
    memcpy(&old, items, sizeof old);
    grown = paosi_realloc(old, more * item_size);
    if (!grown)
        return false;
    memcpy(items, &grown, sizeof grown);
    *capacity = more;
    return true;
}

char *paosi_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = paosi_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void paosi_free(void *memory)
{
    free(memory);
}
