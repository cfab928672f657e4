/*
 * ring.c - the order of events: from a commit to the mailboxes.
 *
 * NOTIFY within the writer's transaction would hold a lock of the whole cluster
 * until after the commit's flush.  So a commit hands over its payloads when it is
 * done, through a ring of slots.  A slot is reserved before the commit and ready
 * after it: what is committed first has reserved first if the second could know
 * of it.  Slots are emptied in order, by any writer that has just made its own
 * ready; whoever finds another at it leaves the work to that one.  A writer never
 * waits: when there is no room, its requests are told to look again.
 */
#include "request.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

int paos_ring_size = 8192;

/* What the present transaction has reserved, or must mark because it could not. */
static bool reserved = false;
static uint64 reserved_slot;
static List *unsent = NIL;       /* PaosPayloads without their texts, in TopTransactionContext */
static List *lost_classes = NIL; /* see PaosRingLose; there, too */

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
    LWLockInitialize(&shared->tail_lock, shared->tranche);
    pg_atomic_init_u64(&shared->head, 0);
    pg_atomic_init_u64(&shared->tail, 0);
    pg_atomic_init_u64(&shared->lost, 0);
}

static void FreeLetters(dsa_pointer first)
{
    while (DsaPointerIsValid(first))
    {
        dsa_pointer next = ((PaosLetter *) dsa_get_address(PaosSharedArea(), first))->next;

        dsa_free(PaosSharedArea(), first);
        first = next;
    }
}

/* A chain of letters, one for each payload; InvalidDsaPointer when there is no memory. */
static dsa_pointer MakeLetters(List *payloads)
{
    dsa_area *area = PaosSharedArea();
    dsa_pointer first = InvalidDsaPointer;
    int i;

    for (i = list_length(payloads) - 1; i >= 0; i--)
    {
        const PaosPayload *payload = list_nth(payloads, i);
        size_t size = strlen(payload->text) + 1;
        dsa_pointer pointer =
            dsa_allocate_extended(area, offsetof(PaosLetter, text) + size, DSA_ALLOC_NO_OOM);
        PaosLetter *letter;

        if (!DsaPointerIsValid(pointer))
        {
            FreeLetters(first);
            return InvalidDsaPointer;
        }
        letter = dsa_get_address(area, pointer);
        letter->next = first;
        letter->request = payload->request;
        letter->sender = MyProcPid;
        memcpy(letter->channel, payload->channel, PAOS_CHANNEL_BYTES);
        memcpy(letter->text, payload->text, size);
        first = pointer;
    }
    return first;
}

static bool Reserve(PaosShared *shared, dsa_pointer letters)
{
    uint64 used;

    LWLockAcquire(&shared->ring_lock, LW_EXCLUSIVE);
    reserved_slot = pg_atomic_read_u64(&shared->head);
    used = reserved_slot - pg_atomic_read_u64(&shared->tail) + 1;
    if (used <= shared->nslots)
    {
        PaosSlot *slot = Slot(shared, reserved_slot);

        slot->letters = letters;
        pg_atomic_write_u32(&slot->state, PAOS_SLOT_RESERVED);
        pg_write_barrier();
        pg_atomic_write_u64(&shared->head, reserved_slot + 1);
        shared->high_water = Max(shared->high_water, used);
    }
    LWLockRelease(&shared->ring_lock);
    return used <= shared->nslots;
}

/* What finds no room: the requests will be told to look again. */
static void NoteUnsent(List *payloads)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    ListCell *cell;

    foreach (cell, payloads)
    {
        PaosPayload *copy = palloc(sizeof(PaosPayload));

        *copy = *(const PaosPayload *) lfirst(cell);
        copy->text = NULL;
        unsent = lappend(unsent, copy);
    }
    MemoryContextSwitchTo(previous);
}

