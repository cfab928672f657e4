/*
 * reach_read.c - reads a batch of objects of one class, or the next part of it.
 *
 * Plain tables are read without the executor; others (row-level security, subclasses,
 * partitions) by a statement.  Either way as the caller, and on the snapshot of the
 * statement that called, as all batches of a walk are.
 */
#include "reach.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* What becomes of the rows of a statement. */
typedef struct Receiver
{
    DestReceiver receiver; /* first: the executor knows only this */
    ReachRow row;
    const ReachBatch *batch;
    int64 *keys; /* those that came */
    int size, room;
    bool full; /* it was ended early */
} Receiver;

void PaosReachFoundMiss(ReachFound *found, int64 key)
{
    if (found->missing_size == found->missing_room)
    {
        found->missing_room = found->missing_room ? 2 * found->missing_room : 64;
        found->missing = found->missing
                             ? repalloc_huge(found->missing, found->missing_room * sizeof(int64))
                             : palloc(found->missing_room * sizeof(int64));
    }
    found->missing[found->missing_size++] = key;
}

void PaosReachFollow(ReachWalk *walk, const PaosRef *refs, int n, int level)
{
    int i;

    for (i = 0; level < walk->depth && i < n; i++)
        PaosReachMeet(walk, refs[i], level + 1);
}

/* ---- by a statement ---- */

static void Start(DestReceiver *self, int operation, TupleDesc desc)
{
    PaosReachRowStart(&((Receiver *) self)->row, desc);
}

static void AddKey(Receiver *receiver, int64 key)
{
    if (receiver->size == receiver->room)
    {
        receiver->room *= 2;
        receiver->keys = repalloc_huge(receiver->keys, receiver->room * sizeof(int64));
    }
    receiver->keys[receiver->size++] = key;
}

/* False ends the statement. */
static bool Receive(TupleTableSlot *slot, DestReceiver *self)
{
    Receiver *receiver = (Receiver *) self;
    ReachRow *row = &receiver->row;

    AddKey(receiver, PaosReachRowTakeSlot(row, slot));
    PaosReachFollow(row->walk, row->refs, row->refs_size, receiver->batch->level);
    receiver->full = row->bytes->len >= REACH_BATCH_BYTES;
    return !receiver->full;
}

static void Nothing(DestReceiver *self)
{
}

/* The keys as an array of the key's type; those that it has not are names of nothing. */
static Datum KeyArray(const ReachBatch *batch, Oid type)
{
    int width = type == INT4OID ? sizeof(int32) : sizeof(int64);
    Size size = ARR_OVERHEAD_NONULLS(1) + (Size) batch->size * width;
    ArrayType *array = palloc0(size);
    char *place = ARR_OVERHEAD_NONULLS(1) + (char *) array;
    int n = 0;
    int i;

    for (i = 0; i < batch->size; i++)
    {
        if (type == INT8OID)
            ((int64 *) place)[n++] = batch->keys[i];
        else if (batch->keys[i] <= PG_INT32_MAX)
            ((int32 *) place)[n++] = (int32) batch->keys[i];
    }
    SET_VARSIZE(array, ARR_OVERHEAD_NONULLS(1) + (Size) n * width);
    array->ndim = n > 0 ? 1 : 0;
    array->elemtype = type;
    ARR_DIMS(array)[0] = n;
    ARR_LBOUND(array)[0] = 1;
    return PointerGetDatum(array);
}

static int CompareKeys(const void *a, const void *b)
{
    int64 x = *(const int64 *) a;
    int64 y = *(const int64 *) b;

    return (x > y) - (x < y);
}

static void FindMissing(const Receiver *receiver, ReachFound *found)
{
    const ReachBatch *batch = receiver->batch;
    int i;

    if (receiver->size >= batch->size)
        return;
    qsort(receiver->keys, receiver->size, sizeof(int64), CompareKeys);
    for (i = 0; i < batch->size; i++)
        if (receiver->size == 0 || bsearch(&batch->keys[i], receiver->keys, receiver->size,
                                           sizeof(int64), CompareKeys) == NULL)
            PaosReachFoundMiss(found, batch->keys[i]);
}

