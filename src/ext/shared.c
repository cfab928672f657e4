/*
 * shared.c - the shared memory that requests live in.
 *
 * One DSA area per database, made when somebody first subscribes and found by
 * a row of paos.shared, an unlogged table: it works with and without
 * shared_preload_libraries.  A clean shutdown keeps the row but not the memory,
 * so the row says which run of the server it is of.  The row is seen by all at
 * once, whatever becomes of the transaction that writes it: any writer may be
 * the first to need the memory, and nobody may wait for its commit.  Sessions
 * learn of the row by a relcache invalidation; one that has not yet is no
 * different from a writer that was under way before the request: paos.ready
 * waits for it.
 */
#include "durable.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/sinval.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Columns of paos.shared. */
#define SHARED_SERVER 1
#define SHARED_AREA 2
#define SHARED_PLACE 3
#define SHARED_COLUMNS 3

/* What a row says: when the server started, the area's handle, where PaosShared is in it. */
typedef struct Anchor
{
    TimestampTz server;
    dsa_handle area;
    dsa_pointer place;
} Anchor;

static PaosShared *shared = NULL;
static dsa_area *area = NULL;
static Anchor attached;     /* what shared and area are of */
static bool looked = false; /* the table has been read since it last changed */
static uint64 changes = 0;  /* of it, that this session has heard of */
static Oid anchor_table = InvalidOid;

static void ForgetAnchor(Datum arg, Oid relid)
{
    if (OidIsValid(relid) && relid != anchor_table)
        return;
    looked = false;
    changes++;
}

static void Initialize(void)
{
    static bool done = false;

    if (done)
        return;
    CacheRegisterRelcacheCallback(ForgetAnchor, (Datum) 0);
    done = true;
}

/* Reads the row of this run of the server; false when there is none. */
static bool ReadAnchor(Relation relation, Anchor *anchor)
{
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
    HeapTuple tuple;
    bool found = false;

    memset(anchor, 0, sizeof(*anchor));
    while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
    {
        Datum values[SHARED_COLUMNS];
        bool nulls[SHARED_COLUMNS];

        heap_deform_tuple(tuple, RelationGetDescr(relation), values, nulls);
        anchor->server = DatumGetTimestampTz(values[SHARED_SERVER - 1]);
        anchor->area = (dsa_handle) DatumGetInt64(values[SHARED_AREA - 1]);
        anchor->place = (dsa_pointer) DatumGetInt64(values[SHARED_PLACE - 1]);
        found = anchor->server == PgStartTime;
    }
    systable_endscan(scan);
    return found;
}

/* Deletes the rows of former runs, unless a transaction of one is about to: no waiting here. */
static void RemoveAnchors(Relation relation)
{
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
    HeapTuple tuple;

    while (HeapTupleIsValid(tuple = systable_getnext(scan)))
    {
        TM_FailureData failure;

        (void) heap_delete(relation, &tuple->t_self, GetCurrentCommandId(true), InvalidSnapshot,
                           false, &failure, false);
    }
    systable_endscan(scan);
}

/* What is attached is no more the database's: the extension was dropped meanwhile. */
static void Forsake(void)
{
    if (shared != NULL)
    {
        PaosHoldsForget();
        PaosRequestsForget();
        PaosMailRescue();
    }
    shared = NULL;
}

void PaosSharedLeave(void)
{
    Forsake();
    looked = false;
}

static Oid AnchorTable(void)
{
    return get_relname_relid("shared", get_namespace_oid("paos", false));
}

void PaosSharedHold(void)
{
    LockRelationOid(AnchorTable(), AccessShareLock);
}

/* All of this transaction ends with the extension that it has dropped. */
static PaosShared *WithoutExtension(bool create)
{
    if (create)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("cannot begin a request in a transaction that has dropped extension"
                       " \"paos\""));
    return NULL;
}

static void Attach(const Anchor *anchor)
{
    MemoryContext previous;

    if (shared != NULL && memcmp(anchor, &attached, sizeof(attached)) == 0)
        return;
    Forsake();
    previous = MemoryContextSwitchTo(TopMemoryContext);
    area = dsa_attach(anchor->area);
    dsa_pin_mapping(area);
    MemoryContextSwitchTo(previous);
    shared = dsa_get_address(area, anchor->place);
    LWLockRegisterTranche(shared->tranche, "PaosRequests");
    attached = *anchor;
}

