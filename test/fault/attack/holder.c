/*
 * holder.c - takes rights and proves for which time it had them; and a poacher,
 * who writes without.
 *
 * A holder whose session is lost cannot know when the right was: so it logs as
 * proven only the time up to before a statement that its session went on to
 * answer.  Two proven times of one object may never overlap.
 */
#include "attack.h"

#include <stdlib.h>

typedef struct holder
{
    seat *seat;
    role_log log;
    PGconn *pg;
    uint64_t random;
} holder;

/* Writes the object under the right; its answer proves that it was held until it was asked. */
static bool use(holder *h, int tool)
{
    int64_t asked = clock_ns();
    PGresult *result = link_run(h->pg, "UPDATE tool SET n = n + 1, holder = '%s' WHERE id = %d",
                                h->seat->name, tool);

    if (result == NULL)
        return false;
    if (link_ok(result))
        log_line(&h->log, "P %d %lld", tool, (long long) asked);
    else if (link_failed_with(result, "55P03"))
        log_line(&h->log, "! tool %d: refused to its holder: %s", tool,
                 PQresultErrorMessage(result));
    PQclear(result);
    return true;
}

static bool hold(holder *h)
{
    int tool = 1 + random_below(&h->random, TOOLS);
    PGresult *result = link_run(h->pg, "SELECT paos.lock('tool:%d', wait => '200ms')", tool);
    bool held = result != NULL && link_ok(result) && PQgetvalue(result, 0, 0)[0] == 't';
    bool alive = result != NULL;

    PQclear(result);
    if (!held)
        return alive;
    log_line(&h->log, "B %d %lld", tool, (long long) clock_ns());
    for (int i = random_below(&h->random, 4); i >= 0 && alive; i--)
        alive = use(h, tool);
    if (!alive)
        return false;
    result = link_run(h->pg, "SELECT paos.release()");
    alive = result != NULL;
    PQclear(result);
    atomic_fetch_add(&h->seat->steps, 1);
    return alive;
}

/* Writes what it holds no right to: it may only while nobody else does. */
static bool poach(holder *h)
{
    int tool = 1 + random_below(&h->random, TOOLS);
    int64_t asked = clock_ns();
    PGresult *result = link_run(h->pg, "UPDATE tool SET n = n + 1, holder = '%s' WHERE id = %d",
                                h->seat->name, tool);
    bool alive = result != NULL;

    if (alive && link_ok(result))
        log_line(&h->log, "W %d %lld %lld", tool, (long long) asked, (long long) clock_ns());
    PQclear(result);
    atomic_fetch_add(&h->seat->steps, 1);
    return alive;
}

static bool step(holder *h)
{
    return h->seat->number == 0 ? poach(h) : hold(h);
}

void holder_run(seat *s)
{
    holder h = {.seat = s, .random = the->seed + 2000 + s->number};

    log_open(&h.log, s);
    while (the->phase != PHASE_END)
    {
        if (h.pg == NULL && (h.pg = link_open(s)) == NULL)
        {
            role_wait(s, NULL, 50);
            continue;
        }
        if (role_pauses(s))
            continue;
        log_turn(&h.log);
        if (!step(&h))
            link_close(s, &h.pg);
        /* Holders shall not keep the writers from the processor. */
        role_wait(s, NULL, 2);
    }
    if (h.pg != NULL)
        link_close(s, &h.pg);
}
