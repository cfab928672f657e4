/*
 * durable.c - the table of durable requests, and how they get into shared memory.
 *
 * Shared memory is empty after a start of the server, a promotion or a restore,
 * while durable requests are there.  So whoever first writes to a class, or looks
 * for requests, files all of them before it goes on; from then on each row that
 * comes or goes is filed or removed by the trigger on the table.  Filing is done
 * with the eyes of the request's role and fails nobody: a request that makes no
 * sense any more, of which its reader was told, is there and not filed.
 */
#include "adopt.h"
#include "durable.h"
#include "query.h"
#include "reshape.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(paos_durable_changed);

static bool none = false;  /* paos.durable was empty when it was last looked at */
static uint64 changes = 0; /* of the table, that this session has heard of */
static Oid durable_table = InvalidOid;

static void ForgetNone(Datum arg, Oid relid)
{
    if (OidIsValid(relid) && relid != durable_table)
        return;
    none = false;
    changes++;
}

/* ---- tasks ---- */

static void TaskTag(int64 task, LOCKTAG *tag)
{
    SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (task >> 32), (uint32) task, PAOS_LOCK_TASK);
}

bool PaosTaskBegin(int64 task, bool wait)
{
    LOCKTAG tag;

    TaskTag(task, &tag);
    return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void PaosTaskEnd(int64 task)
{
    LOCKTAG tag;

    TaskTag(task, &tag);
    LockRelease(&tag, ExclusiveLock, false);
}

bool PaosTaskTry(int64 task, LOCKMODE mode)
{
    LOCKTAG tag;

    TaskTag(task, &tag);
    return LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

void PaosTaskHold(int64 task, LOCKMODE mode)
{
    LOCKTAG tag;

    TaskTag(task, &tag);
    LockAcquire(&tag, mode, false, false);
    AcceptInvalidationMessages(); /* of whom was waited for */
}

/* ---- one request ---- */

typedef struct Binding
{
    const PaosDurable *durable;
    Oid relid;
    PaosQuestion *question;
} Binding;

/* Nobody waits here for whoever changes the table. */
static void Bind(void *arg)
{
    const Binding *binding = arg;
    const PaosDurable *durable = binding->durable;
    PaosQuestion bound;

    if (PaosClassByNumber(durable->class, true) == NULL)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("class \"%s\" has no single-column integer primary key any more",
                       get_rel_name(binding->relid)));
    if (!ConditionalLockRelationOid(binding->relid, AccessShareLock))
        return;
    (void) PaosRoleBecome(durable->role); /* the rollback ends it */
    PaosQuestionBind(binding->relid, durable->query, &bound);
    *binding->question = bound;
}

/*
 * As its role, and so that a complaint ends nothing but the try: while nothing can be
 * told, every row is a candidate.  Rolled back in any case, for the locks on the class.
 */
void PaosDurableTryToBind(const PaosDurable *durable, PaosDurableTry *out)
{
    static PaosFiling any = {.kind = PAOS_FILE_REST};
    Binding binding = {durable, PaosClassTable(durable->class), &out->question};
    ErrorData *error;

    memset(out, 0, sizeof(*out));
    out->question.filings = list_make1(&any);
    /* A restore may bring the class later. */
    if (!OidIsValid(binding.relid))
        return;
    error = PaosSubtransactionProbe(Bind, &binding);
    if (error == NULL)
        return;
    if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
        ReThrowError(error);
    if (PaosReshapeIsOurs(error->sqlerrcode))
        return;
    out->sqlstate = error->sqlerrcode;
    out->reason = error->message;
}

/*
 * told: its reader knows already if it makes no sense any more.  One that a restore brings may
 * lack no more than what the restore brings later.
 */
static void FileOne(PaosShared *shared, const PaosDurable *durable, int64 kept, TimestampTz oldest,
                    bool told)
{
    PaosRequest request = {.id = durable->request,
                           .role = durable->role,
                           .class = durable->class,
                           .durable = true,
                           .kept = kept,
                           .oldest = oldest};
    PaosDurableTry bound;

    PaosDurableTryToBind(durable, &bound);
    request.broken = told && bound.sqlstate != 0;
    /* Also of one that could not be bound now, be it for a lock on its class. */
    request.path = OidIsValid(PaosClassTable(durable->class)) &&
                   PaosPathNames(PaosQueryParse(durable->query)) != NIL;
    PaosRequestAdd(shared, &request, durable->query, request.broken ? NIL : bound.question.filings);
}

void PaosDurableFile(PaosShared *shared, const PaosDurable *durable)
{
    FileOne(shared, durable, 0, 0, false);
}

void PaosDurableFileAgain(PaosShared *shared, const PaosRequest *request, const char *query)
{
    PaosDurable durable = {
        .request = request->id, .class = request->class, .query = query, .role = request->role};

    /* Should this fail half-way, whoever comes next files what is missing. */
    pg_atomic_write_u32(&shared->durables, 0);
    PaosRequestRemove(shared, request->id);
    FileOne(shared, &durable, request->kept, request->oldest, false);
    PaosRequestKeep(request->id);
}

/* ---- all requests ---- */

static bool TableIsEmpty(void)
{
    Relation relation = table_open(durable_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
    bool empty = !HeapTupleIsValid(systable_getnext(scan));

    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return empty;
}

static Datum Column(uint64 row, int column, bool *isnull)
{
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static void ReadDurable(uint64 row, PaosDurable *out)
{
    bool isnull;

    out->request = DatumGetInt64(Column(row, PAOS_DURABLE_REQUEST, &isnull));
    out->name = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, PAOS_DURABLE_NAME);
    out->class = DatumGetInt16(Column(row, PAOS_DURABLE_CLASS, &isnull));
    out->query = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, PAOS_DURABLE_QUERY);
    out->role = DatumGetObjectId(Column(row, PAOS_DURABLE_ROLE, &isnull));
}

/* Numbers are shared, so that from the oldest to the last is more than there can be. */
static void FileRow(PaosShared *shared, uint64 row)
{
    PaosDurable durable;
    bool empty;
    bool isnull;
    int64 first = DatumGetInt64(Column(row, 6, &empty));
    TimestampTz oldest = DatumGetTimestampTz(Column(row, 7, &isnull));
    int64 last = DatumGetInt64(Column(row, 8, &isnull));

    ReadDurable(row, &durable);
    FileOne(shared, &durable, empty ? 0 : last - first + 1, empty ? 0 : oldest, true);
    PaosRequestKeep(durable.request);
}

/* What is committed by now, whatever the transaction may see. */
static void FileRows(PaosShared *shared)
{
    Oid user;
    int security;
    SPITupleTable *rows;
    uint64 n;
    uint64 i;

    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(PaosOwner(), security | SECURITY_LOCAL_USERID_CHANGE);
    SPI_connect();
    PushActiveSnapshot(GetLatestSnapshot());
    if (SPI_execute("SELECT d.request, d.name, d.class, d.query, d.role, o.number, o.at, l.number"
                    " FROM paos.durable d"
                    " LEFT JOIN LATERAL (SELECT e.number, e.at FROM paos.event e"
                    "  WHERE e.request OPERATOR(pg_catalog.=) d.request"
                    "  ORDER BY e.number LIMIT 1) o ON true"
                    " LEFT JOIN LATERAL (SELECT e.number FROM paos.event e"
                    "  WHERE e.request OPERATOR(pg_catalog.=) d.request"
                    "  ORDER BY e.number DESC LIMIT 1) l ON true",
                    true, 0) != SPI_OK_SELECT)
        elog(ERROR, "could not read paos.durable");
    SetUserIdAndSecContext(user, security);
    n = SPI_processed;
    rows = SPI_tuptable;
    for (i = 0; i < n; i++)
    {
        SPI_tuptable = rows;
        FileRow(shared, i);
    }
    PopActiveSnapshot();
    SPI_finish();
}

static PaosShared *FileAll(bool create)
{
    PaosShared *shared = PaosSharedGet(false);

    if (!OidIsValid(durable_table))
        CacheRegisterRelcacheCallback(ForgetNone, (Datum) 0);
    durable_table = PaosOwnRelation("durable");
    if (RecoveryInProgress())
        return shared;
    if (shared == NULL && !create)
    {
        uint64 before = changes;
        bool empty = TableIsEmpty();

        none = empty && changes == before;
        if (empty)
            return NULL;
    }
    shared = PaosSharedGet(true);
    PaosTaskBegin(PAOS_TASK_FILE, true);
    if (pg_atomic_read_u32(&shared->durables) == 0)
    {
        FileRows(shared);
        pg_atomic_write_u32(&shared->durables, 1);
    }
    PaosTaskEnd(PAOS_TASK_FILE);
    return shared;
}

PaosShared *PaosSharedFiled(bool create)
{
    PaosShared *shared = PaosSharedGet(false);

    if (shared == NULL && none && !create)
        return NULL;
    if (shared != NULL && pg_atomic_read_u32(&shared->durables) != 0)
        return shared;
    return FileAll(create);
}

/* ---- rows that come and go ---- */

static void RemoveEvents(int64 request)
{
    Oid types[] = {INT8OID};
    Datum values[] = {Int64GetDatum(request)};

    SPI_connect();
    PaosExecuteAsOwner("DELETE FROM paos.event WHERE request OPERATOR(pg_catalog.=) $1", 1, types,
                       values);
    SPI_finish();
}

/* Whoever attends is woken, to find that the request has ended. */
void PaosDurableRemove(int64 id)
{
    PaosShared *shared = PaosSharedFiled(false);
    PaosRequest request;

    if (shared != NULL && PaosRequestGet(shared, id, &request, NULL))
    {
        if (request.backend != 0 && request.backend != MyProcPid)
            PaosEventTell(&request, PaosWakePayload(id));
        PaosRequestEnd(id);
    }
    RemoveEvents(id);
}

static void ReadRow(const TriggerData *trigger, PaosDurable *out)
{
    TupleDesc desc = RelationGetDescr(trigger->tg_relation);
    HeapTuple row = trigger->tg_trigtuple;
    bool isnull;

    out->request = DatumGetInt64(heap_getattr(row, PAOS_DURABLE_REQUEST, desc, &isnull));
    out->name = SPI_getvalue(row, desc, PAOS_DURABLE_NAME);
    out->class = DatumGetInt16(heap_getattr(row, PAOS_DURABLE_CLASS, desc, &isnull));
    out->query = SPI_getvalue(row, desc, PAOS_DURABLE_QUERY);
    out->role = DatumGetObjectId(heap_getattr(row, PAOS_DURABLE_ROLE, desc, &isnull));
}

static void RowChanged(const TriggerData *trigger)
{
    PaosDurable durable;

    ReadRow(trigger, &durable);
    if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
    {
        PaosDurableRemove(durable.request);
        return;
    }
    /* Whoever brings the class waits, to find what is filed here, or has brought it. */
    if (!OidIsValid(PaosClassTable(durable.class)))
        PaosTaskHold(PAOS_TASK_RESTORE, ExclusiveLock);
    PaosDurableFile(PaosSharedFiled(true), &durable);
}

/*
 * Triggers on paos.durable: after each row, and before each statement, so that
 * what is in the table is filed before anything in it changes.
 */
Datum paos_durable_changed(PG_FUNCTION_ARGS)
{
    TriggerData *trigger = (TriggerData *) fcinfo->context;

    PaosOwnTrigger(fcinfo, "durable_changed", "durable");
    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("a durable request cannot be changed"),
                errhint("Subscribe with the same name and another query."));
    if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        RowChanged(trigger);
    else
        PaosSharedFiled(TRIGGER_FIRED_BY_INSERT(trigger->tg_event));
    return PointerGetDatum(NULL);
}

