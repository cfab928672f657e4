/*
 * paos.h - what the files of the server extension share.
 *
 * A class is a registered table, an object a row of it, a ref the 8-byte
 * name of an object.  Nothing here may be called outside a transaction:
 * every lookup may read catalogues.
 */
#ifndef PAOS_H
#define PAOS_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "nodes/primnodes.h"
#include "storage/lock.h"
#include "utils/relcache.h"

#include "compat.h"

/* in ref.c: class number in the upper 15 bits, key in the lower 48 */
typedef int64 PaosRef;

#define PAOS_KEY_BITS 48
#define PAOS_KEY_MAX ((INT64CONST(1) << PAOS_KEY_BITS) - 1)
#define PAOS_CLASS_MAX 32767

#define PaosRefClass(ref) ((int) ((ref) >> PAOS_KEY_BITS))
#define PaosRefKey(ref) ((ref) &PAOS_KEY_MAX)
#define PaosRefGetDatum(ref) Int64GetDatum(ref)
#define DatumGetPaosRef(datum) ((PaosRef) DatumGetInt64(datum))
#define PG_GETARG_PAOS_REF(n) DatumGetPaosRef(PG_GETARG_DATUM(n))
#define PG_RETURN_PAOS_REF(ref) return PaosRefGetDatum(ref)

/* Longest text form, "32767:281474976710655", with its terminator. */
#define PAOS_REF_TEXT_SIZE 24

extern PaosRef PaosRefMake(int number, int64 key);
extern PaosRef PaosRefParse(const char *text);
extern void PaosRefPrint(PaosRef ref, char buffer[PAOS_REF_TEXT_SIZE]);

/*
 * in class.c: what a backend knows of a class.  Borrowed from a cache that is
 * made anew after invalidation messages: valid until the next call of a function
 * of class.c, so copy what must outlive it.
 */
typedef struct PaosClass
{
    Oid relid;      /* hash key */
    int number;     /* 1 .. PAOS_CLASS_MAX; 0: relid is no class */
    AttrNumber key; /* the single primary key column */
    Oid keytype;    /* int2, int4 or int8 */
    NameData keyname;
    bool has_subclasses; /* an extent query may find rows of other classes */
} PaosClass;

/*
 * The class of a relation, of a partition's root, or of the nearest ancestor
 * when an inherited child is not registered itself.  NULL (or an error,
 * 42704, when missing_ok is false) for a table that is in no class.
 */
extern const PaosClass *PaosClassByRelation(Oid relid, bool missing_ok);
extern const PaosClass *PaosClassByNumber(int number, bool missing_ok);

/* The table registered under a number, whatever has become of its key; InvalidOid: none. */
extern Oid PaosClassTable(int number);

/* Number of this very relation, ancestors left aside; 0 when it is not registered. */
extern int PaosClassNumber(Oid relid);

/* The class of the nearest ancestor, breadth first; 0 when no ancestor is a class. */
extern int PaosClassParent(Oid relid);

/* Changes whenever the cache was emptied: what was derived from it must be made anew. */
extern uint64 PaosClassGeneration(void);

/* Position of the key in a table of the class, which may be a partition with columns of its own
 * order. */
extern AttrNumber PaosKeyColumn(const PaosClass *class, Oid relid);

/* The tables of all classes. */
extern List *PaosClassTables(void);

/* Class number that a single-column foreign key on this column refers to, or 0. */
extern int PaosColumnTarget(Relation relation, AttrNumber column);

/* Does any class have an attribute of this name? */
extern bool PaosAttributeExists(const char *name);

/* in table.c */
/* A table qualified and quoted, for SQL text. */
extern char *PaosTableName(Oid relid);
extern Oid PaosTableOwner(Oid relid);
/* Direct parents by INHERITS or partitioning, in order. */
extern List *PaosParents(Oid relid);
/* Those that it was below until this transaction dropped it, or took it away from there. */
extern List *PaosParentsGone(Oid relid);
/* First column of the primary key and how many it has; InvalidAttrNumber and 0: none. */
extern AttrNumber PaosPrimaryKey(Relation relation, int *columns);
extern Relation PaosRelationPeek(Oid relid);

/* in own.c */
extern Oid PaosRefTypeOid(void);
extern Oid PaosQueryTypeOid(void);
/* A table or index of the extension's, by its name in schema paos. */
extern Oid PaosOwnRelation(const char *name);
/* Owner of the extension's own tables, as whom they are written. */
extern Oid PaosOwner(void);
/* Complains unless a function was called as a trigger of that table of ours, both named without
 * schema. */
extern void PaosOwnTrigger(FunctionCallInfo fcinfo, const char *function, const char *table);

