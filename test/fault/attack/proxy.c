/*
 * proxy.c - the network between some of the roles and the server.
 *
 * A process of its own between a port on the loopback and the socket of the
 * present primary.  What it does with the bytes is on the board.  Buffers are
 * small, so that a stalled connection soon stalls both its ends, as a real one.
 */
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAIRS_MAX 64
#define BUFFER 16384
#define DELAY_NS (INT64_C(40) * 1000000)

/* One direction: what was read from one end and not yet written to the other. */
typedef struct flow
{
    char bytes[BUFFER];
    int first, end;
    int64_t since; /* when the oldest of it was read */
} flow;

typedef struct pair
{
    int fds[2];    /* client, server; -1: not in use */
    flow flows[2]; /* from each end */
} pair;

static pair pairs[PAIRS_MAX];
static int listener;

int proxy_listen(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 ||
        listen(listener, 32) != 0 ||
        getsockname(listener, (struct sockaddr *) &address, &size) != 0)
        die("the proxy cannot listen: %s", strerror(errno));
    return ntohs(address.sin_port);
}

static int connect_primary(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/.s.PGSQL.%d", the->sockets,
             node_port(the->primary));
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0)
    {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* With RST instead of FIN where reset is asked for. */
static void drop(pair *p, bool reset)
{
    struct linger now = {1, 0};

    if (reset)
        setsockopt(p->fds[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(p->fds[0]);
    close(p->fds[1]);
    p->fds[0] = p->fds[1] = -1;
}

static void drop_all(bool reset)
{
    for (int i = 0; i < PAIRS_MAX; i++)
        if (pairs[i].fds[0] >= 0)
            drop(&pairs[i], reset);
}

static void accept_one(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    int i = 0;

    if (fd < 0)
        return;
    while (i < PAIRS_MAX && pairs[i].fds[0] >= 0)
        i++;
    if (i == PAIRS_MAX || the->network == NET_DROP || the->network == NET_RESET)
    {
        close(fd);
        return;
    }
    memset(pairs[i].flows, 0, sizeof(pairs[i].flows));
    pairs[i].fds[0] = fd;
    pairs[i].fds[1] = connect_primary();
    if (pairs[i].fds[1] < 0)
        drop(&pairs[i], false);
}

/* False when the end is closed. */
static bool fill(int fd, flow *f)
{
    ssize_t n = read(fd, f->bytes + f->end, sizeof(f->bytes) - f->end);

    if (n > 0 && f->end == f->first)
        f->since = clock_ns();
    if (n > 0)
        f->end += (int) n;
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool empty(int fd, flow *f)
{
    ssize_t n = send(fd, f->bytes + f->first, f->end - f->first, MSG_NOSIGNAL);

    if (n > 0)
        f->first += (int) n;
    if (f->first == f->end)
        f->first = f->end = 0;
    return n >= 0 || errno == EAGAIN;
}

static bool held_back(const flow *f)
{
    return the->network == NET_DELAY && clock_ns() - f->since < DELAY_NS;
}

/* Moves what can be moved; an end that is closed closes the other after what it had said. */
static void move(pair *p, const struct pollfd *fds)
{
    for (int end = 0; end < 2 && p->fds[0] >= 0; end++)
    {
        flow *f = &p->flows[end];
        bool open = true;

        if ((fds[end].revents & (POLLIN | POLLHUP | POLLERR)) && f->end < BUFFER)
            open = fill(p->fds[end], f);
        if (f->end > f->first && (!held_back(f) || !open) && !empty(p->fds[1 - end], f))
            open = false;
        if (!open)
            drop(p, false);
    }
}

static bool still(void)
{
    return the->network == NET_STALL || the->network == NET_HALFOPEN;
}

/* What begins or ends with a change of the network. */
static void turn(network from)
{
    if (the->network == NET_DROP)
        drop_all(false);
    if (the->network == NET_RESET || from == NET_HALFOPEN)
        drop_all(true);
}

static void serve(const seat *s)
{
    struct pollfd fds[2 + 2 * PAIRS_MAX] = {{s->wake[0], POLLIN, 0}, {listener, POLLIN, 0}};
    char bytes[64];

    for (int i = 0; i < PAIRS_MAX; i++)
        for (int end = 0; end < 2; end++)
        {
            const flow *back = &pairs[i].flows[1 - end];
            bool full = pairs[i].flows[end].end == BUFFER;
            short events = (short) ((full ? 0 : POLLIN) |
                                    (back->end > back->first && !held_back(back) ? POLLOUT : 0));

            fds[2 + 2 * i + end] = (struct pollfd){still() ? -1 : pairs[i].fds[end], events, 0};
        }
    if (poll(fds, COUNT(fds), the->network == NET_DELAY ? 5 : 1000) <= 0)
        return;
    if (fds[0].revents && read(s->wake[0], bytes, sizeof(bytes)) < 0)
        return;
    for (int i = 0; i < PAIRS_MAX && !still(); i++)
        if (pairs[i].fds[0] >= 0)
            move(&pairs[i], &fds[2 + 2 * i]);
    if (fds[1].revents && !still())
        accept_one();
}

void proxy_run(seat *s)
{
    network now = NET_PASS;

    for (int i = 0; i < PAIRS_MAX; i++)
        pairs[i].fds[0] = pairs[i].fds[1] = -1;
    while (the->phase != PHASE_END)
    {
        if (now != (network) the->network)
        {
            network from = now;

            now = the->network;
            turn(from);
        }
        the->network_applied = now;
        board_changed();
        serve(s);
    }
}
