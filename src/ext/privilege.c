/*
 * privilege.c - may a role be told of the rows of a class?
 *
 * Asked when somebody subscribes, and again at each event: privileges may have
 * been revoked, or the role dropped, and neither tells anyone.  Row-level security
 * is asked for each row: see match.c.
 */
#include "request.h"

#include "access/sysattr.h"
#include "catalog/objectaddress.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The attributes that a condition names, offset as in RangeTblEntry.selectedCols. */
Bitmapset *PaosPrivilegesColumns(Expr *condition)
{
    Bitmapset *columns = NULL;

    pull_varattnos((Node *) condition, 1, &columns);
    return columns;
}

static bool MayReadColumn(Oid relid, AttrNumber number, Oid role)
{
    return pg_attribute_aclcheck(relid, number, role, ACL_SELECT) == ACLCHECK_OK;
}

/* A query that names no attribute still tells which objects there are. */
static bool MayReadColumns(Oid relid, Oid role, const Bitmapset *columns)
{
    int column = -1;

    if (bms_is_empty(columns))
        return pg_attribute_aclcheck_all(relid, role, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
    while ((column = bms_next_member(columns, column)) >= 0)
        if (!MayReadColumn(relid, column + FirstLowInvalidHeapAttributeNumber, role))
            return false;
    return true;
}

static bool MayReadTable(Oid relid, Oid role)
{
    return pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK;
}

bool PaosPrivilegesAny(Oid relid, Oid role)
{
    return MayReadTable(relid, role) ||
           pg_attribute_aclcheck_all(relid, role, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
}

void PaosPrivilegesCheck(Oid relid, Expr *condition)
{
    if (!MayReadTable(relid, GetUserId()) &&
        !MayReadColumns(relid, GetUserId(), PaosPrivilegesColumns(condition)))
        aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relid)),
                       get_rel_name(relid));
}

/* Of a class that is none any more there is nothing to be told but that. */
bool PaosPrivilegesKept(const PaosRequest *request)
{
    const PaosClass *class = PaosClassByNumber(request->class, true);
    Oid relid = class == NULL ? InvalidOid : class->relid;

    if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(request->role)))
        return false;
    return !OidIsValid(relid) || MayReadTable(relid, request->role) ||
           MayReadColumns(relid, request->role, PaosRequestColumns(request->id));
}
