/*
 * object.c - reading single objects, and handing out refs for new ones.
 *
 * Objects are read through SPI with plans kept per (table, what is read), as the
 * caller: privileges, row-level security and the snapshot are those of the
 * statement that asked.  A plan is made of table and column names, so a plan
 * older than the last change of the class cache must not be used again.
 */
#include "paos.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(paos_fetch);
PG_FUNCTION_INFO_V1(paos_follow);
PG_FUNCTION_INFO_V1(paos_register_objects);

/* What a plan reads: a column, its table (TableOidAttributeNumber), or this. */
#define WHOLE_OBJECT InvalidAttrNumber

typedef struct PlanKey
{
    Oid relid;
    int column;
} PlanKey;

typedef struct PlanEntry
{
    PlanKey key;
    SPIPlanPtr plan;
    uint64 generation;
    int users; /* a plan in use may be neither freed nor replaced */
} PlanEntry;

typedef struct ObjectValue
{
    bool found;
    bool isnull;
    Datum value;
} ObjectValue;

static HTAB *plans = NULL;

static PlanEntry *FindPlan(Oid relid, int column)
{
    PlanKey key = {relid, column};
    PlanEntry *entry;
    bool found;

    if (plans == NULL)
    {
        HASHCTL ctl = {.keysize = sizeof(PlanKey), .entrysize = sizeof(PlanEntry)};

        plans = hash_create("paos object plans", 64, &ctl, HASH_ELEM | HASH_BLOBS);
    }
    entry = hash_search(plans, &key, HASH_ENTER, &found);
    if (!found)
    {
        entry->plan = NULL;
        entry->users = 0;
    }
    return entry;
}

static const char *SelectedExpression(Oid relid, int column)
{
    if (column == WHOLE_OBJECT)
        return "pg_catalog.to_jsonb(t)";
    if (column == TableOidAttributeNumber)
        return "t.tableoid";
    return psprintf("t.%s", quote_identifier(get_attname(relid, column, false)));
}

static SPIPlanPtr PreparePlan(const PaosClass *class, int column)
{
    Oid keytype = INT8OID;
    SPIPlanPtr plan;
    char *sql = psprintf("SELECT %s FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) $1",
                         SelectedExpression(class->relid, column), PaosTableName(class->relid),
                         quote_identifier(NameStr(class->keyname)));

    plan = SPI_prepare(sql, 1, &keytype);
    if (plan == NULL)
        elog(ERROR, "SPI_prepare failed: %s: %s", SPI_result_code_string(SPI_result), sql);
    return plan;
}

/*
 * A kept plan of the present generation, or one for this once when somebody but the caller
 * uses the kept one.
 */
static SPIPlanPtr PlanFor(PlanEntry *entry, const PaosClass *class)
{
    uint64 generation = PaosClassGeneration();
    SPIPlanPtr plan;

    if (entry->plan != NULL && entry->generation == generation)
        return entry->plan;
    plan = PreparePlan(class, entry->key.column);
    if (entry->users > 1)
        return plan;
    if (entry->plan != NULL)
        SPI_freeplan(entry->plan);
    entry->plan = NULL;
    SPI_keepplan(plan);
    entry->plan = plan;
    entry->generation = generation;
    return plan;
}

static void TakeValue(ObjectValue *out, MemoryContext context)
{
    TupleDesc desc = SPI_tuptable->tupdesc;
    Form_pg_attribute attribute = TupleDescAttr(desc, 0);
    MemoryContext previous;

    out->found = SPI_processed > 0;
    if (!out->found)
        return;
    out->value = SPI_getbinval(SPI_tuptable->vals[0], desc, 1, &out->isnull);
    if (out->isnull)
        return;
    previous = MemoryContextSwitchTo(context);
    out->value = datumCopy(out->value, attribute->attbyval, attribute->attlen);
    MemoryContextSwitchTo(previous);
}

