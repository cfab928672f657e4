/*
 * ledger.c - what was committed in a round, by what the writers have logged.
 *
 * Confirmed, refused, or settled afterwards: after a pause nothing is open.  The
 * table itself must be what the ledger says, or PostgreSQL has lost a commit.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

static transaction *add(ledger *l)
{
    if (l->n == l->size)
    {
        l->size = l->size == 0 ? 1024 : l->size * 2;
        l->items = realloc(l->items, l->size * sizeof(transaction));
        if (l->items == NULL)
            die("no memory");
    }
    memset(&l->items[l->n], 0, sizeof(transaction));
    return &l->items[l->n++];
}

static void read_try(ledger *l, int writer, const char *line)
{
    transaction *t = add(l);
    unsigned long long xid;
    int used;

    t->writer = writer;
    if (sscanf(line, "T %ld %llu %ld%n", &t->n, &xid, &t->clock, &used) != 3)
        die("not a line of a writer's log: %s", line);
    t->xid = xid;
    for (line += used; *line == ' '; line += used)
    {
        change *c = &t->changes[t->nchanges++];

        if (sscanf(line, " %d,%d,%ld,%d%n", &c->before.id, &c->before.grade, &c->before.seq,
                   &c->after.grade, &used) != 4)
            die("not a line of a writer's log: %s", line);
        c->before.writer = c->after.writer = writer;
        c->after.id = c->before.id;
        c->after.seq = t->n;
    }
}

static void read_outcome(ledger *l, int writer, const char *line)
{
    long n = atol(line + 2);

    for (int i = l->n - 1; i >= 0; i--)
    {
        transaction *t = &l->items[i];

        if (t->writer != writer || t->n != n)
            continue;
        if (line[0] == '?')
            t->surprise = true;
        else
            t->state = line[0] == 'K' ? TX_COMMITTED : TX_ABORTED;
        return;
    }
    violation("writer-%d has an outcome of transaction %ld and no transaction", writer, n);
}

static void read_writer(ledger *l, int writer, FILE *file)
{
    char line[1024];

    while (fgets(line, sizeof(line), file) != NULL)
    {
        if (strchr(line, '\n') == NULL)
            continue;
        if (line[0] == 'T')
            read_try(l, writer, line);
        else if (line[0] == 'K' || line[0] == 'A' || line[0] == '?')
            read_outcome(l, writer, line);
    }
}

static void read_truncate(ledger *l, FILE *file)
{
    unsigned long long xid;
    long clock;

    while (fscanf(file, "Z %llu %ld\n", &xid, &clock) == 2)
    {
        transaction *t = add(l);

        t->writer = -1;
        t->xid = xid;
        t->clock = clock;
        t->state = TX_COMMITTED;
    }
}

static int by_clock(const void *a, const void *b)
{
    const transaction *left = a;
    const transaction *right = b;

    return (left->clock > right->clock) - (left->clock < right->clock);
}

/* What a transaction found must be what the one before it left. */
static void apply(ledger *l, const transaction *t)
{
    for (int i = 1; t->writer < 0 && i <= ITEMS; i++)
        l->state[i].grade = -1;
    for (int i = 0; i < t->nchanges; i++)
    {
        const change *c = &t->changes[i];
        item *state = &l->state[c->after.id];

        if (state->grade != c->before.grade || (state->grade >= 0 && state->seq != c->before.seq))
            violation("writer-%d's transaction %ld found item %d with grade %d of %ld, where "
                      "grade %d of %ld had been committed",
                      t->writer, t->n, c->after.id, c->before.grade, c->before.seq, state->grade,
                      state->seq);
        *state = c->after;
    }
}

void ledger_read(ledger *l, int round)
{
    l->n = 0;
    for (int i = 0; i < the->nseats; i++)
    {
        char path[700];
        FILE *file;

        log_path(path, sizeof(path), round, the->seats[i].name, ".log");
        if (the->seats[i].kind != ROLE_WRITER || (file = fopen(path, "r")) == NULL)
            continue;
        read_writer(l, the->seats[i].number, file);
        fclose(file);
    }
    char path[700];
    FILE *file;

    log_path(path, sizeof(path), round, "truncate", ".log");
    if ((file = fopen(path, "r")) != NULL)
    {
        read_truncate(l, file);
        fclose(file);
    }
    qsort(l->items, l->n, sizeof(transaction), by_clock);
    for (int i = 0; i < l->n; i++)
        if (l->items[i].state == TX_COMMITTED)
            apply(l, &l->items[i]);
}

bool ledger_fits(const transaction *t, const watched *query, const char *lists)
{
    static const char letters[] = {'-', 'e', 'c', 'l'};
    int expected = 0, found = 0, named = 0;

    for (const char *at = strchr(lists, ' '); at != NULL; at = strchr(at + 1, ' '))
        named++;
    for (int i = 0; i < t->nchanges; i++)
    {
        const change *c = &t->changes[i];
        effect e = query_effect(query, &c->before, &c->after);
        char word[30];

        if (e == EFFECT_NONE)
            continue;
        expected++;
        snprintf(word, sizeof(word), " %c%d", letters[e], c->after.id);
        for (const char *at = strstr(lists, word); at != NULL; at = strstr(at + 1, word))
            found += at[strlen(word)] == ' ' || at[strlen(word)] == '\n';
    }
    return found == expected && named == expected;
}

/*
 * After a failover two may have had the same xid: the one that was told, or else the one that
 * survived.
 */
const transaction *ledger_find(const ledger *l, uint64_t xid, const watched *query,
                               const char *lists)
{
    const transaction *found = NULL;
    int best = -1;

    for (int i = 0; i < l->n; i++)
    {
        const transaction *t = &l->items[i];
        int score = t->state == TX_COMMITTED;

        if (t->xid != xid)
            continue;
        if (query != NULL && ledger_fits(t, query, lists))
            score += 2;
        if (score > best)
        {
            found = t;
            best = score;
        }
    }
    return found;
}

/* Is a transaction in a snapshot, as pg_visible_in_snapshot says? */
bool ledger_visible(uint64_t xid, const char *snapshot)
{
    unsigned long long xmin, xmax;
    int used;

    if (sscanf(snapshot, "%llu:%llu:%n", &xmin, &xmax, &used) != 2)
        return false;
    if (xid < xmin || xid >= xmax)
        return xid < xmin;
    for (const char *at = snapshot + used; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strtoull(at, NULL, 10) == xid)
            return false;
    return true;
}

void ledger_check_table(ledger *l, PGconn *pg)
{
    PGresult *result = sql(pg, "SELECT id, grade, seq FROM item ORDER BY id");
    int row = 0;

    for (int id = 1; id <= ITEMS; id++)
    {
        const item *state = &l->state[id];
        bool there = row < PQntuples(result) && atoi(PQgetvalue(result, row, 0)) == id;

        if (there != (state->grade >= 0))
            violation("item %d is %s the table, and should%s be", id, there ? "in" : "not in",
                      there ? " not" : "");
        else if (there && atol(PQgetvalue(result, row, 2)) != state->seq)
            violation("item %d is of transaction %s, and should be of %ld", id,
                      PQgetvalue(result, row, 2), state->seq);
        row += there;
    }
    PQclear(result);
}
