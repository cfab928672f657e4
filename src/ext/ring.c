/*
 * ring.c - the way of events from a commit to the worker.
 *
 * NOTIFY within the writer's transaction would hold a lock of the whole cluster
 * until after the commit's flush.  So a commit hands its payloads to a worker
 * instead, through a ring of slots.  A slot is reserved before the commit and
 * filled after it: what is committed first has reserved first if the second
 * could know of it, and the worker sends in the order of the slots.  A writer
 * never waits: when there is no room, its requests are marked, and the worker
 * tells them to look again.
 */
#include "request.h"

#include "access/xact.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"

/* What a commit hands over, in one chunk: a Packet for each payload, one after the other. */
typedef struct Packet
{
    int64 request;
    uint8 channel[PAOS_CHANNEL_BYTES];
    int32 size; /* of the payload, with its terminator; rounded up in the chunk */
    char payload[FLEXIBLE_ARRAY_MEMBER];
} Packet;

#define PACKET_SIZE(payload_size) MAXALIGN(offsetof(Packet, payload) + (payload_size))

int paos_ring_size = 8192;

/* What the present transaction has reserved, or must mark because it could not. */
static bool reserved = false;
static uint64 reserved_slot;
static List *unsent = NIL; /* ids of requests, as int64 pointers in TopTransactionContext */

static PaosSlot *Slot(PaosShared *shared, uint64 number)
{
    PaosSlot *slots = dsa_get_address(PaosSharedArea(), shared->slots);

    return &slots[number % shared->nslots];
}

void PaosRingInit(PaosShared *shared, dsa_area *area)
{
    shared->nslots = paos_ring_size;
    shared->slots = dsa_allocate0(area, shared->nslots * sizeof(PaosSlot));
    LWLockInitialize(&shared->ring_lock, shared->tranche);
    pg_atomic_init_u32(&shared->overflow, 0);
}

static size_t ChunkSize(List *payloads)
{
    size_t size = sizeof(int32) * 2;
    ListCell *cell;

    foreach (cell, payloads)
        size += PACKET_SIZE(strlen(((PaosPayload *) lfirst(cell))->text) + 1);
    return size;
}

/* The chunk that holds the payloads; InvalidDsaPointer when there is no memory. */
static dsa_pointer MakeChunk(List *payloads)
{
    dsa_pointer chunk = dsa_allocate_extended(PaosSharedArea(), ChunkSize(payloads),
                                              DSA_ALLOC_NO_OOM | DSA_ALLOC_HUGE);
    char *place;
    ListCell *cell;

    if (!DsaPointerIsValid(chunk))
        return chunk;
    place = dsa_get_address(PaosSharedArea(), chunk);
    *(int32 *) place = list_length(payloads);
    place += sizeof(int32) * 2;
    foreach (cell, payloads)
    {
        const PaosPayload *payload = lfirst(cell);
        Packet *packet = (Packet *) place;

        packet->request = payload->request;
        packet->size = strlen(payload->text) + 1;
        memcpy(packet->channel, payload->channel, PAOS_CHANNEL_BYTES);
        memcpy(packet->payload, payload->text, packet->size);
        place += PACKET_SIZE(packet->size);
    }
    return chunk;
}

static bool Reserve(PaosShared *shared, dsa_pointer chunk)
{
    bool room;

    LWLockAcquire(&shared->ring_lock, LW_EXCLUSIVE);
    room = shared->head - shared->tail < shared->nslots;
    if (room)
    {
        PaosSlot *slot = Slot(shared, shared->head);

        reserved_slot = shared->head++;
        slot->chunk = chunk;
        pg_atomic_write_u32(&slot->state, PAOS_SLOT_RESERVED);
        shared->high_water = Max(shared->high_water, shared->head - shared->tail);
    }
    LWLockRelease(&shared->ring_lock);
    return room;
}

/* To be called before the commit. */
void PaosRingPut(PaosShared *shared, List *payloads)
{
    dsa_pointer chunk = MakeChunk(payloads);
    MemoryContext previous;
    ListCell *cell;

    if (DsaPointerIsValid(chunk) && Reserve(shared, chunk))
    {
        reserved = true;
        return;
    }
    if (DsaPointerIsValid(chunk))
        dsa_free(PaosSharedArea(), chunk);
    previous = MemoryContextSwitchTo(TopTransactionContext);
    foreach (cell, payloads)
    {
        int64 *id = palloc(sizeof(int64));

        *id = ((PaosPayload *) lfirst(cell))->request;
        unsent = lappend(unsent, id);
    }
    MemoryContextSwitchTo(previous);
}

/* The chunk of a commit that is not to be: nobody reads it any more. */
static void Void(PaosShared *shared)
{
    PaosSlot *slot = Slot(shared, reserved_slot);

    dsa_free(PaosSharedArea(), slot->chunk);
    slot->chunk = InvalidDsaPointer;
}

/* After the commit, when all can see it, or after it failed. */
void PaosRingEnd(bool committed)
{
    PaosShared *shared = PaosSharedAttached();
    ListCell *cell;

    if (!reserved && unsent == NIL)
        return;
    if (committed && unsent != NIL)
    {
        foreach (cell, unsent)
            PaosRequestMark(shared, *(int64 *) lfirst(cell));
        pg_atomic_fetch_add_u32(&shared->overflow, 1);
        PaosStatAdd(shared, PAOS_STAT_OVERFLOWS, 1);
    }
    if (reserved)
    {
        if (!committed)
            Void(shared);
        pg_write_barrier();
        pg_atomic_write_u32(&Slot(shared, reserved_slot)->state, PAOS_SLOT_READY);
    }
    reserved = false;
    unsent = NIL;
    PaosWorkerWake(shared);
}

/* ---- the worker's end ---- */

static void SendChunk(PaosShared *shared, char *chunk)
{
    int n = *(int32 *) chunk;
    char *place = chunk + sizeof(int32) * 2;
    int i;

    for (i = 0; i < n; i++)
    {
        Packet *packet = (Packet *) place;

        PaosNotify(packet->channel, packet->payload);
        PaosRequestCount(shared, packet->request, false);
        place += PACKET_SIZE(packet->size);
    }
}

/*
 * Takes what is ready, in order, up to a slot that is not or to the limit, and
 * queues it for NOTIFY in the present transaction.  Returns how many slots.
 */
uint64 PaosRingTake(PaosShared *shared, uint64 limit)
{
    uint64 n;

    for (n = 0; n < limit && shared->tail + n < shared->head; n++)
    {
        PaosSlot *slot = Slot(shared, shared->tail + n);

        if (pg_atomic_read_u32(&slot->state) != PAOS_SLOT_READY)
            break;
        pg_read_barrier();
        if (DsaPointerIsValid(slot->chunk))
            SendChunk(shared, dsa_get_address(PaosSharedArea(), slot->chunk));
    }
    return n;
}

/* Frees slots whose events have been sent. */
void PaosRingFree(PaosShared *shared, uint64 n)
{
    uint64 i;

    for (i = 0; i < n; i++)
    {
        PaosSlot *slot = Slot(shared, shared->tail + i);

        if (DsaPointerIsValid(slot->chunk))
            dsa_free(PaosSharedArea(), slot->chunk);
        slot->chunk = InvalidDsaPointer;
        pg_atomic_write_u32(&slot->state, PAOS_SLOT_FREE);
    }
    LWLockAcquire(&shared->ring_lock, LW_EXCLUSIVE);
    shared->tail += n;
    LWLockRelease(&shared->ring_lock);
}
