/*
 * oo.h - what the object benchmarks OO1 and OO7 share: numbers that are as random
 * as they need to be and the same everywhere, and what a walk comes to.
 */
#ifndef BENCH_OO_H
#define BENCH_OO_H

#include "bench.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>

/* 0 to n - 1 (splitmix64); the state is any number at first. */
static inline int32_t oo_random(uint64_t *state, int32_t n)
{
    uint64_t bits = *state += UINT64_C(0x9E3779B97F4A7C15);

    bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
    return (int32_t) ((bits ^ bits >> 31) % (uint64_t) n);
}

/* What an operation did: how often, and a sum over what it saw. */
typedef struct oo_tally
{
    int64_t count;
    int64_t sum;
} oo_tally;

/* The procedure that the benchmarks call for each part: it needs the part's values. */
static inline void oo_touch(oo_tally *tally, int32_t id, int32_t x, int32_t y)
{
    tally->count++;
    tally->sum += id ^ (x + 3 * y);
}

/* ---- oo_net.c ---- */

typedef struct oo_net
{
    child proxy;
    char directory[40];
    char conninfo[400]; /* of the server, through the proxy */
} oo_net;

/* What went through it since the command "reset". */
typedef struct oo_traffic
{
    int64_t trips, bytes;
} oo_traffic;

void oo_net_open(oo_net *net, PGconn *server);
void oo_net_close(oo_net *net);
/* A command of tools/proxy.c; traffic is wanted of "stats" only. */
void oo_net_say(oo_net *net, const char *command, oo_traffic *traffic);

#endif