/* ---- by name ---- */

bool PaosDurableFind(const char *name, bool lock, PaosDurable *out)
{
    Oid types[] = {TEXTOID};
    Datum values[] = {CStringGetTextDatum(name)};
    MemoryContext context = CurrentMemoryContext;
    bool found;

    SPI_connect();
    PaosExecuteAsOwner(lock ? "SELECT request, name, class, query, role FROM paos.durable"
                              " WHERE name OPERATOR(pg_catalog.=) $1 FOR UPDATE"
                            : "SELECT request, name, class, query, role FROM paos.durable"
                              " WHERE name OPERATOR(pg_catalog.=) $1",
                       1, types, values);
    found = SPI_processed > 0;
    if (found)
    {
        ReadDurable(0, out);
        out->name = MemoryContextStrdup(context, out->name);
        out->query = MemoryContextStrdup(context, out->query);
    }
    SPI_finish();
    return found;
}

void PaosDurableAllow(const PaosDurable *durable)
{
    if (!has_privs_of_role(GetUserId(), durable->role))
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("permission denied for durable request \"%s\"", durable->name));
}

void PaosDurableGet(const char *name, PaosDurable *out)
{
    if (!PaosDurableFind(name, false, out))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
                errmsg("durable request \"%s\" does not exist", name));
    PaosDurableAllow(out);
}
