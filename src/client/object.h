/*
 * object.h - objects: their rows and local changes, where they live, how they are found.
 *
 * Objects are in slabs and linked by 32-bit slot numbers, which keeps one small
 * and lets a stale handle be recognised (its shape is NULL) for as long as the
 * connection is open.  A small row is beside its object.  Following a reference is
 * mostly waiting for memory: what it needs is in one line of the processor's cache.
 */
#ifndef PAOSI_OBJECT_H
#define PAOSI_OBJECT_H

#include "class.h"

/* Set in the identity of a new object that has no id yet; the rest is a serial number. */
#define PAOSI_TEMPORARY ((uint64_t) 1 << 63)
/* A slot number that is none. */
#define PAOSI_NONE UINT32_MAX

/* ---- row.c: rows as they are kept ---- */

typedef enum paosi_state
{
    PAOSI_VALUE,
    PAOSI_NULL,
    PAOSI_UNLOADED
} paosi_state;

/* One value.  The size of a text counts its zero byte. */
typedef struct paosi_cell
{
    paosi_state state;
    const unsigned char *data;
    size_t size;
} paosi_cell;

/*
 * A row: offsets[count + 1] and the values, one after the other.  Offsets are
 * 16 bits when that is enough ("narrow").  The two highest stand for null and
 * not loaded; a value ends where the next one that has bytes begins.
 */
#define PAOSI_NARROW_UNLOADED ((uint16_t) 0xFFFE)
#define PAOSI_NARROW_NULL ((uint16_t) 0xFFFF)
#define PAOSI_WIDE_UNLOADED ((uint32_t) 0xFFFFFFFE)
#define PAOSI_WIDE_NULL ((uint32_t) 0xFFFFFFFF)

static inline paosi_cell paosi_row_cell(const void *row, bool narrow, unsigned count, unsigned i)
{
    paosi_cell cell = {PAOSI_VALUE, NULL, 0};
    const uint16_t *narrows = row;
    const uint32_t *wides = row;
    uint32_t start = narrow ? narrows[i] : wides[i];
    uint32_t none = narrow ? PAOSI_NARROW_UNLOADED : PAOSI_WIDE_UNLOADED;
    unsigned end = i + 1;

    if (start >= none)
    {
        cell.state = start == none ? PAOSI_UNLOADED : PAOSI_NULL;
        return cell;
    }
    while ((narrow ? narrows[end] : wides[end]) >= none)
        end++;
    cell.size = (narrow ? narrows[end] : wides[end]) - start;
    cell.data = narrow ? (const unsigned char *) (narrows + count + 1)
                       : (const unsigned char *) (wides + count + 1);
    cell.data += start;
    return cell;
}

/* ---- objects ---- */

typedef enum paosi_flag
{
    PAOSI_NARROW = 1, /* row has 16-bit offsets */
    PAOSI_NEW = 2,    /* not stored yet */
    PAOSI_ABSENT = 4, /* known not to exist */
    PAOSI_DELETE = 8, /* the next commit deletes it */
    PAOSI_MARK = 16,  /* used within one call */
    PAOSI_EACH = 32,  /* loading policies */
    PAOSI_REFUSE = 64,
    /* With whence it was loaded: see trail.h. */
    PAOSI_POLICY = PAOSI_EACH | PAOSI_REFUSE | 0x0FFFF000,
    PAOSI_PARTIAL = 128, /* some attribute is not loaded */
    PAOSI_CLEAN = 256,   /* the chain it is in; none of them: not in any */
    PAOSI_HELD = 512,
    PAOSI_DIRTY = 1024,
    PAOSI_COVERED = 2048, /* a request watches it: see coherent.c */
    /* It has a row, a narrow one, and no local changes: so do nearly all that are read. */
    PAOSI_PLAIN = 0x10000000,
    PAOSI_CHAINS = PAOSI_CLEAN | PAOSI_HELD | PAOSI_DIRTY
} paosi_flag;

/* Local changes: a value for each changed attribute; see draft.c. */
typedef struct paosi_draft paosi_draft;

