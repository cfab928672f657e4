/*
 * match.c - does a row satisfy a request, in the eyes of who subscribed?
 *
 * A backend keeps the requests it has met compiled.  They are evaluated in the
 * writer's transaction but with the privileges of the subscriber's role, so that
 * neither row-level security nor what a path reads is the writer's.  A request
 * that no longer makes sense must not fail the writer: it is told to look again,
 * and finds out.
 */
#include "request.h"
#include "query.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "rewrite/rowsecurity.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* A session that meets more requests than this forgets them all and goes on. */
#define MATCHERS_MAX 10000

typedef struct Matcher
{
    int64 request; /* hash key */
    bool ended;
    bool broken; /* cannot be evaluated here: always unknown */
    bool leaky;  /* what is evaluated may fail, or run code of users */
    bool alien;  /* the latter */
    Oid role;
    PaosFilter *filter;
    PaosFilter *policy; /* NULL: the role sees every row */
    Bitmapset *columns; /* that the query names */
    List *names;        /* attributes of other objects that a path goes through */
} Matcher;

static HTAB *matchers = NULL;
static MemoryContext matchers_context = NULL;
static uint64 matchers_generation;
static bool roles_changed = false;
static bool evaluating = false; /* what may run code of users: matchers stay where they are */

/* Which policies a role is under depends on what it is and what it is a member of. */
static void NoteRoles(Datum arg, int cache, uint32 hash)
{
    roles_changed = true;
}

static void WatchRoles(void)
{
    CacheRegisterSyscacheCallback(AUTHOID, NoteRoles, (Datum) 0);
    CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, NoteRoles, (Datum) 0);
}

