/*
 * outage.h - a connection that is lost, and its being made again.
 */
#ifndef PAOSI_OUTAGE_H
#define PAOSI_OUTAGE_H

#include "object.h"

/* What paos_conn_on is for, as indexes. */
enum
{
    PAOSI_TELL_LOST,
    PAOSI_TELL_RIGHTS,
    PAOSI_TELL_AGAIN,
    PAOSI_TELLINGS
};

typedef struct paosi_outage
{
    bool off;      /* it is not to be made again */
    bool final;    /* it cannot be: the server refuses */
    bool resuming; /* connected, and what there was is being set up again */
    int wait;      /* of calls for the end of an outage, in milliseconds */
    int silence;   /* without a sign of life, that count as lost; 0: any time */
    int64_t heard; /* when there was the last sign of life */
    int64_t next;  /* when to try again */
    int attempts;  /* in this outage */
    unsigned skip; /* of several hosts, those that let an attempt run out of time */
    uint64_t random;
    paosi_pgio *io;   /* being connected; NULL: none */
    int64_t deadline; /* for that */
    bool writing;     /* what its socket is waited on for */
    paos_conn_callback callbacks[PAOSI_TELLINGS];
    void *args[PAOSI_TELLINGS];
    bool tell[PAOSI_TELLINGS]; /* in the next dispatch */
    paosi_ids rights_lost;     /* to be told */
} paosi_outage;

/* A commit of which it is not known whether it was done. */
typedef struct paosi_unknown
{
    paos_list *objects; /* NULL: there is none */
    uint64_t xid;       /* 0: not known either */
    int backend;
    char timeline[16];
} paosi_unknown;

/* ---- reconnect.c ---- */

/* Notes that the connection broke; once for each time. */
void paosi_reconnect_lost(paos_conn *conn);
/* For calls that need the server: has a lost connection made again, within the caller's time. */
paos_status paosi_reconnect(paos_conn *conn);
/* Goes on with that without waiting.  PAOS_TIMEOUT: not there yet. */
paos_status paosi_reconnect_step(paos_conn *conn);
void paosi_reconnect_free(paos_conn *conn);
/* Sees to it that the server gives signs of life; PAOS_DISCONNECTED when it did not. */
paos_status paosi_reconnect_listen(paos_conn *conn);
/* When a dispatch is needed for any of this; 0: never. */
int64_t paosi_reconnect_due(const paos_conn *conn);

/* ---- probe.c ---- */

/* Bounds how long calls wait for a server that gives no sign of life, by the silence set. */
void paosi_probe_arm(paos_conn *conn);

/* ---- revalidate.c ---- */

/* Forgets what was loaded of all objects: nothing is known of their versions. */
void paosi_revalidate_nothing(paos_conn *conn);
/* Compares the versions of cached objects with the server's, in one round trip; NULL: of all. */
paos_status paosi_revalidate(paos_conn *conn, const paosi_ids *identities);

/* ---- signal.c ---- */

/* Tells what happened to the connection before its events, or after.  False: closed. */
bool paosi_signal_before(paos_conn *conn, size_t *handled, paos_status *status);
bool paosi_signal_after(paos_conn *conn, size_t *handled);
/* Is there something to be told to somebody? */
bool paosi_signal_waits(const paos_conn *conn);

#endif
