/*
 * pgio.c - the only caller of libpq.
 *
 * The connection is non-blocking and always in pipeline mode.  Sending and
 * receiving must overlap: a server that waits for us to read its results does
 * not read our statements, so whoever only sends and then only reads deadlocks
 * as soon as both directions hold more than the sockets' buffers.
 */
#include "paos_int.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

/* Unsent bytes at which sending stops to let the server's results in. */
#define PUMP_BYTES ((size_t) 256 * 1024)

struct paosi_pgio
{
    PGconn *pg;     /* NULL once broken */
    char *message;  /* why it broke */
    PGnotify *next; /* first of the notifications; libpq queues the others */
    bool pinging;   /* a sync was sent and has not come back */
};

/* ---- connecting ---- */

/* Closes at once: what is left of the session, locks and all, must not outlive our use of it. */
static void break_off(paosi_pgio *io)
{
    const char *message = PQerrorMessage(io->pg);

    if (*message)
        io->message = paosi_strdup(message);
    PQfinish(io->pg);
    io->pg = NULL;
    PQfreemem(io->next);
    io->next = NULL;
    io->pinging = false;
}

static void ignore_notice(void *arg, const PGresult *notice)
{
    (void) arg;
    (void) notice;
}

/* How PQconnectdbParams and PQconnectStartParams look. */
typedef PGconn *(*connecting)(const char *const *keywords, const char *const *values, int expand);

/* What comes later wins: conninfo over what is before it, the rest over conninfo. */
static PGconn *connect_to(connecting connect, const char *conninfo, const char *application,
                          int silence_ms)
{
    char silence[16], idle[16];
    const char *keywords[] = {"fallback_application_name", "tcp_user_timeout", "keepalives_idle",
                              "keepalives_interval",       "keepalives_count", "dbname",
                              "client_encoding",           "application_name", NULL};
    const char *values[] = {"paos", silence, idle, "1", "3", conninfo, "UTF8", application, NULL};

    snprintf(silence, sizeof silence, "%d", silence_ms);
    snprintf(idle, sizeof idle, "%d", silence_ms / 1000 > 3 ? silence_ms / 1000 - 3 : 1);
    if (!application)
        keywords[7] = NULL;
    return connect(keywords, values, 1);
}

static bool made_ready(PGconn *pg)
{
    PQsetNoticeReceiver(pg, ignore_notice, NULL);
    return PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) == 1;
}

static paos_status make(connecting connect, const char *conninfo, const char *application,
                        int silence_ms, paosi_pgio **out)
{
    paosi_pgio *io = paosi_calloc(1, sizeof *io);

    if (!io)
        return PAOS_NO_MEMORY;
    io->pg = connect_to(connect, conninfo, application, silence_ms);
    if (!io->pg)
    {
        paosi_pgio_close(io);
        return PAOS_NO_MEMORY;
    }
    *out = io;
    return PAOS_OK;
}

