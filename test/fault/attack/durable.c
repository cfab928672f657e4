/*
 * durable.c - a durable subscriber: what happens while it is away waits for it.
 *
 * Number 0 writes down what it is given and acknowledges afterwards: at least
 * once.  The others put it into a table in the transaction that acknowledges:
 * exactly once.  It reads when it is woken, and complains if at a marker there is
 * something to read that it was not woken for.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

#define READ_AT_ONCE 25

typedef struct durable
{
    seat *seat;
    const watched *query;
    role_log log;
    PGconn *pg;
    int64_t request, marker_request;
    bool woken, marker_told, heard;
    bool marker_event; /* it was an event that told of the marker, not a look */
} durable;

static bool number_of(durable *d, int64_t *out, const char *statement)
{
    PGresult *result = link_run(d->pg, "%s", statement);
    bool ok = result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK;

    if (ok)
        *out = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return ok;
}

/* Once true, nothing that was under way when the request was made is missing any more. */
static bool ready(durable *d, int64_t request)
{
    PGresult *result =
        link_run(d->pg, "SELECT paos.ready(%lld, wait => '2s')", (long long) request);
    bool ok = result != NULL && link_ok(result) && PQgetvalue(result, 0, 0)[0] == 't';

    PQclear(result);
    return ok;
}

/* Events of what was under way when the request was made may tell a part of it. */
static bool log_anew(durable *d)
{
    PGresult *result = link_run(d->pg, "SELECT pg_current_snapshot()");
    bool ok = result != NULL && link_ok(result);

    log_turn(&d->log);
    if (ok)
        log_line(&d->log, "G %lld %s", (long long) d->request, PQgetvalue(result, 0, 0));
    PQclear(result);
    return ok;
}

/*
 * Takes the request up again; refused while a former session of ours is not known to be dead.  One
 * that had to be made anew (its class was unregistered) says so: what came before is lost with it.
 */
static bool open_session(durable *d)
{
    char statement[400];
    int64_t former = d->seat->number_next;

    d->pg = link_open(d->seat);
    if (d->pg == NULL)
        return false;
    snprintf(statement, sizeof(statement), "SELECT paos.subscribe('item', '%s', durable => '%s')",
             d->query->paos, d->seat->name);
    d->woken = d->marker_told = true;
    d->marker_event = false;
    if (!number_of(d, &d->request, statement) ||
        !number_of(d, &d->marker_request, "SELECT paos.subscribe('marker', '')") ||
        !ready(d, d->request) || !ready(d, d->marker_request))
        return false;
    if (former != d->request && !log_anew(d))
        return false;
    d->seat->number_next = d->request;
    return true;
}

/* Adds the items of an array of refs to a line. */
static void add_refs(char *line, size_t size, const char *array, char letter)
{
    for (const char *at = strpbrk(array, "0123456789"); at != NULL; at = strpbrk(at, "0123456789"))
    {
        size_t used = strlen(line);

        at = strchr(at, ':');
        if (at == NULL)
            return;
        snprintf(line + used, size - used, " %c%d", letter, atoi(++at));
        at += strspn(at, "0123456789");
    }
}

static void log_event(durable *d, const PGresult *result, int row)
{
    char line[8000] = "";

    add_refs(line, sizeof(line), PQgetvalue(result, row, 3), 'e');
    add_refs(line, sizeof(line), PQgetvalue(result, row, 4), 'c');
    add_refs(line, sizeof(line), PQgetvalue(result, row, 5), 'l');
    log_line(&d->log, "D %s %s %s%s", PQgetvalue(result, row, 0),
             PQgetisnull(result, row, 1) ? "0" : PQgetvalue(result, row, 1),
             PQgetvalue(result, row, 2), line);
}

static bool run(durable *d, const char *statement)
{
    PGresult *result = link_run(d->pg, "%s", statement);
    bool ok = result != NULL && link_ok(result);

    PQclear(result);
    return ok;
}

/* Puts into the table what was read, which is in the present transaction. */
static bool apply(durable *d, const PGresult *result)
{
    char statement[16000] = "INSERT INTO applied VALUES ";

    for (int row = 0; row < PQntuples(result); row++)
        snprintf(statement + strlen(statement), sizeof(statement) - strlen(statement),
                 "%s('%s', %s, %s, '%s')", row == 0 ? "" : ", ", d->seat->name,
                 PQgetvalue(result, row, 0),
                 PQgetisnull(result, row, 1) ? "0" : PQgetvalue(result, row, 1),
                 PQgetvalue(result, row, 2));
    return PQntuples(result) == 0 || run(d, statement);
}

