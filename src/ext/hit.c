/*
 * hit.c - the requests that a row satisfies, as it was or as it is.
 *
 * What an update has left alone is found, and evaluated, once for both versions.
 * Evaluating may run code of users and write rows, so this is entered again meanwhile:
 * all that is known of a row is on the stack or in the caller's memory context.
 */
#include "request.h"

#include "utils/memutils.h"

/* A request that a row satisfies. */
typedef struct Hit
{
    int64 request;
    bool before;
    bool after;
} Hit;

/* A condition that had to be evaluated for the row as it was. */
typedef struct Look
{
    int64 request;
    PaosMatchResult result;
} Look;

typedef struct Hits
{
    Oid relid;
    TupleTableSlot *before;
    TupleTableSlot *after;
    Hit *items;
    int n;
    int size;
    Look *looks;
    int nlooks;
    int looks_size;
    int next; /* look that may serve for the row as it is */
} Hits;

static void *Enlarge(void *items, int *size, Size each)
{
    *size = *size == 0 ? 16 : *size * 2;
    return items == NULL ? palloc(*size * each) : repalloc_huge(items, *size * each);
}

static void AddHit(Hits *hits, int64 request, bool before)
{
    if (hits->n == hits->size)
        hits->items = Enlarge(hits->items, &hits->size, sizeof(Hit));
    hits->items[hits->n++] = (Hit){request, before, !before};
}

static void AddLook(Hits *hits, int64 request, PaosMatchResult result)
{
    if (hits->nlooks == hits->looks_size)
        hits->looks = Enlarge(hits->looks, &hits->looks_size, sizeof(Look));
    hits->looks[hits->nlooks++] = (Look){request, result};
}

static void FoundBefore(int64 request, bool exact, void *arg)
{
    Hits *hits = arg;
    PaosMatchResult result = PaosRequestMatches(request, hits->relid, hits->before, exact);

    if (!exact && hits->after != NULL)
        AddLook(hits, request, result);
    if (result == PAOS_MATCH_YES)
        AddHit(hits, request, true);
    else if (result == PAOS_MATCH_UNKNOWN)
        PaosEventResync(request);
}

/*
 * What both versions may satisfy is told first and in the same order, so the next look is mostly
 * the one that is wanted; when it is not, the condition is evaluated again.
 */
static bool WasLookedAt(Hits *hits, int64 request, PaosMatchResult *result)
{
    if (hits->next == hits->nlooks || hits->looks[hits->next].request != request)
        return false;
    *result = hits->looks[hits->next++].result;
    return PaosRequestSeesSame(request, hits->before, hits->after);
}

static void FoundAfter(int64 request, bool exact, void *arg)
{
    Hits *hits = arg;
    PaosMatchResult result;

    if (exact || !WasLookedAt(hits, request, &result))
        result = PaosRequestMatches(request, hits->relid, hits->after, exact);
    if (result == PAOS_MATCH_YES)
        AddHit(hits, request, false);
    else if (result == PAOS_MATCH_UNKNOWN)
        PaosEventResync(request);
}

static void Find(Hits *hits, int class)
{
    PaosShared *shared = PaosSharedAttached();

    if (hits->before != NULL)
        PaosEventProbe();
    if (hits->after != NULL)
        PaosEventProbe();
    if (hits->before != NULL && hits->after != NULL)
        PaosIndexProbeUpdate(shared, class, hits->before, hits->after, FoundBefore, FoundAfter,
                             hits);
    else if (hits->before != NULL)
        PaosIndexProbe(shared, class, hits->before, FoundBefore, hits);
    else if (hits->after != NULL)
        PaosIndexProbe(shared, class, hits->after, FoundAfter, hits);
}

static int CompareHits(const void *a, const void *b)
{
    int64 left = ((const Hit *) a)->request;
    int64 right = ((const Hit *) b)->request;

    return left < right ? -1 : left > right;
}

/* One change for each request, however often and on whichever side it was found. */
void PaosHitsNote(int class, Oid relid, TupleTableSlot *before, TupleTableSlot *after, PaosRef ref,
                  PaosVersions versions)
{
    Hits hits = {.relid = relid, .before = before, .after = after};
    int first;
    int next;

    Find(&hits, class);
    if (hits.n > 1)
        qsort(hits.items, hits.n, sizeof(Hit), CompareHits);
    for (first = 0; first < hits.n; first = next)
    {
        Hit hit = hits.items[first];

        for (next = first + 1; next < hits.n && hits.items[next].request == hit.request; next++)
        {
            hit.before = hit.before || hits.items[next].before;
            hit.after = hit.after || hits.items[next].after;
        }
        PaosEventNote(hit.request, ref, versions, hit.before, hit.after);
    }
}
