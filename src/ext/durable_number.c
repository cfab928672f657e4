/*
 * durable_number.c - numbers of events, which order them per object.
 *
 * A number is drawn just before the commit, with the row locks held: of two
 * transactions that write one object the later has the greater number.  Numbers
 * do not commit in order, so nobody may read "those greater than the last".  They
 * are given out of shared memory, a block of paos.event_number at a time: nextval
 * itself would change what lastval() tells the writer.
 */
#include "durable.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "adopt.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(paos_events_restored);

/* Numbers in a block: so many are passed over at a start of the server. */
#define BLOCK 1000

/*
 * From the sequence, whose value outlives the server: the last number that may
 * be in use.  A transaction that is read-only by now may have written before.
 */
static uint64 MoveSequence(uint64 above)
{
    Oid types[] = {INT8OID};
    Datum values[] = {Int64GetDatum((int64) above + BLOCK)};
    bool read_only = XactReadOnly;
    bool isnull;
    Datum last;

    SPI_connect();
    XactReadOnly = false;
    PaosExecuteAsOwner("SELECT pg_catalog.setval('paos.event_number',"
                       " greatest($1, last_value OPERATOR(pg_catalog.+) 1000))"
                       " FROM paos.event_number",
                       1, types, values);
    XactReadOnly = read_only;
    last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    SPI_finish();
    return (uint64) DatumGetInt64(last);
}

/* What lies at or beyond the end nobody has been given, so that moving on skips none of it. */
static void TakeBlock(PaosShared *shared)
{
    PaosTaskBegin(PAOS_TASK_NUMBER, true);
    if (pg_atomic_read_u64(&shared->number) >= pg_atomic_read_u64(&shared->number_end))
    {
        uint64 last = MoveSequence(pg_atomic_read_u64(&shared->number));

        pg_atomic_write_u64(&shared->number, last - BLOCK + 1);
        pg_memory_barrier();
        pg_atomic_write_u64(&shared->number_end, last + 1);
    }
    PaosTaskEnd(PAOS_TASK_NUMBER);
}

int64 PaosNumberDraw(PaosShared *shared)
{
    for (;;)
    {
        uint64 number = pg_atomic_fetch_add_u64(&shared->number, 1);

        if (number < pg_atomic_read_u64(&shared->number_end))
            return (int64) number;
        TakeBlock(shared);
    }
}

/* The greatest number there is, 0 when there are no events. */
static uint64 LastNumber(void)
{
    bool isnull;
    Datum last;

    SPI_connect();
    PaosExecuteAsOwner("SELECT coalesce(pg_catalog.max(number), 0) FROM paos.event", 0, NULL, NULL);
    last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    SPI_finish();
    return (uint64) DatumGetInt64(last);
}

/*
 * Trigger after INSERT on paos.event, which does not run for the events of
 * commits: what a restore brings is older than what happens from now on.
 */
Datum paos_events_restored(PG_FUNCTION_ARGS)
{
    PaosShared *shared = PaosSharedGet(false);
    uint64 last;

    PaosOwnTrigger(fcinfo, "events_restored", "event");
    last = LastNumber();
    PaosTaskBegin(PAOS_TASK_NUMBER, true);
    MoveSequence(last);
    if (shared != NULL)
        pg_atomic_write_u64(&shared->number_end, 0);
    PaosTaskEnd(PAOS_TASK_NUMBER);
    return PointerGetDatum(NULL);
}