/* Reads some and acknowledges; *n is how many. */
static bool read_some(durable *d, int *n)
{
    bool once = d->seat->number > 0;
    char statement[300];
    PGresult *result;
    bool ok = !once || run(d, "BEGIN");

    result = ok ? link_run(d->pg,
                           "SELECT number, xid, resync, enter, change, leave FROM "
                           "paos.pending('%s', %d)",
                           d->seat->name, READ_AT_ONCE)
                : NULL;
    ok = result != NULL && link_ok(result) && (!once || apply(d, result));
    log_turn(&d->log);
    *n = ok ? PQntuples(result) : 0;
    for (int row = 0; row < *n; row++)
        log_event(d, result, row);
    if (ok && *n > 0)
    {
        snprintf(statement, sizeof(statement), "SELECT paos.acknowledge('%s', %s)", d->seat->name,
                 PQgetvalue(result, *n - 1, 0));
        ok = run(d, statement);
    }
    PQclear(result);
    return ok && (!once || run(d, "COMMIT"));
}

static bool read_all(durable *d)
{
    int n;

    d->woken = false;
    do
        if (!read_some(d, &n))
            return false;
    while (n > 0);
    return true;
}

static void note(durable *d, const char *payload)
{
    told event;

    d->heard = true;
    if (!told_parse(payload, &event))
        log_line(&d->log, "! %s", payload);
    else if (event.request == d->marker_request)
        d->marker_told = d->marker_event = true;
    else if (event.request == d->request && (event.pending || event.resync))
        d->woken = true;
    else
        log_line(&d->log, "! %s", payload);
}

static bool read_notes(durable *d)
{
    PGnotify *notify;

    if (!PQconsumeInput(d->pg))
        return false;
    while ((notify = PQnotifies(d->pg)) != NULL)
    {
        note(d, notify->extra);
        PQfreemem(notify);
    }
    return PQstatus(d->pg) == CONNECTION_OK;
}

/* The wakeup for whatever was committed before the marker came before the marker's event. */
static bool answer(durable *d)
{
    int64_t marker, left;
    bool by_event = d->marker_event;
    char statement[200];

    snprintf(statement, sizeof(statement), "SELECT count(*) FROM paos.pending('%s')",
             d->seat->name);
    /* Before it is read: the next one may be told while we do. */
    d->marker_told = d->marker_event = false;
    if (!number_of(d, &marker, "SELECT n FROM marker") || !number_of(d, &left, statement) ||
        !read_notes(d))
        return false;
    if (d->woken)
    {
        d->marker_told = true;
        return true;
    }
    log_turn(&d->log);
    if (left > 0 && by_event && the->phase == PHASE_PAUSE)
        log_line(&d->log, "! %lld events are pending, and nobody was woken", (long long) left);
    log_line(&d->log, "M %lld", (long long) marker);
    d->seat->marker = (int) marker;
    board_changed();
    return true;
}

static bool go_on(durable *d)
{
    int64_t pong;

    if (!read_notes(d) || (d->woken && !read_all(d)))
        return false;
    if (d->marker_told && !d->woken && !answer(d))
        return false;
    d->heard = false;
    if (!read_notes(d))
        return false;
    if (d->heard || d->woken || d->marker_told)
        return true;
    role_wait(d->seat, d->pg, 1000);
    /* Not at rest, where a ping would do the work of a wakeup that was lost. */
    return read_notes(d) &&
           (d->heard || the->phase == PHASE_PAUSE || number_of(d, &pong, "SELECT 1"));
}

void durable_run(seat *s)
{
    durable d = {.seat = s, .query = &watched_queries[s->number % nwatched]};

    log_open(&d.log, s);
    while (the->phase != PHASE_END)
    {
        if (open_session(&d))
            while (the->phase != PHASE_END && go_on(&d))
                ;
        if (d.pg != NULL)
            link_close(s, &d.pg);
        role_wait(s, NULL, 50);
    }
}
