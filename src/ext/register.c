/*
 * register.c - making a table a class, and a plain table again.
 *
 * The table's DDL runs as the caller, whose ownership PostgreSQL checks; only
 * the row of paos.class is written as the owner of the extension.  What was
 * added to the table is recorded in that row, so that unregistering can take
 * exactly that away.
 */
#include "request.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_register_class);
PG_FUNCTION_INFO_V1(paos_unregister_class);
PG_FUNCTION_INFO_V1(paos_forget_dropped);

#define ADDED_COLUMN "column"
#define ADDED_PRIMARY_KEY "primary key"
#define ADDED_DEFAULT "default"
#define ADDED_SEQUENCE "sequence"

/* What is known of a table on its way to be a class. */
typedef struct Adoption
{
    Oid relid;
    const char *table; /* qualified and quoted */
    Oid parent;        /* nearest class among its ancestors, or InvalidOid */
    const char *key;   /* key column, not quoted */
    Oid keytype;
    Oid sequence;
    ArrayBuildState *added;
} Adoption;

static char *QualifiedName(Oid relid)
{
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
                                      get_rel_name(relid));
}

static void NoteAdded(Adoption *adoption, const char *what)
{
    adoption->added = accumArrayResult(adoption->added, CStringGetTextDatum(what), false, TEXTOID,
                                       CurrentMemoryContext);
}

static void Execute(const char *format, ...) pg_attribute_printf(1, 2);

static void Execute(const char *format, ...)
{
    StringInfoData sql;
    va_list args;
    int needed;
    int result;

    initStringInfo(&sql);
    do
    {
        va_start(args, format);
        needed = appendStringInfoVA(&sql, format, args);
        va_end(args);
        if (needed != 0)
            enlargeStringInfo(&sql, needed);
    } while (needed != 0);

    result = SPI_execute(sql.data, false, 0);
    if (result < 0)
        elog(ERROR, "SPI_execute failed: %s: %s", SPI_result_code_string(result), sql.data);
}

/* First column of the first row of the last statement as an OID; InvalidOid when there is none. */
static Oid ResultOid(void)
{
    bool isnull;
    Datum value;

    if (SPI_processed == 0)
        return InvalidOid;
    value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    return isnull ? InvalidOid : DatumGetObjectId(value);
}

/* Runs a statement on the extension's own tables with the privileges of their owner. */
static void ExecuteAsOwner(const char *sql, int nargs, Oid *types, Datum *values)
{
    Oid user;
    int context;
    int result;

    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(PaosOwner(), context | SECURITY_LOCAL_USERID_CHANGE);
    result = SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0);
    SetUserIdAndSecContext(user, context);
    if (result < 0)
        elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

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

/* A parent must be registered before its children, or their keys could meet in one extent. */
static void RefuseRegisteredChildren(Oid relid)
{
    ListCell *cell;

    foreach (cell, find_all_inheritors(relid, AccessShareLock, NULL))
    {
        Oid child = lfirst_oid(cell);

        if (child != relid && PaosClassNumber(child) != 0)
            ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("cannot register \"%s\" after its child \"%s\"", get_rel_name(relid),
                           get_rel_name(child)),
                    errhint("Unregister the child, register the parent, then the child."));
    }
}

/* The topmost class above a class, itself when there is none above. */
static Oid RootClass(Oid relid)
{
    for (;;)
    {
        ListCell *cell;
        const PaosClass *above = NULL;

        foreach (cell, PaosParents(relid))
        {
            above = PaosClassByRelation(lfirst_oid(cell), true);
            if (above != NULL)
                break;
        }
        if (above == NULL)
            return relid;
        relid = above->relid;
    }
}

static Oid ParentClass(Oid relid)
{
    Oid parent = InvalidOid;
    ListCell *cell;

    foreach (cell, PaosParents(relid))
    {
        const PaosClass *class = PaosClassByRelation(lfirst_oid(cell), true);
        Oid found = class == NULL ? InvalidOid : class->relid;

        if (!OidIsValid(parent))
            parent = found;
        else if (OidIsValid(found) && RootClass(found) != RootClass(parent))
            ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("\"%s\" inherits from two unrelated classes", get_rel_name(relid)),
                    errdetail("Keys are unique among the descendants of one class only."));
    }
    return parent;
}

static void RefuseKey(const char *table, const char *detail)
{
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("%s has no key that paos can use", table), errdetail_internal("%s", detail),
            errhint("A class needs a primary key of one column of type smallint, integer or "
                    "bigint; a table without a primary key is given one."));
}

/* Takes the primary key there is into the adoption; false when there is none. */
static bool FindKey(Adoption *adoption)
{
    Relation relation = table_open(adoption->relid, NoLock);
    int columns;
    AttrNumber key = PaosPrimaryKey(relation, &columns);
    Form_pg_attribute attribute;

    if (columns > 1)
        RefuseKey(adoption->table, "Its primary key has several columns.");
    if (columns == 1)
    {
        attribute = TupleDescAttr(RelationGetDescr(relation), key - 1);
        adoption->key = pstrdup(NameStr(attribute->attname));
        adoption->keytype = getBaseType(attribute->atttypid);
        if (adoption->keytype != INT2OID && adoption->keytype != INT4OID &&
            adoption->keytype != INT8OID)
            RefuseKey(adoption->table, psprintf("Its primary key is of type %s.",
                                                format_type_be(attribute->atttypid)));
    }
    table_close(relation, NoLock);
    return columns == 1;
}

