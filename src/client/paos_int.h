/*
 * paos_int.h - what the files of the client share: connections, and what is done on them.
 *
 * Everything hangs on its connection: an object finds it through its shape and
 * class.  bytes.h, class.h, object.h, reference.h, request.h and wake.h are the parts
 * that need no connection; outage.h is what is done when it is lost, live.h what is done with
 * requests.
 */
#ifndef PAOSI_H
#define PAOSI_H

#include "live.h"
#include "outage.h"
#include "reference.h"
#include "request.h"
#include "trail.h"
#include "wake.h"

/* Most objects that one touch of a reference asks for. */
#define PAOSI_LOAD_MAX 50000

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
    char *conninfo, *application;
    paosi_pgio *io;
    bool broken;
    paosi_outage outage;
    int backend;       /* the server's process */
    char timeline[16]; /* of the server, "" when it would not say */
    paosi_ids rights;  /* that are held */
    paosi_unknown undecided;
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
    paosi_wake wake;
    paosi_requests requests;
    paosi_coherent coherent;
    paosi_trails trails;
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
/* Same for one statement, whose rows are taken as they come. */
paos_status paosi_conn_stream(paos_conn *conn, const paosi_statement *statement, paosi_taker take,
                              void *arg, paosi_result **result);
void paosi_results_free(paosi_result **results, size_t n);
/* Ends the session, when what it is in the middle of cannot be left otherwise. */
void paosi_conn_break(paos_conn *conn);
/* Leaves a transaction that failed; when that fails too, with the connection.  Keeps the error. */
paos_status paosi_conn_roll_back(paos_conn *conn, paos_status status);
/* Takes in what has come without being asked for. */
paos_status paosi_conn_receive(paos_conn *conn);
/* Room for a converted value that lives until PAOSI_CONVERSIONS more; NULL: no memory. */
void *paosi_conn_conversion(paos_conn *conn, size_t size);

/* ---- introduction.c ---- */

/* Says who we are, and learns what the server is: on a new connection. */
paos_status paosi_introduce(paos_conn *conn);

/* ---- coherent.c ---- */

/* Notes that an object was loaded that may not be covered. */
void paosi_coherent_note(paos_object *object);
/* Has requests watch what was loaded since, and lets go of those no longer needed. */
paos_status paosi_coherent_cover(paos_conn *conn);
/* Compares what a gap may have made untrue. */
paos_status paosi_coherent_look(paos_conn *conn);
/* The server has ended one of its requests, or all. */
void paosi_coherent_ended(paosi_request *request);
void paosi_coherent_restart(paos_conn *conn);

/* ---- row.c: a row is built in conn->cells: begin, add each value's bytes, finish ---- */

void paosi_row_begin(paos_conn *conn);

/* The next value is null, not loaded, or what is added to conn->cells after this. */
static inline void paosi_row_next(paos_conn *conn, paosi_state state)
{
    uint32_t offset = (uint32_t) conn->cells.size;

    if (state != PAOSI_VALUE)
        offset = state == PAOSI_NULL ? PAOSI_WIDE_NULL : PAOSI_WIDE_UNLOADED;
    paosi_buffer_add(&conn->offsets, &offset, sizeof offset);
}

/*
 * The row and its flags (PAOSI_NARROW, PAOSI_PARTIAL); NULL: no memory.  A row of up to
 * PAOSI_ROOM bytes is written to `room` (may be NULL), any other is allocated.
 */
void *paosi_row_finish(paos_conn *conn, const paos_object *object, uint32_t *flags);

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

/* ---- unpack.c: rows of results ---- */

/* A function takes 100 arguments at most. */
#define PAOSI_PACK_VALUES 96

/* The shape and the table of a row; false: malformed. */
bool paosi_unpack_head(const paosi_result *result, size_t row, uint32_t *shape, uint32_t *table);
/* All of a row with so many columns; texts are not followed by a zero byte. */
bool paosi_unpack(const paosi_result *result, size_t row, unsigned count, uint32_t *table,
                  uint32_t *version, paosi_cell *cells);

