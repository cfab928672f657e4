/*
 * path_watch.c - answers that follow references, while others write what they lead to.
 *
 * One transaction writes an object that refers, another the object referred to, and
 * neither sees what the other does until it commits: so what is found when a row is
 * matched need not be true when it is committed.  Hence each request with a path
 * counts the transactions that have woken it by what is at the far end of it: those
 * that have begun to and those that have ended.  Who matches a row looks at the
 * counts before, and again just before it commits.  If any was under way or has come
 * since, the request is told to look again instead, with this commit.
 *
 * What is left is a commit between that second look and one's own end: who wakes
 * requests waits, before committing, for those who are between the two.
 */
#include "request.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The fourth field of our advisory lock tag; rights have another. */
#define WATCH_LOCK 28771

/* A request with a path, and what this transaction has to do with it. */
typedef struct Watch
{
    int64 request; /* hash key */
    bool matched;  /* rows were matched with it */
    bool woken;    /* it was woken: counted as begun, and not yet as ended */
    bool unsure;
    uint32 begun; /* when first matched */
} Watch;

static HTAB *watches = NULL; /* in TopTransactionContext */

static Watch *WatchOf(int64 request)
{
    HASHCTL ctl = {
        .keysize = sizeof(int64), .entrysize = sizeof(Watch), .hcxt = TopTransactionContext};
    Watch *watch;
    bool found;

    if (watches == NULL)
        watches =
            hash_create("paos paths watched", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    watch = hash_search(watches, &request, HASH_ENTER, &found);
    if (!found)
        memset((char *) watch + sizeof(int64), 0, sizeof(Watch) - sizeof(int64));
    return watch;
}

/*
 * A snapshot to match a row with: the newest, since what a transaction commits must
 * be true of the present and not of the past that it sees.  Transactions that were
 * under way when the request was made may not have known that they should wake it.
 */
Snapshot PaosPathWatch(int64 request)
{
    PaosShared *shared = PaosSharedAttached();
    Watch *watch = WatchOf(request);
    PaosPathCount count;
    Snapshot snapshot;

    if (watch->matched)
        return GetLatestSnapshot();
    watch->matched = true;
    PaosRequestPathCount(shared, request, 0, 0, &count);
    watch->begun = count.begun;
    snapshot = GetLatestSnapshot();
    if (count.begun != count.ended || TransactionIdPrecedes(snapshot->xmin, count.born))
        watch->unsure = true;
    else if (TransactionIdIsValid(count.born))
        PaosRequestPathBorn(shared, request, count.born, InvalidTransactionId);
    return snapshot;
}

/* An object was written that may be at the end of a path of the request. */
void PaosPathWake(int64 request)
{
    Watch *watch = WatchOf(request);
    PaosPathCount count;

    PaosEventResync(request);
    if (watch->woken)
        return;
    PaosRequestPathCount(PaosSharedAttached(), request, 1, 0, &count);
    watch->woken = true;
}

static LOCKTAG WatchTag(void)
{
    LOCKTAG tag;

    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, WATCH_LOCK);
    return tag;
}

/* Waits for those who have had their second look and are about to commit. */
static void WaitForWatchers(void)
{
    LOCKTAG tag = WatchTag();

    (void) LockAcquire(&tag, ExclusiveLock, false, false);
    LockRelease(&tag, ExclusiveLock, false);
}

static void LookAgain(Watch *watch)
{
    PaosPathCount count;

    PaosRequestPathCount(PaosSharedAttached(), watch->request, 0, 0, &count);
    if (watch->unsure || count.begun != watch->begun)
        PaosEventResync(watch->request);
}

static void Count(bool *matched, bool *woken)
{
    HASH_SEQ_STATUS scan;
    Watch *watch;

    *matched = *woken = false;
    hash_seq_init(&scan, watches);
    while ((watch = hash_seq_search(&scan)) != NULL)
    {
        *matched = *matched || watch->matched;
        *woken = *woken || watch->woken;
    }
}

/*
 * Before the events are made.  A transaction in two phases may take days from here
 * to its commit, so it holds nothing and is never sure.
 */
void PaosPathBeforeCommit(bool prepare)
{
    LOCKTAG tag = WatchTag();
    HASH_SEQ_STATUS scan;
    Watch *watch;
    bool matched;
    bool woken;

    if (watches == NULL)
        return;
    Count(&matched, &woken);
    if (woken)
        WaitForWatchers();
    if (matched && !prepare)
        (void) LockAcquire(&tag, ShareLock, false, false);
    hash_seq_init(&scan, watches);
    while ((watch = hash_seq_search(&scan)) != NULL)
    {
        watch->unsure = watch->unsure || prepare;
        if (watch->matched)
            LookAgain(watch);
    }
}

/*
 * Whoever commits a prepared transaction does not know what it has begun, so that ends now, and
 * the request is as one that was made just now: nobody is sure of it while the transaction is
 * there, which every snapshot shows.
 */
static void EndWoken(bool prepared)
{
    PaosShared *shared = PaosSharedAttached();
    HASH_SEQ_STATUS scan;
    Watch *watch;
    PaosPathCount count;

    hash_seq_init(&scan, watches);
    while ((watch = hash_seq_search(&scan)) != NULL)
    {
        if (!watch->woken)
            continue;
        if (prepared)
            PaosRequestPathRestart(shared, watch->request);
        PaosRequestPathCount(shared, watch->request, 0, 1, &count);
    }
}

void PaosPathEnd(bool prepared)
{
    if (watches != NULL)
        EndWoken(prepared);
    watches = NULL;
}
