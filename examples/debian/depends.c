/*
 * depends.c - from "libc6 (>= 2.36), debconf | debconf-2.0" to packages.
 *
 * Versions are not looked at, and a name that only virtual packages carry is
 * dropped: this is an example of references, not a package manager.
 */
#include "debian.h"

#include <stdio.h>
#include <string.h>

/* Copies the name at the start of a dependency, without version and architecture. */
static void name_of(const char *text, char *out, size_t size)
{
    text += strspn(text, " \t");
    snprintf(out, size, "%.*s", (int) strcspn(text, " \t(:[|,"), text);
}

/* The first alternative that exists, in one dependency of `size` bytes. */
static package *first_existing(const archive *archive, const char *text, size_t size)
{
    const char *end = text + size;
    char name[256];

    while (text < end)
    {
        package *found;

        name_of(text, name, sizeof name);
        found = archive_find(archive, name);
        if (found)
            return found;
        text += strcspn(text, "|,");
        text += text < end;
    }
    return NULL;
}

static void add(packages *out, const package *self, package *found)
{
    if (!found || found == self)
        return;
    for (size_t i = 0; i < out->size; i++)
        if (out->items[i] == found)
            return;
    if (out->size == out->capacity)
    {
        out->capacity = out->capacity ? out->capacity * 2 : 64;
        out->items = grow(out->items, out->capacity * sizeof *out->items);
    }
    out->items[out->size++] = found;
}

void depends_resolve(const archive *archive, const package *package, packages *out)
{
    static const field lists[] = {PRE_DEPENDS, DEPENDS};

    out->size = 0;
    for (int i = 0; i < 2; i++)
    {
        const char *text = package->fields[lists[i]];

        while (text && *text)
        {
            size_t size = strcspn(text, ",");

            add(out, package, first_existing(archive, text, size));
            text += size;
            text += *text == ',';
        }
    }
}
