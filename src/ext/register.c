/*
 * register.c - making a table a class, and a plain table again.
 *
 * The table's DDL runs as the caller, whose ownership PostgreSQL checks; only
 * the row of paos.class is written as the owner of the extension.  What was
 * added to the table is recorded in that row, so that unregistering can take
 * exactly that away.
 */
#include "adopt.h"
#include "reshape.h"

#include "access/relation.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_register_class);
PG_FUNCTION_INFO_V1(paos_unregister_class);

static void RefuseKind(Relation relation)
{
    const char *name = RelationGetRelationName(relation);
    char kind = relation->rd_rel->relkind;

    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" cannot be a class", name),
                errdetail_relkind_not_supported(kind));
    if (IsSystemRelation(relation) ||
        RelationGetNamespace(relation) == get_namespace_oid("paos", false))
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" cannot be a class", name),
                errdetail("It is a system table."));
    if (relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" cannot be a class", name),
                errdetail("It is a temporary table, which other sessions cannot see."));
    if (relation->rd_rel->relispartition)
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" cannot be a class", name),
                errdetail("It is a partition."), errhint("Register the partitioned table."));
}

static int FreeNumber(void)
{
    int64 number;

    do
        number = DatumGetInt64(DirectFunctionCall1(
            nextval_oid,
            ObjectIdGetDatum(get_relname_relid("class_number", get_namespace_oid("paos", false)))));
    while (PaosClassByNumber((int) number, true) != NULL);
    return (int) number;
}

static int InsertClass(const Adoption *adoption, int number)
{
    Oid types[] = {INT2OID, OIDOID, OIDOID, TEXTARRAYOID};
    Datum values[4];
    Oid user;
    int context;

    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(PaosOwner(), context | SECURITY_LOCAL_USERID_CHANGE);
    if (number == 0)
        number = FreeNumber();
    SetUserIdAndSecContext(user, context);

    values[0] = Int16GetDatum(number);
    values[1] = ObjectIdGetDatum(adoption->relid);
    values[2] = ObjectIdGetDatum(adoption->sequence);
    values[3] = adoption->added == NULL ? PointerGetDatum(construct_empty_array(TEXTOID))
                                        : makeArrayResult(adoption->added, CurrentMemoryContext);
    PaosExecuteAsOwner("INSERT INTO paos.class VALUES ($1, $2, $3, $4)", 4, types, values);
    return number;
}

static void RefuseNumber(int number)
{
    const PaosClass *class;

    if (number < 1 || number > PAOS_CLASS_MAX)
        ereport(ERROR, errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                errmsg("class number %d is out of range", number),
                errdetail("A class number is between 1 and %d.", PAOS_CLASS_MAX));
    class = PaosClassByNumber(number, true);
    if (class != NULL)
        ereport(
            ERROR, errcode(ERRCODE_DUPLICATE_OBJECT),
            errmsg("class number %d is the number of \"%s\"", number, get_rel_name(class->relid)));
}

/* Somebody may have dropped a trigger, or it is as an older version made it. */
static void Repair(Oid relid)
{
    SPI_connect();
    PaosTriggersAdd(relid);
    SPI_finish();
}

/* Locks the table against changes of its definition and checks that the caller owns it. */
static void OpenOwnTable(Oid relid)
{
    Relation relation;

    if (get_rel_name(relid) == NULL)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("relation with OID %u does not exist", relid));
    if (!pg_class_ownercheck(relid, GetUserId()))
        aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)),
                       get_rel_name(relid));
    relation = relation_open(relid, ShareRowExclusiveLock);
    RefuseKind(relation);
    relation_close(relation, NoLock);
}

static int AdoptTable(Oid relid, int number)
{
    Adoption adoption = {.relid = relid, .table = PaosTableName(relid)};

    PaosAdopt(&adoption);
    PaosTriggersAdd(relid);
    return InsertClass(&adoption, number);
}

