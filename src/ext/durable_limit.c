/*
 * durable_limit.c - no more events than a limit allows, nor older ones.
 *
 * Beyond it the oldest are removed and the request is told to look again, in one
 * transaction and with one snapshot: what was removed could be seen before the
 * event that stands for it, so that whoever reads that one finds all of it.  An
 * event that is committed later stays, though its number may be lower.  Whoever
 * reads removes all that is too much, a writer a piece at a time.  How many there
 * are is known as an upper bound, so they are counted before anything is removed.
 */
#include "durable.h"

#include "access/heapam.h"
#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* What a writer removes at a time. */
#define PIECE 1000

int paos_durable_max_events = 1000000;
int paos_durable_max_age = 60 * 24 * 30; /* minutes */

/* The oldest that may be there; 0: there is no limit. */
static TimestampTz OldestAllowed(void)
{
    return paos_durable_max_age == 0
               ? 0
               : TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
                                             -INT64CONST(60000) * paos_durable_max_age);
}

bool PaosLimitReached(const PaosRequest *request)
{
    if (paos_durable_max_events > 0 && request->kept > paos_durable_max_events)
        return true;
    return request->oldest != 0 && paos_durable_max_age > 0 && request->oldest < OldestAllowed();
}

/* Counts the events, and tells since when they are there: 0, there are none. */
static int64 Count(int64 request, TimestampTz *oldest)
{
    PaosScan scan;
    HeapTuple row;
    int64 n = 0;

    *oldest = 0;
    PaosScanOpen(&scan, request, PG_INT64_MAX, GetLatestSnapshot());
    while ((row = PaosScanNext(&scan)) != NULL)
    {
        if (n++ == 0)
            *oldest = PaosScanTime(&scan, row);
    }
    PaosScanClose(&scan);
    return n;
}

/* Removes events in order; those that somebody else is removing are let be. */
static int64 Remove(int64 request, int64 most, TimestampTz *oldest)
{
    PaosScan scan;
    HeapTuple row;
    int64 n = 0;

    PaosScanOpen(&scan, request, PG_INT64_MAX, GetLatestSnapshot());
    while ((row = PaosScanNext(&scan)) != NULL && (most == 0 || n < most))
    {
        TM_FailureData failure;

        if (heap_delete(scan.relation, &row->t_self, GetCurrentCommandId(true), InvalidSnapshot,
                        false, &failure, false) == TM_Ok)
            n++;
    }
    *oldest = row == NULL ? 0 : PaosScanTime(&scan, row);
    PaosScanClose(&scan);
    return n;
}

int64 PaosLimitApply(PaosShared *shared, int64 request, int64 most)
{
    PaosRequest known = {.id = request};
    int64 removed = 0;

    known.kept = Count(request, &known.oldest);
    if (PaosLimitReached(&known))
    {
        removed = Remove(request, most, &known.oldest);
        known.kept -= removed;
        PaosDurableResync(shared, request);
        CommandCounterIncrement();
        ereport(LOG,
                errmsg("durable request " INT64_FORMAT " has more or older events than it may keep",
                       request),
                errdetail("The oldest " INT64_FORMAT " were removed; it is told to look again.",
                          removed));
    }
    PaosRequestKept(shared, request, known.kept, known.oldest);
    return removed;
}

/* Not of a prepared transaction, which would keep the lock. */
void PaosLimitNotice(PaosShared *shared, const PaosRequest *request, bool prepare)
{
    if (!prepare && PaosLimitReached(request) && PaosTaskBegin(request->id, false))
        PaosLimitApply(shared, request->id, PIECE);
}
