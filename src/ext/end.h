/*
 * end.h - what a file of the extension does when a transaction or the session ends.
 */
#ifndef PAOS_END_H
#define PAOS_END_H

#include "postgres.h"

#include "access/xact.h"
#include "storage/ipc.h"

/* Each may be NULL. */
typedef struct PaosEnds
{
    void (*before_commit)(void);
    void (*before_prepare)(void); /* may refuse it */
    void (*commit)(void);         /* the transaction is committed or prepared: no error any more */
    void (*abort)(void);          /* it is rolled back: likewise */
    /* What a subtransaction, or one inside it, has done; TopSubTransactionId: all there is. */
    void (*undo)(SubTransactionId subxact);
    pg_on_exit_callback session; /* while there is shared memory, and before locks go */
    bool known;                  /* to PostgreSQL */
} PaosEnds;

/* From now on they are called.  Any number of times; static storage. */
extern void PaosEndsRegister(PaosEnds *ends);

#endif
