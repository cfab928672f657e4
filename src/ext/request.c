/*
 * request.c - requests of this session: when they begin and when they end.
 *
 * A request is an entry in shared memory that belongs to the session that
 * subscribed, a durable one to its row in paos.durable.  Shared memory knows no transactions: what
 * a transaction that aborts has registered is removed when it does, what it has ended is removed
 * only when it commits, and all of a session's goes when the session does.
 */
#include "end.h"
#include "request_table.h"

#include "utils/memutils.h"

/* A request that this session has registered or is about to end. */
typedef struct Own
{
    int64 id;
    SubTransactionId subxact; /* that did it; InvalidSubTransactionId: committed */
    bool ended;
} Own;

typedef struct OwnList
{
    Own *items; /* in the order done */
    int n;
    int size;
} OwnList;

static OwnList own;
static OwnList ending;
static int own_ended = 0; /* how many of own are */

static void Reserve(OwnList *list)
{
    if (list->n < list->size)
        return;
    list->size = list->size == 0 ? 64 : list->size * 2;
    list->items = list->items == NULL
                      ? MemoryContextAllocHuge(TopMemoryContext, list->size * sizeof(Own))
                      : repalloc_huge(list->items, list->size * sizeof(Own));
}

static void Push(OwnList *list, int64 id)
{
    Reserve(list);
    list->items[list->n++] = (Own){id, GetCurrentSubTransactionId(), false};
}

/* Those of a subtransaction and of all that ran inside it: their numbers are not below its. */
static bool IsOf(const OwnList *list, SubTransactionId subxact)
{
    const Own *last = list->n == 0 ? NULL : &list->items[list->n - 1];

    return last != NULL && last->subxact != InvalidSubTransactionId && last->subxact >= subxact;
}

static void Undo(SubTransactionId subxact)
{
    while (IsOf(&own, subxact))
        PaosRequestRemove(PaosSharedAttached(), own.items[--own.n].id);
    while (IsOf(&ending, subxact))
        ending.n--;
}

void PaosRequestsForget(void)
{
    ending.n = 0;
    own_ended = 0;
    while (own.n > 0)
        PaosRequestRemove(PaosSharedAttached(), own.items[--own.n].id);
}

static void EndSession(int code, Datum arg)
{
    if (PaosSharedAttached() != NULL)
        PaosRequestsForget();
}

/* From now on a live request is the session's, a durable one its table's. */
static void SettleOwn(void)
{
    int n = own.n;
    int i;

    while (n > 0 && own.items[n - 1].subxact != InvalidSubTransactionId)
        n--;
    for (i = n; i < own.n; i++)
    {
        if (own.items[i].id < PAOS_DURABLE_FIRST)
            own.items[n++] = (Own){own.items[i].id, InvalidSubTransactionId, false};
    }
    own.n = n;
}

static int CompareOwn(const void *a, const void *b)
{
    int64 left = ((const Own *) a)->id;
    int64 right = ((const Own *) b)->id;

    return left < right ? -1 : left > right;
}

/* Between transactions the list is in the order of the ids, which are drawn upwards. */
void PaosRequestForget(int64 id)
{
    Own key = {.id = id};
    Own *item = own.n == 0 ? NULL : bsearch(&key, own.items, own.n, sizeof(Own), CompareOwn);

    if (item == NULL || item->ended)
        return;
    item->ended = true;
    own_ended++;
}

/* Now and then, so that whoever ends one request after the other does not move all others each
 * time. */
static void ForgetEnded(void)
{
    int n = 0;
    int i;

    if (own_ended <= own.n / 2)
        return;
    for (i = 0; i < own.n; i++)
    {
        if (!own.items[i].ended)
            own.items[n++] = own.items[i];
    }
    own.n = n;
    own_ended = 0;
}

static void Commit(void)
{
    SettleOwn();
    while (ending.n > 0)
    {
        int64 id = ending.items[--ending.n].id;

        PaosRequestForget(id);
        PaosRequestRemove(PaosSharedAttached(), id);
    }
    ForgetEnded();
}

/* What the other session that commits a prepared transaction would have to do, it knows nothing of.
 */
static void RefusePrepare(void)
{
    bool refused = ending.n > 0;
    int i;

    /* A live one that was begun PostgreSQL refuses itself, for its LISTEN. */
    for (i = 0; i < own.n; i++)
        refused = refused || own.items[i].id >= PAOS_DURABLE_FIRST;
    if (refused)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot PREPARE a transaction that has begun or ended a request"));
}

static PaosEnds ends = {
    .before_prepare = RefusePrepare, .commit = Commit, .undo = Undo, .session = EndSession};

/* From here on an error removes the request. */
static void Enter(PaosShared *shared, PaosRequest *request, const char *query)
{
    Reserve(&own);
    if (!request->durable)
        request->id = (int64) pg_atomic_add_fetch_u64(&shared->last_request, 1);
    PaosRequestEnter(shared, request, query);
    Push(&own, request->id);
}

static PaosRequestEntry *FindOwn(PaosShared *shared, int64 id)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);

    if (entry == NULL)
        elog(ERROR, "request " INT64_FORMAT " is missing", id);
    return entry;
}

/* Notes at once what was filed, so that an error in the next step leaves nothing behind. */
static void NoteFiled(PaosShared *shared, int64 id, dsa_pointer filed)
{
    PaosRequestEntry *entry = FindOwn(shared, id);

    entry->filed = filed;
    PaosRequestLetGo(entry);
}

static void NotePathFiled(PaosShared *shared, int64 id, dsa_pointer filed)
{
    PaosRequestEntry *entry = FindOwn(shared, id);
    PaosRequestMore *more = PaosRequestMoreOf(entry);

    more->filed_path = PaosIndexJoin(filed, more->filed_path);
    PaosRequestLetGo(entry);
}

void PaosRequestAdd(PaosShared *shared, PaosRequest *request, const char *query, List *filings)
{
    PaosRequest there;

    PaosEndsRegister(&ends);
    if (request->durable && PaosRequestGet(shared, request->id, &there, NULL))
        return;
    Enter(shared, request, query);
    if (filings != NIL)
        NoteFiled(shared, request->id, PaosIndexAdd(shared, request->class, request->id, filings));
    if (!request->path)
        return;
    PaosPathFile(shared, request, query, NotePathFiled);
    PaosRequestPathRestart(shared, request->id);
}

void PaosRequestKeep(int64 id)
{
    int i;

    for (i = own.n - 1; i >= 0; i--)
    {
        if (own.items[i].id != id)
            continue;
        memmove(&own.items[i], &own.items[i + 1], (own.n - i - 1) * sizeof(Own));
        own.n--;
        return;
    }
}

List *PaosRequestOwn(void)
{
    List *ids = NIL;
    int i;

    for (i = 0; i < own.n; i++)
        if (own.items[i].id < PAOS_DURABLE_FIRST && !own.items[i].ended)
        {
            int64 *id = palloc(sizeof(int64));

            *id = own.items[i].id;
            ids = lappend(ids, id);
        }
    return ids;
}

bool PaosRequestIsEnding(int64 id)
{
    int i;

    for (i = 0; i < ending.n; i++)
        if (ending.items[i].id == id)
            return true;
    return false;
}

void PaosRequestEnd(int64 id)
{
    PaosEndsRegister(&ends);
    Push(&ending, id);
}
