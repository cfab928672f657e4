/*
 * reach_row.c - a row into bytes, and the objects that it refers to.
 *
 * A client's cold walk is mostly the cost of a row: nothing here allocates unless a
 * value has to be detoasted or sent by its type's function.
 */
#include "reach.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static bool IsFollowed(const ReachRow *row, const ReachColumn *column)
{
    ReachWalk *walk = row->walk;
    int i;

    if (!column->ref && !column->refs && column->target == 0)
        return false;
    for (i = 0; i < walk->follow_size; i++)
        if (strcmp(walk->follow[i].name, NameStr(column->name)) == 0 &&
            (walk->follow[i].root == 0 ||
             walk->follow[i].root == PaosReachWalkRoot(walk, row->class->number)))
            return true;
    return walk->follow_all;
}

void PaosReachRowBegin(ReachRow *row, const Oid *types)
{
    int n = row->class->size;
    int i;

    row->writers = palloc(n * sizeof(PaosWriter));
    row->followed = palloc(n * sizeof(int));
    row->followed_size = 0;
    row->types = palloc(n * sizeof(Oid));
    for (i = 0; i < n; i++)
    {
        row->types[i] = getBaseType(types[i]);
        PaosWriterMake(&row->writers[i], row->types[i]);
        if (row->walk->depth > 0 && IsFollowed(row, &row->class->columns[i]))
            row->followed[row->followed_size++] = i;
    }
    row->refs_capacity = 16;
    row->refs = palloc(row->refs_capacity * sizeof(PaosRef));
    row->context = AllocSetContextCreate(CurrentMemoryContext, "paos row", ALLOCSET_DEFAULT_SIZES);
}

void PaosReachRowStart(ReachRow *row, TupleDesc desc)
{
    int n = row->class->size;
    Oid *types = palloc(n * sizeof(Oid));
    int i;

    if (desc->natts != n + REACH_FIRST)
        elog(ERROR, "class %d has %d columns and not %d", row->class->number,
             desc->natts - REACH_FIRST, n);
    for (i = 0; i < n; i++)
        types[i] = TupleDescAttr(desc, i + REACH_FIRST)->atttypid;
    PaosReachRowBegin(row, types);
}

/* ---- references ---- */

static int64 ReadInteger(Datum value, Oid type)
{
    switch (type)
    {
        case INT2OID:
            return DatumGetInt16(value);
        case INT4OID:
            return DatumGetInt32(value);
        default:
            return DatumGetInt64(value);
    }
}

static void AddRef(ReachRow *row, PaosRef ref)
{
    if (row->refs_size == row->refs_capacity)
    {
        row->refs_capacity *= 2;
        row->refs = repalloc_huge(row->refs, row->refs_capacity * sizeof(PaosRef));
    }
    row->refs[row->refs_size++] = ref;
}

static void AddArray(ReachRow *row, Datum value)
{
    PaosArrayRoom room;
    ArrayType *array = PaosArrayRead(value, &room);
    int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    const PaosRef *refs = (const PaosRef *) ARR_DATA_PTR(array);
    const bits8 *present = ARR_NULLBITMAP(array);
    int place = 0;
    int i;

    for (i = 0; i < n; i++)
        if (present == NULL || present[i / 8] & 1 << i % 8)
            AddRef(row, refs[place++]);
}

static void AddRefs(ReachRow *row, int i, Datum value)
{
    const ReachColumn *column = &row->class->columns[i];
    int64 key;

    if (column->refs)
    {
        AddArray(row, value);
        return;
    }
    key = ReadInteger(value, row->types[i]);
    if (column->ref)
        AddRef(row, key);
    else if (key >= 1 && key <= PAOS_KEY_MAX)
        AddRef(row, PaosRefMake(column->target, key));
}

/* ---- the row ---- */

static void CollectRefs(ReachRow *row, const Datum *values, const bool *nulls,
                        const AttrNumber *places)
{
    int i;

    row->refs_size = 0;
    for (i = 0; i < row->followed_size; i++)
    {
        int column = row->followed[i];
        int place = places ? places[column] : column;

        if (!nulls[place])
            AddRefs(row, column, values[place]);
    }
}

int64 PaosReachRowTake(ReachRow *row, Oid table, TransactionId version, const Datum *values,
                       const bool *nulls, const AttrNumber *places)
{
    int key = row->class->key;
    MemoryContext previous = MemoryContextSwitchTo(row->context);

    PaosWriteNumber(row->bytes, table);
    PaosWriteNumber(row->bytes, version);
    PaosWriteValues(row->bytes, row->writers, row->class->size, values, nulls, places);
    CollectRefs(row, values, nulls, places);
    MemoryContextSwitchTo(previous);
    MemoryContextReset(row->context);
    return ReadInteger(values[places ? places[key] : key], row->types[key]);
}

int64 PaosReachRowTakeSlot(ReachRow *row, TupleTableSlot *slot)
{
    slot_getallattrs(slot);
    return PaosReachRowTake(row, DatumGetObjectId(slot->tts_values[0]),
                            DatumGetTransactionId(slot->tts_values[1]),
                            slot->tts_values + REACH_FIRST, slot->tts_isnull + REACH_FIRST, NULL);
}
