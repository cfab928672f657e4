/*
 * reshape.c - what becomes of requests when their class is changed.
 *
 * Looked at once, before the commit, when all is as it is going to be: whatever
 * happened on the way, and was perhaps undone, is no matter.  A request whose
 * attributes only have new names goes on.  One of an attribute that has another
 * type is bound again and filed anew, which takes effect with the commit: nobody
 * else can write the table before that, and until then a row of another type
 * makes the index find all entries.  One that makes no sense any more ends, and
 * says why.  A durable request ends by its name only: it is told once, is not filed
 * any more, and goes on when what it lacked is there again.
 */
#include "reshape.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "durable.h"
#include "end.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static List *touched = NIL; /* numbers of classes, in TopTransactionContext */
static List *grown = NIL;   /* of these, only those that are broken are looked at; likewise */
static List *renewed = NIL; /* of these, all look again; likewise */
static List *refiled = NIL; /* of PaosRefiled, by this transaction, which may yet abort; likewise */

static void Forget(void)
{
    touched = grown = renewed = refiled = NIL;
}

static void Commit(void)
{
    ListCell *cell;

    foreach (cell, refiled)
        PaosRequestRefile(PaosSharedAttached(), lfirst(cell));
    Forget();
}

static void Abort(void)
{
    PaosShared *shared = PaosSharedAttached();
    ListCell *cell;

    foreach (cell, refiled)
    {
        const PaosRefiled *one = lfirst(cell);

        PaosIndexRemove(shared, one->class, one->filed);
        if (DsaPointerIsValid(one->query))
            PaosBoundFree(shared, one->query);
    }
    Forget();
}

static PaosEnds ends = {.commit = Commit, .abort = Abort};

static void Touch(List **list, int number)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);

    PaosEndsRegister(&ends);
    *list = list_append_unique_int(*list, number);
    MemoryContextSwitchTo(previous);
}

static void TouchTable(List **list, Oid relid)
{
    ListCell *cell;

    foreach (cell, find_all_inheritors(relid, NoLock, NULL))
    {
        int number = PaosClassNumber(lfirst_oid(cell));

        if (number != 0)
            Touch(list, number);
    }
}

void PaosReshapeClass(int number)
{
    Touch(&touched, number);
}

void PaosReshapeRenewed(int number)
{
    Touch(&touched, number);
    Touch(&renewed, number);
}

void PaosReshapeTable(Oid relid)
{
    TouchTable(&touched, relid);
}

void PaosReshapeGrown(Oid relid)
{
    TouchTable(&grown, relid);
}

bool PaosReshapePending(void)
{
    return touched != NIL || grown != NIL;
}

/* ---- filing anew ---- */

/* Files a request anew; filings NIL: no row satisfies it. */
static PaosRefiled *Refile(PaosShared *shared, const PaosRequest *request, const char *text,
                           List *filings)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    PaosRefiled *one = palloc0(sizeof(PaosRefiled));

    one->request = request->id;
    one->class = request->class;
    refiled = lappend(refiled, one);
    MemoryContextSwitchTo(previous);
    one->query = PaosBoundStore(text, request->class);
    one->filed = PaosIndexAdd(shared, request->class, request->id, filings);
    return one;
}

/* ---- the end of a request ---- */

/* Ends a request whose query makes no sense any more; who attends to a durable one is told too. */
static void End(PaosShared *shared, const PaosRequest *request, const char *text, int sqlstate,
                const char *reason)
{
    if (request->broken)
        return;
    if (request->backend != 0)
        PaosEventTell(request, PaosEndedPayload(request->id, sqlstate, reason));
    if (request->durable)
    {
        Refile(shared, request, text, NIL)->broken = true;
        PaosEventResync(request->id);
    }
    else
        PaosRequestEnd(request->id);
}

/* ---- binding anew ---- */

/* Not the request's fault: whoever changes the table has to hear of it. */
bool PaosReshapeIsOurs(int sqlstate)
{
    int category = ERRCODE_TO_CATEGORY(sqlstate);

    return category == ERRCODE_OPERATOR_INTERVENTION ||
           category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_TRANSACTION_ROLLBACK ||
           sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
}

typedef struct Binding
{
    Oid role;
    Oid relid;
    const char *text;
    PaosQuestion question;
} Binding;

/* As its role, whose operators may run: never as who happens to change the table. */
static void BindAs(void *arg)
{
    Binding *binding = arg;
    PaosRole saved = PaosRoleBecome(binding->role);

    PaosQuestionBind(binding->relid, binding->text, &binding->question);
    PaosRoleReturn(&saved);
}

