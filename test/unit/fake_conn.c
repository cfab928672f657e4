/*
 * fake_conn.c - a connection without a server, for the nouns that need none.
 *
 * Everything is as the client's own files would leave it, so that teardown can
 * leave freeing to them: a leak here is a leak there.
 */
#include "fake_conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct bare
{
    paos_conn conn; /* first: the tests get a pointer to this */
    paosi_class class;
    paosi_class *classes[1];
} bare;

int fake_conn_setup(void **state)
{
    bare *b = calloc(1, sizeof *b);

    if (!b)
        return -1;
    b->classes[0] = &b->class;
    b->conn.classes = b->classes;
    b->conn.classes_size = 1;
    b->conn.cache.bound = 1000;
    paosi_cache_init(&b->conn);
    b->class.conn = &b->conn;
    b->class.number = 1;
    b->class.root = &b->class;
    b->class.name = "thing";
    b->class.shape = paosi_shape_new(&b->class, 0);
    paosi_shape_finish(b->class.shape);
    *state = &b->conn;
    return 0;
}

int fake_conn_teardown(void **state)
{
    bare *b = *state;

    paosi_list_detach(&b->conn);
    paosi_cache_free(&b->conn);
    paosi_shape_release(b->class.shape);
    paosi_buffer_free(&b->conn.cells);
    paosi_buffer_free(&b->conn.offsets);
    paosi_free(b->conn.error.texts);
    free(b);
    return 0;
}

uint64_t fake_conn_id(int64_t key)
{
    return (uint64_t) 1 << PAOSI_KEY_BITS | (uint64_t) key;
}

paos_object *fake_conn_object(paos_conn *conn, int64_t key)
{
    paos_object *object = NULL;

    assert_int_equal(paosi_cache_add(conn, conn->classes[0]->shape, fake_conn_id(key), &object),
                     PAOS_OK);
    paosi_cache_place(object);
    return object;
}
