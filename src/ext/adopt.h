/*
 * adopt.h - what register.c and adopt.c share: a table on its way to be a class.
 */
#ifndef PAOS_ADOPT_H
#define PAOS_ADOPT_H

#include "paos.h"

#include "utils/array.h"

/* What registering may add to a table, as recorded in paos.class. */
#define ADDED_COLUMN "column"
#define ADDED_PRIMARY_KEY "primary key"
#define ADDED_DEFAULT "default"
#define ADDED_SEQUENCE "sequence"

/* What is known of a table on its way to be a class. */
typedef struct Adoption
{
    Oid relid;
    const char *table; /* qualified and quoted */
    Oid parent;        /* nearest class among its ancestors, or InvalidOid */
    const char *key;   /* key column, not quoted */
    Oid keytype;
    Oid sequence;
    ArrayBuildState *added;
} Adoption;

/* in adopt.c */
extern void PaosAdopt(Adoption *adoption);

/* in execute.c: SQL text through SPI, as whoever is the user; needs SPI_connect */
extern void PaosExecute(const char *format, ...) pg_attribute_printf(1, 2);
/* First column of the first row of the last statement as an OID; InvalidOid when there is none. */
extern Oid PaosResultOid(void);
/* Runs a statement on the extension's own tables with the privileges of their owner. */
extern void PaosExecuteAsOwner(const char *sql, int nargs, Oid *types, Datum *values);

#endif
