/*
 * client.c - a live subscriber that leaves everything to the C client: making the
 * connection again, asking again, and telling what was missed.
 *
 * It only ever looks at what it is told and at its cache.  A second look for
 * writers that were at work may come after a marker, so it answers again whenever
 * it was told anything, and the check waits for the answer to become right.
 */
#include "attack.h"

#include "paos.h"

#include <string.h>

#define KEY(object) ((int) (paos_object_id(object) & 0xffffffffffff))

typedef struct client
{
    seat *seat;
    const watched *query;
    role_log log;
    paos_conn *conn;
    bool connected;
    bool told;        /* anything since the last answer */
    paos_status last; /* as it was logged */
    paos_object *marker;
    paos_object *members[ITEMS + 1]; /* held */
} client;

static void turn(client *c)
{
    if (log_turn(&c->log))
        log_line(&c->log, c->connected ? "C" : "S");
}

/* Why it is silent, once. */
static void note_status(client *c, paos_status status)
{
    if (status != PAOS_OK && status != c->last)
        log_line(&c->log, "~ %s: %s", paos_status_name(status), paos_conn_error(c->conn)->message);
    c->last = status;
}

static void enter(client *c, const paos_list *list)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
    {
        paos_object *object = paos_list_at(list, i);

        if (c->members[KEY(object)] == NULL)
            c->members[KEY(object)] = paos_object_hold(object);
    }
}

static void leave(client *c, const paos_list *list)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
    {
        int id = KEY(paos_list_at(list, i));

        paos_object_release(c->members[id]);
        c->members[id] = NULL;
    }
}

static void add(told *event, const paos_list *list, effect how)
{
    for (size_t i = 0; i < paos_list_size(list) && event->n < (int) COUNT(event->changes); i++)
    {
        event->changes[event->n].id = KEY(paos_list_at(list, i));
        event->changes[event->n++].effect = how;
    }
}

static void on_item(paos_conn *conn, const paos_event *event, void *arg)
{
    client *c = arg;
    told all = {.xid = event->xid};

    turn(c);
    if (event->ended)
        log_line(&c->log, "! the request has ended: %s", paos_conn_error(conn)->message);
    if (event->resync)
        log_line(&c->log, "R");
    else
    {
        add(&all, event->entered, EFFECT_ENTER);
        add(&all, event->changed, EFFECT_CHANGE);
        add(&all, event->left, EFFECT_LEAVE);
        told_log(&c->log, &all);
    }
    leave(c, event->left);
    enter(c, event->entered);
    c->told = true;
}

static void on_marker(paos_conn *conn, const paos_event *event, void *arg)
{
    (void) conn;
    (void) event;
    ((client *) arg)->told = true;
}

static void on_connection(paos_conn *conn, paos_status what, const paos_list *objects, void *arg)
{
    client *c = arg;

    (void) conn;
    (void) objects;
    turn(c);
    c->connected = what == PAOS_CONNECTED;
    log_line(&c->log, "%c at %lld ms", c->connected ? 'S' : 'X',
             (long long) (clock_ns() / 1000000));
    if (c->connected)
        log_line(&c->log, "L ?");
    c->told = true;
}

static bool open_conn(client *c)
{
    char conninfo[700];

    if (c->seat->through_proxy)
        snprintf(conninfo, sizeof(conninfo),
                 "host=127.0.0.1 port=%d user=boss dbname=paos application_name=%s "
                 "connect_timeout=3 sslmode=disable gssencmode=disable",
                 the->proxy_port, c->seat->name);
    else
        snprintf(conninfo, sizeof(conninfo),
                 "host=%s,%s port=%d,%d user=boss dbname=paos application_name=%s "
                 "connect_timeout=3 target_session_attrs=read-write",
                 the->sockets, the->sockets, node_port(0), node_port(1), c->seat->name);
    return paos_conn_open(conninfo, c->seat->name, &c->conn) == PAOS_OK &&
           paos_conn_on(c->conn, PAOS_CONNECTED, on_connection, c) == PAOS_OK &&
           paos_conn_on(c->conn, PAOS_DISCONNECTED, on_connection, c) == PAOS_OK &&
           paos_conn_set_silence(c->conn, 5000) == PAOS_OK;
}

/* Asks both requests, once: they are the connection's from then on. */
static bool ask(client *c)
{
    paos_list *items = NULL, *markers = NULL;
    int64_t request;
    bool ok = paos_subscribe(c->conn, "item", c->query->paos, NULL, 0, on_item, c, &items,
                             &request) == PAOS_OK &&
              paos_subscribe(c->conn, "marker", "", NULL, 0, on_marker, c, &markers, &request) ==
                  PAOS_OK &&
              paos_list_size(markers) == 1;

    turn(c);
    log_line(&c->log, "S");
    log_line(&c->log, "L ?");
    if (ok)
    {
        enter(c, items);
        c->marker = paos_object_hold(paos_list_at(markers, 0));
        c->connected = c->told = true;
    }
    paos_list_free(items);
    paos_list_free(markers);
    return ok;
}

/* Shows what it knows, read through the cache; nothing when that takes a server that is away. */
static void answer(client *c)
{
    long seq[ITEMS + 1];
    int marker;

    paos_conn_error_clear(c->conn);
    marker = (int) paos_object_int(c->marker, "n");
    for (int id = 1; id <= ITEMS; id++)
        seq[id] = c->members[id] == NULL ? -1 : (long) paos_object_int(c->members[id], "seq");
    turn(c);
    if (paos_conn_error(c->conn)->status != PAOS_OK || !c->connected)
    {
        note_status(c, paos_conn_error(c->conn)->status);
        return;
    }
    log_line(&c->log, "M %d", marker);
    for (int id = 1; id <= ITEMS; id++)
        if (seq[id] >= 0)
            log_line(&c->log, "V %d %ld", id, seq[id]);
    log_line(&c->log, "N");
    c->told = false;
    if (marker > c->seat->marker)
        c->seat->marker = marker;
    board_changed();
}

static void let_go(client *c)
{
    turn(c);
    log_line(&c->log, "X");
    paos_conn_close(c->conn);
    c->conn = NULL;
    c->marker = NULL;
    c->connected = false;
    memset(c->members, 0, sizeof(c->members));
}

void client_run(seat *s)
{
    client c = {.seat = s, .query = &watched_queries[s->number % nwatched]};

    log_open(&c.log, s);
    while (the->phase != PHASE_END && !(open_conn(&c) && ask(&c)))
    {
        let_go(&c);
        role_wait(s, NULL, 50);
    }
    while (the->phase != PHASE_END)
    {
        paos_status status;

        turn(&c);
        status = paos_conn_dispatch(c.conn, 100, NULL);
        if (status != PAOS_OK)
            role_wait(s, NULL, 20);
        note_status(&c, status);
        if (c.told && the->phase == PHASE_PAUSE)
            answer(&c);
    }
    let_go(&c);
}
