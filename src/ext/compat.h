/*
 * compat.h - the only file that knows PostgreSQL's version.
 *
 * Differences between server versions become a macro or inline function here,
 * so that no other file has a version check.
 */
#ifndef PAOS_COMPAT_H
#define PAOS_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "paos needs PostgreSQL 15 or later"
#endif

#endif
