/*
 * request.h - what the files of requests share: the shared memory they live in.
 *
 * Requests are in a DSA area of the database, made when somebody first
 * subscribes: see shared.c.  What is there goes with the server; it is removed
 * by session exit without a transaction, so removal may neither look at
 * catalogues nor compare values.
 */
#ifndef PAOS_REQUEST_H
#define PAOS_REQUEST_H

#include "paos.h"

#include "executor/tuptable.h"
#include "lib/dshash.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/dsa.h"
#include "utils/snapshot.h"

/* A place in the ring of events: see ring.c. */
typedef struct PaosSlot
{
    pg_atomic_uint32 state;
    dsa_pointer letters; /* InvalidDsaPointer: the transaction was rolled back */
} PaosSlot;

#define PAOS_SLOT_FREE 0
#define PAOS_SLOT_RESERVED 1
#define PAOS_SLOT_READY 2

/* Figures since the first request. */
typedef enum PaosStat
{
    PAOS_STAT_COMMITS,      /* transactions that changed some answer */
    PAOS_STAT_ROWS_MATCHED, /* changes of a row's place in an answer, counted for each request */
    PAOS_STAT_PROBES,       /* rows looked up in the predicate index */
    PAOS_STAT_EVENTS,       /* sent */
    PAOS_STAT_BATCHES,      /* times that a session was told, of one event or more */
    PAOS_STAT_OVERFLOWS,    /* commits whose requests were told to look again for want of room */
    PAOS_STATS
} PaosStat;

/* One per database, at a place in the area that shared.c knows. */
typedef struct PaosShared
{
    int tranche;                   /* of every lock in the area */
    pg_atomic_uint32 paths;        /* how many requests follow references */
    LWLock lock;                   /* guards class_index's pointers and the lists of signatures */
    pg_atomic_uint64 last_request; /* ids, never given twice */
    dshash_table_handle requests;  /* by id: see request_table.h */
    dshash_table_handle roles;     /* how many requests each role has */
    dshash_table_handle shapes;    /* of queries: see bound_store.c */
    dsa_pointer sessions;          /* that have requests: see request_table.h */
    dsa_pointer constants;         /* of the predicate index: see index_constant.c */
    pg_atomic_uint32 over;         /* 1: the extension was dropped */
    pg_atomic_uint32 live;         /* how many requests there are */
    pg_atomic_uint32 durables;     /* 1: the durable requests are filed: see durable.c */
    pg_atomic_uint64 number;       /* next of an event of a durable request, and from where on */
    pg_atomic_uint64 number_end;   /*    none may be given: see durable_number.c */
    pg_atomic_uint64 stats[PAOS_STATS]; /* see PaosStat */
    dshash_table_handle mailboxes;      /* of sessions, by channel */
    uint32 mailbox_size;                /* letters that one takes */
    LWLock ring_lock;                   /* guards head, high_water */
    LWLock tail_lock;                   /* guards tail; held by who empties slots */
    pg_atomic_uint64 head;              /* next slot to reserve */
    pg_atomic_uint64 tail;              /* oldest slot not free */
    pg_atomic_uint64 lost;              /* the latest PaosRequestLose that is not told yet */
    uint64 high_water;
    uint32 nslots;
    dsa_pointer slots;
    /* How many requests each class has: what a writer looks at first. */
    pg_atomic_uint32 class_requests[PAOS_CLASS_MAX + 1];
    /* What each class was when requests with paths were filed: see path.c; 0: not told. */
    uint64 path_shapes[PAOS_CLASS_MAX + 1];
    dsa_pointer class_index[2 * PAOS_CLASS_MAX + 1]; /* of index.c; made once, never freed */
} PaosShared;

/* in shared.c */
/* The shared memory of requests; NULL when there is none and create is false. */
extern PaosShared *PaosSharedGet(bool create);
extern dsa_area *PaosSharedArea(void);
/* Nobody drops the extension until the transaction ends: to be called before a request is made. */
extern void PaosSharedHold(void);
/* Leaves shared memory of an extension that was dropped. */
extern void PaosSharedLeave(void);
/* The same without a look at any catalogue, for the end of transactions and sessions. */
extern PaosShared *PaosSharedAttached(void);