/* Reads one column of one object into the caller's memory context. */
static void ReadObject(const PaosClass *borrowed, int64 key, int column, ObjectValue *out)
{
    MemoryContext context = CurrentMemoryContext;
    PaosClass class = *borrowed;
    PlanEntry *entry = FindPlan(class.relid, column);
    Datum value = Int64GetDatum(key);
    int result = 0;

    *out = (ObjectValue){.isnull = true};
    SPI_connect();
    entry->users++;
    PG_TRY();
    {
        result = SPI_execute_plan(PlanFor(entry, &class), &value, NULL, true, 1);
    }
    PG_FINALLY();
    {
        entry->users--;
    }
    PG_END_TRY();
    if (result != SPI_OK_SELECT)
        elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
    TakeValue(out, context);
    SPI_finish();
}

/* How messages name an object: table and key, which input understands as well. */
char *PaosObjectName(PaosRef ref)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(ref), true);
    char *name = palloc(PAOS_REF_TEXT_SIZE);

    if (class != NULL)
        return psprintf("%s:%lld", get_rel_name(class->relid), (long long) PaosRefKey(ref));
    PaosRefPrint(ref, name);
    return name;
}

Oid PaosObjectTable(PaosRef ref)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(ref), true);
    ObjectValue table;

    if (class == NULL)
        return InvalidOid;
    ReadObject(class, PaosRefKey(ref), TableOidAttributeNumber, &table);
    return table.found ? DatumGetObjectId(table.value) : InvalidOid;
}

/* The class to read the object from: its own number's, or the subclass it is really of. */
static const PaosClass *ClassToRead(PaosRef ref)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(ref), true);
    Oid table;

    if (class == NULL || !class->has_subclasses)
        return class;
    table = PaosObjectTable(ref);
    return OidIsValid(table) ? PaosClassByRelation(table, true) : NULL;
}

static void DescribeAttribute(const PaosClass *class, AttrNumber column, PaosAttribute *out)
{
    Relation relation = table_open(class->relid, AccessShareLock);
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), column - 1);

    out->type = attribute->atttypid;
    out->typmod = attribute->atttypmod;
    out->collation = attribute->attcollation;
    out->target = PaosColumnTarget(relation, column);
    table_close(relation, AccessShareLock);
}

void PaosObjectAttribute(PaosRef ref, const char *attribute, PaosAttribute *out)
{
    const PaosClass *class = ClassToRead(ref);
    ObjectValue read;
    AttrNumber column;
    Oid relid;

    *out = (PaosAttribute){.isnull = true};
    if (class == NULL)
        return;
    relid = class->relid;
    column = get_attnum(relid, attribute);
    if (column <= 0)
        return;
    out->exists = true;
    DescribeAttribute(PaosClassByRelation(relid, false), column, out);
    ReadObject(PaosClassByRelation(relid, false), PaosRefKey(ref), column, &read);
    out->found = read.found;
    out->isnull = read.isnull;
    out->value = read.value;
}

/* paos.fetch(ref) */
Datum paos_fetch(PG_FUNCTION_ARGS)
{
    PaosRef ref = PG_GETARG_PAOS_REF(0);
    const PaosClass *class = ClassToRead(ref);
    ObjectValue object;

    if (class == NULL)
        PG_RETURN_NULL();
    ReadObject(class, PaosRefKey(ref), WHOLE_OBJECT, &object);
    if (object.isnull)
        PG_RETURN_NULL();
    PG_RETURN_DATUM(object.value);
}

static void RefuseAttribute(PaosRef ref, const char *attribute)
{
    const PaosClass *class = PaosClassByNumber(PaosRefClass(ref), false);

    ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
            errmsg("class \"%s\" has no attribute \"%s\"", get_rel_name(class->relid), attribute));
}

