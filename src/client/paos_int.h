/*
 * paos_int.h - what the files of the client share.
 *
 * Everything hangs on its connection: an object finds it through its shape and
 * class.  Objects live in slabs and are linked by 32-bit slot numbers, which
 * keeps an object at 64 bytes and lets a stale handle be recognised (its shape
 * is NULL) for as long as the connection is open.
 */
#ifndef PAOS_INT_H
#define PAOS_INT_H

#include <string.h>

#include "paos.h"
#include "pgio.h"

#define PAOSI_KEY_BITS 48
#define PAOSI_KEY_MAX (((int64_t) 1 << PAOSI_KEY_BITS) - 1)
#define PAOSI_CLASS_MAX 32767
/* Set in the identity of a new object that has no id yet; the rest is a serial number. */
#define PAOSI_TEMPORARY ((uint64_t) 1 << 63)
/* Most objects that one touch of a reference loads. */
#define PAOSI_LOAD_MAX 50000
#define PAOSI_NONE UINT32_MAX

/* ---- alloc.c: all memory, so that tests can make any allocation fail ---- */

extern bool (*paosi_alloc_fails)(void);
void *paosi_malloc(size_t size);
void *paosi_calloc(size_t n, size_t size);
void *paosi_realloc(void *old, size_t size);
char *paosi_strdup(const char *text);
void paosi_free(void *memory);

/* ---- buffer.c: bytes that grow; a failed allocation sticks in `failed` ---- */

typedef struct paosi_buffer
{
    char *data;
    size_t size, capacity;
    bool failed;
} paosi_buffer;

/* Makes room for more bytes and returns where they go; NULL: failed. */
char *paosi_buffer_room(paosi_buffer *buffer, size_t more);
void paosi_buffer_text(paosi_buffer *buffer, const char *text);
void paosi_buffer_format(paosi_buffer *buffer, const char *format, ...);
/* A name as SQL writes it: in double quotes. */
void paosi_buffer_name(paosi_buffer *buffer, const char *name);
/* Empties it, and gives memory back when there is much. */
void paosi_buffer_reset(paosi_buffer *buffer);
void paosi_buffer_free(paosi_buffer *buffer);

/* ---- bytes in network order ---- */