/* in role.c: who one was before one became another role */
typedef struct PaosRole
{
    Oid user;
    int context;
    int settings;
} PaosRole;

extern PaosRole PaosRoleBecome(Oid role);
/* Not needed where a subtransaction is rolled back. */
extern void PaosRoleReturn(const PaosRole *saved);
/* May an expression run functions that came after initdb?  A walker: context is NULL. */
extern bool PaosRunsUserCode(Node *node, void *context);

/*
 * in subtransaction.c: a function is run in a subtransaction of its own.  NULL, or the error that
 * ended it, of which nothing is left.
 */
extern ErrorData *PaosSubtransactionTry(void (*function)(void *), void *arg);
/* The same, but rolled back in any case; only session-level locks and memory are kept. */
extern ErrorData *PaosSubtransactionProbe(void (*function)(void *), void *arg);
/* Was there no error?  Frees it; one that is the caller's own, as a cancelled statement, goes on.
 */
extern bool PaosSubtransactionForgive(ErrorData *error);

/* in version.c: complains when the installed SQL is of another version than the library */
extern void PaosVersionCheck(void);
extern bool PaosVersionFits(void);

/* in lock.c: the fourth field of our advisory lock tags, "pa"; key 0 is the tag of a class */
#define PAOS_LOCK_SPACE 28769

extern void PaosLockTag(PaosRef tag, LOCKTAG *out);
extern bool PaosRightIsMine(PaosRef ref);

/* in wait.c: milliseconds, PAOS_WAIT_FOREVER for an argument that is NULL */
#define PAOS_WAIT_FOREVER (-1)

extern int64 PaosWaitArgument(FunctionCallInfo fcinfo, int arg);
extern void PaosWaitLimit(TimestampTz deadline);
extern bool PaosWaitTry(bool (*function)(void *), void *arg, int64 wait);

/* in right.c: what one statement's firing of the trigger knows of the rights in its class */
typedef struct RightCheck
{
    bool known;
    CommandId command; /* when the class was looked at */
    bool free;         /* no other session had a right in the class then */
    int number;
    AttrNumber key;
    Oid keytype;
} RightCheck;

struct TriggerData;
extern void PaosRightCheckRow(RightCheck *check, struct TriggerData *trigger);
extern void PaosRightCheckTable(Relation relation);
/* The key of a row, 0 when it is NULL. */
extern int64 PaosTupleKey(HeapTuple tuple, TupleDesc desc, AttrNumber column, Oid keytype);

/* in object.c */
typedef struct PaosAttribute
{
    bool exists; /* the class of the object has the attribute */
    bool found;  /* the object exists and the caller may see it */
    bool isnull;
    Datum value; /* copied into the caller's memory context */
    Oid type;
    int32 typmod;
    Oid collation;
    int target; /* class that a foreign key on the attribute refers to, or 0 */
} PaosAttribute;

/*
 * Reads one attribute of one object under the privileges of the caller, row
 * level security included.  A class or attribute that does not exist, and a
 * dangling ref, are answers, not errors.
 */
extern void PaosObjectAttribute(PaosRef ref, const char *attribute, PaosAttribute *out);

/* How messages name an object: table and key. */
extern char *PaosObjectName(PaosRef ref);

/* The table that the object is really in, a subclass's perhaps; InvalidOid: no such object. */
extern Oid PaosObjectTable(PaosRef ref);

/* in query_bind.c: a query bound to a row type is an ordinary expression */
struct PaosQueryNode; /* in query.h, with parsing and printing */

typedef struct PaosRow
{
    TupleDesc desc;
    Oid relid;  /* whose foreign keys are references; InvalidOid: no table */
    int target; /* without relid: class that the first attribute refers to, or 0 */
} PaosRow;

/*
 * The condition on a row, its attributes being Vars with varno 1.  `text` is
 * what the tree was parsed from, for the positions of errors.
 */
extern Expr *PaosQueryBind(const struct PaosQueryNode *tree, const char *text, const PaosRow *row);

/* in query_filter.c: an expression on one row, compiled */
typedef struct PaosFilter
{
    ExprContext *econtext;
    ExprState *state;
    TupleTableSlot *slot; /* put the row here, then ask */
} PaosFilter;

/* Lives in the current memory context, which must outlive no change of the row type. */
extern PaosFilter *PaosFilterMake(Expr *condition, TupleDesc desc, const TupleTableSlotOps *ops);
extern bool PaosFilterMatches(PaosFilter *filter, bool *isnull);

/* in batch.c: a COPY into a plain table; false: it is no such, nothing was done */
struct ParseState;
extern bool PaosBatchCopy(struct ParseState *pstate, Relation relation, List *columns, bytea *data,
                          uint64 *rows);

#endif
