/*
 * path.c - which objects' changes matter to a request that follows references.
 *
 * Each step behind the first is filed under the classes that it can lead to: of the
 * last one the predicate, so that an object wakes only those who ask for its value,
 * as it was or as it is; of the others, that the attribute changes.  What a request
 * was filed for is told by the classes' shapes.  A class whose shape is another one
 * by now, or that is new, is looked at with the old rule: every request that names
 * an attribute which changed.
 */
#include "query.h"
#include "query_int.h"
#include "request.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* Where a reference leads: a class's number, or one of these. */
#define LEADS_NOWHERE (-1)
#define LEADS_ANYWHERE 0

/* Each step costs entries in the index of paths. */
#define STEPS_MAX 100

/* ---- shapes ---- */

typedef struct Shape
{
    Oid relid; /* hash key */
    uint64 hash;
} Shape;

static HTAB *shapes = NULL;
static uint64 shapes_generation;

static uint64 Mix(uint64 hash, const void *bytes, int n)
{
    return hash_combine64(hash, hash_bytes_extended(bytes, n, 0));
}

/* Names and types of the attributes, and which foreign keys refer to the table. */
static uint64 MixTable(uint64 hash, Oid relid)
{
    Relation relation = PaosRelationPeek(relid);
    TupleDesc desc = RelationGetDescr(relation);
    int i;

    hash = Mix(hash, &relid, sizeof(relid));
    hash = Mix(hash, &relation->rd_rel->relrowsecurity, sizeof(bool));
    for (i = 0; i < desc->natts; i++)
    {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);

        hash = Mix(hash, NameStr(attribute->attname), strlen(NameStr(attribute->attname)));
        hash = Mix(hash, &attribute->atttypid, sizeof(Oid));
        hash = Mix(hash, &attribute->attcollation, sizeof(Oid));
    }
    for (i = 0; relation->trigdesc != NULL && i < relation->trigdesc->numtriggers; i++)
        if (RI_FKey_trigger_type(relation->trigdesc->triggers[i].tgfoid) == RI_TRIGGER_PK)
            hash = Mix(hash, &relation->trigdesc->triggers[i].tgconstraint, sizeof(Oid));
    RelationClose(relation);
    return hash;
}

/* The table itself and all above it. */
static List *WithAncestors(Oid relid)
{
    List *tables = list_make1_oid(relid);
    int i;

    for (i = 0; i < list_length(tables); i++)
        tables = list_concat_unique_oid(tables, PaosParents(list_nth_oid(tables, i)));
    return tables;
}

static uint64 ShapeOf(Oid relid)
{
    HASHCTL ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(Shape)};
    uint64 hash = 1;
    Shape *shape;
    ListCell *cell;

    if (shapes != NULL && shapes_generation != PaosClassGeneration())
    {
        hash_destroy(shapes);
        shapes = NULL;
    }
    if (shapes == NULL)
        shapes = hash_create("paos shapes", 64, &ctl, HASH_ELEM | HASH_BLOBS);
    shapes_generation = PaosClassGeneration();
    shape = hash_search(shapes, &relid, HASH_FIND, NULL);
    if (shape != NULL)
        return shape->hash;
    foreach (cell, WithAncestors(relid))
        hash = MixTable(hash, lfirst_oid(cell));
    if (shapes_generation == PaosClassGeneration())
        ((Shape *) hash_search(shapes, &relid, HASH_ENTER, NULL))->hash = hash;
    return hash;
}

bool PaosPathKnows(PaosShared *shared, int number, Oid relid)
{
    return shared->path_shapes[number] == ShapeOf(relid);
}

/*
 * Before a request is filed: what for.  Others may have been filed for what a class
 * was before; then nothing is said of it as long as there are any.
 */
static void NoteShapes(PaosShared *shared)
{
    List *tables = PaosClassTables();
    uint64 *hashes = palloc(sizeof(uint64) * (list_length(tables) + 1));
    int *numbers = palloc(sizeof(int) * (list_length(tables) + 1));
    bool alone;
    ListCell *cell;
    int i = 0;

    foreach (cell, tables)
    {
        numbers[i] = PaosClassNumber(lfirst_oid(cell));
        hashes[i++] = ShapeOf(lfirst_oid(cell));
    }
    LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
    alone = pg_atomic_read_u32(&shared->paths) == 1;
    while (i-- > 0)
        if (shared->path_shapes[numbers[i]] != hashes[i])
            shared->path_shapes[numbers[i]] = alone ? hashes[i] : 0;
    LWLockRelease(&shared->lock);
}

/* ---- where steps lead ---- */

static int LeadsTo(Oid relid, const char *name)
{
    AttrNumber number = get_attnum(relid, name);
    Relation relation;
    int target;

    if (number <= 0)
        return LEADS_NOWHERE;
    if (getBaseType(get_atttype(relid, number)) == PaosRefTypeOid())
        return LEADS_ANYWHERE;
    relation = PaosRelationPeek(relid);
    target = PaosColumnTarget(relation, number);
    RelationClose(relation);
    return target == 0 ? LEADS_NOWHERE : target;
}

static bool IsBelow(Oid relid, int number)
{
    ListCell *cell;

    foreach (cell, WithAncestors(relid))
        if (PaosClassNumber(lfirst_oid(cell)) == number)
            return true;
    return false;
}

/* Tables of classes that a step may lead to and that have the attribute behind it. */
static List *Reached(int leads, const char *name)
{
    List *reached = NIL;
    ListCell *cell;

    if (leads == LEADS_NOWHERE)
        return NIL;
    foreach (cell, PaosClassTables())
        if (get_attnum(lfirst_oid(cell), name) > 0 &&
            (leads == LEADS_ANYWHERE || IsBelow(lfirst_oid(cell), leads)))
            reached = lappend_oid(reached, lfirst_oid(cell));
    return reached;
}

