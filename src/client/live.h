/*
 * live.h - what a connection does with its requests: begins them, looks at their answers,
 * attends to durable ones, takes in what happened and tells it.
 *
 * Only paosi_tell calls back into the program; after it the connection may be closed.
 */
#ifndef PAOSI_LIVE_H
#define PAOSI_LIVE_H

#include "pgio.h"
#include "request.h"

/* ---- look.c: what an answer is now ---- */

/* What comes before and after the statements that look, and the place of the snapshot. */
#define PAOSI_LOOK_BEGIN "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define PAOSI_LOOK_SNAPSHOT "SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text"
#define PAOSI_LOOK_END "COMMIT"

/* Appends what reads the keys and versions of a class's rows, without the condition. */
void paosi_look_select(paosi_buffer *sql, const paosi_class *class);
/* What registers requests: parameters are their classes' tables and their queries. */
extern const char paosi_look_subscribe[];
void paosi_look_array(paosi_buffer *array, uint32_t type, size_t n);
/* Reads the result of that select. */
paos_status paosi_look_answer(const paosi_class *class, const paosi_result *result,
                              paosi_answer *out);
paos_status paosi_look_snapshot(paos_conn *conn, const paosi_result *result, paosi_snapshot **out);
/* Looks at all requests that want it, in one round trip, and notes what is to be told. */
paos_status paosi_look(paos_conn *conn);
/* Notes that a request is no more, and that all of its answer has left; takes from `told`. */
paos_status paosi_look_end(paosi_request *request, paosi_payload *told);
/* The same for what the server has just refused: the connection's error says why. */
paos_status paosi_look_end_refused(paosi_request *request);
/* Same for all requests, which it registers first. */
paos_status paosi_look_anew(paos_conn *conn);

/* ---- wording.c: the texts of requests, by the names that attributes have ---- */

typedef struct paosi_wording
{
    paosi_buffer classes, queries, bounds;
    paosi_parameter parameters[3];
} paosi_wording;

/* A statement that asks for them, which borrows; false: no memory. */
bool paosi_wording_ask(paosi_wording *wording, paosi_request *const *requests, size_t n,
                       paosi_statement *out);
void paosi_wording_free(paosi_wording *wording);
/* Takes over its result; is any text another one than before? */
paos_status paosi_wording_take(paos_conn *conn, const paosi_result *result,
                               paosi_request *const *requests, size_t n, bool *changed);
/* Both, in a round trip. */
paos_status paosi_wording_follow(paos_conn *conn, paosi_request *const *requests, size_t n);

/* ---- settle.c ---- */

/* When it is time to: have writers ended that did not know of some request? */
paos_status paosi_settle(paos_conn *conn);

/* ---- durable.c ---- */

/* Reads what there is to be told of durable requests. */
paos_status paosi_durable_read(paos_conn *conn);
/* How many acknowledgements are part of the next commit; their statements; what they did. */
size_t paosi_durable_settling(const paos_conn *conn);
void paosi_durable_settle(paos_conn *conn, paosi_statement *statements, paosi_parameter *parameters,
                          char *rooms);
void paosi_durable_settled(paos_conn *conn);

/* ---- standby.c ---- */

/* The number of a request that another session attends to; PAOS_NOT_FOUND: there is none. */
paos_status paosi_standby_number(paos_conn *conn, paosi_request *request);
/* Takes all durable requests up again, on a new connection. */
paos_status paosi_standby_again(paos_conn *conn);
/* Takes up those whose names are free by now, when it is time to ask. */
paos_status paosi_standby_try(paos_conn *conn);

/* ---- event.c: what has happened ---- */

/* Forgets what is cached of an object, unless it is what the transaction made of it. */
void paosi_event_invalidate(const paos_conn *conn, uint64_t identity, uint64_t xid);
/* Classes that references name may have been made since all were read. */
paos_status paosi_event_know(paos_conn *conn, const paosi_payload *told);

/* Takes in a notification; what is none of ours is counted and no failure. */
paos_status paosi_event_take(paos_conn *conn, const char *text);

/* ---- tell.c ---- */

/* Readies all events that are to be told. */
paos_status paosi_tell_prepare(paos_conn *conn);
/* Calls the callback of the first event; false: it has closed the connection. */
bool paosi_tell(paos_conn *conn, size_t *handled);

/* ---- dispatch.c ---- */

/* Has what programs wait on tell whether there is something to dispatch, or when there will be. */
void paosi_dispatch_arm(paos_conn *conn);

/* ---- subscribe.c ---- */

/* Ends a request on the server, as far as it is there. */
paos_status paosi_subscribe_end(paos_conn *conn, int64_t server);

#endif
