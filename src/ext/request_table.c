/*
 * request_table.c - the table of all requests.
 *
 * What leads to a request's memory is either in its entry or in the hands of
 * somebody who has yet to put it there: an error on the way frees it, and whoever
 * removes the entry removes all.
 */
#include "request_table.h"
#include "reshape.h"

#include "miscadmin.h"
#include "utils/memutils.h"

typedef struct RoleCount
{
    Oid role; /* hash key */
    int n;
} RoleCount;

static dshash_table *requests = NULL;
static dshash_table *roles = NULL;
static dsa_handle tables_area; /* what requests and roles are attached to */

/* ---- the tables ---- */

static dshash_parameters Parameters(const PaosShared *shared, size_t key, size_t entry)
{
    dshash_parameters parameters = {key, entry, dshash_memcmp, dshash_memhash, shared->tranche};

    return parameters;
}

#define REQUEST_PARAMETERS(shared) Parameters(shared, sizeof(int64), sizeof(PaosRequestEntry))
#define ROLE_PARAMETERS(shared) Parameters(shared, sizeof(Oid), sizeof(RoleCount))

static dshash_table_handle MakeTable(dsa_area *area, dshash_parameters parameters)
{
    dshash_table *table = dshash_create(area, &parameters, NULL);
    dshash_table_handle handle = dshash_get_hash_table_handle(table);

    dshash_detach(table);
    return handle;
}

