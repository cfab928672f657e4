/*
 * request.c - requests: what is asked, and when it ends.
 *
 * A request is an entry in shared memory that belongs to the session that
 * subscribed, a durable one to its row in paos.durable.  Shared memory knows no transactions: what
 * a transaction that aborts has registered is removed when it does, what it has ended is removed
 * only when it commits, and all of a session's goes when the session does.
 */
#include "reshape.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A request that this session has registered or is about to end. */
typedef struct Own
{
    int64 id;
    SubTransactionId subxact; /* that did it; InvalidSubTransactionId: committed */
} Own;

typedef struct OwnList
{
    Own *items; /* in the order done */
    int n;
    int size;
} OwnList;

typedef struct RoleCount
{
    Oid role; /* hash key */
    int n;
} RoleCount;

static dshash_table *requests = NULL;
static dshash_table *roles = NULL;
static dsa_handle tables_area; /* what requests and roles are attached to */
static OwnList own;
static OwnList ending;

static dshash_parameters Parameters(const PaosShared *shared, size_t key, size_t entry)
{
    dshash_parameters parameters = {key, entry, dshash_memcmp, dshash_memhash, shared->tranche};

    return parameters;
}

#define REQUEST_PARAMETERS(shared) Parameters(shared, sizeof(int64), sizeof(PaosRequest))
#define ROLE_PARAMETERS(shared) Parameters(shared, sizeof(Oid), sizeof(RoleCount))

static dshash_table_handle MakeTable(dsa_area *area, dshash_parameters parameters)
{
    dshash_table *table = dshash_create(area, &parameters, NULL);
    dshash_table_handle handle = dshash_get_hash_table_handle(table);

    dshash_detach(table);
    return handle;
}

/* Fills in a PaosShared that nobody else can see yet. */
void PaosSharedInit(PaosShared *shared, dsa_area *area)
{
    int i;

    LWLockInitialize(&shared->lock, shared->tranche);
    pg_atomic_init_u64(&shared->last_request, 0);
    pg_atomic_init_u32(&shared->paths, 0);
    pg_atomic_init_u32(&shared->live, 0);
    pg_atomic_init_u32(&shared->over, 0);
    pg_atomic_init_u32(&shared->durables, 0);
    pg_atomic_init_u64(&shared->number, 1);
    pg_atomic_init_u64(&shared->number_end, 0);
    for (i = 0; i < PAOS_STATS; i++)
        pg_atomic_init_u64(&shared->stats[i], 0);
    for (i = 0; i <= PAOS_CLASS_MAX; i++)
        pg_atomic_init_u32(&shared->class_requests[i], 0);
    shared->requests = MakeTable(area, REQUEST_PARAMETERS(shared));
    shared->roles = MakeTable(area, ROLE_PARAMETERS(shared));
    PaosIndexInit(shared, area);
    PaosRingInit(shared, area);
    PaosMailInit(shared, area);
}

static void AttachTables(PaosShared *shared)
{
    dshash_parameters request = REQUEST_PARAMETERS(shared);
    dshash_parameters role = ROLE_PARAMETERS(shared);
    MemoryContext previous = MemoryContextSwitchTo(TopMemoryContext);

    requests = dshash_attach(PaosSharedArea(), &request, shared->requests, NULL);
    roles = dshash_attach(PaosSharedArea(), &role, shared->roles, NULL);
    tables_area = dsa_get_handle(PaosSharedArea());
    MemoryContextSwitchTo(previous);
}

static dshash_table *Requests(PaosShared *shared)
{
    if (requests == NULL || tables_area != dsa_get_handle(PaosSharedArea()))
        AttachTables(shared);
    return requests;
}

static void CountForRole(PaosShared *shared, Oid role, int change)
{
    RoleCount *count;
    bool found;

    Requests(shared);
    count = dshash_find_or_insert(roles, &role, &found);
    if (!found)
        count->n = 0;
    count->n += change;
    dshash_release_lock(roles, count);
}

int PaosRoleRequests(PaosShared *shared, Oid role)
{
    RoleCount *count;
    int n;

    Requests(shared);
    count = dshash_find(roles, &role, false);
    if (count == NULL)
        return 0;
    n = count->n;
    dshash_release_lock(roles, count);
    return n;
}

List *PaosRequestIds(PaosShared *shared, List *classes)
{
    dshash_seq_status scan;
    PaosRequest *entry;
    List *ids = NIL;

    dshash_seq_init(&scan, Requests(shared), false);
    while ((entry = dshash_seq_next(&scan)) != NULL)
    {
        int64 *id;

        if (classes != NIL && !entry->path && !list_member_int(classes, entry->class))
            continue;
        id = palloc(sizeof(int64));
        *id = entry->id;
        ids = lappend(ids, id);
    }
    dshash_seq_term(&scan);
    return ids;
}

