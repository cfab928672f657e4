/*
 * class.c - what a backend knows of the registered classes.
 *
 * The whole of paos.class is read into a hash table on first use; the details
 * of a class (its key column) are looked up when first asked for.  One relcache
 * invalidation of a relation in the table, or of paos.class itself, empties all
 * of it, so DDL of other sessions and rolled-back DDL need no care of their own.
 * A pointer from here is therefore good only until the next call from here.
 */
#include "paos.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(paos_classes_changed);
PG_FUNCTION_INFO_V1(paos_parent_class);
PG_FUNCTION_INFO_V1(paos_key_column);
PG_FUNCTION_INFO_V1(paos_column_target);

/* Columns of paos.class. */
#define CLASS_NUMBER 1
#define CLASS_RELATION 2
#define CLASS_COLUMNS 4

typedef struct ClassEntry
{
    PaosClass class; /* first: its relid is the hash key */
    bool described;  /* the fields after number are filled in */
} ClassEntry;

static HTAB *classes = NULL;              /* relid -> ClassEntry */
static Oid by_number[PAOS_CLASS_MAX + 1]; /* number -> relid */
static bool classes_valid = false;
static Oid class_table = InvalidOid;
static uint64 generation = 0;

static void ForgetClasses(Datum arg, Oid relid)
{
    if (classes_valid && OidIsValid(relid) && relid != class_table &&
        hash_search(classes, &relid, HASH_FIND, NULL) == NULL)
        return;
    classes_valid = false;
    generation++;
}

uint64 PaosClassGeneration(void)
{
    return generation;
}

static void CreateCache(void)
{
    HASHCTL ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(ClassEntry)};

    classes = hash_create("paos classes", 64, &ctl, HASH_ELEM | HASH_BLOBS);
    CacheRegisterRelcacheCallback(ForgetClasses, (Datum) 0);
}

static void ClearCache(void)
{
    HASH_SEQ_STATUS scan;
    ClassEntry *entry;

    hash_seq_init(&scan, classes);
    while ((entry = hash_seq_search(&scan)) != NULL)
        hash_search(classes, &entry->class.relid, HASH_REMOVE, NULL);
    memset(by_number, 0, sizeof(by_number));
}

static ClassEntry *AddEntry(Oid relid, int number)
{
    ClassEntry *entry = hash_search(classes, &relid, HASH_ENTER, NULL);

    memset(entry, 0, sizeof(*entry));
    entry->class.relid = relid;
    entry->class.number = number;
    return entry;
}

static void ReadClasses(void)
{
    Relation relation = table_open(class_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
    HeapTuple tuple;

    while (HeapTupleIsValid(tuple = systable_getnext(scan)))
    {
        Datum values[CLASS_COLUMNS];
        bool nulls[CLASS_COLUMNS];
        Oid relid;
        int number;

        heap_deform_tuple(tuple, RelationGetDescr(relation), values, nulls);
        number = DatumGetInt16(values[CLASS_NUMBER - 1]);
        relid = DatumGetObjectId(values[CLASS_RELATION - 1]);
        AddEntry(relid, number);
        by_number[number] = relid;
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
}

/*
 * An invalidation that arrives while paos.class is read makes the next call read it
 * again.  Not this one until none arrives, which may be never: what was read is what
 * a call a moment ago would have been told.
 */
static void EnsureClasses(void)
{
    if (classes == NULL)
        CreateCache();
    if (classes_valid)
        return;
    PaosVersionCheck();
    class_table = PaosOwnRelation("class");
    ClearCache();
    classes_valid = true;
    PG_TRY();
    {
        ReadClasses();
    }
    PG_CATCH();
    {
        classes_valid = false;
        PG_RE_THROW();
    }
    PG_END_TRY();
}

/* The class of the nearest ancestor, breadth first; 0 when no ancestor is a class. */
int PaosClassParent(Oid relid)
{
    List *queue = PaosParents(relid);
    int i;

    for (i = 0; i < list_length(queue); i++)
    {
        Oid ancestor = list_nth_oid(queue, i);
        ClassEntry *entry;

        EnsureClasses();
        entry = hash_search(classes, &ancestor, HASH_FIND, NULL);
        if (entry != NULL && by_number[entry->class.number] == ancestor)
            return entry->class.number;
        queue = list_concat_unique_oid(queue, PaosParents(ancestor));
    }
    return 0;
}

static bool IsKeyType(Oid type)
{
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* Fills in what the table itself says.  A class that lost its key has key 0. */
static void DescribeClass(PaosClass *class)
{
    Relation relation = RelationIdGetRelation(class->relid);
    Form_pg_attribute attribute;
    AttrNumber key;
    int columns;

    if (!RelationIsValid(relation))
        return;
    key = PaosPrimaryKey(relation, &columns);
    class->has_subclasses =
        relation->rd_rel->relhassubclass && relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE;
    if (columns == 1 && key > 0)
    {
        attribute = TupleDescAttr(RelationGetDescr(relation), key - 1);
        class->keytype = getBaseType(attribute->atttypid);
        class->keyname = attribute->attname;
        class->key = IsKeyType(class->keytype) ? key : InvalidAttrNumber;
    }
    RelationClose(relation);
}

static ClassEntry *FindEntry(Oid relid)
{
    ClassEntry *entry;
    int number;

    EnsureClasses();
    entry = hash_search(classes, &relid, HASH_FIND, NULL);
    if (entry != NULL)
        return entry;
    number = PaosClassParent(relid);
    EnsureClasses();
    return AddEntry(relid, number);
}

static void pg_attribute_noreturn() RefuseRelation(Oid relid)
{
    char *name = get_rel_name(relid);

    if (name == NULL)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("relation with OID %u does not exist", relid));
    if (PaosClassNumber(relid) != 0)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("class \"%s\" has no single-column integer primary key any more", name),
                errhint("Add the primary key again, or call paos.unregister_class."));
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("\"%s\" is not a class", name),
            errhint("Call paos.register_class on a table to make it one."));
}

