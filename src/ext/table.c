/*
 * table.c - what PostgreSQL says of a table, be it a class or not.
 *
 * Nothing is kept here: what is asked often is in the cache of class.c.
 */
#include "paos.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

char *PaosTableName(Oid relid)
{
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
                                      get_rel_name(relid));
}

Oid PaosTableOwner(Oid relid)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
    Oid owner;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for relation %u", relid);
    owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

/* Is it a row that this transaction has deleted? */
static bool IsGone(HeapTuple tuple)
{
    return (tuple->t_data->t_infomask & HEAP_XMAX_INVALID) == 0 &&
           TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(tuple->t_data));
}

static List *ReadParents(Oid relid, bool gone)
{
    Relation inherits = table_open(InheritsRelationId, AccessShareLock);
    ScanKeyData key;
    SysScanDesc scan;
    HeapTuple tuple;
    List *parents = NIL;

    ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(relid));
    scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, gone ? SnapshotAny : NULL,
                              1, &key);
    while (HeapTupleIsValid(tuple = systable_getnext(scan)))
        if (!gone || IsGone(tuple))
            parents = lappend_oid(parents, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
    systable_endscan(scan);
    table_close(inherits, AccessShareLock);
    return parents;
}

List *PaosParents(Oid relid)
{
    return ReadParents(relid, false);
}

List *PaosParentsGone(Oid relid)
{
    return ReadParents(relid, true);
}

AttrNumber PaosPrimaryKey(Relation relation, int *columns)
{
    Oid index = RelationGetPrimaryKeyIndex(relation);
    HeapTuple tuple;
    Form_pg_index form;
    AttrNumber key;

    *columns = 0;
    if (!OidIsValid(index))
        return InvalidAttrNumber;
    tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple))
        return InvalidAttrNumber;
    form = (Form_pg_index) GETSTRUCT(tuple);
    *columns = form->indnkeyatts;
    key = form->indkey.values[0];
    ReleaseSysCache(tuple);
    return key;
}

/*
 * A table's description without a lock on it, to be given back by RelationClose; an error when
 * there is no such table.  A writer holds a lock on the table it writes, not on those above it or
 * at the end of a path: waiting for who alters one of them, and wants the writer's next, would be a
 * deadlock. It is as of the last invalidation that was taken in, which is as good as a lock that is
 * not kept.
 */
Relation PaosRelationPeek(Oid relid)
{
    Relation relation = RelationIdGetRelation(relid);

    if (!RelationIsValid(relation))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("relation with OID %u does not exist", relid));
    return relation;
}
