/*
 * worker.c - the background worker that sends the events of a database.
 *
 * Started when somebody subscribes while there is none, and gone as soon as
 * there are no requests, so that it is never in the way of DROP DATABASE.  Many
 * commits become one NOTIFY transaction: what arrives while one is sent is the
 * next batch, so there is no delay when it is quiet and no queue when it is not.
 */
#include "request.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Commits in one NOTIFY transaction, at the most. */
#define BATCH_MAX 1000

bool paos_preloaded = false;

PGDLLEXPORT void paos_worker_main(Datum database);

void PaosWorkerWake(PaosShared *shared)
{
    int procno = (int) pg_atomic_read_u32(&shared->worker);

    if (procno > 0)
        SetLatch(&ProcGlobal->allProcs[procno - 1].procLatch);
}

/* Starts the worker unless one is there or on its way. */
void PaosWorkerStart(PaosShared *shared)
{
    BackgroundWorker worker = {.bgw_flags =
                                   BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
                               .bgw_start_time = BgWorkerStart_RecoveryFinished,
                               .bgw_restart_time = 1 /* second, after a failure */,
                               .bgw_main_arg = ObjectIdGetDatum(MyDatabaseId)};
    uint32 none = 0;

    if (!pg_atomic_compare_exchange_u32(&shared->worker_wanted, &none, 1))
        return;
    strlcpy(worker.bgw_library_name, "paos", BGW_MAXLEN);
    strlcpy(worker.bgw_function_name, "paos_worker_main", BGW_MAXLEN);
    snprintf(worker.bgw_name, BGW_MAXLEN, "paos worker");
    strlcpy(worker.bgw_type, "paos worker", BGW_MAXLEN);
    PaosSharedPass(worker.bgw_extra);
    if (RegisterDynamicBackgroundWorker(&worker, NULL))
        return;
    pg_atomic_write_u32(&shared->worker_wanted, 0);
    ereport(WARNING, errmsg("could not start the paos worker: events wait for it"),
            errhint("Raise max_worker_processes."));
}

/* After a failure the postmaster starts the worker again, which is still wanted. */
static void EndWorker(int code, Datum arg)
{
    pg_atomic_write_u32(&PaosSharedAttached()->worker, 0);
}

/*
 * May the worker go?  Whoever subscribes or commits after worker_wanted is 0
 * starts another; what came just before is looked at here.
 */
static bool MayEnd(PaosShared *shared)
{
    uint32 none = 0;

    if (pg_atomic_read_u32(&shared->live) > 0 || shared->tail != shared->head)
        return false;
    pg_atomic_write_u32(&shared->worker_wanted, 0);
    pg_memory_barrier();
    if (pg_atomic_read_u32(&shared->live) == 0 && shared->tail == shared->head)
        return true;
    return !pg_atomic_compare_exchange_u32(&shared->worker_wanted, &none, 1);
}

/* One NOTIFY transaction; false when there was nothing to send. */
static bool SendBatch(PaosShared *shared)
{
    uint64 n;

    if (shared->tail == shared->head && pg_atomic_read_u32(&shared->overflow) == 0)
        return false;
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    if (pg_atomic_exchange_u32(&shared->overflow, 0) != 0)
        PaosRequestResyncMarked(shared);
    n = PaosRingTake(shared, BATCH_MAX);
    PopActiveSnapshot();
    CommitTransactionCommand();
    PaosRingFree(shared, n);
    PaosStatAdd(shared, PAOS_STAT_BATCHES, 1);
    return n > 0;
}

static void Run(PaosShared *shared)
{
    pgstat_report_appname("paos worker");
    while (!ShutdownRequestPending)
    {
        pgstat_report_activity(STATE_RUNNING, "sending events to listeners");
        while (SendBatch(shared))
            CHECK_FOR_INTERRUPTS();
        if (MayEnd(shared))
            return;
        pgstat_report_activity(STATE_IDLE, "waiting for commits");
        (void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
}

/*
 * The postmaster starts a worker again and again that fails.  One without a
 * database to connect to, for that was dropped, must end as if it were done.
 */
static void EndUnconnected(int code, Datum connected)
{
    if (*(bool *) DatumGetPointer(connected))
        return;
    pg_atomic_write_u32(&PaosSharedAttached()->worker_wanted, 0);
    proc_exit(0);
}

/* NULL: the memory has gone, with the run of the server that this worker was started in. */
static PaosShared *AttachShared(void)
{
    PaosShared *shared = NULL;

    PG_TRY();
    {
        shared = PaosSharedReceive(MyBgworkerEntry->bgw_extra);
    }
    PG_CATCH();
    {
        FlushErrorState();
    }
    PG_END_TRY();
    return shared;
}

void paos_worker_main(Datum database)
{
    static bool connected = false;
    PaosShared *shared;

    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    shared = AttachShared();
    if (shared == NULL)
        proc_exit(0);
    before_shmem_exit(EndUnconnected, PointerGetDatum(&connected));
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid,
                                              BGWORKER_BYPASS_ALLOWCONN);
    connected = true;
    before_shmem_exit(EndWorker, (Datum) 0);
    pg_atomic_write_u32(&shared->worker, MyProc->pgprocno + 1);
    Run(shared);
    proc_exit(0);
}
