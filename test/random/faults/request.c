/*
 * request.c - faults for requests, which their oracle must notice.
 *
 * Linked with the extension's own objects and -Wl,--wrap for the functions
 * below, so that the product has no hook for it.  PAOS_FAULT in the server's
 * environment chooses the fault; without it all is as ever.
 */
#include "request.h"

#include "access/xact.h"

void __real_PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after);
void __wrap_PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after);
List *__real_PaosFile(Expr *condition, TupleDesc desc);
List *__wrap_PaosFile(Expr *condition, TupleDesc desc);
void __real_PaosEventInit(void);
void __wrap_PaosEventInit(void);
void __real_RegisterSubXactCallback(SubXactCallback callback, void *arg);
void __wrap_RegisterSubXactCallback(SubXactCallback callback, void *arg);

void __real_PaosPathWake(int64 request);
void __wrap_PaosPathWake(int64 request);
void __real_PaosPathBeforeCommit(bool prepare);
void __wrap_PaosPathBeforeCommit(bool prepare);

bool __real_PaosRequestSeesSame(int64 id, TupleTableSlot *before, TupleTableSlot *after);
bool __wrap_PaosRequestSeesSame(int64 id, TupleTableSlot *before, TupleTableSlot *after);

static bool in_event_init = false;

static bool Has(const char *fault)
{
    const char *chosen = getenv("PAOS_FAULT");

    return chosen != NULL && strcmp(chosen, fault) == 0;
}

/* event: one change in a hundred is lost, but none of the first request: the oracle waits by it. */
void __wrap_PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after)
{
    static int n = 0;

    if (Has("event") && request > 1 && ++n % 100 == 0)
        return;
    __real_PaosEventNote(request, ref, versions, before, after);
}

/* bound: what is filed between bounds does not find its lower one. */
List *__wrap_PaosFile(Expr *condition, TupleDesc desc)
{
    List *filings = __real_PaosFile(condition, desc);
    ListCell *cell;

    foreach (cell, filings)
        if (Has("bound"))
            ((PaosFiling *) lfirst(cell))->low_inclusive = false;
    return filings;
}

/* savepoint: what a savepoint did is told although it was rolled back. */
void __wrap_PaosEventInit(void)
{
    in_event_init = true;
    __real_PaosEventInit();
    in_event_init = false;
}

void __wrap_RegisterSubXactCallback(SubXactCallback callback, void *arg)
{
    if (!in_event_init || !Has("savepoint"))
        __real_RegisterSubXactCallback(callback, arg);
}

/* watch: what others do to the end of a path meanwhile is not looked at. */
void __wrap_PaosPathBeforeCommit(bool prepare)
{
    if (!Has("watch"))
        __real_PaosPathBeforeCommit(prepare);
}

/* path: of the changes at the end of a path every fifth wakes nobody. */
void __wrap_PaosPathWake(int64 request)
{
    static int n = 0;

    if (!Has("path") || ++n % 5 != 0)
        __real_PaosPathWake(request);
}

/* same: an update never changes what was evaluated of a row. */
bool __wrap_PaosRequestSeesSame(int64 id, TupleTableSlot *before, TupleTableSlot *after)
{
    return Has("same") || __real_PaosRequestSeesSame(id, before, after);
}