/* paos.follow(ref, attribute), operator ->> */
Datum paos_follow(PG_FUNCTION_ARGS)
{
    PaosRef ref = PG_GETARG_PAOS_REF(0);
    char *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
    PaosAttribute attribute;
    Oid output;
    bool varlena;

    PaosObjectAttribute(ref, name, &attribute);
    if (!attribute.exists && ClassToRead(ref) != NULL)
        RefuseAttribute(ref, name);
    if (attribute.isnull)
        PG_RETURN_NULL();
    getTypeOutputInfo(attribute.type, &output, &varlena);
    PG_RETURN_TEXT_P(cstring_to_text(OidOutputFunctionCall(output, attribute.value)));
}

static Oid KeySequence(Oid relid)
{
    Oid types[] = {OIDOID};
    Datum values[] = {ObjectIdGetDatum(relid)};
    bool isnull;
    Oid sequence;

    SPI_connect();
    if (SPI_execute_with_args("SELECT c.sequence::pg_catalog.oid FROM paos.class c"
                              " WHERE c.relation OPERATOR(pg_catalog.=) $1",
                              1, types, values, NULL, true, 1) != SPI_OK_SELECT ||
        SPI_processed != 1)
        elog(ERROR, "class %u is missing in paos.class", relid);
    sequence =
        DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
    SPI_finish();
    if (get_rel_relkind(sequence) != RELKIND_SEQUENCE)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("the sequence that class \"%s\" draws its keys from does not exist any more",
                       get_rel_name(relid)),
                errhint("Unregister the class and register it again."));
    return sequence;
}

/*
 * Whoever may insert into the table may draw keys for it, as with an identity column.  But
 * a default may name a sequence that is nothing of its owner's.
 */
static void CheckSequence(Oid sequence, Oid relid)
{
    AclResult allowed = pg_class_aclcheck(sequence, PaosTableOwner(relid), ACL_USAGE | ACL_UPDATE);

    if (allowed != ACLCHECK_OK &&
        pg_class_aclcheck(sequence, GetUserId(), ACL_USAGE | ACL_UPDATE) != ACLCHECK_OK)
        aclcheck_error(allowed, OBJECT_SEQUENCE, get_rel_name(sequence));
}

typedef struct Registration
{
    int number;
    Oid sequence;
} Registration;

static Registration *BeginRegistration(Oid relid, int n)
{
    Registration *registration = palloc(sizeof(Registration));
    const PaosClass *class = PaosClassByRelation(relid, false);
    Oid class_relid = class->relid;
    AclResult allowed = pg_class_aclcheck(class_relid, GetUserId(), ACL_INSERT);

    if (n < 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("number of objects must not be negative"));
    registration->number = class->number;
    if (allowed != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(class_relid, GetUserId(), ACL_INSERT, ACLMASK_ANY) != ACLCHECK_OK)
        aclcheck_error(allowed, OBJECT_TABLE, get_rel_name(class_relid));
    registration->sequence = KeySequence(class_relid);
    CheckSequence(registration->sequence, class_relid);
    return registration;
}

/* paos.register_objects(class, n) */
Datum paos_register_objects(PG_FUNCTION_ARGS)
{
    FuncCallContext *call;
    Registration *registration;
    int64 key;

    if (SRF_IS_FIRSTCALL())
    {
        MemoryContext previous;

        call = SRF_FIRSTCALL_INIT();
        previous = MemoryContextSwitchTo(call->multi_call_memory_ctx);
        call->user_fctx = BeginRegistration(PG_GETARG_OID(0), PG_GETARG_INT32(1));
        call->max_calls = PG_GETARG_INT32(1);
        MemoryContextSwitchTo(previous);
    }
    call = SRF_PERCALL_SETUP();
    if (call->call_cntr >= call->max_calls)
        SRF_RETURN_DONE(call);
    registration = call->user_fctx;
    key = nextval_internal(registration->sequence, false);
    SRF_RETURN_NEXT(call, PaosRefGetDatum(PaosRefMake(registration->number, key)));
}
