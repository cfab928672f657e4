/*
 * walk.c - everything that a package needs, level by level.
 *
 * Nothing here says what to load, or when: touching `depends` of one package
 * loads what all packages of its level need.  An object has one handle, so a set
 * of handles is enough to know where the walk has been.
 */
#include "debian.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 60  /* columns of names shown of a level */
#define LEVELS 6 /* shown */

typedef struct handles
{
    paos_object **items;
    size_t size, capacity;
    void *seen; /* a tree of tsearch */
} handles;

static int compare_handles(const void *a, const void *b)
{
    return a < b ? -1 : a > b;
}

static void ignore(void *node)
{
    (void) node;
}

/* Adds a handle that is not there yet, and holds it. */
static void handles_add(handles *handles, paos_object *object)
{
    if (!object || tfind(object, &handles->seen, compare_handles))
        return;
    if (!tsearch(object, &handles->seen, compare_handles))
        grow(NULL, SIZE_MAX);
    if (handles->size == handles->capacity)
    {
        handles->capacity = handles->capacity ? handles->capacity * 2 : 256;
        handles->items = grow(handles->items, handles->capacity * sizeof object);
    }
    handles->items[handles->size++] = paos_object_hold(object);
}

static void handles_free(handles *handles)
{
    for (size_t i = 0; i < handles->size; i++)
        paos_object_release(handles->items[i]);
    tdestroy(handles->seen, ignore);
    free(handles->items);
}

/* Adds what a package needs. */
static void take_depends(paos_conn *conn, handles *closure, paos_object *package)
{
    paos_list *needs;

    check(conn, paos_object_refs(package, "depends", &needs));
    for (size_t i = 0; i < paos_list_size(needs); i++)
        handles_add(closure, paos_list_at(needs, i));
    paos_list_free(needs);
}

static void show_level(const handles *closure, size_t level, size_t start)
{
    size_t used = 0, i;

    printf("    level %zu: %5zu  ", level, closure->size - start);
    for (i = start; i < closure->size && used < LINE; i++)
    {
        const char *name = paos_object_text(closure->items[i], "name");

        used += strlen(name) + 1;
        printf(" %s", name);
    }
    printf("%s\n", i < closure->size ? " ..." : "");
}

/* Returns the number of levels. */
static size_t walk_depends(paos_conn *conn, handles *closure)
{
    size_t level = 0, start = 0, end;

    for (; start < closure->size; start = end, level++)
    {
        end = closure->size;
        for (size_t i = start; i < end; i++)
            take_depends(conn, closure, closure->items[i]);
        if (closure->size > end && level < LEVELS)
            show_level(closure, level + 1, end);
    }
    if (level > LEVELS + 1)
        printf("    and so on to level %zu\n", level - 1);
    return level - 1;
}

static void show_cost(paos_conn *conn, const char *what, paos_stats *before, double started)
{
    double elapsed = seconds() - started;
    paos_stats now;

    paos_conn_stats(conn, &now);
    printf("%s: %llu round trips, %llu statements, %.1f ms\n", what,
           (unsigned long long) (now.round_trips - before->round_trips),
           (unsigned long long) (now.statements - before->statements), elapsed * 1000);
    *before = now;
}

/* Those who look after the packages: one by a foreign key, one by a paos.ref. */
static void walk_owners(paos_conn *conn, const handles *closure)
{
    handles maintainers = {0}, sections = {0};
    int64_t kilobytes = 0;

    paos_conn_error_clear(conn);
    for (size_t i = 0; i < closure->size; i++)
    {
        handles_add(&maintainers, paos_object_ref(closure->items[i], "maintainer"));
        handles_add(&sections, paos_object_ref(closure->items[i], "section"));
        kilobytes += paos_object_int(closure->items[i], "installed_size");
    }
    check(conn, paos_conn_error(conn)->status);
    printf("    %.1f MB installed, %zu maintainers, %zu sections\n", (double) kilobytes / 1024,
           maintainers.size, sections.size);
    handles_free(&maintainers);
    handles_free(&sections);
}

void walk_closure(paos_conn *conn, paos_object *package)
{
    handles closure = {0};
    double started = seconds();
    paos_stats stats;
    size_t levels;
    char what[64];

    paos_conn_stats(conn, &stats);
    handles_add(&closure, package);
    printf("needed by %s, by way of lazy references:\n", paos_object_text(package, "name"));
    levels = walk_depends(conn, &closure);
    snprintf(what, sizeof what, "    %zu objects on %zu levels", closure.size, levels);
    show_cost(conn, what, &stats, started);

    started = seconds();
    walk_owners(conn, &closure);
    show_cost(conn, "    their maintainers and sections", &stats, started);
    handles_free(&closure);
}
