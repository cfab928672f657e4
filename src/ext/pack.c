/*
 * pack.c - paos.pack, a row as one binary value.
 *
 * A client that reads many rows of many columns spends most of its time on the
 * protocol's fields; one field per row costs less on both sides.  The format is
 * that of paos.rows, the other way round.  Each row begins with the shape of its
 * class, so that a reader with an old idea of the columns notices.
 */
#include "paos.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_pack);
PG_FUNCTION_INFO_V1(paos_shape);

/* Arguments of paos.pack before the values. */
#define PACK_FIRST 1

/* How values of a type are written: as their bytes, or by the type's send function. */
typedef enum Writing
{
    WRITE_BY_SEND,
    WRITE_1,
    WRITE_2,
    WRITE_4,
    WRITE_8,
    WRITE_VARLENA
} Writing;

typedef struct Value
{
    Writing writing;
    FmgrInfo send;
} Value;

/* What one call site keeps from row to row. */
typedef struct Pack
{
    int32 shape;
    StringInfoData row;
    Value values[FLEXIBLE_ARRAY_MEMBER];
} Pack;

/* Only types whose send function writes just these bytes. */
static Writing WritingOf(Oid type)
{
    switch (type)
    {
        case BOOLOID:
            return WRITE_1;
        case INT2OID:
            return WRITE_2;
        case INT4OID:
        case FLOAT4OID:
        case DATEOID:
        case OIDOID:
        case XIDOID:
            return WRITE_4;
        case INT8OID:
        case FLOAT8OID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return WRITE_8;
        case BYTEAOID:
            return WRITE_VARLENA;
        default:
            return type == PaosRefTypeOid() ? WRITE_8 : WRITE_BY_SEND;
    }
}

static bool IsText(Oid type)
{
    return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/* Text goes as it is unless the client's encoding is another. */
static Writing WritingOfArgument(Oid type)
{
    if (IsText(type) && pg_get_client_encoding() == GetDatabaseEncoding())
        return WRITE_VARLENA;
    return WritingOf(type);
}

/* A number for the names, types and order of a table's columns. */
static int32 Shape(Oid relid)
{
    Relation relation = relation_open(relid, AccessShareLock);
    TupleDesc desc = RelationGetDescr(relation);
    uint32 hash = 0;
    int i;

    for (i = 0; i < desc->natts; i++)
    {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);

        if (attribute->attisdropped)
            continue;
        hash = hash_combine(hash, string_hash(NameStr(attribute->attname), NAMEDATALEN));
        hash = hash_combine(hash, hash_bytes_uint32(attribute->atttypid));
    }
    relation_close(relation, AccessShareLock);
    return (int32) hash;
}

/* paos.shape(class regclass) */
Datum paos_shape(PG_FUNCTION_ARGS)
{
    PG_RETURN_INT32(Shape(PG_GETARG_OID(0)));
}

static Pack *MakePack(FunctionCallInfo fcinfo)
{
    MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    Pack *pack = palloc0(offsetof(Pack, values) + fcinfo->nargs * sizeof(Value));
    int i;

    if (get_fn_expr_variadic(fcinfo->flinfo))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("paos.pack takes no VARIADIC array"));
    for (i = PACK_FIRST; i < fcinfo->nargs; i++)
    {
        Oid type = get_fn_expr_argtype(fcinfo->flinfo, i);
        Oid send;
        bool varlena;

        pack->values[i].writing = WritingOfArgument(getBaseType(type));
        if (pack->values[i].writing != WRITE_BY_SEND)
            continue;
        getTypeBinaryOutputInfo(type, &send, &varlena);
        fmgr_info(send, &pack->values[i].send);
    }
    initStringInfo(&pack->row);
    pack->shape = Shape(PG_GETARG_OID(0));
    MemoryContextSwitchTo(previous);
    fcinfo->flinfo->fn_extra = pack;
    return pack;
}

static void AppendBytes(StringInfo row, const char *data, int size)
{
    enlargeStringInfo(row, size + (int) sizeof(int32));
    pq_writeint32(row, size);
    memcpy(row->data + row->len, data, size);
    row->len += size;
}

static void AppendVarlena(StringInfo row, Datum datum)
{
    struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);

    AppendBytes(row, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
    if (value != (struct varlena *) DatumGetPointer(datum))
        pfree(value);
}

static void AppendSent(StringInfo row, FmgrInfo *send, Datum datum)
{
    bytea *value = SendFunctionCall(send, datum);

    AppendBytes(row, VARDATA(value), VARSIZE(value) - VARHDRSZ);
    pfree(value);
}

static void AppendValue(StringInfo row, Value *value, Datum datum)
{
    switch (value->writing)
    {
        case WRITE_1:
            pq_sendint32(row, 1);
            pq_sendint8(row, DatumGetUInt8(datum));
            break;
        case WRITE_2:
            pq_sendint32(row, 2);
            pq_sendint16(row, DatumGetUInt16(datum));
            break;
        case WRITE_4:
            pq_sendint32(row, 4);
            pq_sendint32(row, DatumGetUInt32(datum));
            break;
        case WRITE_8:
            pq_sendint32(row, 8);
            pq_sendint64(row, DatumGetUInt64(datum));
            break;
        case WRITE_VARLENA:
            AppendVarlena(row, datum);
            break;
        default:
            AppendSent(row, &value->send, datum);
    }
}

/*
 * paos.pack(class regclass, values…) returns bytea.  The result is in a buffer
 * that the next call at this place overwrites: it is copied out.
 */
Datum paos_pack(PG_FUNCTION_ARGS)
{
    Pack *pack = fcinfo->flinfo->fn_extra;
    StringInfo row;
    bytea *result;
    int i;

    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("class must not be null"));
    if (pack == NULL)
        pack = MakePack(fcinfo);
    row = &pack->row;
    resetStringInfo(row);
    pq_sendint32(row, pack->shape);
    for (i = PACK_FIRST; i < fcinfo->nargs; i++)
    {
        if (PG_ARGISNULL(i))
            pq_sendint32(row, -1);
        else
            AppendValue(row, &pack->values[i], PG_GETARG_DATUM(i));
    }
    result = palloc(VARHDRSZ + row->len);
    SET_VARSIZE(result, VARHDRSZ + row->len);
    memcpy(VARDATA(result), row->data, row->len);
    PG_RETURN_BYTEA_P(result);
}
