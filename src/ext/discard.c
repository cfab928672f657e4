/*
 * discard.c - DISCARD ALL: a session that begins anew.
 *
 * A pool of connections says it between two clients of one session.  The second must
 * neither be told what the first has asked nor write in its name.  Rights, and the names of
 * durable requests, are session locks, which PostgreSQL has released by then.  UNLISTEN, which
 * is part of it, ends nothing: it only says that the session will not be told.
 */
#include "durable.h"
#include "request_table.h"

#include "nodes/parsenodes.h"
#include "tcop/utility.h"

static ProcessUtility_hook_type next_hook = NULL;

static void Discard(void)
{
    ListCell *cell;

    foreach (cell, PaosRequestOwn())
        PaosRequestEnd(*(int64 *) lfirst(cell));
    PaosHoldsForget();
    PaosAuthorDiscard();
}

static void DiscardHook(PlannedStmt *statement, const char *text, bool read_only,
                        ProcessUtilityContext context, ParamListInfo params,
                        QueryEnvironment *environment, DestReceiver *destination,
                        QueryCompletion *completion)
{
    const DiscardStmt *discard = (const DiscardStmt *) statement->utilityStmt;
    bool all = IsA(discard, DiscardStmt) && discard->target == DISCARD_ALL;

    if (next_hook != NULL)
        next_hook(statement, text, read_only, context, params, environment, destination,
                  completion);
    else
        standard_ProcessUtility(statement, text, read_only, context, params, environment,
                                destination, completion);
    if (all)
        Discard();
}

void PaosDiscardInit(void)
{
    next_hook = ProcessUtility_hook;
    ProcessUtility_hook = DiscardHook;
}
