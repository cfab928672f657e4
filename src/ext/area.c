/*
 * area.c - which databases have shared memory, so that it can be given back.
 *
 * The area of a database stays when no session is attached to it, and the row that
 * says where it is goes with the database.  So there is a list of all areas, in the
 * main shared memory; who makes an area gives those back whose database was dropped.
 * The list is small enough to fit into what PostgreSQL has left over there: it need
 * not be asked for at the server's start, as preloading would.
 */
#include "request.h"

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/syscache.h"

/* More databases than this are not kept in the list; their areas stay. */
#define AREAS_MAX 512

typedef struct Area
{
    Oid database; /* InvalidOid: a free place */
    dsa_handle handle;
} Area;

typedef struct Areas
{
    uint64 last_request; /* of areas that are gone while sessions that knew them may not be */
    Area list[AREAS_MAX];
} Areas;

/* AddinShmemInitLock guards it. */
static Areas *Shared(void)
{
    static Areas *areas = NULL;
    bool found;

    if (areas != NULL)
        return areas;
    areas = ShmemInitStruct("paos areas", sizeof(Areas), &found);
    if (!found)
        memset(areas, 0, sizeof(Areas));
    return areas;
}

/* Exchanges an entry for another, the first that is; false: there is none. */
static bool Exchange(Area old, Area new)
{
    bool found = false;
    Area *areas;
    int i;

    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    areas = Shared()->list;
    for (i = 0; i < AREAS_MAX && !found; i++)
    {
        found = memcmp(&areas[i], &old, sizeof(Area)) == 0;
        if (found)
            areas[i] = new;
    }
    LWLockRelease(AddinShmemInitLock);
    return found;
}

/* Nobody else is attached, for nobody is connected to the database. */
static void GiveBack(dsa_handle handle)
{
    dsa_area *area = dsa_attach(handle);

    dsa_unpin(area);
    dsa_detach(area);
}

static void Sweep(void)
{
    Area *copy = palloc(AREAS_MAX * sizeof(Area));
    int i;

    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    memcpy(copy, Shared()->list, AREAS_MAX * sizeof(Area));
    LWLockRelease(AddinShmemInitLock);
    for (i = 0; i < AREAS_MAX; i++)
    {
        if (!OidIsValid(copy[i].database) ||
            SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(copy[i].database)))
            continue;
        if (Exchange(copy[i], (Area){0}))
            GiveBack(copy[i].handle);
    }
    pfree(copy);
}

void PaosAreaNote(dsa_area *area)
{
    Sweep();
    (void) Exchange((Area){0}, (Area){MyDatabaseId, dsa_get_handle(area)});
}

uint64 PaosAreaLastRequest(void)
{
    uint64 last;

    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    last = Shared()->last_request;
    LWLockRelease(AddinShmemInitLock);
    return last;
}

/* Requests of the area that comes next get other ids than those that sessions still know. */
void PaosAreaForget(dsa_area *area, uint64 last_request)
{
    Areas *areas;

    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    areas = Shared();
    areas->last_request = Max(areas->last_request, last_request);
    LWLockRelease(AddinShmemInitLock);
    (void) Exchange((Area){MyDatabaseId, dsa_get_handle(area)}, (Area){0});
    dsa_unpin(area);
}
