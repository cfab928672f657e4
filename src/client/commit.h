/*
 * commit.h - what group.c and statement.c make of a commit's objects for commit.c.
 *
 * Chunks are statements in the order in which they have to run; a large group is
 * several chunks with the same text.  Their rows are made one chunk at a time, in
 * the same memory, when each is about to be sent.
 */
#ifndef PAOSI_COMMIT_H
#define PAOSI_COMMIT_H

#include "paos_int.h"

/* What the server takes as one parameter. */
#define PAOSI_PARAMETER_MAX ((size_t) 0x3FFFFF00)

/* In the order in which they run. */
typedef enum paosi_action
{
    PAOSI_INSERT,
    PAOSI_UPDATE,
    PAOSI_REMOVE
} paosi_action;

typedef struct paosi_group
{
    paosi_action action;
    bool copy; /* inserts by paos.copy, whose rows have another frame */
    const paosi_shape *shape;
    bool *columns;  /* those that the statement writes */
    uint16_t width; /* columns of an insert */
    size_t number;  /* in the order in which groups were formed */
    size_t size, capacity;
    paos_object **members;
    paosi_buffer sql;
    paosi_buffer names;     /* of a copy's columns, as text[] */
    unsigned char table[4]; /* and its table's oid */
} paosi_group;

typedef struct paosi_chunk
{
    const paosi_group *group;
    paos_object *const *members; /* of the group */
    size_t size;
    size_t bytes;                  /* their rows take at most */
    paosi_buffer *rows;            /* of the chunk that was made last */
    paosi_parameter parameters[3]; /* the rows come last */
    size_t count;
} paosi_chunk;

typedef struct paosi_groups
{
    size_t size, capacity;
    paosi_group *items;
    size_t chunk_count, chunk_capacity;
    paosi_chunk *chunks;
    paosi_buffer rows;
} paosi_groups;

/* The objects have changes and ids. */
paos_status paosi_groups_make(paos_conn *conn, paosi_groups *groups, paos_object *const *objects,
                              size_t n);
/* Makes the groups' statements and chunks, without rows; false: no memory. */
bool paosi_groups_state(paosi_groups *groups);
/* Notes which copies were in pieces, which they will be no more; false: none. */
bool paosi_groups_rejoin(const paosi_groups *groups);
void paosi_groups_free(paosi_groups *groups);

/* Makes a chunk's rows, instead of another's; false: no memory. */
bool paosi_chunk_make(paosi_chunk *chunk);

/* ---- stored.c ---- */

/* Readies a new object for being stored; it is taken, or that is undone. */
void paosi_stored_prepare(paos_object *object);
void paosi_stored_undo(paos_object *const *objects, size_t n);
/* Takes over what was stored by the transaction of that number. */
void paosi_stored_take(paos_object *const *objects, size_t n, uint64_t xid);

/* ---- outcome.c ---- */

/* Keeps what is needed to ask later what became of a commit. */
void paosi_outcome_note(paos_conn *conn, paos_object *const *objects, size_t n, uint64_t xid);
void paosi_outcome_forget(paos_conn *conn);

#endif
