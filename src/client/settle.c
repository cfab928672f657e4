/*
 * settle.c - requests whose first answer may lack what writers at work then do.
 *
 * Who began to write before a request was registered may not know of it, and tells
 * nobody.  So when all of these have ended the answer is looked at once more.  They
 * are asked for by a timer, since a transaction may stay open for long.
 */
#include "paos_int.h"

/* First and longest time between two looks whether writers have ended, in milliseconds. */
#define SETTLE_FIRST 5
#define SETTLE_LONGEST 1000

/* What has settled is looked at once more: nobody tells what its writers did. */
static void want_settled(paosi_requests *requests, const paosi_snapshot *now)
{
    paosi_request *request;

    for (request = requests->first; request; request = request->next)
    {
        if (!request->since || !paosi_snapshot_settles(now, request->since))
            continue;
        paosi_request_want_look(requests, request);
        /* Of an answer the look itself says whether it is settled. */
        if (request->members.items)
            paosi_request_settled(requests, request);
    }
}

static void settle_later(paosi_requests *requests)
{
    requests->settle_due = paosi_wake_later(&requests->settle_delay, SETTLE_FIRST, SETTLE_LONGEST);
}

paos_status paosi_settle(paos_conn *conn)
{
    const paosi_statement statement = {.sql = PAOSI_LOOK_SNAPSHOT};
    paosi_requests *requests = &conn->requests;
    paosi_snapshot *snapshot = NULL;
    paosi_result *result;
    paos_status status;

    if (requests->unsettled == 0 || paosi_wake_now() < requests->settle_due)
        return PAOS_OK;
    settle_later(requests);
    status = paosi_conn_ask(conn, &statement, 1, &result);
    if (status != PAOS_OK)
        return status;
    status = paosi_look_snapshot(conn, result, &snapshot);
    paosi_results_free(&result, 1);
    if (status != PAOS_OK)
        return status;
    want_settled(requests, snapshot);
    paosi_snapshot_release(snapshot);
    return PAOS_OK;
}