static int LeadsOn(List *tables, const char *name)
{
    int leads = LEADS_NOWHERE;
    ListCell *cell;

    foreach (cell, tables)
    {
        int one = LeadsTo(lfirst_oid(cell), name);

        if (leads != LEADS_NOWHERE && one != LEADS_NOWHERE && one != leads)
            return LEADS_ANYWHERE;
        if (one != LEADS_NOWHERE)
            leads = one;
    }
    return leads;
}

/* ---- filings ---- */

static List *Changes(AttrNumber attribute)
{
    PaosFiling *filing = palloc0(sizeof(PaosFiling));

    filing->kind = PAOS_FILE_REST;
    filing->attribute = attribute;
    return list_make1(filing);
}

typedef struct Step
{
    const PaosQueryNode *predicate;
    bool negated;
    Oid relid;
    AttrNumber attribute;
    List *filings;
} Step;

/* The predicate on the last attribute alone, of objects of the class. */
static void FilePredicate(void *arg)
{
    Step *step = arg;
    PaosQueryNode *copy = PaosQueryNodeCopy(step->predicate);
    PaosQueryNode *path = unconstify(PaosQueryNode *, PaosPathFind(copy));
    Relation relation = PaosRelationPeek(step->relid);
    PaosRow row = {.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation)),
                   .relid = step->relid};
    List *filings;
    ListCell *cell;

    RelationClose(relation);
    path->args = path->last;
    if (step->negated)
        copy = PaosQueryNodeAppend(PaosQueryNodeMake(PAOS_QUERY_NOT, -1), copy);
    filings =
        PaosFile(expression_planner(PaosQueryBind(copy, PaosQueryPrint(copy), &row)), row.desc);
    foreach (cell, filings)
        ((PaosFiling *) lfirst(cell))->attribute = step->attribute;
    step->filings = filings;
}

/*
 * Of the classes that a paos.ref may lead to, some may have an attribute of that name which the
 * predicate does not fit.
 */
static List *TryToFile(const PaosQueryNode *predicate, bool negated, Oid relid,
                       AttrNumber attribute)
{
    Step step = {predicate, negated, relid, attribute, NIL};

    if (!PaosSubtransactionForgive(PaosSubtransactionTry(FilePredicate, &step)))
        return Changes(attribute);
    return step.filings;
}

/* Whom row-level security keeps from some objects must not learn their values by being woken. */
static List *FileStep(const PaosQueryNode *predicate, bool negated, const PaosQueryNode *name,
                      Oid relid, Oid role)
{
    AttrNumber attribute = get_attnum(relid, name->text);

    if (name->next != NULL || check_enable_rls(relid, role, true) == RLS_ENABLED)
        return Changes(attribute);
    return TryToFile(predicate, negated, relid, attribute);
}

static void AddSteps(const PaosQueryNode *predicate, bool negated, Oid relid, Oid role,
                     List **steps)
{
    const PaosQueryNode *path = PaosPathFind(predicate);
    const PaosQueryNode *name = path == NULL ? NULL : path->args;
    List *tables = list_make1_oid(relid);
    int n = 0;

    for (; name != NULL && name->next != NULL; name = name->next)
    {
        ListCell *cell;

        if (++n > STEPS_MAX)
            ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("path of a request has more than %d steps", STEPS_MAX));
        tables = Reached(LeadsOn(tables, name->text), name->next->text);
        foreach (cell, tables)
        {
            PaosPathStep *step = palloc(sizeof(PaosPathStep));

            step->relid = lfirst_oid(cell);
            step->name = name->next->text;
            step->filings = FileStep(predicate, negated, name->next, step->relid, role);
            *steps = lappend(*steps, step);
        }
    }
}

static void Walk(const PaosQueryNode *node, bool negated, Oid relid, Oid role, List **steps)
{
    const PaosQueryNode *arg;

    if (node->tag != PAOS_QUERY_OR && node->tag != PAOS_QUERY_AND && node->tag != PAOS_QUERY_NOT)
    {
        if (node->tag != PAOS_QUERY_ALL)
            AddSteps(node, negated, relid, role, steps);
        return;
    }
    for (arg = node->args; arg != NULL; arg = arg->next)
        Walk(arg, negated != (node->tag == PAOS_QUERY_NOT), relid, role, steps);
}

List *PaosPathSteps(const PaosQueryNode *tree, Oid relid, Oid role)
{
    List *steps = NIL;

    Walk(tree, false, relid, role, &steps);
    return steps;
}

void PaosPathFile(PaosShared *shared, const PaosRequest *request, const char *query,
                  PaosPathFiled filed)
{
    static PaosFiling any = {.kind = PAOS_FILE_REST};
    Oid relid = PaosClassTable(request->class);
    PaosRole saved;
    List *steps;
    ListCell *cell;

    filed(shared, request->id, PaosIndexAdd(shared, PAOS_PATHS, request->id, list_make1(&any)));
    NoteShapes(shared);
    /* Whoever files a durable request need not be who made it. */
    saved = PaosRoleBecome(request->role);
    steps = PaosPathSteps(PaosQueryParse(query), relid, request->role);
    PaosRoleReturn(&saved);
    foreach (cell, steps)
    {
        const PaosPathStep *step = lfirst(cell);
        int number = PaosClassNumber(step->relid);

        if (number != 0 && step->filings != NIL)
            filed(shared, request->id,
                  PaosIndexAdd(shared, PAOS_PATHS_OF(number), request->id, step->filings));
    }
}