/* The same up to its values, the first of those that lie between `next` and `end`. */
bool paosi_unpack_begin(const paosi_result *result, size_t row, uint32_t *table, uint32_t *version,
                        const unsigned char **next, const unsigned char **end);

/* Objects of one class that paos.reach found at one distance from the start. */
typedef struct paosi_batch
{
    uint32_t class, shape, level;
    uint32_t rows, missing; /* how many come, and then ids of how many that do not exist */
    const unsigned char *next, *end;
} paosi_batch;

/* False: malformed. */
bool paosi_batch_open(paosi_batch *batch, const paosi_result *result, size_t row);
bool paosi_batch_row(paosi_batch *batch, unsigned count, uint32_t *table, uint32_t *version,
                     paosi_cell *cells);
/* The same up to its values. */
bool paosi_batch_begin(paosi_batch *batch, uint32_t *table, uint32_t *version);
bool paosi_batch_missing(paosi_batch *batch, uint64_t *id);

/* ---- question.c: a query on a class, and its arguments ---- */

typedef struct paosi_question
{
    paos_conn *conn;
    const char *class_name;
    const char *query; /* NULL: every object */
    size_t nargs;
    paosi_parameter *parameters; /* the query, then its arguments */
    char *rooms;
    paosi_class *class;
    paosi_buffer sql;
    paosi_statement statement; /* finds the objects */
} paosi_question;

/* Whatever comes of it, the question has to be freed. */
paos_status paosi_question_make(paosi_question *q, const char *query, const paos_value *args);
void paosi_question_free(paosi_question *q);
/* The statement for the class as it is known now. */
paos_status paosi_question_state(paosi_question *q);
/* The query as a value in SQL. */
void paosi_question_value(const paosi_question *q, paosi_buffer *sql);

/* ---- mould.c: rows as they come into rows as they are kept ---- */

typedef struct paosi_mould
{
    paos_conn *conn;
    const paosi_class *class; /* whose rows come */
    uint32_t table;           /* of the rows that it is ready for, 0: none yet */
    paosi_shape *shape;       /* and that they will have */
    int *places;   /* of the shape's columns among those that come; -1: not there; NULL: alike */
    bool whole;    /* every column is there */
    bool straight; /* rows of the class itself may be poured */
    paosi_cell *cells;  /* of a row that is not */
    uint8_t *ways;      /* how columns are */
    unsigned char *row; /* what was poured last, */
    size_t size;
    int64_t key;
} paosi_mould;

/* To be freed, whatever comes of it. */
paos_status paosi_mould_make(paosi_mould *m, paos_conn *conn, const paosi_class *class);
void paosi_mould_free(paosi_mould *m);
/* Readies it for rows of a table. */
paos_status paosi_mould_for(paosi_mould *m, uint32_t table);
/* Takes the values of a row, and its key; where they end, or NULL: they have to go through cells.
 */
const unsigned char *paosi_mould_pour(paosi_mould *m, const unsigned char *next,
                                      const unsigned char *end);
/* The row that was poured, or of the cells, in the room or allocated. */
paos_status paosi_mould_row(const paosi_mould *m, bool poured, const paos_object *object,
                            void **out, uint32_t *flags);

/* ---- load.c, fetch.c, complete.c: rows into objects ---- */

/* Where loaded objects go, and how. */
typedef struct paosi_load
{
    paos_conn *conn;
    uint32_t policy;                 /* flags for the objects, when they become siblings */
    bool siblings;                   /* make the objects siblings of each other */
    bool discard;                    /* drop local changes of the objects asked for */
    const paos_get_options *options; /* what is loaded with them; NULL: as the policy says */
    paos_list *list;                 /* takes the objects, in order; may be NULL */
    paos_object *leader;             /* of the ring of siblings so far */
} paosi_load;