/* in area.c */
/* The area of this database is a new one; those of databases that were dropped are given back. */
extern void PaosAreaNote(dsa_area *area);
/* It goes with the last session that is attached to it. */
extern void PaosAreaForget(dsa_area *area, uint64 last_request);
/* Sessions may know requests of areas that were forgotten by ids up to this. */
extern uint64 PaosAreaLastRequest(void);

/* in request.c */
#define PAOS_CHANNEL_BYTES 16

/* Transactions that wrote what the paths of a request may lead to. */
typedef struct PaosPathCount
{
    uint32 begun;
    uint32 ended;
    TransactionId born; /* those before this one may not have known of the request; 0: over */
} PaosPathCount;

/*
 * What is known of a request: see request_table.h for what is kept.  All but the
 * figures stays as it is from the start, and of a durable one all but the session
 * that attends to it.
 */
typedef struct PaosRequest
{
    int64 id;
    Oid role; /* with whose eyes objects are seen */
    int class;
    int backend;  /* process id of the session; 0: durable, and nobody attends */
    bool path;    /* follows references: objects of other classes matter */
    bool durable; /* its events are kept in paos.event: see durable.h */
    bool broken;  /* durable: its query makes no sense any more, and is not filed */
    bool loose;   /* filed for every row, until a prepared transaction ends */
    uint8 channel[PAOS_CHANNEL_BYTES];
    uint64 events;
    TimestampTz last_event; /* 0: none yet */
    int64 kept;             /* durable: no more events than this are kept */
    TimestampTz oldest;     /* durable: none of them is older, 0: there are none */
} PaosRequest;

/* Ids of durable requests begin here, so that a live one, numbered from 1 in each run, is never
 * taken for one. */
#define PAOS_DURABLE_FIRST INT64CONST(1000000000001)

/*
 * Stand for classes where requests whose paths go through other objects are filed: all of them,
 * and those whose paths may go through objects of a class.
 */
#define PAOS_PATHS 0
#define PAOS_PATHS_OF(class) (PAOS_CLASS_MAX + (class))

extern void PaosBoundsInit(PaosShared *shared, dsa_area *area);
extern void PaosRequestsInit(PaosShared *shared, dsa_area *area);
/*
 * Registers a request until it is ended or its transaction aborts, a live one until the session
 * ends, and gives a live one its id.  A durable one that is registered already stays as it is.
 */
extern void PaosRequestAdd(PaosShared *shared, PaosRequest *request, const char *query,
                           List *filings);
/* Ends a request when the transaction commits. */
extern void PaosRequestEnd(int64 id);
/* Ends all requests of this session at once. */
extern void PaosRequestsForget(void);
/* Is the present transaction about to? */
extern bool PaosRequestIsEnding(int64 id);
/* Ids (int64 pointers) of all requests, or of those on one of the classes and those with a path. */
extern List *PaosRequestIds(PaosShared *shared, List *classes);
/* Notes that an event of a request found no room, at a position of the ring; marks those whose
 * position has been passed.  False: the request has ended. */
extern bool PaosRequestLose(PaosShared *shared, int64 id, uint64 position);
/* The same for all live ones on the classes, and with a path. */
extern void PaosRequestLoseAll(PaosShared *shared, List *classes, uint64 position);
extern void PaosRequestTellLost(PaosShared *shared, uint64 position);
/* Marks a request whose event was lost; the payloads of this session's, marked no more. */
extern void PaosRequestMark(PaosShared *shared, int64 id);
extern List *PaosRequestTakeMarked(PaosShared *shared);
/* How many requests a role has. */
extern int PaosRoleRequests(PaosShared *shared, Oid role);
/* Probes are counted for each transaction and added at its end. */
extern void PaosStatAdd(PaosShared *shared, PaosStat stat, uint64 n);
extern bool PaosRequestGet(PaosShared *shared, int64 id, PaosRequest *out, char **query);
/* Adds to the counts of a request with a path, and tells what they are; zeroes: it has ended. */
extern void PaosRequestPathCount(PaosShared *shared, int64 id, uint32 begun, uint32 ended,
                                 PaosPathCount *out);
/* Sets since when all transactions know of the request, unless that is not what it was. */
extern void PaosRequestPathBorn(PaosShared *shared, int64 id, TransactionId was,
                                TransactionId born);
/* From here on only transactions that are yet to come are sure to know of the request. */
extern void PaosRequestPathRestart(PaosShared *shared, int64 id);
/* Counts an event that was sent, or of a durable request, kept: of that one, a wakeup is no event.
 */
