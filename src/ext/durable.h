/*
 * durable.h - what the files of durable requests share.
 *
 * A durable request is a row of paos.durable.  In shared memory it is a request
 * like any other, filed there by the first who needs it after a start of the
 * server; what it is told is kept in paos.event, written by the transaction that
 * caused it.  A session that holds the name reads there and acknowledges.
 */
#ifndef PAOS_DURABLE_H
#define PAOS_DURABLE_H

#include "request.h"

#include "utils/snapshot.h"

/* Fourth fields of advisory lock tags, beside PAOS_LOCK_SPACE. */
#define PAOS_LOCK_NAME 28770 /* a hash of the name: held by the session that attends to it */
#define PAOS_LOCK_TASK 28772 /* what only one session at a time does: */
#define PAOS_TASK_FILE 0     /*    filing all requests */
#define PAOS_TASK_NUMBER 1   /*    taking more numbers from the sequence */
#define PAOS_TASK_RESTORE 2  /*    adding a request whose class is not there yet */
                             /*    the id of a request: removing its events beyond the limits */

/* Columns of paos.durable. */
#define PAOS_DURABLE_REQUEST 1
#define PAOS_DURABLE_NAME 2
#define PAOS_DURABLE_CLASS 3
#define PAOS_DURABLE_QUERY 4
#define PAOS_DURABLE_ROLE 5

/* A row of paos.durable. */
typedef struct PaosDurable
{
    int64 request;
    char *name;
    int class;
    const char *query; /* canonical text */
    Oid role;
} PaosDurable;

/* A try to bind a durable request, which fails nobody. */
typedef struct PaosDurableTry
{
    PaosQuestion question; /* of which every row is a candidate, if it cannot be told now */
    int sqlstate;          /* 0: it went well, or cannot be told now */
    char *reason;
} PaosDurableTry;

/* in durable.c */
extern void PaosDurableTryToBind(const PaosDurable *durable, PaosDurableTry *out);
/* The shared memory of requests with the durable ones in it; NULL: there are no requests at all,
 * and create is false. */
extern PaosShared *PaosSharedFiled(bool create);
/* Waits for a task's lock; false: another session has it, and wait is false. */
extern bool PaosTaskBegin(int64 task, bool wait);
extern void PaosTaskEnd(int64 task);
/* The same until the transaction ends, in another mode than the exclusive one if need be. */
extern void PaosTaskHold(int64 task, LOCKMODE mode);
/* Without waiting; false: another session has it in a mode that is against it. */
extern bool PaosTaskTry(int64 task, LOCKMODE mode);
/* Of the extension's own. */
extern void PaosDurableFile(PaosShared *shared, const PaosDurable *durable);
/* Once more, and whatever becomes of the transaction: its class has come after it. */
extern void PaosDurableFileAgain(PaosShared *shared, const PaosRequest *request, const char *query);
/* Of a request whose row goes: it ends with the transaction, and its events go. */
extern void PaosDurableRemove(int64 request);
/* The durable request of a name, in the caller's memory context; lock: until the transaction ends
 * it goes on. False: there is none. */
extern bool PaosDurableFind(const char *name, bool lock, PaosDurable *out);
/* The same, with an error for a name of none or of a role that the caller is no member of. */
extern void PaosDurableGet(const char *name, PaosDurable *out);
extern void PaosDurableAllow(const PaosDurable *durable);

/* Columns of paos.event, which are those of paos.pending too. */
#define PAOS_EVENT_NUMBER 1
#define PAOS_EVENT_REQUEST 2
#define PAOS_EVENT_ENTER 3 /* and the other effects */
#define PAOS_EVENT_AUTHOR 6
#define PAOS_EVENT_XID 7
#define PAOS_EVENT_RESYNC 8
#define PAOS_EVENT_AT 9
#define PAOS_EVENT_COLUMNS 9

/* in durable_scan.c */
typedef struct PaosScan
{
    Relation relation;
    Relation index;
    Snapshot snapshot;
    struct SysScanDescData *scan;
} PaosScan;

extern void PaosScanOpen(PaosScan *scan, int64 request, int64 upto, Snapshot snapshot);
/* NULL: that was all. */
extern HeapTuple PaosScanNext(PaosScan *scan);
extern int64 PaosScanNumber(const PaosScan *scan, HeapTuple row);
extern TimestampTz PaosScanTime(const PaosScan *scan, HeapTuple row);
extern void PaosScanClose(PaosScan *scan);

/* in durable_event.c */
/* What the present transaction has done to the answer of a durable request. */
extern void PaosDurableNote(const PaosRequest *request, const PaosEvent *event);
/* Writes what was noted to paos.event, before the commit; adds who is to be woken. */
extern void PaosDurableStore(bool prepare, List **payloads);
extern void PaosDurableEnd(bool committed);
/* An event that tells to look again. */
extern void PaosDurableResync(PaosShared *shared, int64 request);

/* in durable_number.c */
extern int64 PaosNumberDraw(PaosShared *shared);

/* in durable_limit.c */
extern int paos_durable_max_events;
extern int paos_durable_max_age;
extern bool PaosLimitReached(const PaosRequest *request);
/* Removes the oldest events when there are too many or they are too old, `most` at the most (0:
 * all), and tells the request to look again.  Returns how many were removed. */
extern int64 PaosLimitApply(PaosShared *shared, int64 request, int64 most);
/* To be called by writers, who have other things to do. */
extern void PaosLimitNotice(PaosShared *shared, const PaosRequest *request, bool prepare);

/* in durable_forbid.c: the role of a request may not read what it names */
/* Does an event that tells to look again wait already?  If not, this commit has to add one. */
extern bool PaosForbidTold(const PaosRequest *request, bool preparing);
/* After the commit, or when there is none. */
extern void PaosForbidEnd(bool committed);
/* Before events are read: an error while it still may not. */
extern void PaosForbidLift(const PaosDurable *durable);

/* in durable_hold.c: the session that attends to a name */
typedef struct PaosHold
{
    char *name;
    SubTransactionId subxact; /* that took it; InvalidSubTransactionId: committed */
    SubTransactionId leaving; /* that gives it up when it commits; or InvalidSubTransactionId */
    int64 request;            /* of the name, as far as is known; 0: not at all */
    int64 before;             /* the one before, and who has exchanged them: */
    SubTransactionId changed; /*    see subxact */
    int64 *seen;              /* numbers of the events last read, in order */
    int64 nseen;
    bool read;
} PaosHold;

/* Gives up all names, of a database that has no requests any more. */
extern void PaosHoldsForget(void);
/* Takes the name for this session, or complains that another holds it. */
extern PaosHold *PaosHoldTake(const char *name);
/* Which request the name is of. */
extern void PaosHoldSet(PaosHold *hold, int64 request);
/* The same, and from now on this session is told of events. */
extern void PaosHoldListen(PaosHold *hold, PaosShared *shared, int64 request);
/* Gives the name of the request up, when the transaction commits. */
extern void PaosHoldLeave(int64 request);
/* Ids (int64 pointers) of the requests that this session attends to. */
extern List *PaosHoldRequests(void);

/* in durable_class.c */
/* Removes the row of a request, and all that is of it. */
extern void PaosDurableEndRow(int64 request);

/* in durable_subscribe.c */
extern int64 PaosDurableSubscribe(Oid relid, int class, const char *query, const char *name);
extern void PaosDurableForget(int64 request);

#endif
