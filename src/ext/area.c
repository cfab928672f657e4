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

/* The list; AddinShmemInitLock guards it. */
static Area *Areas(void)
{
    static Area *areas = NULL;
    bool found;

    if (areas != NULL)
        return areas;
    areas = ShmemInitStruct("paos areas", AREAS_MAX * sizeof(Area), &found);
    if (!found)
        memset(areas, 0, AREAS_MAX * sizeof(Area));
    return areas;
}

/* Exchanges an entry for another, the first that is; false: there is none. */
static bool Exchange(Area old, Area new)
{
    bool found = false;
    Area *areas;
    int i;

    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    areas = Areas();
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
    memcpy(copy, Areas(), AREAS_MAX * sizeof(Area));
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

void PaosAreaForget(dsa_area *area)
{
    (void) Exchange((Area){MyDatabaseId, dsa_get_handle(area)}, (Area){0});
    dsa_unpin(area);
}
