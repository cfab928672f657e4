/*
 * fake_conn.h - a connection without a server, for the nouns that need none.
 *
 * It has one class, number 1, "thing", of no attributes.  What a whole
 * connection needs of a server is in fake_world.h.
 */
#ifndef FAKE_CONN_H
#define FAKE_CONN_H

#include "paos_int.h"

/* Room for a connection; setup and teardown as cmocka calls them, *state being the paos_conn. */
int fake_conn_setup(void **state);
int fake_conn_teardown(void **state);

/* An object of the class with this key, in the chain of clean objects. */
paos_object *fake_conn_object(paos_conn *conn, int64_t key);
/* The identity of a key of the class. */
uint64_t fake_conn_id(int64_t key);

#endif
