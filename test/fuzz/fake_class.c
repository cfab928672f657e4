/*
 * fake_class.c - one class without a catalogue, and what goes with reading its name.
 *
 * There is one table, "person", which is class 12 with key column 1.
 */
#include "paos.h"

#include "catalog/namespace.h"
#include "executor/executor.h"
#include "libpq/pqformat.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/regproc.h"

/* port.h points these at PostgreSQL's own. */
#undef vsnprintf
#undef snprintf

#define PERSON 4711

static const PaosClass person = {
    .relid = PERSON, .number = 12, .key = 1, .keytype = INT8OID, .keyname = {"id"}};

/* --- names: a list stands for its only name ------------------------------------ */

List *stringToQualifiedNameList(const char *string)
{
    if (*string == '\0')
        ereport(ERROR, errcode(ERRCODE_INVALID_NAME), errmsg("invalid name syntax"));
    return (List *) pstrdup(string);
}

RangeVar *makeRangeVarFromNameList(List *names)
{
    RangeVar *range = palloc0(sizeof(RangeVar));

    range->relname = (char *) names;
    return range;
}

Oid RangeVarGetRelidExtended(const RangeVar *relation, LOCKMODE lockmode, uint32 flags,
                             RangeVarGetRelidCallback callback, void *callback_arg)
{
    if (strcmp(relation->relname, "person") != 0)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("relation \"%s\" does not exist", relation->relname));
    return PERSON;
}

/* --- classes ---------------------------------------------------------------------- */

const PaosClass *PaosClassByRelation(Oid relid, bool missing_ok)
{
    return relid == PERSON ? &person : NULL;
}

const PaosClass *PaosClassByNumber(int number, bool missing_ok)
{
    return number == person.number ? &person : NULL;
}

AttrNumber PaosKeyColumn(const PaosClass *class, Oid relid)
{
    return class->key;
}

/* --- rows: there are none --------------------------------------------------------- */

Oid typeidTypeRelid(Oid type)
{
    return InvalidOid;
}

char *format_type_be(Oid type)
{
    return pstrdup("record");
}

Datum GetAttributeByNum(HeapTupleHeader tuple, AttrNumber number, bool *isnull)
{
    *isnull = true;
    return (Datum) 0;
}

/* A macro around the first in some minor releases, a function in others. */
struct varlena *pg_detoast_datum(struct varlena *datum)
{
    return datum;
}

#ifndef DatumGetHeapTupleHeader
HeapTupleHeader DatumGetHeapTupleHeader(Datum datum)
{
    return (HeapTupleHeader) DatumGetPointer(datum);
}
#endif

/* --- messages, and the rest of what errors say -------------------------------------- */

int64 pq_getmsgint64(StringInfo message)
{
    uint64 value = 0;
    int i;

    if (message->len - message->cursor < 8)
        ereport(ERROR, errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("no data left in message"));
    for (i = 0; i < 8; i++)
        value = value << 8 | (unsigned char) message->data[message->cursor++];
    return (int64) value;
}

static void Format(const char *fmt, va_list args)
{
    if (vsnprintf(NULL, 0, fmt, args) < 0)
        abort();
}

int errdetail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    Format(fmt, args);
    va_end(args);
    return 0;
}

int errhint(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    Format(fmt, args);
    va_end(args);
    return 0;
}

char *pnstrdup(const char *text, Size length)
{
    char *copy = palloc(length + 1);

    copy[length] = '\0';
    return memcpy(copy, text, strnlen(text, length));
}

int pg_snprintf(char *text, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vsnprintf(text, size, fmt, args);
    va_end(args);
    return length;
}
