/*
 * durable_class.c - what becomes of durable requests when their class comes or goes.
 *
 * A foreign key would do half of it, but a parallel restore loads the tables of an
 * extension in any order: pg_dump records no dependency between them.  So a class
 * may come after its requests, which were then filed as ones that every row may
 * satisfy, and are filed anew.
 */
#include "durable.h"
#include "reshape.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "commands/trigger.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_durable_class_changed);

/* Sees whatever is committed, also in a transaction that looks at an older state. */
static void RemoveRows(int class)
{
    Relation relation = table_open(PaosOwnRelation("durable"), RowExclusiveLock);
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
    HeapTuple row;

    while (HeapTupleIsValid(row = systable_getnext(scan)))
    {
        TupleDesc desc = RelationGetDescr(relation);
        bool isnull;

        if (DatumGetInt16(heap_getattr(row, PAOS_DURABLE_CLASS, desc, &isnull)) != class)
            continue;
        PaosDurableRemove(DatumGetInt64(heap_getattr(row, PAOS_DURABLE_REQUEST, desc, &isnull)));
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
        RemoveRows(class);
    return PointerGetDatum(NULL);
}
