/*
 * paos.h - live objects on PostgreSQL: the C client.
 *
 * Connection.  A paos_conn is one session of the server.  It owns everything
 * that is got through it and belongs to one thread at a time.  The library
 * starts no thread, installs no handler and has no loop of its own.  A
 * connection that is lost is made again, by paos_conn_dispatch or by whatever
 * call needs the server next, once the server is there; until then such calls
 * return PAOS_DISCONNECTED and what is cached can be read.  All handles stay
 * good.  After it, in this order: classes are read anew, requests registered
 * again, cached objects compared with what is there, and what changed meanwhile
 * is told as resync events; then PAOS_CONNECTED is.  Rights are lost.
 *
 * Object.  A paos_object is the one handle of a row on its connection, however
 * the row was reached, so comparing handles compares objects.  It shows the
 * newest state that was loaded, under the changes made here and not committed
 * yet.  A handle is either
 *   owned     got as an out-parameter (paos_object_new, paos_fetch) or from
 *             paos_object_hold: valid until paos_object_release;
 *   in a list valid until paos_list_free;
 *   borrowed  got as a result (paos_object_ref, paos_cached): valid while the
 *             object it was got from is held and still refers to it, and in
 *             any case until the next call that may load objects.
 * The cache drops clean objects that nobody holds, least recently used first.
 * paos_conn_close ends all handles; lists may still be freed after it.
 *
 * Reference.  A paos.ref attribute and a single-column foreign key refer to an
 * object.  Objects got together are siblings: following an attribute of one of
 * them loads the missing targets of all, in one round trip.  What a program follows from
 * there is remembered: the next time it is loaded with the objects themselves.
 *
 * Values.  What paos_object_get and paos_object_text return is borrowed until
 * the next call on the connection that talks to the server.  What had to be
 * converted (arrays, and anything but text read as text) is besides dropped by
 * the 1000th conversion after it.  All text is UTF-8.
 *
 * Request.  A query that is asked once and then watched: each commit, by whoever,
 * that changes its answer is told to a callback, with who did it.  Callbacks run
 * in paos_conn_dispatch and nowhere else, paos_conn_fd tells when there is
 * something for it to do.  Cached objects named by an event are loaded anew when
 * they are next touched.
 *
 * Version.  A commit fails as a whole with PAOS_CONFLICT when an object has
 * been written since it was loaded here; paos_conn_conflicts names those.
 *
 * Errors.  A call that can fail returns a paos_status and leaves its
 * out-parameters alone unless that is PAOS_OK; the detail is in
 * paos_conn_error.  A result that cannot carry a status (a text, a number, a
 * handle) is NULL or 0 on failure.  NULL and handles of other connections are
 * PAOS_INVALID, not a crash.  "May block" is said of calls that talk to the
 * server; each of them may return PAOS_DISCONNECTED, PAOS_NO_MEMORY and
 * PAOS_SERVER without it being said again.
 *
 * This header is all that a program includes.  It brings values in paos_value.h
 * and requests in paos_request.h along.
 */
#ifndef PAOS_H
#define PAOS_H

#include "paos_value.h"

PAOS_BEGIN

/* Every status: name, and what it means in words. */
#define PAOS_STATUSES(X)                                                                    \
    X(PAOS_OK, "done")                                                                      \
    X(PAOS_INVALID, "bad argument, unknown class or attribute, wrong type or bad query")    \
    X(PAOS_NO_MEMORY, "out of memory")                                                      \
    X(PAOS_DISCONNECTED, "the connection to the server is lost")                            \
    X(PAOS_TIMEOUT, "time ran out")                                                         \
    X(PAOS_NOT_FOUND, "no such object")                                                     \
    X(PAOS_LOCKED, "another connection holds the right to write the object")                \
    X(PAOS_CONFLICT, "an object was written by someone else since it was loaded")           \
    X(PAOS_UNKNOWN, "the connection broke in the commit: whether it was done is not known") \
    X(PAOS_SERVER, "the server reported an error")                                          \
    X(PAOS_NOT_LOADED, "the object is not loaded, and was got with PAOS_LOAD_REFUSE")       \
    X(PAOS_REFUSED, "the server refuses the connection, so that trying again is of no use") \
    X(PAOS_CONNECTED, "the connection is made again")                                       \
    X(PAOS_RIGHTS_LOST, "rights to write objects were lost with the connection")

