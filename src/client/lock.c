/*
 * lock.c - rights: taking them, and who holds them when that fails.
 *
 * A right is the session's and lasts until the next commit here, or the end of
 * the connection.  The server takes all rights of a call or none.
 */
#include "paos_int.h"

#include <stdio.h>

static void lock_wait(char *room, size_t size, int timeout_ms)
{
    snprintf(room, size, "%d milliseconds", timeout_ms);
}

void paosi_lock_prepare(paosi_lock_call *call, const paos_conn *conn, const uint64_t *ids, size_t n,
                        int timeout_ms)
{
    const paosi_parameter refs = {conn->refs_oid, false, NULL, 0};
    const paosi_parameter wait = {0, true, NULL, 0};
    size_t i;

    memset(call, 0, sizeof *call);
    paosi_buffer_add32(&call->refs, n ? 1 : 0);
    paosi_buffer_add32(&call->refs, 0);
    paosi_buffer_add32(&call->refs, conn->ref_oid);
    if (n)
    {
        paosi_buffer_add32(&call->refs, (uint32_t) n);
        paosi_buffer_add32(&call->refs, 1);
    }
    for (i = 0; i < n; i++)
    {
        paosi_buffer_add32(&call->refs, 8);
        paosi_buffer_add64(&call->refs, ids[i]);
    }
    lock_wait(call->wait, sizeof call->wait, timeout_ms);
    call->parameters[0] = refs;
    call->parameters[0].data = call->refs.data;
    call->parameters[0].size = call->refs.size;
    call->parameters[1] = wait;
    call->parameters[1].data = timeout_ms < 0 ? NULL : call->wait;
    call->statement.sql = "SELECT paos.lock_all($1, $2::pg_catalog.interval)";
    call->statement.parameters = call->parameters;
    call->statement.count = 2;
}

/* Who holds one of the rights, in words; "" when nobody does any more. */
static void describe_holder(paos_conn *conn, const paosi_lock_call *call, paosi_buffer *detail)
{
    const paosi_statement statement = {
        .sql = "SELECT pg_catalog.format('Object %s is held by %s, process %s on %s.',"
               " r.object, COALESCE(r.application, ''), r.pid, r.host)"
               " FROM paos.rights r WHERE r.granted AND r.object OPERATOR(paos.=) ANY ($1)"
               " AND r.backend OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"
               " ORDER BY r.object LIMIT 1",
        .parameters = call->parameters,
        .count = 1};
    paosi_result *result;
    const unsigned char *text = NULL;
    size_t size;

    if (paosi_conn_ask(conn, &statement, 1, &result) != PAOS_OK)
        return;
    if (paosi_result_rows(result) == 1)
        text = paosi_result_value(result, 0, 0, &size);
    if (text)
        paosi_buffer_text(detail, (const char *) text);
    paosi_buffer_add(detail, "", 1);
    paosi_results_free(&result, 1);
}

paos_status paosi_lock_outcome(paos_conn *conn, const paosi_result *result,
                               const paosi_lock_call *call, int timeout_ms)
{
    paos_status refused = timeout_ms > 0 ? PAOS_TIMEOUT : PAOS_LOCKED;
    paosi_buffer detail = {0};
    const unsigned char *taken;
    size_t size;

    if (paosi_result_outcome(result) != PAOSI_DONE)
        return paosi_fail_result(conn, result);
    taken = paosi_result_rows(result) == 1 ? paosi_result_value(result, 0, 0, &size) : NULL;
    if (taken && size == 1 && taken[0])
        return PAOS_OK;
    describe_holder(conn, call, &detail);
    if (!conn->broken)
        paosi_fail_detail(conn, refused, paos_status_text(refused),
                          detail.data && !detail.failed ? detail.data : "", "");
    paosi_buffer_free(&detail);
    return conn->broken ? PAOS_DISCONNECTED : refused;
}

paos_status paosi_lock_note(paos_conn *conn, const paosi_ids *ids)
{
    size_t i;

    for (i = 0; i < ids->size; i++)
        if (!paosi_ids_add(&conn->rights, ids->items[i]))
            return paosi_fail_memory(conn);
    return PAOS_OK;
}

/* ---- paos_lock ---- */

/* The ids of the objects, which must have been stored. */
static paos_status ids_of(paos_conn *conn, paos_object *const *objects, size_t n, paosi_ids *ids)
{
    paos_status status = paosi_objects_check(conn, objects, n);
    size_t i;

    for (i = 0; status == PAOS_OK && i < n; i++)
    {
        if (objects[i]->flags & PAOSI_ABSENT)
            return paosi_fail_absent(objects[i]);
        if (objects[i]->flags & PAOSI_NEW)
            return paosi_fail(conn, PAOS_NOT_FOUND, "object %zu of %zu is not stored yet", i + 1,
                              n);
        if (!paosi_ids_add(ids, paosi_object_name(objects[i])))
            return paosi_fail_memory(conn);
    }
    return status;
}

static paos_status take_rights(paos_conn *conn, const paosi_ids *ids, int timeout_ms)
{
    paosi_lock_call call;
    paosi_result *result;
    paos_status status;

    paosi_lock_prepare(&call, conn, ids->items, ids->size, timeout_ms);
    if (call.refs.failed)
        status = paosi_fail_memory(conn);
    else
        status = paosi_conn_exchange(conn, &call.statement, 1, &result);
    if (status == PAOS_OK)
    {
        status = paosi_lock_outcome(conn, result, &call, timeout_ms);
        paosi_results_free(&result, 1);
    }
    paosi_buffer_free(&call.refs);
    return status;
}

paos_status paos_lock(paos_conn *conn, paos_object *const *objects, size_t n, int timeout_ms)
{
    paosi_load load = {.conn = conn};
    paosi_ids ids = {0};
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    status = ids_of(conn, objects, n, &ids);
    if (status == PAOS_OK)
        status = paosi_reconnect(conn);
    if (status == PAOS_OK && n > 0)
        status = take_rights(conn, &ids, timeout_ms);
    if (status == PAOS_OK && n > 0)
        status = paosi_lock_note(conn, &ids);
    if (status == PAOS_OK && n > 0)
        status = paosi_load_ids(&load, &ids);
    paosi_free(ids.items);
    return status;
}
