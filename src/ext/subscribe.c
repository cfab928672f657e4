/*
 * subscribe.c - paos.subscribe, unsubscribe and the list of requests.
 *
 * What a request may be told is decided by privileges twice: here, by SELECT on
 * the attributes it names, and at each row, by row-level security (match.c).
 */
#include "request.h"
#include "query.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "commands/async.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/ipc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(paos_subscribe);
PG_FUNCTION_INFO_V1(paos_unsubscribe);
PG_FUNCTION_INFO_V1(paos_live_requests);

int paos_max_requests = 1000000;

void PaosChannelName(const uint8 *channel, char name[PAOS_CHANNEL_TEXT])
{
    strcpy(name, "paos_");
    hex_encode((const char *) channel, PAOS_CHANNEL_BYTES, name + 5);
    name[PAOS_CHANNEL_TEXT - 1] = '\0';
}

/* This session's channel, whose name nobody can guess. */
static const uint8 *OwnChannel(void)
{
    static bool made = false;
    static uint8 channel[PAOS_CHANNEL_BYTES];

    if (!made && !pg_strong_random(channel, sizeof(channel)))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bits"));
    made = true;
    return channel;
}

/* A query that names no attribute still tells which objects there are. */
void PaosPrivilegesCheck(Oid relid, Expr *condition)
{
    AclResult table = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
    Bitmapset *columns = NULL;
    int column = -1;

    if (table == ACLCHECK_OK)
        return;
    pull_varattnos((Node *) condition, 1, &columns);
    if (bms_is_empty(columns) &&
        pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
        aclcheck_error(table, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
    while ((column = bms_next_member(columns, column)) >= 0)
    {
        AttrNumber number = column + FirstLowInvalidHeapAttributeNumber;

        if (pg_attribute_aclcheck(relid, number, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
            aclcheck_error(table, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
    }
}

static void CheckLimit(PaosShared *shared)
{
    if (superuser() || PaosRoleRequests(shared, GetUserId()) < paos_max_requests)
        return;
    ereport(ERROR, errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
            errmsg("role \"%s\" has too many requests", GetUserNameFromId(GetUserId(), false)),
            errdetail("It has as many as paos.max_requests allows: %d.", paos_max_requests),
            errhint("End some with paos.unsubscribe, or raise paos.max_requests."));
}

static int64 Subscribe(Oid relid, int number, const char *text)
{
    PaosRow row = {.relid = relid};
    PaosQueryNode *tree = PaosQueryParse(text);
    PaosRequest request = {.role = GetUserId(), .class = number, .backend = MyProcPid};
    PaosShared *shared;
    Relation relation = relation_open(relid, AccessShareLock);
    Expr *condition;
    char name[PAOS_CHANNEL_TEXT];

    row.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
    relation_close(relation, NoLock);
    condition = PaosQueryBind(tree, text, &row);
    PaosPrivilegesCheck(relid, condition);
    shared = PaosSharedGet(true);
    CheckLimit(shared);

    request.path = PaosPathNames(tree) != NIL;
    memcpy(request.channel, OwnChannel(), PAOS_CHANNEL_BYTES);
    PaosRequestAdd(shared, &request, text, PaosFile(expression_planner(condition), row.desc));
    if (paos_preloaded)
        PaosWorkerStart(shared);
    PaosChannelName(request.channel, name);
    Async_Listen(name);
    return request.id;
}

/* paos.subscribe(class regclass, query paos.query, durable text) */
Datum paos_subscribe(PG_FUNCTION_ARGS)
{
    const PaosClass *class;

    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("class and query must not be null"));
    if (!PG_ARGISNULL(2))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("durable requests are not supported yet"));
    class = PaosClassByRelation(PG_GETARG_OID(0), false);
    PG_RETURN_INT64(Subscribe(class->relid, class->number, text_to_cstring(PG_GETARG_TEXT_PP(1))));
}

static bool MaySee(const PaosRequest *request)
{
    return has_privs_of_role(GetUserId(), request->role);
}

/* paos.unsubscribe(request bigint) */
Datum paos_unsubscribe(PG_FUNCTION_ARGS)
{
    int64 id = PG_GETARG_INT64(0);
    PaosShared *shared = PaosSharedGet(false);
    PaosRequest request;

    /* Whose it is remains as secret as that it exists. */
    if (shared == NULL || !PaosRequestGet(shared, id, &request, NULL) || !MaySee(&request))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
                errmsg("request " INT64_FORMAT " does not exist", id));
    PaosRequestEnd(id);
    PG_RETURN_VOID();
}

static void PutRequest(ReturnSetInfo *result, const PaosRequest *request, const char *query)
{
    const PaosClass *class = PaosClassByNumber(request->class, true);
    Datum values[7];
    bool nulls[7] = {false};

    values[0] = Int64GetDatum(request->id);
    values[1] = ObjectIdGetDatum(class == NULL ? InvalidOid : class->relid);
    nulls[1] = class == NULL;
    values[2] = CStringGetTextDatum(query);
    values[3] = ObjectIdGetDatum(request->role);
    values[4] = Int32GetDatum(request->backend);
    values[5] = Int64GetDatum((int64) request->events);
    values[6] = TimestampTzGetDatum(request->last_event);
    nulls[6] = request->last_event == 0;
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* paos.live_requests(): those of roles that the caller is a member of */
Datum paos_live_requests(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    PaosShared *shared = PaosSharedGet(false);
    ListCell *cell;

    InitMaterializedSRF(fcinfo, 0);
    if (shared == NULL)
        return (Datum) 0;
    foreach (cell, PaosRequestIds(shared, NIL))
    {
        PaosRequest request;
        char *query;

        CHECK_FOR_INTERRUPTS();
        if (PaosRequestGet(shared, *(int64 *) lfirst(cell), &request, &query) && MaySee(&request))
            PutRequest(result, &request, query);
    }
    return (Datum) 0;
}