/*
 * Describing reads catalogues, which may bring an invalidation: then it is done once
 * more, and what it comes to is good for this call only.
 */
const PaosClass *PaosClassByRelation(Oid relid, bool missing_ok)
{
    bool again = true;

    for (;;)
    {
        ClassEntry *entry = FindEntry(relid);
        PaosClass described;
        uint64 before = generation;

        if (entry->class.number == 0)
            break;
        if (by_number[entry->class.number] != relid)
        {
            relid = by_number[entry->class.number];
            continue;
        }
        if (entry->described && entry->class.key != InvalidAttrNumber)
            return &entry->class;
        described = entry->class;
        DescribeClass(&described);
        if (before != generation && again)
        {
            again = false;
            continue;
        }
        entry->class = described;
        entry->described = before == generation;
        if (described.key == InvalidAttrNumber)
            break;
        return &entry->class;
    }
    if (missing_ok)
        return NULL;
    RefuseRelation(relid);
}

/* Number under which this very relation is registered, ancestors left aside; 0: it is not. */
int PaosClassNumber(Oid relid)
{
    ClassEntry *entry;

    EnsureClasses();
    entry = hash_search(classes, &relid, HASH_FIND, NULL);
    if (entry == NULL || by_number[entry->class.number] != relid)
        return 0;
    return entry->class.number;
}

Oid PaosClassTable(int number)
{
    EnsureClasses();
    return number >= 1 && number <= PAOS_CLASS_MAX ? by_number[number] : InvalidOid;
}

const PaosClass *PaosClassByNumber(int number, bool missing_ok)
{
    EnsureClasses();
    if (number >= 1 && number <= PAOS_CLASS_MAX && OidIsValid(by_number[number]))
        return PaosClassByRelation(by_number[number], missing_ok);
    if (missing_ok)
        return NULL;
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no class %d", number),
            errhint("TABLE paos.classes shows the registered classes."));
}

AttrNumber PaosKeyColumn(const PaosClass *class, Oid relid)
{
    NameData name = class->keyname;

    return class->relid == relid ? class->key : get_attnum(relid, NameStr(name));
}

int PaosColumnTarget(Relation relation, AttrNumber column)
{
    const PaosClass *target;
    Oid relid = InvalidOid;
    AttrNumber key = InvalidAttrNumber;
    ListCell *cell;

    foreach (cell, RelationGetFKeyList(relation))
    {
        ForeignKeyCacheInfo *fk = lfirst(cell);

        if (fk->nkeys != 1 || fk->conkey[0] != column)
            continue;
        relid = fk->confrelid;
        key = fk->confkey[0];
        break;
    }
    if (!OidIsValid(relid))
        return 0;
    target = PaosClassByRelation(relid, true);
    if (target == NULL || (target->relid == relid && target->key != key))
        return 0;
    return target->number;
}

List *PaosClassTables(void)
{
    List *tables = NIL;
    int number;

    EnsureClasses();
    for (number = 1; number <= PAOS_CLASS_MAX; number++)
    {
        if (OidIsValid(by_number[number]))
            tables = lappend_oid(tables, by_number[number]);
    }
    return tables;
}

bool PaosAttributeExists(const char *name)
{
    int number;

    EnsureClasses();
    for (number = 1; number <= PAOS_CLASS_MAX; number++)
    {
        if (OidIsValid(by_number[number]) && get_attnum(by_number[number], name) > 0)
            return true;
    }
    return false;
}

/* Statement trigger on paos.class, so that whatever writes it is noticed: COPY of a restore too. */
Datum paos_classes_changed(PG_FUNCTION_ARGS)
{
    PaosOwnTrigger(fcinfo, "classes_changed", "class");
    CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
    return PointerGetDatum(NULL);
}

Datum paos_parent_class(PG_FUNCTION_ARGS)
{
    int number = PaosClassParent(PG_GETARG_OID(0));

    if (number == 0)
        PG_RETURN_NULL();
    PG_RETURN_INT32(number);
}

Datum paos_key_column(PG_FUNCTION_ARGS)
{
    const PaosClass *class = PaosClassByRelation(PG_GETARG_OID(0), true);
    Name name;

    if (class == NULL)
        PG_RETURN_NULL();
    name = palloc(sizeof(NameData));
    *name = class->keyname;
    PG_RETURN_NAME(name);
}

Datum paos_column_target(PG_FUNCTION_ARGS)
{
    Relation relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
    int target;

    if (relation == NULL)
        PG_RETURN_NULL();
    target = PaosColumnTarget(relation, PG_GETARG_INT16(1));
    relation_close(relation, AccessShareLock);
    if (target == 0)
        PG_RETURN_NULL();
    PG_RETURN_INT32(target);
}