static inline uint16_t paosi_read16(const unsigned char *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t paosi_read32(const unsigned char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* In one expression, which compilers know to be one load. */
static inline uint64_t paosi_read64(const unsigned char *p)
{
    return (uint64_t) p[0] << 56 | (uint64_t) p[1] << 48 | (uint64_t) p[2] << 40 |
           (uint64_t) p[3] << 32 | (uint64_t) p[4] << 24 | (uint64_t) p[5] << 16 |
           (uint64_t) p[6] << 8 | p[7];
}

static inline void paosi_write32(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char) (value >> 24);
    p[1] = (unsigned char) (value >> 16);
    p[2] = (unsigned char) (value >> 8);
    p[3] = (unsigned char) value;
}

static inline void paosi_write64(unsigned char *p, uint64_t value)
{
    paosi_write32(p, (uint32_t) (value >> 32));
    paosi_write32(p + 4, (uint32_t) value);
}

/* Additions to a buffer are most of what a commit and a get do: no call while there is room. */
static inline char *paosi_buffer_next(paosi_buffer *buffer, size_t size)
{
    char *room;

    if (buffer->failed || buffer->capacity - buffer->size < size)
        room = paosi_buffer_room(buffer, size);
    else
        room = buffer->data + buffer->size;
    if (room)
        buffer->size += size;
    return room;
}

static inline void paosi_buffer_add(paosi_buffer *buffer, const void *data, size_t size)
{
    char *room = size ? paosi_buffer_next(buffer, size) : NULL;

    if (room)
        memcpy(room, data, size);
}

static inline void paosi_buffer_add16(paosi_buffer *buffer, uint16_t value)
{
    char *room = paosi_buffer_next(buffer, 2);

    if (!room)
        return;
    room[0] = (char) (value >> 8);
    room[1] = (char) value;
}

static inline void paosi_buffer_add32(paosi_buffer *buffer, uint32_t value)
{
    char *room = paosi_buffer_next(buffer, 4);

    if (room)
        paosi_write32((unsigned char *) room, value);
}

static inline void paosi_buffer_add64(paosi_buffer *buffer, uint64_t value)
{
    char *room = paosi_buffer_next(buffer, 8);

    if (room)
        paosi_write64((unsigned char *) room, value);
}

/* ---- type.c: how values of a column type are kept ---- */

/* The bytes kept are the type's binary send format, but for the two marked ones. */
typedef enum paosi_store
{
    PAOSI_BOOL,
    PAOSI_INT2,
    PAOSI_INT4,
    PAOSI_INT8,
    PAOSI_FLOAT4,
    PAOSI_FLOAT8,
    PAOSI_DATE,
    PAOSI_TIMESTAMP,
    PAOSI_UUID,
    PAOSI_REF,
    PAOSI_KEY,   /* integer column with a foreign key: widened to 8 bytes */
    PAOSI_TEXT,  /* with a zero byte after it; numeric and jsonb as their text */
    PAOSI_BYTES, /* bytea */
    PAOSI_ARRAY
} paosi_store;

typedef struct paosi_type
{
    uint32_t oid;   /* as the server describes results: the base type of a domain */
    uint32_t array; /* 0 but for arrays: type of the elements */
    char category;  /* pg_type.typtype, of an array's elements: b, e (enum) ... */
    int32_t modifier;
    uint8_t store;   /* paosi_store */
    uint8_t element; /* paosi_store of an array's elements */
    uint8_t kind;    /* paos_kind of a value, or of an array's element */
    bool cast;       /* read as text (text[]) by a cast in SQL */
    bool direct;     /* kept as it is in binary format (a text's zero byte apart) */
    bool exact;      /* the server stores just what it is sent */
} paosi_type;

/* Fills in what follows from oid, array and category. */
void paosi_type_resolve(const paos_conn *conn, paosi_type *type);
/* Bytes of a fixed-size store, or 0. */
size_t paosi_store_size(uint8_t store);
enum
{
    PAOSI_OID_BOOL = 16,
    PAOSI_OID_BYTEA = 17,
    PAOSI_OID_INT8 = 20,
    PAOSI_OID_INT2 = 21,
    PAOSI_OID_INT4 = 23,
    PAOSI_OID_TEXT = 25,
    PAOSI_OID_FLOAT8 = 701,
    PAOSI_OID_INT8_ARRAY = 1016,
    PAOSI_OID_VARCHAR = 1043,
    PAOSI_OID_TIMESTAMPTZ = 1184,
    PAOSI_OID_NUMERIC = 1700,
    PAOSI_OID_JSONB = 3802
};

/* ---- numeric.c ---- */

/* Appends the text of a numeric in binary send format; false when it is malformed. */
bool paosi_numeric_text(paosi_buffer *out, const unsigned char *data, size_t size);

/* ---- shape.c, class.c, catalog.c: what is known of classes ---- */

typedef struct paosi_class paosi_class;

typedef struct paosi_column
{
    char *name;
    char *type_name; /* as SQL */
    paosi_type type;
    const paosi_class *target; /* class that a foreign key refers to, or NULL */
    bool generated;            /* computed by the server from others */
    bool defaulted;            /* the server has a value when none is given */
    bool key;
} paosi_column;

/* The attributes of a class as they were at some time; immutable. */
typedef struct paosi_shape
{
    paosi_class *class;
    size_t uses;
    unsigned count;
    unsigned key;      /* position of the key */
    unsigned casts;    /* columns read by a cast */
    uint16_t mask;     /* of the hash table of names */
    bool generated;    /* some column is */
    uint16_t *by_name; /* position + 1, 0: free */
    paosi_column columns[];
} paosi_shape;

struct paos_attribute
{
    paosi_class *class;
    char *name;
    struct paos_attribute *next;
    paosi_shape *shape; /* where it was last found, */
    unsigned position;  /* and at what place */
};

struct paosi_class
{
    paos_conn *conn;
    uint32_t table; /* oid */
    uint16_t number;
    uint16_t parent; /* 0: none */
    bool gone;       /* no longer registered */
    bool restless;   /* has triggers, rules or row security of its users: what is stored may
                        differ from what was sent */
    paosi_class *root;
    char *name;      /* as regclass prints it */
    char *table_sql; /* always with its schema */
    paosi_shape *shape;
    paosi_shape *fresh;          /* while the classes are read anew */
    char *select;                /* of the present shape, up to WHERE */
    struct paosi_alias *aliases; /* other spellings of its name that were asked for */
    paos_attribute *attributes;
    uint64_t *ids; /* fresh refs that wait for new objects */
    size_t ids_size, ids_used, ids_capacity, ids_block;
    size_t wanted; /* ids, while objects are registered */
    int rank;      /* while a commit is ordered */
};

/* Finds a class by any name that regclass takes.  May block. */
paos_status paosi_class_find(paos_conn *conn, const char *name, paosi_class **out);
paosi_class *paosi_class_by_number(const paos_conn *conn, unsigned number);
/* The class whose rows a table holds, or NULL. */
paosi_class *paosi_class_by_table(const paos_conn *conn, uint32_t table);
bool paosi_class_is(const paosi_class *class, const paosi_class *ancestor);
/* The statement that reads rows of the class, without its condition; NULL: no memory. */
const char *paosi_class_select(paosi_class *class);
void paosi_class_free(paosi_class *class);
void paosi_class_forget_aliases(paosi_class *class);
/* Position of an attribute, or -1. */
int paosi_shape_find(const paosi_shape *shape, const char *name);
/* A shape for so many columns, all empty; NULL: no memory. */
paosi_shape *paosi_shape_new(paosi_class *class, unsigned count);
/* Fills in what follows from the columns. */
void paosi_shape_finish(paosi_shape *shape);
bool paosi_shape_equal(const paosi_shape *a, const paosi_shape *b);
paosi_shape *paosi_shape_hold(paosi_shape *shape);
void paosi_shape_release(paosi_shape *shape);
/* Do the columns of a result fit the shape's select? */
bool paosi_shape_fits(const paosi_shape *shape, const paosi_result *result);

/*
 * Reads all classes anew.  Blocks.  When a name is given, *table is the table
 * that the server finds by it, 0 for none.
 */
paos_status paosi_catalog_load(paos_conn *conn, const char *name, uint32_t *table);
/* Same, unless known and not suspected to be stale. */
paos_status paosi_catalog_ensure(paos_conn *conn);
/* The class of a number, NULL for none; asks the server once for a number it does not know. */
paos_status paosi_catalog_number(paos_conn *conn, unsigned number, paosi_class **out);
void paosi_catalog_free(paos_conn *conn);

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

/* A row is built in conn->cells: begin, add each value's bytes after `start`, finish. */
void paosi_row_begin(paos_conn *conn);
/* The next value is null, not loaded, or what is added to conn->cells after this. */
void paosi_row_next(paos_conn *conn, paosi_state state);
/* The allocated row and its flags (PAOSI_NARROW, PAOSI_PARTIAL); NULL: no memory. */
void *paosi_row_finish(paos_conn *conn, uint32_t *flags);

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
    PAOSI_POLICY = PAOSI_EACH | PAOSI_REFUSE,
    PAOSI_PARTIAL = 128, /* some attribute is not loaded */
    PAOSI_CLEAN = 256,   /* the chain it is in; none of them: not in any */
    PAOSI_HELD = 512,
    PAOSI_DIRTY = 1024,
    PAOSI_CHAINS = PAOSI_CLEAN | PAOSI_HELD | PAOSI_DIRTY
} paosi_flag;

