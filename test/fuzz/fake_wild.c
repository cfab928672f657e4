/*
 * fake_wild.c - a server that answers the client with anything.
 *
 * Takes the place of pgio.c.  How many rows there are and what is in them comes
 * from the input.  The catalogue is sound unless the input says otherwise, and
 * so is the frame that rows are packed in.
 */
#include "fake_wild.h"

#include "paos_int.h"

#include <stdlib.h>

#define REF 90001
#define REFS 90002
#define TABLE 4711
#define SHAPE 12345
#define ROWS_MAX 3

/* ---- the input ---- */

static struct
{
    const uint8_t *next, *end;
    bool wild;  /* the catalogue comes from the input too */
    bool loose; /* the frame of rows does */
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
    {"id", 20},       {"bool", 16},      {"int2", 21},      {"int4", 23},    {"float4", 700},
    {"float8", 701},  {"text", 25},      {"bytea", 17},     {"date", 1082},  {"time", 1114},
    {"stamp", 1184},  {"uuid", 2950},    {"numeric", 1700}, {"jsonb", 3802}, {"ref", REF},
    {"key", 23},      {"int8s", 1016},   {"texts", 1009},   {"refs", REFS},  {"dates", 1182},
    {"byteas", 1001}, {"varchar", 1043},
};
#define ATTRIBUTES (sizeof sample / sizeof sample[0])

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

static const column class_columns[] = {{"number", 23},   {"oid", 26},  {"name", 25},
                                       {"sql", 25},      {"key", 25},  {"parent", 23},
                                       {"restless", 16}, {"shape", 23}};

