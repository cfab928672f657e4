/*
 * check_subscriber.c - was a live subscriber told what it should have been?
 *
 * Twice over.  Its model, kept by events alone, must equal the answer.  And in
 * a session that lasted, each transaction must have been told once, with the very
 * lists, in each writer's order, unless the subscriber had seen it when it looked.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

/* What the ledger's transaction number i was told as. */
typedef struct telling
{
    int times; /* events of it in this session */
    int n;
    struct
    {
        int id;
        char letter;
    } changes[16];
} telling;

typedef struct reader
{
    const ledger *ledger;
    const seat *seat;
    const watched *query;
    telling *tellings; /* one for each transaction of the ledger */
    bool exact; /* the snapshot of the last look is known, or nothing was missing at the start */
    char snapshot[8192]; /* of the last look; "" when all before this round is known and nothing of
                            it */
    bool partly;         /* a look of the C client: its events leave out what it showed already */
    char first[8192];    /* of the session's first look; "" when it began in an earlier round */
    long last_n[WRITERS_MAX];
    bool alive;
    int answered; /* the last marker */
    bool in_model;
    long model[ITEMS + 1]; /* seq; -1: not in the answer */
} reader;

/*
 * The C client tells against what it knows.  What found no room on the server it learns by a look
 * that it is told of later.
 */
static bool knows_all(const reader *r)
{
    return r->seat->kind != ROLE_CLIENT || !the->was_cramped;
}

static void session_begins(reader *r, bool goes_on)
{
    memset(r->tellings, 0, r->ledger->n * sizeof(telling));
    memset(r->last_n, 0, sizeof(r->last_n));
    r->exact = goes_on;
    r->snapshot[0] = r->first[0] = '\0';
    r->alive = true;
    r->partly = !knows_all(r);
    r->answered = 0;
}

/* In a session, what one writer did comes in the order it was done. */
static void check_order(reader *r, const transaction *t)
{
    if (t->writer < 0)
        return;
    if (t->n < r->last_n[t->writer])
        violation("%s was told of writer-%d's transaction %ld after %ld", r->seat->name, t->writer,
                  t->n, r->last_n[t->writer]);
    r->last_n[t->writer] = t->n;
}

static void read_event(reader *r, const char *line)
{
    char *at;
    uint64_t xid = strtoull(line + 2, &at, 10);
    const transaction *t = ledger_find(r->ledger, xid, r->query, at);
    telling *told;

    if (t == NULL || (t->state != TX_COMMITTED && !t->surprise))
    {
        violation("%s was told of transaction %llu, which %s: %s", r->seat->name,
                  (unsigned long long) xid, t == NULL ? "is unknown" : "was rolled back", line);
        return;
    }
    check_order(r, t);
    told = &r->tellings[t - r->ledger->items];
    told->times++;
    for (; *at == ' ' && told->n < (int) COUNT(told->changes); at += strcspn(at, " \n"))
    {
        at++;
        told->changes[told->n].letter = *at;
        told->changes[told->n++].id = atoi(at + 1);
    }
}

/*
 * An event says what its transaction did, no more and no less; but one that was under way when the
 * request was made may have been seen in part, which the look puts right.
 */
static void check_lists(const reader *r, const transaction *t, const telling *told)
{
    static const char letters[] = {'-', 'e', 'c', 'l'};
    int expected = 0;

    for (int i = 0; i < t->nchanges; i++)
    {
        const change *c = &t->changes[i];
        effect e = query_effect(r->query, &c->before, &c->after);
        int found = 0;

        expected += e != EFFECT_NONE;
        for (int k = 0; k < told->n; k++)
            if (told->changes[k].id == c->after.id)
                found += told->changes[k].letter == letters[e] ? 1 : 100;
        if (found != (e != EFFECT_NONE))
            violation("%s was told wrongly of writer-%d's transaction %ld (%llu): item %d "
                      "should be '%c'",
                      r->seat->name, t->writer, t->n, (unsigned long long) t->xid, c->after.id,
                      letters[e]);
    }
    if (expected != told->n || told->times > 1)
        violation("%s was told of writer-%d's transaction %ld (%llu) %d times, with %d objects "
                  "instead of %d",
                  r->seat->name, t->writer, t->n, (unsigned long long) t->xid, told->times, told->n,
                  expected);
}

static bool concerns(const reader *r, const transaction *t)
{
    for (int i = 0; i < t->nchanges; i++)
        if (query_effect(r->query, &t->changes[i].before, &t->changes[i].after) != EFFECT_NONE)
            return true;
    return false;
}

