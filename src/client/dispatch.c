/*
 * dispatch.c - paos_conn_dispatch and what programs wait on for it.
 *
 * A turn takes in what has come, looks at what has to be looked at, readies all
 * events and only then calls callbacks: what they do on the connection can then
 * spoil nothing, and what arrives meanwhile is left for the next turn.
 */
#include "paos_int.h"

/* Notifications in a turn: an endless stream of them must not keep callbacks waiting. */
#define TURN_MAX 1000

int paos_conn_fd(const paos_conn *conn)
{
    return conn ? conn->wake.set : -1;
}

/* The sooner of two times, 0 being never. */
static int64_t sooner(int64_t a, int64_t b)
{
    return !a || (b && b < a) ? b : a;
}

void paosi_dispatch_arm(paos_conn *conn)
{
    const paosi_requests *requests = &conn->requests;
    bool over = conn->broken && (conn->outage.off || conn->outage.final);
    bool waits = !conn->broken &&
                 (requests->events || requests->look || (conn->io && paosi_pgio_pending(conn->io)));
    int64_t due = paosi_reconnect_due(conn);

    if (!conn->broken && requests->unsettled)
        due = sooner(due, requests->settle_due);
    if (!conn->broken && requests->standing)
        due = sooner(due, requests->stand_due);
    paosi_wake_signal(&conn->wake, waits || over || paosi_signal_waits(conn));
    paosi_wake_at(&conn->wake, due);
}

/* ---- a turn ---- */

static paos_status take_notifications(paos_conn *conn)
{
    paos_status status = paosi_conn_receive(conn);
    size_t i;

    for (i = 0; status == PAOS_OK && i < TURN_MAX && paosi_pgio_pending(conn->io); i++)
    {
        paosi_notification *notification = paosi_pgio_next(conn->io);

        status = paosi_event_take(conn, paosi_notification_text(notification));
        paosi_notification_free(notification);
        /* Asking the server may have broken the connection, and with it the queue. */
        if (status == PAOS_OK && conn->broken)
            break;
    }
    return status;
}

/* Only the events that there are now: a callback that commits would go on for ever. */
static bool tell_all(paos_conn *conn, size_t *handled)
{
    const paosi_event *last = conn->requests.last_event;
    bool more = conn->requests.events != NULL;

    while (more)
    {
        more = conn->requests.events != last;
        if (!paosi_tell(conn, handled))
            return false;
    }
    return true;
}

/* Takes in everything that there is to be told. */
static paos_status gather(paos_conn *conn)
{
    paos_status status = take_notifications(conn);

    if (status == PAOS_OK)
        status = paosi_settle(conn);
    if (status == PAOS_OK)
        status = paosi_standby_try(conn);
    if (status == PAOS_OK)
        status = paosi_look(conn);
    if (status == PAOS_OK)
        status = paosi_tell_prepare(conn);
    if (status == PAOS_OK)
        status = paosi_coherent_cover(conn);
    return status;
}

/*
 * During an outage there is nothing to tell but that; what the connection was
 * lost in is told then, and no failure as long as it may be made again.
 */
static paos_status turn(paos_conn *conn, size_t *handled)
{
    const bool *closed = conn->requests.closed;
    paos_status status = paosi_reconnect_step(conn);
    paos_status told;

    if (status == PAOS_OK)
        status = gather(conn);
    if (!paosi_signal_before(conn, handled, &told) || told != PAOS_OK)
        return told;
    if (conn->broken && !conn->outage.off && !conn->outage.final && status != PAOS_NO_MEMORY)
        return PAOS_OK;
    if (status == PAOS_OK && tell_all(conn, handled) && paosi_signal_after(conn, handled))
        paosi_cache_trim(conn, NULL);
    return *closed ? PAOS_OK : status;
}

static paos_status dispatch(paos_conn *conn, int64_t until, size_t *handled, const bool *closed)
{
    paos_status status;

    for (;;)
    {
        status = turn(conn, handled);
        if (*closed)
            return PAOS_OK;
        paosi_dispatch_arm(conn);
        if (status != PAOS_OK || *handled > 0)
            return status;
        if (until >= 0 && paosi_wake_now() >= until)
            return PAOS_OK;
        if (paosi_wake_wait(&conn->wake, until) != PAOS_OK)
            return paosi_fail_memory(conn);
    }
}

paos_status paos_conn_dispatch(paos_conn *conn, int timeout_ms, size_t *handled)
{
    bool closed = false;
    size_t told = 0;
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    if (conn->requests.closed)
        return paosi_fail(conn, PAOS_INVALID, "a callback must not dispatch");
    conn->requests.closed = &closed;
    status = dispatch(conn, timeout_ms < 0 ? -1 : paosi_wake_now() + timeout_ms, &told, &closed);
    if (!closed)
        conn->requests.closed = NULL;
    if (handled && (status == PAOS_OK || told > 0))
        *handled = told;
    return status;
}
