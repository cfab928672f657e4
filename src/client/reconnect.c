/*
 * reconnect.c - noticing that the connection is lost, and making it again.
 *
 * Connecting goes on in steps that do not wait, so that a program with a loop
 * of its own is not held up.  What comes after it, in resume(), is a few round
 * trips whatever the number of requests and objects.
 */
#include "paos_int.h"

#include <poll.h>

/* Longest first delay, and longest of all, in milliseconds. */
#define DELAY_FIRST 100
#define DELAY_LONGEST 5000
/* Time for one attempt, unless silence counts as lost sooner. */
#define ATTEMPT_TIME 10000

/* ---- when ---- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Doubles with each attempt, and varies so that clients do not come all at once. */
static void plan_attempt(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    int64_t delay = DELAY_FIRST;
    int i;

    for (i = 0; i < outage->attempts && delay < DELAY_LONGEST; i++)
        delay *= 2;
    if (delay > DELAY_LONGEST)
        delay = DELAY_LONGEST;
    if (!outage->random)
        outage->random = ((uint64_t) (uintptr_t) conn ^ (uint64_t) paosi_wake_now() << 20) | 1;
    delay = delay / 2 + (int64_t) (next_random(&outage->random) % (uint64_t) (delay / 2 + 1));
    outage->next = paosi_wake_now() + delay;
}

static void drop_parts(paosi_requests *requests)
{
    paosi_request *request;

    for (request = requests->first; request; request = request->next)
        paosi_payload_free(&request->partial);
}

void paosi_reconnect_lost(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;

    if (conn->broken)
        return;
    conn->broken = true;
    drop_parts(&conn->requests);
    if (!outage->resuming)
    {
        outage->tell[PAOSI_TELL_LOST] = true;
        outage->tell[PAOSI_TELL_AGAIN] = false;
        outage->attempts = 0;
        outage->skip = 0;
    }
    if (conn->rights.size > 0)
    {
        paosi_free(outage->rights_lost.items);
        outage->rights_lost = conn->rights;
        memset(&conn->rights, 0, sizeof conn->rights);
        outage->tell[PAOSI_TELL_RIGHTS] = true;
    }
    plan_attempt(conn);
    paosi_dispatch_arm(conn);
}

void paosi_reconnect_free(paos_conn *conn)
{
    paosi_pgio_close(conn->outage.io);
    paosi_free(conn->outage.rights_lost.items);
}

int64_t paosi_reconnect_due(const paos_conn *conn)
{
    const paosi_outage *outage = &conn->outage;

    if (conn->broken)
        return outage->off || outage->final ? 0 : outage->io ? outage->deadline : outage->next;
    if (outage->silence == 0 || !conn->io)
        return 0;
    return outage->heard + (paosi_pgio_pinging(conn->io) ? outage->silence : outage->silence / 2);
}

paos_status paosi_reconnect_listen(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    int64_t now = paosi_wake_now();

    if (outage->silence == 0)
        return PAOS_OK;
    if (paosi_pgio_pending(conn->io))
        outage->heard = now;
    if (outage->heard + outage->silence / 2 > now)
        return PAOS_OK;
    if (!paosi_pgio_pinging(conn->io))
        return paosi_pgio_ping(conn->io) ? PAOS_OK : PAOS_DISCONNECTED;
    if (outage->heard + outage->silence > now)
        return PAOS_OK;
    paosi_pgio_break(conn->io, "the server gave no sign of life");
    return PAOS_DISCONNECTED;
}

/* ---- what comes after connecting ---- */

static paos_status resume(paos_conn *conn)
{
    char timeline[sizeof conn->timeline];
    paos_status status;

    memcpy(timeline, conn->timeline, sizeof timeline);
    paosi_coherent_restart(conn);
    status = paosi_introduce(conn);
    if (status == PAOS_OK && conn->catalog_known)
        status = paosi_catalog_load(conn, NULL, NULL);
    if (status == PAOS_OK && strcmp(timeline, conn->timeline) != 0)
        paosi_revalidate_nothing(conn);
    if (status == PAOS_OK)
        status = paosi_look_anew(conn);
    if (status == PAOS_OK)
        status = paosi_revalidate(conn, NULL);
    /* To be seen as another one again by the attempt that succeeds. */
    if (status != PAOS_OK)
        memcpy(conn->timeline, timeline, sizeof timeline);
    return status;
}

/* Takes over a new connection.  Whatever fails then is one more failed attempt. */
static paos_status take_over(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    paos_status status;

    paosi_pgio_close(conn->io);
    conn->io = outage->io;
    outage->io = NULL;
    conn->broken = false;
    paosi_probe_arm(conn);
    outage->heard = paosi_wake_now();
    outage->resuming = true;
    paosi_wake_watch(&conn->wake, paosi_pgio_fd(conn->io), false);
    status = resume(conn);
    if (status != PAOS_OK && !conn->broken)
        paosi_conn_break(conn);
    outage->resuming = false;
    if (status != PAOS_OK)
        return status;
    outage->attempts = 0;
    outage->tell[PAOSI_TELL_AGAIN] = true;
    return PAOS_OK;
}

