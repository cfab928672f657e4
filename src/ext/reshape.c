/*
 * reshape.c - what becomes of requests when their class is changed.
 *
 * Looked at once, before the commit, when all is as it is going to be: whatever
 * happened on the way, and was perhaps undone, is no matter.  A request whose
 * attributes only have new names goes on.  One of an attribute that has another
 * type is bound again and filed anew, which takes effect with the commit: nobody
 * else can write the table before that, and until then a row of another type
 * makes the index find all entries.  One that makes no sense any more ends, and
 * says why.  A durable request is only told to look again: it ends by its name.
 */
#include "reshape.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "durable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

static List *touched = NIL; /* numbers of classes, in TopTransactionContext */
static List *refiled = NIL; /* of PaosRefiled, by this transaction, which may yet abort; likewise */

static void EndTransaction(XactEvent event, void *arg)
{
    PaosShared *shared = PaosSharedAttached();
    ListCell *cell;

    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE && event != XACT_EVENT_ABORT)
        return;
    foreach (cell, refiled)
    {
        const PaosRefiled *one = lfirst(cell);

        if (event != XACT_EVENT_ABORT)
            PaosRequestRefile(shared, one);
        else
        {
            PaosIndexRemove(shared, one->class, one->filed);
            if (DsaPointerIsValid(one->query))
                PaosBoundFree(shared, one->query);
        }
    }
    touched = refiled = NIL;
}

void PaosReshapeClass(int number)
{
    static bool initialized = false;
    MemoryContext previous;

    if (!initialized)
        RegisterXactCallback(EndTransaction, NULL);
    initialized = true;
    previous = MemoryContextSwitchTo(TopTransactionContext);
    touched = list_append_unique_int(touched, number);
    MemoryContextSwitchTo(previous);
}

void PaosReshapeTable(Oid relid)
{
    ListCell *cell;

    foreach (cell, find_all_inheritors(relid, NoLock, NULL))
    {
        int number = PaosClassNumber(lfirst_oid(cell));

        if (number != 0)
            PaosReshapeClass(number);
    }
}

bool PaosReshapePending(void)
{
    return touched != NIL;
}

/* ---- the end of a request ---- */

static void End(const PaosRequest *request, int sqlstate, const char *reason)
{
    if (request->durable)
    {
        PaosEventResync(request->id);
        return;
    }
    PaosEventTell(request, PaosEndedPayload(request->id, sqlstate, reason));
    PaosRequestEnd(request->id);
}

/* ---- binding anew ---- */

/* What a try to bind a request came to. */
typedef struct Rebound
{
    PaosQuestion question;
    int sqlstate; /* 0: it went well */
    char *reason;
} Rebound;

/* Not the request's fault: whoever changes the table has to hear of it. */
static bool IsOurs(int sqlstate)
{
    int category = ERRCODE_TO_CATEGORY(sqlstate);

    return category == ERRCODE_OPERATOR_INTERVENTION ||
           category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_TRANSACTION_ROLLBACK ||
           sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
}

static void NoteError(Rebound *out, MemoryContext context)
{
    ErrorData *error;

    MemoryContextSwitchTo(context);
    error = CopyErrorData();
    if (IsOurs(error->sqlerrcode))
        PG_RE_THROW();
    FlushErrorState();
    out->sqlstate = error->sqlerrcode;
    out->reason = error->message;
}

/* As its role, whose operators may run: never as who happens to change the table. */
static void BindAs(Oid role, Oid relid, const char *text, PaosQuestion *out)
{
    PaosRole saved = PaosRoleBecome(role);

    PaosQuestionBind(relid, text, out);
    PaosRoleReturn(&saved);
}

/* In a subtransaction, so that a complaint ends nothing but that. */
static void TryToBind(const PaosRequest *request, Oid relid, const char *text, Rebound *out)
{
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;

    memset(out, 0, sizeof(*out));
    BeginInternalSubTransaction(NULL);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        BindAs(request->role, relid, text, &out->question);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        NoteError(out, context);
        RollbackAndReleaseCurrentSubTransaction();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
}

/* Files a request anew; filings NIL: no row satisfies it. */
static void Refile(PaosShared *shared, const PaosRequest *request, const char *text, List *filings,
                   bool loose)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    PaosRefiled *one = palloc0(sizeof(PaosRefiled));

    one->request = request->id;
    one->class = request->class;
    one->loose = loose;
    refiled = lappend(refiled, one);
    MemoryContextSwitchTo(previous);
    one->query = PaosBoundStore(text, request->class);
    one->filed = PaosIndexAdd(shared, request->class, request->id, filings);
}