/* Bytes of a row that is kept with its object. */
#define PAOSI_ROOM 64
/* Of one that is kept with those of its neighbours. */
#define PAOSI_WIDE_ROOM 128

/* The targets of an array of references; NULL: not followed yet. */
typedef struct paosi_links
{
    size_t count;
    paos_object *items[];
} paosi_links;

/* References of one object that are pointers; which attributes', its shape says. */
typedef union paosi_link
{
    paos_object *one; /* NULL: not followed yet */
    paosi_links *many;
} paosi_link;

/* What a walk looks at: a line of the processor's cache. */
struct paos_object
{
    paosi_shape *shape; /* of row and draft; NULL: the slot is free */
    uint64_t id;        /* identity: number of the root class and key, or PAOSI_TEMPORARY */
    void *row;          /* NULL: not loaded; in its room or allocated */
    paosi_draft *draft; /* NULL: no changes */
    uint32_t slot;
    uint32_t holds;
    uint32_t flags;
    uint32_t version; /* xmin of row */
    paosi_link links[PAOSI_LINKS];
};

/* The rest of an object, which has its place beside it in their slab. */
typedef struct paosi_rest
{
    uint32_t prev, next;  /* in the list of clean, held or changed objects */
    uint32_t left, right; /* ring of siblings */
    uint64_t room[PAOSI_ROOM / 8];
} paosi_rest;

#define PAOSI_SLAB_BITS 8
#define PAOSI_SLAB (1u << PAOSI_SLAB_BITS)

typedef struct paosi_slab
{
    paos_object objects[PAOSI_SLAB];
    paosi_rest rests[PAOSI_SLAB];
} paosi_slab;

static inline paosi_rest *paosi_object_rest(const paos_object *object)
{
    uint32_t place = object->slot & (PAOSI_SLAB - 1);

    return &((paosi_slab *) (void *) (object - place))->rests[place];
}

/* Is its row in a place of its slot's?  Else it was allocated. */
bool paosi_slots_holds(const paos_object *object);

static inline void paosi_object_free_row(paos_object *object)
{
    if (!paosi_slots_holds(object))
        paosi_free(object->row);
    object->row = NULL;
    object->flags &= ~(uint32_t) PAOSI_PLAIN;
}

/* Whenever the row or the draft came or went. */
static inline void paosi_object_note_plain(paos_object *object)
{
    object->flags &= ~(uint32_t) PAOSI_PLAIN;
    if (object->row && object->flags & PAOSI_NARROW && !object->draft)
        object->flags |= PAOSI_PLAIN;
}

/* draft.c */
struct paosi_draft
{
    uint32_t capacity, used; /* bytes behind the cells */
    uint32_t count;          /* changed attributes */
    uint32_t temporaries;    /* of them, how many may name objects without an id */
    struct
    {
        uint32_t start, size; /* PAOSI_DRAFT_UNSET, PAOSI_DRAFT_NULL */
    } cells[];
};

#define PAOSI_DRAFT_UNSET UINT32_MAX
#define PAOSI_DRAFT_NULL (UINT32_MAX - 1)

static inline paosi_cell paosi_draft_cell(const paosi_draft *draft, unsigned count, unsigned i)
{
    paosi_cell cell = {PAOSI_UNLOADED, NULL, 0};

    if (draft->cells[i].size == PAOSI_DRAFT_UNSET)
        return cell;
    cell.state = PAOSI_NULL;
    if (draft->cells[i].size == PAOSI_DRAFT_NULL)
        return cell;
    cell.state = PAOSI_VALUE;
    cell.data = (const unsigned char *) (draft->cells + count) + draft->cells[i].start;
    cell.size = draft->cells[i].size;
    return cell;
}

paos_status paosi_draft_set(paos_object *object, unsigned position, paos_value value);
/* Notes the key of a new object, as if it had been set. */
paos_status paosi_draft_set_key(paos_object *object, uint64_t key);
void paosi_draft_drop(paos_object *object);
/*
 * Replaces temporary identities in changed objects: those of marked objects,
 * whose versions are for now places in ids.
 */
