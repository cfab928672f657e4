/*
 * probe.c - does a server that does not answer still live?
 *
 * A statement may take its time, and a lock may be waited for without end, so
 * silence alone says nothing.  Another connection to the same server does: a
 * server that is stopped, or cut off, answers that neither, while one that works
 * lets it in or refuses it.  When there is none to connect to, TCP says so.
 */
#include "paos_int.h"

#include <poll.h>

/* Waits until the probe can go on (true), the connection itself has said something, or time is up.
 */
static bool wait_for_either(const paosi_pgio *probe, bool writing, const paosi_pgio *io,
                            int64_t until)
{
    struct pollfd fds[2] = {{paosi_pgio_fd(probe), writing ? POLLOUT : POLLIN, 0},
                            {paosi_pgio_fd(io), POLLIN, 0}};
    int64_t left = until - paosi_wake_now();

    return poll(fds, 2, left > 0 ? (int) left : 0) > 0 && !fds[1].revents;
}

static bool has_come(const paosi_pgio *io)
{
    struct pollfd fd = {paosi_pgio_fd(io), POLLIN, 0};

    return poll(&fd, 1, 0) > 0;
}

static bool is_alive(void *arg)
{
    const paos_conn *conn = arg;
    const paosi_dial dial = {conn->conninfo, "paos probe", conn->outage.silence, 0, conn->io};
    int64_t until = paosi_wake_now() + conn->outage.silence / 2;
    paosi_pgio *probe = NULL;
    paos_status status = paosi_dial_start(&dial, &probe);
    bool writing = true;

    /* Whoever has no memory to ask waits on. */
    if (status != PAOS_OK)
        return true;
    do
        status = wait_for_either(probe, writing, conn->io, until) ? paosi_dial_step(probe, &writing)
                                                                  : PAOS_TIMEOUT;
    while (status == PAOS_TIMEOUT && !has_come(conn->io) && paosi_wake_now() < until);
    paosi_pgio_close(probe);
    return status != PAOS_TIMEOUT || has_come(conn->io);
}

void paosi_probe_arm(paos_conn *conn)
{
    if (conn->io)
        paosi_pgio_doubt(conn->io, (conn->outage.silence + 1) / 2, is_alive, conn);
}
