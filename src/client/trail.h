/*
 * trail.h - the ways that a program goes from objects that it gets, and what is
 * loaded along them before it goes there again.
 *
 * A walk begins at objects that were got by query or by name: their class is its
 * origin.  Each object tells in its flags which trail it was loaded on and how many
 * steps from the origin.  A walk teaches itself too: a step that it takes again, further
 * from the origin than before, is one of many, and brings more of them.
 */
#ifndef PAOSI_TRAIL_H
#define PAOSI_TRAIL_H

#include "object.h"

/* In an object's flags: steps from the origin, trail + 1 (0: none), and which walk of it. */
#define PAOSI_LEVEL_SHIFT 12
#define PAOSI_LEVEL_MAX 63u
#define PAOSI_TRAIL_SHIFT 18
#define PAOSI_TRAIL_MAX 63u
#define PAOSI_WALK_SHIFT 24
#define PAOSI_WALK_MAX 15u
/* All of a walk's objects have the same here. */
#define PAOSI_WALK_FLAGS (PAOSI_TRAIL_MAX << PAOSI_TRAIL_SHIFT | PAOSI_WALK_MAX << PAOSI_WALK_SHIFT)

/* A reference attribute that is followed. */
typedef struct paosi_edge
{
    paosi_shape *shape;
    unsigned position;
    unsigned level; /* least steps from an origin at which it had to be loaded for */
    size_t asked;   /* objects that were loaded for it last */
    bool used;      /* since what it leads to was loaded ahead */
} paosi_edge;

typedef struct paosi_trail
{
    paosi_edge *edges;
    size_t size, capacity;
    unsigned levels; /* how far walks went */
    unsigned walk;   /* number of the last one, */
    size_t loaded;   /* and objects that it had loaded so far */
    unsigned again;  /* levels that the step that it took last brings, for being taken again */
    bool ahead;      /* it was loaded ahead */
    size_t brought;  /* objects, by that */
    size_t begun;    /* with so many objects */
    uint64_t hits;   /* when it began */
    bool sparse;     /* what it brought had few neighbours */
} paosi_trail;

typedef struct paosi_trails
{
    paosi_trail *items;
    size_t size;
    size_t most;      /* objects loaded ahead at once; 0: none */
    uint32_t walk;    /* flags of the walk that began last, */
    uint32_t deepest; /* and one step more than it followed references at, as in flags; 0: none */
} paosi_trails;

/* What is loaded with what a program needs now; no levels: nothing. */
typedef struct paosi_ahead
{
    unsigned levels; /* steps beyond that */
    size_t most;     /* objects */
} paosi_ahead;

/* A walk begins at objects of the class: flags for them. */
uint32_t paosi_trail_begin(paos_conn *conn, paosi_class *class);
/* So many objects have to be loaded for an attribute: flags for them. */
uint32_t paosi_trail_miss(const paos_object *object, unsigned position, size_t objects);
/* What to load with objects of these flags. */
paosi_ahead paosi_trail_ahead(const paos_conn *conn, uint32_t flags);
/* The attributes to follow, as a text[]; false: no memory. */
bool paosi_trail_follow(const paos_conn *conn, uint32_t flags, paosi_buffer *out);
/* Notes that so many objects were loaded that the program needed. */
void paosi_trail_loaded(paos_conn *conn, uint32_t flags, size_t objects);
/* Notes what was loaded ahead with objects of these flags, and whether its keys were sparse. */
void paosi_trail_brought(paos_conn *conn, uint32_t flags, size_t objects, bool sparse);
/* Is it likely to bring sparse keys? */
bool paosi_trail_sparse(const paos_conn *conn, uint32_t flags);
/* Notes that a walk began with so many objects.  Did the last begin with a great many? */
void paosi_trail_began(paos_conn *conn, uint32_t flags, size_t objects);
bool paosi_trail_wide(const paos_conn *conn, uint32_t flags);
/* It cannot be: not before more was seen. */
void paosi_trail_forget(paos_conn *conn, uint32_t flags);
void paosi_trails_free(paos_conn *conn);

/* One step further from the origin; so far away that it is not counted, no more. */
static inline uint32_t paosi_trail_next(uint32_t flags)
{
    const uint32_t most = PAOSI_LEVEL_MAX << PAOSI_LEVEL_SHIFT;

    return (flags & most) < most ? flags + (1u << PAOSI_LEVEL_SHIFT) : flags;
}

#endif
