/*
 * lock.c - rights: the exclusive permission to write an object.
 *
 * A right is a session-level heavyweight lock, ExclusiveLock on an advisory tag
 * with a fourth field of our own.  A writer never waits for it and never keeps
 * a lock on it: an AFTER trigger, when its rows are already marked as written,
 * looks whether another session holds the right.  A locker either holds the row
 * locks while it takes the right, or takes the right and then waits for whoever
 * has marked the row.  Either way one of the two sees the other.  Checking in a
 * BEFORE trigger instead would leave a gap.
 *
 * The tag with key 0 is held, in a mode that does not conflict with itself, by
 * every session with a right in the class: one look at it per statement tells a
 * writer that no row of it needs a look.
 */
#include "end.h"
#include "paos.h"

#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(paos_lock);
PG_FUNCTION_INFO_V1(paos_lock_all);
PG_FUNCTION_INFO_V1(paos_release);

#define RIGHT_MODE ExclusiveLock    /* on the tag of an object: holds its right */
#define CLASS_MODE RowExclusiveLock /* on the tag of a class: holds some right in it */

/* Everything this session may hold, in the order taken; an entry may be stale (DISCARD ALL). */
static PaosRef *held = NULL;
static int nheld = 0;
static int held_size = 0;

static LOCKMODE TagMode(PaosRef tag)
{
    return PaosRefKey(tag) == 0 ? CLASS_MODE : RIGHT_MODE;
}

void PaosLockTag(PaosRef tag, LOCKTAG *out)
{
    SET_LOCKTAG_ADVISORY(*out, MyDatabaseId, (uint32) (tag >> 32), (uint32) tag, PAOS_LOCK_SPACE);
}

/* A holder need not ask: sessions in line for its right would stand in the way of another mode. */
bool PaosRightIsMine(PaosRef ref)
{
    LOCKTAG locktag;

    PaosLockTag(ref, &locktag);
    return LockHeldByMe(&locktag, RIGHT_MODE);
}

static void ReserveHeld(void)
{
    if (nheld < held_size)
        return;
    held_size = held_size == 0 ? 64 : held_size * 2;
    held = held == NULL ? MemoryContextAllocHuge(TopMemoryContext, held_size * sizeof(PaosRef))
                        : repalloc_huge(held, held_size * sizeof(PaosRef));
}

static void ReleaseFrom(int first)
{
    while (nheld > first)
    {
        PaosRef tag = held[--nheld];
        LOCKTAG locktag;

        PaosLockTag(tag, &locktag);
        if (LockHeldByMe(&locktag, TagMode(tag)))
            LockRelease(&locktag, TagMode(tag), true);
    }
}

/* ---- the end of the extension ---- */

static Oid extension = InvalidOid; /* whose classes the rights are in */
static uint64 generation;          /* of the classes when that was last looked at */
static bool over = false;          /* the extension is gone, as the present transaction sees */

/*
 * Numbers of classes that come later mean others: rights must not outlive the extension.
 * The holder finds out by itself; an empty transaction may be one that it was sent for that.
 */
static void BeforeCommit(void)
{
    bool look =
        generation != PaosClassGeneration() || !TransactionIdIsValid(GetTopTransactionIdIfAny());

    if (nheld == 0 || !look)
        return;
    generation = PaosClassGeneration();
    over = get_extension_oid("paos", true) != extension;
}

static void Commit(void)
{
    if (over)
        ReleaseFrom(0);
    over = false;
}

static void Abort(void)
{
    over = false;
}

static PaosEnds ends = {.before_commit = BeforeCommit, .commit = Commit, .abort = Abort};

static void NoteExtension(void)
{
    Oid present;

    if (OidIsValid(extension) && generation == PaosClassGeneration())
        return;
    generation = PaosClassGeneration();
    present = get_extension_oid("paos", false);
    if (present != extension)
        ReleaseFrom(0);
    extension = present;
    PaosEndsRegister(&ends);
}

/* ---- taking ---- */

