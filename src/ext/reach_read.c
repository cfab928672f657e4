/*
 * reach_read.c - reads a batch of objects of one class.
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
    ReachFound *found;
} Receiver;

void PaosReachFoundAdd(ReachFound *found, int64 key)
{
    if (found->size == found->room)
    {
        found->room = found->room ? 2 * found->room : 64;
        found->keys = found->keys ? repalloc_huge(found->keys, found->room * sizeof(int64))
                                  : palloc(found->room * sizeof(int64));
    }
    found->keys[found->size++] = key;
}

/* ---- by a statement ---- */

static void Start(DestReceiver *self, int operation, TupleDesc desc)
{
    Receiver *receiver = (Receiver *) self;
    int n = receiver->row.class->size;
    Oid *types = palloc(n * sizeof(Oid));
    int i;

    if (desc->natts != n + REACH_FIRST)
        elog(ERROR, "class %d has %d columns and not %d", receiver->row.class->number,
             desc->natts - REACH_FIRST, n);
    for (i = 0; i < n; i++)
        types[i] = TupleDescAttr(desc, i + REACH_FIRST)->atttypid;
    PaosReachRowBegin(&receiver->row, types);
}

/* False ends the statement. */
static bool Receive(TupleTableSlot *slot, DestReceiver *self)
{
    Receiver *receiver = (Receiver *) self;
    ReachRow *row = &receiver->row;
    int i;

    slot_getallattrs(slot);
    PaosReachFoundAdd(receiver->found, PaosReachRowTake(row, DatumGetObjectId(slot->tts_values[0]),
                                                        DatumGetTransactionId(slot->tts_values[1]),
                                                        slot->tts_values + REACH_FIRST,
                                                        slot->tts_isnull + REACH_FIRST, NULL));
    for (i = 0; receiver->batch->level < row->walk->depth && i < row->refs_size; i++)
        PaosReachMeet(row->walk, row->refs[i], receiver->batch->level + 1);
    return row->bytes->len < REACH_BATCH_BYTES;
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

static void Execute(ReachWalk *walk, const ReachClass *class, const ReachBatch *batch,
                    StringInfo bytes, ReachFound *found)
{
    Receiver receiver = {.receiver = {Receive, Start, Nothing, Nothing, DestTuplestore},
                         .row = {.walk = walk, .class = class, .bytes = bytes},
                         .batch = batch,
                         .found = found};
    ParamListInfo params = makeParamList(1);
    SPIExecuteOptions options = {.params = params, .read_only = true, .dest = &receiver.receiver};
    int result;

    params->params[0].value = KeyArray(batch, class->keytype);
    params->params[0].isnull = false;
    params->params[0].pflags = PARAM_FLAG_CONST;
    params->params[0].ptype = class->keytype == INT4OID ? INT4ARRAYOID : INT8ARRAYOID;
    result = SPI_execute_plan_extended(class->plan, &options);
    if (result != SPI_OK_SELECT)
        elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
}

/* ---- the bytes of a batch: class, shape, level, rows, missing; rows; refs that are missing ----
 */

#define HEADER_SIZE (5 * (int) sizeof(int32))

static int CompareKeys(const void *a, const void *b)
{
    int64 x = *(const int64 *) a;
    int64 y = *(const int64 *) b;

    return (x > y) - (x < y);
}

/* What was asked for and did not come goes to the front of the batch; as many. */
static int KeepMissing(ReachBatch *batch, ReachFound *found)
{
    int missing = 0;
    int i;

    if (found->size >= batch->size)
        return 0;
    qsort(found->keys, found->size, sizeof(int64), CompareKeys);
    for (i = 0; i < batch->size; i++)
        if (found->size == 0 ||
            bsearch(&batch->keys[i], found->keys, found->size, sizeof(int64), CompareKeys) == NULL)
            batch->keys[missing++] = batch->keys[i];
    return missing;
}

/* Objects that were asked for and for which there was no room are a batch of their own. */
static void PutBack(ReachWalk *walk, const ReachBatch *batch, int missing)
{
    MemoryContext previous = MemoryContextSwitchTo(walk->context);
    ReachBatch *rest = palloc(sizeof(ReachBatch));

    *rest = *batch;
    rest->size = missing;
    walk->batches = lcons(rest, walk->batches);
    MemoryContextSwitchTo(previous);
}

static bytea *Finish(ReachWalk *walk, ReachBatch *batch, int32 shape, StringInfo bytes,
                     ReachFound *found)
{
    int missing = KeepMissing(batch, found);
    int32 header[5];
    int i;

    if (bytes->len >= REACH_BATCH_BYTES && missing > 0)
    {
        if (batch->level == 0)
            PutBack(walk, batch, missing);
        missing = 0;
    }
    for (i = 0; i < missing; i++)
        pq_sendint64(bytes, PaosRefMake(batch->number, batch->keys[i]));
    header[0] = pg_hton32(batch->number);
    header[1] = pg_hton32(shape);
    header[2] = pg_hton32(batch->level);
    header[3] = pg_hton32(found->size);
    header[4] = pg_hton32(missing);
    memcpy(bytes->data + VARHDRSZ, header, HEADER_SIZE);
    SET_VARSIZE(bytes->data, bytes->len);
    walk->bytes += bytes->len;
    return (bytea *) bytes->data;
}

/* ---- a batch ---- */

static void ReadRows(ReachWalk *walk, const ReachClass *class, const ReachBatch *batch,
                     StringInfo bytes, ReachFound *found)
{
    if (!PaosReachTableRead(walk, class, batch, bytes, found))
        Execute(walk, class, batch, bytes, found);
}

/* What is in use is given back whatever happens. */
static void ReadClass(ReachWalk *walk, ReachClass *class, const ReachBatch *batch, StringInfo bytes,
                      ReachFound *found)
{
    PG_TRY();
    {
        ReadRows(walk, class, batch, bytes, found);
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
    MemoryContext previous = MemoryContextSwitchTo(walk->context);
    ReachFound found = {0};
    StringInfoData bytes;
    ReachClass *class;
    int32 shape = 0;

    initStringInfo(&bytes);
    /* Their place; the bytes become a value as they are. */
    enlargeStringInfo(&bytes, VARHDRSZ + HEADER_SIZE);
    bytes.len = VARHDRSZ + HEADER_SIZE;
    found.room = Max(batch->size, 1);
    found.keys = palloc_extended(found.room * sizeof(int64), MCXT_ALLOC_HUGE);
    SPI_connect();
    class = PaosReachClassOpen(batch->number);
    if (class != NULL)
    {
        shape = class->shape;
        ReadClass(walk, class, batch, &bytes, &found);
    }
    SPI_finish();
    MemoryContextSwitchTo(previous);
    return Finish(walk, batch, shape, &bytes, &found);
}
