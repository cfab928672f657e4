/*
 * request.h - requests: what is known of their answers, and what happened to them.
 *
 * The server sends ids, so all of this can be kept without an object being
 * loaded.  Ids in an answer are identities (with the root's class), those of an
 * event name the object's own class.
 */
#ifndef PAOSI_REQUEST_H
#define PAOSI_REQUEST_H

#include "object.h"

/* ---- snapshot.c: which transactions had ended ---- */

/* Counted, since all requests that were looked at together share one. */
typedef struct paosi_snapshot
{
    size_t uses;
    uint64_t least;  /* all before it had ended */
    uint64_t beyond; /* it and all after it had not begun */
    size_t size;
    uint64_t running[]; /* between them, ascending */
} paosi_snapshot;

/* From the text of a pg_snapshot; PAOS_INVALID when it is none. */
paos_status paosi_snapshot_parse(const char *text, paosi_snapshot **out);
paosi_snapshot *paosi_snapshot_hold(paosi_snapshot *snapshot);
/* NULL is allowed. */
void paosi_snapshot_release(paosi_snapshot *snapshot);
bool paosi_snapshot_ended(const paosi_snapshot *snapshot, uint64_t xid);
/* Had all that ran in the earlier one ended in this? */
bool paosi_snapshot_settles(const paosi_snapshot *snapshot, const paosi_snapshot *earlier);

/* ---- answer.c: ids and versions of the objects in an answer ---- */

typedef struct paosi_answer
{
    uint64_t *ids; /* 0: free */
    uint32_t *versions;
    size_t size, capacity;
} paosi_answer;

void paosi_answer_free(paosi_answer *answer);
bool paosi_answer_has(const paosi_answer *answer, uint64_t id, uint32_t *version);
/* False: no memory. */
bool paosi_answer_put(paosi_answer *answer, uint64_t id, uint32_t version);
/* Forgets the versions: whatever is there later has changed. */
void paosi_answer_forget(paosi_answer *answer);
/* Was it there? */
bool paosi_answer_remove(paosi_answer *answer, uint64_t id);
/* Adds what became of an answer to three lists; false: no memory. */
bool paosi_answer_compare(const paosi_answer *before, const paosi_answer *after, paosi_ids *entered,
                          paosi_ids *changed, paosi_ids *left);

/* ---- payload.c: a notification's text ---- */

enum
{
    PAOSI_ENTER,
    PAOSI_CHANGE,
    PAOSI_LEAVE,
    PAOSI_EFFECTS
};

/* What a notification says, or several that are parts of one event. */
typedef struct paosi_payload
{
    int64_t request; /* the server's number */
    uint64_t xid;    /* 0: not told */
    bool resync;
    unsigned part, parts; /* from 1 */
    paosi_ids refs[PAOSI_EFFECTS];
    int64_t pid, uid;
    char *host, *application; /* NULL: not told */
    bool pending;             /* a durable request has events */
    char *ended, *reason;     /* SQLSTATE why the request is no more; NULL: it goes on */
} paosi_payload;

/* Strict: PAOS_INVALID for whatever the server would not have sent. */
paos_status paosi_payload_parse(const char *text, paosi_payload *out);
/* An author alone, as JSON. */
paos_status paosi_payload_author(const char *text, paosi_payload *out);
void paosi_payload_free(paosi_payload *payload);

/* ---- form.c: the form in which the server writes it ---- */

/* PAOS_INVALID: it has another form, which may be right. What `out` holds is to be freed. */
paos_status paosi_form_read(const char *text, paosi_payload *out);

/* ---- request.c: those of a connection ---- */

