/*
 * debian.c - this machine's own package database as objects.
 *
 * Imports what dpkg and apt know, asks for the biggest maintainers, and walks to
 * everything that a package needs.  debian.sql makes the classes first.  Each
 * step has a connection of its own, so that it starts with nothing cached.
 */
#include "debian/debian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKAGE "debian.package"

static const char usage[] =
    "usage: debian [CONNINFO [PACKAGE]]\n"
    "Imports this machine's package database (once; examples/debian.sql, run with\n"
    "psql, makes the classes anew), then walks to all that PACKAGE needs.\n"
    "CONNINFO: or else $PAOS_CONNINFO, or else libpq's PGHOST and so on.\n";

void check(const paos_conn *conn, paos_status status)
{
    const paos_error *error = paos_conn_error(conn);

    if (status == PAOS_OK)
        return;
    fprintf(stderr, "debian: %s: %s %s\n", paos_status_name(status), error->message, error->detail);
    if (status == PAOS_INVALID)
        fprintf(stderr, "debian: has examples/debian.sql been run with psql?\n");
    exit(1);
}

void *grow(void *old, size_t size)
{
    void *new = realloc(old, size ? size : 1);

    if (new)
        return new;
    fprintf(stderr, "debian: out of memory\n");
    exit(1);
}

double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static paos_conn *open_conn(const char *conninfo)
{
    paos_conn *conn = NULL;

    check(NULL, paos_conn_open(conninfo, "debian", &conn));
    return conn;
}

static paos_list *get(paos_conn *conn, const char *class_name, const char *query, paos_value arg)
{
    paos_list *answer;

    check(conn, paos_get(conn, PAOS_READ, class_name, query, &arg, 1, &answer));
    return answer;
}

static bool is_imported(paos_conn *conn)
{
    paos_list *answer = get(conn, PACKAGE, "name == $1", paos_text("dpkg"));
    bool imported = paos_list_size(answer) > 0;

    paos_list_free(answer);
    return imported;
}

static void import(const char *conninfo)
{
    paos_conn *conn = open_conn(conninfo);
    archive archive = {0};

    if (is_imported(conn))
        printf("imported: earlier\n");
    else
    {
        archive_read(&archive);
        if (archive.size == 0)
        {
            printf("neither dpkg nor apt knows any here: not a Debian machine\n");
            exit(0);
        }
        import_archive(conn, &archive);
        archive_free(&archive);
    }
    paos_conn_close(conn);
}

static int compare_packages(const void *a, const void *b)
{
    int64_t left = paos_object_int(*(paos_object *const *) a, "packages");
    int64_t right = paos_object_int(*(paos_object *const *) b, "packages");

    return (left < right) - (left > right);
}

/* The query asks for less until it finds some. */
static void show_maintainers(const char *conninfo)
{
    paos_conn *conn = open_conn(conninfo);
    paos_object *biggest[1000];
    paos_list *answer = NULL;
    int64_t least = 500;
    size_t n;

    for (;; least /= 5)
    {
        answer = get(conn, "debian.maintainer", "packages > $1", paos_int(least));
        if (paos_list_size(answer) >= 3 || least == 0)
            break;
        paos_list_free(answer);
    }
    for (n = 0; n < paos_list_size(answer) && n < 1000; n++)
        biggest[n] = paos_list_at(answer, n);
    qsort(biggest, n, sizeof *biggest, compare_packages);
    printf("biggest maintainers: %zu with packages > %lld\n", n, (long long) least);
    for (size_t i = 0; i < n && i < 5; i++)
        printf("    %5lld  %s\n", (long long) paos_object_int(biggest[i], "packages"),
               paos_object_text(biggest[i], "name"));
    paos_list_free(answer);
    paos_conn_close(conn);
}

static int suggest(paos_conn *conn, const char *name)
{
    char pattern[256];
    paos_list *answer;

    snprintf(pattern, sizeof pattern, "%%%.200s%%", name);
    answer = get(conn, PACKAGE, "name like $1", paos_text(pattern));
    fprintf(stderr, "debian: there is no package \"%s\"%s", name,
            paos_list_size(answer) > 0 ? "; there is:" : "");
    for (size_t i = 0; i < paos_list_size(answer) && i < 10; i++)
        fprintf(stderr, " %s", paos_object_text(paos_list_at(answer, i), "name"));
    fprintf(stderr, "%s\n", paos_list_size(answer) > 10 ? " ..." : "");
    paos_list_free(answer);
    return 1;
}

/* The package asked for; or the first that there is of some with many needs. */
static int walk(const char *conninfo, const char *name)
{
    static const char *const defaults[] = {"gnome", "postgresql-15", "apt"};
    paos_conn *conn = open_conn(conninfo);
    paos_list *answer = NULL;
    int status = 0;

    for (int i = 0; i < 3; i++)
    {
        paos_list_free(answer);
        answer = get(conn, PACKAGE, "name == $1", paos_text(name ? name : defaults[i]));
        if (name || paos_list_size(answer) > 0)
            break;
    }
    if (paos_list_size(answer) > 0)
        walk_closure(conn, paos_list_at(answer, 0));
    else
        status = suggest(conn, name ? name : defaults[2]);
    paos_list_free(answer);
    paos_conn_close(conn);
    return status;
}

int main(int argc, char **argv)
{
    const char *conninfo = argc > 1 ? argv[1] : getenv("PAOS_CONNINFO");

    if (argc > 3 || (argc > 1 && strcmp(argv[1], "--help") == 0))
    {
        fputs(usage, argc > 3 ? stderr : stdout);
        return argc > 3 ? 2 : 0;
    }
    if (!conninfo)
        conninfo = "";
    /* In order with the progress on stderr, into a file too. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("The packages of this machine as objects: package, maintainer, section.\n");
    import(conninfo);
    show_maintainers(conninfo);
    return walk(conninfo, argc > 2 ? argv[2] : NULL);
}