extern void PaosRequestCount(PaosShared *shared, int64 id, bool kept);
/* What this transaction has registered stays though it aborts. */
extern void PaosRequestKeep(int64 id);
/* A request of this session that has ended. */
extern void PaosRequestForget(int64 id);
/* At once, out of everything; one that has ended already is no error. */
extern void PaosRequestRemove(PaosShared *shared, int64 id);
/* The session that is told when a durable request has events; channel NULL: none, unless it is
 * another's by now. */
extern void PaosRequestAttend(PaosShared *shared, int64 id, const uint8 *channel);
/* What is known of the events kept for a durable request: how many, since when. */
extern void PaosRequestKept(PaosShared *shared, int64 id, int64 kept, TimestampTz oldest);

/*
 * in filing.c: how a bound condition is filed.  A filing is a list of entries;
 * an object can satisfy the condition only if it is found by one of them.
 */
typedef enum PaosFilingKind
{
    PAOS_FILE_EQUAL, /* attribute = constant, by hash */
    PAOS_FILE_RANGE, /* attribute between bounds, by order */
    PAOS_FILE_NULL,  /* attribute is null */
    PAOS_FILE_REST   /* nothing usable: every row of the class is a candidate */
} PaosFilingKind;

typedef struct PaosFiling
{
    PaosFilingKind kind;
    bool exact;           /* whoever is found by the entry satisfies the condition */
    AttrNumber attribute; /* 0: REST */
    Oid attribute_type;   /* as the class has it; what follows is for EQUAL and RANGE only */
    Oid opfamily;         /* hash (EQUAL) or btree (RANGE) */
    Oid left_type;        /* of the attribute, as the opfamily has it */
    Oid type;             /* of the constants, as the opfamily has it */
    Oid collation;
    Oid equal;       /* EQUAL: the operator */
    Datum low, high; /* EQUAL: low is the constant */
    bool has_low, has_high;
    bool low_inclusive, high_inclusive;
    bool equal_bounds; /* RANGE: low and high are the same */
    List *also;        /* of PaosFiling: what must be true besides; these have none themselves */
} PaosFiling;

/*
 * List of PaosFiling, or NIL when no row can satisfy the condition.  The constants are in the
 * current memory context.
 */
extern List *PaosFile(Expr *condition, TupleDesc desc);

/* in index.c: the predicate index */
extern void PaosIndexInit(PaosShared *shared, dsa_area *area);
/*
 * Files a request; the handle is what PaosIndexRemove takes.  May fail with an error: then nothing
 * was filed.  Not to be called with an LWLock held, for an error gives all of them up.
 */
extern dsa_pointer PaosIndexAdd(PaosShared *shared, int class, int64 request, List *filings);
/* Never fails, looks at no catalogue, needs no transaction. */
extern void PaosIndexRemove(PaosShared *shared, int class, dsa_pointer handle);

/* How many entries are filed under the same signature. */
extern uint32 PaosIndexCount(PaosShared *shared, int class, const PaosFiling *filing);

/* Told of each request that the row may satisfy, perhaps more than once; exact: it does satisfy. */
typedef void (*PaosFound)(int64 request, bool exact, void *arg);
extern void PaosIndexProbe(PaosShared *shared, int class, TupleTableSlot *row, PaosFound found,
                           void *arg);
/*
 * The same for a row as it was and as it is: what is equal in both is found once, and told first,
 * in the same order.
 */
extern void PaosIndexProbeUpdate(PaosShared *shared, int class, TupleTableSlot *before,
                                 TupleTableSlot *after, PaosFound found_before,
                                 PaosFound found_after, void *arg);

/*
 * The same for a row as it was and as it is, each NULL in all attributes when there is none, told
 * together: only what is filed for attributes that differ.
 */
extern void PaosIndexProbeChange(PaosShared *shared, int class, TupleTableSlot *before,
                                 TupleTableSlot *after, PaosFound found, void *arg);
/* True for one that the slots do not have, too. */
extern bool PaosAttributeDiffers(AttrNumber number, TupleTableSlot *before, TupleTableSlot *after);
/* The entries of two handles under one. */
extern dsa_pointer PaosIndexJoin(dsa_pointer handle, dsa_pointer other);