typedef struct LockRequest
{
    PaosRef *refs; /* sorted, each once */
    int n;
    int64 wait;
    TimestampTz deadline;
} LockRequest;

/* Takes one tag for the session; false when it is not to be had without waiting and `block` is not
 * set. */
static bool TakeTag(const LockRequest *request, PaosRef tag, bool block)
{
    LOCKTAG locktag;
    LOCKMODE mode = TagMode(tag);

    PaosLockTag(tag, &locktag);
    if (LockHeldByMe(&locktag, mode))
        return true;
    ReserveHeld();
    /* Noted first: when a wait is given up, the lock may have been granted in the same moment. */
    held[nheld++] = tag;
    if (LockAcquire(&locktag, mode, true, true) != LOCKACQUIRE_NOT_AVAIL)
        return true;
    if (!block)
    {
        nheld--;
        return false;
    }
    if (request->wait > 0)
        PaosWaitLimit(request->deadline);
    (void) LockAcquire(&locktag, mode, true, false);
    return true;
}

/* The tag of a class is only ever blocked for moments, by a writer's look at it. */
static bool TakeTags(const LockRequest *request, bool block)
{
    int i;

    for (i = 0; i < request->n; i++)
    {
        TakeTag(request, request->refs[i] & ~PAOS_KEY_MAX, true);
        if (!TakeTag(request, request->refs[i], block))
            return false;
    }
    return true;
}

static void RefuseMissing(PaosRef ref)
{
    char *name = PaosObjectName(ref);

    ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("object \"%s\" does not exist", name));
}

static ArrayType *KeyArray(const PaosRef *refs, int n)
{
    Datum *keys = palloc(n * sizeof(Datum));
    int i;

    for (i = 0; i < n; i++)
        keys[i] = Int64GetDatum(PaosRefKey(refs[i]));
    return construct_array(keys, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* The first ref whose key is not among the rows just read, which come in order of the keys. */
static void RefuseFirstMissing(const PaosRef *refs, int n)
{
    int i;

    for (i = 0; i < n; i++)
    {
        bool isnull;
        int64 key = -1;

        if ((uint64) i < SPI_processed)
            key = DatumGetInt64(
                SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
        if (key != PaosRefKey(refs[i]))
            RefuseMissing(refs[i]);
    }
}

/*
 * Waits for writers already at work on rows of one class.  The row locks go
 * with the subtransaction; asking for them also checks that the caller may
 * write, and that the objects exist.
 */
static void WaitForWritersOfClass(const LockRequest *request, const PaosRef *refs, int n)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(refs[0]), false);
    Oid types[] = {INT8ARRAYOID};
    Datum values[] = {PointerGetDatum(KeyArray(refs, n))};
    const char *key = quote_identifier(NameStr(class->keyname));
    char *sql =
        psprintf("SELECT t.%s::pg_catalog.int8 FROM %s t"
                 " WHERE t.%s OPERATOR(pg_catalog.=) ANY ($1)"
                 " ORDER BY t.%s USING OPERATOR(pg_catalog.<) FOR NO KEY UPDATE%s",
                 key, PaosTableName(class->relid), key, key, request->wait == 0 ? " NOWAIT" : "");

    if (request->wait > 0)
        PaosWaitLimit(request->deadline);
    SPI_connect();
    if (SPI_execute_with_args(sql, 1, types, values, NULL, false, 0) != SPI_OK_SELECT)
        elog(ERROR, "SPI_execute failed: %s", sql);
    if (SPI_processed != (uint64) n)
        RefuseFirstMissing(refs, n);
    SPI_finish();
}

static void WaitForWriters(const LockRequest *request)
{
    int first;
    int i;

    for (first = 0; first < request->n; first = i)
    {
        for (i = first; i < request->n; i++)
        {
            if (PaosRefClass(request->refs[i]) != PaosRefClass(request->refs[first]))
                break;
        }
        WaitForWritersOfClass(request, request->refs + first, i - first);
    }
}

/* First try: with the row locks held, so that a writer already at work is let go first. */
static bool TakeFreeRights(void *arg)
{
    const LockRequest *request = arg;

    WaitForWriters(request);
    return TakeTags(request, false);
}

/* Second try: in line for the rights, without row locks that would keep a holder from writing. */
static bool TakeRightsInTurn(void *arg)
{
    const LockRequest *request = arg;

    TakeTags(request, true);
    WaitForWriters(request);
    return true;
}

/* All rights or none: what a try that fails has taken is given up. */
static bool Try(LockRequest *request, bool (*take)(void *))
{
    int before = nheld;
    bool taken = false;

    PG_TRY();
    {
        taken = PaosWaitTry(take, request, request->wait);
    }
    PG_CATCH();
    {
        ReleaseFrom(before);
        PG_RE_THROW();
    }
    PG_END_TRY();
    if (!taken)
        ReleaseFrom(before);
    return taken;
}

static bool LockObjects(LockRequest *request)
{
    return Try(request, TakeFreeRights) || (request->wait != 0 && Try(request, TakeRightsInTurn));
}

static int CompareRefs(const void *a, const void *b)
{
    PaosRef left = *(const PaosRef *) a;
    PaosRef right = *(const PaosRef *) b;

    return left < right ? -1 : left > right;
}

/*
 * The ref under the class that the object is really of, which is what its
 * writers look at.  A child that is not registered has no trigger to look.
 */
static PaosRef RealRef(PaosRef ref)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(ref), true);
    Oid table;

    if (class == NULL)
        RefuseMissing(ref);
    if (!class->has_subclasses)
        return ref;
    table = PaosObjectTable(ref);
    if (!OidIsValid(table))
        RefuseMissing(ref);
    if (PaosClassNumber(table) == 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("object \"%s\" cannot be locked", PaosObjectName(ref)),
                errdetail("It is in table \"%s\", which inherits from a class but is none itself.",
                          get_rel_name(table)),
                errhint("Call paos.register_class on that table."));
    return PaosRefMake(PaosClassNumber(table), PaosRefKey(ref));
}

