/*
 * query_args.c - paos.bind: puts values in the place of $1, $2, ….
 *
 * A value becomes a literal of the language, so a query with values is a query
 * like any other: it can be stored, compared and planned for.  The literal's
 * meaning is then the attribute's: text for a date column is read as a date.
 */
#include "paos.h"
#include "query.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(paos_query_bind);

typedef struct Args
{
    const char *text; /* of the query */
    int count;
    Datum *values;
    Oid *types;
    bool *nulls;
    int used; /* highest number of a parameter */
} Args;

static void SetText(PaosQueryNode *node, PaosQueryTag tag, const char *text)
{
    node->tag = tag;
    node->text = text;
}

static void SetInteger(PaosQueryNode *node, int64 value)
{
    SetText(node, PAOS_QUERY_NUMBER, psprintf(INT64_FORMAT, value));
}

/* Infinities and NaN have no form as numbers. */
static void SetNumber(PaosQueryNode *node, const char *text)
{
    const char *p = text + (*text == '-');

    SetText(node, *p >= '0' && *p <= '9' ? PAOS_QUERY_NUMBER : PAOS_QUERY_STRING, text);
}

static void SetFloat(PaosQueryNode *node, double value)
{
    char *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

    double_to_shortest_decimal_buf(value, text);
    SetNumber(node, text);
}

static void SetFloat4(PaosQueryNode *node, float value)
{
    char *text = palloc(FLOAT_SHORTEST_DECIMAL_LEN);

    float_to_shortest_decimal_buf(value, text);
    SetNumber(node, text);
}

static void SetBytes(PaosQueryNode *node, bytea *value)
{
    size_t length = VARSIZE_ANY_EXHDR(value);
    char *text = palloc(length * 2 + 3);

    text[0] = '\\';
    text[1] = 'x';
    text[2 + hex_encode(VARDATA_ANY(value), length, text + 2)] = '\0';
    SetText(node, PAOS_QUERY_STRING, text);
}

static void SetValue(PaosQueryNode *node, Datum value, Oid type)
{
    switch (type)
    {
        case BOOLOID:
            node->tag = PAOS_QUERY_BOOL;
            node->truth = DatumGetBool(value);
            return;
        case INT2OID:
            SetInteger(node, DatumGetInt16(value));
            return;
        case INT4OID:
            SetInteger(node, DatumGetInt32(value));
            return;
        case INT8OID:
            SetInteger(node, DatumGetInt64(value));
            return;
        case FLOAT4OID:
            SetFloat4(node, DatumGetFloat4(value));
            return;
        case FLOAT8OID:
            SetFloat(node, DatumGetFloat8(value));
            return;
        case NUMERICOID:
            SetNumber(node, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
            return;
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID:
            SetText(node, PAOS_QUERY_STRING, TextDatumGetCString(value));
            return;
        case NAMEOID:
            SetText(node, PAOS_QUERY_STRING, pstrdup(NameStr(*DatumGetName(value))));
            return;
        case BYTEAOID:
            SetBytes(node, DatumGetByteaPP(value));
            return;
    }
    if (type != PaosRefTypeOid())
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("a parameter of a query cannot be of type %s", format_type_be(type)),
                errhint("Cast the value to text."));
    node->tag = PAOS_QUERY_REF;
    node->ref = DatumGetPaosRef(value);
}

static void SetParam(PaosQueryNode *node, Args *args)
{
    int i = node->number - 1;

    if (i >= args->count)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_PARAMETER),
                errmsg("no value for parameter $%d", node->number),
                PaosQueryErrorPosition(args->text, node->location));
    args->used = Max(args->used, node->number);
    if (args->nulls[i])
        node->tag = PAOS_QUERY_NULL;
    else
        SetValue(node, args->values[i], args->types[i]);
}

static void SetParams(PaosQueryNode *node, Args *args)
{
    PaosQueryNode *arg;

    check_stack_depth();
    if (node->tag == PAOS_QUERY_PARAM)
        SetParam(node, args);
    for (arg = node->args; arg != NULL; arg = arg->next)
        SetParams(arg, args);
}

/* bind(query, VARIADIC args) */
Datum paos_query_bind(PG_FUNCTION_ARGS)
{
    Args args = {0};
    PaosQueryNode *tree;

    if (PG_ARGISNULL(0))
        PG_RETURN_NULL();
    args.text = text_to_cstring(PG_GETARG_TEXT_PP(0));
    args.count = extract_variadic_args(fcinfo, 1, true, &args.values, &args.types, &args.nulls);
    if (args.count < 0)
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("the array of parameter values is null"));
    tree = PaosQueryParse(args.text);
    SetParams(tree, &args);
    if (args.count > args.used)
        ereport(
            ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("too many parameter values: %d, where %d are expected", args.count, args.used));
    PG_RETURN_TEXT_P(cstring_to_text(PaosQueryPrint(tree)));
}
