/*
 * request_table.h - a request as it is kept in shared memory.
 *
 * There may be millions, so what few requests need is elsewhere, and what all
 * requests of a session have in common is there once.  PaosRequest is the same for
 * reading.  An entry may be looked at, and changed, while the table's lock on it
 * is held.
 */
#ifndef PAOS_REQUEST_TABLE_H
#define PAOS_REQUEST_TABLE_H

#include "request.h"

/* Of a session that has requests, under its backend id; as long as it has any. */
typedef struct PaosSession
{
    int pid;
    bool marked; /* some of its requests are, which it is yet to be told */
    uint8 channel[PAOS_CHANNEL_BYTES];
} PaosSession;

/* Of a durable request: see durable_forbid.c. */
typedef enum PaosForbidden
{
    PAOS_ALLOWED,
    PAOS_FORBIDDING, /* a commit is about to tell, or was */
    PAOS_FORBIDDEN   /* an event waits that tells */
} PaosForbidden;

/* What only requests with a path and durable ones need. */
typedef struct PaosRequestMore
{
    dsa_pointer filed_path; /* for PaosIndexRemove */
    PaosPathCount paths;
    int64 kept;
    TimestampTz oldest;
    PaosForbidden forbidden;
} PaosRequestMore;

/* With what the hash table adds, 80 bytes. */
typedef struct PaosRequestEntry
{
    int64 id; /* hash key */
    Oid role;
    int32 session;     /* its backend id; 0: durable, and nobody attends */
    dsa_pointer query; /* see bound_store.c */
    dsa_pointer filed; /* for PaosIndexRemove */
    dsa_pointer more;  /* PaosRequestMore, or none */
    uint64 events;
    TimestampTz last_event;
    uint32 lost; /* if is_lost: the end of a position in the ring: see PaosRequestLose */
    uint32 class : 16;
    uint32 path : 1;
    uint32 durable : 1;
    uint32 loose : 1;
    uint32 broken : 1;
    uint32 resync : 1; /* an event was lost: to be told to look again */
    uint32 is_lost : 1;
} PaosRequestEntry;

StaticAssertDecl(sizeof(PaosRequestEntry) == 64, "an entry must fit the area's pieces");

/* in request_table.c */
extern dshash_table *PaosRequestTable(PaosShared *shared);
/* NULL: it has ended.  To be let go of by dshash_release_lock. */
extern PaosRequestEntry *PaosRequestFind(PaosShared *shared, int64 id);
extern void PaosRequestLetGo(PaosRequestEntry *entry);
extern PaosSession *PaosSessionOf(PaosShared *shared, int number);
/* NULL: it needs none. */
extern PaosRequestMore *PaosRequestMoreOf(const PaosRequestEntry *entry);
/* Enters a request that is not filed yet.  An error leaves nothing behind. */
extern void PaosRequestEnter(PaosShared *shared, const PaosRequest *request, const char *query);

/* in request.c */
/* Ids (int64 pointers) of this session's live requests; some may have ended. */
extern List *PaosRequestOwn(void);

#endif
