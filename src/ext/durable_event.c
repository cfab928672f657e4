/*
 * durable_event.c - events of durable requests, written by who causes them.
 *
 * They are rows of the writer's transaction, put in just before its commit, when
 * the net effect is known and all row locks are held.  No SQL is run for that: a
 * commit pays for one row and its index entry.
 */
#include "durable.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

typedef struct Noted
{
    PaosEvent event;
    PaosRequest request; /* as it was then */
} Noted;

static List *noted = NIL; /* in the context of who works out the events */
static List *kept = NIL;  /* ids of requests (int64 pointers), in TopTransactionContext */

void PaosDurableNote(const PaosRequest *request, const PaosEvent *event)
{
    Noted *note;

    /* DROP ROLE knows of no requests: theirs end here. */
    if (PaosRequestIsEnding(request->id) ||
        !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(request->role)))
        return;
    note = palloc(sizeof(Noted));
    note->event = *event;
    note->request = *request;
    noted = lappend(noted, note);
}

/* The author of this session, parsed once. */
static Datum Author(void)
{
    static char *text = NULL;
    static Datum parsed;
    const char *now = PaosAuthorText();
    MemoryContext previous;

    if (text != NULL && strcmp(text, now) == 0)
        return parsed;
    previous = MemoryContextSwitchTo(TopMemoryContext);
    if (text != NULL)
    {
        pfree(text);
        pfree(DatumGetPointer(parsed));
        text = NULL;
    }
    parsed = DirectFunctionCall1(jsonb_in, CStringGetDatum(now));
    text = pstrdup(now);
    MemoryContextSwitchTo(previous);
    return parsed;
}

static Datum RefArray(const PaosRef *refs, int n, Oid type)
{
    Size size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(PaosRef);
    ArrayType *array = palloc0(size);

    SET_VARSIZE(array, size);
    array->ndim = 1;
    array->elemtype = type;
    ARR_DIMS(array)[0] = n;
    ARR_LBOUND(array)[0] = 1;
    memcpy(ARR_DATA_PTR(array), refs, n * sizeof(PaosRef));
    return PointerGetDatum(array);
}

/* Empty lists are kept as NULL. */
static HeapTuple MakeRow(PaosShared *shared, TupleDesc desc, const PaosEvent *event)
{
    Datum values[PAOS_EVENT_COLUMNS + 1] = {0}; /* by number of the column */
    bool nulls[PAOS_EVENT_COLUMNS + 1] = {false};
    Oid type = PaosRefTypeOid();
    int effect;

    for (effect = 0; effect < PAOS_EFFECTS; effect++)
    {
        int column = PAOS_EVENT_ENTER + effect;

        nulls[column] = event->resync || event->n[effect] == 0;
        if (!nulls[column])
            values[column] = RefArray(event->refs[effect], event->n[effect], type);
    }
    values[PAOS_EVENT_NUMBER] = Int64GetDatum(PaosNumberDraw(shared));
    values[PAOS_EVENT_REQUEST] = Int64GetDatum(event->request);
    values[PAOS_EVENT_AUTHOR] = Author();
    values[PAOS_EVENT_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
    values[PAOS_EVENT_RESYNC] = BoolGetDatum(event->resync);
    values[PAOS_EVENT_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
    return heap_form_tuple(desc, values + 1, nulls + 1);
}

static void NoteKept(int64 request)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    int64 *id = palloc(sizeof(int64));

    *id = request;
    kept = lappend(kept, id);
    MemoryContextSwitchTo(previous);
}

static void Insert(List *events)
{
    PaosShared *shared = PaosSharedAttached();
    Relation relation = table_open(PaosOwnRelation("event"), RowExclusiveLock);
    CatalogIndexState indexes = CatalogOpenIndexes(relation);
    ListCell *cell;

    foreach (cell, events)
    {
        const PaosEvent *event = lfirst(cell);
        HeapTuple row = MakeRow(shared, RelationGetDescr(relation), event);

        CatalogTupleInsertWithInfo(relation, row, indexes);
        heap_freetuple(row);
        NoteKept(event->request);
    }
    CatalogCloseIndexes(indexes);
    table_close(relation, NoLock);
}

/*
 * The wakeup of who attends, which goes the way of all payloads.  Who will attend
 * when a prepared transaction is committed is not known; without preloading
 * nobody is there to do it.
 */
static void Wake(const PaosRequest *request, bool prepare, List **payloads)
{
    PaosPayload *payload;

    if (prepare ? !paos_preloaded : request->backend == 0)
        return;
    payload = palloc(sizeof(PaosPayload));
    payload->request = request->id;
    payload->text = PaosWakePayload(request->id);
    memcpy(payload->channel, request->channel, PAOS_CHANNEL_BYTES);
    *payloads = lappend(*payloads, payload);
}

void PaosDurableStore(bool prepare, List **payloads)
{
    List *events = NIL;
    List *notes = noted;
    ListCell *cell;

    noted = NIL;
    if (notes == NIL)
        return;
    foreach (cell, notes)
        events = lappend(events, &((Noted *) lfirst(cell))->event);
    Insert(events);
    foreach (cell, notes)
    {
        const PaosRequest *request = &((Noted *) lfirst(cell))->request;

        Wake(request, prepare, payloads);
        PaosLimitNotice(PaosSharedAttached(), request, prepare);
    }
}

void PaosDurableResync(PaosShared *shared, int64 request)
{
    PaosEvent event = {.request = request, .resync = true};

    Insert(list_make1(&event));
}

/* After the commit, or when there is none. */
void PaosDurableEnd(bool committed)
{
    ListCell *cell;

    noted = NIL;
    PaosForbidEnd(committed);
    if (kept == NIL)
        return;
    if (committed)
    {
        foreach (cell, kept)
            PaosRequestCount(PaosSharedAttached(), *(int64 *) lfirst(cell), true);
    }
    kept = NIL;
}
