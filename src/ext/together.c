/*
 * together.c - all requests on some classes that must look again, for one reason.
 *
 * A table that is emptied or rewritten concerns every request on it, and there may
 * be a million.  An event for each would keep the writer busy for seconds; when they
 * are very many they are marked after the commit instead, as if their events had
 * found no room, and each session tells its own.
 */
#include "request.h"

#include "access/xact.h"
#include "utils/memutils.h"

/* More requests than this are marked. */
#define EVENTS_MAX 1000

typedef struct Together
{
    List *classes; /* numbers */
    SubTransactionId subxact;
} Together;

static List *together = NIL; /* in the order of subtransactions, in TopTransactionContext */

void PaosTogetherNote(List *classes)
{
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    Together *one = palloc(sizeof(Together));

    one->classes = list_copy(classes);
    one->subxact = GetCurrentSubTransactionId();
    together = lappend(together, one);
    MemoryContextSwitchTo(previous);
}

bool PaosTogetherPending(void)
{
    return together != NIL;
}

void PaosTogetherUndo(SubTransactionId subxact)
{
    while (together != NIL && ((const Together *) llast(together))->subxact >= subxact)
        together = list_delete_last(together);
}

void PaosTogetherForget(void)
{
    together = NIL;
}

/* Those that anybody asks for. */
static List *Classes(PaosShared *shared)
{
    bool paths = pg_atomic_read_u32(&shared->paths) > 0;
    List *classes = NIL;
    ListCell *one;
    ListCell *cell;

    foreach (one, together)
        foreach (cell, ((const Together *) lfirst(one))->classes)
            if (paths || pg_atomic_read_u32(&shared->class_requests[lfirst_int(cell)]) > 0)
                classes = list_append_unique_int(classes, lfirst_int(cell));
    return classes;
}

/*
 * Whoever commits a transaction in two phases could mark nothing, and what durable
 * requests are told is written before the commit.
 */
void PaosTogetherDeliver(bool prepare)
{
    PaosShared *shared = PaosSharedAttached();
    List *classes = shared == NULL ? NIL : Classes(shared);
    bool many;
    List *ids;
    ListCell *cell;

    if (classes == NIL)
        return;
    ids = PaosRequestIds(shared, classes);
    many = !prepare && list_length(ids) > EVENTS_MAX;
    foreach (cell, ids)
    {
        int64 id = *(int64 *) lfirst(cell);

        if (!many || id >= PAOS_DURABLE_FIRST)
            PaosEventResync(id);
    }
    if (!many)
        return;
    PaosStatAdd(shared, PAOS_STAT_COMMITS, 1);
    PaosRingLose(classes);
}
