/*
 * text.c - any value as text, in the server's notation.
 *
 * What the server prints depends on its settings; here it is always ISO dates,
 * UTC, hexadecimal bytes and the shortest digits that give the same float back.
 * None of it depends on the program's locale.
 */
#include "paos_int.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- floats ---- */

static char point(void)
{
    return localeconv()->decimal_point[0];
}

static void replace(char *text, char from, char to)
{
    char *p = strchr(text, from);

    if (p)
        *p = to;
}

static bool same_float(const char *text, double value, bool single)
{
    return single ? strtof(text, NULL) == (float) value : strtod(text, NULL) == value;
}

void paosi_text_float(char *room, double value, bool single)
{
    /* So many digits are always kept, but for numbers next to 0. */
    int precision = fabs(value) < (single ? FLT_MIN : DBL_MIN) ? 1 : single ? 6 : 15;
    /* From here on the server writes an exponent, whatever the number of digits. */
    double large = single ? 1e6 : 1e15;

    if (isnan(value) || isinf(value))
    {
        strcpy(room, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    snprintf(room, PAOSI_ARGUMENT, "%.*g", precision, value);
    while (!same_float(room, value, single))
    {
        precision++;
        if (fabs(value) >= large)
            snprintf(room, PAOSI_ARGUMENT, "%.*e", precision - 1, value);
        else
            snprintf(room, PAOSI_ARGUMENT, "%.*g", precision, value);
    }
    replace(room, point(), '.');
}

double paosi_text_to_float(const char *text)
{
    char room[64];
    size_t size = strlen(text);
    char *copy = size < sizeof room ? room : paosi_malloc(size + 1);
    double value;

    if (!copy)
        return NAN;
    memcpy(copy, text, size + 1);
    replace(copy, '.', point());
    value = strtod(copy, NULL);
    if (copy != room)
        paosi_free(copy);
    return value;
}

/* ---- dates ---- */

/* Gregorian calendar of a day since 1970, by eras of 400 years that begin in March. */
static void civil(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t era, of_era, year_of_era, of_year, shifted;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    of_era = days - era * 146097;
    year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    shifted = (5 * of_year + 2) / 153;
    *day = (int) (of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int) (shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* Prints the day and returns its length; there is no year 0 before 1 BC's end. */
static int print_day(char *room, int64_t days, bool *bc)
{
    int64_t year;
    int month, day;

    civil(days, &year, &month, &day);
    *bc = year <= 0;
    return snprintf(room, PAOSI_ARGUMENT / 2, "%04lld-%02d-%02d",
                    (long long) (*bc ? 1 - year : year), month, day);
}

static bool print_infinity(char *room, int64_t value)
{
    if (value != INT64_MIN && value != INT64_MAX)
        return false;
    strcpy(room, value < 0 ? "-infinity" : "infinity");
    return true;
}

void paosi_text_date(char *room, int64_t days)
{
    bool bc;

    if (print_infinity(room, days))
        return;
    room += print_day(room, days, &bc);
    strcpy(room, bc ? " BC" : "");
}

void paosi_text_timestamp(char *room, int64_t microseconds, bool zone)
{
    const int64_t a_day = INT64_C(86400000000);
    int64_t days = microseconds / a_day - (microseconds % a_day < 0);
    int64_t rest = microseconds % a_day + (microseconds % a_day < 0 ? a_day : 0);
    char *end;
    bool bc;

    if (print_infinity(room, microseconds))
        return;
    room += print_day(room, days, &bc);
    room += snprintf(room, 16, " %02d:%02d:%02d", (int) (rest / INT64_C(3600000000)),
                     (int) (rest / 60000000 % 60), (int) (rest / 1000000 % 60));
    if (rest % 1000000)
    {
        room += snprintf(room, 9, ".%06d", (int) (rest % 1000000));
        for (end = room; end[-1] == '0';)
            *--end = 0;
        room = end;
    }
    strcpy(room, zone ? "+00" : "");
    strcat(room, bc ? " BC" : "");
}

void paosi_text_uuid(char *room, const unsigned char *bytes)
{
    int i;

    for (i = 0; i < 16; i++)
    {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *room++ = '-';
        room += sprintf(room, "%02x", bytes[i]);
    }
}

/* ---- cells ---- */

static void print_bytes(paosi_buffer *out, paosi_cell cell)
{
    static const char digits[] = "0123456789abcdef";
    char *room = paosi_buffer_room(out, 2 + 2 * cell.size);
    size_t i;

    if (!room)
        return;
    memcpy(room, "\\x", 2);
    for (i = 0; i < cell.size; i++)
    {
        room[2 + 2 * i] = digits[cell.data[i] >> 4];
        room[3 + 2 * i] = digits[cell.data[i] & 15];
    }
    out->size += 2 + 2 * cell.size;
}

static void print_ref(char *room, const paos_value *value)
{
    if (value->as.ref.id)
        snprintf(room, PAOSI_ARGUMENT, "%u:%llu", paosi_id_class(value->as.ref.id),
                 (unsigned long long) paosi_id_key(value->as.ref.id));
    else
        strcpy(room, "new");
}

/* Everything but text, bytes and arrays. */
static void print_scalar(char *room, const paosi_column *column, uint8_t store,
                         const paos_value *value)
{
    switch (value->kind)
    {
        case PAOS_KIND_BOOL:
            strcpy(room, value->as.boolean ? "true" : "false");
            break;
        case PAOS_KIND_FLOAT:
            paosi_text_float(room, value->as.number, store == PAOSI_FLOAT4);
            break;
        case PAOS_KIND_TIMESTAMP:
            paosi_text_timestamp(room, value->as.integer,
                                 column->type.oid == PAOSI_OID_TIMESTAMPTZ ||
                                     column->type.array == PAOSI_OID_TIMESTAMPTZ);
            break;
        case PAOS_KIND_DATE:
            paosi_text_date(room, value->as.integer);
            break;
        case PAOS_KIND_UUID:
            paosi_text_uuid(room, value->as.uuid);
            break;
        case PAOS_KIND_REF:
            print_ref(room, value);
            break;
        default:
            snprintf(room, PAOSI_ARGUMENT, "%lld", (long long) value->as.integer);
    }
}

/* ---- arrays: {a,"b c",NULL} ---- */

static bool needs_quotes(const char *text)
{
    return *text == 0 || strpbrk(text, "{}\",\\ \t\n\r\v\f") ||
           ((text[0] | 32) == 'n' && (text[1] | 32) == 'u' && (text[2] | 32) == 'l' &&
            (text[3] | 32) == 'l' && text[4] == 0);
}

static void print_quoted(paosi_buffer *out, const char *text)
{
    if (!needs_quotes(text))
    {
        paosi_buffer_text(out, text);
        return;
    }
    paosi_buffer_text(out, "\"");
    for (; *text; text++)
    {
        if (*text == '"' || *text == '\\')
            paosi_buffer_text(out, "\\");
        paosi_buffer_add(out, text, 1);
    }
    paosi_buffer_text(out, "\"");
}

static void print_item(paosi_buffer *out, const paosi_column *column, const paos_value *item)
{
    paosi_cell cell = {PAOSI_VALUE, NULL, 0};
    char room[PAOSI_ARGUMENT];

    switch (item->kind)
    {
        case PAOS_KIND_NULL:
            paosi_buffer_text(out, "NULL");
            break;
        case PAOS_KIND_BOOL:
            /* Not as outside of an array. */
            paosi_buffer_text(out, item->as.boolean ? "t" : "f");
            break;
        case PAOS_KIND_TEXT:
        case PAOS_KIND_JSON:
        case PAOS_KIND_NUMERIC:
            print_quoted(out, item->as.text.data);
            break;
        case PAOS_KIND_BYTES:
            cell.data = (const unsigned char *) item->as.text.data;
            cell.size = item->as.text.size;
            /* Its backslash has to be quoted, and nothing else. */
            paosi_buffer_text(out, "\"\\");
            print_bytes(out, cell);
            paosi_buffer_text(out, "\"");
            break;
        default:
            print_scalar(room, column, column->type.element, item);
            print_quoted(out, room);
    }
}

static void print_array(paosi_buffer *out, const paosi_column *column, const paos_value *array)
{
    size_t i;

    paosi_buffer_text(out, "{");
    for (i = 0; i < array->as.array.size; i++)
    {
        if (i > 0)
            paosi_buffer_text(out, ",");
        print_item(out, column, &array->as.array.items[i]);
    }
    paosi_buffer_text(out, "}");
}

const char *paosi_text_of(paos_conn *conn, const paosi_column *column, paosi_cell cell)
{
    paosi_buffer out = {0};
    char room[PAOSI_ARGUMENT];
    paos_value value;
    char *text;

    if (cell.state != PAOSI_VALUE)
        return NULL;
    if (column->type.store == PAOSI_TEXT)
        return (const char *) cell.data;
    if (paosi_value_decode(conn, column, cell, &value) != PAOS_OK || value.kind == PAOS_KIND_NULL)
        return NULL;
    if (column->type.store == PAOSI_KEY && value.kind == PAOS_KIND_REF && value.as.ref.id)
        value = paos_int((int64_t) paosi_read64(cell.data));
    if (column->type.store == PAOSI_BYTES)
        print_bytes(&out, cell);
    else if (column->type.store == PAOSI_ARRAY)
        print_array(&out, column, &value);
    else
    {
        print_scalar(room, column, column->type.store, &value);
        paosi_buffer_text(&out, room);
    }
    paosi_buffer_add(&out, "", 1);
    text = out.failed ? NULL : paosi_conn_conversion(conn, out.size);
    if (text)
        memcpy(text, out.data, out.size);
    else
        paosi_fail_memory(conn);
    paosi_buffer_free(&out);
    return text;
}
