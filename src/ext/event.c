/*
 * event.c - what the present transaction does to the answers of requests.
 *
 * Each row that concerns a request appends to a journal; the net effect is worked
 * out once, before the commit.  The journal is in the order of subtransactions, so
 * that one that aborts is undone by cutting off its end.  It is not in the order
 * rows were written: another trigger may write a row that this one is yet to fire
 * for.  Commands tell that order, and each touches an object once.  It is
 * bounded: a transaction that goes on beyond that tells its requests to look
 * again instead.
 */
#include "durable.h"
#include "reshape.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* One row's effect on one request; ref 0: the request must look again. */
typedef struct Change
{
    int64 request;
    PaosRef ref;
    SubTransactionId subxact;
    PaosVersions versions;
    bool before;
    bool after;
} Change;

int paos_capture_limit = 1000000;

static Change *journal = NULL; /* in TopTransactionContext, NULL when there is none */
static int njournal = 0;
static uint64 nprobes = 0;
static int journal_size = 0;
static List *extra = NIL; /* of PaosPayload: what was not worked out from the journal */
static bool preparing = false;
static HTAB *coarse = NULL; /* requests that must look again, once the journal was too long */

/* Tells what the transaction cost, whether it changed an answer or not. */
static void CountWork(void)
{
    PaosShared *shared = PaosSharedAttached();

    if (shared == NULL || nprobes == 0)
        return;
    PaosStatAdd(shared, PAOS_STAT_PROBES, nprobes);
    if (njournal > 0)
        PaosStatAdd(shared, PAOS_STAT_ROWS_MATCHED, njournal);
    nprobes = 0;
}

static void ForgetJournal(void)
{
    journal = NULL;
    coarse = NULL;
    extra = NIL;
    PaosTogetherForget();
    njournal = 0;
    journal_size = 0;
}

static void AddCoarse(int64 request)
{
    hash_search(coarse, &request, HASH_ENTER, NULL);
}

/* Exchanges the journal for the set of its requests.  That is not undone by subtransactions. */
static void MakeCoarse(void)
{
    HASHCTL ctl = {
        .keysize = sizeof(int64), .entrysize = sizeof(int64), .hcxt = TopTransactionContext};
    int i;

    coarse = hash_create("paos requests to look again", 256, &ctl,
                         HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    for (i = 0; i < njournal; i++)
        AddCoarse(journal[i].request);
    if (journal != NULL)
        pfree(journal);
    journal = NULL;
    njournal = 0;
    journal_size = 0;
}

static void AppendChange(int64 request, PaosRef ref, PaosVersions versions, bool before, bool after)
{
    if (coarse == NULL && njournal >= paos_capture_limit)
        MakeCoarse();
    if (coarse != NULL)
    {
        AddCoarse(request);
        return;
    }
    if (njournal == journal_size)
    {
        journal_size = journal_size == 0 ? 64 : journal_size * 2;
        journal = journal == NULL
                      ? MemoryContextAllocHuge(TopTransactionContext, journal_size * sizeof(Change))
                      : repalloc_huge(journal, journal_size * sizeof(Change));
    }
    journal[njournal] =
        (Change){request, ref, GetCurrentSubTransactionId(), versions, before, after};
    njournal++;
}

/* An object of a request's answer, before or after the row was written. */
void PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before, bool after)
{
    AppendChange(request, ref, versions, before, after);
}

void PaosEventProbe(void)
{
    nprobes++;
}

void PaosEventResync(int64 request)
{
    AppendChange(request, 0, (PaosVersions){InvalidCommandId, InvalidCommandId}, false, false);
}

static int CompareChanges(const void *a, const void *b)
{
    const Change *left = a;
    const Change *right = b;

    if (left->request != right->request)
        return left->request < right->request ? -1 : 1;
    if (left->ref != right->ref)
        return left->ref < right->ref ? -1 : 1;
    if (left->versions.was != right->versions.was)
        return left->versions.was < right->versions.was ? -1 : 1;
    return 0;
}

static void AddRef(PaosEvent *event, PaosEffect effect, PaosRef ref, int limit)
{
    if (event->refs[effect] == NULL)
        event->refs[effect] = palloc_extended(limit * sizeof(PaosRef), MCXT_ALLOC_HUGE);
    event->refs[effect][event->n[effect]++] = ref;
}

/* The change of the same object that took the version which this one made; NULL: none did. */
static Change *NextOf(const Change *change, Change *changes, int n)
{
    Change key = *change;

    key.versions.was = change->versions.is;
    if (key.versions.was == InvalidCommandId)
        return NULL;
    return bsearch(&key, changes, n, sizeof(Change), CompareChanges);
}

/*
 * Was the object there before, and is it after?  n changes of one object, sorted.  What
 * was made and taken on the way is no matter.
 */
static void Ends(Change *changes, int n, bool *before, bool *after)
{
    int i;

    for (i = 0; n > 1 && i < n; i++)
    {
        Change *next = NextOf(&changes[i], changes, n);

        if (next != NULL)
            changes[i].after = next->before = false;
    }
    *before = *after = false;
    for (i = 0; i < n; i++)
    {
        *before = *before || changes[i].before;
        *after = *after || changes[i].after;
    }
}

/* The net effect of all changes of one request, which are sorted. */
static void SumUp(PaosEvent *event, Change *changes, int n)
{
    int first;
    int next;

    for (first = 0; first < n; first = next)
    {
        PaosRef ref = changes[first].ref;
        bool before;
        bool after;

        for (next = first; next < n && changes[next].ref == ref; next++)
            ;
        Ends(changes + first, next - first, &before, &after);
        if (ref == 0)
            event->resync = true;
        else if (before && after)
            AddRef(event, PAOS_CHANGE, ref, n);
        else if (before)
            AddRef(event, PAOS_LEAVE, ref, n);
        else if (after)
            AddRef(event, PAOS_ENTER, ref, n);
    }
}