/* ---- connecting ---- */

static paos_status fail(paos_conn *conn, paos_status status)
{
    paosi_outage *outage = &conn->outage;
    const char *message = outage->io ? paosi_pgio_message(outage->io) : "";

    outage->final = status == PAOS_REFUSED;
    paosi_fail_detail(conn, status, paos_status_text(status), message, "");
    paosi_pgio_close(outage->io);
    outage->io = NULL;
    outage->attempts++;
    plan_attempt(conn);
    return outage->final ? PAOS_REFUSED : PAOS_TIMEOUT;
}

static paos_status start(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    const paosi_dial dial = {.conninfo = conn->conninfo,
                             .application = conn->application,
                             .silence_ms = outage->silence,
                             .skip = outage->skip};
    paos_status status = paosi_dial_start(&dial, &outage->io);

    if (status == PAOS_NO_MEMORY)
    {
        plan_attempt(conn);
        return paosi_fail_memory(conn);
    }
    outage->deadline =
        paosi_wake_now() +
        (outage->silence && outage->silence < ATTEMPT_TIME ? outage->silence : ATTEMPT_TIME);
    outage->writing = true;
    /* Its first step is for a socket that can be written to. */
    paosi_wake_watch(&conn->wake, paosi_pgio_fd(outage->io), true);
    return PAOS_OK;
}

/* A step before the socket is ready for what it was waited for would not be as documented. */
static bool is_ready(const paosi_outage *outage)
{
    struct pollfd fd = {paosi_pgio_fd(outage->io), outage->writing ? POLLOUT : POLLIN, 0};

    return fd.fd < 0 || poll(&fd, 1, 0) != 0;
}

static paos_status step(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    paos_status status = paosi_dial_step(outage->io, &outage->writing);

    if (status == PAOS_TIMEOUT)
    {
        paosi_wake_watch(&conn->wake, paosi_pgio_fd(outage->io), outage->writing);
        return PAOS_TIMEOUT;
    }
    if (status != PAOS_OK)
        return fail(conn, status);
    status = take_over(conn);
    if (status == PAOS_OK)
        return PAOS_OK;
    outage->attempts++;
    plan_attempt(conn);
    /* No extension any more: that is for good, until somebody does something. */
    outage->final = status == PAOS_INVALID;
    return outage->final ? status : PAOS_TIMEOUT;
}

/* Steps that need not wait follow each other. */
static paos_status go_on(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    paos_status status;

    for (;;)
    {
        if (!is_ready(outage))
        {
            if (paosi_wake_now() < outage->deadline)
                return PAOS_TIMEOUT;
            paosi_pgio_break(outage->io, "the server took too long to connect to");
            /* It would be tried first again, and the others never. */
            outage->skip++;
            return fail(conn, PAOS_DISCONNECTED);
        }
        status = step(conn);
        if (status != PAOS_TIMEOUT || !outage->io)
            return status;
    }
}

/* Why there is no connection, unless that was just said. */
static paos_status fail_lost(paos_conn *conn)
{
    paos_status status = conn->outage.final ? PAOS_REFUSED : PAOS_DISCONNECTED;

    if (conn->outage.final && conn->error.shown.status == status)
        return status;
    return paosi_fail_detail(conn, status, paos_status_text(status),
                             conn->io ? paosi_pgio_message(conn->io) : "", "");
}

paos_status paosi_reconnect_step(paos_conn *conn)
{
    paosi_outage *outage = &conn->outage;
    paos_status status = PAOS_OK;

    if (!conn->broken)
        return PAOS_OK;
    if (outage->off || outage->final)
        return fail_lost(conn);
    if (!outage->io && paosi_wake_now() < outage->next)
        return PAOS_TIMEOUT;
    if (!outage->io)
        status = start(conn);
    return status == PAOS_OK ? go_on(conn) : status;
}

/* For the socket or the next attempt, but not beyond a time. */
static void wait_for_it(const paosi_outage *outage, int64_t until)
{
    struct pollfd fd = {-1, 0, 0};
    int64_t end = outage->io ? outage->deadline : outage->next;
    int64_t left;

    if (outage->io)
        fd.fd = paosi_pgio_fd(outage->io);
    fd.events = outage->writing ? POLLOUT : POLLIN;
    if (until >= 0 && until < end)
        end = until;
    left = end - paosi_wake_now();
    poll(&fd, 1, left > 0 ? (int) left : 0);
}

paos_status paosi_reconnect(paos_conn *conn)
{
    int64_t until;
    paos_status status;

    if (!conn->broken)
        return PAOS_OK;
    until = conn->outage.wait < 0 ? -1 : paosi_wake_now() + conn->outage.wait;
    for (;;)
    {
        status = paosi_reconnect_step(conn);
        paosi_dispatch_arm(conn);
        if (status != PAOS_TIMEOUT)
            return status;
        if (until >= 0 && paosi_wake_now() >= until)
            return fail_lost(conn);
        wait_for_it(&conn->outage, until);
    }
}
