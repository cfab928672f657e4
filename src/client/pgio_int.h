/*
 * pgio_int.h - what the two files that call libpq share: dial.c and pgio.c.
 */
#ifndef PAOSI_PGIO_INT_H
#define PAOSI_PGIO_INT_H

#include "paos_int.h"

#include <libpq-fe.h>

struct paosi_pgio
{
    PGconn *pg;               /* NULL once broken */
    char *message;            /* why it broke */
    PGnotify *next;           /* first of the notifications; libpq queues the others */
    bool pinging;             /* a sync was sent and has not come back */
    int doubt_ms;             /* after so much silence it is asked whether to go on waiting */
    bool (*alive)(void *arg); /* NULL: it is waited on for ever */
    void *arg;
};

/* Closes at once: what is left of the session, locks and all, must not outlive our use of it. */
void paosi_pgio_break_off(paosi_pgio *io);

#endif