typedef enum paos_status
{
#define PAOS_STATUS_MEMBER(name, text) name,
    PAOS_STATUSES(PAOS_STATUS_MEMBER)
#undef PAOS_STATUS_MEMBER
} paos_status;

typedef struct paos_conn paos_conn;
typedef struct paos_list paos_list;

/* A resolved attribute: see paos_class_attribute. */
typedef struct paos_attribute paos_attribute;

typedef enum paos_mode
{
    PAOS_READ, /* objects to look at */
    PAOS_WRITE /* and the exclusive right to write each of them */
} paos_mode;

/* What following a reference may load.  Objects loaded through a reference take over the
 * policy. */
typedef enum paos_load
{
    PAOS_LOAD_BATCH, /* the missing targets of all siblings, in one round trip */
    PAOS_LOAD_EACH,  /* the one target */
    PAOS_LOAD_REFUSE /* nothing: PAOS_NOT_LOADED */
} paos_load;

/* How an answer is got.  All zero is what paos_get does. */
typedef struct paos_get_options
{
    paos_load load;    /* policy of the answer's objects */
    unsigned prefetch; /* levels of references that are loaded with it, in the same round trip
                          (in mode PAOS_WRITE in one more); at most half of what may be cached */
    const char *const *follow; /* attributes to follow, wherever they are met, ended by NULL; NULL:
                                  every reference.  With prefetch 0 as far as they lead */
} paos_get_options;

/* Why a call failed.  Texts are never NULL; sqlstate is "" when the server was not asked. */
typedef struct paos_error
{
    paos_status status;
    const char *sqlstate, *message, *detail, *hint;
    int position; /* character of a query at which it is wrong, from 1; 0: not known */
} paos_error;

/* What a connection did so far, and how many objects it has cached now. */
typedef struct paos_stats
{
    uint64_t objects;     /* cached now, held or not */
    uint64_t hits;        /* references and ids that were found in the cache */
    uint64_t misses;      /* those that had to be loaded */
    uint64_t statements;  /* sent to the server */
    uint64_t round_trips; /* waits for the server */
    uint64_t events;      /* callbacks of requests that were called */
    uint64_t foreign;     /* notifications that were none of ours, and ignored */
} paos_stats;

/* ---- statuses ---- */

/* paos_status_name returns the status as written in C, such as "PAOS_LOCKED". */
const char *paos_status_name(paos_status status);

/* paos_status_text returns the status in words. */
const char *paos_status_text(paos_status status);

/* ---- connections ---- */

/*
 * paos_conn_open connects to a server as libpq does: conninfo is keywords, a
 * URI or "service=...".  application names the program to other sessions and
 * may be NULL.  The out connection is owned.  May block.  PAOS_INVALID when
 * the database has no extension paos.
 */
paos_status paos_conn_open(const char *conninfo, const char *application, paos_conn **out);

/*
 * paos_conn_close ends the connection and all its handles, drops changes that
 * were not committed and gives up all rights.  NULL is allowed.
 */
void paos_conn_close(paos_conn *conn);

/*
 * paos_conn_error tells of the last failed call, borrowed until the next call
 * on the connection.  NULL asks for the last paos_conn_open that failed in
 * this thread.  Never NULL.
 */
const paos_error *paos_conn_error(const paos_conn *conn);

/*
 * paos_conn_error_clear forgets the last error, so that a run of reads that
 * carry no status can be checked once, after it.
 */
void paos_conn_error_clear(paos_conn *conn);

/*
 * paos_conn_conflicts returns the stale objects of the last commit that failed
 * with PAOS_CONFLICT, borrowed until the next call of paos_commit.  Never NULL
 * but for a NULL connection.
 */
const paos_list *paos_conn_conflicts(const paos_conn *conn);

/* paos_conn_stats copies the connection's figures to out. */
void paos_conn_stats(const paos_conn *conn, paos_stats *out);

/*
 * paos_conn_fd returns a descriptor that is readable whenever
 * paos_conn_dispatch has something to do: for poll, select or an event loop,
 * and for nothing else.  It is the same one until paos_conn_close, which closes
 * it, and it does not depend on what happens to the socket behind it.
 */