static void BindAnew(PaosShared *shared, const PaosRequest *request, const PaosBound *bound,
                     bool prepare)
{
    static PaosFiling any = {.kind = PAOS_FILE_REST};
    char *text = PaosBoundText(bound);
    Rebound rebound;

    TryToBind(request, bound->relid, text, &rebound);
    if (rebound.sqlstate != 0 && !prepare)
        End(request, rebound.sqlstate, rebound.reason);
    if (rebound.sqlstate != 0 && !prepare && !request->durable)
        return;
    /* Whether a prepared transaction is committed is open: every row is looked at. */
    if (prepare || rebound.sqlstate != 0)
        rebound.question.filings = list_make1(&any);
    Refile(shared, request, text, rebound.question.filings, prepare);
    PaosEventResync(request->id);
}

/* ---- looking at the requests ---- */

/* The text of a durable request is in a table, whose trigger knows no update. */
static void RewriteDurable(int64 request, const char *text)
{
    Relation relation = table_open(PaosOwnRelation("durable"), RowExclusiveLock);
    ScanKeyData key;
    SysScanDesc scan;
    HeapTuple row;

    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(request));
    scan = systable_beginscan(relation, InvalidOid, false, NULL, 1, &key);
    row = systable_getnext(scan);
    if (HeapTupleIsValid(row))
    {
        int column = PAOS_DURABLE_QUERY;
        Datum value = CStringGetTextDatum(text);
        bool isnull = false;
        HeapTuple changed =
            heap_modify_tuple_by_cols(row, RelationGetDescr(relation), 1, &column, &value, &isnull);

        CatalogTupleUpdate(relation, &row->t_self, changed);
    }
    systable_endscan(scan);
    table_close(relation, NoLock);
}

/* Whether the class is still there, and the one that the request is on. */
static bool ClassIsThere(const PaosRequest *request, const PaosBound *bound)
{
    Oid relid = PaosClassTable(request->class);

    if (OidIsValid(relid) && relid == bound->relid)
    {
        if (PaosClassByNumber(request->class, true) != NULL)
            return true;
        End(request, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            psprintf("class \"%s\" has no single-column integer primary key any more",
                     get_rel_name(relid)));
    }
    else if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(bound->relid)))
        End(request, ERRCODE_UNDEFINED_OBJECT,
            psprintf("\"%s\" is not a class any more", get_rel_name(bound->relid)));
    else
        End(request, ERRCODE_UNDEFINED_TABLE,
            psprintf("the table of class %d was dropped", request->class));
    return false;
}

static void LookAt(PaosShared *shared, int64 id, bool prepare)
{
    PaosRequest request;
    PaosBound *bound = PaosRequestBound(shared, id, &request);
    const char *dropped = NULL;
    PaosBoundChange change;

    if (bound == NULL)
        return; /* it ended meanwhile */
    if (!OidIsValid(bound->relid))
    {
        /* A restore may bring a durable request before its class. */
        if (request.durable && OidIsValid(PaosClassTable(request.class)))
            PaosDurableFileAgain(shared, &request, bound->text);
        return;
    }
    if (prepare)
        PaosEventResync(id);
    else if (!ClassIsThere(&request, bound))
        return;
    change = PaosBoundLook(bound, &dropped);
    if (change == PAOS_BOUND_DROPPED && !prepare)
        End(&request, ERRCODE_UNDEFINED_COLUMN,
            psprintf("attribute \"%s\" of class \"%s\" was dropped", dropped,
                     get_rel_name(bound->relid)));
    else if (change == PAOS_BOUND_RETYPED || request.path || request.loose)
        BindAnew(shared, &request, bound, prepare);
    if (request.durable && (change == PAOS_BOUND_RENAMED || change == PAOS_BOUND_RETYPED))
        RewriteDurable(id, PaosBoundText(bound));
}

void PaosReshape(bool prepare)
{
    PaosShared *shared;
    List *classes = touched;
    ListCell *cell;

    touched = NIL;
    if (classes == NIL)
        return;
    shared = PaosSharedFiled(false);
    if (shared == NULL)
        return;
    foreach (cell, PaosRequestIds(shared, classes))
    {
        CHECK_FOR_INTERRUPTS();
        LookAt(shared, *(int64 *) lfirst(cell), prepare);
    }
    if (prepare)
        PaosPreparedClasses(classes);
}