static void ForgetMatchers(void)
{
    HASHCTL ctl = {.keysize = sizeof(int64), .entrysize = sizeof(Matcher)};

    if (matchers_context == NULL)
        WatchRoles();
    else
        MemoryContextDelete(matchers_context);
    roles_changed = false;
    matchers_context =
        AllocSetContextCreate(TopMemoryContext, "paos matchers", ALLOCSET_DEFAULT_SIZES);
    ctl.hcxt = matchers_context;
    matchers = hash_create("paos matchers", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    matchers_generation = PaosClassGeneration();
}

/* The names behind the first one of each path. */
static void CollectNames(const PaosQueryNode *node, List **names)
{
    const PaosQueryNode *arg;

    for (arg = node->args; arg != NULL; arg = arg->next)
    {
        if (node->tag == PAOS_QUERY_PATH && arg != node->args)
            *names = lappend(*names, pstrdup(arg->text));
        CollectNames(arg, names);
    }
}

List *PaosPathNames(const PaosQueryNode *tree)
{
    List *names = NIL;

    CollectNames(tree, &names);
    return names;
}

/* The policies that the role is under, as one condition; false when it cannot be had so. */
static bool PolicyCondition(Oid relid, Oid role, Expr **condition)
{
    Relation relation;
    RangeTblEntry *entry = makeNode(RangeTblEntry);
    Query *query = makeNode(Query);
    List *quals;
    List *checks;
    bool enabled;
    bool sublinks;

    *condition = NULL;
    if (check_enable_rls(relid, role, true) != RLS_ENABLED)
        return true;
    /* The lock is PostgreSQL's wish; a writer may not wait for it: see PaosRelationPeek. */
    if (!ConditionalLockRelationOid(relid, AccessShareLock))
        return false;
    relation = relation_open(relid, NoLock);
    entry->rtekind = RTE_RELATION;
    entry->relid = relid;
    entry->relkind = relation->rd_rel->relkind;
    entry->requiredPerms = ACL_SELECT;
    entry->checkAsUser = role;
    query->commandType = CMD_SELECT;
    query->rtable = list_make1(entry);
    get_row_security_policies(query, entry, 1, &quals, &checks, &enabled, &sublinks);
    relation_close(relation, AccessShareLock);
    if (quals != NIL)
        *condition = make_ands_explicit(quals);
    return !sublinks;
}

static bool IsStable(Oid function, void *context)
{
    return function < FirstNormalObjectId && func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

/* A date compared with a timestamptz is so in a time zone, and the writer's is not the one. */
static bool AsksTimeZone(Node *node, void *context)
{
    if (node == NULL)
        return false;
    return check_functions_in_node(node, IsStable, NULL) ||
           expression_tree_walker(node, AsksTimeZone, context);
}

static void Compile(Matcher *matcher, const PaosRequest *request, const char *text, Oid relid)
{
    PaosRow row = {.relid = relid};
    PaosQueryNode *tree = PaosQueryParse(text);
    Relation relation = PaosRelationPeek(relid);
    Expr *condition;
    Expr *policy;

    row.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
    RelationClose(relation);
    matcher->names = PaosPathNames(tree);
    condition = PaosQueryBind(tree, text, &row);
    matcher->columns = PaosPrivilegesColumns(condition);
    matcher->filter = PaosFilterMake(condition, row.desc, &TTSOpsHeapTuple);
    matcher->broken =
        !PolicyCondition(relid, request->role, &policy) || AsksTimeZone((Node *) condition, NULL);
    if (policy != NULL)
        matcher->policy = PaosFilterMake(policy, row.desc, &TTSOpsHeapTuple);
    matcher->leaky = contain_leaked_vars((Node *) condition) || policy != NULL;
    matcher->alien = PaosRunsUserCode((Node *) condition, NULL) || policy != NULL;
}

typedef struct Compilation
{
    Matcher *matcher;
    const PaosRequest *request;
    const char *text;
    Oid relid;
} Compilation;

/* As the subscriber: input functions and what is constant run now. */
static void CompileAs(void *arg)
{
    const Compilation *work = arg;
    PaosRole saved;

    MemoryContextSwitchTo(matchers_context);
    evaluating = true;
    saved = PaosRoleBecome(work->request->role);
    Compile(work->matcher, work->request, work->text, work->relid);
    PaosRoleReturn(&saved);
}

static void TryToCompile(Matcher *matcher, const PaosRequest *request, const char *text, Oid relid)
{
    Compilation work = {matcher, request, text, relid};
    ErrorData *error = PaosSubtransactionTry(CompileAs, &work);

    evaluating = false;
    if (!PaosSubtransactionForgive(error))
        matcher->broken = true;
}

/* For rows that are written by what is being evaluated. */
static Matcher *NoMatcher(void)
{
    static Matcher unknown = {.broken = true};

    return &unknown;
}

static Matcher *FindMatcher(int64 id)
{
    Matcher *matcher;
    PaosRequest request;
    const PaosClass *class;
    char *text;
    bool found;

    if (evaluating)
        return NoMatcher();
    if (matchers == NULL || matchers_generation != PaosClassGeneration() || roles_changed ||
        hash_get_num_entries(matchers) > MATCHERS_MAX)
        ForgetMatchers();
    matcher = hash_search(matchers, &id, HASH_ENTER, &found);
    if (found)
        return matcher;
    memset(matcher, 0, sizeof(*matcher));
    matcher->request = id;
    matcher->broken = true; /* should an error leave it half done */
    if (!PaosRequestGet(PaosSharedAttached(), id, &request, &text))
    {
        matcher->ended = true;
        return matcher;
    }
    matcher->role = request.role;
    class = PaosClassByNumber(request.class, true);
    if (class != NULL)
        TryToCompile(matcher, &request, text, class->relid);
    pfree(text);
    return matcher;
}

Bitmapset *PaosRequestColumns(int64 id)
{
    return FindMatcher(id)->columns;
}

static bool HasRowSecurity(Oid relid)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
    bool result;

    if (!HeapTupleIsValid(tuple))
        return false;
    result = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
    ReleaseSysCache(tuple);
    return result;
}

static bool Satisfies(PaosFilter *filter, TupleTableSlot *row)
{
    bool isnull;
    bool result;

    filter->econtext->ecxt_scantuple = row;
    result = PaosFilterMatches(filter, &isnull);
    return result && !isnull;
}

/* As the subscriber's role, whom the writer's own settings must not serve either. */
static bool SatisfiesAs(const Matcher *matcher, TupleTableSlot *row)
{
    Oid user;
    int context;
    bool result;

    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(matcher->role,
                           context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    result = Satisfies(matcher->filter, row) &&
             (matcher->policy == NULL || Satisfies(matcher->policy, row));
    SetUserIdAndSecContext(user, context);
    return result;
}

static bool SatisfiesAsAlien(const Matcher *matcher, TupleTableSlot *row)
{
    PaosRole saved = PaosRoleBecome(matcher->role);
    bool result = SatisfiesAs(matcher, row);

    PaosRoleReturn(&saved);
    return result;
}

typedef struct Look
{
    const Matcher *matcher;
    TupleTableSlot *row;
    bool result;
} Look;

static void LookAtRow(void *arg)
{
    Look *look = arg;
    const Matcher *matcher = look->matcher;

    evaluating = true;
    if (matcher->names != NIL)
        PushActiveSnapshot(PaosPathWatch(matcher->request));
    if (matcher->alien)
        look->result = SatisfiesAsAlien(matcher, look->row);
    else
        look->result = SatisfiesAs(matcher, look->row);
    if (matcher->names != NIL)
        PopActiveSnapshot();
}

/* When it may fail: that must end nothing but the look. */
static PaosMatchResult TryToSatisfy(const Matcher *matcher, TupleTableSlot *row)
{
    Look look = {matcher, row, false};
    ErrorData *error = PaosSubtransactionTry(LookAtRow, &look);

    evaluating = false;
    if (!PaosSubtransactionForgive(error))
        return PAOS_MATCH_UNKNOWN;
    return look.result ? PAOS_MATCH_YES : PAOS_MATCH_NO;
}

PaosMatchResult PaosRequestMatches(int64 id, Oid relid, TupleTableSlot *row, bool exact)
{
    Matcher *matcher;

    if (exact && !HasRowSecurity(relid))
        return PAOS_MATCH_YES;
    matcher = FindMatcher(id);
    if (matcher->ended)
        return PAOS_MATCH_NO;
    if (matcher->broken)
        return PAOS_MATCH_UNKNOWN;
    if (matcher->leaky || matcher->alien)
        return TryToSatisfy(matcher, row);
    return SatisfiesAs(matcher, row) ? PAOS_MATCH_YES : PAOS_MATCH_NO;
}

bool PaosRequestSeesSame(int64 id, TupleTableSlot *before, TupleTableSlot *after)
{
    const Matcher *matcher = FindMatcher(id);
    int column = -1;

    if (matcher->ended || matcher->broken || matcher->policy != NULL)
        return false;
    while ((column = bms_next_member(matcher->columns, column)) >= 0)
    {
        AttrNumber number = column + FirstLowInvalidHeapAttributeNumber;

        if (number <= 0 || PaosAttributeDiffers(number, before, after))
            return false;
    }
    return true;
}

/* ---- paths ---- */

typedef struct PathRow
{
    TupleDesc desc;
    HeapTuple before;
    HeapTuple after;
} PathRow;

static bool AttributeChanged(const PathRow *row, AttrNumber number)
{
    Form_pg_attribute attribute = TupleDescAttr(row->desc, number - 1);
    bool null_before;
    bool null_after;
    Datum before;
    Datum after;

    if (row->before == NULL || row->after == NULL)
        return true;
    before = heap_getattr(row->before, number, row->desc, &null_before);
    after = heap_getattr(row->after, number, row->desc, &null_after);
    if (null_before || null_after)
        return null_before != null_after;
    return !datum_image_eq(before, after, attribute->attbyval, attribute->attlen);
}

static void FoundPath(int64 request, bool exact, void *arg)
{
    const PathRow *row = arg;
    Matcher *matcher = FindMatcher(request);
    ListCell *cell;

    if (evaluating) /* then nothing is known of the request */
        PaosPathWake(request);
    foreach (cell, matcher->names)
    {
        AttrNumber number = SPI_fnumber(row->desc, lfirst(cell));

        if (number > 0 && AttributeChanged(row, number))
        {
            PaosPathWake(request);
            return;
        }
    }
}

/* Whom an object is hidden from, it is as good as not there for, and it stays so. */
static void FoundStep(int64 id, bool exact, void *arg)
{
    PaosRequest request;

    if (PaosRequestGet(PaosSharedAttached(), id, &request, NULL) &&
        PaosPrivilegesAny(*(Oid *) arg, request.role))
        PaosPathWake(id);
}

static TupleTableSlot *SlotOf(TupleDesc desc, HeapTuple tuple)
{
    TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);

    return tuple == NULL ? ExecStoreAllNullTuple(slot) : ExecStoreHeapTuple(tuple, slot, false);
}

static void NoteChange(PaosShared *shared, int number, Oid relid, const PathRow *row)
{
    TupleTableSlot *before = SlotOf(row->desc, row->before);
    TupleTableSlot *after = SlotOf(row->desc, row->after);

    PaosIndexProbeChange(shared, PAOS_PATHS_OF(number), before, after, FoundStep, &relid);
    ExecDropSingleTupleTableSlot(before);
    ExecDropSingleTupleTableSlot(after);
}

/*
 * A request whose path may go through the row is told to look again: which
 * objects of its class refer to the row is not known here.
 */
void PaosPathNote(PaosShared *shared, int number, Oid relid, TupleDesc desc, HeapTuple before,
                  HeapTuple after)
{
    PathRow row = {desc, before, after};

    if (PaosPathKnows(shared, number, relid))
        NoteChange(shared, number, relid, &row);
    else
        PaosIndexProbe(shared, PAOS_PATHS, NULL, FoundPath, &row);
}