/* To be called before the commit, once. */
void PaosRingPut(PaosShared *shared, List *payloads)
{
    dsa_pointer letters = MakeLetters(payloads);

    Assert(!reserved);
    if (DsaPointerIsValid(letters))
        reserved = Reserve(shared, letters);
    if (reserved)
        return;
    FreeLetters(letters);
    NoteUnsent(payloads);
}

void PaosRingLose(List *classes)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);

    lost_classes = list_copy(classes);
    MemoryContextSwitchTo(previous);
}

static bool IsReady(PaosShared *shared, uint64 number)
{
    return number != pg_atomic_read_u64(&shared->head) &&
           pg_atomic_read_u32(&Slot(shared, number)->state) == PAOS_SLOT_READY;
}

static void PostAll(PaosShared *shared, dsa_pointer next)
{
    while (DsaPointerIsValid(next))
    {
        dsa_pointer letter = next;

        next = ((PaosLetter *) dsa_get_address(PaosSharedArea(), letter))->next;
        PaosMailPost(shared, letter);
    }
}

/*
 * A request whose event found no room looks again in its turn: what was committed earlier is told
 * first, or it would be taken for news.
 */
static void TellLost(PaosShared *shared)
{
    uint64 lost = pg_atomic_read_u64(&shared->lost);
    uint64 passed = pg_atomic_read_u64(&shared->tail) + 1;

    if (lost != 0 && lost <= passed && pg_atomic_compare_exchange_u64(&shared->lost, &lost, 0))
        PaosRequestTellLost(shared, passed);
}

/*
 * Empties what is ready, in order, up to a slot that is not.  Whoever made a slot
 * ready while another was at it found the lock taken: hence the second look.
 */
static void Forward(PaosShared *shared)
{
    uint64 tail = pg_atomic_read_u64(&shared->tail);

    while (IsReady(shared, tail) && LWLockConditionalAcquire(&shared->tail_lock, LW_EXCLUSIVE))
    {
        for (tail = pg_atomic_read_u64(&shared->tail); IsReady(shared, tail); tail++)
        {
            PaosSlot *slot = Slot(shared, tail);

            pg_read_barrier();
            PostAll(shared, slot->letters);
            pg_atomic_write_u32(&slot->state, PAOS_SLOT_FREE);
            pg_write_barrier();
            pg_atomic_write_u64(&shared->tail, tail + 1);
        }
        LWLockRelease(&shared->tail_lock);
        pg_memory_barrier();
    }
    TellLost(shared);
}

static void TellUnsent(PaosShared *shared)
{
    uint64 position;
    uint64 lost;
    ListCell *cell;

    if (unsent == NIL && lost_classes == NIL)
        return;
    position = pg_atomic_read_u64(&shared->head) + 1;
    lost = pg_atomic_read_u64(&shared->lost);
    foreach (cell, unsent)
    {
        const PaosPayload *payload = lfirst(cell);

        /* Of one that has ended nothing can be noted; its session finds that out. */
        if (!PaosRequestLose(shared, payload->request, position))
            PaosMailMark(shared, payload->channel);
    }
    if (lost_classes != NIL)
        PaosRequestLoseAll(shared, lost_classes, position);
    while (lost < position && !pg_atomic_compare_exchange_u64(&shared->lost, &lost, position))
        ;
    if (unsent != NIL)
        PaosStatAdd(shared, PAOS_STAT_OVERFLOWS, 1);
    TellLost(shared);
}

/* After the commit, when all can see it, or after it failed. */
void PaosRingEnd(bool committed)
{
    PaosShared *shared = PaosSharedAttached();

    if (committed)
        TellUnsent(shared);
    if (reserved)
    {
        PaosSlot *slot = Slot(shared, reserved_slot);

        if (!committed)
        {
            FreeLetters(slot->letters);
            slot->letters = InvalidDsaPointer;
        }
        pg_write_barrier();
        pg_atomic_write_u32(&slot->state, PAOS_SLOT_READY);
        reserved = false;
        pg_memory_barrier();
        Forward(shared);
    }
    unsent = NIL;
    lost_classes = NIL;
}
