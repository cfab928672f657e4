/*
 * reach_class.c - how objects of a class are read by key: statements and columns.
 *
 * Kept from call to call.  A statement is made of the names of a table and its
 * columns, so that one older than the last change of the class cache must not be
 * used again; the table is locked before that is asked, and stays as it is.
 */
#include "reach.h"

#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static HTAB *kept = NULL;

/* Types whose send format readers know; all others are read as text. */
static bool IsKnown(Oid type, bool element)
{
    switch (type)
    {
        case BOOLOID:
        case BYTEAOID:
        case NAMEOID:
        case INT8OID:
        case INT2OID:
        case INT4OID:
        case TEXTOID:
        case JSONOID:
        case FLOAT4OID:
        case FLOAT8OID:
        case BPCHAROID:
        case VARCHAROID:
        case DATEOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
        case UUIDOID:
            return true;
        case NUMERICOID:
        case JSONBOID:
            return !element;
        default:
            return type == PaosRefTypeOid() || get_typtype(type) == TYPTYPE_ENUM;
    }
}

/* The element's type of what is an array by its category too; InvalidOid: it is none. */
static Oid ElementType(Oid type)
{
    char category;
    bool preferred;

    get_type_category_preferred(type, &category, &preferred);
    return category == TYPCATEGORY_ARRAY && get_typlen(type) == -1 ? get_element_type(type)
                                                                   : InvalidOid;
}

static const char *CastOf(Oid type)
{
    Oid base = getBaseType(type);
    Oid element = ElementType(base);

    if (OidIsValid(element))
        return IsKnown(element, true) ? "" : "::pg_catalog.text[]";
    return IsKnown(base, false) ? "" : "::pg_catalog.text";
}

/* ---- what it refers to ---- */

/* A foreign key is not inherited by PostgreSQL, but what a column means is. */
static int TargetOf(Oid relid, const char *name)
{
    Relation relation = RelationIdGetRelation(relid);
    AttrNumber column = get_attnum(relid, name);
    int target = 0;
    ListCell *cell;

    if (!RelationIsValid(relation))
        return 0;
    if (column > 0)
        target = PaosColumnTarget(relation, column);
    RelationClose(relation);
    if (target != 0 || column <= 0)
        return target;
    foreach (cell, PaosParents(relid))
    {
        target = TargetOf(lfirst_oid(cell), name);
        if (target != 0)
            break;
    }
    return target;
}

static void DescribeColumn(ReachColumn *column, Oid relid, const FormData_pg_attribute *attribute)
{
    Oid base = getBaseType(attribute->atttypid);

    column->name = attribute->attname;
    column->ref = base == PaosRefTypeOid();
    column->refs = ElementType(base) == PaosRefTypeOid();
    if (base == INT2OID || base == INT4OID || base == INT8OID)
        column->target = TargetOf(relid, NameStr(attribute->attname));
}

/* ---- statements ---- */

static SPIPlanPtr Prepare(const char *sql, int n, Oid type, int options)
{
    SPIPlanPtr plan = SPI_prepare_cursor(sql, n, &type, options);

    if (plan == NULL)
        elog(ERROR, "SPI_prepare_cursor failed: %s: %s", SPI_result_code_string(SPI_result), sql);
    SPI_keepplan(plan);
    return plan;
}

/*
 * A join, whose plan is made once: with ANY and a parameter, a plan that scans a table
 * that was small would compare each row with each key.
 */
static void PrepareStatement(ReachClass *class, const char *key)
{
    Oid keys = class->keytype == INT4OID ? INT4ARRAYOID : INT8ARRAYOID;

    class->plan = Prepare(psprintf("SELECT %s FROM pg_catalog.unnest($1) k$(k$)"
                                   " JOIN %s o$ ON o$.%s OPERATOR(pg_catalog.=) k$.k$",
                                   class->select, PaosTableName(class->relid), key),
                          1, keys, CURSOR_OPT_GENERIC_PLAN);
}