/* Tells every session, now: the invalidation of a transaction is lost when it aborts. */
static void Announce(Relation relation)
{
    SharedInvalidationMessage message = {.rc = {.id = SHAREDINVALRELCACHE_ID,
                                                .dbId = MyDatabaseId,
                                                .relId = RelationGetRelid(relation)}};

    SendSharedInvalidMessages(&message, 1);
}

/* As a row that has always been there, whatever becomes of this transaction. */
static void PublishAnchor(Relation relation, const Anchor *anchor)
{
    Datum values[SHARED_COLUMNS] = {TimestampTzGetDatum(anchor->server),
                                    Int64GetDatum((int64) anchor->area),
                                    Int64GetDatum((int64) anchor->place)};
    bool nulls[SHARED_COLUMNS] = {false};
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);

    RemoveAnchors(relation);
    heap_insert(relation, tuple, GetCurrentCommandId(true), HEAP_INSERT_FROZEN, NULL);
    Announce(relation);
}

/* Nobody else can see it yet. */
static void Fill(PaosShared *made, dsa_area *in)
{
    int i;

    LWLockInitialize(&made->lock, made->tranche);
    pg_atomic_init_u64(&made->last_request, PaosAreaLastRequest());
    pg_atomic_init_u32(&made->paths, 0);
    pg_atomic_init_u32(&made->live, 0);
    pg_atomic_init_u32(&made->over, 0);
    pg_atomic_init_u32(&made->durables, 0);
    pg_atomic_init_u64(&made->number, 1);
    pg_atomic_init_u64(&made->number_end, 0);
    for (i = 0; i < PAOS_STATS; i++)
        pg_atomic_init_u64(&made->stats[i], 0);
    for (i = 0; i <= PAOS_CLASS_MAX; i++)
        pg_atomic_init_u32(&made->class_requests[i], 0);
    PaosBoundsInit(made, in);
    PaosRequestsInit(made, in);
    PaosIndexInit(made, in);
    PaosRingInit(made, in);
    PaosMailInit(made, in);
}

static void MakeArea(Relation relation)
{
    Anchor anchor;
    MemoryContext previous = MemoryContextSwitchTo(TopMemoryContext);
    int tranche = LWLockNewTrancheId();
    PaosShared *made;

    Forsake();
    memset(&anchor, 0, sizeof(anchor));
    anchor.server = PgStartTime;
    LWLockRegisterTranche(tranche, "PaosRequests");
    area = dsa_create(tranche);
    dsa_pin_mapping(area);
    MemoryContextSwitchTo(previous);

    anchor.area = dsa_get_handle(area);
    anchor.place = dsa_allocate0(area, sizeof(PaosShared));
    made = dsa_get_address(area, anchor.place);
    made->tranche = tranche;
    Fill(made, area);
    dsa_pin(area);
    PaosAreaNote(area);
    PublishAnchor(relation, &anchor);
    shared = made;
    attached = anchor;
}

PaosShared *PaosSharedGet(bool create)
{
    LOCKMODE mode = create ? ShareRowExclusiveLock : AccessShareLock;
    Relation relation;
    Anchor anchor;
    uint64 before = changes;

    if (looked && (shared != NULL || !create))
        return shared;
    if (PaosExtensionGone())
        return WithoutExtension(create);
    /* A standby has no unlogged tables, and nobody to ask: all is made anew after promotion. */
    if (RecoveryInProgress())
    {
        if (create)
            PreventCommandDuringRecovery("requests");
        return NULL;
    }
    Initialize();
    anchor_table = AnchorTable();
    relation = table_open(anchor_table, mode);
    if (ReadAnchor(relation, &anchor))
        Attach(&anchor);
    else if (create)
        MakeArea(relation);
    else
        Forsake();
    table_close(relation, mode);
    looked = changes == before; /* not after an error, nor when it has changed meanwhile */
    return shared;
}

PaosShared *PaosSharedAttached(void)
{
    return shared;
}

dsa_area *PaosSharedArea(void)
{
    return area;
}
