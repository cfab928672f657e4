/*
 * output.c - stdout, whose reader may be gone.
 *
 * A reader that has seen enough (`paos get … | head -1`) is no failure; a disk
 * that is full is.
 */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static bool lost = false;
static int reason = 0;

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

bool output_unread(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

bool output_flush(void)
{
    errno = 0;
    if (lost || (fflush(stdout) == 0 && !ferror(stdout)))
        return !lost;
    lost = true;
    reason = errno;
    return false;
}

int output_end(int status)
{
    /* EINTR: the signal that ends `paos watch`. */
    if (output_flush() || reason == EPIPE || reason == EINTR || output_unread())
        return status;
    failure_say("could not write the output%s%s", reason ? ": " : "",
                reason ? strerror(reason) : "");
    return STATUS_FAILED;
}
