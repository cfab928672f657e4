/*
 * base.c - clock, chance, and how processes of the run wake each other.
 *
 * Nobody waits by sleeping: a role waits on its pipe and its socket, the director
 * on the pipe that everyone who changes the board writes to.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

board *the;

/* The same for all processes of the machine, so that intervals can be compared. */
int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* splitmix64 */
uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int random_below(uint64_t *state, int limit)
{
    return (int) (random_next(state) % (uint64_t) limit);
}

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "attack: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(2);
}

static void drain(int fd)
{
    char bytes[256];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        ;
}

void role_wait(const seat *s, PGconn *pg, int ms)
{
    struct pollfd fds[2] = {{s->wake[0], POLLIN, 0}, {pg ? PQsocket(pg) : -1, POLLIN, 0}};

    if (poll(fds, 2, ms) > 0 && fds[0].revents)
        drain(s->wake[0]);
}

/* The pipes never block: when one is full its reader has something to read anyway. */
static void ring(int fd)
{
    ssize_t written = write(fd, "", 1);

    (void) written;
}

void board_changed(void)
{
    ring(the->wake[1]);
}

bool role_pauses(seat *s)
{
    if (the->phase != PHASE_PAUSE)
        return false;
    s->paused = the->round;
    board_changed();
    role_wait(s, NULL, 1000);
    return true;
}

void wake_role(const seat *s)
{
    ring(s->wake[1]);
}

bool wait_for(condition true_yet, void *arg, int limit_ms)
{
    int64_t end = clock_ns() + limit_ms * INT64_C(1000000);

    for (;;)
    {
        struct pollfd fd = {the->wake[0], POLLIN, 0};
        int64_t left = (end - clock_ns()) / 1000000;

        if (true_yet(arg))
            return true;
        if (left <= 0)
            return false;
        /* Some conditions are not on the board: they are looked at now and then. */
        if (poll(&fd, 1, left < 20 ? (int) left : 20) > 0)
            drain(the->wake[0]);
        roles_mend();
    }
}

static bool never(void *arg)
{
    (void) arg;
    return false;
}

/* How long an attack lasts. */
void pause_ms(int ms)
{
    wait_for(never, NULL, ms);
}
