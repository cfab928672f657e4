/*
 * durable_scan.c - the events of one durable request, in order of their numbers.
 *
 * The rows are borrowed until the next one.  Which of them there are is the
 * caller's choice of a snapshot.
 */
#include "durable.h"

#include "access/genam.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

void PaosScanOpen(PaosScan *scan, int64 request, int64 upto, Snapshot snapshot)
{
    ScanKeyData keys[2];

    scan->relation = table_open(PaosOwnRelation("event"), RowExclusiveLock);
    scan->index = index_open(PaosOwnRelation("event_request_number"), AccessShareLock);
    scan->snapshot = RegisterSnapshot(snapshot);
    ScanKeyInit(&keys[0], PAOS_EVENT_REQUEST, BTEqualStrategyNumber, F_INT8EQ,
                Int64GetDatum(request));
    ScanKeyInit(&keys[1], PAOS_EVENT_NUMBER, BTLessEqualStrategyNumber, F_INT8LE,
                Int64GetDatum(upto));
    scan->scan = systable_beginscan_ordered(scan->relation, scan->index, scan->snapshot, 2, keys);
}

HeapTuple PaosScanNext(PaosScan *scan)
{
    CHECK_FOR_INTERRUPTS();
    return systable_getnext_ordered(scan->scan, ForwardScanDirection);
}

int64 PaosScanNumber(const PaosScan *scan, HeapTuple row)
{
    bool isnull;

    return DatumGetInt64(
        heap_getattr(row, PAOS_EVENT_NUMBER, RelationGetDescr(scan->relation), &isnull));
}

TimestampTz PaosScanTime(const PaosScan *scan, HeapTuple row)
{
    bool isnull;

    return DatumGetTimestampTz(
        heap_getattr(row, PAOS_EVENT_AT, RelationGetDescr(scan->relation), &isnull));
}

void PaosScanClose(PaosScan *scan)
{
    systable_endscan_ordered(scan->scan);
    UnregisterSnapshot(scan->snapshot);
    index_close(scan->index, AccessShareLock);
    table_close(scan->relation, NoLock);
}
