/*
 * archive.h - what the files of the example archive share.
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include "paos.h"

#define PACKAGE "debian.package"

/* in archive.c: ends the program with the connection's error, unless the status is PAOS_OK */
void check(const paos_conn *conn, paos_status status);
paos_conn *open_conn(const char *conninfo, const char *application);
/* Owned; the program ends when there is no maintainer of that name. */
paos_object *find_maintainer(paos_conn *conn, const char *name);

/* in watch.c: tells of each commit that changes the maintainer's packages, and ends after `events`
 */
void watch(const char *conninfo, const char *maintainer, long events);

/* in update.c: a day of an archive: four commits, one of which is no business of the maintainer */
void update(const char *conninfo, const char *maintainer);

#endif
