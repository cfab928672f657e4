/*
 * stats.c - paos.stats, figures of all requests of the database.
 *
 * They are in the shared memory of requests and count from its making.
 */
#include "request.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(paos_request_stats);

/* Columns of paos.request_stats() behind those of PaosStat. */
#define STATS_REQUESTS PAOS_STATS
#define STATS_RING_SIZE (PAOS_STATS + 1)
#define STATS_RING_USED (PAOS_STATS + 2)
#define STATS_RING_HIGH_WATER (PAOS_STATS + 3)
#define STATS_COLUMNS (PAOS_STATS + 4)

void PaosStatAdd(PaosShared *shared, PaosStat stat, uint64 n)
{
    pg_atomic_fetch_add_u64(&shared->stats[stat], (int64) n);
}

static void ReadStats(PaosShared *shared, Datum values[STATS_COLUMNS])
{
    int i;

    for (i = 0; i < PAOS_STATS; i++)
        values[i] = Int64GetDatum((int64) pg_atomic_read_u64(&shared->stats[i]));
    LWLockAcquire(&shared->ring_lock, LW_SHARED);
    values[STATS_REQUESTS] = Int64GetDatum(pg_atomic_read_u32(&shared->live));
    values[STATS_RING_SIZE] = Int64GetDatum(shared->nslots);
    values[STATS_RING_USED] = Int64GetDatum(
        (int64) (pg_atomic_read_u64(&shared->head) - pg_atomic_read_u64(&shared->tail)));
    values[STATS_RING_HIGH_WATER] = Int64GetDatum((int64) shared->high_water);
    LWLockRelease(&shared->ring_lock);
}

/* paos.request_stats(): one row, of zeroes when nobody has subscribed yet */
Datum paos_request_stats(PG_FUNCTION_ARGS)
{
    PaosShared *shared = PaosSharedGet(false);
    Datum values[STATS_COLUMNS] = {0};
    bool nulls[STATS_COLUMNS] = {false};
    TupleDesc desc;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "paos.request_stats must return a row");
    if (shared != NULL)
        ReadStats(shared, values);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
