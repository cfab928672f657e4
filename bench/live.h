/*
 * live.h - tools that tell a program of a change, all in the same way for bench/live.c.
 *
 * First each makes a change at a time, then as many as it can; between the two everything
 * is closed and opened again.  Whatever was not told of, or told of twice, ends the program.
 */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include "bench.h"

/* Writers, while as many changes as possible are made. */
#define LIVE_WRITERS 8

typedef struct live_burst
{
    double seconds; /* until the last of them was told of */
    size_t changes;
} live_burst;

typedef struct live_peer
{
    const char *name, *means; /* what it is, and by what it is told */
    bool durable;             /* a change is on the disk before it is told of */
    /* For one change at a time, or many; NULL, with a note below the table: something is missing.
     */
    void *(*open)(const bench *bench, const struct live_peer *peer, bool many);
    /* Makes a change and waits until it was told of; seconds between. */
    double (*one)(void *state);
    /* Makes changes for so long, waits until all were told of. */
    live_burst (*many)(void *state, double seconds);
    void (*close)(void *state);
} live_peer;

/* ---- live_server.c: on a PostgreSQL server ---- */

extern const live_peer live_paos, live_trigger, live_logical;

/* ---- live_redis.c, live_pb.c: on servers of their own ---- */

extern const live_peer live_redis, live_pb;

#endif