/* Sorted, so that two sessions that take the same rights do not deadlock. */
static bool LockRefs(PaosRef *refs, int n, int64 wait)
{
    LockRequest request = {.refs = refs, .wait = wait};
    int i;

    NoteExtension();
    if (wait > 0)
        request.deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), wait);
    for (i = 0; i < n; i++)
        refs[i] = RealRef(refs[i]);
    qsort(refs, n, sizeof(PaosRef), CompareRefs);
    for (i = 0; i < n; i++)
    {
        if (request.n == 0 || refs[request.n - 1] != refs[i])
            refs[request.n++] = refs[i];
    }
    return request.n == 0 || LockObjects(&request);
}

/* paos.lock(ref, wait interval) */
Datum paos_lock(PG_FUNCTION_ARGS)
{
    PaosRef ref;

    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("ref must not be null"));
    ref = PG_GETARG_PAOS_REF(0);
    PG_RETURN_BOOL(LockRefs(&ref, 1, PaosWaitArgument(fcinfo, 1)));
}

/* paos.lock_all(refs ref[], wait interval) */
Datum paos_lock_all(PG_FUNCTION_ARGS)
{
    ArrayType *array;
    Datum *elements;
    PaosRef *refs;
    int n;
    int i;

    if (PG_ARGISNULL(0) || array_contains_nulls(PG_GETARG_ARRAYTYPE_P(0)))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("refs must not be null"));
    array = PG_GETARG_ARRAYTYPE_P(0);
    deconstruct_array(array, ARR_ELEMTYPE(array), sizeof(PaosRef), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                      &elements, NULL, &n);
    refs = palloc(Max(n, 1) * sizeof(PaosRef));
    for (i = 0; i < n; i++)
        refs[i] = DatumGetPaosRef(elements[i]);
    PG_RETURN_BOOL(LockRefs(refs, n, PaosWaitArgument(fcinfo, 1)));
}

/* paos.release() */
Datum paos_release(PG_FUNCTION_ARGS)
{
    ReleaseFrom(0);
    PG_RETURN_VOID();
}
