/*
 * query.c - the queries that are subscribed to, in paos's words, in SQL and in C.
 *
 * The C one says what each transaction of the ledger must have been told, the SQL
 * one what the answer is in the end: neither goes through the code under test.
 */
#include "attack.h"

static bool all(const item *i)
{
    (void) i;
    return true;
}

static bool high(const item *i)
{
    return i->grade >= 50;
}

static bool of_writer(const item *i)
{
    return i->writer == 1;
}

static bool between(const item *i)
{
    return i->grade > 20 && i->grade <= 60 && i->writer != 2;
}

static bool one_of(const item *i)
{
    return i->grade == 7 || i->grade == 33 || i->grade == 71 || i->grade < 10;
}

const watched watched_queries[] = {
    {"", "true", all},
    {"grade >= 50", "grade >= 50", high},
    {"writer == 1", "writer = 1", of_writer},
    {"grade > 20 and grade <= 60 and writer != 2", "grade > 20 AND grade <= 60 AND writer <> 2",
     between},
    {"grade in (7, 33, 71) or grade < 10", "grade IN (7, 33, 71) OR grade < 10", one_of},
};

const int nwatched = COUNT(watched_queries);

effect query_effect(const watched *query, const item *before, const item *after)
{
    bool was = before->grade >= 0 && query->matches(before);
    bool is = after->grade >= 0 && query->matches(after);

    /* A transaction that takes an object through no state of its own is never asked about. */
    if (was && is)
        return EFFECT_CHANGE;
    if (is)
        return EFFECT_ENTER;
    return was ? EFFECT_LEAVE : EFFECT_NONE;
}
