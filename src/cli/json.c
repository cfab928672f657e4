/*
 * json.c - values as JSON, a line for each answer or event.
 *
 * What JSON has no exact form for is its text in the server's notation: numeric
 * (JSON readers make a double of it), timestamps, bytes, infinities.
 */
#include "cli.h"

#include <math.h>
#include <stdlib.h>

json_t *json_text(const char *text)
{
    json_t *string = json_string(text);
    char *shown = NULL;
    size_t size;
    FILE *file;

    if (string)
        return string;
    /* Not UTF-8: a database in SQL_ASCII holds any bytes. */
    file = open_memstream(&shown, &size);
    if (file)
    {
        text_put(file, text);
        fclose(file);
        string = json_string(shown);
        free(shown);
    }
    return string ? string : json_null();
}

/* NULL when an item has no form of its own: then the array as a whole is text. */
static json_t *array(const paos_value *value)
{
    json_t *items = json_array();

    for (size_t i = 0; i < value->as.array.size; i++)
    {
        const paos_value *item = &value->as.array.items[i];
        bool text = item->kind == PAOS_KIND_TEXT || item->kind == PAOS_KIND_NUMERIC;
        json_t *json = json_value(item, text ? item->as.text.data : NULL);

        if (json)
            json_array_append_new(items, json);
        else
        {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}

static json_t *reference(paos_id id)
{
    char name[REF_TEXT];

    ref_text(id, name);
    return json_string(name);
}

/* A json value keeps its form, but for numbers that do not fit: those stay text. */
static json_t *document(const char *text)
{
    json_t *parsed = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    return parsed ? parsed : json_text(text);
}

json_t *json_value(const paos_value *value, const char *text)
{
    json_t *items;

    switch (value->kind)
    {
        case PAOS_KIND_NULL:
            return json_null();
        case PAOS_KIND_BOOL:
            return json_boolean(value->as.boolean);
        case PAOS_KIND_INT:
            return json_integer(value->as.integer);
        case PAOS_KIND_FLOAT:
            if (isfinite(value->as.number))
                return json_real(value->as.number);
            break;
        case PAOS_KIND_JSON:
            return document(value->as.text.data);
        case PAOS_KIND_REF:
            return reference(value->as.ref.id);
        case PAOS_KIND_ARRAY:
            items = array(value);
            if (items)
                return items;
            break;
        default:
            break;
    }
    return text ? json_text(text) : NULL;
}

/* The digits that bring a number back exactly: 15, and at most 17. */
static int digits(double number)
{
    char text[40];
    int digits;

    for (digits = 15; digits < 17; digits++)
    {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return digits;
}

/* jansson prints all numbers of a text with as many digits. */
static int most_digits(json_t *json)
{
    const char *key;
    size_t index;
    json_t *part;
    int most = json_is_real(json) ? digits(json_real_value(json)) : 0;

    json_object_foreach(json, key, part)
    {
        int digits = most_digits(part);

        most = digits > most ? digits : most;
    }
    json_array_foreach(json, index, part)
    {
        int digits = most_digits(part);

        most = digits > most ? digits : most;
    }
    return most;
}

void json_line(json_t *line)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(most_digits(line));

    if (json_dumpf(line, stdout, flags) == 0)
        putchar('\n');
    json_decref(line);
}
