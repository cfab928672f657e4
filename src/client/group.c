/*
 * group.c - a commit's objects, grouped by what one statement can do.
 *
 * Objects of a class with the same changed attributes go in one statement.
 * Inserts are looser: attributes without a default may be null as well as
 * unset, so that they do not divide a group; an insert of rows that refer to
 * each other has to be one statement.
 */
#include "paos_int.h"

#include "commit.h"

#include <stdlib.h>

/* ---- forming groups ---- */

static bool is_set(const paos_object *object, unsigned i)
{
    return object->draft && object->draft->cells[i].size != PAOSI_DRAFT_UNSET &&
           !object->shape->columns[i].key;
}

static paosi_action action_of(const paos_object *object)
{
    if (object->flags & PAOSI_NEW)
        return PAOSI_INSERT;
    return object->flags & PAOSI_DELETE ? PAOSI_REMOVE : PAOSI_UPDATE;
}

static bool fits(const paosi_group *group, const paos_object *object, paosi_action action)
{
    unsigned i;

    if (group->shape != object->shape || group->action != action)
        return false;
    for (i = 0; action != PAOSI_REMOVE && i < object->shape->count; i++)
    {
        bool loose = action == PAOSI_INSERT && !object->shape->columns[i].defaulted;

        if (!loose && group->columns[i] != is_set(object, i))
            return false;
    }
    return true;
}

static paosi_group *group_new(paosi_groups *groups, const paos_object *object, paosi_action action)
{
    paosi_group *group;

    if (!paosi_room(&groups->items, sizeof *groups->items, groups->size, &groups->capacity))
        return NULL;
    group = &groups->items[groups->size];
    memset(group, 0, sizeof *group);
    group->columns = paosi_calloc(object->shape->count, sizeof *group->columns);
    if (!group->columns)
        return NULL;
    group->shape = object->shape;
    group->action = action;
    groups->size++;
    return group;
}

static bool group_add(paosi_group *group, paos_object *object)
{
    unsigned i;

    if (!paosi_room(&group->members, sizeof *group->members, group->size, &group->capacity))
        return false;
    group->members[group->size++] = object;
    for (i = 0; group->action != PAOSI_REMOVE && i < object->shape->count; i++)
        group->columns[i] |= is_set(object, i);
    return true;
}

static bool place(paosi_groups *groups, paos_object *object)
{
    paosi_action action = action_of(object);
    paosi_group *group = NULL;
    size_t i;

    /* The last group is the likeliest. */
    for (i = groups->size; i > 0 && !group; i--)
        if (fits(&groups->items[i - 1], object, action))
            group = &groups->items[i - 1];
    if (!group)
        group = group_new(groups, object, action);
    return group && group_add(group, object);
}

/* ---- their order ---- */

/* Classes that others refer to come first; the rest of a cycle stays as it comes. */
static void rank(paosi_class *class, int *next)
{
    unsigned i;

    if (class->rank)
        return;
    class->rank = -1;
    for (i = 0; i < class->shape->count; i++)
        if (class->shape->columns[i].target)
            rank(paosi_class_by_number(class->conn, class->shape->columns[i].target->number), next);
    class->rank = ++*next;
}

static int compare_groups(const void *a, const void *b)
{
    const paosi_group *x = a;
    const paosi_group *y = b;
    int order = x->shape->class->rank - y->shape->class->rank;

    if (x->action != y->action)
        return (x->action > y->action) - (x->action < y->action);
    if (order == 0)
        return (x->number > y->number) - (x->number < y->number);
    return x->action == PAOSI_REMOVE ? -order : order;
}

static void sort_groups(paos_conn *conn, paosi_groups *groups)
{
    int next = 0;
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i])
            conn->classes[i]->rank = 0;
    for (i = 0; i < groups->size; i++)
    {
        groups->items[i].number = i;
        rank(groups->items[i].shape->class, &next);
    }
    if (groups->size > 1)
        qsort(groups->items, groups->size, sizeof *groups->items, compare_groups);
}

/* ---- all of it ---- */

bool paosi_groups_rejoin(const paosi_groups *groups)
{
    bool any = false;
    size_t i;

    for (i = 1; i < groups->chunk_count; i++)
    {
        const paosi_group *group = groups->chunks[i].group;

        if (!group->copy || group != groups->chunks[i - 1].group || group->shape->class->whole)
            continue;
        group->shape->class->whole = true;
        any = true;
    }
    return any;
}

paos_status paosi_groups_make(paos_conn *conn, paosi_groups *groups, paos_object *const *objects,
                              size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!place(groups, objects[i]))
            return paosi_fail_memory(conn);
    sort_groups(conn, groups);
    if (!paosi_groups_state(groups))
        return paosi_fail_memory(conn);
    for (i = 0; i < groups->chunk_count; i++)
        if (groups->chunks[i].bytes > PAOSI_PARAMETER_MAX)
            return paosi_fail(conn, PAOS_INVALID, "an object of class %s is larger than 1 GB",
                              groups->chunks[i].group->shape->class->name);
    return PAOS_OK;
}

void paosi_groups_free(paosi_groups *groups)
{
    size_t i;

    for (i = 0; i < groups->size; i++)
    {
        paosi_free(groups->items[i].columns);
        paosi_free(groups->items[i].members);
        paosi_buffer_free(&groups->items[i].sql);
        paosi_buffer_free(&groups->items[i].names);
    }
    paosi_buffer_free(&groups->rows);
    paosi_free(groups->chunks);
    paosi_free(groups->items);
    memset(groups, 0, sizeof *groups);
}
