/*
 * ddl.c - event triggers: what changes of tables mean for classes and requests.
 *
 * They run as whoever changes a table, on every such command in the database, so
 * one that concerns no class must cost and fail nobody anything.  What a change
 * means for a request's query is left to reshape.c; here the answer itself is
 * meant: rows that come or go, or get another version, with their table.
 */
#include "adopt.h"
#include "reshape.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "durable.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_table_altered);
PG_FUNCTION_INFO_V1(paos_table_rewritten);
PG_FUNCTION_INFO_V1(paos_forget_dropped);

/* Tables that had triggers of ours disabled before the command that is under way. */
static List *disabled = NIL;

/* Is the table of a class, itself or by what is above it? */
static bool IsOfClass(Oid relid)
{
    List *queue = list_make1_oid(relid);
    int i;

    for (i = 0; i < list_length(queue); i++)
    {
        if (PaosClassNumber(list_nth_oid(queue, i)) != 0)
            return true;
        queue = list_concat_unique_oid(queue, PaosParents(list_nth_oid(queue, i)));
    }
    return false;
}

/* ---- triggers ---- */

/* When a trigger fires, as pg_trigger has it; 0: there is no such trigger. */
static char TriggerState(Oid relid, const char *name)
{
    Relation triggers = table_open(TriggerRelationId, AccessShareLock);
    ScanKeyData keys[2];
    SysScanDesc scan;
    HeapTuple tuple;
    char state = 0;

    ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(relid));
    ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ,
                CStringGetDatum(name));
    scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 2, keys);
    tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple))
        state = ((Form_pg_trigger) GETSTRUCT(tuple))->tgenabled;
    systable_endscan(scan);
    table_close(triggers, AccessShareLock);
    return state;
}

static void AddTrigger(Oid relid, const char *name, const char *definition)
{
    char *table = PaosTableName(relid);
    char state = TriggerState(relid, name);

    if (state == TRIGGER_FIRES_ALWAYS)
        return;
    if (state == 0)
        PaosExecute(definition, table);
    /* What replication applies to the table concerns requests too. */
    PaosExecute("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", table, name);
}

static bool CanHaveTriggers(Oid relid)
{
    char kind = get_rel_relkind(relid);

    return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE;
}

/* Needs SPI.  Row triggers of a partitioned table are its partitions' too, others are nobody's. */
void PaosTriggersAdd(Oid relid)
{
    ListCell *cell;

    foreach (cell, find_all_inheritors(relid, ShareRowExclusiveLock, NULL))
    {
        Oid table = lfirst_oid(cell);

        if (!CanHaveTriggers(table))
            continue;
        AddTrigger(table, "paos_row",
                   "CREATE TRIGGER paos_row AFTER INSERT OR UPDATE OR DELETE ON %s"
                   " FOR EACH ROW EXECUTE FUNCTION paos.row_written()");
        AddTrigger(table, "paos_truncate",
                   "CREATE TRIGGER paos_truncate BEFORE TRUNCATE ON %s"
                   " FOR EACH STATEMENT EXECUTE FUNCTION paos.table_truncated()");
    }
}

static void RemoveTrigger(Oid relid, const char *name)
{
    if (TriggerState(relid, name) != 0)
        PaosExecute("DROP TRIGGER %s ON %s", name, PaosTableName(relid));
}

/* Needs SPI. */
void PaosTriggersRemove(Oid relid)
{
    ListCell *cell;

    foreach (cell, find_all_inheritors(relid, ShareRowExclusiveLock, NULL))
    {
        Oid table = lfirst_oid(cell);

        if (IsOfClass(table) || !CanHaveTriggers(table))
            continue;
        RemoveTrigger(table, "paos_row");
        RemoveTrigger(table, "paos_truncate");
    }
}

/* ---- ALTER TABLE ---- */

/* All requests whose answer has rows of the table. */
static void LookAgain(Oid relid)
{
    Relation relation;

    if (PaosSharedFiled(false) == NULL || !IsOfClass(relid))
        return;
    relation = relation_open(relid, AccessShareLock);
    PaosCaptureAll(relation);
    relation_close(relation, NoLock);
}

/* A table has come under another, or has left it. */
static void ChangeParent(Oid child, Oid parent)
{
    if (!OidIsValid(child) || !OidIsValid(parent) || !IsOfClass(parent))
        return;
    LookAgain(parent);
    SPI_connect();
    if (IsOfClass(child))
        PaosTriggersAdd(child);
    else
        PaosTriggersRemove(child);
    SPI_finish();
}

