/*
 * subscribe.c - paos.subscribe, unsubscribe and the list of requests.
 *
 * What a request may be told is decided by privileges twice: here, by SELECT on
 * the attributes it names, and at each row, by row-level security (match.c).
 */
#include "durable.h"
#include "query.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
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
PG_FUNCTION_INFO_V1(paos_request_problem);

int paos_max_requests = 1000000;

void PaosChannelName(const uint8 *channel, char name[PAOS_CHANNEL_TEXT])
{
    strcpy(name, "paos_");
    hex_encode((const char *) channel, PAOS_CHANNEL_BYTES, name + 5);
    name[PAOS_CHANNEL_TEXT - 1] = '\0';
}

void PaosRequestLimit(PaosShared *shared)
{
    if (superuser() || PaosRoleRequests(shared, GetUserId()) < paos_max_requests)
        return;
    ereport(ERROR, errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
            errmsg("role \"%s\" has too many requests", GetUserNameFromId(GetUserId(), false)),
            errdetail("It has as many as paos.max_requests allows: %d.", paos_max_requests),
            errhint("End some with paos.unsubscribe, or raise paos.max_requests."));
}

void PaosQuestionBind(Oid relid, const char *text, PaosQuestion *out)
{
    PaosRow row = {.relid = relid};
    PaosQueryNode *tree = PaosQueryParse(text);
    Relation relation = relation_open(relid, AccessShareLock);

    row.desc = CreateTupleDescCopyConstr(RelationGetDescr(relation));
    relation_close(relation, NoLock);
    out->condition = PaosQueryBind(tree, text, &row);
    out->text = PaosQuerySettle(text, out->condition);
    out->filings = PaosFile(expression_planner(out->condition), row.desc);
    out->path = PaosPathNames(tree) != NIL;
}

static int64 Subscribe(Oid relid, int number, const char *text)
{
    PaosRequest request = {.role = GetUserId(), .class = number, .backend = MyProcPid};
    PaosQuestion question;
    PaosShared *shared;

    PaosQuestionBind(relid, text, &question);
    PaosPrivilegesCheck(relid, question.condition);
    PaosSharedHold();
    shared = PaosSharedGet(true);
    PaosRequestLimit(shared);

    PaosChannelListen(shared);
    request.path = question.path;
    memcpy(request.channel, PaosChannelOwn(), PAOS_CHANNEL_BYTES);
    PaosRequestAdd(shared, &request, question.text, question.filings);
    return request.id;
}

/* paos.subscribe(class regclass, query paos.query, durable text) */
Datum paos_subscribe(PG_FUNCTION_ARGS)
{
    const PaosClass *class;
    char *query;

    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("class and query must not be null"));
    PreventCommandDuringRecovery("paos.subscribe()");
    class = PaosClassByRelation(PG_GETARG_OID(0), false);
    query = text_to_cstring(PG_GETARG_TEXT_PP(1));
    if (PG_ARGISNULL(2))
        PG_RETURN_INT64(Subscribe(class->relid, class->number, query));
    PG_RETURN_INT64(PaosDurableSubscribe(class->relid, class->number, query,
                                         text_to_cstring(PG_GETARG_TEXT_PP(2))));
}

static bool MaySee(const PaosRequest *request)
{
    return has_privs_of_role(GetUserId(), request->role);
}

/* paos.unsubscribe(request bigint) */
Datum paos_unsubscribe(PG_FUNCTION_ARGS)
{
    int64 id = PG_GETARG_INT64(0);
    PaosShared *shared = PaosSharedFiled(false);
    PaosRequest request;

    /* Whose it is remains as secret as that it exists. */
    if (shared == NULL || !PaosRequestGet(shared, id, &request, NULL) || !MaySee(&request))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
                errmsg("request " INT64_FORMAT " does not exist", id));
    if (request.durable)
        PaosDurableForget(id);
    else
        PaosRequestEnd(id);
    PG_RETURN_VOID();
}

/* paos.request_problem(request bigint): why a durable one makes no sense any more, else NULL */
Datum paos_request_problem(PG_FUNCTION_ARGS)
{
    PaosShared *shared = PaosSharedFiled(false);
    PaosDurable durable = {.request = PG_GETARG_INT64(0)};
    PaosDurableTry bound;
    PaosRequest request;
    char *query;

    if (shared == NULL || !PaosRequestGet(shared, durable.request, &request, &query) ||
        !request.broken || !MaySee(&request))
        PG_RETURN_NULL();
    durable.class = request.class;
    durable.query = query;
    durable.role = request.role;
    PaosDurableTryToBind(&durable, &bound);
    PG_RETURN_TEXT_P(
        cstring_to_text(bound.reason == NULL ? "it must be subscribed anew" : bound.reason));
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
    nulls[4] = request->backend == 0;
    values[5] = Int64GetDatum((int64) request->events);
    values[6] = TimestampTzGetDatum(request->last_event);
    nulls[6] = request->last_event == 0;
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* paos.live_requests(): those of roles that the caller is a member of */
Datum paos_live_requests(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    PaosShared *shared = PaosSharedFiled(false);
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