/* Local changes: a value for each changed attribute; see draft.c. */
typedef struct paosi_draft paosi_draft;

struct paos_object
{
    paosi_shape *shape; /* of row and draft; NULL: the slot is free */
    uint64_t id;        /* identity: number of the root class and key, or PAOSI_TEMPORARY */
    void *row;          /* NULL: not loaded */
    paosi_draft *draft; /* NULL: no changes */
    uint32_t slot;
    uint32_t holds;
    uint32_t flags;
    uint32_t version;     /* xmin of row */
    uint32_t prev, next;  /* in the list of clean, held or changed objects */
    uint32_t left, right; /* ring of siblings */
};

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

/* The bytes of a loaded value in the usual case, without its size; NULL: see paosi_object_cell. */
static inline const unsigned char *paosi_object_peek(const paos_object *object, int position)
{
    const uint16_t *offsets;

    if (position < 0 || !object->row || object->draft || !(object->flags & PAOSI_NARROW))
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

/* ---- map.c: the identity map ---- */

typedef struct paosi_map
{
    uint32_t *slots; /* of objects, PAOSI_NONE: free */
    uint32_t mask;   /* their number - 1; 0: no table yet */
    uint32_t used;
    unsigned shift;
} paosi_map;

static inline paos_object *paosi_map_find(const paos_conn *conn, uint64_t id);
paos_status paosi_map_add(paos_conn *conn, paos_object *object);
void paosi_map_remove(paos_conn *conn, paos_object *object);
/* Gives an object another identity; needs no memory. */
void paosi_map_rename(paos_conn *conn, paos_object *object, uint64_t id);

/* ---- cache.c: where objects live, and which go ---- */

#define PAOSI_SLAB_BITS 8
#define PAOSI_SLAB (1u << PAOSI_SLAB_BITS)

typedef struct paosi_chain
{
    uint32_t first, last;
    size_t size;
} paosi_chain;

typedef struct paosi_cache
{
    paos_object **slabs;
    size_t slabs_size, slabs_capacity;
    uint32_t free; /* chain of free slots, by next */
    size_t absent; /* objects known not to exist */
    size_t bound;
    paosi_chain clean; /* nobody holds them; least recently used first */
    paosi_chain held;
    paosi_chain dirty; /* in the order in which they were changed */
    size_t trim_at;    /* number of clean objects above which some may be able to go */
} paosi_cache;

static inline paos_object *paosi_cache_at(const paosi_cache *cache, uint32_t slot)
{
    return &cache->slabs[slot >> PAOSI_SLAB_BITS][slot & (PAOSI_SLAB - 1)];
}

/* A new object in no chain and a ring of its own, known by its identity. */
paos_status paosi_cache_add(paos_conn *conn, paosi_shape *shape, uint64_t id, paos_object **out);
void paosi_cache_drop(paos_conn *conn, paos_object *object);
/* Puts an object in the chain that fits its state, at its end. */
void paosi_cache_place(paos_object *object);
/* Drops objects beyond the bound, but not `keep` (may be NULL), held ones and their targets. */
void paosi_cache_trim(paos_conn *conn, paos_object *keep);
void paosi_cache_init(paos_conn *conn);
void paosi_cache_free(paos_conn *conn);

/* ring.c: siblings */
void paosi_ring_leave(paos_object *object);
/* Takes an object from its ring into that of the leader. */
void paosi_ring_join(paos_object *object, paos_object *leader);

/* ---- error.c ---- */

typedef struct paosi_error
{
    paos_error shown;
    char *texts; /* what shown points to, unless it is constant */
} paosi_error;

paos_status paosi_fail(paos_conn *conn, paos_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
paos_status paosi_fail_detail(paos_conn *conn, paos_status status, const char *message,
                              const char *detail, const char *hint);
paos_status paosi_fail_memory(paos_conn *conn);
/* The status that an error of the server is. */
paos_status paosi_fail_result(paos_conn *conn, const paosi_result *result);
/* Same as fail, for a connection that did not come to be. */
void paosi_fail_open(const paosi_error *error);
void paosi_error_set(paosi_error *error, paos_status status, const char *sqlstate,
                     const char *message, const char *detail, const char *hint);

/* ---- conn.c ---- */

#define PAOSI_CONVERSIONS 1024

struct paos_conn
{
    paosi_pgio *io;
    bool broken;
    bool catalog_known, catalog_stale;
    uint32_t ref_oid, refs_oid; /* types paos.ref and paos.ref[] */
    int lock_wait;
    uint32_t temporaries; /* serial number of the last temporary identity */
    size_t unsettled;     /* changed attributes that may name objects without an id */
    paosi_error error;
    paos_stats stats;
    paosi_map map;
    paosi_cache cache;
    paosi_class **classes; /* by number - 1; may have holes */
    size_t classes_size;
    unsigned char unknown[PAOSI_CLASS_MAX / 8 + 1]; /* numbers that are no classes, as bits */
    paosi_class *last_class;                        /* that was found by name */
    struct paosi_table *tables;                     /* which table belongs to which class, by oid */
    size_t tables_size;
    paos_list *lists; /* all there are */
    paos_list *conflicts;
    paosi_buffer cells;   /* the row being built: its values, */
    paosi_buffer offsets; /* and where they begin */
    char **conversions;
    unsigned conversion;
};

/* One round trip, counted: paosi_pgio_exchange, with the error set on failure. */
paos_status paosi_conn_send(paos_conn *conn, const paosi_statement *statements, size_t n,
                            paosi_result **results, size_t *reached);
/* Same, but on failure all results are NULL.  An error of the server is success here. */
paos_status paosi_conn_exchange(paos_conn *conn, const paosi_statement *statements, size_t n,
                                paosi_result **results);
/* Same, and the first error of the server is a failure. */
paos_status paosi_conn_ask(paos_conn *conn, const paosi_statement *statements, size_t n,
                           paosi_result **results);
void paosi_results_free(paosi_result **results, size_t n);
/* Ends the session, when what it is in the middle of cannot be left otherwise. */
void paosi_conn_break(paos_conn *conn);
/* Room for a converted value that lives until PAOSI_CONVERSIONS more; NULL: no memory. */
void *paosi_conn_conversion(paos_conn *conn, size_t size);

/* ---- encode.c, value.c, text.c, utf8.c: values and cells ---- */

/* Appends the cell of a value for a column; PAOS_INVALID with the reason when it does not fit. */
paos_status paosi_value_encode(paos_conn *conn, const paosi_column *column, paos_value value,
                               paosi_buffer *out, bool *temporary);
paos_status paosi_value_decode(paos_conn *conn, const paosi_column *column, paosi_cell cell,
                               paos_value *out);
/* The value as a query's argument, in the caller's memory or in `room`. */
#define PAOSI_ARGUMENT 64
paos_status paosi_value_parameter(paos_conn *conn, const paos_value *value, char *room,
                                  paosi_parameter *out);
bool paosi_utf8_valid(const char *text, size_t size);
/* The text of a cell, borrowed from the row or a conversion; NULL with an error. */
const char *paosi_text_of(paos_conn *conn, const paosi_column *column, paosi_cell cell);

/* ---- text.c: numbers as the server writes them; room for PAOSI_ARGUMENT bytes ---- */

void paosi_text_float(char *room, double value, bool single);
void paosi_text_timestamp(char *room, int64_t microseconds, bool zone);
void paosi_text_date(char *room, int64_t days);
void paosi_text_uuid(char *room, const unsigned char *bytes);
/* The reverse for floats, whatever the locale. */
double paosi_text_to_float(const char *text);

/* ---- reference.c: what references name ---- */

/* Integers with a foreign key can be negative too, but have no such upper half. */
static inline bool paosi_id_temporary(uint64_t id)
{
    return id >> 32 == PAOSI_TEMPORARY >> 32;
}

static inline unsigned paosi_id_class(uint64_t id)
{
    return (unsigned) (id >> PAOSI_KEY_BITS);
}

static inline uint64_t paosi_id_key(uint64_t id)
{
    return id & (uint64_t) PAOSI_KEY_MAX;
}

static inline uint64_t paosi_id_make(const paosi_class *class, uint64_t key)
{
    return (uint64_t) class->number << PAOSI_KEY_BITS | key;
}

/* Does the column hold references: one, or an array of them? */
bool paosi_column_refers(const paosi_column *column);
/* What a cell of a reference column names, as id or temporary identity; 0: nothing. */
uint64_t paosi_reference_id(const paosi_column *column, paosi_cell cell);
/* What is known here of the object that an id names. */
typedef enum paosi_known
{
    PAOSI_KNOWN_NOT,    /* has to be loaded */
    PAOSI_KNOWN_ABSENT, /* does not exist, or is of another class than the id says */
    PAOSI_KNOWN_PRESENT
} paosi_known;
paosi_known paosi_reference_find(const paos_conn *conn, uint64_t id, paos_object **out);
/* The identity an id stands for; 0 when there is no such class. */
uint64_t paosi_reference_identity(const paos_conn *conn, uint64_t id);

/* Forgets what is known to be absent of an object's targets, so that it is looked for again. */
void paosi_reference_forget(paos_object *object);

/* The elements of an array's cell, in turn. */
typedef struct paosi_elements
{
    const unsigned char *next, *end;
    size_t left;
    bool malformed;
} paosi_elements;
paosi_elements paosi_array_begin(paosi_cell cell);
/* False after the last.  The size of a text does not count a zero byte here: there is none. */
bool paosi_array_next(paosi_elements *elements, paosi_cell *out);

/* ---- load.c, fetch.c, complete.c: rows into objects ---- */

typedef struct paosi_ids
{
    uint64_t *items; /* paos_id, classes as named by whoever refers */
    size_t size, capacity;
} paosi_ids;

bool paosi_ids_add(paosi_ids *ids, uint64_t id);

/* Where loaded objects go, and how. */
typedef struct paosi_load
{
    paos_conn *conn;
    uint32_t policy;     /* flags for the objects, when they become siblings */
    bool siblings;       /* make the objects siblings of each other */
    bool discard;        /* drop local changes of the objects asked for */
    paos_list *list;     /* takes the objects, in order; may be NULL */
    paos_object *leader; /* of the ring of siblings so far */
} paosi_load;

/* Takes over the rows of a result that was read with the select of `class`. */
paos_status paosi_load_rows(paosi_load *load, const paosi_class *class, const paosi_result *result);
/*
 * Did a select of the class succeed, and does its result fit what is known of
 * the classes?  If not so, sets *again, to read them anew and try again, unless
 * this is the last attempt.
 */
paos_status paosi_load_check(const paosi_class *class, const paosi_result *result, bool last,
                             bool *again);
/* The id of the object in a row of a select of the class; 0 when its key is out of range. */
uint64_t paosi_load_id(const paosi_class *class, const paosi_result *result, size_t row);
/* Loads objects by id in one round trip; those that do not exist become absent.  Sorts ids. */
paos_status paosi_load_ids(paosi_load *load, paosi_ids *ids);
/*
 * Loads an attribute that is missing, with its siblings'.  When the class has
 * changed, the position does too.
 */
paos_status paosi_load_complete(paos_object *object, unsigned *position);
/* Loads an object whose class has a newer shape, with its siblings. */
paos_status paosi_load_shape(paos_object *object);
/* Is a failed read worth another try with the classes read anew? */
bool paosi_load_outdated(const paosi_result *result);

/* ---- object.c, attribute.c ---- */

/* NULL, stale or foreign handles: false, and the error is set where there is a connection. */
bool paosi_object_check(const paos_object *object);
paos_status paosi_objects_check(paos_conn *conn, paos_object *const *objects, size_t n);
/* The position of an attribute, loading the classes anew when it is unknown; -1: error set. */
int paosi_object_find(paos_object *object, const char *name);
int paosi_object_at(paos_object *object, const paos_attribute *at);
/* The cell of an attribute, loaded if need be, which may change its position. */
paos_status paosi_object_read(paos_object *object, unsigned *position, paosi_cell *out);
paos_status paosi_fail_absent(paos_object *object);
/* Takes over a row (NULL: unloads), with flags as of paosi_row_finish. */
void paosi_object_take_row(paos_object *object, paosi_shape *shape, void *row, uint32_t flags,
                           uint32_t version);
/* Notes that the object does not exist. */
void paosi_object_set_absent(paos_object *object);
/* Makes it an object again, not loaded yet, of this class. */
void paosi_object_set_present(paos_object *object, paosi_shape *shape);
paos_id paosi_object_name(const paos_object *object);

/* ---- resolve.c ---- */

paos_object *paosi_resolve_ref(paos_object *object, unsigned position);
paos_status paosi_resolve_refs(paos_object *object, unsigned position, paos_list **out);
/* Loads what the objects of a list refer to, level by level. */
paos_status paosi_resolve_prefetch(paos_conn *conn, const paos_list *answer, unsigned depth,
                                   uint32_t policy);

/* ---- list.c ---- */

struct paos_list
{
    paos_conn *conn; /* NULL: closed */
    paos_list *prev, *next;
    size_t size, capacity;
    paos_object **items;
};

paos_list *paosi_list_new(paos_conn *conn, size_t capacity);
/* Adds and holds. */
bool paosi_list_add(paos_list *list, paos_object *object);
void paosi_list_clear(paos_list *list);
void paosi_list_detach(paos_conn *conn);

/* ---- register.c ---- */

/* Gives ids to those of the objects that are new and have none. */
paos_status paosi_register(paos_conn *conn, paos_object *const *objects, size_t n);
/* Gives a new object the key that the program chose. */
paos_status paosi_register_as(paos_object *object, uint64_t key);

/* ---- lock.c ---- */

/* The statement that takes rights, its parameters and their bytes. */
typedef struct paosi_lock_call
{
    paosi_buffer refs;
    char wait[32];
    paosi_parameter parameters[2];
    paosi_statement statement;
} paosi_lock_call;

void paosi_lock_prepare(paosi_lock_call *call, const paos_conn *conn, const uint64_t *ids, size_t n,
                        int timeout_ms);
/* What the result of the statement means; sets the error. */
paos_status paosi_lock_outcome(paos_conn *conn, const paosi_result *result,
                               const paosi_lock_call *call, int timeout_ms);

/* ---- what has to be fast ---- */

/* Fibonacci hashing: identities of a class differ in their low bits only. */
static inline uint32_t paosi_map_place(const paosi_map *map, uint64_t id)
{
    return (uint32_t) (id * UINT64_C(0x9E3779B97F4A7C15) >> map->shift);
}

static inline paos_object *paosi_map_find(const paos_conn *conn, uint64_t id)
{
    const paosi_map *map = &conn->map;
    uint32_t place;

    if (!map->mask)
        return NULL;
    for (place = paosi_map_place(map, id); map->slots[place] != PAOSI_NONE;
         place = (place + 1) & map->mask)
    {
        paos_object *object = paosi_cache_at(&conn->cache, map->slots[place]);

        if (object->id == id)
            return object;
    }
    return NULL;
}

#endif
