/*
 * request_note.c - what is noted of a request while it lives.
 *
 * Events that were sent or lost, the events that a durable one keeps, and who
 * writes what the paths of one lead to.  A request that has ended has nothing
 * noted, and that is no error: whoever notes may have met it before.
 */
#include "durable.h"
#include "request_table.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

/* ---- paths ---- */

void PaosRequestPathCount(PaosShared *shared, int64 id, uint32 begun, uint32 ended,
                          PaosPathCount *out)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    PaosRequestMore *more;

    memset(out, 0, sizeof(*out));
    if (entry == NULL)
        return;
    more = PaosRequestMoreOf(entry);
    more->paths.begun += begun;
    more->paths.ended += ended;
    *out = more->paths;
    PaosRequestLetGo(entry);
}

void PaosRequestPathBorn(PaosShared *shared, int64 id, TransactionId was, TransactionId born)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    PaosRequestMore *more;

    if (entry == NULL)
        return;
    more = PaosRequestMoreOf(entry);
    if (!TransactionIdIsValid(was) || more->paths.born == was)
        more->paths.born = born;
    PaosRequestLetGo(entry);
}

void PaosRequestPathRestart(PaosShared *shared, int64 id)
{
    PaosRequestPathBorn(shared, id, InvalidTransactionId,
                        XidFromFullTransactionId(ReadNextFullTransactionId()));
}

/* ---- events ---- */

static void CountKept(PaosRequestEntry *entry)
{
    PaosRequestMore *more = PaosRequestMoreOf(entry);

    more->kept++;
    if (more->oldest == 0)
        more->oldest = entry->last_event;
}

void PaosRequestCount(PaosShared *shared, int64 id, bool kept)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);

    if (entry == NULL)
        return;
    if (entry->durable && !kept)
    {
        PaosRequestLetGo(entry);
        return;
    }
    entry->events++;
    entry->last_event = GetCurrentTimestamp();
    if (kept)
        CountKept(entry);
    PaosRequestLetGo(entry);
    PaosStatAdd(shared, PAOS_STAT_EVENTS, 1);
}

void PaosRequestKept(PaosShared *shared, int64 id, int64 kept, TimestampTz oldest)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    PaosRequestMore *more;

    if (entry == NULL)
        return;
    more = PaosRequestMoreOf(entry);
    more->kept = kept;
    more->oldest = oldest;
    PaosRequestLetGo(entry);
}

/* ---- lost events ---- */

void PaosRequestMark(PaosShared *shared, int64 id)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);

    if (entry == NULL)
        return;
    entry->resync = true;
    PaosRequestLetGo(entry);
}

/* Positions wrap around, but those of one time are no farther apart than the ring is long. */
static bool IsBehind(uint32 position, uint32 other)
{
    return (int32) (position - other) > 0;
}

static void Lose(PaosRequestEntry *entry, uint32 position)
{
    if (!entry->is_lost || IsBehind(position, entry->lost))
        entry->lost = position;
    entry->is_lost = true;
}

bool PaosRequestLose(PaosShared *shared, int64 id, uint64 position)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);

    if (entry == NULL)
        return false;
    Lose(entry, (uint32) position);
    PaosRequestLetGo(entry);
    return true;
}

void PaosRequestLoseAll(PaosShared *shared, List *classes, uint64 position)
{
    dshash_seq_status scan;
    PaosRequestEntry *entry;

    dshash_seq_init(&scan, PaosRequestTable(shared), true);
    while ((entry = dshash_seq_next(&scan)) != NULL)
        if (!entry->durable && (entry->path || list_member_int(classes, entry->class)))
            Lose(entry, (uint32) position);
    dshash_seq_term(&scan);
}

/* Sessions are told when all their requests are marked, as far as one knows. */
static void TellSessions(PaosShared *shared)
{
    int number;

    for (number = 1; number <= MaxBackends; number++)
    {
        PaosSession *session = PaosSessionOf(shared, number);

        if (!session->marked)
            continue;
        session->marked = false;
        PaosMailMark(shared, session->channel);
    }
}

void PaosRequestTellLost(PaosShared *shared, uint64 position)
{
    dshash_seq_status scan;
    PaosRequestEntry *entry;

    dshash_seq_init(&scan, PaosRequestTable(shared), true);
    while ((entry = dshash_seq_next(&scan)) != NULL)
    {
        if (!entry->is_lost || IsBehind(entry->lost, (uint32) position))
            continue;
        entry->is_lost = false;
        entry->resync = true;
        if (entry->session != 0)
            PaosSessionOf(shared, entry->session)->marked = true;
    }
    dshash_seq_term(&scan);
    TellSessions(shared);
}

/* The last event of a request that has ended may be what was lost: why it has is not known. */
static char *LostPayload(int64 id)
{
    if (id >= PAOS_DURABLE_FIRST)
        return PaosWakePayload(id);
    PaosRequestForget(id);
    return psprintf("{\"request\":" INT64_FORMAT ",\"resync\":true,\"ended\":\"42704\","
                    "\"reason\":\"the request has ended\",\"author\":null,\"xid\":null,"
                    "\"part\":[1,1]}",
                    id);
}

static void TakeMark(PaosShared *shared, int64 id, List **payloads)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    bool marked;

    if (entry == NULL)
    {
        *payloads = lappend(*payloads, LostPayload(id));
        return;
    }
    marked = entry->resync && entry->session == MyBackendId;
    entry->resync = entry->resync && !marked;
    PaosRequestLetGo(entry);
    if (marked)
        *payloads = lappend(*payloads,
                            id < PAOS_DURABLE_FIRST ? PaosResyncPayload(id) : PaosWakePayload(id));
}

List *PaosRequestTakeMarked(PaosShared *shared)
{
    List *payloads = NIL;
    ListCell *cell;

    foreach (cell, list_concat(PaosRequestOwn(), PaosHoldRequests()))
        TakeMark(shared, *(int64 *) lfirst(cell), &payloads);
    return payloads;
}
