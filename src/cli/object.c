/*
 * object.c - objects for people and for programs.
 *
 * An object of a subclass is shown with the attributes of the class that was
 * asked for, which it has all of.
 */
#include "cli.h"

#include <inttypes.h>

void ref_text(paos_id id, char text[REF_TEXT])
{
    snprintf(text, REF_TEXT, "%" PRIu64 ":%" PRIu64, id >> 48, id & 0xffffffffffff);
}

/* False when an attribute could not be read: a null is no failure, nor is a deleted object. */
static bool is_read(const question *question)
{
    paos_status status = paos_conn_error(question->conn)->status;

    return status == PAOS_OK || status == PAOS_NOT_FOUND;
}

bool object_row(const question *question, paos_object *object, table *table)
{
    char name[REF_TEXT];

    paos_conn_error_clear(question->conn);
    ref_text(paos_object_id(object), name);
    table_cell(table, name);
    for (int i = 0; i < question->class.count; i++)
        table_cell(table, paos_object_text(object, question->class.attributes[i]));
    return is_read(question);
}

char **object_texts(const question *question, paos_object *object)
{
    const class_info *class = &question->class;
    char **texts = memory_grow(NULL, (size_t) class->count * sizeof *texts);

    for (int i = 0; i < class->count; i++)
    {
        const char *text = paos_object_text(object, class->attributes[i]);

        texts[i] = text ? memory_copy(text) : NULL;
    }
    return texts;
}

json_t *object_json(const question *question, paos_object *object)
{
    const class_info *class = &question->class;
    json_t *json = json_object();
    json_t *values = json_object();
    char name[REF_TEXT];

    ref_text(paos_object_id(object), name);
    json_object_set_new(json, "ref", json_string(name));
    json_object_set_new(json, "class", json_text(paos_object_class(object)));
    for (int i = 0; paos_object_exists(object) && i < class->count; i++)
    {
        const char *attribute = class->attributes[i];
        json_t *item = NULL;
        paos_value value;

        if (paos_object_get(object, attribute, &value) == PAOS_OK)
            item = json_value(&value, paos_object_text(object, attribute));
        json_object_set_new(values, attribute, item ? item : json_null());
    }
    json_object_set_new(json, "values", values);
    return json;
}