/* Of those that were asked for, there being no room for them, the rest is what is left to read. */
static void PutBack(ReachBatch *batch, ReachFound *found)
{
    if (batch->level == 0)
    {
        memcpy(batch->keys, found->missing, found->missing_size * sizeof(int64));
        batch->size = found->missing_size;
        batch->next = 0;
    }
    found->missing_size = 0;
}

/* All of a batch at once. */
static void Execute(ReachWalk *walk, const ReachClass *class, ReachBatch *batch, StringInfo bytes,
                    ReachFound *found)
{
    Receiver receiver = {.receiver = {Receive, Start, Nothing, Nothing, DestTuplestore},
                         .row = {.walk = walk, .class = class, .bytes = bytes},
                         .batch = batch,
                         .room = Max(batch->size, 1)};
    ParamListInfo params = makeParamList(1);
    SPIExecuteOptions options = {.params = params, .read_only = true, .dest = &receiver.receiver};
    int result;

    receiver.keys = palloc_extended(receiver.room * sizeof(int64), MCXT_ALLOC_HUGE);
    params->params[0].value = KeyArray(batch, class->keytype);
    params->params[0].isnull = false;
    params->params[0].pflags = PARAM_FLAG_CONST;
    params->params[0].ptype = class->keytype == INT4OID ? INT4ARRAYOID : INT8ARRAYOID;
    result = SPI_execute_plan_extended(class->plan, &options);
    if (result != SPI_OK_SELECT)
        elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
    found->rows = receiver.size;
    batch->next = batch->size;
    FindMissing(&receiver, found);
    if (receiver.full)
        PutBack(batch, found);
}

/* ---- the bytes of an answer: class, shape, level, rows, missing; rows; refs that are missing ----
 */

#define HEADER_SIZE (5 * (int) sizeof(int32))

void PaosReachPrepare(ReachWalk *walk)
{
    resetStringInfo(&walk->answer);
    enlargeStringInfo(&walk->answer, VARHDRSZ + HEADER_SIZE);
    walk->answer.len = VARHDRSZ + HEADER_SIZE;
}

bytea *PaosReachFinish(ReachWalk *walk, int number, int32 shape, int level, const ReachFound *found)
{
    StringInfo bytes = &walk->answer;
    int32 header[5];
    int i;

    for (i = 0; i < found->missing_size; i++)
        pq_sendint64(bytes, PaosRefMake(number, found->missing[i]));
    header[0] = pg_hton32(number);
    header[1] = pg_hton32(shape);
    header[2] = pg_hton32(level);
    header[3] = pg_hton32(found->rows);
    header[4] = pg_hton32(found->missing_size);
    memcpy(bytes->data + VARHDRSZ, header, HEADER_SIZE);
    SET_VARSIZE(bytes->data, bytes->len);
    walk->bytes += bytes->len;
    return (bytea *) bytes->data;
}

/* ---- a batch ---- */

/* All of a class that is gone is missing. */
static void MissAll(ReachBatch *batch, ReachFound *found)
{
    for (; batch->next < batch->size; batch->next++)
        PaosReachFoundMiss(found, batch->keys[batch->next]);
}

/* What is in use is given back whatever happens. */
static void ReadClass(ReachWalk *walk, ReachClass *class, ReachBatch *batch, ReachFound *found)
{
    PG_TRY();
    {
        if (!PaosReachTableRead(walk, class, batch, &walk->answer, found))
            Execute(walk, class, batch, &walk->answer, found);
    }
    PG_CATCH();
    {
        PaosReachClassClose(class);
        PG_RE_THROW();
    }
    PG_END_TRY();
    PaosReachClassClose(class);
}

bytea *PaosReachRead(ReachWalk *walk, ReachBatch *batch)
{
    ReachFound found = {0};
    ReachClass *class;
    int32 shape = 0;
    bytea *bytes;

    PaosReachPrepare(walk);
    SPI_connect();
    class = PaosReachClassOpen(batch->number);
    if (class != NULL)
    {
        shape = class->shape;
        ReadClass(walk, class, batch, &found);
    }
    else
        MissAll(batch, &found);
    bytes = PaosReachFinish(walk, batch->number, shape, batch->level, &found);
    batch->bytes += VARSIZE(bytes);
    if (batch->level > 0 && batch->bytes >= REACH_BATCH_BYTES)
        batch->next = batch->size;
    SPI_finish();
    return bytes;
}