static void EnsureOwnKey(Adoption *adoption)
{
    if (FindKey(adoption))
        return;
    if (get_attnum(adoption->relid, "id") != InvalidAttrNumber)
        RefuseKey(adoption->table, "It has no primary key, and its column \"id\" is in the way of "
                                   "adding one.");
    /* An identity is not inherited: children that are there already get a default instead. */
    Execute("ALTER TABLE %s ADD COLUMN id %s PRIMARY KEY", adoption->table,
            has_subclass(adoption->relid) ? "bigserial"
                                          : "bigint GENERATED BY DEFAULT AS IDENTITY");
    NoteAdded(adoption, ADDED_COLUMN);
    FindKey(adoption);
}

/* A primary key is not inherited: a subclass gets its own, on the column of its parent's. */
static void EnsureInheritedKey(Adoption *adoption)
{
    const PaosClass *parent = PaosClassByRelation(adoption->parent, false);
    const char *key = pstrdup(NameStr(parent->keyname));

    if (!FindKey(adoption))
    {
        Execute("ALTER TABLE %s ADD PRIMARY KEY (%s)", adoption->table, quote_identifier(key));
        NoteAdded(adoption, ADDED_PRIMARY_KEY);
        FindKey(adoption);
    }
    if (strcmp(adoption->key, key) != 0)
        RefuseKey(adoption->table,
                  psprintf("Its primary key is not the column \"%s\" of its parent.", key));
}

/* The sequence a column is numbered by: an identity's, a serial's or its default's. */
static Oid ColumnSequence(Oid relid, const char *column)
{
    Execute(
        "SELECT s.oid FROM pg_attribute a"
        " LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum"
        " JOIN pg_depend d ON"
        "  (d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
        "   AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i'))"
        "  OR (d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid"
        "   AND d.refclassid = 'pg_class'::regclass)"
        " JOIN pg_class s ON s.relkind = 'S'"
        "  AND s.oid = CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid ELSE d.refobjid END"
        " WHERE a.attrelid = %u AND a.attname = %s"
        " ORDER BY d.deptype = 'n' DESC LIMIT 1",
        relid, quote_literal_cstr(column));
    return ResultOid();
}

static void CreateOwnSequence(Adoption *adoption)
{
    Oid schema = get_rel_namespace(adoption->relid);
    char *name =
        ChooseRelationName(get_rel_name(adoption->relid), adoption->key, "seq", schema, false);
    char *sequence = quote_qualified_identifier(get_namespace_name(schema), name);

    Execute("CREATE SEQUENCE %s AS %s OWNED BY %s.%s", sequence, format_type_be(adoption->keytype),
            adoption->table, quote_identifier(adoption->key));
    NoteAdded(adoption, ADDED_SEQUENCE);
    adoption->sequence = get_relname_relid(name, schema);
}

/* Rows may have been given keys by hand: no object may be registered under one of those. */
static void AdvanceSequence(Adoption *adoption)
{
    char *sequence = QualifiedName(adoption->sequence);

    Execute("SELECT setval(%s, k.greatest)"
            " FROM (SELECT max(t.%s)::bigint AS greatest FROM %s t) k, %s s"
            " WHERE k.greatest > s.last_value OR (k.greatest = s.last_value AND NOT s.is_called)",
            quote_literal_cstr(sequence), quote_identifier(adoption->key), adoption->table,
            sequence);
}

static void EnsureOwnSequence(Adoption *adoption)
{
    adoption->sequence = ColumnSequence(adoption->relid, adoption->key);
    if (!OidIsValid(adoption->sequence))
        CreateOwnSequence(adoption);
    AdvanceSequence(adoption);
}

static void RefuseSharedKeys(Adoption *adoption, const char *root)
{
    Execute("SELECT t.%1$s::bigint FROM %2$s t GROUP BY t.%1$s HAVING count(*) > 1 LIMIT 1",
            quote_identifier(adoption->key), root);
    if (SPI_processed > 0)
        ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                errmsg("%s has a key that is used elsewhere below %s", adoption->table, root),
                errdetail("Key %s is not unique among the objects of the class and its "
                          "subclasses.",
                          SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)));
}

/* A subclass draws its keys from the sequence of its root, so that they are unique in the extent.
 */
