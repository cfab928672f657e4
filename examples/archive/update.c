/*
 * update.c - a day of an archive, in four commits.
 *
 * It pauses between them for whoever watches to read along.
 */
#include "archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOME 3      /* packages that get a new version */
#define OTHERS 200  /* packages of others that do */
#define DEPENDS 200 /* dependencies that are kept of a package */

static void pause_for_readers(void)
{
    const struct timespec moment = {.tv_nsec = 700000000};

    nanosleep(&moment, NULL);
}

static void commit(paos_conn *conn, const char *what)
{
    paos_stats before, after;

    paos_conn_stats(conn, &before);
    printf("update: %s\n", what);
    check(conn, paos_commit(conn, NULL, 0));
    paos_conn_stats(conn, &after);
    printf("update:     committed, round trips: %llu\n",
           (unsigned long long) (after.round_trips - before.round_trips));
    pause_for_readers();
}

static void bump(paos_conn *conn, paos_object *package)
{
    char version[300];

    snprintf(version, sizeof version, "%.290s+u1", paos_object_text(package, "version"));
    check(conn, paos_object_set(package, "version", paos_text(version)));
}

/* The package needs one more now, and its last dependency no longer. */
static void replace_dependency(paos_conn *conn, paos_object *package, paos_object *needed)
{
    paos_value items[DEPENDS];
    paos_list *depends;
    size_t n = 0;

    check(conn, paos_object_refs(package, "depends", &depends));
    for (size_t i = 0; i + 1 < paos_list_size(depends) && n + 1 < DEPENDS; i++)
        items[n++] = paos_ref(paos_list_at(depends, i));
    items[n++] = paos_ref(needed);
    check(conn, paos_object_set(package, "depends", paos_array(items, n)));
    paos_list_free(depends);
}

static void release_versions(paos_conn *conn, const paos_list *packages, paos_object *needed)
{
    for (size_t i = 0; i < SOME && i < paos_list_size(packages); i++)
    {
        bump(conn, paos_list_at(packages, i));
        replace_dependency(conn, paos_list_at(packages, i), needed);
    }
    commit(conn, "new versions of some of the maintainer's packages, with another dependency");
}

/* The new package is owned. */
static paos_object *add_package(paos_conn *conn, paos_object *user)
{
    paos_value needs = paos_ref(user);
    paos_object *added;

    check(conn, paos_object_new(conn, PACKAGE, &added));
    check(conn, paos_object_set(added, "name", paos_text("liblive1")));
    check(conn, paos_object_set(added, "version", paos_text("1.0-1")));
    check(conn,
          paos_object_set(added, "maintainer", paos_ref(paos_object_ref(user, "maintainer"))));
    check(conn, paos_object_set(added, "depends", paos_array(&needs, 1)));
    commit(conn, "a new package");
    return added;
}

static paos_list *find_packages(paos_conn *conn, const char *query, const paos_object *maintainer)
{
    paos_value arg = paos_ref(maintainer);
    paos_list *packages;

    check(conn, paos_get(conn, PAOS_READ, PACKAGE, query, &arg, 1, &packages));
    return packages;
}

void update(const char *conninfo, const char *maintainer)
{
    paos_conn *conn = open_conn(conninfo, "archive-update");
    paos_object *maintained = find_maintainer(conn, maintainer);
    paos_list *packages = find_packages(conn, "maintainer == $1", maintained);
    paos_list *others = find_packages(conn, "maintainer != $1", maintained);
    paos_object *first = paos_list_at(packages, 0);
    paos_object *added;

    if (!first || paos_list_size(others) == 0)
    {
        printf("update: %s maintains nothing, or everything; there is nothing to show\n",
               maintainer);
        exit(1);
    }
    release_versions(conn, packages, paos_list_at(others, 0));
    added = add_package(conn, first);
    for (size_t i = 0; i < OTHERS && i < paos_list_size(others); i++)
        bump(conn, paos_list_at(others, i));
    commit(conn, "200 packages of others, which is no news to who watches");
    check(conn, paos_object_set(first, "maintainer",
                                paos_ref(paos_object_ref(paos_list_at(others, 0), "maintainer"))));
    check(conn, paos_delete(conn, added));
    commit(conn, "the new package is removed, and another changes hands");
    paos_object_release(added);
    paos_object_release(maintained);
    paos_list_free(packages);
    paos_list_free(others);
    paos_conn_close(conn);
}