/* Takes over the rows of a result that was read with the select of `class`. */
paos_status paosi_load_rows(paosi_load *load, const paosi_class *class, const paosi_result *result);

/* Takes over all rows of a batch, up to one of a table that we do not know: then it is unfit. */
paos_status paosi_load_batch(paosi_load *load, const paosi_class *class, paosi_batch *batch,
                             bool *unfit);

/* Notes that what an id names does not exist. */
paos_status paosi_load_absent(paos_conn *conn, uint64_t id);
/*
 * Did a select of the class succeed, and does its result fit what is known of
 * the classes?  If not so, sets *again, to read them anew and try again, unless
 * this is the last attempt.
 */
paos_status paosi_load_check(const paosi_class *class, const paosi_result *result, bool last,
                             bool *again);
/* Adds the ids of a result's objects. */
paos_status paosi_load_list_ids(const paosi_class *class, const paosi_result *result,
                                paosi_ids *ids);
/* Adds the identities and versions of a result's objects. */
paos_status paosi_load_answer(const paosi_class *class, const paosi_result *result,
                              paosi_answer *answer);
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

/* ---- known.c: which objects are here ---- */

/* For a server, in blocks of 64; false: no memory. */
bool paosi_known_add(const paos_conn *conn, paosi_buffer *out);

/* ---- reach.c: objects and what they lead to ---- */

/* What was reached of one class. */
typedef struct paosi_reached
{
    uint32_t class;
    paosi_load load;
} paosi_reached;

typedef struct paosi_reach
{
    paos_conn *conn;
    uint32_t flags;            /* of the objects asked for */
    unsigned levels;           /* steps beyond them */
    size_t most;               /* objects beyond them */
    bool all;                  /* follow every reference, */
    const char *const *follow; /* or these attributes; NULL: those of the trail */
    paosi_buffer sql, start, names, known;
    paosi_parameter *parameters;
    paosi_statement statement;
    paosi_load *start_load; /* takes what was asked for */
    paosi_reached *reached;
    size_t reached_size;
    size_t came; /* objects beyond those asked for */
    bool unfit;  /* the classes are others than we know */
    paos_status status;
    paosi_result *result; /* how it ended */
} paosi_reach;

/* How far: what the program says that it will follow, or else what it was seen to. */
void paosi_reach_choose(paosi_reach *r, const paos_get_options *options);
bool paosi_reach_is_stated(const paosi_reach *r);
/* The statement, for ids or for the answer of a question that was stated. */
paos_status paosi_reach_ids(paosi_reach *r, const paosi_ids *ids);
paos_status paosi_reach_question(paosi_reach *r, const paosi_question *q);
/* Runs it, and takes over what comes: what was asked for as `start` says. */
paos_status paosi_reach_run(paosi_reach *r, paosi_load *start);
/* Is the end an error of the server's? */
bool paosi_reach_refused(const paosi_reach *r);
/* Of what was run: as paosi_load_check, but that a failure is none of the classes'. */
paos_status paosi_reach_check(const paosi_reach *r, bool last, bool *again);
void paosi_reach_free(paosi_reach *r);

/* ---- object.c, attribute.c, resolved.c ---- */

