/*
 * dial.c - connecting to a server; with pgio.c the only caller of libpq.
 *
 * libpq goes from host to host by itself, but for one that says nothing at all:
 * when nobody waits in libpq nobody times it.  So whoever gives up on an attempt
 * has the next one begin with the next host.
 */
#include "pgio_int.h"

#include <stdio.h>

/* ---- where to ---- */

/* Overrides what the connection string says; NULL: does not. */
typedef struct where
{
    const char *host, *hostaddr, *port, *attributes;
} where;

static void ignore_notice(void *arg, const PGresult *notice)
{
    (void) arg;
    (void) notice;
}

/* How PQconnectdbParams and PQconnectStartParams look. */
typedef PGconn *(*connecting)(const char *const *keywords, const char *const *values, int expand);

/* What comes later wins: conninfo over what is before it, the rest over conninfo; "" is nothing. */
static PGconn *connect_to(connecting connect, const paosi_dial *dial, const where *w)
{
    char silence[16], idle[16], timeout[16];
    const char *const keywords[] = {"fallback_application_name",
                                    "tcp_user_timeout",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    "connect_timeout",
                                    "dbname",
                                    "client_encoding",
                                    "application_name",
                                    "host",
                                    "hostaddr",
                                    "port",
                                    "target_session_attrs",
                                    NULL};
    const char *const values[] = {
        "paos", silence,           idle,    "1",         "3",     timeout,       dial->conninfo,
        "UTF8", dial->application, w->host, w->hostaddr, w->port, w->attributes, NULL};

    snprintf(silence, sizeof silence, "%d", dial->silence_ms);
    snprintf(idle, sizeof idle, "%d",
             dial->silence_ms / 1000 > 3 ? dial->silence_ms / 1000 - 3 : 1);
    snprintf(timeout, sizeof timeout, "%d", (dial->silence_ms + 999) / 1000);
    return connect(keywords, values, 1);
}

/* A list with the first n taken to its end; NULL: no memory. */
static char *turned(const char *list, unsigned n)
{
    size_t size = strlen(list);
    char *out = paosi_malloc(size + 1);
    unsigned items = 1;
    const char *at;

    for (at = list; (at = strchr(at, ',')) != NULL; at++)
        items++;
    for (n %= items, at = list; n > 0; n--)
        at = strchr(at, ',') + 1;
    if (!out)
        return NULL;
    if (at == list)
        memcpy(out, list, size + 1);
    else
        snprintf(out, size + 1, "%s,%.*s", at, (int) (at - list - 1), list);
    return out;
}

/* The value of an option; borrowed. */
static const char *option(const PQconninfoOption *options, const char *keyword)
{
    while (options->keyword && strcmp(options->keyword, keyword) != 0)
        options++;
    return options->val ? options->val : "";
}

/* Connects anew, beginning with another of several hosts; takes over pg.  NULL: no memory. */
static PGconn *turn(const paosi_dial *dial, PGconn *pg)
{
    PQconninfoOption *options = PQconninfo(pg);
    char *host = options ? turned(option(options, "host"), dial->skip) : NULL;
    char *hostaddr = options ? turned(option(options, "hostaddr"), dial->skip) : NULL;
    char *port = options ? turned(option(options, "port"), dial->skip) : NULL;
    const where w = {.host = host, .hostaddr = hostaddr, .port = port};

    PQfinish(pg);
    pg = host && hostaddr && port ? connect_to(PQconnectStartParams, dial, &w) : NULL;
    PQconninfoFree(options);
    paosi_free(host);
    paosi_free(hostaddr);
    paosi_free(port);
    return pg;
}

static PGconn *connect_somewhere(connecting connect, const paosi_dial *dial)
{
    where w = {0};
    PGconn *pg;

    if (dial->like && dial->like->pg)
    {
        w.host = PQhost(dial->like->pg);
        w.hostaddr = PQhostaddr(dial->like->pg);
        w.port = PQport(dial->like->pg);
        w.attributes = "any";
    }
    pg = connect_to(connect, dial, &w);
    return pg && dial->skip ? turn(dial, pg) : pg;
}