int paos_conn_fd(const paos_conn *conn);

/*
 * paos_conn_dispatch waits until there is something to be told, and calls the
 * callbacks.  timeout_ms: 0 does not wait, -1 waits for ever; when time runs
 * out that is PAOS_OK, with *handled 0.  handled, the number of callbacks that
 * were called, may be NULL.  May block beyond the time for what it has to ask
 * the server.  A callback may call whatever it likes on the connection; closing
 * it ends the dispatch with PAOS_OK.  PAOS_INVALID when called by a callback.
 */
paos_status paos_conn_dispatch(paos_conn *conn, int timeout_ms, size_t *handled);

/*
 * paos_conn_on has paos_conn_dispatch call the callback when the connection was
 * lost (PAOS_DISCONNECTED), with it rights (PAOS_RIGHTS_LOST), or made again
 * (PAOS_CONNECTED).  objects are those whose rights are lost, and else empty; it
 * is borrowed.  One callback for each; NULL: none.  PAOS_INVALID for another status.
 */
typedef void (*paos_conn_callback)(paos_conn *conn, paos_status what, const paos_list *objects,
                                   void *arg);
paos_status paos_conn_on(paos_conn *conn, paos_status what, paos_conn_callback callback, void *arg);

/* paos_conn_set_reconnect says whether a lost connection is made again (at first: yes). */
paos_status paos_conn_set_reconnect(paos_conn *conn, bool reconnect);

/*
 * paos_conn_set_outage_wait sets how long a call waits for a lost connection to
 * be made again before it returns PAOS_DISCONNECTED: milliseconds, 0 (at
 * first) not at all, -1 for ever.  Reading an object never waits.
 */
paos_status paos_conn_set_outage_wait(paos_conn *conn, int timeout_ms);

/*
 * paos_conn_set_silence sets after how long without a sign of life the
 * connection counts as lost: milliseconds, 30,000 at first, 0 never.  When it is
 * quiet paos_conn_dispatch asks for one in time.  A call that waits for an answer
 * may wait long for one that takes long, or for a lock; when it has heard nothing
 * it tries to connect to the same server besides, which one that works lets in or
 * refuses, and one that is stopped or cut off does not.  paos_conn_open and each
 * attempt to connect again take no longer either, unless connect_timeout is given.
 */
paos_status paos_conn_set_silence(paos_conn *conn, int silence_ms);

/*
 * paos_conn_outcome tells what became of the last commit that returned
 * PAOS_UNKNOWN.  When it was done its objects are as stored, else their changes
 * are still there to be committed.  May block.  PAOS_NOT_FOUND when there is no
 * such commit, PAOS_UNKNOWN when it is under way still (ask again) or cannot be known.
 */
paos_status paos_conn_outcome(paos_conn *conn, bool *committed);

/*
 * paos_conn_set_cache bounds the number of cached objects (100,000 at first).
 * Held and changed objects are never dropped, so that they may exceed it.
 */
paos_status paos_conn_set_cache(paos_conn *conn, size_t objects);

/*
 * paos_conn_set_ahead bounds how many objects are loaded ahead at once (at first half of
 * what may be cached, and never more; 0: none): those that the program went on to, from
 * objects of the same class, when it got such last.  They come in the same round trip, as
 * far as the caller may read them.
 */
paos_status paos_conn_set_ahead(paos_conn *conn, size_t objects);

/*
 * paos_conn_set_coherent has cached objects stay true (at first: no): whatever
 * a commit changes, raw SQL too, is loaded anew when it is touched after the
 * next paos_conn_dispatch.  Costs a request on the server for each thousand
 * objects.  It ends by itself when the server refuses such a request; dispatch
 * then returns why.
 */
paos_status paos_conn_set_coherent(paos_conn *conn, bool coherent);

/*
 * paos_conn_set_lock_wait sets how long paos_get in mode PAOS_WRITE waits for
 * rights that others hold: milliseconds, 0 (at first) not at all, -1 for ever.
 */
paos_status paos_conn_set_lock_wait(paos_conn *conn, int timeout_ms);

/* ---- objects ---- */

/*
 * paos_object_new makes an object that is stored by the next commit.  The out
 * handle is owned.  May block, for what is known of the class.
 */
paos_status paos_object_new(paos_conn *conn, const char *class_name, paos_object **out);

