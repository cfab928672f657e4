/*
 * shape.c - the columns of a class.
 *
 * A shape never changes once it is finished: when the table does, the class
 * gets a new shape, and objects keep theirs, counted, until they are loaded
 * again.
 */
#include "paos_int.h"

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char) *name) * 16777619u;
    return hash ^ hash >> 15;
}

paosi_shape *paosi_shape_new(paosi_class *class, unsigned count)
{
    paosi_shape *shape = paosi_calloc(1, sizeof *shape + count * sizeof shape->columns[0]);
    unsigned size = 4;

    if (!shape)
        return NULL;
    while (size < 2 * count)
        size *= 2;
    shape->by_name = paosi_calloc(size, sizeof *shape->by_name);
    if (!shape->by_name)
    {
        paosi_free(shape);
        return NULL;
    }
    shape->class = class;
    shape->uses = 1;
    shape->count = count;
    shape->key = count;
    shape->mask = (uint16_t) (size - 1);
    return shape;
}

void paosi_shape_finish(paosi_shape *shape)
{
    unsigned i;

    for (i = 0; i < shape->count; i++)
    {
        const paosi_column *column = &shape->columns[i];
        uint32_t place = hash_name(column->name) & shape->mask;

        while (shape->by_name[place])
            place = (place + 1) & shape->mask;
        shape->by_name[place] = (uint16_t) (i + 1);
        shape->generated |= column->generated;
        if (column->key)
            shape->key = i;
    }
}

int paosi_shape_find(const paosi_shape *shape, const char *name)
{
    uint32_t place = hash_name(name) & shape->mask;

    for (; shape->by_name[place]; place = (place + 1) & shape->mask)
        if (strcmp(shape->columns[shape->by_name[place] - 1].name, name) == 0)
            return shape->by_name[place] - 1;
    return -1;
}

paosi_shape *paosi_shape_hold(paosi_shape *shape)
{
    shape->uses++;
    return shape;
}

void paosi_shape_release(paosi_shape *shape)
{
    unsigned i;

    if (!shape || --shape->uses > 0)
        return;
    for (i = 0; i < shape->count; i++)
    {
        paosi_free(shape->columns[i].name);
        paosi_free(shape->columns[i].type_name);
    }
    paosi_free(shape->by_name);
    paosi_free(shape);
}

static bool column_equal(const paosi_column *a, const paosi_column *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->type_name, b->type_name) == 0 &&
           a->type.oid == b->type.oid && a->type.array == b->type.array &&
           a->type.modifier == b->type.modifier && a->target == b->target &&
           a->generated == b->generated && a->defaulted == b->defaulted && a->key == b->key;
}

bool paosi_shape_equal(const paosi_shape *a, const paosi_shape *b)
{
    unsigned i;

    if (a->number != b->number || a->count != b->count)
        return false;
    for (i = 0; i < a->count; i++)
        if (!column_equal(&a->columns[i], &b->columns[i]))
            return false;
    return true;
}
