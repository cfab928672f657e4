/*
 * live_redis.c - who is told of a change by Redis: a client whose cache is invalidated
 * (CLIENT TRACKING, by prefix), on a server of its own that writes to the disk before it
 * answers, as PostgreSQL does.
 *
 * Its protocol is lines; those that begin with a key's prefix are all that a listener needs.
 */
#include "live.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define IDS_MAX 4000000
#define PREFIX "item:"

/* A connection, and what has come and is no whole line yet. */
typedef struct redis
{
    int fd;
    char text[8192];
    size_t used;
} redis;

typedef struct redis_peer
{
    child server;
    char directory[40], path[80];
    redis writers[LIVE_WRITERS], listener;
    size_t id, told; /* the last change, and how many were told of */
    unsigned char *times;
    bool tracking; /* the listener is told from here on */
} redis_peer;

/* ---- the protocol ---- */

static bool connect_redis(redis *redis, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memset(redis, 0, sizeof *redis);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    redis->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (redis->fd < 0)
        die("no socket for redis");
    if (connect(redis->fd, (struct sockaddr *) &address, sizeof address) == 0)
        return true;
    close(redis->fd);
    return false;
}

static void say(const redis *redis, const char *text)
{
    size_t size = strlen(text);

    if (send(redis->fd, text, size, MSG_NOSIGNAL) != (ssize_t) size)
        die("redis has gone");
}

/* Reads what there is, and hands over each line, without its end. */
static void hear(redis *redis, void (*take)(redis_peer *peer, const char *line), redis_peer *peer)
{
    ssize_t size = read(redis->fd, redis->text + redis->used, sizeof redis->text - redis->used - 1);
    char *line = redis->text, *end;

    if (size <= 0)
        die("redis has gone, or says too much");
    redis->used += (size_t) size;
    redis->text[redis->used] = 0;
    for (; (end = strstr(line, "\r\n")); line = end + 2)
    {
        *end = 0;
        if (line[0] == '-')
            die("redis: %s", line);
        take(peer, line);
    }
    redis->used -= (size_t) (line - redis->text);
    memmove(redis->text, line, redis->used);
}

static void wait_readable(const redis *redis)
{
    struct pollfd fd = {.fd = redis->fd, .events = POLLIN};

    if (poll(&fd, 1, PATIENCE_MS) <= 0)
        die("redis does not answer");
}

/* ---- changes, and what is told ---- */

static void send_change(redis_peer *r, redis *writer)
{
    char key[32], name[32], text[300];

    snprintf(key, sizeof key, PREFIX "%zu", ++r->id);
    snprintf(name, sizeof name, "item %zu", r->id);
    if (r->id >= IDS_MAX)
        die("too many rows for redis");
    snprintf(
        text, sizeof text,
        "*10\r\n$4\r\nHSET\r\n$%zu\r\n%s\r\n$4\r\nkind\r\n$2\r\n-1\r\n$4\r\nsize\r\n$1\r\n2\r\n"
        "$6\r\nweight\r\n$1\r\n0\r\n$4\r\nname\r\n$%zu\r\n%s\r\n",
        strlen(key), key, strlen(name), name);
    say(writer, text);
}

static void take_told(redis_peer *r, const char *line)
{
    size_t id;

    r->tracking |= strcmp(line, "tracking") == 0;
    if (strncmp(line, PREFIX, strlen(PREFIX)) != 0)
        return;
    id = strtoul(line + strlen(PREFIX), NULL, 10);
    if (id >= IDS_MAX || r->times[id]++ > 0)
        die("redis told of row %zu twice", id);
    r->told++;
}

static void take_nothing(redis_peer *r, const char *line)
{
    (void) r;
    (void) line;
}

static void check_ledger(const redis_peer *r)
{
    for (size_t id = 1; id <= r->id; id++)
        if (r->times[id] != 1)
            die("redis did not tell of row %zu", id);
}

static double change_one(void *state)
{
    redis_peer *r = state;
    double started = now();

    send_change(r, &r->writers[0]);
    while (r->told < r->id)
    {
        wait_readable(&r->listener);
        hear(&r->listener, take_told, r);
    }
    started = now() - started;
    wait_readable(&r->writers[0]);
    hear(&r->writers[0], take_nothing, r);
    check_ledger(r);
    return started;
}