void paosi_draft_settle(paos_conn *conn, const uint64_t *ids);
/* Is what the server stores for this changed attribute what was sent? */
bool paosi_draft_exact(const paos_object *object, unsigned position);

/* An attribute as the program sees it: local change first, then what was loaded. */
static inline paosi_cell paosi_object_cell(const paos_object *object, unsigned i)
{
    paosi_cell cell = {PAOSI_UNLOADED, NULL, 0};

    if (object->draft)
    {
        cell = paosi_draft_cell(object->draft, object->shape->count, i);
        if (cell.state != PAOSI_UNLOADED)
            return cell;
    }
    if (object->row)
        return paosi_row_cell(object->row, object->flags & PAOSI_NARROW, object->shape->count, i);
    if (object->flags & PAOSI_NEW)
        cell.state = PAOSI_NULL;
    return cell;
}

/* Was the attribute changed here? */
static inline bool paosi_object_changed(const paos_object *object, unsigned position)
{
    return object->draft && object->draft->cells[position].size != PAOSI_DRAFT_UNSET;
}

/* The bytes of a loaded value in the usual case, without its size; NULL: see paosi_object_cell. */
static inline const unsigned char *paosi_object_peek(const paos_object *object, int position)
{
    const uint16_t *offsets;

    if (position < 0 || !object->row || !(object->flags & PAOSI_NARROW) ||
        paosi_object_changed(object, (unsigned) position))
        return NULL;
    offsets = object->row;
    if (offsets[position] >= PAOSI_NARROW_UNLOADED)
        return NULL;
    return (const unsigned char *) (offsets + object->shape->count + 1) + offsets[position];
}

static inline paos_conn *paosi_object_conn(const paos_object *object)
{
    return object->shape->class->conn;
}

/* ---- fetch.c: ids ---- */

typedef struct paosi_ids
{
    uint64_t *items; /* paos_id, classes as named by whoever refers */
    size_t size, capacity;
} paosi_ids;

bool paosi_ids_add(paosi_ids *ids, uint64_t id);
/* In order, so that each class is a run, and each once. */
void paosi_ids_sort(paosi_ids *ids);

/* ---- map.c: the identity map ---- */

/*
 * An entry is an object's slot number and, above it, bits of the identity's hash,
 * so that hardly ever an object is looked at that is not the one.
 */
#define PAOSI_MAP_BITS 27
#define PAOSI_MAP_SLOT (((uint32_t) 1 << PAOSI_MAP_BITS) - 1)

typedef struct paosi_map
{
    uint32_t *slots; /* entries, PAOSI_NONE: free */
    uint32_t mask;   /* their number - 1; 0: no table yet */
    uint32_t used;
    unsigned shift;
} paosi_map;

static inline paos_object *paosi_map_find(const paos_conn *conn, uint64_t id);
paos_status paosi_map_add(paos_conn *conn, paos_object *object);
void paosi_map_remove(paos_conn *conn, paos_object *object);
/* Gives an object another identity; needs no memory. */
void paosi_map_rename(paos_conn *conn, paos_object *object, uint64_t id);

/* ---- slots.c: places in slabs ---- */

/* Slots that are neighbours, for as many keys. */
#define PAOSI_BLOCK 32u
#define PAOSI_BLOCK_FREE (UINT64_MAX >> (64 - PAOSI_BLOCK))

/* Keys in a row that have slots in a row. */
#define PAOSI_LINE 64 /* of the processor's cache */

typedef struct paosi_piece paosi_piece;

typedef struct paosi_pieces
{
    paosi_piece *last;
    char *next; /* what is free of it */
    size_t left;
} paosi_pieces;

/* In pieces.c. */
/*
 * Zeroed memory that begins with a line; the size is a multiple of lines.  A piece that is made
 * for it has room for `more`, which is no less, if there is the memory.  NULL: not even for it.
 */
void *paosi_pieces_take(paosi_pieces *pieces, size_t size, size_t more);
void paosi_pieces_free(paosi_pieces *pieces);

typedef struct paosi_nest
{
    uint64_t number; /* of the block of keys; 0: none */
    uint64_t free;   /* slots: a bit for each */
    size_t block;    /* of slots */
} paosi_nest;