static bool IsOurTrigger(const char *name)
{
    return name == NULL || strcmp(name, "paos_row") == 0 || strcmp(name, "paos_truncate") == 0;
}

/* Without its triggers a class changes unnoticed; NULL: all of them. */
static void DisableTriggers(Oid relid, const char *name)
{
    if (!IsOurTrigger(name) || !IsOfClass(relid))
        return;
    ereport(WARNING,
            errmsg("requests are not told of changes of \"%s\" while its triggers are disabled",
                   get_rel_name(relid)),
            errdetail("They are told to look again when the triggers are enabled."));
}

/* ENABLE TRIGGER ALL would leave them deaf to replication. */
static void EnableTriggers(Oid relid, const char *name, bool always)
{
    if (!IsOurTrigger(name) || !IsOfClass(relid))
        return;
    if (list_member_oid(disabled, relid))
    {
        disabled = list_delete_oid(disabled, relid);
        LookAgain(relid);
    }
    if (always)
        return;
    SPI_connect();
    PaosExecute("ALTER TABLE %s ENABLE ALWAYS TRIGGER paos_row,"
                " ENABLE ALWAYS TRIGGER paos_truncate",
                PaosTableName(relid));
    SPI_finish();
}

static Oid TableOf(const RangeVar *name)
{
    return name == NULL ? InvalidOid : RangeVarGetRelid(name, NoLock, true);
}

/* Before the command: what it may enable again. */
static void NoteDisabled(Oid relid, const AlterTableCmd *command)
{
    MemoryContext previous;

    if (command->subtype < AT_EnableTrig || command->subtype > AT_DisableTrigUser ||
        !IsOurTrigger(command->name) ||
        (TriggerState(relid, "paos_row") != TRIGGER_DISABLED &&
         TriggerState(relid, "paos_truncate") != TRIGGER_DISABLED))
        return;
    previous = MemoryContextSwitchTo(TopMemoryContext);
    disabled = list_append_unique_oid(disabled, relid);
    MemoryContextSwitchTo(previous);
}

static void AlterTable(Oid relid, const AlterTableCmd *command)
{
    switch (command->subtype)
    {
        case AT_AlterColumnType:
        case AT_DropConstraint:
            PaosReshapeTable(relid);
            break;
        case AT_AddColumn:
        case AT_AddConstraint:
        case AT_AddIndexConstraint:
            PaosReshapeGrown(relid);
            break;
        case AT_AttachPartition:
        case AT_DetachPartition:
        case AT_DetachPartitionFinalize:
            ChangeParent(TableOf(((const PartitionCmd *) command->def)->name), relid);
            break;
        case AT_AddInherit:
        case AT_DropInherit:
            ChangeParent(relid, TableOf((const RangeVar *) command->def));
            break;
        case AT_EnableRowSecurity:
        case AT_DisableRowSecurity:
        case AT_ForceRowSecurity:
        case AT_NoForceRowSecurity:
            LookAgain(relid);
            break;
        case AT_DisableTrig:
        case AT_DisableTrigAll:
        case AT_DisableTrigUser:
            DisableTriggers(relid, command->name);
            break;
        case AT_EnableTrig:
        case AT_EnableReplicaTrig:
        case AT_EnableTrigAll:
        case AT_EnableTrigUser:
            EnableTriggers(relid, command->name, false);
            break;
        case AT_EnableAlwaysTrig:
            EnableTriggers(relid, command->name, true);
            break;
        default:
            break;
    }
}

/* A new table below a class has no rows yet, but will. */
static void CreateTable(const CreateStmt *statement)
{
    Oid relid = statement->inhRelations == NIL ? InvalidOid : TableOf(statement->relation);

    if (!OidIsValid(relid) || !IsOfClass(relid))
        return;
    SPI_connect();
    PaosTriggersAdd(relid);
    SPI_finish();
}

/* The commands in it have no event of their own; by now they name the schema. */
static void CreateSchema(const CreateSchemaStmt *statement)
{
    ListCell *cell;

    foreach (cell, statement->schemaElts)
    {
        if (IsA(lfirst(cell), CreateStmt))
            CreateTable(lfirst(cell));
    }
}

/* A policy is part of each answer of whom it is for. */
static void ChangePolicy(const RangeVar *table)
{
    Oid relid = TableOf(table);

    if (OidIsValid(relid))
        LookAgain(relid);
}

static void DropPolicies(const DropStmt *statement)
{
    ListCell *cell;

    foreach (cell, statement->objects)
    {
        List *name = list_copy(lfirst(cell)); /* of the table, then of the policy */

        ChangePolicy(makeRangeVarFromNameList(list_delete_last(name)));
    }
}

