/*
 * proxy.c - a slow or broken network on one machine: passes on what a client and a
 * server send each other, later, in part, or not at all, as commands on stdin say.
 *
 *     proxy LISTEN TARGET        each a path of a unix socket, or a port of 127.0.0.1
 *
 * It says "ready" when it listens (port 0: "ready PORT"), and "ok" when a command has taken
 * effect, so that nobody has to sleep.  It ends with its stdin.  Commands:
 *
 *     delay MS     every byte takes so many milliseconds each way (a decimal number)
 *     stall        nothing is passed on any more, nobody is told
 *     resume       what was held up goes on
 *     cut          all connections are reset, on both sides
 *     cut-after N  the same once N more bytes have come from clients
 *     half-open    the server's sides are reset; the clients' stay open, and silent
 *     refuse       who connects is reset
 *     accept       is served again
 *     stats        "ok CONNECTIONS UP DOWN TURNS": connections so far, bytes from clients, bytes
 *                  from servers, and how often a client spoke after a server: round trips
 *     reset        these figures start from 0
 *
 * A delay is kept per chunk read, so that what was sent together arrives together.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINKS 512
#define CHUNK 65536
#define QUEUE_MAX (8 * 1024 * 1024) /* bytes held for one direction; more are left unread */

typedef struct chunk
{
    struct chunk *next;
    int64_t due; /* nanoseconds */
    size_t size, sent;
    char data[];
} chunk;

/* What is on its way from one side to the other. */
typedef struct queue
{
    chunk *first, *last;
    size_t bytes;
    bool ended; /* no more will come */
} queue;

enum
{
    CLIENT,
    SERVER
};

typedef struct connection
{
    int fds[2];      /* -1: closed */
    queue queues[2]; /* from that side */
} connection;

static connection links[LINKS];
static int listener;
static const char *target;
static int64_t delay;
static bool stalled, refusing;
static int64_t cut_after = -1;
static struct
{
    int64_t connections, bytes[2], turns;
    bool server_spoke;
} stats;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("proxy: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- sockets ---- */

typedef union address
{
    struct sockaddr any;
    struct sockaddr_un path;
    struct sockaddr_in port;
} address;

static socklen_t make_address(const char *text, address *out)
{
    memset(out, 0, sizeof *out);
    if (strchr(text, '/'))
    {
        out->path.sun_family = AF_UNIX;
        if (strlen(text) >= sizeof out->path.sun_path)
            die("path too long: %s", text);
        strcpy(out->path.sun_path, text);
        return sizeof out->path;
    }
    out->port.sin_family = AF_INET;
    out->port.sin_port = htons((uint16_t) atoi(text));
    out->port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof out->port;
}

static int open_socket(const char *text, address *address, socklen_t *size)
{
    int fd;

    *size = make_address(text, address);
    fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket: %s", strerror(errno));
    return fd;
}

static void start_listening(const char *text)
{
    address address;
    socklen_t size;
    int yes = 1;

    listener = open_socket(text, &address, &size);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address.any.sa_family == AF_UNIX)
        unlink(text);
    if (bind(listener, &address.any, size) != 0 || listen(listener, 64) != 0)
        die("cannot listen on %s: %s", text, strerror(errno));
    if (address.any.sa_family == AF_UNIX)
    {
        printf("ready\n");
        return;
    }
    getsockname(listener, &address.any, &size);
    printf("ready %d\n", ntohs(address.port.sin_port));
}

