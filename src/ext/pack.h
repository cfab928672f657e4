/*
 * pack.h - values written one after the other, as clients read rows.
 *
 * Each is its length as int4, -1 for a null, and its send format.  A writer is for
 * the values of one column and lives in the memory context that it was made in.
 */
#ifndef PAOS_PACK_H
#define PAOS_PACK_H

#include "paos.h"

#include "lib/stringinfo.h"
#include "utils/array.h"

/* How values of a type are written: as their bytes, or by the type's send function. */
typedef enum PaosWriting
{
    PAOS_WRITE_BY_SEND,
    PAOS_WRITE_1,
    PAOS_WRITE_2,
    PAOS_WRITE_4,
    PAOS_WRITE_8,
    PAOS_WRITE_VARLENA,
    PAOS_WRITE_REFS
} PaosWriting;

typedef struct PaosWriter
{
    PaosWriting writing;
    FmgrInfo send;
} PaosWriter;

extern void PaosWriterMake(PaosWriter *writer, Oid type);
extern void PaosWriteNumber(StringInfo row, uint32 number);
/* Values at `places` (NULL: as they come), a writer for each. */
extern void PaosWriteValues(StringInfo row, PaosWriter *writers, int n, const Datum *values,
                            const bool *nulls, const AttrNumber *places);

/* Where a short array is copied to, to be read. */
typedef union PaosArrayRoom
{
    ArrayType array;
    int64 bytes[(VARATT_SHORT_MAX + VARHDRSZ) / sizeof(int64) + 1];
} PaosArrayRoom;

/* An array with its full header, in the room when it is short: most are. */
extern ArrayType *PaosArrayRead(Datum datum, PaosArrayRoom *room);

/* A number for the names, types and order of a table's columns. */
extern int32 PaosShape(Oid relid);

#endif