static void EnsureInheritedSequence(Adoption *adoption)
{
    Oid root = RootClass(adoption->parent);
    Oid own = ColumnSequence(adoption->relid, adoption->key);

    RefuseSharedKeys(adoption, QualifiedName(root));
    Execute("SELECT sequence::oid FROM paos.class WHERE relation = %u", root);
    adoption->sequence = ResultOid();
    if (OidIsValid(own) && own != adoption->sequence)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("%s numbers its keys by \"%s\", not by the sequence of its root class",
                       adoption->table, get_rel_name(own)),
                errhint("Drop the default or identity of column \"%s\" first.", adoption->key));
    if (!OidIsValid(own))
    {
        Execute("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT nextval(%s::regclass)", adoption->table,
                quote_identifier(adoption->key),
                quote_literal_cstr(QualifiedName(adoption->sequence)));
        NoteAdded(adoption, ADDED_DEFAULT);
    }
    AdvanceSequence(adoption);
}

static void CreateTriggers(const char *table)
{
    Execute("CREATE TRIGGER paos_row AFTER INSERT OR UPDATE OR DELETE ON %s"
            " FOR EACH ROW EXECUTE FUNCTION paos.row_written()",
            table);
    Execute("CREATE TRIGGER paos_truncate BEFORE TRUNCATE ON %s"
            " FOR EACH STATEMENT EXECUTE FUNCTION paos.table_truncated()",
            table);
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
    ExecuteAsOwner("INSERT INTO paos.class VALUES ($1, $2, $3, $4)", 4, types, values);
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
    Adoption adoption = {.relid = relid, .table = QualifiedName(relid)};

    RefuseRegisteredChildren(relid);
    adoption.parent = ParentClass(relid);
    if (OidIsValid(adoption.parent))
    {
        EnsureInheritedKey(&adoption);
        EnsureInheritedSequence(&adoption);
    }
    else
    {
        EnsureOwnKey(&adoption);
        EnsureOwnSequence(&adoption);
    }
    CreateTriggers(adoption.table);
    return InsertClass(&adoption, number);
}

Datum paos_register_class(PG_FUNCTION_ARGS)
{
    int wanted = 0;
    int number;
    Oid relid;

    if (PG_ARGISNULL(0))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("class must not be null"));
    relid = PG_GETARG_OID(0);
    OpenOwnTable(relid);
    number = PaosClassNumber(relid);
    if (!PG_ARGISNULL(1))
        wanted = PG_GETARG_INT32(1);
    if (number != 0 && (PG_ARGISNULL(1) || wanted == number))
        PG_RETURN_INT32(number);
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
    char *table = QualifiedName(relid);

    if (strcmp(what, ADDED_COLUMN) == 0)
        Execute("ALTER TABLE %s DROP COLUMN %s", table, quote_identifier(key));
    else if (strcmp(what, ADDED_PRIMARY_KEY) == 0)
    {
        Execute("SELECT oid FROM pg_constraint WHERE conrelid = %u AND contype = 'p'", relid);
        if (SPI_processed > 0)
            Execute("ALTER TABLE %s DROP CONSTRAINT %s", table,
                    quote_identifier(get_constraint_name(ResultOid())));
    }
    else if (strcmp(what, ADDED_DEFAULT) == 0)
        Execute("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, quote_identifier(key));
    else if (strcmp(what, ADDED_SEQUENCE) == 0 && get_rel_relkind(sequence) == RELKIND_SEQUENCE)
        Execute("DROP SEQUENCE %s", QualifiedName(sequence));
}

/* Whoever asked for the class is told to look again, and finds that it is gone. */
static void TellRequests(Oid relid)
{
    PaosShared *shared = PaosSharedGet(false);
    Relation relation;

    if (shared == NULL)
        return;
    relation = relation_open(relid, NoLock);
    PaosCaptureAll(shared, relation);
    relation_close(relation, NoLock);
}

/* Takes away from the table what the row of paos.class says was added; the row is then gone. */
static void ReleaseTable(Oid relid)
{
    Oid types[] = {OIDOID};
    Datum values[] = {ObjectIdGetDatum(relid)};
    const PaosClass *class = PaosClassByRelation(relid, true);
    char *key = class == NULL ? NULL : pstrdup(NameStr(class->keyname));
    char *table = QualifiedName(relid);
    SPITupleTable *added;
    uint64 n;
    uint64 i;

    ExecuteAsOwner("SELECT sequence::oid, unnest(added) FROM paos.class WHERE relation = $1", 1,
                   types, values);
    added = SPI_tuptable;
    n = SPI_processed;
    TellRequests(relid);
    ExecuteAsOwner("DELETE FROM paos.class WHERE relation = $1", 1, types, values);
    Execute("DROP TRIGGER IF EXISTS paos_row ON %s", table);
    Execute("DROP TRIGGER IF EXISTS paos_truncate ON %s", table);
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

/* Event trigger: a dropped table is no class any more.  SECURITY DEFINER, see sql/paos.sql. */
Datum paos_forget_dropped(PG_FUNCTION_ARGS)
{
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("paos.forget_dropped must be called as an event trigger"));
    SPI_connect();
    Execute("DELETE FROM paos.class c USING pg_event_trigger_dropped_objects() d"
            " WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND c.relation = d.objid");
    SPI_finish();
    PG_RETURN_NULL();
}
