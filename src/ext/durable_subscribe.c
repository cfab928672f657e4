/*
 * durable_subscribe.c - durable requests begin, are taken up again, and end.
 *
 * The same name with the same query is the same request, with all that is
 * pending.  With another query it is another request, with another id: the old
 * one ends with its events, and the first event of the new one tells to look
 * again.
 */
#include "adopt.h"
#include "durable.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(paos_forget);

/* So long that nobody minds, and that an index takes it. */
#define NAME_SIZE_MAX 200

static void CheckName(const char *name)
{
    if (*name == '\0')
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("name of a durable request must not be empty"));
    if (strlen(name) > NAME_SIZE_MAX)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("name of a durable request is too long"),
                errdetail("It may have %d bytes.", NAME_SIZE_MAX));
}

/*
 * The trigger on the table files it.  False: another transaction, which has left
 * the name in the meantime, was first.
 */
static bool InsertRow(PaosDurable *durable)
{
    Oid types[] = {TEXTOID, INT2OID, PaosQueryTypeOid(), REGROLEOID};
    Datum values[] = {CStringGetTextDatum(durable->name), Int16GetDatum(durable->class),
                      CStringGetTextDatum(durable->query), ObjectIdGetDatum(durable->role)};
    bool inserted;
    bool isnull;

    SPI_connect();
    PaosExecuteAsOwner("INSERT INTO paos.durable (name, class, query, role)"
                       " VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING RETURNING request",
                       4, types, values);
    inserted = SPI_processed > 0;
    if (inserted)
        durable->request =
            DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
    SPI_finish();
    return inserted;
}

/* The trigger on the table ends it, and removes its events. */
static void DeleteRow(int64 request)
{
    Oid types[] = {INT8OID};
    Datum values[] = {Int64GetDatum(request)};

    SPI_connect();
    PaosExecuteAsOwner("DELETE FROM paos.durable WHERE request OPERATOR(pg_catalog.=) $1", 1, types,
                       values);
    SPI_finish();
}

/* The first request without a row that has events, beyond a given one; 0: none. */
static int64 NextOrphan(int64 after)
{
    Oid types[] = {INT8OID};
    Datum values[] = {Int64GetDatum(after)};
    bool isnull;
    Datum next;

    SPI_connect();
    PaosExecuteAsOwner(
        "WITH RECURSIVE r (request) AS ("
        " SELECT pg_catalog.min(e.request) FROM paos.event e WHERE e.request "
        "OPERATOR(pg_catalog.>) $1"
        " UNION ALL SELECT (SELECT pg_catalog.min(e.request) FROM paos.event e"
        "  WHERE e.request OPERATOR(pg_catalog.>) r.request)"
        " FROM r WHERE r.request IS NOT NULL)"
        "SELECT pg_catalog.min(r.request) FROM r WHERE NOT EXISTS (SELECT FROM paos.durable d"
        " WHERE d.request OPERATOR(pg_catalog.=) r.request)",
        1, types, values);
    next = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    SPI_finish();
    return isnull ? 0 : DatumGetInt64(next);
}

/*
 * A writer that had met a request before it ended, or before its subscriber's
 * transaction was rolled back, may have left events of none.  One whose row
 * cannot be seen yet is filed.
 */
static void RemoveOrphans(PaosShared *shared)
{
    Oid types[] = {INT8OID};
    int64 orphan = 0;

    while ((orphan = NextOrphan(orphan)) != 0)
    {
        Datum values[] = {Int64GetDatum(orphan)};
        PaosRequest request;

        if (PaosRequestGet(shared, orphan, &request, NULL))
            continue;
        SPI_connect();
        PaosExecuteAsOwner("DELETE FROM paos.event WHERE request OPERATOR(pg_catalog.=) $1", 1,
                           types, values);
        SPI_finish();
    }
}

static bool IsBroken(PaosShared *shared, int64 id)
{
    PaosRequest request;

    return PaosRequestGet(shared, id, &request, NULL) && request.broken;
}

/*
 * Takes up the request of the name when it is the same; found: there is another.  One that made
 * no sense for a time has missed what it could not match: it is as good as another.
 */
static bool TakeUp(PaosShared *shared, PaosDurable *wanted, PaosDurable *present, bool *found)
{
    *found = PaosDurableFind(wanted->name, true, present);
    if (!*found)
        return false;
    PaosDurableAllow(present);
    if (present->class != wanted->class || strcmp(present->query, wanted->query) != 0)
        return false;
    PaosDurableFile(shared, present);
    if (IsBroken(shared, present->request))
        return false;
    wanted->request = present->request;
    return true;
}

/* Takes up the request of the name, or makes it. */
static int64 Settle(PaosShared *shared, PaosDurable *wanted)
{
    PaosDurable present;
    bool found;

    do
    {
        if (TakeUp(shared, wanted, &present, &found))
            return wanted->request;
        PaosRequestLimit(shared);
        RemoveOrphans(shared);
        if (found)
            DeleteRow(present.request);
    } while (!InsertRow(wanted));
    if (found)
        PaosDurableResync(shared, wanted->request);
    CommandCounterIncrement();
    return wanted->request;
}

int64 PaosDurableSubscribe(Oid relid, int class, const char *query, const char *name)
{
    PaosDurable durable = {.name = pstrdup(name), .class = class, .role = GetUserId()};
    PaosDurable present;
    PaosQuestion question;
    PaosShared *shared;
    PaosHold *hold;
    int64 request;

    CheckName(name);
    PaosQuestionBind(relid, query, &question);
    PaosPrivilegesCheck(relid, question.condition);
    durable.query = question.text;
    if (PaosDurableFind(name, false, &present))
    {
        PaosDurableAllow(&present);
        if (strcmp(present.query, query) == 0)
            durable.query = pstrdup(query);
    }
    shared = PaosSharedFiled(true);
    hold = PaosHoldTake(name);
    request = Settle(shared, &durable);
    hold->leaving = InvalidSubTransactionId;
    PaosHoldListen(hold, shared, request);
    return request;
}

void PaosDurableForget(int64 request)
{
    DeleteRow(request);
    PaosHoldLeave(request);
}

/* paos.forget(name text) */
Datum paos_forget(PG_FUNCTION_ARGS)
{
    PaosDurable durable;

    PaosDurableGet(text_to_cstring(PG_GETARG_TEXT_PP(0)), &durable);
    PaosDurableForget(durable.request);
    PG_RETURN_VOID();
}