static void session_ends(reader *r, bool lasted)
{
    for (int i = 0; r->alive && i < r->ledger->n; i++)
    {
        const transaction *t = &r->ledger->items[i];
        bool known = r->snapshot[0] != '\0' && ledger_visible(t->xid, r->snapshot);

        if (t->state != TX_COMMITTED || t->writer < 0)
            continue;
        if (r->tellings[i].times > 0 && !r->partly &&
            !(r->first[0] != '\0' && ledger_visible(t->xid, r->first)))
            check_lists(r, t, &r->tellings[i]);
        if (r->tellings[i].times == 0 && lasted && r->exact && knows_all(r) && !known &&
            concerns(r, t))
            violation("%s was not told of writer-%d's transaction %ld (%llu)", r->seat->name,
                      t->writer, t->n, (unsigned long long) t->xid);
    }
    r->alive = false;
}

static void read_look(reader *r, const char *line)
{
    r->exact = line[2] != '?';
    r->partly |= !r->exact;
    snprintf(r->snapshot, sizeof(r->snapshot), "%s", line + 2);
    if (r->first[0] == '\0')
        memcpy(r->first, r->snapshot, sizeof(r->first));
}

static void read_model(reader *r, const char *line)
{
    int id;
    long seq;

    if (line[0] == 'M')
    {
        r->answered = atoi(line + 2);
        for (id = 1; id <= ITEMS; id++)
            r->model[id] = -1;
    }
    else if (sscanf(line, "V %d %ld", &id, &seq) == 2 && id >= 1 && id <= ITEMS)
        r->model[id] = seq;
}

static void read_line(reader *r, const char *line)
{
    switch (line[0])
    {
        case 'S':
        case 'C':
            session_ends(r, false);
            session_begins(r, line[0] == 'C');
            break;
        case 'X':
            session_ends(r, false);
            break;
        case 'L':
            read_look(r, line);
            break;
        case 'R':
            /* What it stands for is known after the look that follows. */
            r->exact = false;
            r->partly |= r->seat->kind == ROLE_CLIENT;
            break;
        case 'E':
            read_event(r, line);
            break;
        case 'M':
        case 'V':
            read_model(r, line);
            break;
        case '!':
            violation("%s: %s", r->seat->name, line + 2);
            break;
    }
}

/* What was known when the round was over, against the answer: how many objects differ. */
static int compare_model(const reader *r, PGconn *pg, bool complain)
{
    PGresult *result = sql(pg, "SELECT id, seq FROM item WHERE %s ORDER BY id", r->query->sql);
    int row = 0, wrong = 0;

    for (int id = 1; id <= ITEMS; id++)
    {
        bool there = row < PQntuples(result) && atoi(PQgetvalue(result, row, 0)) == id;
        long seq = there ? atol(PQgetvalue(result, row, 1)) : -1;

        if (r->model[id] != seq && complain)
            violation("%s has item %d of transaction %ld, where the answer has %ld (-1: not in it)",
                      r->seat->name, id, r->model[id], seq);
        wrong += r->model[id] != seq;
        row += there;
    }
    PQclear(result);
    return wrong;
}

static void read_log(reader *r, void (*read)(reader *r, const char *line))
{
    char path[700];
    char line[8192];
    FILE *file;

    log_path(path, sizeof(path), the->round, r->seat->name, ".log");
    if ((file = fopen(path, "r")) == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL)
        if (strchr(line, '\n') != NULL)
            read(r, line);
    fclose(file);
}

typedef struct model_wait
{
    reader *reader;
    PGconn *pg;
} model_wait;

static bool model_is_right(void *arg)
{
    model_wait *w = arg;

    read_log(w->reader, read_model);
    return compare_model(w->reader, w->pg, false) == 0;
}

/*
 * The C client settles what was under way when it asked by a second look, which may come after the
 * marker: it has some time more.
 */
void check_subscriber(const ledger *l, PGconn *pg, const seat *s)
{
    reader r = {.ledger = l, .seat = s, .query = &watched_queries[s->number % nwatched]};
    model_wait w = {&r, pg};

    r.tellings = calloc(l->n + 1, sizeof(telling));
    if (s->kind == ROLE_CLIENT)
        wait_for(model_is_right, &w, 10000);
    read_log(&r, read_line);
    session_ends(&r, true);
    compare_model(&r, pg, true);
    free(r.tellings);
}
