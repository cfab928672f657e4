/*
 * seen.c - the attributes that were last shown of each object.
 *
 * libpaos shows an object's newest state only; people want to see what it was.
 * A hash table with open addressing; an entry that is forgotten keeps its place,
 * for an object that has left often comes back.
 */
#include "cli.h"

#include <stdlib.h>

typedef struct entry
{
    paos_id id; /* 0: free */
    char **attributes;
} entry;

struct seen
{
    entry *entries;
    size_t size, used; /* size is a power of two */
    int attributes;
};

seen *seen_new(int attributes)
{
    seen *seen = memory_grow(NULL, sizeof *seen);

    *seen = (struct seen){.attributes = attributes};
    return seen;
}

static entry *place(const seen *seen, paos_id id)
{
    size_t at = (size_t) (id * 0x9e3779b97f4a7c15u >> 20) & (seen->size - 1);

    while (seen->entries[at].id != 0 && seen->entries[at].id != id)
        at = (at + 1) & (seen->size - 1);
    return &seen->entries[at];
}

static void enlarge(seen *seen)
{
    struct seen old = *seen;

    seen->size = old.size ? 2 * old.size : 64;
    seen->entries = memory_grow(NULL, seen->size * sizeof *seen->entries);
    for (size_t i = 0; i < seen->size; i++)
        seen->entries[i] = (entry){0, NULL};
    for (size_t i = 0; i < old.size; i++)
        if (old.entries[i].id != 0)
            *place(seen, old.entries[i].id) = old.entries[i];
    free(old.entries);
}

static void drop_attributes(const seen *seen, entry *entry)
{
    for (int i = 0; entry->attributes && i < seen->attributes; i++)
        free(entry->attributes[i]);
    free(entry->attributes);
    entry->attributes = NULL;
}

char **seen_find(const seen *seen, paos_id id)
{
    return seen->size > 0 ? place(seen, id)->attributes : NULL;
}

void seen_put(seen *seen, paos_id id, char **attributes)
{
    entry *entry;

    if (2 * seen->used >= seen->size)
        enlarge(seen);
    entry = place(seen, id);
    if (entry->id == 0)
        seen->used++;
    drop_attributes(seen, entry);
    entry->id = id;
    entry->attributes = attributes;
}

void seen_forget(seen *seen, paos_id id)
{
    if (seen->size > 0)
        drop_attributes(seen, place(seen, id));
}

void seen_free(seen *seen)
{
    for (size_t i = 0; i < seen->size; i++)
        drop_attributes(seen, &seen->entries[i]);
    free(seen->entries);
    free(seen);
}
