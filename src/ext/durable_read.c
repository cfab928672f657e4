/*
 * durable_read.c - paos.pending and paos.acknowledge.
 *
 * Numbers do not commit in order: below the greatest that was read, an event may
 * yet appear.  So what is acknowledged is what this session has read, number by
 * number, and never all up to a number.  Both are of the caller's transaction:
 * work that is committed together with its acknowledgement is done exactly once.
 */
#include "durable.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(paos_pending);
PG_FUNCTION_INFO_V1(paos_acknowledge);

/* ---- pending ---- */

/* Which objects there are is known only to who may read some of their class. */
static void CheckClass(const PaosDurable *durable)
{
    const PaosClass *class = PaosClassByNumber(durable->class, true);

    if (class == NULL || pg_class_aclcheck(class->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
        pg_attribute_aclcheck_all(class->relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) ==
            ACLCHECK_OK)
        return;
    aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(class->relid)),
                   get_rel_name(class->relid));
}

/* All that was pending is read, and there will be no more. */
static void RefuseBroken(const PaosDurable *durable)
{
    PaosDurableTry bound;
    PaosRequest request;

    if (!PaosRequestGet(PaosSharedFiled(true), durable->request, &request, NULL) || !request.broken)
        return;
    PaosDurableTryToBind(durable, &bound);
    ereport(
        ERROR,
        errcode(bound.sqlstate == 0 ? ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE : bound.sqlstate),
        errmsg("durable request \"%s\" makes no sense any more", durable->name),
        bound.sqlstate == 0 ? 0 : errdetail_internal("%s.", bound.reason),
        errhint("Subscribe with the same name anew, or call paos.forget."));
}

/* A limit that was passed while nobody looked; a file that a restore without triggers left out. */
static void Settle(const PaosDurable *durable)
{
    PaosShared *shared = PaosSharedFiled(true);
    PaosRequest request;

    if (!PaosRequestGet(shared, durable->request, &request, NULL))
    {
        PaosDurableFile(shared, durable);
        return;
    }
    if (PaosLimitReached(&request) && PaosTaskBegin(request.id, false))
        PaosLimitApply(shared, request.id, 0);
}

static void Remember(PaosHold *hold, int64 number, int64 *size)
{
    if (hold->nseen == *size)
    {
        *size = *size == 0 ? 64 : *size * 2;
        hold->seen = hold->seen == NULL
                         ? MemoryContextAllocHuge(TopMemoryContext, *size * sizeof(int64))
                         : repalloc_huge(hold->seen, *size * sizeof(int64));
    }
    hold->seen[hold->nseen++] = number;
}

static void Put(ReturnSetInfo *result, TupleDesc desc, HeapTuple row)
{
    Datum values[PAOS_EVENT_COLUMNS];
    bool nulls[PAOS_EVENT_COLUMNS];
    int i;

    heap_deform_tuple(row, desc, values, nulls);
    for (i = PAOS_EVENT_ENTER - 1; i < PAOS_EVENT_ENTER - 1 + PAOS_EFFECTS; i++)
    {
        if (nulls[i])
            values[i] = PointerGetDatum(construct_empty_array(PaosRefTypeOid()));
        nulls[i] = false;
    }
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void ReadPending(ReturnSetInfo *result, PaosHold *hold, int64 request, int64 most)
{
    PaosScan scan;
    HeapTuple row;
    TimestampTz oldest = 0;
    int64 size = 0;

    if (hold->seen != NULL)
        pfree(hold->seen);
    hold->seen = NULL;
    hold->nseen = 0;
    hold->read = true;
    PaosScanOpen(&scan, request, PG_INT64_MAX, GetTransactionSnapshot());
    while (hold->nseen < most && (row = PaosScanNext(&scan)) != NULL)
    {
        if (hold->nseen == 0)
            oldest = PaosScanTime(&scan, row);
        Remember(hold, PaosScanNumber(&scan, row), &size);
        Put(result, RelationGetDescr(scan.relation), row);
    }
    PaosScanClose(&scan);
    if (hold->nseen < most)
        PaosRequestKept(PaosSharedFiled(true), request, hold->nseen, oldest);
}

/* paos.pending(name text, max int) */
Datum paos_pending(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    int64 most = PG_ARGISNULL(1) ? PG_INT64_MAX : PG_GETARG_INT32(1);
    PaosDurable durable;
    PaosHold *hold;

    PreventCommandDuringRecovery("paos.pending()");
    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("name must not be null"));
    if (most < 1)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max must be positive"));
    PaosDurableGet(text_to_cstring(PG_GETARG_TEXT_PP(0)), &durable);
    CheckClass(&durable);
    PaosForbidLift(&durable);
    hold = PaosHoldTake(durable.name);
    PaosHoldSet(hold, durable.request);
    Settle(&durable);
    InitMaterializedSRF(fcinfo, 0);
    ReadPending(result, hold, durable.request, most);
    if (hold->nseen == 0)
        RefuseBroken(&durable);
    return (Datum) 0;
}

/* ---- acknowledge ---- */

/*
 * Waits for a writer that removes the event for want of room, whose transaction
 * may yet be rolled back.
 */
static bool Delete(Relation relation, HeapTuple row)
{
    TM_FailureData failure;
    TM_Result result = heap_delete(relation, &row->t_self, GetCurrentCommandId(true),
                                   InvalidSnapshot, true, &failure, false);

    if (result == TM_Deleted && IsolationUsesXactSnapshot())
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent delete"));
    return result == TM_Ok;
}

static int64 Acknowledge(const PaosHold *hold, int64 request, int64 upto)
{
    PaosScan scan;
    HeapTuple row;
    int64 next = 0;
    int64 n = 0;

    PaosScanOpen(&scan, request, upto, GetTransactionSnapshot());
    while (next < hold->nseen && (row = PaosScanNext(&scan)) != NULL)
    {
        int64 number = PaosScanNumber(&scan, row);

        while (next < hold->nseen && hold->seen[next] < number)
            next++;
        if (next < hold->nseen && hold->seen[next] == number && Delete(scan.relation, row))
            n++;
    }
    PaosScanClose(&scan);
    CommandCounterIncrement();
    return n;
}

/* paos.acknowledge(name text, upto bigint) */
Datum paos_acknowledge(PG_FUNCTION_ARGS)
{
    PaosDurable durable;
    PaosHold *hold;

    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("name and upto must not be null"));
    PaosDurableGet(text_to_cstring(PG_GETARG_TEXT_PP(0)), &durable);
    hold = PaosHoldTake(durable.name);
    PaosHoldSet(hold, durable.request);
    if (!hold->read)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("events of durable request \"%s\" have not been read by this session",
                       durable.name),
                errhint("Only what paos.pending has returned can be acknowledged."));
    PreventCommandIfReadOnly("paos.acknowledge()");
    PG_RETURN_INT64(Acknowledge(hold, durable.request, PG_GETARG_INT64(1)));
}