static paosi_result *answer_classes(void)
{
    paosi_result *result = result_new(class_columns, 8, 1);

    set_number(&result->data[0], 1, 4);
    set_number(&result->data[1], TABLE, 4);
    set_text(&result->data[2], "sample");
    set_text(&result->data[3], "public.sample");
    set_text(&result->data[4], "id");
    set_number(&result->data[5], 0, 4);
    set_number(&result->data[6], 0, 1);
    set_number(&result->data[7], SHAPE, 4);
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
        const column *c = &sample[i];
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

/* Adds a value with its size before it; data NULL is a null. */
static void pack(datum *row, const unsigned char *data, size_t size)
{
    row->data = must(realloc(row->data, row->size + 4 + size + 1));
    paosi_write32(row->data + row->size, data ? (uint32_t) size : UINT32_MAX);
    if (data)
        memcpy(row->data + row->size + 4, data, size);
    row->size += 4 + size;
    row->data[row->size] = 0;
}

static void pack_number(datum *row, uint32_t number, size_t size)
{
    datum d = {NULL, 0};

    set_number(&d, number, size);
    pack(row, d.data, size);
    free(d.data);
}

/* Table, version and key are sound, so that more than the first check sees the rest. */
static void pack_row(datum *row, uint32_t key)
{
    size_t i;

    set_number(row, SHAPE, 4);
    pack_number(row, TABLE, 4);
    pack_number(row, 7, 4);
    pack_number(row, key, 8);
    for (i = 1; i < ATTRIBUTES; i++)
    {
        datum d = {NULL, 0};

        set_wild(&d, sample[i].type);
        pack(row, d.data, d.size);
        free(d.data);
    }
}

/* The same row as part of an answer: behind class, shape, step, objects and what is missing. */
static void wrap_row(datum *row)
{
    static const uint32_t header[] = {1, SHAPE, 0, 1, 0};
    unsigned char *part = must(malloc(sizeof header + row->size + 1));
    size_t i;

    for (i = 0; i < sizeof header / sizeof header[0]; i++)
        paosi_write32(part + 4 * i, header[i]);
    memcpy(part + sizeof header, row->data + 4, row->size - 4 + 1);
    free(row->data);
    row->data = part;
    row->size += sizeof header - 4;
}

static paosi_result *answer_objects(bool parts)
{
    static const column columns[] = {{"pack", 17}};
    paosi_result *result;
    size_t row;

    if (input.loose)
        return result_wild(columns, 1);
    result = result_new(columns, 1, take() % (ROWS_MAX + 1));
    for (row = 0; row < result->rows; row++)
        pack_row(&result->data[row], (uint32_t) row + 1);
    for (row = 0; parts && row < result->rows; row++)
        wrap_row(&result->data[row]);
    return result;
}

static paosi_result *answer(const char *sql)
{
    static const column any[] = {{"any", 20}, {"other", 17}};
    paosi_result *result;

    if (strstr(sql, "pg_extension"))
        return input.wild ? result_wild(any, 2) : answer_types();
    /* Takes nothing of the input, so that saved inputs keep their meaning. */
    if (strstr(sql, "pg_walfile_name"))
        return result_new(any, 1, 0);
    if (strstr(sql, "FROM paos.classes"))
        return input.wild ? result_wild(class_columns, 8) : answer_classes();
    if (strstr(sql, "FROM paos.attributes"))
        return input.wild ? result_wild(attribute_columns, 10) : answer_attributes();
    if (strstr(sql, "WITH RECURSIVE part"))
        return answer_tables();
    if (strstr(sql, "SELECT paos.pack(") || strstr(sql, "SELECT paos.answer("))
        return answer_objects(strstr(sql, "SELECT paos.answer(") != NULL);
    if (strstr(sql, "to_regclass"))
    {
        result = result_new(any, 1, 1);
        set_number(&result->data[0], TABLE, 4);
        return result;
    }
    return result_wild(any, 2);
}

/* ---- pgio.h ---- */

paos_status paosi_dial_open(const paosi_dial *dial, paosi_pgio **out, char **message)
{
    (void) dial, (void) message;
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
    {
        if (statements[i].make && !statements[i].make(statements[i].arg))
            abort();
        results[i] = answer(statements[i].sql);
    }
    return PAOS_OK;
}

paos_status paosi_pgio_stream(paosi_pgio *io, const paosi_statement *statement,
                              paosi_taker take_row, void *arg, paosi_result **result)
{
    size_t reached, i;
    paosi_result *whole;
    bool wanted = true;
    paos_status status = paosi_pgio_exchange(io, statement, 1, &whole, &reached);

    *result = NULL;
    if (status != PAOS_OK)
        return status;
    for (i = 0; wanted && i < whole->rows; i++)
    {
        paosi_result row = *whole;

        row.rows = 1;
        row.data = whole->data + i * whole->width;
        wanted = take_row(arg, &row);
    }
    *result = result_new(whole->columns, whole->width, 0);
    (*result)->outcome = whole->outcome;
    paosi_result_free(whole);
    return status;
}

/* ---- notifications: what event_fuzz.c has been given ---- */

static const char *notification;

void fake_wild_notify(const char *text)
{
    notification = text;
}

/* Once it is lost it stays lost. */
paos_status paosi_dial_start(const paosi_dial *dial, paosi_pgio **out)
{
    (void) dial, (void) out;
    return PAOS_NO_MEMORY;
}

paos_status paosi_dial_step(paosi_pgio *io, bool *writing)
{
    (void) io, (void) writing;
    return PAOS_DISCONNECTED;
}

bool paosi_pgio_ping(paosi_pgio *io)
{
    (void) io;
    return true;
}

bool paosi_pgio_pinging(const paosi_pgio *io)
{
    (void) io;
    return false;
}

void paosi_pgio_break(paosi_pgio *io, const char *message)
{
    (void) io, (void) message;
}

void paosi_pgio_doubt(paosi_pgio *io, int after_ms, bool (*alive)(void *arg), void *arg)
{
    (void) io, (void) after_ms, (void) alive, (void) arg;
}

int paosi_pgio_backend(const paosi_pgio *io)
{
    (void) io;
    return 1;
}

paos_status paosi_pgio_receive(paosi_pgio *io)
{
    (void) io;
    return PAOS_OK;
}

bool paosi_pgio_pending(paosi_pgio *io)
{
    (void) io;
    return notification != NULL;
}

paosi_notification *paosi_pgio_next(paosi_pgio *io)
{
    paosi_notification *next = (paosi_notification *) notification;

    (void) io;
    notification = NULL;
    return next;
}

const char *paosi_notification_text(const paosi_notification *next)
{
    return (const char *) next;
}

void paosi_notification_free(paosi_notification *next)
{
    (void) next;
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

/* ---- for the target ---- */

void fake_wild_begin(const uint8_t *data, size_t size)
{
    input.next = data;
    input.end = data + size;
    input.wild = size > 0 && data[0] & 1;
    input.loose = size > 0 && data[0] & 2;
    take();
}

const char *fake_wild_attribute(size_t i)
{
    return i < ATTRIBUTES ? sample[i].name : NULL;
}
