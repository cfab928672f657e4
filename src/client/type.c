/*
 * type.c - column types: how their values are kept, shown and sent.
 *
 * Types that are not listed are not an error: they are read and written as
 * text, by a cast in the statement.  A type's oid is the one the server puts in
 * the description of a result, which for a domain is its base type.
 */
#include "paos_int.h"

/* Oids of built-in types, which never change. */
enum
{
    BOOLOID = PAOSI_OID_BOOL,
    BYTEAOID = PAOSI_OID_BYTEA,
    NAMEOID = 19,
    INT8OID = PAOSI_OID_INT8,
    INT2OID = PAOSI_OID_INT2,
    INT4OID = PAOSI_OID_INT4,
    TEXTOID = PAOSI_OID_TEXT,
    JSONOID = 114,
    FLOAT4OID = 700,
    FLOAT8OID = PAOSI_OID_FLOAT8,
    BPCHAROID = 1042,
    VARCHAROID = PAOSI_OID_VARCHAR,
    DATEOID = 1082,
    TIMESTAMPOID = 1114,
    TIMESTAMPTZOID = PAOSI_OID_TIMESTAMPTZ,
    NUMERICOID = PAOSI_OID_NUMERIC,
    UUIDOID = 2950,
    JSONBOID = PAOSI_OID_JSONB
};

typedef struct known
{
    uint32_t oid;
    paosi_store store;
    paos_kind kind;
    bool array; /* elements of arrays may be kept as they come */
} known;

static const known types[] = {
    {BOOLOID, PAOSI_BOOL, PAOS_KIND_BOOL, true},
    {BYTEAOID, PAOSI_BYTES, PAOS_KIND_BYTES, true},
    {NAMEOID, PAOSI_TEXT, PAOS_KIND_TEXT, true},
    {INT8OID, PAOSI_INT8, PAOS_KIND_INT, true},
    {INT2OID, PAOSI_INT2, PAOS_KIND_INT, true},
    {INT4OID, PAOSI_INT4, PAOS_KIND_INT, true},
    {TEXTOID, PAOSI_TEXT, PAOS_KIND_TEXT, true},
    {JSONOID, PAOSI_TEXT, PAOS_KIND_JSON, true},
    {FLOAT4OID, PAOSI_FLOAT4, PAOS_KIND_FLOAT, true},
    {FLOAT8OID, PAOSI_FLOAT8, PAOS_KIND_FLOAT, true},
    {BPCHAROID, PAOSI_TEXT, PAOS_KIND_TEXT, true},
    {VARCHAROID, PAOSI_TEXT, PAOS_KIND_TEXT, true},
    {DATEOID, PAOSI_DATE, PAOS_KIND_DATE, true},
    {TIMESTAMPOID, PAOSI_TIMESTAMP, PAOS_KIND_TIMESTAMP, true},
    {TIMESTAMPTZOID, PAOSI_TIMESTAMP, PAOS_KIND_TIMESTAMP, true},
    {NUMERICOID, PAOSI_TEXT, PAOS_KIND_NUMERIC, false},
    {UUIDOID, PAOSI_UUID, PAOS_KIND_UUID, true},
    {JSONBOID, PAOSI_TEXT, PAOS_KIND_JSON, false},
};

const uint8_t paosi_store_sizes[] = {
    [PAOSI_BOOL] = 1,   [PAOSI_INT2] = 2,   [PAOSI_INT4] = 4, [PAOSI_INT8] = 8,
    [PAOSI_FLOAT4] = 4, [PAOSI_FLOAT8] = 8, [PAOSI_DATE] = 4, [PAOSI_TIMESTAMP] = 8,
    [PAOSI_UUID] = 16,  [PAOSI_REF] = 8,    [PAOSI_KEY] = 8,  [PAOSI_TEXT] = 0,
    [PAOSI_BYTES] = 0,  [PAOSI_ARRAY] = 0,
};

static known type_find(const paos_conn *conn, uint32_t oid, char category)
{
    const known ref = {oid, PAOSI_REF, PAOS_KIND_REF, true};
    const known label = {oid, PAOSI_TEXT, PAOS_KIND_TEXT, true};
    const known other = {0, PAOSI_TEXT, PAOS_KIND_TEXT, false};
    size_t i;

    if (oid == conn->ref_oid)
        return ref;
    if (category == 'e')
        return label;
    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].oid == oid)
            return types[i];
    return other;
}

/* Would the server store another value than the one it is sent? */
static bool is_exact(const paosi_type *type)
{
    if (type->cast || type->oid == NUMERICOID || type->oid == JSONBOID || type->oid == BPCHAROID)
        return false;
    /* What is too long for varchar(n) is an error, but for trailing blanks: see paosi_draft_exact.
     */
    return type->modifier < 0 || type->oid == VARCHAROID;
}

void paosi_type_resolve(const paos_conn *conn, paosi_type *type)
{
    known found = type_find(conn, type->array ? type->array : type->oid, type->category);

    type->kind = (uint8_t) found.kind;
    type->store = (uint8_t) found.store;
    type->element = (uint8_t) found.store;
    type->cast = found.oid == 0;
    if (type->array)
    {
        type->store = PAOSI_ARRAY;
        type->cast = !found.array;
        type->element = (uint8_t) (type->cast ? PAOSI_TEXT : found.store);
        if (type->cast)
            type->kind = PAOS_KIND_TEXT;
    }
    type->direct = !type->cast && type->oid != NUMERICOID && type->oid != JSONBOID;
    type->exact = is_exact(type);
}