/* ---- connecting ---- */

static bool made_ready(PGconn *pg)
{
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    return PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) == 1;
}

static paos_status make(connecting connect, const paosi_dial *dial, paosi_pgio **out)
{
    paosi_pgio *io = paosi_calloc(1, sizeof *io);

    if (!io)
        return PAOS_NO_MEMORY;
    io->pg = connect_somewhere(connect, dial);
    if (!io->pg)
    {
        paosi_pgio_close(io);
        return PAOS_NO_MEMORY;
    }
    *out = io;
    return PAOS_OK;
}

paos_status paosi_dial_open(const paosi_dial *dial, paosi_pgio **out, char **message)
{
    paosi_pgio *io;
    paos_status status = make(PQconnectdbParams, dial, &io);

    if (status != PAOS_OK)
        return status;
    if (PQstatus(io->pg) != CONNECTION_OK || !made_ready(io->pg))
    {
        *message = paosi_strdup(PQerrorMessage(io->pg));
        paosi_pgio_close(io);
        return PAOS_DISCONNECTED;
    }
    *out = io;
    return PAOS_OK;
}

paos_status paosi_dial_start(const paosi_dial *dial, paosi_pgio **out)
{
    paos_status status = make(PQconnectStartParams, dial, out);

    /* libpq has no other way to tell a failed connection's SQLSTATE. */
    if (status == PAOS_OK)
        PQsetErrorVerbosity((*out)->pg, PQERRORS_VERBOSE);
    return status;
}

/* The SQLSTATE in a verbose message, "FATAL:  28P01: password ..."; NULL: none. */
static const char *find_sqlstate(const char *message)
{
    const char *place = message;

    while ((place = strstr(place, ":  ")) != NULL)
    {
        place += 3;
        if (strspn(place, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && place[5] == ':')
            return place;
    }
    return NULL;
}

/* A wrong role or password, no such database, no right to connect: waiting does not help. */
static bool is_final(const char *sqlstate)
{
    return sqlstate && (strncmp(sqlstate, "28", 2) == 0 || strncmp(sqlstate, "3D000", 5) == 0 ||
                        strncmp(sqlstate, "42501", 5) == 0);
}

/* What is verbose in a message goes again: "28P01: " and the line of the server's source. */
static void shorten(char *message)
{
    char *sqlstate = message ? (char *) find_sqlstate(message) : NULL;
    char *location = sqlstate ? strstr(sqlstate, "\nLOCATION:  ") : NULL;

    if (location)
        *location = 0;
    if (sqlstate)
        memmove(sqlstate, sqlstate + 7, strlen(sqlstate + 7) + 1);
}

static paos_status fail_step(paosi_pgio *io)
{
    bool final = is_final(find_sqlstate(PQerrorMessage(io->pg)));

    paosi_pgio_break_off(io);
    shorten(io->message);
    return final ? PAOS_REFUSED : PAOS_DISCONNECTED;
}

paos_status paosi_dial_step(paosi_pgio *io, bool *writing)
{
    if (!io->pg)
        return PAOS_DISCONNECTED;
    /* The first has to wait for the socket, as documented. */
    switch (PQstatus(io->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PQconnectPoll(io->pg))
    {
        case PGRES_POLLING_READING:
            *writing = false;
            return PAOS_TIMEOUT;
        case PGRES_POLLING_WRITING:
            *writing = true;
            return PAOS_TIMEOUT;
        case PGRES_POLLING_OK:
            PQsetErrorVerbosity(io->pg, PQERRORS_DEFAULT);
            return made_ready(io->pg) ? PAOS_OK : fail_step(io);
        default:
            return fail_step(io);
    }
}