/* A query becomes conditions only where the planner knows it. */
SPIPlanPtr PaosReachClassQuery(ReachClass *class, bool condition)
{
    SPIPlanPtr *plan = condition ? &class->found : &class->all;
    char *sql;

    if (*plan != NULL)
        return *plan;
    sql = psprintf("SELECT %s FROM %s o$%s", class->select, PaosTableName(class->relid),
                   condition ? " WHERE o$ OPERATOR(paos.@@) $1" : "");
    *plan = Prepare(sql, condition, PaosQueryTypeOid(),
                    CURSOR_OPT_PARALLEL_OK | (condition ? CURSOR_OPT_CUSTOM_PLAN : 0));
    return *plan;
}

static void Describe(ReachClass *class, const char *keyname)
{
    Relation relation = RelationIdGetRelation(class->relid);
    StringInfoData columns;
    TupleDesc desc;
    int i;

    if (!RelationIsValid(relation))
        elog(ERROR, "class %u is no relation", class->relid);
    desc = RelationGetDescr(relation);
    initStringInfo(&columns);
    appendStringInfoString(&columns, "o$.tableoid, o$.xmin");
    class->columns = MemoryContextAllocZero(class->context, desc->natts * sizeof(ReachColumn));
    class->size = 0;
    class->cast = false;
    for (i = 0; i < desc->natts; i++)
    {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);

        if (attribute->attisdropped)
            continue;
        if (strcmp(NameStr(attribute->attname), keyname) == 0)
            class->key = class->size;
        class->columns[class->size].number = attribute->attnum;
        DescribeColumn(&class->columns[class->size++], class->relid, attribute);
        class->cast |= *CastOf(attribute->atttypid) != '\0';
        appendStringInfo(&columns, ", o$.%s%s", quote_identifier(NameStr(attribute->attname)),
                         CastOf(attribute->atttypid));
    }
    RelationClose(relation);
    class->shape = PaosShape(class->relid);
    class->select = MemoryContextStrdup(class->context, columns.data);
    PrepareStatement(class, quote_identifier(keyname));
}

/* ---- keeping them ---- */

static void Drop(SPIPlanPtr *plan)
{
    if (*plan != NULL)
        SPI_freeplan(*plan);
    *plan = NULL;
}

static void Forget(ReachClass *class)
{
    Drop(&class->plan);
    Drop(&class->found);
    Drop(&class->all);
    class->generation = 0;
    class->size = 0;
    MemoryContextReset(class->context);
}

static ReachClass *Find(Oid relid)
{
    ReachClass *class;
    bool found;

    if (kept == NULL)
    {
        HASHCTL ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(ReachClass)};

        kept = hash_create("paos reach classes", 64, &ctl, HASH_ELEM | HASH_BLOBS);
    }
    class = hash_search(kept, &relid, HASH_ENTER, &found);
    if (found)
        return class;
    memset(class, 0, sizeof(*class));
    class->relid = relid;
    class->context =
        AllocSetContextCreate(TopMemoryContext, "paos reach class", ALLOCSET_SMALL_SIZES);
    return class;
}

ReachClass *PaosReachClassOpen(int number)
{
    const PaosClass *found = PaosClassByNumber(number, true);
    ReachClass *class;
    PaosClass copy;

    if (found == NULL)
        return NULL;
    LockRelationOid(found->relid, AccessShareLock);
    found = PaosClassByNumber(number, true);
    if (found == NULL)
        return NULL;
    copy = *found;
    class = Find(copy.relid);
    if (class->plan == NULL || (class->generation != PaosClassGeneration() && class->users == 0))
    {
        uint64 generation = PaosClassGeneration();

        Forget(class);
        class->number = number;
        class->keytype = copy.keytype == INT8OID ? INT8OID : INT4OID;
        Describe(class, NameStr(copy.keyname));
        /* Zero is never reached again, so that what was made meanwhile is made anew. */
        class->generation = generation;
    }
    class->users++;
    return class;
}

void PaosReachClassClose(ReachClass *class)
{
    class->users--;
}

int PaosReachRoot(int number)
{
    Oid relid = PaosClassTable(number);
    int parent;

    if (!OidIsValid(relid))
        return 0;
    while ((parent = PaosClassParent(relid)) != 0)
    {
        number = parent;
        relid = PaosClassTable(number);
    }
    return number;
}
