/*
 * reshape.h - what the files share that keep requests right while tables change.
 */
#ifndef PAOS_RESHAPE_H
#define PAOS_RESHAPE_H

#include "request.h"

/* What an attribute's name in a query stood for when the query was bound. */
typedef struct PaosBoundName
{
    AttrNumber number; /* 0: no attribute */
    Oid type;
    Oid collation;
} PaosBoundName;

/* A query as it is kept: its text, and its names' meaning in the order of the text. */
typedef struct PaosBound
{
    Oid relid;
    int n;
    const char *text;
    const PaosBoundName *names;
} PaosBound;

typedef enum PaosBoundChange
{
    PAOS_BOUND_SAME,
    PAOS_BOUND_RENAMED,
    PAOS_BOUND_RETYPED,
    PAOS_BOUND_DROPPED
} PaosBoundChange;

/* in bound_store.c */
/* Puts a bound query into the area.  Errors out when there is no room. */
extern dsa_pointer PaosBoundKeep(PaosShared *shared, const PaosBound *bound);
/* Copies it into the current memory context. */
extern PaosBound *PaosBoundCopy(dsa_pointer place);
extern void PaosBoundFree(PaosShared *shared, dsa_pointer place);

/* in bound.c */
/* Puts a query on a class into the area, bound to what it means now. */
extern dsa_pointer PaosBoundStore(const char *text, int class);
/* What has become of the attributes; of a dropped one, the name that it had in the query. */
extern PaosBoundChange PaosBoundLook(const PaosBound *bound, const char **dropped);
/* The text with the attributes' present names. */
extern char *PaosBoundText(const PaosBound *bound);

/* in reshape.c */
/* Something about the class, or the table and those below it, has changed: their requests are
 * looked at before the commit. */
extern void PaosReshapeClass(int number);
extern void PaosReshapeTable(Oid relid);
/* A class was none for a time, in which nobody noticed what was written. */
extern void PaosReshapeRenewed(int number);
/* The table has more than it had: what made no sense may make some again. */
extern void PaosReshapeGrown(Oid relid);
/* Is an error not the fault of the request whose query is bound? */
extern bool PaosReshapeIsOurs(int sqlstate);
/* Before the commit's events are worked out; is there anything to do? */
extern void PaosReshape(bool prepare);
extern bool PaosReshapePending(void);

/* How a request is filed from now on. */
typedef struct PaosRefiled
{
    int64 request;
    int class;
    dsa_pointer query;
    dsa_pointer filed;
    bool loose; /* see PaosRequest */
    bool broken;
} PaosRefiled;

/* in request_table.c */
extern PaosBound *PaosRequestBound(PaosShared *shared, int64 id, PaosRequest *out);
/* Files a request anew: nothing of it can fail.  The request may have ended meanwhile. */
extern void PaosRequestRefile(PaosShared *shared, const PaosRefiled *refiled);

/* in ddl.c */
/* Gives the triggers of classes to a table and those below it, where they are missing. */
extern void PaosTriggersAdd(Oid relid);
/* Takes them away from all below it, and itself, that belong to no class. */
extern void PaosTriggersRemove(Oid relid);

#endif