/* in match.c */
typedef enum PaosMatchResult
{
    PAOS_MATCH_NO,
    PAOS_MATCH_YES,
    PAOS_MATCH_UNKNOWN /* the request must look again */
} PaosMatchResult;

struct PaosQueryNode;
/* exact: the predicate index has found that the row satisfies the query. */
extern PaosMatchResult PaosRequestMatches(int64 id, Oid relid, TupleTableSlot *row, bool exact);
/* Are two versions of a row the same to what is evaluated of a request? */
extern bool PaosRequestSeesSame(int64 id, TupleTableSlot *before, TupleTableSlot *after);
/* Tells the requests whose paths may go through a row, as its class has it, that was written. */
extern void PaosPathNote(PaosShared *shared, int number, Oid relid, TupleDesc desc,
                         HeapTuple before, HeapTuple after);
/* The names (char pointers) of attributes of other objects that a query's paths go through. */
extern List *PaosPathNames(const struct PaosQueryNode *tree);

/* The attributes that a request names, as PaosPrivilegesColumns has them; borrowed. */
extern Bitmapset *PaosRequestColumns(int64 id);

/*
 * Versions of an object that one change is between, by the commands of this transaction that made
 * them; InvalidCommandId: another transaction did, or there is none.
 */
typedef struct PaosVersions
{
    CommandId was, is;
} PaosVersions;

/* in hit.c */
/* Notes the requests that a row satisfies; a version that is not there is NULL. */
extern void PaosHitsNote(int class, Oid relid, TupleTableSlot *before, TupleTableSlot *after,
                         PaosRef ref, PaosVersions versions);

/* in privilege.c */
extern Bitmapset *PaosPrivilegesColumns(Expr *condition);
/* Complains unless the caller may read the attributes of the condition. */
extern void PaosPrivilegesCheck(Oid relid, Expr *condition);
/* May the role read any attribute of the table? */
extern bool PaosPrivilegesAny(Oid relid, Oid role);
/* May the subscriber still read what the request names? */
extern bool PaosPrivilegesKept(const PaosRequest *request);

/* in path.c */
/* An attribute behind a reference, in one of the classes that this may lead to. */
typedef struct PaosPathStep
{
    Oid relid;
    const char *name;
    List *filings; /* of PaosFiling: changes of what is found by them, before or after, matter */
} PaosPathStep;

extern List *PaosPathSteps(const struct PaosQueryNode *tree, Oid relid, Oid role);
/* Files a request for its paths, part by part: each is to be noted before the next may fail. */
typedef void (*PaosPathFiled)(PaosShared *shared, int64 request, dsa_pointer filed);
extern void PaosPathFile(PaosShared *shared, const PaosRequest *request, const char *query,
                         PaosPathFiled filed);
/* Are all requests with paths filed for the class as it is now? */
extern bool PaosPathKnows(PaosShared *shared, int number, Oid relid);

/* in path_watch.c */
extern Snapshot PaosPathWatch(int64 request);
extern void PaosPathWake(int64 request);
extern void PaosPathBeforeCommit(bool prepare);
extern void PaosPathEnd(bool prepared);

/* in capture.c: all requests on a table and the classes above it must look again */
extern void PaosCaptureAll(Relation table);

/* in extension.c */
/* Has the present transaction dropped the extension? */
extern bool PaosExtensionGone(void);
/* Then, before it commits: ends all requests. */
extern void PaosExtensionEnd(bool prepare);
extern void PaosExtensionForget(bool committed);

/* in event.c */
typedef enum PaosEffect
{
    PAOS_ENTER,
    PAOS_CHANGE,
    PAOS_LEAVE,
    PAOS_EFFECTS
} PaosEffect;

/* What one transaction did to one request's answer. */
typedef struct PaosEvent
{
    int64 request;
    bool resync;
    PaosRef *refs[PAOS_EFFECTS];
    int n[PAOS_EFFECTS];
} PaosEvent;

extern int paos_capture_limit;
/* An object that is in a request's answer before or after a row was written, or both. */
extern void PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after);
extern void PaosEventResync(int64 request);
/* A row was looked up in the predicate index. */
extern void PaosEventProbe(void);
extern void PaosEventInit(void);
/* Adds a payload to those that the present transaction hands over. */
extern void PaosEventTell(const PaosRequest *request, const char *text);