bool PaosRequestGet(PaosShared *shared, int64 id, PaosRequest *out, char **query)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, false);
    PaosBound *bound = NULL;

    if (entry == NULL)
        return false;
    *out = *entry;
    if (query != NULL)
        bound = PaosBoundCopy(PaosSharedArea(), entry->query);
    dshash_release_lock(Requests(shared), entry);
    if (query != NULL)
        *query = PaosBoundText(bound);
    return true;
}

PaosBound *PaosRequestBound(PaosShared *shared, int64 id, PaosRequest *out)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, false);
    PaosBound *bound;

    if (entry == NULL)
        return NULL;
    *out = *entry;
    bound = PaosBoundCopy(PaosSharedArea(), entry->query);
    dshash_release_lock(Requests(shared), entry);
    return bound;
}

void PaosRequestRefile(PaosShared *shared, const PaosRefiled *refiled)
{
    PaosRequest *entry = dshash_find(Requests(shared), &refiled->request, true);
    dsa_pointer old_query = refiled->query;
    dsa_pointer old_filed = refiled->filed;

    if (entry != NULL)
    {
        old_query = entry->query;
        old_filed = entry->filed;
        entry->query = refiled->query;
        entry->filed = refiled->filed;
        entry->loose = refiled->loose;
        dshash_release_lock(Requests(shared), entry);
    }
    PaosIndexRemove(shared, refiled->class, old_filed);
    dsa_free(PaosSharedArea(), old_query);
}

void PaosRequestPathCount(PaosShared *shared, int64 id, uint32 begun, uint32 ended,
                          PaosPathCount *out)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    memset(out, 0, sizeof(*out));
    if (entry == NULL)
        return;
    entry->paths.begun += begun;
    entry->paths.ended += ended;
    *out = entry->paths;
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestPathBorn(PaosShared *shared, int64 id, TransactionId was, TransactionId born)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    if (entry == NULL)
        return;
    if (!TransactionIdIsValid(was) || entry->paths.born == was)
        entry->paths.born = born;
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestPathRestart(PaosShared *shared, int64 id)
{
    PaosRequestPathBorn(shared, id, InvalidTransactionId,
                        XidFromFullTransactionId(ReadNextFullTransactionId()));
}

void PaosRequestCount(PaosShared *shared, int64 id, bool kept)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    if (entry == NULL)
        return;
    if (entry->durable && !kept)
    {
        dshash_release_lock(Requests(shared), entry);
        return;
    }
    entry->events++;
    entry->last_event = GetCurrentTimestamp();
    if (kept)
        entry->kept++;
    if (kept && entry->oldest == 0)
        entry->oldest = entry->last_event;
    dshash_release_lock(Requests(shared), entry);
    PaosStatAdd(shared, PAOS_STAT_EVENTS, 1);
}

void PaosRequestMark(PaosShared *shared, int64 id)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    if (entry == NULL)
        return;
    entry->resync = true;
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestLose(PaosShared *shared, int64 id, uint64 position)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    if (entry == NULL)
        return;
    entry->lost = Max(entry->lost, position);
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestTellLost(PaosShared *shared, uint64 position)
{
    dshash_seq_status scan;
    PaosRequest *entry;

    dshash_seq_init(&scan, Requests(shared), true);
    while ((entry = dshash_seq_next(&scan)) != NULL)
    {
        if (entry->lost == 0 || entry->lost > position)
            continue;
        entry->lost = 0;
        entry->resync = true;
        PaosMailMark(shared, entry->channel);
    }
    dshash_seq_term(&scan);
}

List *PaosRequestTakeMarked(PaosShared *shared, const uint8 *channel)
{
    List *payloads = NIL;
    ListCell *cell;

    foreach (cell, PaosRequestIds(shared, NIL))
    {
        int64 id = *(int64 *) lfirst(cell);
        PaosRequest *entry = dshash_find(Requests(shared), &id, true);
        bool resync;
        bool durable;

        if (entry == NULL)
            continue;
        durable = entry->durable;
        resync = entry->resync && memcmp(entry->channel, channel, PAOS_CHANNEL_BYTES) == 0;
        entry->resync = entry->resync && !resync;
        dshash_release_lock(Requests(shared), entry);
        if (resync)
            payloads = lappend(payloads, durable ? PaosWakePayload(id) : PaosResyncPayload(id));
    }
    return payloads;
}