paos_status paosi_pgio_open(const char *conninfo, const char *application, int silence_ms,
                            paosi_pgio **out, char **message)
{
    paosi_pgio *io;
    paos_status status = make(PQconnectdbParams, conninfo, application, silence_ms, &io);

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

paos_status paosi_pgio_start(const char *conninfo, const char *application, int silence_ms,
                             paosi_pgio **out)
{
    paos_status status = make(PQconnectStartParams, conninfo, application, silence_ms, out);

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

    break_off(io);
    shorten(io->message);
    return final ? PAOS_REFUSED : PAOS_DISCONNECTED;
}

paos_status paosi_pgio_step(paosi_pgio *io, bool *writing)
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

void paosi_pgio_close(paosi_pgio *io)
{
    if (!io)
        return;
    if (io->pg)
        PQfinish(io->pg);
    PQfreemem(io->next);
    paosi_free(io->message);
    paosi_free(io);
}

int paosi_pgio_fd(const paosi_pgio *io)
{
    return io->pg ? PQsocket(io->pg) : -1;
}

int paosi_pgio_backend(const paosi_pgio *io)
{
    return io->pg ? PQbackendPID(io->pg) : 0;
}

const char *paosi_pgio_database(const paosi_pgio *io)
{
    return io->pg ? PQdb(io->pg) : "";
}

const char *paosi_pgio_message(const paosi_pgio *io)
{
    return io->message ? io->message : "";
}

/* ---- an exchange ---- */

/* Parameters as libpq wants them: four arrays with room for the longest statement. */
typedef struct arrays
{
    const char **values;
    Oid *types;
    int *sizes, *formats;
} arrays;

static bool arrays_make(arrays *a, const paosi_statement *statements, size_t n)
{
    size_t most = 1;
    size_t i;
    char *room;

    for (i = 0; i < n; i++)
        if (statements[i].count > most)
            most = statements[i].count;
    room = paosi_malloc(most * (sizeof(char *) + sizeof(Oid) + 2 * sizeof(int)));
    if (!room)
        return false;
    a->values = (const char **) room;
    a->types = (Oid *) (a->values + most);
    a->sizes = (int *) (a->types + most);
    a->formats = a->sizes + most;
    return true;
}

static bool send_statement(paosi_pgio *io, const paosi_statement *statement, const arrays *a)
{
    size_t i;

    for (i = 0; i < statement->count; i++)
    {
        const paosi_parameter *p = &statement->parameters[i];

        a->values[i] = p->data;
        a->types[i] = p->type;
        a->sizes[i] = (int) p->size;
        a->formats[i] = !p->text;
    }
    return PQsendQueryParams(io->pg, statement->sql, (int) statement->count, a->types, a->values,
                             a->sizes, a->formats, 1) == 1;
}

static size_t statement_bytes(const paosi_statement *statement)
{
    size_t bytes = strlen(statement->sql);
    size_t i;

    for (i = 0; i < statement->count; i++)
        bytes += statement->parameters[i].size;
    return bytes;
}

/* Sends all that waits to be sent, and takes in what comes meanwhile. */
static bool pump(paosi_pgio *io)
{
    struct pollfd fd = {PQsocket(io->pg), POLLIN | POLLOUT, 0};
    int left;

    while ((left = PQflush(io->pg)) == 1)
    {
        if (poll(&fd, 1, -1) < 0 && errno != EINTR)
            return false;
        if ((fd.revents & (POLLIN | POLLHUP | POLLERR)) && !PQconsumeInput(io->pg))
            return false;
    }
    return left == 0;
}

static bool send_all(paosi_pgio *io, const paosi_statement *statements, size_t n, const arrays *a,
                     size_t *reached)
{
    size_t waiting = 0;

    for (*reached = 0; *reached < n;)
    {
        const paosi_statement *statement = &statements[*reached];

        if (!send_statement(io, statement, a))
            return false;
        ++*reached;
        waiting += statement_bytes(statement);
        if (waiting < PUMP_BYTES)
            continue;
        waiting = 0;
        if (!pump(io))
            return false;
    }
    return PQpipelineSync(io->pg) == 1 && pump(io);
}

/* The result of the next statement; NULL: the connection is lost. */
static PGresult *receive(paosi_pgio *io)
{
    PGresult *result = PQgetResult(io->pg);
    PGresult *end;

    if (!result)
        return NULL;
    while ((end = PQgetResult(io->pg)) != NULL)
    {
        /* Only a dying connection says more than one thing about a statement. */
        PQclear(end);
        if (PQstatus(io->pg) == CONNECTION_BAD)
            break;
    }
    return result;
}

/* An error that libpq made up itself says that the connection broke, not what the server said. */
static bool from_server(const PGresult *result)
{
    return PQresultStatus(result) != PGRES_FATAL_ERROR ||
           PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL;
}

static bool receive_all(paosi_pgio *io, size_t n, paosi_result **results)
{
    PGresult *sync;
    size_t i;
    bool synced;

    for (i = 0; i < n; i++)
    {
        PGresult *result = receive(io);

        if (result && !from_server(result))
        {
            PQclear(result);
            result = NULL;
        }
        results[i] = (paosi_result *) result;
        if (!result || PQstatus(io->pg) == CONNECTION_BAD)
            return false;
    }
    sync = PQgetResult(io->pg);
    synced = sync && PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return synced;
}

/* ---- signs of life ---- */

bool paosi_pgio_ping(paosi_pgio *io)
{
    if (!io->pg)
        return false;
    if (io->pinging)
        return true;
    io->pinging = PQpipelineSync(io->pg) == 1 && PQflush(io->pg) >= 0;
    if (!io->pinging)
        break_off(io);
    return io->pinging;
}

bool paosi_pgio_pinging(const paosi_pgio *io)
{
    return io->pinging;
}

/* Takes the answer to a ping if there is one; or waits for it.  False: broken. */
static bool finish_ping(paosi_pgio *io, bool wait)
{
    while (io->pinging && (wait || !PQisBusy(io->pg)))
    {
        PGresult *result = PQgetResult(io->pg);

        if (PQstatus(io->pg) == CONNECTION_BAD)
        {
            PQclear(result);
            return false;
        }
        io->pinging = PQresultStatus(result) != PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    return true;
}

void paosi_pgio_break(paosi_pgio *io, const char *message)
{
    if (!io->pg)
        return;
    break_off(io);
    paosi_free(io->message);
    io->message = paosi_strdup(message);
}

paos_status paosi_pgio_exchange(paosi_pgio *io, const paosi_statement *statements, size_t n,
                                paosi_result **results, size_t *reached)
{
    arrays a;
    bool sent;

    memset(results, 0, n * sizeof *results);
    *reached = 0;
    if (!io->pg)
        return PAOS_DISCONNECTED;
    if (!finish_ping(io, true))
    {
        break_off(io);
        return PAOS_DISCONNECTED;
    }
    if (!arrays_make(&a, statements, n))
        return PAOS_NO_MEMORY;
    sent = send_all(io, statements, n, &a, reached);
    paosi_free(a.values);
    /*
     * When the connection broke while sending, the server may have said why.
     * When libpq failed for itself there was no sync, and nothing would come.
     */
    if (sent || PQstatus(io->pg) == CONNECTION_BAD)
        if (receive_all(io, sent ? n : *reached, results) && sent)
            return PAOS_OK;
    break_off(io);
    return PAOS_DISCONNECTED;
}

/* ---- notifications ---- */

paos_status paosi_pgio_receive(paosi_pgio *io)
{
    if (!io->pg)
        return PAOS_DISCONNECTED;
    if (PQconsumeInput(io->pg) && finish_ping(io, false))
        return PAOS_OK;
    break_off(io);
    return PAOS_DISCONNECTED;
}

bool paosi_pgio_pending(paosi_pgio *io)
{
    if (!io->next && io->pg)
        io->next = PQnotifies(io->pg);
    return io->next != NULL;
}

paosi_notification *paosi_pgio_next(paosi_pgio *io)
{
    PGnotify *next = io->next;

    io->next = NULL;
    return (paosi_notification *) next;
}

const char *paosi_notification_text(const paosi_notification *notification)
{
    return ((const PGnotify *) notification)->extra;
}

void paosi_notification_free(paosi_notification *notification)
{
    PQfreemem(notification);
}

/* ---- results ---- */

static const PGresult *pg(const paosi_result *result)
{
    return (const PGresult *) result;
}

paosi_outcome paosi_result_outcome(const paosi_result *result)
{
    switch (PQresultStatus(pg(result)))
    {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
            return PAOSI_DONE;
        case PGRES_PIPELINE_ABORTED:
            return PAOSI_SKIPPED;
        default:
            return PAOSI_FAILED;
    }
}

static const char *field(const paosi_result *result, int code)
{
    const char *text = PQresultErrorField(pg(result), code);

    return text ? text : "";
}

const char *paosi_result_sqlstate(const paosi_result *result)
{
    return field(result, PG_DIAG_SQLSTATE);
}

const char *paosi_result_message(const paosi_result *result)
{
    return field(result, PG_DIAG_MESSAGE_PRIMARY);
}

const char *paosi_result_detail(const paosi_result *result)
{
    return field(result, PG_DIAG_MESSAGE_DETAIL);
}

const char *paosi_result_hint(const paosi_result *result)
{
    return field(result, PG_DIAG_MESSAGE_HINT);
}

int paosi_result_position(const paosi_result *result)
{
    return atoi(field(result, PG_DIAG_INTERNAL_POSITION));
}

size_t paosi_result_rows(const paosi_result *result)
{
    return (size_t) PQntuples(pg(result));
}

size_t paosi_result_columns(const paosi_result *result)
{
    return (size_t) PQnfields(pg(result));
}

const char *paosi_result_name(const paosi_result *result, size_t column)
{
    return PQfname(pg(result), (int) column);
}

uint32_t paosi_result_type(const paosi_result *result, size_t column)
{
    return PQftype(pg(result), (int) column);
}

const unsigned char *paosi_result_value(const paosi_result *result, size_t row, size_t column,
                                        size_t *size)
{
    const PGresult *res = pg(result);

    *size = (size_t) PQgetlength(res, (int) row, (int) column);
    if (*size == 0 && PQgetisnull(res, (int) row, (int) column))
        return NULL;
    return (const unsigned char *) PQgetvalue(res, (int) row, (int) column);
}

void paosi_result_free(paosi_result *result)
{
    PQclear((PGresult *) result);
}
