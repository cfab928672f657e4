/*
 * watch.c - who is told when the archive changes.
 *
 * A handle shows the newest state only.  To say what was different before, the
 * watcher keeps each package's version and dependencies from when it last looked.
 */
#include "archive.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A package as it was when last looked at. */
typedef struct known
{
    paos_id id;
    char *name, *version;
    paos_list *depends;
} known;

typedef struct watcher
{
    void *packages; /* a tree of tsearch, by id */
    long left;      /* events to wait for; negative: no end */
} watcher;

static int compare(const void *a, const void *b)
{
    const known *left = a, *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

static void forget(void *node)
{
    known *old = node;

    free(old->name);
    free(old->version);
    paos_list_free(old->depends);
    free(old);
}

static known *find(const watcher *watcher, const paos_object *package)
{
    known key = {.id = paos_object_id(package)};
    known **node = tfind(&key, &watcher->packages, compare);

    return node ? *node : NULL;
}

static void drop(watcher *watcher, known *old)
{
    if (!old)
        return;
    tdelete(old, &watcher->packages, compare);
    forget(old);
}

static void remember(watcher *watcher, paos_conn *conn, paos_object *package)
{
    known *new = calloc(1, sizeof *new);

    if (!new)
        abort();
    drop(watcher, find(watcher, package));
    new->id = paos_object_id(package);
    new->name = strdup(paos_object_text(package, "name"));
    new->version = strdup(paos_object_text(package, "version"));
    check(conn, paos_object_refs(package, "depends", &new->depends));
    if (!new->name || !new->version || !tsearch(new, &watcher->packages, compare))
        abort();
}

/* There is one handle for an object, so comparing handles compares packages. */
static bool contains(const paos_list *list, const paos_object *package)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
        if (paos_list_at(list, i) == package)
            return true;
    return false;
}

static void put_missing(const char *what, const paos_list *from, const paos_list *in)
{
    for (size_t i = 0; i < paos_list_size(from); i++)
        if (!contains(in, paos_list_at(from, i)))
        {
            const char *name = paos_object_text(paos_list_at(from, i), "name");

            printf("%s %s", what, name ? name : "a package that is gone");
            what = ",";
        }
}

static void put_change(watcher *watcher, paos_conn *conn, paos_object *package)
{
    const known *old = find(watcher, package);
    paos_list *depends;

    check(conn, paos_object_refs(package, "depends", &depends));
    printf("watch:     ~ %s", paos_object_text(package, "name"));
    if (old && strcmp(old->version, paos_object_text(package, "version")) != 0)
        printf(" %s -> %s", old->version, paos_object_text(package, "version"));
    if (old)
    {
        put_missing("; needs", depends, old->depends);
        put_missing("; no longer", old->depends, depends);
    }
    putchar('\n');
    paos_list_free(depends);
    remember(watcher, conn, package);
}

static void put_entry(watcher *watcher, paos_conn *conn, paos_object *package)
{
    remember(watcher, conn, package);
    printf("watch:     + %s %s", paos_object_text(package, "name"),
           paos_object_text(package, "version"));
    put_missing("; needs", find(watcher, package)->depends, NULL);
    putchar('\n');
}

static void put_exit(watcher *watcher, paos_object *package)
{
    known *old = find(watcher, package);

    printf("watch:     - %s, %s\n", old ? old->name : "?",
           paos_object_exists(package) ? "which somebody else maintains now" : "removed");
    drop(watcher, old);
}

static void on_change(paos_conn *conn, const paos_event *event, void *arg)
{
    watcher *watcher = arg;
    paos_stats before, after;

    watcher->left--;
    paos_conn_stats(conn, &before);
    if (event->resync)
        printf("watch: looked again\n");
    else
        printf("watch: %s committed (host %s, pid %lld, uid %lld)\n", event->author.application,
               event->author.host, (long long) event->author.pid, (long long) event->author.uid);
    for (size_t i = 0; i < paos_list_size(event->entered); i++)
        put_entry(watcher, conn, paos_list_at(event->entered, i));
    for (size_t i = 0; i < paos_list_size(event->changed); i++)
        put_change(watcher, conn, paos_list_at(event->changed, i));
    for (size_t i = 0; i < paos_list_size(event->left); i++)
        put_exit(watcher, paos_list_at(event->left, i));
    paos_conn_stats(conn, &after);
    printf("watch:     round trips for all of their contents: %llu\n",
           (unsigned long long) (after.round_trips - before.round_trips));
}

void watch(const char *conninfo, const char *maintainer, long events)
{
    paos_conn *conn = open_conn(conninfo, "archive-watch");
    watcher watcher = {.left = events};
    paos_object *watched = find_maintainer(conn, maintainer);
    paos_value arg = paos_ref(watched);
    paos_list *packages;
    int64_t request;

    check(conn, paos_subscribe(conn, PACKAGE, "maintainer == $1", &arg, 1, on_change, &watcher,
                               &packages, &request));
    for (size_t i = 0; i < paos_list_size(packages); i++)
        remember(&watcher, conn, paos_list_at(packages, i));
    printf("watch: %zu packages of %s; waiting for commits\n", paos_list_size(packages),
           maintainer);
    paos_list_free(packages);
    paos_object_release(watched);
    while (watcher.left != 0)
        check(conn, paos_conn_dispatch(conn, -1, NULL));
    paos_conn_close(conn);
    tdestroy(watcher.packages, forget);
}