static void ForEachCommand(const AlterTableStmt *statement,
                           void (*function)(Oid, const AlterTableCmd *))
{
    Oid relid = TableOf(statement->relation);
    ListCell *cell;

    foreach (cell, statement->cmds)
    {
        if (OidIsValid(relid))
            function(relid, lfirst(cell));
    }
}

static void RenameColumn(const RenameStmt *statement)
{
    Oid relid = statement->renameType == OBJECT_COLUMN ? TableOf(statement->relation) : InvalidOid;

    if (OidIsValid(relid))
        PaosReshapeTable(relid);
}

static void Altered(const Node *statement)
{
    switch (nodeTag(statement))
    {
        case T_CreateStmt:
            CreateTable((const CreateStmt *) statement);
            break;
        case T_CreateSchemaStmt:
            CreateSchema((const CreateSchemaStmt *) statement);
            break;
        case T_RenameStmt:
            RenameColumn((const RenameStmt *) statement);
            break;
        case T_AlterTableStmt:
            ForEachCommand((const AlterTableStmt *) statement, AlterTable);
            break;
        case T_CreatePolicyStmt:
            ChangePolicy(((const CreatePolicyStmt *) statement)->table);
            break;
        case T_AlterPolicyStmt:
            ChangePolicy(((const AlterPolicyStmt *) statement)->table);
            break;
        case T_DropStmt:
            DropPolicies((const DropStmt *) statement);
            break;
        default:
            break;
    }
}

static const EventTriggerData *EventOf(FunctionCallInfo fcinfo, const char *function)
{
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("%s must be called as an event trigger", function));
    return (const EventTriggerData *) fcinfo->context;
}

/* Event trigger at the end of what changes tables and their policies, and before ALTER TABLE. */
Datum paos_table_altered(PG_FUNCTION_ARGS)
{
    const EventTriggerData *event = EventOf(fcinfo, "paos.table_altered");

    if (!PaosVersionFits())
        PG_RETURN_NULL();
    if (strcmp(event->event, "ddl_command_end") == 0)
        Altered(event->parsetree);
    else if (IsA(event->parsetree, AlterTableStmt))
        ForEachCommand((const AlterTableStmt *) event->parsetree, NoteDisabled);
    PG_RETURN_NULL();
}

/* Event trigger before ALTER TABLE rewrites a table: the version of every object is another then.
 */
Datum paos_table_rewritten(PG_FUNCTION_ARGS)
{
    EventOf(fcinfo, "paos.table_rewritten");
    if (PaosVersionFits())
        LookAgain(DatumGetObjectId(OidFunctionCall0(F_PG_EVENT_TRIGGER_TABLE_REWRITE_OID)));
    PG_RETURN_NULL();
}

/* ---- DROP ---- */

/* Rows of one OID column: what to do with each. */
static void ForEachOid(void (*function)(Oid))
{
    SPITupleTable *rows = SPI_tuptable;
    uint64 n = SPI_processed;
    uint64 i;
    bool isnull;

    for (i = 0; i < n; i++)
        function(DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)));
}

static void DroppedClass(Oid number)
{
    PaosReshapeClass((int) number);
}

static void DroppedColumn(Oid relid)
{
    if (get_rel_name(relid) != NULL)
        PaosReshapeTable(relid);
}

/* Its rows have gone from the answers of what it was below. */
static void DroppedTable(Oid relid)
{
    ListCell *cell;

    foreach (cell, PaosParentsGone(relid))
        LookAgain(lfirst_oid(cell));
}

/* Event trigger: a dropped table is no class any more.  SECURITY DEFINER, see sql/paos.sql. */
Datum paos_forget_dropped(PG_FUNCTION_ARGS)
{
    EventOf(fcinfo, "paos.forget_dropped");
    SPI_connect();
    PaosExecute(
        "DELETE FROM paos.class c USING pg_event_trigger_dropped_objects() d"
        " WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND c.relation = d.objid"
        " RETURNING c.number::oid");
    if (PaosVersionFits() && PaosSharedFiled(false) != NULL)
    {
        ForEachOid(DroppedClass);
        PaosExecute("SELECT DISTINCT objid FROM pg_event_trigger_dropped_objects()"
                    " WHERE classid = 'pg_class'::regclass AND objsubid <> 0");
        ForEachOid(DroppedColumn);
        PaosExecute("SELECT objid FROM pg_event_trigger_dropped_objects()"
                    " WHERE object_type IN ('table', 'foreign table')");
        ForEachOid(DroppedTable);
    }
    SPI_finish();
    PG_RETURN_NULL();
}
