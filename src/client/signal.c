/*
 * signal.c - telling the program what happened to its connection.
 *
 * Like events, only in a dispatch.  That it was lost is told before the events
 * that are due, that it is there again after them: by then everything is known
 * that happened meanwhile.
 */
#include "paos_int.h"

static int index_of(paos_status what)
{
    switch (what)
    {
        case PAOS_DISCONNECTED:
            return PAOSI_TELL_LOST;
        case PAOS_RIGHTS_LOST:
            return PAOSI_TELL_RIGHTS;
        case PAOS_CONNECTED:
            return PAOSI_TELL_AGAIN;
        default:
            return -1;
    }
}

paos_status paos_conn_on(paos_conn *conn, paos_status what, paos_conn_callback callback, void *arg)
{
    int i = index_of(what);

    if (!conn)
        return PAOS_INVALID;
    if (i < 0)
        return paosi_fail(conn, PAOS_INVALID, "%s is not told", paos_status_name(what));
    conn->outage.callbacks[i] = callback;
    conn->outage.args[i] = arg;
    return PAOS_OK;
}

/* False: the connection was closed. */
static bool tell(paos_conn *conn, int i, paos_status what, const paos_list *objects,
                 size_t *handled)
{
    const bool *closed = conn->requests.closed;

    conn->outage.tell[i] = false;
    if (!conn->outage.callbacks[i])
        return true;
    ++*handled;
    conn->outage.callbacks[i](conn, what, objects, conn->outage.args[i]);
    return !*closed;
}

/* The handles of objects whose rights were lost; those that are not cached any more are left out.
 */
static paos_list *rights_lost(paos_conn *conn)
{
    paosi_ids *ids = &conn->outage.rights_lost;
    paos_list *list = paosi_list_new(conn, ids->size);
    paos_object *object;
    size_t i;

    for (i = 0; list && i < ids->size; i++)
    {
        uint64_t identity = paosi_reference_identity(conn, ids->items[i]);

        object = identity ? paosi_map_find(conn, identity) : NULL;
        if (object)
            paosi_list_add(list, object);
    }
    return list;
}

bool paosi_signal_before(paos_conn *conn, size_t *handled, paos_status *status)
{
    bool goes_on = true;
    paos_list *list;

    *status = PAOS_OK;
    if (!conn->outage.tell[PAOSI_TELL_LOST] && !conn->outage.tell[PAOSI_TELL_RIGHTS])
        return true;
    list = rights_lost(conn);
    if (!list)
    {
        *status = paosi_fail_memory(conn);
        return true;
    }
    if (conn->outage.tell[PAOSI_TELL_LOST])
    {
        paos_list *none = paosi_list_new(conn, 0);

        if (!none)
        {
            paos_list_free(list);
            *status = paosi_fail_memory(conn);
            return true;
        }
        goes_on = tell(conn, PAOSI_TELL_LOST, PAOS_DISCONNECTED, none, handled);
        paos_list_free(none);
    }
    if (goes_on && conn->outage.tell[PAOSI_TELL_RIGHTS])
    {
        conn->outage.rights_lost.size = 0;
        goes_on = tell(conn, PAOSI_TELL_RIGHTS, PAOS_RIGHTS_LOST, list, handled);
    }
    paos_list_free(list);
    return goes_on;
}

bool paosi_signal_after(paos_conn *conn, size_t *handled)
{
    paos_list *none;
    bool goes_on;

    if (!conn->outage.tell[PAOSI_TELL_AGAIN] || conn->broken)
        return true;
    none = paosi_list_new(conn, 0);
    /* Then in the next turn. */
    if (!none)
        return true;
    goes_on = tell(conn, PAOSI_TELL_AGAIN, PAOS_CONNECTED, none, handled);
    paos_list_free(none);
    return goes_on;
}

bool paosi_signal_waits(const paos_conn *conn)
{
    return conn->outage.tell[PAOSI_TELL_LOST] || conn->outage.tell[PAOSI_TELL_RIGHTS] ||
           (conn->outage.tell[PAOSI_TELL_AGAIN] && !conn->broken);
}
