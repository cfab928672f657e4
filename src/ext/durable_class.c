/*
 * durable_class.c - what becomes of durable requests when their class comes or goes.
 *
 * A foreign key would do half of it, but a parallel restore loads the tables of an
 * extension in any order: pg_dump records no dependency between them.  So a class
 * may come after its requests, which were then filed as ones that every row may
 * satisfy, and are filed anew.  Both are looked at before the commit, for a class
 * that goes and comes again is the same.
 */
#include "durable.h"
#include "reshape.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "commands/trigger.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_durable_class_changed);

/* Sees whatever is committed, also in a transaction that looks at an older state. */
void PaosDurableEndRow(int64 request)
{
    Relation relation = table_open(PaosOwnRelation("durable"), RowExclusiveLock);
    SysScanDesc scan;
    ScanKeyData key;
    HeapTuple row;

    ScanKeyInit(&key, PAOS_DURABLE_REQUEST, BTEqualStrategyNumber, F_INT8EQ,
                Int64GetDatum(request));
    scan = systable_beginscan(relation, PaosOwnRelation("durable_pkey"), true, NULL, 1, &key);
    row = systable_getnext(scan);
    if (HeapTupleIsValid(row))
    {
        PaosDurableRemove(request);
        CatalogTupleDelete(relation, &row->t_self);
    }
    systable_endscan(scan);
    table_close(relation, NoLock);
}

/* Trigger on paos.class, after each row. */
Datum paos_durable_class_changed(PG_FUNCTION_ARGS)
{
    TriggerData *trigger = (TriggerData *) fcinfo->context;
    int class;
    bool isnull;

    PaosOwnTrigger(fcinfo, "durable_class_changed", "class");
    class = DatumGetInt16(
        heap_getattr(trigger->tg_trigtuple, 1, RelationGetDescr(trigger->tg_relation), &isnull));
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
    {
        PaosTaskHold(PAOS_TASK_RESTORE, ShareLock);
        PaosReshapeClass(class);
    }
    else
        PaosReshapeRenewed(class);
    return PointerGetDatum(NULL);
}