/*
 * paos_object_set changes an attribute here; the next commit writes it.  The
 * value is copied.  Setting the key names a new object.  PAOS_INVALID for a
 * value of another type, out of range, or text that is not UTF-8.
 */
paos_status paos_object_set(paos_object *object, const char *attribute, paos_value value);

/*
 * paos_object_get reads an attribute; the value is borrowed.  A reference's
 * target is not loaded.  May block when the attribute is not loaded.
 * PAOS_NOT_FOUND when the object is known to be deleted.
 */
paos_status paos_object_get(paos_object *object, const char *attribute, paos_value *out);

/*
 * paos_object_text reads an attribute of any type as text in the server's
 * notation, borrowed; NULL for a null and on errors.  May block as paos_object_get.
 */
const char *paos_object_text(paos_object *object, const char *attribute);

/* paos_object_int reads an integer, boolean, timestamp, date or ref; 0 for a null.  May block.
 */
int64_t paos_object_int(paos_object *object, const char *attribute);

/* paos_object_float reads a float, integer or numeric; 0 for a null.  May block. */
double paos_object_float(paos_object *object, const char *attribute);

/*
 * paos_object_ref follows a reference to a borrowed handle, loading the target
 * if need be.  NULL for a null, for a target that does not exist, which is no
 * error and is remembered until the object is refreshed, and on errors.  May
 * block.  PAOS_NOT_LOADED under PAOS_LOAD_REFUSE.
 */
paos_object *paos_object_ref(paos_object *object, const char *attribute);

/*
 * paos_object_refs follows a paos.ref[] attribute to the list of its targets,
 * owned, in order, without nulls and targets that do not exist.  May block.
 */
paos_status paos_object_refs(paos_object *object, const char *attribute, paos_list **out);

/*
 * paos_object_ref_count returns the number of elements of a paos.ref[] attribute, nulls and
 * targets that do not exist included; 0 for a null and on errors.  May block as
 * paos_object_get.
 */
size_t paos_object_ref_count(paos_object *object, const char *attribute);

/*
 * paos_object_ref_item follows the element i, from 0, of a paos.ref[] attribute as
 * paos_object_ref does: for walks that need no list.  NULL past the end too.
 */
paos_object *paos_object_ref_item(paos_object *object, const char *attribute, size_t i);

/*
 * paos_object_ref_items follows all elements of a paos.ref[] attribute in one call: items, of
 * room for n, gets the handles that paos_object_ref_item would return, of as many as there
 * is room for.  Returns what paos_object_ref_count does.
 */
size_t paos_object_ref_items(paos_object *object, const char *attribute, paos_object **items,
                             size_t n);

/* paos_object_id returns the object's name, with its own class, or 0 before it is registered.
 */
paos_id paos_object_id(const paos_object *object);

/* paos_object_class returns the table of the object's own class as SQL, borrowed from the
 * connection. */
const char *paos_object_class(const paos_object *object);

/* paos_object_exists is false once it is known that the object is deleted. */
bool paos_object_exists(const paos_object *object);

/*
 * paos_object_refresh drops the object's local changes and loads it anew.  May
 * block.  PAOS_NOT_FOUND when it no longer exists.
 */
paos_status paos_object_refresh(paos_object *object);

/* paos_object_hold keeps the object until it is released as often; it returns its argument. */
paos_object *paos_object_hold(paos_object *object);

/* paos_object_release gives back what was owned or held.  NULL is allowed. */
void paos_object_release(paos_object *object);

/* ---- resolved attributes: the same reads without the search for a name ---- */

/*
 * paos_class_attribute finds an attribute of a class and, by inheritance, of
 * its subclasses.  Borrowed from the connection for its life; it stays right
 * when the class changes.  NULL on errors.  May block.
 */
const paos_attribute *paos_class_attribute(paos_conn *conn, const char *class_name,
                                           const char *attribute);

