/*
 * class.h - what is known of column types, columns and classes.
 *
 * A class stays at its address for the life of the connection; a shape, its
 * columns as they were at some time, never changes and is counted.
 */
#ifndef PAOSI_CLASS_H
#define PAOSI_CLASS_H

#include "bytes.h"
#include "pgio.h"

#define PAOSI_CLASS_MAX 32767
#define PAOSI_KEY_BITS 48
#define PAOSI_KEY_MAX (((int64_t) 1 << PAOSI_KEY_BITS) - 1)

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
/* Bytes of a value of a store; 0: it varies. */
extern const uint8_t paosi_store_sizes[];
enum
{
    PAOSI_OID_BOOL = 16,
    PAOSI_OID_BYTEA = 17,
    PAOSI_OID_INT8 = 20,
    PAOSI_OID_INT2 = 21,
    PAOSI_OID_INT4 = 23,
    PAOSI_OID_TEXT = 25,
    PAOSI_OID_OID = 26,
    PAOSI_OID_FLOAT8 = 701,
    PAOSI_OID_INT4_ARRAY = 1007,
    PAOSI_OID_TEXT_ARRAY = 1009,
    PAOSI_OID_INT8_ARRAY = 1016,
    PAOSI_OID_OID_ARRAY = 1028,
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
    bool followed;             /* since trail.c looked last */
    bool generated;            /* computed by the server from others */
    bool defaulted;            /* the server has a value when none is given */
    bool key;
    uint8_t link; /* of the shape's objects that it has, from 1; 0: none */
} paosi_column;

/* Attributes of a shape that have links. */
#define PAOSI_LINKS 2

/* The attributes of a class as they were at some time; immutable, but for the links. */
typedef struct paosi_shape
{
    paosi_class *class;
    size_t uses;
    unsigned count;
    unsigned key;    /* position of the key */
    uint32_t number; /* the server's for these columns, which it puts before each row */
    uint16_t mask;   /* of the hash table of names */
    bool generated;  /* some column is */
    uint8_t links;   /* how many columns have one: those that were followed first */
    uint16_t linked[PAOSI_LINKS];
    uint16_t *by_name; /* position + 1, 0: free */
    paosi_column columns[];
} paosi_shape;

struct paos_attribute
{
    paosi_class *class;
    paos_conn *conn;
    char *name;
    struct paos_attribute *next;
    paosi_shape *shape; /* where it was last found, */
    unsigned position;  /* and at what place */
    unsigned values;    /* bytes before the values of a narrow row */
    uint8_t store;      /* paosi_store */
    uint8_t one, many;  /* its link, when it is a single reference, or an array; from 1 */
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
    bool whole;      /* its rows were refused in pieces, since they refer to each other */
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
    uint8_t trail; /* of walks that begin here, + 1 */
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

#endif
