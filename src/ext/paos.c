/*
 * paos.c - what happens when the library is loaded.
 *
 * Loading through shared_preload_libraries and loading on first use must both
 * work: nothing here may rely on shared memory having been asked for.
 */
#include "durable.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void _PG_init(void)
{
    DefineCustomIntVariable("paos.max_requests", "Most live requests that a role may have.",
                            "Superusers may have any number.", &paos_max_requests,
                            paos_max_requests, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable(
        "paos.capture_limit", "Most changes to answers that a transaction keeps one by one.",
        "Beyond it, the requests concerned are told to look again.", &paos_capture_limit,
        paos_capture_limit, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable("paos.ring_size", "Commits whose events may wait for one before them.",
                            "Applies to the shared memory that is made by the first request.",
                            &paos_ring_size, paos_ring_size, 1, 1 << 24, PGC_SUSET, 0, NULL, NULL,
                            NULL);
    DefineCustomIntVariable("paos.mailbox_size", "Events that may wait for a session to take them.",
                            "Applies to the shared memory that is made by the first request.",
                            &paos_mailbox_size, paos_mailbox_size, 1, 1 << 24, PGC_SUSET, 0, NULL,
                            NULL, NULL);
    DefineCustomIntVariable("paos.durable_max_events",
                            "Most events that are kept for a durable request; 0: any number.",
                            "Beyond it they are removed and the request is told to look again.",
                            &paos_durable_max_events, paos_durable_max_events, 0, INT_MAX,
                            PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable(
        "paos.durable_max_age", "How long events are kept for a durable request; 0: for ever.",
        "Beyond it they are removed and the request is told to look again.", &paos_durable_max_age,
        paos_durable_max_age, 0, INT_MAX, PGC_SUSET, GUC_UNIT_MIN, NULL, NULL, NULL);
    MarkGUCPrefixReserved("paos");
    paos_preloaded = process_shared_preload_libraries_in_progress;
    PaosEventInit();
    PaosPreparedInit();
    PaosDiscardInit();
}
