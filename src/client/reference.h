/*
 * reference.h - what references name.
 *
 * An id is a class number and a key.  A new object has none before it is registered,
 * and a temporary identity in its place, which no id can be taken for.
 */
#ifndef PAOSI_REFERENCE_H
#define PAOSI_REFERENCE_H

#include "object.h"

/* Integers with a foreign key can be negative too, but have no such upper half. */
static inline bool paosi_id_temporary(uint64_t id)
{
    return id >> 32 == PAOSI_TEMPORARY >> 32;
}

static inline unsigned paosi_id_class(uint64_t id)
{
    return (unsigned) (id >> PAOSI_KEY_BITS);
}

static inline uint64_t paosi_id_key(uint64_t id)
{
    return id & (uint64_t) PAOSI_KEY_MAX;
}

static inline uint64_t paosi_id_make(const paosi_class *class, uint64_t key)
{
    return (uint64_t) class->number << PAOSI_KEY_BITS | key;
}

/* Does the column hold references: one, or an array of them? */
static inline bool paosi_column_refers(const paosi_column *column)
{
    return column->type.store == PAOSI_REF || column->type.store == PAOSI_KEY ||
           (column->type.store == PAOSI_ARRAY && column->type.element == PAOSI_REF);
}

/* What a cell of a reference column names, as id or temporary identity; 0: nothing. */
uint64_t paosi_reference_id(const paosi_column *column, paosi_cell cell);
/* What is known here of the object that an id names. */
typedef enum paosi_known
{
    PAOSI_KNOWN_NOT,    /* has to be loaded */
    PAOSI_KNOWN_ABSENT, /* does not exist, or is of another class than the id says */
    PAOSI_KNOWN_PRESENT
} paosi_known;
paosi_known paosi_reference_find(const paos_conn *conn, uint64_t id, paos_object **out);
/* The identity an id stands for; 0 when there is no such class. */
uint64_t paosi_reference_identity(const paos_conn *conn, uint64_t id);

/* Forgets what is known to be absent of an object's targets, so that it is looked for again. */
void paosi_reference_forget(paos_object *object);

/* The elements of an array's cell, in turn. */
typedef struct paosi_elements
{
    const unsigned char *next, *end;
    size_t left;
    bool malformed;
} paosi_elements;
paosi_elements paosi_array_begin(paosi_cell cell);
/* False after the last.  The size of a text does not count a zero byte here: there is none. */
bool paosi_array_next(paosi_elements *elements, paosi_cell *out);

#endif
