/*
 * list.c - lists of objects, such as an answer.
 *
 * A list holds its objects.  Closing the connection empties the lists that are
 * left, so that freeing a list is right at any time.
 */
#include "paos_int.h"

paos_list *paosi_list_new(paos_conn *conn, size_t capacity)
{
    paos_list *list = paosi_calloc(1, sizeof *list);

    if (!list)
        return NULL;
    list->items = capacity ? paosi_malloc(capacity * sizeof *list->items) : NULL;
    if (capacity && !list->items)
    {
        paosi_free(list);
        return NULL;
    }
    list->capacity = capacity;
    list->conn = conn;
    list->next = conn->lists;
    if (list->next)
        list->next->prev = list;
    conn->lists = list;
    return list;
}

bool paosi_list_add(paos_list *list, paos_object *object)
{
    if (!paosi_room(&list->items, sizeof *list->items, list->size, &list->capacity))
        return false;
    list->items[list->size++] = paos_object_hold(object);
    return true;
}

void paosi_list_clear(paos_list *list)
{
    size_t i;

    for (i = 0; i < list->size; i++)
        paos_object_release(list->items[i]);
    list->size = 0;
}

void paosi_list_detach(paos_conn *conn)
{
    paos_list *list;

    for (list = conn->lists; list; list = list->next)
    {
        list->size = 0;
        list->conn = NULL;
    }
}

size_t paos_list_size(const paos_list *list)
{
    return list ? list->size : 0;
}

paos_object *paos_list_at(const paos_list *list, size_t i)
{
    return list && i < list->size ? list->items[i] : NULL;
}

void paos_list_free(paos_list *list)
{
    if (!list)
        return;
    paosi_list_clear(list);
    if (list->conn && list->prev)
        list->prev->next = list->next;
    else if (list->conn)
        list->conn->lists = list->next;
    if (list->conn && list->next)
        list->next->prev = list->prev;
    paosi_free(list->items);
    paosi_free(list);
}
