/*
 * wait.c - waiting for locks as long as an argument says and no longer.
 *
 * The lock manager keeps the time itself, by lock_timeout, and goes on finding
 * deadlocks meanwhile.  Whatever waits runs in a subtransaction that is rolled
 * back in any case: that gives back the setting and lets go of row locks, while
 * session-level locks survive it.
 */
#include "paos.h"

#include "utils/guc.h"
#include "utils/timestamp.h"

/* A time to wait, in milliseconds, out of an interval or NULL. */
int64 PaosWaitArgument(FunctionCallInfo fcinfo, int arg)
{
    Interval *wait;
    double ms;

    if (PG_ARGISNULL(arg))
        return PAOS_WAIT_FOREVER;
    wait = PG_GETARG_INTERVAL_P(arg);
    ms = wait->time / 1000.0 + (wait->day + wait->month * (double) DAYS_PER_MONTH) * 86400000.0;
    if (ms < 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("time to wait must not be negative"));
    if (ms > PG_INT32_MAX)
        return PAOS_WAIT_FOREVER;
    return ms > 0 && ms < 1 ? 1 : (int64) ms;
}

/* From here on no single wait may go beyond the deadline. */
void PaosWaitLimit(TimestampTz deadline)
{
    char setting[32];
    int64 left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

    snprintf(setting, sizeof(setting), INT64_FORMAT, Max(left, 1));
    SetConfigOption("lock_timeout", setting, PGC_USERSET, PGC_S_SESSION);
}

typedef struct Try
{
    bool (*function)(void *);
    void *arg;
    bool done;
} Try;

static void Run(void *arg)
{
    Try *try = arg;

    try->done = try->function(try->arg);
}

/*
 * Runs what may wait.  False when it says so, or when it ran out of the time
 * that was asked for; with PAOS_WAIT_FOREVER the caller's own lock_timeout is an
 * error as ever.
 */
bool PaosWaitTry(bool (*function)(void *), void *arg, int64 wait)
{
    Try try = {.function = function, .arg = arg};
    ErrorData *error = PaosSubtransactionProbe(Run, &try);

    if (error == NULL)
        return try.done;
    if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE || wait == PAOS_WAIT_FOREVER)
        ReThrowError(error);
    return false;
}
