/*
 * subtransaction.c - running a function so that its errors end nothing but itself.
 *
 * Whoever writes works for requests of others: what fails on their account must not
 * fail the write.  So it runs in a subtransaction of its own, and an error comes back
 * as a value, in the memory context of the caller.  An error need not be the function's
 * fault: a cancelled statement has to stay cancelled, see PaosSubtransactionForgive.
 */
#include "paos.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

static ErrorData *Run(void (*function)(void *), void *arg, bool keep)
{
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    ErrorData *volatile error = NULL;

    BeginInternalSubTransaction(NULL);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        function(arg);
        if (keep)
            ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    if (error != NULL || !keep)
        RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return error;
}

ErrorData *PaosSubtransactionTry(void (*function)(void *), void *arg)
{
    return Run(function, arg, true);
}

ErrorData *PaosSubtransactionProbe(void (*function)(void *), void *arg)
{
    return Run(function, arg, false);
}

bool PaosSubtransactionForgive(ErrorData *error)
{
    if (error == NULL)
        return true;
    if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
        error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
        error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED)
        ReThrowError(error);
    FreeErrorData(error);
    return false;
}