/* in payload.c */
/* Adds the parts of an event to a list of PaosPayload. */
extern void PaosPayloadAdd(const PaosEvent *event, const uint8 *channel, List **payloads);
/* The event of a request that could not be told what happened to it. */
extern char *PaosResyncPayload(int64 request);
/* The last event of a request that cannot go on. */
extern char *PaosEndedPayload(int64 request, int code, const char *reason);
/* Of a durable request: there is something to be read. */
extern char *PaosWakePayload(int64 request);

/* in together.c */
/* All requests on the classes, by their numbers, and all that have a path, must look again. */
extern void PaosTogetherNote(List *classes);
/* Before the commit's events are worked out; is there anything to do? */
extern void PaosTogetherDeliver(bool prepare);
extern bool PaosTogetherPending(void);
extern void PaosTogetherUndo(SubTransactionId subxact);
extern void PaosTogetherForget(void);

/* in ring.c */
typedef struct PaosPayload
{
    int64 request;
    uint8 channel[PAOS_CHANNEL_BYTES];
    const char *text;
} PaosPayload;

extern int paos_ring_size;
extern void PaosRingInit(PaosShared *shared, dsa_area *area);
extern void PaosRingPut(PaosShared *shared, List *payloads);
/* Has the live requests on the classes, and all with a path, marked after the commit. */
extern void PaosRingLose(List *classes);
extern void PaosRingEnd(bool committed);

/* in mail.c */
/* An event on its way to a session; in the area. */
typedef struct PaosLetter
{
    dsa_pointer next;
    int64 request;
    uint8 channel[PAOS_CHANNEL_BYTES];
    int32 sender; /* process id of who committed */
    char text[FLEXIBLE_ARRAY_MEMBER];
} PaosLetter;

extern int paos_mailbox_size;
extern void PaosMailInit(PaosShared *shared, dsa_area *area);
/* This session's channel, whose name nobody can guess. */
extern const uint8 *PaosChannelOwn(void);
/* Makes the session's mailbox and LISTENs on its channel, when the transaction commits. */
extern void PaosChannelListen(PaosShared *shared);
/* Told how many letters each session has, which must not use mail itself. */
extern void PaosMailLook(PaosShared *shared, void (*look)(int backend, uint32 letters, void *arg),
                         void *arg);
/* Takes a letter over; that no such session is there is no error. */
extern void PaosMailPost(PaosShared *shared, dsa_pointer letter);
/* Has the session tell the requests that are marked. */
extern void PaosMailMark(PaosShared *shared, const uint8 *channel);
/* The mailbox goes, what is in it is still to be sent. */
extern void PaosMailRescue(void);

/* in frontend.c */
/* Is listening all that the client does?  To be asked once whenever it is about to be told. */
extern bool PaosFrontendSilent(void);
/* Half a millisecond; false when the client has something to say, or others to this process. */
extern bool PaosFrontendPause(void);
/* What was sent to the client leaves at once. */
extern void PaosFrontendFlush(void);

/* in prepared.c */
extern bool paos_preloaded;
extern void PaosPreparedPut(List *payloads);
/* Classes whose requests are looked at again when the transaction has ended. */
extern void PaosPreparedClasses(List *numbers);
extern void PaosPreparedInit(void);

/* in discard.c */
extern void PaosDiscardInit(void);

/* in query_settle.c */
/* The text of a bound query, its dates and intervals written as every session reads them. */
extern char *PaosQuerySettle(const char *text, Expr *condition);

/* in subscribe.c */
/* A query bound to a class, and how it is filed. */
typedef struct PaosQuestion
{
    const char *text; /* as every session reads it: PaosQuerySettle */
    Expr *condition;
    List *filings;
    bool path;
} PaosQuestion;

extern void PaosQuestionBind(Oid relid, const char *text, PaosQuestion *out);
/* Complains when the caller has as many requests as a role may have. */
extern void PaosRequestLimit(PaosShared *shared);

#define PAOS_CHANNEL_TEXT (5 + 2 * PAOS_CHANNEL_BYTES + 1)

extern int paos_max_requests;
extern void PaosChannelName(const uint8 *channel, char name[PAOS_CHANNEL_TEXT]);

/* in author.c: who this session is, as JSON; borrowed */
extern const char *PaosAuthorText(void);
/* The session has not introduced itself any more. */
extern void PaosAuthorDiscard(void);

#endif
