/*
 * pack.c - paos.pack, a row as one binary value.
 *
 * A client that reads many rows of many columns spends most of its time on the
 * protocol's fields; one field per row costs less on both sides.  The format is
 * that of paos.rows, the other way round.  Each row begins with the shape of its
 * class, so that a reader with an old idea of the columns notices.
 */
#include "pack.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_pack);
PG_FUNCTION_INFO_V1(paos_shape);

/* Arguments of paos.pack before the values. */
#define PACK_FIRST 1

/* What one call site keeps from row to row. */
typedef struct Pack
{
    int32 shape;
    StringInfoData row;
    PaosWriter values[FLEXIBLE_ARRAY_MEMBER];
} Pack;

/* Only types whose send function writes just these bytes. */
static PaosWriting WritingOf(Oid type)
{
    switch (type)
    {
        case BOOLOID:
            return PAOS_WRITE_1;
        case INT2OID:
            return PAOS_WRITE_2;
        case INT4OID:
        case FLOAT4OID:
        case DATEOID:
        case OIDOID:
        case XIDOID:
            return PAOS_WRITE_4;
        case INT8OID:
        case FLOAT8OID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return PAOS_WRITE_8;
        case BYTEAOID:
            return PAOS_WRITE_VARLENA;
        default:
            if (type == PaosRefTypeOid())
                return PAOS_WRITE_8;
            return get_element_type(type) == PaosRefTypeOid() ? PAOS_WRITE_REFS
                                                              : PAOS_WRITE_BY_SEND;
    }
}

static bool IsText(Oid type)
{
    return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/* Text goes as it is unless the client's encoding is another. */
static PaosWriting WritingOfArgument(Oid type)
{
    if (IsText(type) && pg_get_client_encoding() == GetDatabaseEncoding())
        return PAOS_WRITE_VARLENA;
    return WritingOf(type);
}

int32 PaosShape(Oid relid)
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
    PG_RETURN_INT32(PaosShape(PG_GETARG_OID(0)));
}

void PaosWriterMake(PaosWriter *writer, Oid type)
{
    Oid send;
    bool varlena;

    writer->writing = WritingOfArgument(getBaseType(type));
    if (writer->writing != PAOS_WRITE_BY_SEND && writer->writing != PAOS_WRITE_REFS)
        return;
    getTypeBinaryOutputInfo(type, &send, &varlena);
    fmgr_info(send, &writer->send);
}

static Pack *MakePack(FunctionCallInfo fcinfo)
{
    MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    Pack *pack = palloc0(offsetof(Pack, values) + fcinfo->nargs * sizeof(PaosWriter));
    int i;

    if (get_fn_expr_variadic(fcinfo->flinfo))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("paos.pack takes no VARIADIC array"));
    for (i = PACK_FIRST; i < fcinfo->nargs; i++)
        PaosWriterMake(&pack->values[i], get_fn_expr_argtype(fcinfo->flinfo, i));
    initStringInfo(&pack->row);
    pack->shape = PaosShape(PG_GETARG_OID(0));
    MemoryContextSwitchTo(previous);
    fcinfo->flinfo->fn_extra = pack;
    return pack;
}

/* Most often there is room, and then it takes no call to find that. */
static inline void MakeRoom(StringInfo row, int size)
{
    if (row->maxlen - row->len <= size)
        enlargeStringInfo(row, size);
}

static inline void AppendBytes(StringInfo row, const char *data, int size)
{
    MakeRoom(row, size + (int) sizeof(int32));
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

ArrayType *PaosArrayRead(Datum datum, PaosArrayRoom *room)
{
    struct varlena *value = (struct varlena *) DatumGetPointer(datum);
    int size;

    /* What is stored elsewhere looks short too. */
    if (!VARATT_IS_SHORT(value) || VARATT_IS_EXTERNAL(value))
        return DatumGetArrayTypeP(datum);
    size = VARSIZE_SHORT(value) - VARHDRSZ_SHORT;
    SET_VARSIZE(&room->array, size + VARHDRSZ);
    memcpy(VARDATA(&room->array), VARDATA_SHORT(value), size);
    return &room->array;
}

/* Elements of a paos.ref[] without nulls are written here: sending each costs a call. */
static void AppendRefs(StringInfo row, FmgrInfo *send, Datum datum)
{
    PaosArrayRoom room;
    ArrayType *array = PaosArrayRead(datum, &room);
    int dimensions = ARR_NDIM(array);
    int n = ArrayGetNItems(dimensions, ARR_DIMS(array));
    const int64 *refs = (const int64 *) ARR_DATA_PTR(array);
    int i;

    if (ARR_HASNULL(array))
    {
        AppendSent(row, send, PointerGetDatum(array));
        return;
    }
    MakeRoom(row, 16 + 8 * dimensions + 12 * n);
    pq_writeint32(row, 12 + 8 * dimensions + 12 * n);
    pq_writeint32(row, dimensions);
    pq_writeint32(row, 0);
    pq_writeint32(row, ARR_ELEMTYPE(array));
    for (i = 0; i < dimensions; i++)
    {
        pq_writeint32(row, ARR_DIMS(array)[i]);
        pq_writeint32(row, ARR_LBOUND(array)[i]);
    }
    for (i = 0; i < n; i++)
    {
        pq_writeint32(row, sizeof(int64));
        pq_writeint64(row, refs[i]);
    }
}

static inline void WriteNull(StringInfo row)
{
    MakeRoom(row, sizeof(int32));
    pq_writeint32(row, -1);
}

static inline void WriteValue(StringInfo row, PaosWriter *writer, Datum datum)
{
    /* Enough for the length and any value of a fixed size. */
    MakeRoom(row, 2 * (int) sizeof(int64));
    switch (writer->writing)
    {
        case PAOS_WRITE_1:
            pq_writeint32(row, 1);
            pq_writeint8(row, DatumGetUInt8(datum));
            break;
        case PAOS_WRITE_2:
            pq_writeint32(row, 2);
            pq_writeint16(row, DatumGetUInt16(datum));
            break;
        case PAOS_WRITE_4:
            pq_writeint32(row, 4);
            pq_writeint32(row, DatumGetUInt32(datum));
            break;
        case PAOS_WRITE_8:
            pq_writeint32(row, 8);
            pq_writeint64(row, DatumGetUInt64(datum));
            break;
        case PAOS_WRITE_VARLENA:
            AppendVarlena(row, datum);
            break;
        case PAOS_WRITE_REFS:
            AppendRefs(row, &writer->send, datum);
            break;
        default:
            AppendSent(row, &writer->send, datum);
    }
}

void PaosWriteNumber(StringInfo row, uint32 number)
{
    MakeRoom(row, 2 * sizeof(int32));
    pq_writeint32(row, sizeof(int32));
    pq_writeint32(row, number);
}

void PaosWriteValues(StringInfo row, PaosWriter *writers, int n, const Datum *values,
                     const bool *nulls, const AttrNumber *places)
{
    int i;

    for (i = 0; i < n; i++)
    {
        int place = places ? places[i] : i;

        if (nulls[place])
            WriteNull(row);
        else
            WriteValue(row, &writers[i], values[place]);
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
            WriteNull(row);
        else
            WriteValue(row, &pack->values[i], PG_GETARG_DATUM(i));
    }
    result = palloc(VARHDRSZ + row->len);
    SET_VARSIZE(result, VARHDRSZ + row->len);
    memcpy(VARDATA(result), row->data, row->len);
    PG_RETURN_BYTEA_P(result);
}