void PaosRequestAttend(PaosShared *shared, int64 id, const uint8 *channel)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);
    bool before;

    if (entry == NULL)
        return;
    before = entry->backend != 0;
    if (channel != NULL)
    {
        entry->backend = MyProcPid;
        memcpy(entry->channel, channel, PAOS_CHANNEL_BYTES);
    }
    else if (entry->backend == MyProcPid)
        entry->backend = 0;
    if ((entry->backend != 0) != before)
        pg_atomic_fetch_add_u32(&shared->live, before ? -1 : 1);
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestKept(PaosShared *shared, int64 id, int64 kept, TimestampTz oldest)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    if (entry == NULL)
        return;
    entry->kept = kept;
    entry->oldest = oldest;
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestRemove(PaosShared *shared, int64 id)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);
    PaosRequest gone;

    if (entry == NULL)
        return;
    gone = *entry;
    dshash_delete_entry(Requests(shared), entry);
    pg_atomic_fetch_sub_u32(&shared->class_requests[gone.class], 1);
    if (gone.path)
        pg_atomic_fetch_sub_u32(&shared->paths, 1);
    CountForRole(shared, gone.role, -1);
    if (DsaPointerIsValid(gone.filed))
        PaosIndexRemove(shared, gone.class, gone.filed);
    if (DsaPointerIsValid(gone.filed_path))
        PaosIndexRemove(shared, PAOS_PATHS, gone.filed_path);
    dsa_free(PaosSharedArea(), gone.query);
    if (gone.backend != 0)
        pg_atomic_fetch_sub_u32(&shared->live, 1);
}

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
    list->items[list->n++] = (Own){id, GetCurrentSubTransactionId()};
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
    while (own.n > 0)
        PaosRequestRemove(PaosSharedAttached(), own.items[--own.n].id);
}

static void EndSession(int code, Datum arg)
{
    if (PaosSharedAttached() != NULL)
        PaosRequestsForget();
}

/*
 * From now on a live request is the session's, a durable one its table's.  The
 * list forgets what has ended at the first transaction that ends something.
 */
static void Commit(void)
{
    int n = own.n;
    int i;

    while (n > 0 && own.items[n - 1].subxact != InvalidSubTransactionId)
        n--;
    for (i = n; i < own.n; i++)
    {
        if (own.items[i].id < PAOS_DURABLE_FIRST)
            own.items[n++] = (Own){own.items[i].id, InvalidSubTransactionId};
    }
    own.n = n;
    while (ending.n > 0)
        PaosRequestRemove(PaosSharedAttached(), ending.items[--ending.n].id);
}

/* What the other session that commits a prepared transaction would have to do, it knows nothing of.
 */
static void RefusePrepare(void)
{
    int i;

    for (i = 0; i < own.n + ending.n; i++)
    {
        const Own *item = i < own.n ? &own.items[i] : &ending.items[i - own.n];

        if (item->id >= PAOS_DURABLE_FIRST)
            ereport(
                ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot PREPARE a transaction that has begun or ended a durable request"));
    }
}

static void EndTransaction(XactEvent event, void *arg)
{
    if (event == XACT_EVENT_PRE_PREPARE)
        RefusePrepare();
    else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
        Commit();
    else if (event == XACT_EVENT_ABORT)
        Undo(TopSubTransactionId);
}

static void EndSubtransaction(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent,
                              void *arg)
{
    if (event == SUBXACT_EVENT_ABORT_SUB)
        Undo(subxact);
}

static void Initialize(void)
{
    static bool done = false;

    if (done)
        return;
    before_shmem_exit(EndSession, (Datum) 0);
    RegisterXactCallback(EndTransaction, NULL);
    RegisterSubXactCallback(EndSubtransaction, NULL);
    done = true;
}

/* Enters a request that is not filed yet; from here on an error removes it. */
static void Enter(PaosShared *shared, PaosRequest *request, const char *query)
{
    PaosRequest *entry;
    bool found;

    Reserve(&own);
    if (!request->durable)
        request->id = (int64) pg_atomic_add_fetch_u64(&shared->last_request, 1);
    request->query = PaosBoundStore(PaosSharedArea(), query, request->class);
    request->filed = InvalidDsaPointer;
    request->filed_path = InvalidDsaPointer;

    entry = dshash_find_or_insert(Requests(shared), &request->id, &found);
    *entry = *request;
    dshash_release_lock(Requests(shared), entry);
    Push(&own, request->id);
    if (request->backend != 0)
        pg_atomic_fetch_add_u32(&shared->live, 1);
    CountForRole(shared, request->role, 1);
    pg_atomic_fetch_add_u32(&shared->class_requests[request->class], 1);
    if (request->path)
        pg_atomic_fetch_add_u32(&shared->paths, 1);
}

static PaosRequest *FindFiled(PaosShared *shared, int64 id)
{
    PaosRequest *entry = dshash_find(Requests(shared), &id, true);

    if (entry == NULL)
        elog(ERROR, "request " INT64_FORMAT " is missing", id);
    return entry;
}

/* Notes at once what was filed, so that an error in the next step leaves nothing behind. */
static void NoteFiled(PaosShared *shared, int64 id, dsa_pointer filed)
{
    PaosRequest *entry = FindFiled(shared, id);

    entry->filed = filed;
    dshash_release_lock(Requests(shared), entry);
}

static void NotePathFiled(PaosShared *shared, int64 id, dsa_pointer filed)
{
    PaosRequest *entry = FindFiled(shared, id);

    entry->filed_path = PaosIndexJoin(filed, entry->filed_path);
    dshash_release_lock(Requests(shared), entry);
}

void PaosRequestAdd(PaosShared *shared, PaosRequest *request, const char *query, List *filings)
{
    PaosRequest there;

    Initialize();
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
    Initialize();
    Push(&ending, id);
}
