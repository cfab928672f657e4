/*
 * frontend.c - the program at the other end of a session that is told of commits.
 *
 * A session that has more to tell every moment gains by taking its time, but only
 * while its client does nothing but listen: a command must not wait for that.
 */
#include "request.h"

#include <poll.h>
#include <time.h>

/* Their headers need not be there: without them the session's struct has the same layout. */
#undef ENABLE_GSS
#undef USE_OPENSSL

#include "access/xact.h"
#include "libpq/libpq.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"

#define MOMENT 500000L /* nanoseconds that a pause takes */

/* One that is told as often between two commands only listens. */
#define SILENT 2

bool PaosFrontendSilent(void)
{
    static TimestampTz command = 0;
    static int told = 0; /* times since that command */

    if (command != GetCurrentStatementStartTimestamp())
        told = 0;
    command = GetCurrentStatementStartTimestamp();
    told = Min(told + 1, SILENT + 1);
    /* A procedure commits while its command runs. */
    return told > SILENT && debug_query_string == NULL && MyProcPort != NULL;
}

/*
 * What the client has said may be here already.  Of TLS only the end of a message that is
 * longer than what is read at a time can be, unseen: that waits as long as we pause.
 */
bool PaosFrontendPause(void)
{
    struct pollfd client = {.fd = MyProcPort->sock, .events = POLLIN};
    const struct timespec moment = {.tv_nsec = MOMENT};

    return !pq_buffer_has_data() && ppoll(&client, 1, &moment, NULL) == 0 && !InterruptPending;
}

void PaosFrontendFlush(void)
{
    pq_flush();
}
