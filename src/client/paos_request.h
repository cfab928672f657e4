/*
 * paos_request.h - queries that are watched: the part of paos.h about requests
 * and their events.  Programs include paos.h.
 *
 * A callback runs in paos_conn_dispatch and nowhere else, and everything it is
 * given is borrowed until it returns.
 */
#ifndef PAOS_REQUEST_H
#define PAOS_REQUEST_H

#include "paos.h"

PAOS_BEGIN

/* Who committed.  What is not known is "", never NULL, or -1. */
typedef struct paos_author
{
    const char *host;
    int64_t pid, uid; /* of the client's process, on its host */
    const char *application;
} paos_author;

/*
 * What one transaction did to the answer of one request: all is borrowed until
 * the callback returns.  Handles that are kept must be held.  Contents of
 * entered and changed objects are loaded together when the first of them is
 * touched; those that left are loaded already, so that paos_object_exists tells
 * whether they were deleted.  May grow at its end.
 */
typedef struct paos_event
{
    int64_t request;
    const paos_list *entered, *changed, *left; /* never NULL */
    paos_author author;
    bool resync;    /* the lists are the difference to what was known here; the author is the last
                       who made it necessary, if it was a commit */
    uint64_t xid;   /* of the transaction; 0: not known */
    bool ended;     /* the request is no more: its class, what it names or the right to see that is
                       gone; paos_conn_error tells why */
    int64_t number; /* of a durable request, for paos_acknowledge; else 0 */
} paos_event;

typedef void (*paos_callback)(paos_conn *conn, const paos_event *event, void *arg);

/*
 * paos_subscribe asks a query, as paos_get does, and registers it as a request:
 * from then on paos_conn_dispatch calls the callback for each transaction that
 * changes the answer.  What a writer at work does appears either in the first
 * answer or in an event, never in neither and never in both.  first, owned, may
 * be NULL, which does not load the objects.  Own commits are told too.  Does not
 * wait for writers: those who began before it are settled by a second look,
 * which is told as a resync event when there is something to tell.  May block.
 * On failure nothing is registered.  PAOS_INVALID.
 */
paos_status paos_subscribe(paos_conn *conn, const char *class_name, const char *query,
                           const paos_value *args, size_t nargs, paos_callback callback, void *arg,
                           paos_list **first, int64_t *request);

/*
 * paos_unsubscribe ends a request; its callback is not called again.  May be
 * called by any callback.  May block.  PAOS_NOT_FOUND when there is no such
 * request on the connection.
 */
paos_status paos_unsubscribe(paos_conn *conn, int64_t request);

/*
 * paos_subscribe_durable takes up the durable request of a name, or makes it.
 * Its events are kept on the server from each commit until they are
 * acknowledged, also while no program runs: those that wait are told first.  Each
 * is told at least once, in order for each object; in this process again only
 * after paos_conn_open, or after a failover, since numbers of events that were
 * lost with it come again.  With resync set the lists are empty: more happened than
 * is kept.  PAOS_LOCKED while another session has the name.  paos_unsubscribe
 * ends it for good, with its events; closing the connection leaves it.  May block.
 */
paos_status paos_subscribe_durable(paos_conn *conn, const char *name, const char *class_name,
                                   const char *query, const paos_value *args, size_t nargs,
                                   paos_callback callback, void *arg, int64_t *request);

/*
 * paos_subscribe_standby is paos_subscribe_durable for a process that stands by:
 * while another session has the name that is PAOS_OK too, and paos_conn_dispatch
 * takes the name up within a second of its being free, as its descriptor says.
 * The same becomes of any durable request whose name another session has when a
 * connection is made again.  paos_unsubscribe only ends the standing by.  May block.
 */
paos_status paos_subscribe_standby(paos_conn *conn, const char *name, const char *class_name,
                                   const char *query, const paos_value *args, size_t nargs,
                                   paos_callback callback, void *arg, int64_t *request);

/* paos_request_attends tells whether this connection has the name of a durable request now. */
bool paos_request_attends(const paos_conn *conn, int64_t request);

/*
 * paos_acknowledge says that the events of a durable request up to a number have
 * been dealt with, of those that were told.  May block.
 */
paos_status paos_acknowledge(paos_conn *conn, int64_t request, int64_t upto);

/*
 * paos_acknowledge_commit does so as part of the next paos_commit, even one of no
 * changes: what the program stores for an event is stored exactly once.  A
 * failover before that commit forgets it, and the event is told again.
 */
paos_status paos_acknowledge_commit(paos_conn *conn, int64_t request, int64_t upto);

PAOS_END

#endif