static void BindAnew(PaosShared *shared, const PaosRequest *request, const PaosBound *bound,
                     bool prepare)
{
    static PaosFiling any = {.kind = PAOS_FILE_REST};
    Binding binding = {.role = request->role, .relid = bound->relid, .text = PaosBoundText(bound)};
    ErrorData *error = PaosSubtransactionTry(BindAs, &binding);

    if (error != NULL && PaosReshapeIsOurs(error->sqlerrcode))
        ReThrowError(error);
    if (error != NULL && !prepare)
    {
        End(shared, request, binding.text, error->sqlerrcode, error->message);
        return;
    }
    /* Whether a prepared transaction is committed is open: every row is looked at. */
    if (prepare)
        binding.question.filings = list_make1(&any);
    Refile(shared, request, binding.text, binding.question.filings)->loose = prepare;
    if (request->broken)
        PaosDurableNote(request, &(PaosEvent){.request = request->id, .resync = true});
    else
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

/* Of a class that is none any more, or that is another. */
static void EndWithClass(PaosShared *shared, const PaosRequest *request, Oid relid)
{
    if (request->durable)
        PaosDurableEndRow(request->id);
    else if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
        End(shared, request, NULL, ERRCODE_UNDEFINED_OBJECT,
            psprintf("\"%s\" is not a class any more", get_rel_name(relid)));
    else
        End(shared, request, NULL, ERRCODE_UNDEFINED_TABLE,
            psprintf("the table of class %d was dropped", request->class));
}

/* Whether the class is still there, and the one that the request is on. */
static bool ClassIsThere(PaosShared *shared, const PaosRequest *request, const PaosBound *bound)
{
    if (PaosClassTable(request->class) != bound->relid)
        EndWithClass(shared, request, bound->relid);
    else if (PaosClassByNumber(request->class, true) == NULL)
        End(shared, request, bound->text, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            psprintf("class \"%s\" has no single-column integer primary key any more",
                     get_rel_name(bound->relid)));
    else
        return true;
    return false;
}

/* Whoever commits it may not know of durable requests, which would then be on no class. */
static void LookBeforePrepare(const PaosRequest *request, const PaosBound *bound)
{
    if (request->durable && PaosClassTable(request->class) != bound->relid)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot PREPARE a transaction that has begun or ended a durable request"));
    PaosEventResync(request->id);
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
        LookBeforePrepare(&request, bound);
    else if (!ClassIsThere(shared, &request, bound))
        return;
    else if (list_member_int(renewed, request.class))
        PaosEventResync(id);
    change = PaosBoundLook(bound, &dropped);
    if (change == PAOS_BOUND_DROPPED && !prepare)
        End(shared, &request, bound->text, ERRCODE_UNDEFINED_COLUMN,
            psprintf("attribute \"%s\" of class \"%s\" was dropped", dropped,
                     get_rel_name(bound->relid)));
    else if (change == PAOS_BOUND_RETYPED || request.path || request.loose || request.broken)
        BindAnew(shared, &request, bound, prepare);
    if (request.durable && (change == PAOS_BOUND_RENAMED || change == PAOS_BOUND_RETYPED))
        RewriteDurable(id, PaosBoundText(bound));
}

static bool IsBroken(PaosShared *shared, int64 id)
{
    PaosRequest request;

    return PaosRequestGet(shared, id, &request, NULL) && request.broken;
}

static void LookAtAll(PaosShared *shared, List *classes, bool broken, bool prepare)
{
    ListCell *cell;

    if (classes == NIL)
        return;
    foreach (cell, PaosRequestIds(shared, classes))
    {
        int64 id = *(int64 *) lfirst(cell);

        CHECK_FOR_INTERRUPTS();
        if (!broken || IsBroken(shared, id))
            LookAt(shared, id, prepare);
    }
}

void PaosReshape(bool prepare)
{
    PaosShared *shared;
    List *classes = touched;
    List *more = list_difference_int(grown, touched);

    touched = grown = NIL;
    if (classes == NIL && more == NIL)
        return;
    shared = PaosSharedFiled(false);
    if (shared == NULL)
        return;
    LookAtAll(shared, classes, false, prepare);
    if (prepare)
        PaosPreparedClasses(list_concat(classes, more));
    else
        LookAtAll(shared, more, true, prepare);
}
