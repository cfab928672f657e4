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

#endif
