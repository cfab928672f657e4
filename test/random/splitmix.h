/*
 * splitmix.h - random numbers that are the same everywhere for a seed (Steele, Lea and Flood,
 * 2014).
 */
#ifndef SPLITMIX_H
#define SPLITMIX_H

#include <stdint.h>

/* The seed, to begin with. */
static uint64_t state;

static unsigned below(unsigned n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned) ((z ^ z >> 31) % n);
}

#endif
