/*
 * end.c - what a file of the extension does when a transaction or the session ends.
 *
 * Shared memory knows no transactions: whoever writes there what a transaction has
 * to do with registers here what takes it back.  PostgreSQL calls those last that
 * were registered first.
 */
#include "end.h"

static void EndTransaction(XactEvent event, void *arg)
{
    const PaosEnds *ends = arg;

    if (event == XACT_EVENT_PRE_COMMIT && ends->before_commit != NULL)
        ends->before_commit();
    else if (event == XACT_EVENT_PRE_PREPARE && ends->before_prepare != NULL)
        ends->before_prepare();
    else if ((event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE) && ends->commit != NULL)
        ends->commit();
    else if (event == XACT_EVENT_ABORT && ends->abort != NULL)
        ends->abort();
    else if (event == XACT_EVENT_ABORT && ends->undo != NULL)
        ends->undo(TopSubTransactionId);
}

static void EndSubtransaction(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent,
                              void *arg)
{
    const PaosEnds *ends = arg;

    if (event == SUBXACT_EVENT_ABORT_SUB)
        ends->undo(subxact);
}

void PaosEndsRegister(PaosEnds *ends)
{
    if (ends->known)
        return;
    if (ends->session != NULL)
        before_shmem_exit(ends->session, (Datum) 0);
    RegisterXactCallback(EndTransaction, ends);
    if (ends->undo != NULL)
        RegisterSubXactCallback(EndSubtransaction, ends);
    ends->known = true;
}
