/*
 * rows.c - paos.rows(bytea), rows of any types out of one binary value.
 *
 * A client's bulk statement needs one parameter however many rows and columns
 * it has, and arrays need no flattening as unnest would do to them.  The bytes
 * come from outside: every length is checked against what is left before use.
 */
#include "paos.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(paos_rows);
PG_FUNCTION_INFO_V1(paos_rows_support);

typedef struct ColumnReader
{
    FmgrInfo receive;
    Oid typioparam;
    int32 typmod;
} ColumnReader;

static void Refuse(const char *detail)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("malformed rows"),
            errdetail_internal("%s", detail));
}

static ColumnReader *MakeReaders(TupleDesc desc)
{
    ColumnReader *readers = palloc(desc->natts * sizeof(ColumnReader));
    int i;

    for (i = 0; i < desc->natts; i++)
    {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);
        Oid receive;

        getTypeBinaryInputInfo(attribute->atttypid, &receive, &readers[i].typioparam);
        fmgr_info(receive, &readers[i].receive);
        readers[i].typmod = attribute->atttypmod;
    }
    return readers;
}

static int32 ReadInt32(StringInfo data)
{
    if (data->len - data->cursor < (int) sizeof(int32))
        Refuse("The data end before the rows do.");
    return (int32) pq_getmsgint(data, sizeof(int32));
}

/*
 * Receive functions need the value in a buffer of its own with a terminator
 * behind it: the byte that follows it is set aside meanwhile, as the server's
 * own array_recv does.
 */
static Datum ReadValue(StringInfo data, ColumnReader *reader, bool *isnull)
{
    int32 length = ReadInt32(data);
    StringInfoData value;
    char *end;
    char saved;
    Datum result;

    *isnull = length == -1;
    if (*isnull)
        return ReceiveFunctionCall(&reader->receive, NULL, reader->typioparam, reader->typmod);
    if (length < 0 || length > data->len - data->cursor)
        Refuse("The length of a value is out of range.");

    value =
        (StringInfoData){.data = data->data + data->cursor, .len = length, .maxlen = length + 1};
    data->cursor += length;
    end = data->data + data->cursor;
    saved = *end;
    *end = '\0';
    result = ReceiveFunctionCall(&reader->receive, &value, reader->typioparam, reader->typmod);
    *end = saved;
    if (value.cursor != length)
        Refuse("A value is longer than its type.");
    return result;
}

/* A copy with room for a terminator, for ReadValue writes into it. */
static void OpenData(bytea *source, StringInfo data)
{
    data->len = VARSIZE_ANY_EXHDR(source);
    data->data = palloc_extended(data->len + 1, MCXT_ALLOC_HUGE);
    memcpy(data->data, VARDATA_ANY(source), data->len);
    data->data[data->len] = '\0';
    data->maxlen = data->len + 1;
    data->cursor = 0;
}

static void ReadRows(StringInfo data, TupleDesc desc, Tuplestorestate *store)
{
    ColumnReader *readers = MakeReaders(desc);
    Datum *values = palloc(desc->natts * sizeof(Datum));
    bool *nulls = palloc(desc->natts * sizeof(bool));
    MemoryContext rows =
        AllocSetContextCreate(CurrentMemoryContext, "paos rows", ALLOCSET_DEFAULT_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(rows);
    int32 n = ReadInt32(data);
    int32 i;
    int column;

    for (i = 0; i < n; i++)
    {
        CHECK_FOR_INTERRUPTS();
        for (column = 0; column < desc->natts; column++)
            values[column] = ReadValue(data, &readers[column], &nulls[column]);
        tuplestore_putvalues(store, desc, values, nulls);
        MemoryContextReset(rows);
    }
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(rows);
    if (n < 0 || data->cursor != data->len)
        Refuse("The number of rows does not agree with the data.");
}

Datum paos_rows(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    StringInfoData data;

    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    OpenData(PG_GETARG_BYTEA_PP(0), &data);
    ReadRows(&data, result->setDesc, result->setResult);
    return (Datum) 0;
}

/* Tells the planner how many rows a known value holds. */
Datum paos_rows_support(PG_FUNCTION_ARGS)
{
    Node *node = (Node *) PG_GETARG_POINTER(0);
    SupportRequestRows *request = (SupportRequestRows *) node;
    Node *argument;
    bytea *data;
    uint32 n;

    if (!IsA(node, SupportRequestRows) || !is_funcclause(request->node))
        PG_RETURN_POINTER(NULL);
    argument =
        estimate_expression_value(request->root, linitial(((FuncExpr *) request->node)->args));
    if (!IsA(argument, Const) || ((Const *) argument)->constisnull)
        PG_RETURN_POINTER(NULL);
    data = DatumGetByteaPSlice(((Const *) argument)->constvalue, 0, sizeof(n));
    if (VARSIZE_ANY_EXHDR(data) < sizeof(n))
        PG_RETURN_POINTER(NULL);
    memcpy(&n, VARDATA_ANY(data), sizeof(n));
    request->rows = Max((int32) pg_ntoh32(n), 0);
    PG_RETURN_POINTER(request);
}
