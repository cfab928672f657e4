/*
 * right.c - keeps writers off objects whose right another session holds.
 *
 * The check must run after the row is marked as written, and leave no lock
 * behind: see lock.c for why that suffices.  The look at the class is made once
 * per statement, which is sound only because AFTER triggers run when all rows of
 * the statement are marked; cascades of foreign keys add rows later, but under a
 * later command id.
 *
 * A right binds the writers of its own server.  What replication applies has been
 * committed elsewhere and cannot be refused here: it would only stop everything
 * behind it.  The holder finds out as by any change: by an event, or a conflict.
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
            " (server process %s).',"
            " CASE WHEN application OPERATOR(pg_catalog.<>) '' THEN application ELSE 'a session' "
            "END,"
            " pid, ' of user ' OPERATOR(pg_catalog.||) uid, host, backend) FROM paos.rights"
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

static bool ClassIsFree(int number)
{
    return number == 0 || !HeldByOther((PaosRef) number << PAOS_KEY_BITS);
}

static void LookAtClass(RightCheck *check, Relation relation)
{
    CommandId command = GetCurrentCommandId(false);

    if (check->known && check->command == command)
        return;
    if (!check->known)
        DescribeCheck(check, relation);
    check->known = true;
    check->command = command;
    check->free = ClassIsFree(check->number);
}

int64 PaosTupleKey(HeapTuple tuple, TupleDesc desc, AttrNumber column, Oid keytype)
{
    bool isnull;
    Datum value = heap_getattr(tuple, column, desc, &isnull);

    if (isnull)
        return 0;
    if (keytype == INT2OID)
        return DatumGetInt16(value);
    if (keytype == INT4OID)
        return DatumGetInt32(value);
    return DatumGetInt64(value);
}

/* To be called after the row is updated or deleted; check begins as zeroes for each statement. */
void PaosRightCheckRow(RightCheck *check, TriggerData *trigger)
{
    HeapTuple old = trigger->tg_trigtuple;
    int64 key;

    if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
        return;
    LookAtClass(check, trigger->tg_relation);
    if (check->free)
        return;
    /* Written earlier in this transaction: whoever took the right since is waiting for us. */
    if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(old->t_data)))
        return;
    key = PaosTupleKey(old, RelationGetDescr(trigger->tg_relation), check->key, check->keytype);
    if (key < 1 || key > PAOS_KEY_MAX)
        return;
    if (!PaosRightIsMine(PaosRefMake(check->number, key)) &&
        HeldByOther(PaosRefMake(check->number, key)))
        RefuseWrite(PaosRefMake(check->number, key));
}

/* To be called before the table is truncated. */
void PaosRightCheckTable(Relation relation)
{
    if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
        return;
    if (!ClassIsFree(PaosClassNumber(RelationGetRelid(relation))))
        ereport(ERROR, errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                errmsg("objects of class \"%s\" are locked by another session",
                       RelationGetRelationName(relation)),
                errhint("TABLE paos.rights shows who holds the rights."));
}
