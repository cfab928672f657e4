/*
 * own.c - the extension's own tables and types.
 *
 * The functions of their triggers can be named in a trigger of any table, by anybody:
 * each must first make sure that it was fired by its own.
 */
#include "paos.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
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

static Oid OwnType(const char *name)
{
    Oid type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
                               ObjectIdGetDatum(get_namespace_oid("paos", false)));

    if (!OidIsValid(type))
        elog(ERROR, "type paos.%s is missing", name);
    return type;
}

Oid PaosRefTypeOid(void)
{
    return OwnType("ref");
}

Oid PaosQueryTypeOid(void)
{
    return OwnType("query");
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
