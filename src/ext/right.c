/*
 * right.c - the trigger that keeps writers off objects whose right another
 * session holds.
 *
 * It must run after the row is marked as written, and it must leave no lock
 * behind: see lock.c for why that suffices.  The look at the class is made once
 * per statement, which is sound only because AFTER triggers run when all rows of
 * the statement are marked; cascades of foreign keys add rows later, but under a
 * later command id.
 */
#include "paos.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_check_right);

/* What one statement's firing of the trigger knows, kept in its fn_extra. */
typedef struct RightCheck
{
    CommandId command; /* when the class was looked at */
    bool free;         /* no other session had a right in the class then */
    int number;
    AttrNumber key;
    Oid keytype;
} RightCheck;

/* Would another session's lock on the tag conflict with a writer?  Leaves nothing behind. */
static bool HeldByOther(PaosRef tag)
{
    LOCKTAG locktag;

    PaosLockTag(tag, &locktag);
    if (LockAcquire(&locktag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
        return true;
    LockRelease(&locktag, ShareLock, false);
    return false;
}

/* Who holds the right, in words; NULL when nobody does any more. */
static char *DescribeHolder(PaosRef ref)
{
    Oid types[] = {INT8OID};
    Datum values[] = {Int64GetDatum(ref)};
    MemoryContext context = CurrentMemoryContext;
    char *holder = NULL;

    SPI_connect();
    if (SPI_execute_with_args(
            "SELECT pg_catalog.format('The right is held by %s, process %s%s on host \"%s\""
            " (server process %s).', coalesce(nullif(application, ''), 'a session'), pid,"
            " ' of user ' || uid, host, backend) FROM paos.rights"
            " WHERE object OPERATOR(paos.=) $1::paos.ref AND granted",
            1, types, values, NULL, true, 1) == SPI_OK_SELECT &&
        SPI_processed > 0)
    {
        char *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

        holder = MemoryContextStrdup(context, text);
    }
    SPI_finish();
    return holder;
}

static void RefuseWrite(PaosRef ref)
{
    char *holder = DescribeHolder(ref);

    ereport(ERROR, errcode(ERRCODE_LOCK_NOT_AVAILABLE),
            errmsg("object \"%s\" is locked by another session", PaosObjectName(ref)),
            holder == NULL ? 0 : errdetail_internal("%s", holder),
            errhint("Try again when the right is given up, or wait for it with paos.lock."));
}

/* Learns the class of the trigger's table; number 0 when it is none any more. */
static void DescribeCheck(RightCheck *check, Relation relation)
{
    const PaosClass *class = PaosClassByRelation(RelationGetRelid(relation), true);

    check->number = 0;
    if (class == NULL)
        return;
    check->number = class->number;
    check->keytype = class->keytype;
    check->key = PaosKeyColumn(class, RelationGetRelid(relation));
}

static RightCheck *StatementCheck(FunctionCallInfo fcinfo, Relation relation)
{
    RightCheck *check = fcinfo->flinfo->fn_extra;
    CommandId command = GetCurrentCommandId(false);

    if (check != NULL && check->command == command)
        return check;
    if (check == NULL)
    {
        check = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(RightCheck));
        DescribeCheck(check, relation);
        fcinfo->flinfo->fn_extra = check;
    }
    check->command = command;
    check->free = check->number == 0 || !HeldByOther((PaosRef) check->number << PAOS_KEY_BITS);
    return check;
}

static int64 TupleKey(const RightCheck *check, HeapTuple tuple, Relation relation)
{
    bool isnull;
    Datum value = heap_getattr(tuple, check->key, RelationGetDescr(relation), &isnull);

    if (isnull)
        return 0;
    if (check->keytype == INT2OID)
        return DatumGetInt16(value);
    if (check->keytype == INT4OID)
        return DatumGetInt32(value);
    return DatumGetInt64(value);
}

static void CheckRow(const RightCheck *check, HeapTuple old, Relation relation)
{
    int64 key = TupleKey(check, old, relation);
    PaosRef ref;

    if (key < 1 || key > PAOS_KEY_MAX)
        return;
    /* Written earlier in this transaction: whoever took the right since is waiting for us. */
    if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(old->t_data)))
        return;
    ref = PaosRefMake(check->number, key);
    if (HeldByOther(ref))
        RefuseWrite(ref);
}

static void CheckTruncate(FunctionCallInfo fcinfo, Relation relation)
{
    if (!StatementCheck(fcinfo, relation)->free)
        ereport(ERROR, errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                errmsg("objects of class \"%s\" are locked by another session",
                       RelationGetRelationName(relation)),
                errhint("TABLE paos.rights shows who holds the rights."));
}

Datum paos_check_right(PG_FUNCTION_ARGS)
{
    TriggerData *trigger = (TriggerData *) fcinfo->context;
    RightCheck *check;

    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.check_right must be called as a trigger"));
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
    {
        CheckTruncate(fcinfo, trigger->tg_relation);
        return PointerGetDatum(NULL);
    }
    if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.check_right must be called after each row"));
    check = StatementCheck(fcinfo, trigger->tg_relation);
    if (!check->free)
        CheckRow(check, trigger->tg_trigtuple, trigger->tg_relation);
    return PointerGetDatum(NULL);
}
