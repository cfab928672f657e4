/*
 * faults.c - faults that the fault run must notice.
 *
 * Linked with the extension's own objects and -Wl,--wrap for the functions
 * below, so that the product has no hook for it.  PAOS_FAULT in the server's
 * environment chooses the fault; without it all is as ever.
 */
#include "durable.h"

#include "storage/procsignal.h"

void __real_PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after);
void __wrap_PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after);
void __real_PaosDurableNote(const PaosRequest *request, const PaosEvent *event);
void __wrap_PaosDurableNote(const PaosRequest *request, const PaosEvent *event);
int __real_SendProcSignal(pid_t pid, ProcSignalReason reason, BackendId backend);
int __wrap_SendProcSignal(pid_t pid, ProcSignalReason reason, BackendId backend);

/* Is this the fault that was chosen, and the one time in so many that it strikes? */
static bool Strikes(const char *fault, int *count, int once_in)
{
    const char *chosen = getenv("PAOS_FAULT");

    return chosen != NULL && strcmp(chosen, fault) == 0 && ++*count % once_in == 0;
}

/* event: what a row did to an answer is forgotten. */
void __wrap_PaosEventNote(int64 request, PaosRef ref, PaosVersions versions, bool before,
                          bool after)
{
    static int n = 0;

    if (!Strikes("event", &n, 100))
        __real_PaosEventNote(request, ref, versions, before, after);
}

/* durable: an event is not kept. */
void __wrap_PaosDurableNote(const PaosRequest *request, const PaosEvent *event)
{
    static int n = 0;

    if (!Strikes("durable", &n, 50))
        __real_PaosDurableNote(request, event);
}

/* wakeup: a session is not told that something has arrived for it. */
int __wrap_SendProcSignal(pid_t pid, ProcSignalReason reason, BackendId backend)
{
    static int n = 0;

    if (reason == PROCSIG_NOTIFY_INTERRUPT && Strikes("wakeup", &n, 20))
        return 0;
    return __real_SendProcSignal(pid, reason, backend);
}