typedef struct paosi_request
{
    struct paosi_request *prev, *next;
    struct paosi_request *id_next, *server_next; /* in the hash tables */
    int64_t id;     /* the program's name for it: the server's of when it was made */
    int64_t server; /* the server's number now */
    paosi_class *class;
    char *query; /* without parameters, as the server prints it */
    char *bound; /* what its names stand for, in the server's words; NULL: not a program's */
    paos_callback callback;
    void *arg;
    paosi_answer answer;
    paosi_snapshot *seen;  /* what the answer contains already */
    paosi_snapshot *since; /* until its writers have ended, there may be changes that nobody tells;
                              NULL: settled */
    paosi_payload partial; /* parts of an event that is not complete; part 0: none */
    paosi_payload cause;   /* who made a look necessary, as far as that is told */
    bool look;             /* what became of the answer has to be looked at */
    bool ends;             /* with an event that is still to be told */
    char *durable;         /* its name; NULL: a live one */
    bool stands_by;        /* of a durable one: another session has the name */
    paosi_answer told;     /* of a durable one: numbers that were told and not acknowledged */
    int64_t settles;       /* up to where the next commit acknowledges; 0: it does not */
    paosi_ids members;     /* of one that is no program's but keeps these objects true */
} paosi_request;

/* One that is to be told: what a callback is called for. */
typedef struct paosi_event
{
    struct paosi_event *next;
    paosi_request *request; /* NULL: ended meanwhile */
    bool ended;             /* the request ends with it */
    int64_t number;         /* of a durable request's; else 0 */
    paosi_payload told;
    paos_list *lists[PAOSI_EFFECTS]; /* NULL: not made yet */
} paosi_event;

/* Cached objects that stay true. */
typedef struct paosi_coherent
{
    bool on;
    bool scan;       /* all of the cache has to be gone through for what is not covered */
    paosi_ids fresh; /* objects that may not be covered */
    size_t covered, dropped;
} paosi_coherent;

typedef struct paosi_requests
{
    paosi_request *first, *last;
    size_t size;
    paosi_request **by_id, **by_server; /* hash tables of `capacity` */
    size_t capacity;
    paosi_event *events, *last_event; /* in the order to be told */
    bool look;                        /* some request is to be looked at */
    size_t unsettled;
    int64_t settle_due; /* when to see whether writers have ended; milliseconds */
    int settle_delay;
    size_t standing;   /* those that stand by */
    int64_t stand_due; /* when to see whether names are free */
    int stand_delay;
    bool *closed; /* while a dispatch runs: to be told that the connection is closed */
} paosi_requests;

/* Known by its server's number from now on; its id is that, or the next that is free. */
bool paosi_requests_add(paosi_requests *requests, paosi_request *request, int64_t server);
paosi_request *paosi_requests_find(const paosi_requests *requests, int64_t id);
/* Gives it another number of the server's. */
void paosi_requests_serve(paosi_requests *requests, paosi_request *request, int64_t server);
paosi_request *paosi_requests_served(const paosi_requests *requests, int64_t server);
/* Takes it out, with the events that are still to be told of it, and frees it. */
void paosi_requests_drop(paosi_requests *requests, paosi_request *request);
void paosi_requests_free(paosi_requests *requests);
void paosi_request_free(paosi_request *request);
void paosi_request_want_look(paosi_requests *requests, paosi_request *request);
/* Takes over what an answer was found to be, and that it contains all that had ended. */
void paosi_request_take(paosi_requests *requests, paosi_request *request, paosi_answer *answer,
                        paosi_snapshot *snapshot);
/* There may be writers that know nothing of the request, of those that ran in the snapshot. */
void paosi_request_unsettle(paosi_requests *requests, paosi_request *request,
                            paosi_snapshot *since);
/* Who may not have known of it has ended, and that was looked at. */
void paosi_request_settled(paosi_requests *requests, paosi_request *request);
/* Does another session have the name of a durable one? */
void paosi_request_stand_by(paosi_requests *requests, paosi_request *request, bool stands_by);
void paosi_event_add(paosi_requests *requests, paosi_event *event);
/* The event that is first, which it frees. */
void paosi_event_drop(paosi_requests *requests);
void paosi_event_free(paosi_event *event);

#endif