/* paos_object_*_at are the calls of the same names, by resolved attribute. */
paos_status paos_object_set_at(paos_object *object, const paos_attribute *at, paos_value value);
paos_status paos_object_get_at(paos_object *object, const paos_attribute *at, paos_value *out);
const char *paos_object_text_at(paos_object *object, const paos_attribute *at);
int64_t paos_object_int_at(paos_object *object, const paos_attribute *at);
double paos_object_float_at(paos_object *object, const paos_attribute *at);
paos_object *paos_object_ref_at(paos_object *object, const paos_attribute *at);
size_t paos_object_ref_count_at(paos_object *object, const paos_attribute *at);
paos_object *paos_object_ref_item_at(paos_object *object, const paos_attribute *at, size_t i);
size_t paos_object_ref_items_at(paos_object *object, const paos_attribute *at, paos_object **items,
                                size_t n);
paos_status paos_object_refs_at(paos_object *object, const paos_attribute *at, paos_list **out);

/* ---- many objects ---- */

/* paos_register gives ids to new objects before their commit.  May block, but not for each
 * object. */
paos_status paos_register(paos_conn *conn, paos_object *const *objects, size_t n);

/*
 * paos_commit stores the objects' changes, or all there are when n is 0, in
 * one transaction, and then gives up all rights of the connection.  May block.
 * On any failure nothing is stored, the changes stay and can be committed
 * again; only after PAOS_UNKNOWN it is not known which.  PAOS_CONFLICT: see
 * paos_conn_conflicts.  PAOS_LOCKED: the error names who holds a right.
 */
paos_status paos_commit(paos_conn *conn, paos_object *const *objects, size_t n);

/* paos_delete has the next commit delete the object. */
paos_status paos_delete(paos_conn *conn, paos_object *object);

/*
 * paos_get finds the objects of a class, subclasses included, that satisfy a
 * query, NULL or "" being all of them.  args are the query's $1, $2 and so on.
 * The out list is owned.  May block.  PAOS_LOCKED (or PAOS_TIMEOUT, see
 * paos_conn_set_lock_wait) in mode PAOS_WRITE; rights got before remain.
 */
paos_status paos_get(paos_conn *conn, paos_mode mode, const char *class_name, const char *query,
                     const paos_value *args, size_t nargs, paos_list **out);

/* paos_get_with is paos_get with a loading policy; options may be NULL. */
paos_status paos_get_with(paos_conn *conn, paos_mode mode, const char *class_name,
                          const char *query, const paos_value *args, size_t nargs,
                          const paos_get_options *options, paos_list **out);

/*
 * paos_fetch finds an object by its name: in the cache, or else on the server.
 * The out handle is owned.  May block.  PAOS_NOT_FOUND.
 */
paos_status paos_fetch(paos_conn *conn, paos_id id, paos_object **out);

/*
 * paos_fetch_with is paos_fetch with a loading policy; options may be NULL.  What they say is
 * to be loaded with the object comes when the object itself has to be loaded.
 */
paos_status paos_fetch_with(paos_conn *conn, paos_id id, const paos_get_options *options,
                            paos_object **out);

/*
 * paos_fetch_many finds many objects by their names, in one round trip at most.  The out
 * list is owned, in the order of the names, without those that do not exist.  May block.
 */
paos_status paos_fetch_many(paos_conn *conn, const paos_id *ids, size_t n, paos_list **out);

/* paos_cached returns the borrowed handle of a cached object, or NULL. */
paos_object *paos_cached(paos_conn *conn, paos_id id);

/*
 * paos_refresh drops the local changes of many objects and loads them anew, in
 * one round trip.  PAOS_NOT_FOUND when some no longer exist; the others are loaded.
 */
paos_status paos_refresh(paos_conn *conn, paos_object *const *objects, size_t n);

/*
 * paos_lock takes the right to write each object and loads those without local
 * changes anew.  timeout_ms: 0 does not wait (PAOS_LOCKED), -1 waits for ever,
 * else PAOS_TIMEOUT.  On failure none of the rights is newly held.  May block.
 * PAOS_NOT_FOUND when one does not exist.
 */
paos_status paos_lock(paos_conn *conn, paos_object *const *objects, size_t n, int timeout_ms);

/* ---- lists ---- */

/* paos_list_size returns the number of objects; 0 for NULL. */
size_t paos_list_size(const paos_list *list);

/* paos_list_at returns the object at i, held by the list; NULL past the end. */
paos_object *paos_list_at(const paos_list *list, size_t i);

/* paos_list_free releases the list and what it holds.  NULL is allowed. */
void paos_list_free(paos_list *list);

PAOS_END

#include "paos_request.h"

#endif
