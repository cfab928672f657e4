/*
 * reading.h - all classes as the server has just described them.
 *
 * Nothing of it is in use yet: catalog.c takes it over when all of it has been understood.
 */
#ifndef PAOSI_READING_H
#define PAOSI_READING_H

#include "class.h"

/* A table, and the class whose rows it holds. */
typedef struct paosi_table
{
    uint32_t oid;
    uint16_t class;
} paosi_table;

typedef struct paosi_description
{
    paosi_shape *shape; /* which knows its class */
    char *name;
    char *table_sql;
    uint32_t table;
    uint16_t parent;
    bool restless;
} paosi_description;

typedef struct paosi_reading
{
    paosi_description *classes;
    size_t count;
    paosi_table *tables; /* by oid */
    size_t tables_size;
    uint32_t named; /* the table of the name that was asked for; 0: none */
} paosi_reading;

/* Asks in one round trip; blocks.  Name: one to be found as well, or NULL.  To be freed. */
paos_status paosi_reading_ask(paosi_reading *r, paos_conn *conn, const char *name);
void paosi_reading_free(paosi_reading *r);

#endif
