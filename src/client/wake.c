/*
 * wake.c - the one descriptor that programs wait on.
 *
 * All in it is level-triggered: what is not dealt with keeps it readable.
 */
#include "wake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int64_t paosi_wake_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

int64_t paosi_wake_later(int *delay, int first, int longest)
{
    *delay *= 2;
    if (*delay < first)
        *delay = first;
    if (*delay > longest)
        *delay = longest;
    return paosi_wake_now() + *delay;
}

void paosi_wake_init(paosi_wake *wake)
{
    wake->set = wake->counter = wake->timer = -1;
}

bool paosi_wake_watch(paosi_wake *wake, int fd, bool writing)
{
    struct epoll_event event = {.events = writing ? EPOLLOUT : EPOLLIN, .data = {.fd = fd}};

    return fd < 0 || epoll_ctl(wake->set, EPOLL_CTL_MOD, fd, &event) == 0 ||
           epoll_ctl(wake->set, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool paosi_wake_open(paosi_wake *wake)
{
    wake->set = epoll_create1(EPOLL_CLOEXEC);
    wake->counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return wake->set >= 0 && wake->counter >= 0 && wake->timer >= 0 &&
           paosi_wake_watch(wake, wake->counter, false) &&
           paosi_wake_watch(wake, wake->timer, false);
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void paosi_wake_close(paosi_wake *wake)
{
    close_one(&wake->set);
    close_one(&wake->counter);
    close_one(&wake->timer);
}

/* Neither can fail: the counter is 0 or 1. */
void paosi_wake_signal(paosi_wake *wake, bool on)
{
    uint64_t count = 1;
    ssize_t done = 0;

    if (wake->signalled == on || wake->counter < 0)
        return;
    wake->signalled = on;
    if (on)
        done = write(wake->counter, &count, sizeof count);
    else
        done = read(wake->counter, &count, sizeof count);
    (void) done;
}

void paosi_wake_at(paosi_wake *wake, int64_t time)
{
    struct itimerspec spec = {{0, 0}, {0, 0}};

    if (wake->due == time || wake->timer < 0)
        return;
    wake->due = time;
    if (time)
    {
        spec.it_value.tv_sec = (time_t) ((time - 1) / 1000);
        spec.it_value.tv_nsec = (long) ((time - 1) % 1000) * 1000000 + 1;
    }
    /* Setting it takes back that it had run out. */
    timerfd_settime(wake->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

paos_status paosi_wake_wait(paosi_wake *wake, int64_t until)
{
    struct pollfd fd = {wake->set, POLLIN, 0};
    int64_t left = until < 0 ? -1 : until - paosi_wake_now();

    if (until >= 0 && left < 0)
        left = 0;
    /* A signal is no reason to return: whoever waits looks at the clock again. */
    if (poll(&fd, 1, left > INT_MAX ? INT_MAX : (int) left) < 0 && errno != EINTR)
        return PAOS_NO_MEMORY;
    return PAOS_OK;
}
