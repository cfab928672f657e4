/*
 * own.c - the extension's own tables.
 *
 * The functions of their triggers can be named in a trigger of any table, by anybody:
 * each must first make sure that it was fired by its own.
 */
#include "paos.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

Oid PaosOwnRelation(const char *name)
{
    Oid relid = get_relname_relid(name, get_namespace_oid("paos", false));

    if (!OidIsValid(relid))
        elog(ERROR, "relation paos.%s is missing", name);
    return relid;
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

Oid PaosOwner(void)
{
    return PaosTableOwner(PaosOwnRelation("class"));
}

void PaosOwnTrigger(FunctionCallInfo fcinfo, const char *function, const char *table)
{
    const TriggerData *trigger = (const TriggerData *) fcinfo->context;

    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.%s must be called as a trigger", function));
    if (RelationGetRelid(trigger->tg_relation) != PaosOwnRelation(table))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.%s can only be a trigger of paos.%s", function, table));
}