/* A writer whose change was answered makes the next, until time is over. */
static live_burst change_many(void *state, double seconds)
{
    redis_peer *r = state;
    struct pollfd fds[LIVE_WRITERS + 1];
    size_t first = r->id, busy = LIVE_WRITERS;
    double started = now();

    for (int i = 0; i < LIVE_WRITERS; i++)
    {
        fds[i] = (struct pollfd){.fd = r->writers[i].fd, .events = POLLIN};
        send_change(r, &r->writers[i]);
    }
    fds[LIVE_WRITERS] = (struct pollfd){.fd = r->listener.fd, .events = POLLIN};
    while (busy > 0 || r->told < r->id)
    {
        if (poll(fds, LIVE_WRITERS + 1, PATIENCE_MS) <= 0)
            die("redis told of %zu of %zu rows", r->told, r->id);
        if (fds[LIVE_WRITERS].revents)
            hear(&r->listener, take_told, r);
        for (int i = 0; i < LIVE_WRITERS; i++)
        {
            if (!fds[i].revents)
                continue;
            hear(&r->writers[i], take_nothing, r);
            if (now() - started < seconds)
                send_change(r, &r->writers[i]);
            else
                busy--;
        }
    }
    seconds = now() - started;
    check_ledger(r);
    return (live_burst){seconds, r->id - first};
}

/* ---- the server ---- */

static bool start_server(redis_peer *r)
{
    /* Debian has the program in redis-tools too, under another name that it goes by. */
    static const char script[] = "command -v redis-server >/dev/null && exec redis-server \"$@\";"
                                 " exec -a redis-server redis-check-rdb \"$@\" 2>/dev/null";
    const char *const argv[] = {"bash",
                                "-c",
                                script,
                                "-",
                                "--port",
                                "0",
                                "--unixsocket",
                                r->path,
                                "--dir",
                                r->directory,
                                "--appendonly",
                                "yes",
                                "--appendfsync",
                                "always",
                                "--save",
                                "",
                                NULL};
    char line[1000];

    child_start(&r->server, argv);
    /* It tells of itself; its socket comes before the last line of that. */
    while (child_hear(&r->server, line, sizeof line))
        if (strstr(line, "ready to accept connections"))
            return connect_redis(&r->listener, r->path);
    return false;
}

static void close_peer(void *state)
{
    redis_peer *r = state;
    char command[80];

    for (int i = 0; i < LIVE_WRITERS; i++)
        if (r->writers[i].fd > 0)
            close(r->writers[i].fd);
    if (r->listener.fd > 0)
        close(r->listener.fd);
    child_end(&r->server);
    snprintf(command, sizeof command, "rm -rf '%s'", r->directory);
    if (system(command) != 0)
        table_note("%s was left behind", r->directory);
    free(r->times);
    free(r);
}

static void *open_peer(const bench *bench, const live_peer *peer, bool many)
{
    redis_peer *r = calloc(1, sizeof *r);

    (void) bench;
    (void) many;
    if (!r || !(r->times = calloc(IDS_MAX, 1)))
        die("out of memory");
    strcpy(r->directory, "/tmp/paos-bench-XXXXXX");
    if (!mkdtemp(r->directory))
        die("no directory for redis");
    snprintf(r->path, sizeof r->path, "%s/socket", r->directory);
    if (!start_server(r))
    {
        table_note("%s was left out; it needs redis-tools: tools/deps bench", peer->name);
        close_peer(r);
        return NULL;
    }
    for (int i = 0; i < LIVE_WRITERS; i++)
        if (!connect_redis(&r->writers[i], r->path))
            die("redis does not answer");
    say(&r->listener, "HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX " PREFIX "\r\nECHO tracking\r\n");
    /* The answer to the last of these is the last that comes before anything is told. */
    while (!r->tracking)
    {
        wait_readable(&r->listener);
        hear(&r->listener, take_told, r);
    }
    return r;
}

const live_peer live_redis = {.name = "Redis",
                              .means = "client-side caching, C",
                              .durable = true,
                              .open = open_peer,
                              .one = change_one,
                              .many = change_many,
                              .close = close_peer};
