/*
 * check_durable.c - was a durable subscriber given everything, in order?
 *
 * At least once: by its log.  Exactly once: by the table that it fills in the
 * transaction that acknowledges.  After a `resync`, what came before it need not be there.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

typedef struct given
{
    const ledger *ledger;
    const seat *seat;
    const watched *query;
    int *times;       /* of each transaction of the ledger */
    bool looked;      /* told to look again */
    char first[8192]; /* all that were under way when the request was made anew had ended then */
    long last[WRITERS_MAX];
} given;

static void read_given(given *g, const char *line)
{
    unsigned long long xid;
    long number;
    char resync;
    int used;
    const transaction *t;

    if (line[0] == 'G')
    {
        g->looked = true;
        sscanf(line, "G %*d %8191s", g->first);
    }
    if (sscanf(line, "D %ld %llu %c%n", &number, &xid, &resync, &used) != 3)
        return;
    if (resync == 't')
    {
        g->looked = true;
        return;
    }
    t = ledger_find(g->ledger, xid, g->query, line + used);
    if (t == NULL || (t->state != TX_COMMITTED && !t->surprise))
    {
        violation("%s was given transaction %llu, which %s: %s", g->seat->name, xid,
                  t == NULL ? "is unknown" : "was rolled back", line);
        return;
    }
    if (t->writer < 0)
        return;
    if (!ledger_fits(t, g->query, line + used) && !ledger_visible(xid, g->first))
        violation("%s was given writer-%d's transaction %ld (%llu) wrongly: %s", g->seat->name,
                  t->writer, t->n, xid, line);
    /* What is given again was given before. */
    if (g->times[t - g->ledger->items]++ > 0)
        return;
    if (t->n < g->last[t->writer])
        violation("%s was given writer-%d's transaction %ld after %ld", g->seat->name, t->writer,
                  t->n, g->last[t->writer]);
    g->last[t->writer] = t->n;
}

static bool concerns(const given *g, const transaction *t)
{
    for (int i = 0; i < t->nchanges; i++)
        if (query_effect(g->query, &t->changes[i].before, &t->changes[i].after) != EFFECT_NONE)
            return true;
    return false;
}

static void check_complete(const given *g)
{
    for (int i = 0; i < g->ledger->n && !g->looked; i++)
    {
        const transaction *t = &g->ledger->items[i];

        if (t->state == TX_COMMITTED && t->writer >= 0 && g->times[i] == 0 && concerns(g, t))
            violation("%s was not given writer-%d's transaction %ld (%llu)", g->seat->name,
                      t->writer, t->n, (unsigned long long) t->xid);
    }
}

/* The table must have each transaction once, and none that is not in the ledger. */
static void check_once(const given *g, PGconn *pg)
{
    PGresult *result = sql(pg,
                           "SELECT xid, count(*) FROM applied WHERE name = '%s' AND NOT resync "
                           "GROUP BY xid",
                           g->seat->name);

    memset(g->times, 0, g->ledger->n * sizeof(int));
    for (int row = 0; row < PQntuples(result); row++)
    {
        const transaction *t =
            ledger_find(g->ledger, strtoull(PQgetvalue(result, row, 0), NULL, 10), NULL, NULL);

        if (t == NULL || t->state != TX_COMMITTED || atoi(PQgetvalue(result, row, 1)) != 1)
            violation("%s has applied transaction %s %s times", g->seat->name,
                      PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
        else
            g->times[t - g->ledger->items] = 1;
    }
    PQclear(result);
    check_complete(g);
}

void check_durable(const ledger *l, PGconn *pg, const seat *s)
{
    given g = {.ledger = l, .seat = s, .query = &watched_queries[s->number % nwatched]};
    char path[700];
    char line[8192];
    FILE *file;

    log_path(path, sizeof(path), the->round, s->name, ".log");
    g.times = calloc(l->n + 1, sizeof(int));
    /* Nothing to log is nothing given. */
    if ((file = fopen(path, "r")) != NULL)
    {
        while (fgets(line, sizeof(line), file) != NULL)
            if (line[0] == '!')
                violation("%s: %s", s->name, line + 2);
            else if (strchr(line, '\n') != NULL)
                read_given(&g, line);
        fclose(file);
    }
    check_complete(&g);
    if (s->number > 0)
        check_once(&g, pg);
    free(g.times);
}