static void make_ready(int fd)
{
    int yes = 1;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    /* Fails on unix sockets, which send at once anyway. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* A reset, not an end: the other side must not take it for an orderly close. */
static void reset_socket(int *fd)
{
    const struct linger at_once = {1, 0};

    if (*fd < 0)
        return;
    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(*fd);
    *fd = -1;
}

/* ---- queues ---- */

static void queue_add(queue *q, const char *data, size_t size)
{
    chunk *c = malloc(sizeof *c + size);

    if (!c)
        die("out of memory");
    c->next = NULL;
    c->due = now() + delay;
    c->size = size;
    c->sent = 0;
    memcpy(c->data, data, size);
    if (q->first)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    q->bytes += size;
}

static void queue_drop(queue *q)
{
    chunk *c = q->first;

    q->first = c->next;
    q->bytes -= c->size;
    free(c);
}

static void queue_clear(queue *q)
{
    while (q->first)
        queue_drop(q);
    q->ended = false;
}

/* ---- connections ---- */

static bool is_free(const connection *l)
{
    return l->fds[CLIENT] < 0 && l->fds[SERVER] < 0;
}

static void cut(connection *l)
{
    for (int side = 0; side < 2; side++)
    {
        reset_socket(&l->fds[side]);
        queue_clear(&l->queues[side]);
    }
}

static void cut_all(void)
{
    for (int i = 0; i < LINKS; i++)
        cut(&links[i]);
}

static void half_open(connection *l)
{
    reset_socket(&l->fds[SERVER]);
    queue_clear(&l->queues[CLIENT]);
    queue_clear(&l->queues[SERVER]);
}

static void accept_client(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    address address;
    socklen_t size;
    int i;

    if (fd < 0)
        return;
    for (i = 0; i < LINKS && !is_free(&links[i]);)
        i++;
    if (refusing || i == LINKS)
    {
        reset_socket(&fd);
        return;
    }
    links[i].fds[CLIENT] = fd;
    links[i].fds[SERVER] = open_socket(target, &address, &size);
    stats.connections++;
    if (connect(links[i].fds[SERVER], &address.any, size) != 0)
    {
        cut(&links[i]);
        return;
    }
    make_ready(fd);
    make_ready(links[i].fds[SERVER]);
}

static void count(int side, size_t size)
{
    stats.bytes[side] += (int64_t) size;
    stats.turns += side == CLIENT && stats.server_spoke;
    stats.server_spoke = side == SERVER;
    if (side != CLIENT || cut_after < 0)
        return;
    cut_after -= (int64_t) size;
}

static void take(connection *l, int side)
{
    static char data[CHUNK];
    ssize_t size = read(l->fds[side], data, sizeof data);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0)
    {
        cut(l);
        return;
    }
    if (size == 0)
    {
        l->queues[side].ended = true;
        return;
    }
    /* Of what exceeds the limit nothing is passed on. */
    if (side == CLIENT && cut_after >= 0 && size > cut_after)
    {
        cut_after = -1;
        cut_all();
        return;
    }
    count(side, (size_t) size);
    /* What comes from a half-open side goes nowhere. */
    if (l->fds[!side] >= 0)
        queue_add(&l->queues[side], data, (size_t) size);
}

/* Passes on what is due from one side to the other. */
static void give(connection *l, int side)
{
    queue *q = &l->queues[side];
    int fd = l->fds[!side];

    while (fd >= 0 && q->first && q->first->due <= now())
    {
        chunk *c = q->first;
        ssize_t sent = send(fd, c->data + c->sent, c->size - c->sent, MSG_NOSIGNAL);

        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0)
        {
            cut(l);
            return;
        }
        c->sent += (size_t) sent;
        if (c->sent == c->size)
            queue_drop(q);
    }
    if (q->first || !q->ended)
        return;
    /* An orderly end, after all that came before it. */
    for (int i = 0; i < 2; i++)
    {
        if (l->fds[i] >= 0)
            close(l->fds[i]);
        l->fds[i] = -1;
        queue_clear(&l->queues[i]);
    }
}

/* ---- commands ---- */

