/*
 * trail.h - the ways that a program goes from objects that it gets, and what is
 * loaded along them before it goes there again.
 *
 * A walk begins at objects that were got by query or by name: their class is its
 * origin.  Each object tells in its flags which trail it was loaded on and how many
 * steps from the origin.
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

/* A reference attribute that is followed. */
typedef struct paosi_edge
{
    paosi_shape *shape;
    unsigned position;
    bool used; /* since what it leads to was loaded ahead */
} paosi_edge;

typedef struct paosi_trail
{
    paosi_edge *edges;
    size_t size, capacity;
    unsigned levels; /* how far walks went */
    unsigned walk;   /* number of the last one */
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
    size_t most; /* objects loaded ahead at once; 0: none */
} paosi_trails;

/* A walk begins at objects of the class: flags for them. */
uint32_t paosi_trail_begin(paos_conn *conn, paosi_class *class);
/* An attribute had to be loaded for: flags for what it leads to. */
uint32_t paosi_trail_miss(const paos_object *object, unsigned position);
/* How many more levels to load with objects of these flags; 0: none. */
unsigned paosi_trail_levels(const paos_conn *conn, uint32_t flags);
/* The attributes to follow, as a text[]; false: no memory. */
bool paosi_trail_follow(const paos_conn *conn, uint32_t flags, paosi_buffer *out);
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

/* One step further from the origin. */
static inline uint32_t paosi_trail_next(uint32_t flags)
{
    uint32_t level = flags >> PAOSI_LEVEL_SHIFT & PAOSI_LEVEL_MAX;

    return (flags & ~(PAOSI_LEVEL_MAX << PAOSI_LEVEL_SHIFT)) | ((level + 1) & PAOSI_LEVEL_MAX)
                                                                   << PAOSI_LEVEL_SHIFT;
}

#endif
