/*
 * index_sketch.c - says of most constants that nobody asks for them.
 *
 * A counting Bloom filter over the hashes of all constants: small enough for the
 * processor's cache, where the hash table itself is not.  "Perhaps" is always
 * allowed, "no" must be true: a counter that has been at its maximum stays there.
 * Outgrown filters are never freed, for somebody may be reading them without a
 * lock; all of them together are smaller than the present one.
 */
#include "index.h"

#define LINE_WORDS 16 /* of the processor's cache */
#define COUNTERS 16   /* in a word, of two bits */
#define COUNTER_MAX 3
#define LINES_FIRST 256
#define GROWTH 2
#define KEYS_PER_LINE 32 /* at most; so 1 in 20 absent constants is not known to be */

typedef struct Filter
{
    uint32 nlines;                 /* a power of 2 */
    uint32 unused[LINE_WORDS - 1]; /* keeps lines whole */
    pg_atomic_uint32 words[FLEXIBLE_ARRAY_MEMBER];
} Filter;

/* Both counters of a hash are in one line. */
typedef struct Place
{
    pg_atomic_uint32 *line;
    uint32 first;
    uint32 second;
} Place;

static dsa_pointer MakeFilter(dsa_area *area, uint32 nlines)
{
    Size size = offsetof(Filter, words) + (Size) nlines * LINE_WORDS * sizeof(pg_atomic_uint32);
    dsa_pointer pointer =
        dsa_allocate_extended(area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);

    if (DsaPointerIsValid(pointer))
        ((Filter *) dsa_get_address(area, pointer))->nlines = nlines;
    return pointer;
}

static Place PlaceOf(dsa_pointer pointer, dsa_area *area, uint64 hash)
{
    Filter *filter = dsa_get_address(area, pointer);
    uint32 line = (uint32) hash & (filter->nlines - 1);
    Place place = {filter->words + (Size) line * LINE_WORDS, (uint32) (hash >> 48) & 255,
                   (uint32) (hash >> 56)};

    return place;
}

static uint32 Count(const Place *place, uint32 counter)
{
    uint32 word = pg_atomic_read_u32(&place->line[counter / COUNTERS]);

    return word >> counter % COUNTERS * 2 & COUNTER_MAX;
}

/* Adds 1 or -1. */
static void Change(const Place *place, uint32 counter, int by)
{
    pg_atomic_uint32 *word = &place->line[counter / COUNTERS];
    uint32 shift = counter % COUNTERS * 2;
    uint32 old = pg_atomic_read_u32(word);

    while ((old >> shift & COUNTER_MAX) != COUNTER_MAX &&
           !pg_atomic_compare_exchange_u32(word, &old, old + ((uint32) by << shift)))
        ;
}

void PaosSketchInit(PaosSketch *sketch, dsa_area *area, int tranche)
{
    LWLockInitialize(&sketch->lock, tranche);
    pg_atomic_init_u32(&sketch->nkeys, 0);
    pg_atomic_init_u64(&sketch->filter, MakeFilter(area, LINES_FIRST));
    if (!DsaPointerIsValid(pg_atomic_read_u64(&sketch->filter)))
        ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of shared memory"));
}

void PaosSketchAsk(PaosSketch *sketch, dsa_area *area, uint64 hash)
{
    __builtin_prefetch(PlaceOf(pg_atomic_read_u64(&sketch->filter), area, hash).line);
}

bool PaosSketchMayHave(PaosSketch *sketch, dsa_area *area, uint64 hash)
{
    Place place = PlaceOf(pg_atomic_read_u64(&sketch->filter), area, hash);

    return Count(&place, place.first) != 0 && Count(&place, place.second) != 0;
}

void PaosSketchAdd(PaosSketch *sketch, dsa_area *area, uint64 hash)
{
    Place place = PlaceOf(pg_atomic_read_u64(&sketch->filter), area, hash);

    Assert(LWLockHeldByMe(&sketch->lock));
    Change(&place, place.first, 1);
    Change(&place, place.second, 1);
    pg_atomic_fetch_add_u32(&sketch->nkeys, 1);
}

void PaosSketchRemove(PaosSketch *sketch, dsa_area *area, uint64 hash)
{
    Place place = PlaceOf(pg_atomic_read_u64(&sketch->filter), area, hash);

    Assert(LWLockHeldByMe(&sketch->lock));
    Change(&place, place.first, -1);
    Change(&place, place.second, -1);
    pg_atomic_fetch_sub_u32(&sketch->nkeys, 1);
}

bool PaosSketchIsFull(PaosSketch *sketch, dsa_area *area)
{
    const Filter *filter = dsa_get_address(area, pg_atomic_read_u64(&sketch->filter));

    return pg_atomic_read_u32(&sketch->nkeys) / KEYS_PER_LINE >= filter->nlines;
}

/*
 * Growing: begin, add all keys again, end; the lock is held exclusively all the
 * while.  Without the memory for it there is no larger filter, and the present
 * one goes on, being wrong more often.
 */
dsa_pointer PaosSketchGrowBegin(PaosSketch *sketch, dsa_area *area)
{
    const Filter *filter = dsa_get_address(area, pg_atomic_read_u64(&sketch->filter));

    return MakeFilter(area, filter->nlines * GROWTH);
}

void PaosSketchGrowAdd(dsa_pointer larger, dsa_area *area, uint64 hash)
{
    Place place = PlaceOf(larger, area, hash);

    Change(&place, place.first, 1);
    Change(&place, place.second, 1);
}

void PaosSketchGrowEnd(PaosSketch *sketch, dsa_pointer larger)
{
    pg_write_barrier();
    pg_atomic_write_u64(&sketch->filter, larger);
}
