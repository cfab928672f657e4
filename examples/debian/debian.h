/*
 * debian.h - what the files of the example debian share.
 *
 * A package here is what was read from the package database; the object made of
 * it belongs to a connection and ends with it.
 */
#ifndef DEBIAN_H
#define DEBIAN_H

#include "paos.h"

#include <stddef.h>

/* The fields of a package that are kept. */
typedef enum field
{
    NAME,
    VERSION,
    SECTION,
    MAINTAINER,
    SUMMARY,
    SIZE,
    PRE_DEPENDS,
    DEPENDS,
    STATUS,
    FIELDS
} field;

typedef struct package
{
    char *fields[FIELDS]; /* NULL: not given */
    paos_object *object;
} package;

typedef struct archive
{
    package **packages;
    size_t size, capacity;
    void *by_name; /* a tree of tsearch */
    size_t files;  /* read */
} archive;

/* ---- debian.c ---- */

/* Ends the program with the connection's error, unless the status is PAOS_OK. */
void check(const paos_conn *conn, paos_status status);
/* Memory that is there; the program ends when there is none. */
void *grow(void *old, size_t size);
double seconds(void);

/* ---- control.c: the package database's files ---- */

/* Reads what is installed and what can be, the first package of a name counting. */
void archive_read(archive *archive);
void archive_free(archive *archive);
package *archive_find(const archive *archive, const char *name);

/* ---- depends.c: what a package needs ---- */

typedef struct packages
{
    package **items;
    size_t size, capacity;
} packages;

/* Of each dependency the first alternative that exists. */
void depends_resolve(const archive *archive, const package *package, packages *out);

/* ---- import.c ---- */

/* Stores all packages, their maintainers and sections. */
void import_archive(paos_conn *conn, const archive *archive);

/* ---- progress.c: a bar on a terminal, a line now and then elsewhere ---- */

typedef struct progress
{
    const char *what;
    size_t total, shown;
    double started;
} progress;

void progress_start(progress *progress, const char *what, size_t total);
void progress_show(progress *progress, size_t done);

/* ---- walk.c ---- */

/* Walks to all that a package needs, and to those who look after it. */
void walk_closure(paos_conn *conn, paos_object *package);

#endif