/* NULL, stale or foreign handles: false, and the error is set where there is a connection. */
bool paosi_object_check(const paos_object *object);
paos_status paosi_objects_check(paos_conn *conn, paos_object *const *objects, size_t n);
/* The position of an attribute, loading the classes anew when it is unknown; -1: error set. */
int paosi_object_find(paos_object *object, const char *name);
int paosi_object_at(paos_object *object, const paos_attribute *at);
/* The cell of an attribute, loaded if need be, which may change its position. */
paos_status paosi_object_read(paos_object *object, unsigned *position, paosi_cell *out);
/* The calls of the same names, for an attribute at a place; -1: not found, and the error is set. */
paos_status paosi_attribute_get(paos_object *object, int position, paos_value *out);
const char *paosi_attribute_text(paos_object *object, int position);
int64_t paosi_attribute_int(paos_object *object, int position);
double paosi_attribute_float(paos_object *object, int position);
paos_object *paosi_attribute_ref(paos_object *object, int position);
paos_status paosi_attribute_refs(paos_object *object, int position, paos_list **out);
size_t paosi_attribute_count(paos_object *object, int position);
paos_object *paosi_attribute_item(paos_object *object, int position, size_t i);
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
/* The elements of an array of references, nulls and all; the target of one of them. */
size_t paosi_resolve_count(paos_object *object, unsigned position);
paos_object *paosi_resolve_item(paos_object *object, unsigned position, size_t i);

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
/* Notes that rights are held. */
paos_status paosi_lock_note(paos_conn *conn, const paosi_ids *ids);
/* What the result of the statement means; sets the error. */
paos_status paosi_lock_outcome(paos_conn *conn, const paosi_result *result,
                               const paosi_lock_call *call, int timeout_ms);

/* ---- what has to be fast ---- */

/* Fibonacci hashing: identities of a class differ in their low bits only. */
static inline uint64_t paosi_map_hash(uint64_t id)
{
    return id * UINT64_C(0x9E3779B97F4A7C15);
}

static inline uint32_t paosi_map_place(const paosi_map *map, uint64_t id)
{
    return (uint32_t) (paosi_map_hash(id) >> map->shift);
}

/* The bits of a hash that an entry has: not those that its place tells already. */
static inline uint32_t paosi_map_tag(uint64_t hash)
{
    return (uint32_t) hash & ~PAOSI_MAP_SLOT;
}

static inline paos_object *paosi_map_find(const paos_conn *conn, uint64_t id)
{
    const paosi_map *map = &conn->map;
    uint64_t hash = paosi_map_hash(id);
    uint32_t place, entry;

    if (!map->mask)
        return NULL;
    for (place = (uint32_t) (hash >> map->shift); (entry = map->slots[place]) != PAOSI_NONE;
         place = (place + 1) & map->mask)
    {
        paos_object *object;

        if ((entry ^ (uint32_t) hash) > PAOSI_MAP_SLOT)
            continue;
        object = paosi_cache_at(&conn->cache, entry & PAOSI_MAP_SLOT);
        /* Most often its row is read next: both are fetched at once. */
        __builtin_prefetch(paosi_object_rest(object)->room);
        if (object->id == id)
            return object;
    }
    return NULL;
}

/* Does the order in which objects may go matter yet? */
static inline bool paosi_cache_crowded(const paos_conn *conn)
{
    return conn->cache.crowded;
}

/* Whenever there are more objects or fewer, or another bound. */
static inline void paosi_cache_count(paos_conn *conn)
{
    conn->cache.crowded = conn->map.used > conn->cache.bound / 2;
}

/* Notes that an attribute is followed; how far it is from the origin, for the last walk alone. */
static inline void paosi_trail_note(paos_object *object, unsigned position)
{
    paosi_trails *trails = &paosi_object_conn(object)->trails;
    uint32_t next =
        (object->flags & PAOSI_LEVEL_MAX << PAOSI_LEVEL_SHIFT) + (1u << PAOSI_LEVEL_SHIFT);

    object->shape->columns[position].followed = true;
    if (((object->flags ^ trails->walk) & PAOSI_WALK_FLAGS) == 0 && next > trails->deepest)
        trails->deepest = next;
}

/* Counts a target that was found, and keeps the order in which objects may go. */
static inline paos_object *paosi_resolve_found(paos_conn *conn, paos_object *target)
{
    conn->stats.hits++;
    if (paosi_cache_crowded(conn) && target->flags & PAOSI_CLEAN)
        paosi_cache_place(target);
    return target;
}

#endif
