/*
 * fake_program.h - small programs that use the library, to be run under mishaps.
 *
 * Each prepares a world and some handles, and then makes the calls in which
 * memory runs out or the connection breaks.  After a mishap it is run again, so
 * whatever it does can be done twice.
 */
#ifndef FAKE_PROGRAM_H
#define FAKE_PROGRAM_H

#include "fake_world.h"

typedef struct fake_use
{
    paos_conn *conn;
    paos_object *objects[4]; /* held */
    paos_list *list;
} fake_use;

typedef struct fake_program
{
    const char *name;
    void (*prepare)(fake_use *use); /* NULL: nothing to do */
    paos_status (*run)(fake_use *use);
    void (*check)(const fake_use *use); /* what must be so after it; NULL: nothing more */
    paos_status expected;
    size_t allocations; /* that are worth failing, of many alike; 0: all */
} fake_program;

extern const fake_program fake_programs[];
extern const size_t fake_programs_size;

/* A new standard world, a connection to it, and what the program prepares. */
void fake_program_begin(const fake_program *program, fake_use *use);
/* Closes the connection and ends the world. */
void fake_program_end(fake_use *use);

#endif