typedef struct paosi_slots
{
    paosi_pieces pieces; /* slabs and rooms */
    char **rooms;        /* of blocks, for their wide rows; NULL: none yet */
    uint64_t *blocks;    /* of slots, a bit for each that is free */
    size_t vacant;       /* free slots, but those of nests */
    size_t next;         /* block that the next is taken from, */
    size_t whole;        /* and where to look for one that is free as a whole */
    uint64_t *dropped;   /* those that links may lead to still, as bits */
    size_t dropped_size;
    bool nesting;
    bool enough;       /* no more nests */
    paosi_nest *nests; /* by hash */
    size_t nests_size, nests_capacity;
    size_t waiting, filled; /* slots of nests */
} paosi_slots;

/* ---- cache.c: where objects live, and which go ---- */

typedef struct paosi_chain
{
    uint32_t first, last;
    size_t size;
} paosi_chain;

typedef struct paosi_cache
{
    paosi_slab **slabs;
    size_t slabs_size, slabs_capacity;
    paosi_slots slots;
    bool linked;   /* some object may have links */
    size_t absent; /* objects known not to exist */
    size_t lazy;   /* held objects among the clean ones */
    size_t bound;
    bool crowded;      /* more than half of it is taken: what is used last is kept track of */
    paosi_chain clean; /* may go unless held after all; least recently used first */
    paosi_chain held;
    paosi_chain dirty; /* in the order in which they were changed */
    size_t trim_at;    /* number of clean objects above which some may be able to go */
} paosi_cache;

static inline paos_object *paosi_cache_at(const paosi_cache *cache, uint32_t slot)
{
    return &cache->slabs[slot >> PAOSI_SLAB_BITS]->objects[slot & (PAOSI_SLAB - 1)];
}

/* False: no memory. */
bool paosi_slots_take(paos_conn *conn, uint64_t id, uint32_t *slot);
/* A place for a row of the object; NULL: it is too large, or no memory. */
void *paosi_slots_room(const paos_object *object, size_t size);
void paosi_slots_give(paosi_cache *cache, uint32_t slot);
/* From here on neighbours come, in any order; or no more. */
void paosi_slots_nest(paosi_cache *cache);
/* Ends it.  True: keys were so sparse that most of the slots stayed empty. */
bool paosi_slots_unnest(paosi_cache *cache);
void paosi_slots_free(paosi_cache *cache);

/* A new object in no chain and a ring of its own, known by its identity. */
paos_status paosi_cache_add(paos_conn *conn, paosi_shape *shape, uint64_t id, paos_object **out);
void paosi_cache_drop(paos_conn *conn, paos_object *object);
/* Puts an object in the chain that fits its state, at its end. */
void paosi_cache_place(paos_object *object);
/* Drops objects beyond the bound, but not `keep` (may be NULL), held ones and their targets. */
void paosi_cache_trim(paos_conn *conn, paos_object *keep);
void paosi_cache_init(paos_conn *conn);
void paosi_cache_free(paos_conn *conn);

/* ---- links.c: references that are pointers ---- */

/* The link of an attribute of an object; NULL: it has none. */
static inline paosi_link *paosi_links_of(paos_object *object, unsigned position)
{
    uint8_t link = object->shape->columns[position].link;

    return link && !paosi_object_changed(object, position) ? &object->links[link - 1] : NULL;
}

/* Notes what a loaded attribute refers to; for lack of memory or of links it is not noted. */
void paosi_links_note(paos_object *object, unsigned position, paos_object *target);
void paosi_links_note_item(paos_object *object, unsigned position, size_t count, size_t i,
                           paos_object *target);
void paosi_links_drop(paos_object *object);
/* Takes those links of the object away that its local changes do not touch. */
void paosi_links_keep(paos_object *object, paosi_link *kept);
/* Drops the links to free slots, or all. */
void paosi_links_sweep(paos_conn *conn, bool all);

/* ring.c: siblings */
void paosi_ring_leave(paos_object *object);
/* Takes an object from its ring into that of the leader. */
void paosi_ring_join(paos_object *object, paos_object *leader);

#endif
