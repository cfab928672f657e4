/*
 * memory.c - memory, without which this command has nothing left to do.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

void *memory_grow(void *old, size_t size)
{
    void *new = realloc(old, size ? size : 1);

    if (new)
        return new;
    failure_say("out of memory");
    exit(STATUS_FAILED);
}

char *memory_copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_grow(NULL, size), text, size);
}
