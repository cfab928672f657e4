/*
 * fake_world.h - a small database behind the fake server: classes, rows, transactions.
 *
 * It understands the shapes of statements that the client sends and nothing
 * else, so a statement of a new shape fails the test that sends it.  What a
 * test wants answered otherwise it overrides with fake_on: the newest rule wins.
 * There is one world, and one transaction at a time.
 */
#ifndef FAKE_WORLD_H
#define FAKE_WORLD_H

#include "fake_pgio.h"

/* The classes of the standard world. */
enum
{
    PERSON = 1, /* name text, age int4, loves ref, boss -> person, home -> place, friends ref[] */
    PLACE,      /* name text, mood text with a default */
    CHILD       /* a person with a toy text */
};

/* A connection to the standard world, its log cleared; *state is the paos_conn. */
int fake_world_setup(void **state);
int fake_world_teardown(void **state);

/* The same in parts: the server with classes and no rows; the rows; a connection. */
void fake_world_begin(void);
void fake_world_people(void);
paos_conn *fake_world_open(void);
void fake_world_end(void);

/*
 * Declares a class; parent 0 is none.  Columns are "name type" and after it "!"
 * when it has a default, "=" when it is generated, ">2" when it refers to class
 * 2.  The first is the key, a parent's come before a child's own.
 */
void fake_class(unsigned number, unsigned parent, const char *name, const char *columns);
/* As ALTER TABLE would: another set of columns, values kept by name. */
void fake_class_alter(unsigned number, const char *columns);
/* The class is no longer registered. */
void fake_class_forget(unsigned number);
/* The class has triggers of its users. */
void fake_class_restless(unsigned number);

/* What a read of objects begins with. */
#define FAKE_SELECT "SELECT paos.pack("
/* And one of all that a query finds, when it is only read. */
#define FAKE_ANSWER "SELECT paos.answer("
/* From now on queries find objects with keys up to this. */
void fake_query_finds(int64_t most);

/* A row; the first cell is the key. */
#define fake_object(number, ...) fake_object_cells(number, (const fake_cell[]){__VA_ARGS__})
void fake_object_cells(unsigned number, const fake_cell *cells);
fake_cell fake_ref(unsigned number, int64_t key);
paos_id fake_id(unsigned number, int64_t key);
/* Someone else writes an attribute, or deletes an object: a version that is newer. */
void fake_write(unsigned number, int64_t key, const char *column, fake_cell cell);
void fake_remove(unsigned number, int64_t key);

/* A notification of the newest transaction, with lists as in "\"enter\":[]". */
void fake_tell(int64_t request, const char *lists);

/* What is committed: does the object exist, and what is its value?  NULL: null. */
bool fake_exists(unsigned number, int64_t key);
const char *fake_stored_text(unsigned number, int64_t key, const char *column);
int64_t fake_stored_int(unsigned number, int64_t key, const char *column);
size_t fake_stored_rows(unsigned number);
bool fake_in_transaction(void);

#endif