Datum paos_register_class(PG_FUNCTION_ARGS)
{
    int wanted = 0;
    int number;
    Oid relid;

    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("class must not be null"));
    PreventCommandDuringRecovery("paos.register_class()");
    relid = PG_GETARG_OID(0);
    OpenOwnTable(relid);
    number = PaosClassNumber(relid);
    if (!PG_ARGISNULL(1))
        wanted = PG_GETARG_INT32(1);
    if (number != 0 && (PG_ARGISNULL(1) || wanted == number))
    {
        Repair(relid);
        PG_RETURN_INT32(number);
    }
    if (number != 0)
        ereport(ERROR, errcode(ERRCODE_DUPLICATE_OBJECT),
                errmsg("\"%s\" is class %d already", get_rel_name(relid), number));
    if (!PG_ARGISNULL(1))
        RefuseNumber(wanted);

    SPI_connect();
    number = AdoptTable(relid, wanted);
    SPI_finish();
    PG_RETURN_INT32(number);
}

static void RemoveAdded(Oid relid, const char *what, const char *key, Oid sequence)
{
    char *table = PaosTableName(relid);

    if (strcmp(what, ADDED_COLUMN) == 0)
        PaosExecute("ALTER TABLE %s DROP COLUMN %s", table, quote_identifier(key));
    else if (strcmp(what, ADDED_PRIMARY_KEY) == 0)
    {
        PaosExecute("SELECT oid FROM pg_constraint WHERE conrelid = %u AND contype = 'p'", relid);
        if (SPI_processed > 0)
            PaosExecute("ALTER TABLE %s DROP CONSTRAINT %s", table,
                        quote_identifier(get_constraint_name(PaosResultOid())));
    }
    else if (strcmp(what, ADDED_DEFAULT) == 0)
        PaosExecute("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, quote_identifier(key));
    else if (strcmp(what, ADDED_SEQUENCE) == 0 && get_rel_relkind(sequence) == RELKIND_SEQUENCE)
        PaosExecute("DROP SEQUENCE %s", PaosTableName(sequence));
}

/* Takes away from the table what the row of paos.class says was added; the row is then gone. */
static void ReleaseTable(Oid relid)
{
    Oid types[] = {OIDOID};
    Datum values[] = {ObjectIdGetDatum(relid)};
    const PaosClass *class = PaosClassByRelation(relid, true);
    char *key = class == NULL ? NULL : pstrdup(NameStr(class->keyname));
    SPITupleTable *added;
    uint64 n;
    uint64 i;

    PaosExecuteAsOwner("SELECT sequence::oid, unnest(added) FROM paos.class WHERE relation = $1", 1,
                       types, values);
    added = SPI_tuptable;
    n = SPI_processed;
    PaosReshapeClass(PaosClassNumber(relid));
    PaosExecuteAsOwner("DELETE FROM paos.class WHERE relation = $1", 1, types, values);
    PaosTriggersRemove(relid);
    for (i = 0; i < n && key != NULL; i++)
    {
        bool isnull;
        Oid sequence = DatumGetObjectId(SPI_getbinval(added->vals[i], added->tupdesc, 1, &isnull));

        RemoveAdded(relid, SPI_getvalue(added->vals[i], added->tupdesc, 2), key, sequence);
    }
}

Datum paos_unregister_class(PG_FUNCTION_ARGS)
{
    Oid relid = PG_GETARG_OID(0);
    ListCell *cell;

    PreventCommandDuringRecovery("paos.unregister_class()");
    OpenOwnTable(relid);
    if (PaosClassNumber(relid) == 0)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
                errmsg("\"%s\" is not a class", get_rel_name(relid)));
    foreach (cell, find_all_inheritors(relid, AccessShareLock, NULL))
    {
        Oid child = lfirst_oid(cell);

        if (child != relid && PaosClassNumber(child) != 0)
            ereport(ERROR, errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
                    errmsg("cannot unregister \"%s\" before its subclass \"%s\"",
                           get_rel_name(relid), get_rel_name(child)));
    }
    SPI_connect();
    ReleaseTable(relid);
    SPI_finish();
    PG_RETURN_VOID();
}
