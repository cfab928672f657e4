/*
 * paos.c - what happens when the library is loaded.
 *
 * Loading through shared_preload_libraries and loading on first use must both
 * work: nothing here may rely on shared memory having been asked for.
 */
#include "paos.h"

#include "fmgr.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void _PG_init(void)
{
    MarkGUCPrefixReserved("paos");
}
