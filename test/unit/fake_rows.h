/*
 * fake_rows.h - what the files of the fake database share: its tables.
 *
 * Rows are kept as their values' binary form.  A transaction works on a copy
 * of all tables, which replaces them when it is committed.
 */
#ifndef FAKE_ROWS_H
#define FAKE_ROWS_H

#include "fake_world.h"

#define FAKE_CLASSES 8
#define FAKE_COLUMNS 160

typedef struct fake_attribute
{
    char name[32], type[24];
    uint32_t oid;
    unsigned target;
    bool defaulted, generated;
} fake_attribute;

typedef struct fake_tuple
{
    uint32_t xmin;
    fake_datum values[FAKE_COLUMNS];
} fake_tuple;

typedef struct fake_rows
{
    fake_tuple *tuples;
    size_t size;
} fake_rows;

typedef struct fake_relation
{
    unsigned number; /* 0: no such class */
    unsigned parent;
    char name[32];
    bool forgotten, restless;
    size_t width;
    fake_attribute columns[FAKE_COLUMNS];
} fake_relation;

/* By class number - 1. */
extern fake_relation fake_relations[FAKE_CLASSES];
extern fake_rows fake_committed[FAKE_CLASSES];

/* The tables that a statement sees now: the transaction's or the committed ones. */
fake_rows *fake_visible(unsigned number);
/* The version that a write gives now. */
uint32_t fake_xid(void);

fake_relation *fake_relation_of(unsigned number);
/* The number that rows packed for a class begin with. */
uint32_t fake_shape(const fake_relation *relation);
/* Place of a column; one that there is not fails the test. */
size_t fake_place(const fake_relation *relation, const char *column);
bool fake_descends(const fake_relation *relation, unsigned ancestor);

fake_tuple *fake_rows_add(fake_rows *rows);
void fake_rows_drop(fake_rows *rows, size_t i);
/* The row of a key, or NULL. */
fake_tuple *fake_rows_find(const fake_rows *rows, int64_t key);
void fake_rows_copy(fake_rows *to, const fake_rows *from);
void fake_rows_clear(fake_rows *rows);
void fake_datum_set(fake_datum *datum, const void *data, size_t size);
/* An integer of any width. */
int64_t fake_datum_int(const fake_datum *datum);

/* Keys that a query finds: up to this. */
int64_t fake_query_most(void);

/* Answers to the questions about classes. */
void fake_catalog_rules(void);

/* Answers to SELECT, INSERT, UPDATE, DELETE and COPY of objects: see fake_world_begin. */
void fake_rows_select(const fake_sent *sent, fake_table *out, void *arg);
/* Objects and what they lead to. */
void fake_rows_reach(const fake_sent *sent, fake_table *out, void *arg);
/* The same for one object of the class, which is packed. */
fake_cell fake_batch(unsigned number, fake_cell packed);
/* Keys and versions. */
void fake_rows_look(const fake_sent *sent, fake_table *out, void *arg);
void fake_rows_insert(const fake_sent *sent, fake_table *out, void *arg);
void fake_rows_update(const fake_sent *sent, fake_table *out, void *arg);
void fake_rows_delete(const fake_sent *sent, fake_table *out, void *arg);
void fake_rows_copy_in(const fake_sent *sent, fake_table *out, void *arg);

#endif
