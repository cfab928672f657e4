/*
 * import.c - packages into objects.
 *
 * Packages need each other in circles.  So all of them are registered first: a
 * registered object has an id, and can be referred to, before it is stored.
 */
#include "debian.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 5000 /* packages in a commit */

/* A maintainer or section. */
typedef struct owner
{
    const char *name;
    int packages;
    paos_object *object;
} owner;

typedef struct owners
{
    void *by_name;
    owner **items;
    size_t size;
} owners;

typedef struct import
{
    paos_conn *conn;
    const archive *archive;
    owners maintainers, sections;
    packages needs;
    paos_value *refs; /* room for the refs of one package */
    size_t refs_capacity;
} import;

static int compare_owners(const void *a, const void *b)
{
    return strcmp(((const owner *) a)->name, ((const owner *) b)->name);
}

/* The owner of a name, new when it is not there yet; NULL for no name. */
static owner *owner_find(owners *owners, const char *name)
{
    owner key = {.name = name}, *new;
    owner **found;

    if (!name)
        return NULL;
    found = tfind(&key, &owners->by_name, compare_owners);
    if (found)
        return *found;
    new = grow(NULL, sizeof *new);
    *new = key;
    if (!tsearch(new, &owners->by_name, compare_owners))
        grow(NULL, SIZE_MAX);
    owners->items = grow(owners->items, (owners->size + 1) * sizeof *owners->items);
    return owners->items[owners->size++] = new;
}

static void owners_count(owners *owners, const archive *archive, field field)
{
    for (size_t i = 0; i < archive->size; i++)
    {
        owner *owner = owner_find(owners, archive->packages[i]->fields[field]);

        if (owner)
            owner->packages++;
    }
}

static void owners_free(owners *owners)
{
    tdestroy(owners->by_name, free);
    free(owners->items);
}

static void set(const import *import, paos_object *object, const char *attribute, paos_value value)
{
    check(import->conn, paos_object_set(object, attribute, value));
}

/* "Name <email>" */
static void make_maintainer(const import *import, owner *owner)
{
    size_t size = strcspn(owner->name, "<");
    const char *email = owner->name[size] ? owner->name + size + 1 : NULL;
    char *text;

    check(import->conn, paos_object_new(import->conn, "debian.maintainer", &owner->object));
    set(import, owner->object, "packages", paos_int(owner->packages));
    text = strndup(owner->name, size);
    while (text && size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    set(import, owner->object, "name", paos_text(text));
    free(text);
    text = email ? strndup(email, strcspn(email, ">")) : NULL;
    set(import, owner->object, "email", paos_text(text));
    free(text);
}

static void make_section(const import *import, owner *owner)
{
    check(import->conn, paos_object_new(import->conn, "debian.section", &owner->object));
    set(import, owner->object, "name", paos_text(owner->name));
    set(import, owner->object, "packages", paos_int(owner->packages));
}

/* One commit, of two classes. */
static void store_owners(import *import)
{
    owners_count(&import->maintainers, import->archive, MAINTAINER);
    owners_count(&import->sections, import->archive, SECTION);
    for (size_t i = 0; i < import->maintainers.size; i++)
        make_maintainer(import, import->maintainers.items[i]);
    for (size_t i = 0; i < import->sections.size; i++)
        make_section(import, import->sections.items[i]);
    check(import->conn, paos_commit(import->conn, NULL, 0));
}

static void fill_depends(import *import, package *package)
{
    packages *needs = &import->needs;

    depends_resolve(import->archive, package, needs);
    if (import->refs_capacity < needs->size)
    {
        import->refs_capacity = needs->capacity;
        import->refs = grow(import->refs, needs->capacity * sizeof *import->refs);
    }
    for (size_t i = 0; i < needs->size; i++)
        import->refs[i] = paos_ref(needs->items[i]->object);
    if (needs->size > 0)
        set(import, package->object, "depends", paos_array(import->refs, needs->size));
}

static void fill_package(import *import, package *package)
{
    char *const *fields = package->fields;
    owner *maintainer = owner_find(&import->maintainers, fields[MAINTAINER]);
    owner *section = owner_find(&import->sections, fields[SECTION]);

    set(import, package->object, "name", paos_text(fields[NAME]));
    set(import, package->object, "version", paos_text(fields[VERSION]));
    set(import, package->object, "summary", paos_text(fields[SUMMARY]));
    if (fields[SIZE])
        set(import, package->object, "installed_size", paos_int(atoll(fields[SIZE])));
    if (maintainer)
        set(import, package->object, "maintainer", paos_ref(maintainer->object));
    if (section)
        set(import, package->object, "section", paos_ref(section->object));
    fill_depends(import, package);
}

static void store_packages(import *import)
{
    const archive *archive = import->archive;
    paos_object **objects = grow(NULL, archive->size * sizeof *objects);
    progress progress;

    for (size_t i = 0; i < archive->size; i++)
    {
        check(import->conn, paos_object_new(import->conn, "debian.package", &objects[i]));
        archive->packages[i]->object = objects[i];
    }
    check(import->conn, paos_register(import->conn, objects, archive->size));
    progress_start(&progress, "importing", archive->size);
    for (size_t start = 0, end; start < archive->size; start = end)
    {
        end = archive->size - start < BATCH ? archive->size : start + BATCH;
        for (size_t i = start; i < end; i++)
            fill_package(import, archive->packages[i]);
        check(import->conn, paos_commit(import->conn, objects + start, end - start));
        progress_show(&progress, end);
    }
    free(objects);
}

void import_archive(paos_conn *conn, const archive *archive)
{
import import = {.conn = conn, .archive = archive };
    double started = seconds();
    size_t total;

    store_owners(&import);
    store_packages(&import);
    total = archive->size + import.maintainers.size + import.sections.size;
    printf("imported: %zu packages, %zu maintainers, %zu sections from %zu files; "
           "%.1f s, %.0f objects/s\n",
           archive->size, import.maintainers.size, import.sections.size, archive->files,
           seconds() - started, (double) total / (seconds() - started));
    owners_free(&import.maintainers);
    owners_free(&import.sections);
    free(import.needs.items);
    free(import.refs);
}
