/*
 * value_fuzz.c - a server that answers the client with anything.
 *
 * Takes the place of pgio.c.  Columns are as the client expects them, since it
 * checks those; how many rows there are and what is in them comes from the
 * input.  The catalogue is sound unless the first byte says otherwise.  What
 * was read as a value must be accepted as one, and mean the same again.
 */
#include "paos_int.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REF 90001
#define REFS 90002
#define TABLE 4711
#define ROWS_MAX 3

/* ---- the input ---- */

static struct
{
    const uint8_t *next, *end;
    bool wild; /* the catalogue comes from the input too */
} input;

static unsigned take(void)
{
    return input.next < input.end ? *input.next++ : 0;
}

/* ---- results ---- */

typedef struct column
{
    const char *name;
    uint32_t type;
} column;

typedef struct datum
{
    unsigned char *data;
    size_t size;
} datum;

struct paosi_result
{
    paosi_outcome outcome;
    const column *columns;
    size_t width, rows;
    datum *data;
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void set(datum *d, const void *data, size_t size)
{
    d->data = must(malloc(size + 1));
    d->size = size;
    memcpy(d->data, data, size);
    d->data[size] = 0;
}

static size_t natural_size(uint32_t type)
{
    switch (type)
    {
        case 16:
            return 1;
        case 21:
            return 2;
        case 23:
        case 26:
        case 28:
        case 700:
        case 1082:
            return 4;
        case 2950:
            return 16;
        default:
            return 8;
    }
}

/* A null, a value of the size that its type should have, or of any other. */
static void set_wild(datum *d, uint32_t type)
{
    unsigned char bytes[512];
    unsigned code = take();
    size_t size = code < 64 ? code : code < 160 ? natural_size(type) : (size_t) (code - 160) * 5;
    size_t i;

    if (code == 255)
        return;
    for (i = 0; i < size; i++)
        bytes[i] = (unsigned char) take();
    set(d, bytes, size);
}

static paosi_result *result_new(const column *columns, size_t width, size_t rows)
{
    paosi_result *result = must(calloc(1, sizeof *result));

    result->columns = columns;
    result->width = width;
    result->rows = rows;
    result->data = must(calloc(width * rows + 1, sizeof *result->data));
    return result;
}

static paosi_result *result_wild(const column *columns, size_t width)
{
    unsigned code = take();
    paosi_result *result = result_new(columns, width, code % (ROWS_MAX + 1));
    size_t i;

    result->outcome = code < 240 ? PAOSI_DONE : PAOSI_FAILED;
    for (i = 0; i < result->width * result->rows; i++)
        set_wild(&result->data[i], columns[i % width].type);
    return result;
}

/* ---- the catalogue: one class with a column of each type ---- */

static const column sample[] = {
    {"tableoid", 26}, {"xmin", 28},    {"id", 20},       {"bool", 16},      {"int2", 21},
    {"int4", 23},     {"float4", 700}, {"float8", 701},  {"text", 25},      {"bytea", 17},
    {"date", 1082},   {"time", 1114},  {"stamp", 1184},  {"uuid", 2950},    {"numeric", 1700},
    {"jsonb", 3802},  {"ref", REF},    {"key", 23},      {"int8s", 1016},   {"texts", 1009},
    {"refs", REFS},   {"dates", 1182}, {"byteas", 1001}, {"varchar", 1043},
};
#define ATTRIBUTES (sizeof sample / sizeof sample[0] - 2)

static uint32_t element_of(uint32_t type)
{
    switch (type)
    {
        case 1016:
            return 20;
        case 1009:
            return 25;
        case REFS:
            return REF;
        case 1182:
            return 1082;
        case 1001:
            return 17;
        default:
            return 0;
    }
}

static void set_number(datum *d, uint32_t number, size_t size)
{
    unsigned char bytes[8] = {0};

    paosi_write32(bytes + (size == 8 ? 4 : 0), size == 1 ? number << 24 : number);
    set(d, bytes, size);
}

static void set_text(datum *d, const char *text)
{
    set(d, text, strlen(text));
}

static const column class_columns[] = {{"number", 23}, {"oid", 26},    {"name", 25},    {"sql", 25},
                                       {"key", 25},    {"parent", 23}, {"restless", 16}};

static paosi_result *answer_classes(void)
{
    paosi_result *result = result_new(class_columns, 7, 1);

    set_number(&result->data[0], 1, 4);
    set_number(&result->data[1], TABLE, 4);
    set_text(&result->data[2], "sample");
    set_text(&result->data[3], "public.sample");
    set_text(&result->data[4], "id");
    set_number(&result->data[5], 0, 4);
    set_number(&result->data[6], 0, 1);
    return result;
}

static const column attribute_columns[] = {
    {"class", 23},    {"name", 25},     {"type", 25},      {"oid", 26},       {"array", 26},
    {"category", 25}, {"modifier", 23}, {"generated", 16}, {"defaulted", 16}, {"target", 23}};

static paosi_result *answer_attributes(void)
{
    paosi_result *result = result_new(attribute_columns, 10, ATTRIBUTES);
    size_t i;

    for (i = 0; i < ATTRIBUTES; i++)
    {
        const column *c = &sample[i + 2];
        datum *d = &result->data[i * 10];

        set_number(&d[0], 1, 4);
        set_text(&d[1], c->name);
        set_text(&d[2], "pg_catalog.some");
        set_number(&d[3], c->type, 4);
        set_number(&d[4], element_of(c->type), 4);
        set_text(&d[5], "b");
        set_number(&d[6], UINT32_MAX, 4);
        set_number(&d[7], 0, 1);
        set_number(&d[8], i == 0, 1);
        set_number(&d[9], strcmp(c->name, "key") == 0, 4);
    }
    return result;
}

static paosi_result *answer_tables(void)
{
    static const column columns[] = {{"relation", 26}, {"class", 23}};
    paosi_result *result;

    if (input.wild)
        return result_wild(columns, 2);
    result = result_new(columns, 2, 1);
    set_number(&result->data[0], TABLE, 4);
    set_number(&result->data[1], 1, 4);
    return result;
}

static paosi_result *answer_types(void)
{
    static const column columns[] = {{"oid", 26}, {"typarray", 26}};
    paosi_result *result = result_new(columns, 2, 1);

    set_number(&result->data[0], REF, 4);
    set_number(&result->data[1], REFS, 4);
    return result;
}

/* Rows of the table itself, so that more than the first check sees them. */
static paosi_result *answer_objects(void)
{
    paosi_result *result = result_wild(sample, ATTRIBUTES + 2);
    size_t row;

    for (row = 0; row < result->rows && !input.wild; row++)
    {
        datum *d = &result->data[row * result->width];

        free(d[0].data);
        set_number(&d[0], TABLE, 4);
        free(d[2].data);
        set_number(&d[2], (uint32_t) row + 1, 8);
    }
    return result;
}

static paosi_result *answer(const char *sql)
{
    static const column any[] = {{"any", 20}, {"other", 17}};
    paosi_result *result;

    if (strstr(sql, "pg_extension"))
        return input.wild ? result_wild(any, 2) : answer_types();
    if (strstr(sql, "FROM paos.classes"))
        return input.wild ? result_wild(class_columns, 7) : answer_classes();
    if (strstr(sql, "FROM paos.attributes"))
        return input.wild ? result_wild(attribute_columns, 10) : answer_attributes();
    if (strstr(sql, "WITH RECURSIVE part"))
        return answer_tables();
    if (strstr(sql, "SELECT o$.tableoid"))
        return answer_objects();
    if (strstr(sql, "to_regclass"))
    {
        result = result_new(any, 1, 1);
        set_number(&result->data[0], TABLE, 4);
        return result;
    }
    return result_wild(any, 2);
}

/* ---- pgio.h ---- */

paos_status paosi_pgio_open(const char *conninfo, const char *application, paosi_pgio **out,
                            char **message)
{
    (void) conninfo, (void) application, (void) message;
    *out = must(malloc(1));
    return PAOS_OK;
}

void paosi_pgio_close(paosi_pgio *io)
{
    free(io);
}

int paosi_pgio_fd(const paosi_pgio *io)
{
    (void) io;
    return -1;
}

const char *paosi_pgio_database(const paosi_pgio *io)
{
    (void) io;
    return "wild";
}

const char *paosi_pgio_message(const paosi_pgio *io)
{
    (void) io;
    return "";
}

/* An input that is used up ends the connection, so that nobody asks for ever. */
paos_status paosi_pgio_exchange(paosi_pgio *io, const paosi_statement *statements, size_t n,
                                paosi_result **results, size_t *reached)
{
    size_t i;

    (void) io;
    memset(results, 0, n * sizeof *results);
    *reached = n;
    if (input.next == input.end)
        return PAOS_DISCONNECTED;
    for (i = 0; i < n; i++)
        results[i] = answer(statements[i].sql);
    return PAOS_OK;
}

paosi_outcome paosi_result_outcome(const paosi_result *result)
{
    return result->outcome;
}

#define NO_TEXT(name)                            \
    const char *name(const paosi_result *result) \
    {                                            \
        (void) result;                           \
        return "";                               \
    }
NO_TEXT(paosi_result_sqlstate)
NO_TEXT(paosi_result_message)
NO_TEXT(paosi_result_detail)
NO_TEXT(paosi_result_hint)

int paosi_result_position(const paosi_result *result)
{
    return (int) result->rows;
}

size_t paosi_result_rows(const paosi_result *result)
{
    return result->rows;
}

size_t paosi_result_columns(const paosi_result *result)
{
    return result->width;
}

const char *paosi_result_name(const paosi_result *result, size_t i)
{
    return result->columns[i].name;
}

uint32_t paosi_result_type(const paosi_result *result, size_t i)
{
    return result->columns[i].type;
}

const unsigned char *paosi_result_value(const paosi_result *result, size_t row, size_t i,
                                        size_t *size)
{
    const datum *d = &result->data[row * result->width + i];

    *size = d->size;
    return d->data;
}

void paosi_result_free(paosi_result *result)
{
    size_t i;

    for (i = 0; result && i < result->rows * result->width; i++)
        free(result->data[i].data);
    if (result)
        free(result->data);
    free(result);
}

/* ---- a program ---- */

/* What was read can be set, and has the same text then. */
static void read_and_set(paos_object *object, const char *name)
{
    paos_value value;
    const char *text;
    char *before;

    paos_object_int(object, name);
    paos_object_float(object, name);
    if (paos_object_get(object, name, &value) != PAOS_OK)
        return;
    text = paos_object_text(object, name);
    if (!text || paos_object_set(object, name, value) != PAOS_OK)
        return;
    before = must(strdup(text));
    text = paos_object_text(object, name);
    if (!text || strcmp(before, text) != 0)
        abort();
    free(before);
}

static void use_object(paos_object *object)
{
    paos_list *list = NULL;
    size_t i;

    for (i = 2; i < ATTRIBUTES + 2; i++)
        read_and_set(object, sample[i].name);
    paos_object_ref(object, "ref");
    paos_object_ref(object, "key");
    if (paos_object_refs(object, "refs", &list) == PAOS_OK)
        paos_list_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    paos_conn *conn = NULL;
    paos_list *list = NULL;
    size_t i;

    input.next = data;
    input.end = data + size;
    input.wild = take() & 1;
    if (paos_conn_open("", NULL, &conn) != PAOS_OK)
        return 0;
    if (paos_get(conn, input.wild ? PAOS_WRITE : PAOS_READ, "sample", NULL, NULL, 0, &list) ==
        PAOS_OK)
    {
        for (i = 0; i < paos_list_size(list); i++)
            use_object(paos_list_at(list, i));
        paos_commit(conn, NULL, 0);
    }
    paos_conn_close(conn);
    paos_list_free(list);
    return 0;
}
