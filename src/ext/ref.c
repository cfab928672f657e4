/*
 * ref.c - the type paos.ref, the 8-byte name of an object.
 *
 * The text form is `class number:key` and never looks at a catalogue, so that
 * dump, restore and replication do not depend on one.  Only input knows the
 * second form, `table:key`.  Comparison, hashing and binary output are the
 * server's own int8 functions: see sql/paos.sql.
 */
#include "paos.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "libpq/pqformat.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"

PG_FUNCTION_INFO_V1(paos_ref_in);
PG_FUNCTION_INFO_V1(paos_ref_out);
PG_FUNCTION_INFO_V1(paos_ref_recv);
PG_FUNCTION_INFO_V1(paos_ref_from_bigint);
PG_FUNCTION_INFO_V1(paos_ref_from_key);
PG_FUNCTION_INFO_V1(paos_ref_from_row);
PG_FUNCTION_INFO_V1(paos_ref_class);
PG_FUNCTION_INFO_V1(paos_ref_class_number);
PG_FUNCTION_INFO_V1(paos_ref_key);

PaosRef PaosRefMake(int number, int64 key)
{
    if (number < 1 || number > PAOS_CLASS_MAX)
        ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                errmsg("class number %d is out of range for type paos.ref", number),
                errdetail("A class number is between 1 and %d.", PAOS_CLASS_MAX));
    if (key < 1 || key > PAOS_KEY_MAX)
        ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                errmsg("key %lld is out of range for type paos.ref", (long long) key),
                errdetail("A key is between 1 and %lld.", (long long) PAOS_KEY_MAX));
    return ((PaosRef) number << PAOS_KEY_BITS) | key;
}

void PaosRefPrint(PaosRef ref, char buffer[PAOS_REF_TEXT_SIZE])
{
    int n = pg_ltoa(PaosRefClass(ref), buffer);

    buffer[n++] = ':';
    pg_lltoa(PaosRefKey(ref), buffer + n);
}

/* Reads a run of digits that fills the text up to `end`; false when it does not. */
static bool ParseDigits(const char *text, const char *end, int64 *value)
{
    const char *p;

    *value = 0;
    for (p = text; p < end; p++)
    {
        if (*p < '0' || *p > '9')
            return false;
        /* Anything above this is out of range of either part; stop before int64 overflows. */
        if (*value <= PAOS_KEY_MAX)
            *value = *value * 10 + (*p - '0');
    }
    return end > text;
}

static int ClassNumberFromName(const char *name, int length)
{
    char *copy = pnstrdup(name, length);
    Oid relid =
        RangeVarGetRelid(makeRangeVarFromNameList(stringToQualifiedNameList(copy)), NoLock, false);

    return PaosClassByRelation(relid, false)->number;
}

PaosRef PaosRefParse(const char *text)
{
    const char *end;
    const char *colon;
    int64 number;
    int64 key;

    while (isspace((unsigned char) *text))
        text++;
    end = text + strlen(text);
    while (end > text && isspace((unsigned char) end[-1]))
        end--;
    for (colon = end; colon > text && *colon != ':';)
        colon--;

    if (colon == text || !ParseDigits(colon + 1, end, &key))
        ereport(ERROR, errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                errmsg("invalid input syntax for type %s: \"%s\"", "paos.ref", text),
                errhint("Write a ref as class number and key, such as \"12:42\", or as table and "
                        "key, such as \"person:42\"."));
    if (!ParseDigits(text, colon, &number))
        number = ClassNumberFromName(text, colon - text);
    return PaosRefMake((int) Min(number, PG_INT32_MAX), key);
}

Datum paos_ref_in(PG_FUNCTION_ARGS)
{
    PG_RETURN_PAOS_REF(PaosRefParse(PG_GETARG_CSTRING(0)));
}

Datum paos_ref_out(PG_FUNCTION_ARGS)
{
    char *text = palloc(PAOS_REF_TEXT_SIZE);

    PaosRefPrint(PG_GETARG_PAOS_REF(0), text);
    PG_RETURN_CSTRING(text);
}

static PaosRef RefFromBigint(int64 value)
{
    if (value <= 0)
        ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                errmsg("%lld is out of range for type paos.ref", (long long) value));
    return PaosRefMake(PaosRefClass(value), PaosRefKey(value));
}

Datum paos_ref_recv(PG_FUNCTION_ARGS)
{
    PG_RETURN_PAOS_REF(RefFromBigint(pq_getmsgint64((StringInfo) PG_GETARG_POINTER(0))));
}

Datum paos_ref_from_bigint(PG_FUNCTION_ARGS)
{
    PG_RETURN_PAOS_REF(RefFromBigint(PG_GETARG_INT64(0)));
}

/* paos.ref(class regclass, key bigint) */
Datum paos_ref_from_key(PG_FUNCTION_ARGS)
{
    const PaosClass *class = PaosClassByRelation(PG_GETARG_OID(0), false);

    PG_RETURN_PAOS_REF(PaosRefMake(class->number, PG_GETARG_INT64(1)));
}

/* Reads the key out of a row; false when it is NULL. */
static bool RowKey(HeapTupleHeader row, AttrNumber column, Oid keytype, int64 *key)
{
    bool isnull;
    Datum value = GetAttributeByNum(row, column, &isnull);

    if (isnull)
        return false;
    switch (keytype)
    {
        case INT2OID:
            *key = DatumGetInt16(value);
            return true;
        case INT4OID:
            *key = DatumGetInt32(value);
            return true;
        default:
            *key = DatumGetInt64(value);
            return true;
    }
}

/*
 * paos.ref(row).  A row read through its parent table has lost its real class
 * by the time it is a datum; the planner support function in plan.c gives
 * paos.ref(tableoid, key) instead wherever the row is still a table's.
 */
Datum paos_ref_from_row(PG_FUNCTION_ARGS)
{
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
    Oid relid = typeidTypeRelid(HeapTupleHeaderGetTypeId(row));
    int64 key;
    const PaosClass *class;
    int number;

    if (!OidIsValid(relid))
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
                errmsg("paos.ref needs a row of a class, not of type %s",
                       format_type_be(HeapTupleHeaderGetTypeId(row))));
    class = PaosClassByRelation(relid, false);
    number = class->number;
    if (!RowKey(row, PaosKeyColumn(class, relid), class->keytype, &key))
        PG_RETURN_NULL();
    PG_RETURN_PAOS_REF(PaosRefMake(number, key));
}

/* paos.class(ref) returns regclass: NULL when no class has the number */
Datum paos_ref_class(PG_FUNCTION_ARGS)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(PG_GETARG_PAOS_REF(0)), true);

    if (class == NULL)
        PG_RETURN_NULL();
    PG_RETURN_OID(class->relid);
}

Datum paos_ref_class_number(PG_FUNCTION_ARGS)
{
    PG_RETURN_INT32(PaosRefClass(PG_GETARG_PAOS_REF(0)));
}

Datum paos_ref_key(PG_FUNCTION_ARGS)
{
    PG_RETURN_INT64(PaosRefKey(PG_GETARG_PAOS_REF(0)));
}
