/*
 * plain.c - a live subscriber with nothing but libpq: LISTEN, SQL and a model of
 * the answer, as a program in any language would have it.
 *
 * When its session is lost it begins anew: subscribe, ready, look.  What it
 * knows of an object after that is only ever changed by what it is told: an event
 * that is lost leaves its model wrong.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

typedef struct plain
{
    seat *seat;
    const watched *query;
    role_log log;
    PGconn *pg;
    int64_t request, marker_request;
    bool looked;      /* the session has an answer */
    bool look;        /* told to look again */
    bool marker_told; /* told of a marker that it has not answered for */
    bool heard;       /* anything, since the last wait */
    bool member[ITEMS + 1], dirty[ITEMS + 1];
    long seq[ITEMS + 1]; /* as last read */
} plain;

/* A round may begin at any time: its log begins with whether the session has lasted until then. */
static void turn(plain *p)
{
    if (log_turn(&p->log))
        log_line(&p->log, p->looked ? "C" : "S");
}

static bool number_of(plain *p, int64_t *out, const char *statement)
{
    PGresult *result = link_run(p->pg, "%s", statement);
    bool ok = result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK;

    if (ok)
        *out = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return ok;
}

/* False while writers that began earlier are at work. */
static bool ready(plain *p, int64_t request)
{
    PGresult *result =
        link_run(p->pg, "SELECT paos.ready(%lld, wait => '2s')", (long long) request);
    bool ok = result != NULL && link_ok(result) && PQgetvalue(result, 0, 0)[0] == 't';

    PQclear(result);
    return ok;
}

/* Reads the answer: from here on the model is right, and stays right by events. */
static bool look(plain *p)
{
    PGresult *result =
        link_run(p->pg,
                 "SELECT pg_current_snapshot(), m.n, i.id, i.seq FROM marker m LEFT JOIN "
                 "(SELECT id, seq FROM item WHERE %s) i ON true",
                 p->query->sql);
    bool ok = result != NULL && link_ok(result) && PQntuples(result) > 0;

    if (ok)
    {
        memset(p->member, 0, sizeof(p->member));
        memset(p->dirty, 0, sizeof(p->dirty));
        turn(p);
        p->looked = true;
        log_line(&p->log, "L %s", PQgetvalue(result, 0, 0));
        p->marker_told |= atoi(PQgetvalue(result, 0, 1)) > p->seat->marker;
    }
    for (int row = 0; ok && row < PQntuples(result); row++)
    {
        int id = atoi(PQgetvalue(result, row, 2));

        p->member[id] = !PQgetisnull(result, row, 2);
        p->seq[id] = atol(PQgetvalue(result, row, 3));
    }
    PQclear(result);
    p->look = !ok;
    return ok;
}

static bool open_session(plain *p)
{
    char statement[300];

    p->pg = link_open(p->seat);
    if (p->pg == NULL)
        return false;
    turn(p);
    log_line(&p->log, "S");
    snprintf(statement, sizeof(statement), "SELECT paos.subscribe('item', '%s')", p->query->paos);
    return number_of(p, &p->request, statement) &&
           number_of(p, &p->marker_request, "SELECT paos.subscribe('marker', '')") &&
           ready(p, p->request) && ready(p, p->marker_request) && look(p);
}

static void apply(plain *p, const told *event)
{
    for (int i = 0; i < event->n; i++)
    {
        int id = event->changes[i].id;

        p->member[id] = event->changes[i].effect != EFFECT_LEAVE;
        p->dirty[id] = p->member[id];
    }
}

/* Not a payload we know: as bad as a lost one, and logged for the check. */
static void note(plain *p, const char *payload)
{
    told event;

    p->heard = true;
    turn(p);
    if (!told_parse(payload, &event))
        log_line(&p->log, "! %s", payload);
    else if (event.request == p->marker_request)
        p->marker_told = true;
    else if (event.request != p->request)
        log_line(&p->log, "! %s", payload);
    else if (event.resync)
    {
        log_line(&p->log, "R");
        p->look = true;
    }
    else if (!told_items(payload, &event))
        log_line(&p->log, "! %s", payload);
    else
    {
        told_log(&p->log, &event);
        apply(p, &event);
    }
}

static bool read_notes(plain *p)
{
    PGnotify *notify;

    if (!PQconsumeInput(p->pg))
        return false;
    while ((notify = PQnotifies(p->pg)) != NULL)
    {
        note(p, notify->extra);
        PQfreemem(notify);
    }
    return PQstatus(p->pg) == CONNECTION_OK;
}

/* Reads what is known to have changed.  What is gone meanwhile will be told to have left. */
static bool fetch(plain *p)
{
    char list[ITEMS * 6] = "0";
    PGresult *result;
    bool ok;

    for (int id = 1; id <= ITEMS; id++)
        if (p->dirty[id])
            snprintf(list + strlen(list), sizeof(list) - strlen(list), ",%d", id);
    if (list[1] == '\0')
        return true;
    result = link_run(p->pg, "SELECT id, seq FROM item WHERE id IN (%s)", list);
    ok = result != NULL && link_ok(result);
    for (int row = 0; ok && row < PQntuples(result); row++)
        p->seq[atoi(PQgetvalue(result, row, 0))] = atol(PQgetvalue(result, row, 1));
    if (ok)
        memset(p->dirty, 0, sizeof(p->dirty));
    PQclear(result);
    return ok;
}

/* Shows the model, as the answer to a marker that was committed after all that matters. */
static bool answer(plain *p)
{
    int64_t marker;

    if (!number_of(p, &marker, "SELECT n FROM marker"))
        return false;
    turn(p);
    log_line(&p->log, "M %lld", (long long) marker);
    for (int id = 1; id <= ITEMS; id++)
        if (p->member[id])
            log_line(&p->log, "V %d %ld", id, p->seq[id]);
    log_line(&p->log, "N");
    p->marker_told = false;
    p->seat->marker = (int) marker;
    board_changed();
    return true;
}

static bool go_on(plain *p)
{
    if (!read_notes(p))
        return false;
    if (p->look && !look(p))
        return false;
    if (!fetch(p))
        return false;
    /* What came while we were reading is to be heard before the marker is answered for. */
    return !p->marker_told || answer(p);
}

/*
 * Waits, unless something has come with the answer to a statement: that is in libpq, where no poll
 * sees it.  A session that nothing is heard from may be dead without saying so.
 */
static bool listen_on(plain *p)
{
    int64_t pong;

    p->heard = false;
    if (!read_notes(p))
        return false;
    if (p->heard)
        return true;
    role_wait(p->seat, p->pg, 1000);
    turn(p);
    if (!read_notes(p))
        return false;
    /* Not at rest, where a ping would do the work of a wakeup that was lost. */
    return p->heard || the->phase == PHASE_PAUSE || number_of(p, &pong, "SELECT 1");
}

void plain_run(seat *s)
{
    plain p = {.seat = s, .query = &watched_queries[s->number % nwatched]};

    log_open(&p.log, s);
    while (the->phase != PHASE_END)
    {
        if (open_session(&p))
            while (the->phase != PHASE_END && go_on(&p) && listen_on(&p))
                ;
        turn(&p);
        log_line(&p.log, "X");
        p.looked = false;
        if (p.pg != NULL)
            link_close(s, &p.pg);
        p.look = p.marker_told = false;
        role_wait(s, NULL, 50);
    }
}
