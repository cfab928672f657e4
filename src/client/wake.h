/*
 * wake.h - the one descriptor that programs wait on.
 *
 * It is an epoll set that holds the socket, a counter that is readable while
 * there is something to be told that did not come from the socket just now,
 * and a timer.  So it can stay the same when the socket does not, and a program
 * that waits never sleeps on what was received during some other call.
 */
#ifndef PAOSI_WAKE_H
#define PAOSI_WAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "paos.h"

typedef struct paosi_wake
{
    int set, counter, timer; /* -1: not open */
    bool signalled;
    int64_t due; /* when the timer is set to; 0: not */
} paosi_wake;

/* Monotonic time in milliseconds, never 0. */
int64_t paosi_wake_now(void);
/* When to try once more: each time twice as long after now, from `first` up to `longest`. */
int64_t paosi_wake_later(int *delay, int first, int longest);

/* Before anything else, as zero is a descriptor. */
void paosi_wake_init(paosi_wake *wake);
/* False: errno says why. */
bool paosi_wake_open(paosi_wake *wake);
void paosi_wake_close(paosi_wake *wake);
/* Has it watch a connection's socket, if it has one; that leaves by being closed. */
bool paosi_wake_watch(paosi_wake *wake, int fd, bool writing);
/* Makes the descriptor readable until it is set to false. */
void paosi_wake_signal(paosi_wake *wake, bool on);
/* Readable from that time on; 0: whenever something else makes it. */
void paosi_wake_at(paosi_wake *wake, int64_t time);
/* Waits until it is readable or that time has come; -1: for ever. */
paos_status paosi_wake_wait(paosi_wake *wake, int64_t until);

#endif
