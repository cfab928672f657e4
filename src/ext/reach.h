/*
 * reach.h - what the files of paos.reach share: a class as it is read, a batch of
 * keys of one class, and the walk that batches are part of.
 */
#ifndef PAOS_REACH_H
#define PAOS_REACH_H

#include "pack.h"

#include "executor/spi.h"

/* ---- reach_seen.c: a set of objects ---- */

/* Objects are named by the root of their class, below which keys are unique. */
typedef struct PaosSeen PaosSeen;

extern PaosSeen *PaosSeenMake(void);
/* False: it was there. */
extern bool PaosSeenAdd(PaosSeen *seen, PaosRef identity);
/* Adds 64 objects at once: what their refs have in common, and a bit for each. */
extern void PaosSeenAddBlock(PaosSeen *seen, uint64 block, uint64 bits);

/* ---- reach_class.c: how objects of a class are read ---- */

/* A column, in the order in which they are read. */
typedef struct ReachColumn
{
    NameData name;
    AttrNumber number;
    int target; /* class that a foreign key refers to, or 0 */
    bool ref;   /* a paos.ref, */
    bool refs;  /* or an array of them */
} ReachColumn;

typedef struct ReachClass
{
    Oid relid; /* hash key */
    uint64 generation;
    int users; /* what is in use may not be made anew */
    int number;
    int32 shape;
    Oid keytype; /* of the array of keys: int4 or int8 */
    int key;     /* place of the key among the columns */
    int size;
    ReachColumn *columns;
    bool cast;        /* some column is read as text */
    char *select;     /* the columns, as a statement names them */
    SPIPlanPtr plan;  /* of some by their keys, */
    SPIPlanPtr found; /* of those that a query finds; NULL: not made yet */
    SPIPlanPtr all;
    MemoryContext context;
} ReachClass;

/* Values before a row's columns: its table and its version. */
#define REACH_FIRST 2

/* Connected to SPI.  To be given back; NULL: there is no such class. */
extern ReachClass *PaosReachClassOpen(int number);
extern void PaosReachClassClose(ReachClass *class);
/* The statement that reads those that a query ($1) finds, or all. */
extern SPIPlanPtr PaosReachClassQuery(ReachClass *class, bool condition);
/* The class whose extent a class is part of, 0 when it is none. */
extern int PaosReachRoot(int number);

/* ---- reach.c: the walk ---- */

typedef struct ReachBatch
{
    int number;
    int level; /* steps from the start */
    int size, capacity;
    int64 *keys;
    int next;    /* keys before it have been read */
    int64 bytes; /* that were sent of it */
} ReachBatch;

typedef struct ReachAttribute
{
    int root; /* of the class; 0: any */
    const char *name;
} ReachAttribute;

typedef struct ReachAnswer ReachAnswer;

typedef struct ReachWalk
{
    ReachAnswer *start; /* what a query finds, when it begins with that and is at it */
    ReachAttribute *follow;
    int follow_size;
    bool follow_all;
    int depth;
    int64 objects; /* that may still be added */
    int64 bytes;
    PaosSeen *seen;
    int16 *roots; /* by class number; 0: not known yet, -1: none; NULL: nobody asked */
    List *batches;
    List *tables;          /* those that are read directly */
    StringInfoData answer; /* what is sent last */
    MemoryContext context; /* of all of it */
} ReachWalk;

/* The root of a class; -1: there is no such class. */
extern int PaosReachWalkRoot(ReachWalk *walk, int number);
/* Adds what a reference leads to, unless it was met before or there is enough. */
extern void PaosReachMeet(ReachWalk *walk, PaosRef ref, int level);

/* ---- reach_row.c: a row into bytes, and what it refers to ---- */

typedef struct ReachRow
{
    ReachWalk *walk;
    const ReachClass *class;
    StringInfo bytes;
    PaosWriter *writers; /* by column */
    int *followed;       /* columns that are followed */
    int followed_size;
    Oid *types;
    PaosRef *refs; /* of the last row */
    int refs_size, refs_capacity;
    MemoryContext context; /* of what a row takes */
} ReachRow;

/* Types are those of the columns as they will come. */
extern void PaosReachRowBegin(ReachRow *row, const Oid *types);
/* Writes a row, of values at `places` (NULL: as they come), collects its refs; the key. */
extern int64 PaosReachRowTake(ReachRow *row, Oid table, TransactionId version, const Datum *values,
                              const bool *nulls, const AttrNumber *places);
/* The same for the rows of a class's statement. */
extern void PaosReachRowStart(ReachRow *row, TupleDesc desc);
extern int64 PaosReachRowTakeSlot(ReachRow *row, TupleTableSlot *slot);

/* ---- reach_kept.c: rows of a table that was scanned ---- */

typedef struct PaosKept PaosKept;

extern PaosKept *PaosKeptMake(double rows);
extern void PaosKeptFree(PaosKept *kept);
/* The bytes that the next row is to be appended to, and its end: what they lead to, and its key. */
extern StringInfo PaosKeptBytes(PaosKept *kept);
extern void PaosKeptAdd(PaosKept *kept, const ReachRow *row, int64 key);
/* When all rows are there, and before any is looked for. */
extern void PaosKeptFinish(PaosKept *kept);

/* ---- reach_table.c: plain tables, without the executor ---- */

/* What came of a batch, or of a part of it. */
typedef struct ReachFound
{
    int rows;
    int64 *missing; /* keys that name nothing */
    int missing_size, missing_room;
} ReachFound;

/* Follows the references of a row that was found. */
extern void PaosReachFollow(ReachWalk *walk, const PaosRef *refs, int n, int level);
extern void PaosReachFoundMiss(ReachFound *found, int64 key);
/* Takes keys of the batch until there are bytes for an answer. */
extern void PaosKeptTake(const PaosKept *kept, ReachWalk *walk, ReachBatch *batch, StringInfo bytes,
                         ReachFound *found);
/* False: the class has to be read by its statement. */
extern bool PaosReachTableRead(ReachWalk *walk, const ReachClass *class, ReachBatch *batch,
                               StringInfo bytes, ReachFound *found);

/* ---- reach_read.c: a batch ---- */

/* Bytes that an answer of many is cut at: it is on its way, and its memory used again, soon. */
#define REACH_ANSWER_BYTES (32 * 1024)
/* What is read of one batch at most; only what was asked for goes on after it. */
#define REACH_BATCH_BYTES (32 * 1024 * 1024)

/* Makes the bytes ready for rows; and a value of them. */
extern void PaosReachPrepare(ReachWalk *walk);
extern bytea *PaosReachFinish(ReachWalk *walk, int number, int32 shape, int level,
                              const ReachFound *found);
/* Reads from a batch, adds what its objects refer to; the next call overwrites the bytes. */
extern bytea *PaosReachRead(ReachWalk *walk, ReachBatch *batch);

/* ---- reach_answer.c: what a query finds ---- */

/* The memory is the walk's; it is ended with the caller. */
extern ReachAnswer *PaosReachAnswerBegin(ReachWalk *walk, ExprContext *caller, int number, bool all,
                                         Datum query);
/* The next part; NULL: there is none, and it was ended. */
extern bytea *PaosReachAnswerNext(ReachAnswer *answer);

#endif