static void obey(const char *line)
{
    double number = 0;

    if (sscanf(line, "delay %lf", &number) == 1)
        delay = (int64_t) (number * 1e6);
    else if (sscanf(line, "cut-after %lf", &number) == 1)
        cut_after = (int64_t) number;
    else if (strcmp(line, "stall") == 0 || strcmp(line, "resume") == 0)
        stalled = line[0] == 's';
    else if (strcmp(line, "cut") == 0)
        cut_all();
    else if (strcmp(line, "half-open") == 0)
        for (int i = 0; i < LINKS; i++)
            half_open(&links[i]);
    else if (strcmp(line, "refuse") == 0 || strcmp(line, "accept") == 0)
        refusing = line[0] == 'r';
    else if (strcmp(line, "reset") == 0)
        stats.connections = stats.bytes[CLIENT] = stats.bytes[SERVER] = stats.turns = 0;
    else if (strcmp(line, "stats") == 0)
    {
        printf("ok %lld %lld %lld %lld\n", (long long) stats.connections,
               (long long) stats.bytes[CLIENT], (long long) stats.bytes[SERVER],
               (long long) stats.turns);
        return;
    }
    else
    {
        printf("unknown command: %s\n", line);
        return;
    }
    printf("ok\n");
}

/* False at the end of stdin. */
static bool read_commands(void)
{
    static char text[4096];
    static size_t used;
    ssize_t size = read(STDIN_FILENO, text + used, sizeof text - used - 1);
    char *end;

    if (size <= 0)
        return false;
    used += (size_t) size;
    text[used] = 0;
    while ((end = strchr(text, '\n')))
    {
        *end = 0;
        obey(text);
        used -= (size_t) (end + 1 - text);
        memmove(text, end + 1, used + 1);
    }
    if (used == sizeof text - 1)
        die("command too long");
    return true;
}

/* ---- the loop ---- */

typedef struct polled
{
    struct pollfd fds[2 + 2 * LINKS];
    connection *links[2 + 2 * LINKS];
    int sides[2 + 2 * LINKS];
    nfds_t size;
    int64_t due; /* of the first chunk that waits; INT64_MAX: none */
} polled;

static void watch_side(polled *p, connection *l, int side)
{
    const queue *out = &l->queues[!side], *in = &l->queues[side];
    int events = 0;

    if (l->fds[side] < 0)
        return;
    if (in->bytes < QUEUE_MAX && !in->ended)
        events |= POLLIN;
    if (out->first && out->first->due <= now())
        events |= POLLOUT;
    else if (out->first && out->first->due < p->due)
        p->due = out->first->due;
    p->fds[p->size] = (struct pollfd){l->fds[side], (short) events, 0};
    p->links[p->size] = l;
    p->sides[p->size++] = side;
}

static void watch(polled *p)
{
    p->size = 2;
    p->due = INT64_MAX;
    p->fds[0] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
    p->fds[1] = (struct pollfd){listener, POLLIN, 0};
    for (int i = 0; !stalled && i < LINKS; i++)
        for (int side = 0; side < 2; side++)
            watch_side(p, &links[i], side);
}

static void wait_for(polled *p)
{
    int64_t left = p->due == INT64_MAX ? 0 : p->due - now();
    struct timespec time = {0, 0};

    if (left > 0)
        time = (struct timespec){left / 1000000000, left % 1000000000};
    ppoll(p->fds, p->size, p->due == INT64_MAX ? NULL : &time, NULL);
}

static void serve(const polled *p)
{
    for (nfds_t i = 2; i < p->size; i++)
    {
        connection *l = p->links[i];
        int side = p->sides[i];

        /* It may have been closed on behalf of one before it. */
        if (l->fds[side] != p->fds[i].fd)
            continue;
        if (p->fds[i].revents & (POLLIN | POLLHUP | POLLERR) && p->fds[i].events & POLLIN)
            take(l, side);
        give(l, side);
        give(l, !side);
    }
}

int main(int argc, char **argv)
{
    static polled p;

    if (argc != 3)
        die("usage: proxy LISTEN TARGET");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < LINKS; i++)
        links[i].fds[CLIENT] = links[i].fds[SERVER] = -1;
    target = argv[2];
    start_listening(argv[1]);
    for (;;)
    {
        watch(&p);
        wait_for(&p);
        if (p.fds[0].revents && !read_commands())
            break;
        if (p.fds[1].revents)
            accept_client();
        serve(&p);
    }
    if (strchr(argv[1], '/'))
        unlink(argv[1]);
    return 0;
}