static bool IsEmpty(const PaosEvent *event)
{
    return !event->resync && event->n[PAOS_ENTER] == 0 && event->n[PAOS_CHANGE] == 0 &&
           event->n[PAOS_LEAVE] == 0;
}

/* ---- delivery ---- */

/* A transaction in two phases leaves that to the next event: what it ends, it tells nothing. */
static void EndForbidden(const PaosRequest *request, List **payloads)
{
    PaosPayload *payload = palloc(sizeof(PaosPayload));

    if (request->durable)
    {
        PaosEvent event = {.request = request->id, .resync = true};

        if (!PaosForbidTold(request, preparing))
            PaosDurableNote(request, &event);
        return;
    }
    if (preparing)
        return;
    payload->request = request->id;
    payload->text = PaosEndedPayload(request->id, ERRCODE_INSUFFICIENT_PRIVILEGE,
                                     "permission to read what it names is gone");
    memcpy(payload->channel, request->channel, PAOS_CHANNEL_BYTES);
    *payloads = lappend(*payloads, payload);
    PaosRequestEnd(request->id);
}

static void Deliver(const PaosEvent *event, List **payloads)
{
    PaosRequest request;

    if (IsEmpty(event) || !PaosRequestGet(PaosSharedAttached(), event->request, &request, NULL) ||
        request.broken)
        return;
    if (!PaosPrivilegesKept(&request))
        EndForbidden(&request, payloads);
    else if (request.durable)
        PaosDurableNote(&request, event);
    else
        PaosPayloadAdd(event, request.channel, payloads);
}

static void DeliverJournal(List **payloads)
{
    int first;
    int next;

    if (njournal == 0)
        return;
    qsort(journal, njournal, sizeof(Change), CompareChanges);
    for (first = 0; first < njournal; first = next)
    {
        PaosEvent event = {.request = journal[first].request};

        for (next = first; next < njournal && journal[next].request == event.request; next++)
            ;
        SumUp(&event, journal + first, next - first);
        Deliver(&event, payloads);
    }
}

static void DeliverCoarse(List **payloads)
{
    HASH_SEQ_STATUS scan;
    int64 *request;

    if (coarse == NULL)
        return;
    hash_seq_init(&scan, coarse);
    while ((request = hash_seq_search(&scan)) != NULL)
    {
        PaosEvent event = {.request = *request, .resync = true};

        Deliver(&event, payloads);
    }
}

/* Into the ring, to be sent after the commit, or into a table until COMMIT PREPARED. */
static void HandOver(List *payloads, bool prepare)
{
    if (payloads == NIL)
        return;
    PaosStatAdd(PaosSharedAttached(), PAOS_STAT_COMMITS, 1);
    if (prepare)
        PaosPreparedPut(payloads);
    else
        PaosRingPut(PaosSharedAttached(), payloads);
}

/* What is done before the commit may still fail, and the transaction with it. */
static void BeforeCommit(bool prepare)
{
    List *payloads = NIL;
    MemoryContext work;
    MemoryContext previous;

    if (PaosExtensionGone())
    {
        PaosExtensionEnd(prepare);
        HandOver(extra, false);
        return;
    }
    PaosPathBeforeCommit(prepare);
    if (njournal == 0 && coarse == NULL && extra == NIL && !PaosTogetherPending() &&
        !PaosReshapePending())
        return;
    preparing = prepare;
    work = AllocSetContextCreate(CurrentMemoryContext, "paos events", ALLOCSET_DEFAULT_SIZES);
    previous = MemoryContextSwitchTo(work);
    PushActiveSnapshot(GetTransactionSnapshot());
    PaosReshape(prepare);
    PaosTogetherDeliver(prepare);
    DeliverJournal(&payloads);
    DeliverCoarse(&payloads);
    PaosDurableStore(prepare, &payloads);
    HandOver(list_concat(payloads, extra), prepare);
    PopActiveSnapshot();
    MemoryContextSwitchTo(previous);
    MemoryContextDelete(work);
}

void PaosEventTell(const PaosRequest *request, const char *text)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    PaosPayload *payload = palloc(sizeof(PaosPayload));

    payload->request = request->id;
    memcpy(payload->channel, request->channel, PAOS_CHANNEL_BYTES);
    payload->text = pstrdup(text);
    extra = lappend(extra, payload);
    MemoryContextSwitchTo(previous);
}

static void EndTransaction(XactEvent event, void *arg)
{
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
        BeforeCommit(event == XACT_EVENT_PRE_PREPARE);
    else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
    {
        PaosPathEnd(event == XACT_EVENT_PREPARE);
        PaosExtensionForget(event == XACT_EVENT_COMMIT);
        PaosRingEnd(event == XACT_EVENT_COMMIT);
        PaosDurableEnd(event == XACT_EVENT_COMMIT);
        CountWork();
        ForgetJournal();
    }
}

static void EndSubtransaction(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent,
                              void *arg)
{
    if (event != SUBXACT_EVENT_ABORT_SUB)
        return;
    while (njournal > 0 && journal[njournal - 1].subxact >= subxact)
        njournal--;
    PaosTogetherUndo(subxact);
}

void PaosEventInit(void)
{
    RegisterXactCallback(EndTransaction, NULL);
    RegisterSubXactCallback(EndSubtransaction, NULL);
}
