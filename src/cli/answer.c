/*
 * answer.c - the objects of an answer, all together.
 */
#include "cli.h"

bool answer_table(const question *question, const paos_list *answer)
{
    const class_info *class = &question->class;
    size_t size = paos_list_size(answer);
    table *table = table_new(class->count + 1);
    bool read = true;

    table_title(table, 0, "ref", false);
    for (int i = 0; i < class->count; i++)
        table_title(table, i + 1, class->attributes[i], class->numeric[i]);
    for (size_t i = 0; read && i < size; i++)
        read = object_row(question, paos_list_at(answer, i), table);
    if (read)
    {
        table_print(table);
        printf("(%zu object%s)\n", size, size == 1 ? "" : "s");
    }
    table_free(table);
    return read;
}

json_t *answer_json(const question *question, const paos_list *answer)
{
    json_t *objects = json_array();

    for (size_t i = 0; i < paos_list_size(answer); i++)
        json_array_append_new(objects, object_json(question, paos_list_at(answer, i)));
    return objects;
}