void PaosRequestsInit(PaosShared *shared, dsa_area *area)
{
    shared->requests = MakeTable(area, REQUEST_PARAMETERS(shared));
    shared->roles = MakeTable(area, ROLE_PARAMETERS(shared));
    shared->sessions = dsa_allocate0(area, (MaxBackends + 1) * sizeof(PaosSession));
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

dshash_table *PaosRequestTable(PaosShared *shared)
{
    if (requests == NULL || tables_area != dsa_get_handle(PaosSharedArea()))
        AttachTables(shared);
    return requests;
}

PaosRequestEntry *PaosRequestFind(PaosShared *shared, int64 id)
{
    return dshash_find(PaosRequestTable(shared), &id, true);
}

void PaosRequestLetGo(PaosRequestEntry *entry)
{
    dshash_release_lock(requests, entry);
}

PaosSession *PaosSessionOf(PaosShared *shared, int number)
{
    return (PaosSession *) dsa_get_address(PaosSharedArea(), shared->sessions) + number;
}

PaosRequestMore *PaosRequestMoreOf(const PaosRequestEntry *entry)
{
    return DsaPointerIsValid(entry->more) ? dsa_get_address(PaosSharedArea(), entry->more) : NULL;
}

/* ---- roles ---- */

static void CountForRole(PaosShared *shared, Oid role, int change)
{
    RoleCount *count;
    bool found;

    PaosRequestTable(shared);
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

    PaosRequestTable(shared);
    count = dshash_find(roles, &role, false);
    if (count == NULL)
        return 0;
    n = count->n;
    dshash_release_lock(roles, count);
    return n;
}

/* ---- reading ---- */

List *PaosRequestIds(PaosShared *shared, List *classes)
{
    dshash_seq_status scan;
    PaosRequestEntry *entry;
    List *ids = NIL;

    dshash_seq_init(&scan, PaosRequestTable(shared), false);
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

static void Show(PaosShared *shared, const PaosRequestEntry *entry, PaosRequest *out)
{
    const PaosRequestMore *more = PaosRequestMoreOf(entry);

    *out = (PaosRequest){.id = entry->id,
                         .role = entry->role,
                         .class = entry->class,
                         .path = entry->path,
                         .durable = entry->durable,
                         .loose = entry->loose,
                         .broken = entry->broken,
                         .events = entry->events,
                         .last_event = entry->last_event};
    if (entry->session != 0)
    {
        const PaosSession *session = PaosSessionOf(shared, entry->session);

        out->backend = session->pid;
        memcpy(out->channel, session->channel, PAOS_CHANNEL_BYTES);
    }
    if (more == NULL)
        return;
    out->kept = more->kept;
    out->oldest = more->oldest;
}

/* What is known of a request, with its query when bound is not NULL; false: it has ended. */
static bool Read(PaosShared *shared, int64 id, PaosRequest *out, PaosBound **bound)
{
    PaosRequestEntry *entry = dshash_find(PaosRequestTable(shared), &id, false);

    if (entry == NULL)
        return false;
    Show(shared, entry, out);
    if (bound != NULL)
        *bound = PaosBoundCopy(entry->query);
    PaosRequestLetGo(entry);
    return true;
}

bool PaosRequestGet(PaosShared *shared, int64 id, PaosRequest *out, char **query)
{
    PaosBound *bound;

    if (!Read(shared, id, out, query == NULL ? NULL : &bound))
        return false;
    if (query != NULL)
        *query = PaosBoundText(bound);
    return true;
}

PaosBound *PaosRequestBound(PaosShared *shared, int64 id, PaosRequest *out)
{
    PaosBound *bound;

    return Read(shared, id, out, &bound) ? bound : NULL;
}

/* ---- entering and removing ---- */

/* Puts this session where its requests say that it is. */
static int32 ShowSession(PaosShared *shared, const uint8 *channel)
{
    PaosSession *session = PaosSessionOf(shared, MyBackendId);

    session->pid = MyProcPid;
    memcpy(session->channel, channel, PAOS_CHANNEL_BYTES);
    return MyBackendId;
}

static void MakeMore(PaosRequestEntry *entry, const PaosRequest *request)
{
    PaosRequestMore *more;

    if (!request->path && !request->durable)
        return;
    entry->more = dsa_allocate0(PaosSharedArea(), sizeof(PaosRequestMore));
    more = PaosRequestMoreOf(entry);
    more->kept = request->kept;
    more->oldest = request->oldest;
}

/* What an entry that was not inserted has taken already. */
static void GiveBack(PaosShared *shared, const PaosRequestEntry *entry)
{
    if (DsaPointerIsValid(entry->query))
        PaosBoundFree(shared, entry->query);
    if (DsaPointerIsValid(entry->more))
        dsa_free(PaosSharedArea(), entry->more);
    CountForRole(shared, entry->role, -1);
}

/* In `made` is what an error has to give back. */
static void Insert(PaosShared *shared, PaosRequestEntry *made, const PaosRequest *request,
                   const char *query)
{
    PaosRequestEntry *entry;
    bool found;

    made->query = PaosBoundStore(query, request->class);
    MakeMore(made, request);
    entry = dshash_find_or_insert(PaosRequestTable(shared), &request->id, &found);
    if (request->backend != 0)
        made->session = ShowSession(shared, request->channel);
    *entry = *made;
    PaosRequestLetGo(entry);
}

void PaosRequestEnter(PaosShared *shared, const PaosRequest *request, const char *query)
{
    PaosRequestEntry *made = palloc0(sizeof(PaosRequestEntry));

    made->id = request->id;
    made->role = request->role;
    made->class = request->class;
    made->path = request->path;
    made->durable = request->durable;
    made->broken = request->broken;
    CountForRole(shared, request->role, 1);
    PG_TRY();
    {
        Insert(shared, made, request, query);
    }
    PG_CATCH();
    {
        /* As the end of the transaction would: the error may have come under one. */
        LWLockReleaseAll();
        GiveBack(shared, made);
        PG_RE_THROW();
    }
    PG_END_TRY();
    pfree(made);
    if (request->backend != 0)
        pg_atomic_fetch_add_u32(&shared->live, 1);
    pg_atomic_fetch_add_u32(&shared->class_requests[request->class], 1);
    if (request->path)
        pg_atomic_fetch_add_u32(&shared->paths, 1);
}

static void RemoveMore(PaosShared *shared, dsa_pointer pointer)
{
    const PaosRequestMore *more;

    if (!DsaPointerIsValid(pointer))
        return;
    more = dsa_get_address(PaosSharedArea(), pointer);
    PaosIndexRemove(shared, PAOS_PATHS, more->filed_path);
    dsa_free(PaosSharedArea(), pointer);
}

void PaosRequestRemove(PaosShared *shared, int64 id)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    PaosRequestEntry gone;

    if (entry == NULL)
        return;
    gone = *entry;
    dshash_delete_entry(PaosRequestTable(shared), entry);
    pg_atomic_fetch_sub_u32(&shared->class_requests[gone.class], 1);
    if (gone.path)
        pg_atomic_fetch_sub_u32(&shared->paths, 1);
    CountForRole(shared, gone.role, -1);
    PaosIndexRemove(shared, gone.class, gone.filed);
    RemoveMore(shared, gone.more);
    PaosBoundFree(shared, gone.query);
    if (gone.session != 0)
        pg_atomic_fetch_sub_u32(&shared->live, 1);
}

/* ---- changing ---- */

void PaosRequestRefile(PaosShared *shared, const PaosRefiled *refiled)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, refiled->request);
    dsa_pointer old_query = refiled->query;
    dsa_pointer old_filed = refiled->filed;

    if (entry != NULL)
    {
        old_query = entry->query;
        old_filed = entry->filed;
        entry->query = refiled->query;
        entry->filed = refiled->filed;
        entry->loose = refiled->loose;
        entry->broken = refiled->broken;
        PaosRequestLetGo(entry);
    }
    PaosIndexRemove(shared, refiled->class, old_filed);
    PaosBoundFree(shared, old_query);
}

void PaosRequestAttend(PaosShared *shared, int64 id, const uint8 *channel)
{
    PaosRequestEntry *entry = PaosRequestFind(shared, id);
    bool before;

    if (entry == NULL)
        return;
    before = entry->session != 0;
    if (channel != NULL)
        entry->session = ShowSession(shared, channel);
    else if (entry->session == MyBackendId)
        entry->session = 0;
    if ((entry->session != 0) != before)
        pg_atomic_fetch_add_u32(&shared->live, before ? -1 : 1);
    PaosRequestLetGo(entry);
}
