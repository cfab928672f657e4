/*
 * pgio.c - the wire: statements out, results in; with dial.c the only caller of libpq.
 *
 * The connection is non-blocking and always in pipeline mode.  Sending and
 * receiving must overlap: a server that waits for us to read its results does
 * not read our statements, so whoever only sends and then only reads deadlocks
 * as soon as both directions hold more than the sockets' buffers.
 */
#include "pgio_int.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* Unsent bytes at which sending stops to let the server's results in. */
#define PUMP_BYTES ((size_t) 256 * 1024)
/* Statements from which on libpq is better left to send them itself. */
#define HUGE_BYTES ((size_t) 8 << 20)

/* ---- ending ---- */

void paosi_pgio_break_off(paosi_pgio *io)
{
    const char *message = PQerrorMessage(io->pg);

    if (!io->pg)
        return;
    if (*message)
        io->message = paosi_strdup(message);
    PQfinish(io->pg);
    io->pg = NULL;
    PQfreemem(io->next);
    io->next = NULL;
    io->pinging = false;
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

static bool send_statement(paosi_pgio *io, const paosi_statement *statement, bool again,
                           const arrays *a)
{
    int n = (int) statement->count;
    size_t i;

    for (i = 0; i < statement->count; i++)
    {
        const paosi_parameter *p = &statement->parameters[i];

        a->values[i] = p->data;
        a->types[i] = p->type;
        a->sizes[i] = (int) p->size;
        a->formats[i] = !p->text;
    }
    /* The statement without a name is the last one that was parsed. */
    if (again)
        return PQsendQueryPrepared(io->pg, "", n, a->values, a->sizes, a->formats, 1) == 1;
    return PQsendQueryParams(io->pg, statement->sql, n, a->types, a->values, a->sizes, a->formats,
                             1) == 1;
}

static size_t statement_bytes(const paosi_statement *statement)
{
    size_t bytes = strlen(statement->sql);
    size_t i;

    for (i = 0; i < statement->count; i++)
        bytes += statement->parameters[i].size;
    return bytes;
}

/* Waits for the socket, and takes in what has come; for as long as the server gives a sign of life.
 */
static bool await(paosi_pgio *io, short events)
{
    struct pollfd fd = {PQsocket(io->pg), events, 0};
    int n;

    while ((n = poll(&fd, 1, io->alive ? io->doubt_ms : -1)) <= 0)
    {
        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0 && !io->alive(io->arg))
        {
            paosi_pgio_break(io, "the server gave no sign of life");
            return false;
        }
    }
    return !(fd.revents & (POLLIN | POLLHUP | POLLERR)) || PQconsumeInput(io->pg);
}

/* Sends all that waits to be sent, and takes in what comes meanwhile. */
static bool pump(paosi_pgio *io)
{
    int left;

    while ((left = PQflush(io->pg)) == 1)
        if (!await(io, POLLIN | POLLOUT))
            return false;
    return left == 0;
}

/*
 * After each part that the socket takes without waiting libpq moves all that is left, which for
 * a huge statement takes the square of its size.  Waiting itself it does not, and takes in what
 * comes, but asks nobody whether the server lives: the network's own timeouts have to do.
 */
static bool send_huge(paosi_pgio *io, const paosi_statement *statement, bool again, const arrays *a)
{
    bool sent = pump(io) && PQsetnonblocking(io->pg, 0) == 0 &&
                send_statement(io, statement, again, a) && PQflush(io->pg) == 0;

    return io->pg && PQsetnonblocking(io->pg, 1) == 0 && sent;
}

/* Again: is its text that of the one before it? */
static bool send_one(paosi_pgio *io, const paosi_statement *statement, bool again, const arrays *a,
                     size_t *waiting)
{
    size_t bytes = statement_bytes(statement);

    if (bytes > HUGE_BYTES)
        return send_huge(io, statement, again, a);
    if (!send_statement(io, statement, again, a))
        return false;
    *waiting += bytes;
    if (*waiting < PUMP_BYTES)
        return true;
    *waiting = 0;
    return pump(io);
}

/* Stops before a statement that cannot be made. */
static bool send_all(paosi_pgio *io, const paosi_statement *statements, size_t n, const arrays *a,
                     size_t *reached)
{
    size_t waiting = 0;

    for (*reached = 0; *reached < n; ++*reached)
    {
        const paosi_statement *statement = &statements[*reached];
        bool again = *reached > 0 && statement->sql == statement[-1].sql;

        /* What is ready goes first: making more takes time, which is the server's too. */
        if (statement->make && (PQflush(io->pg) < 0 || !statement->make(statement->arg)))
            break;
        if (!send_one(io, statement, again, a, &waiting))
        {
            ++*reached;
            return false;
        }
    }
    return PQstatus(io->pg) != CONNECTION_BAD && PQpipelineSync(io->pg) == 1 && pump(io);
}

/* PQgetResult, which would wait without end; NULL also when the connection is lost. */
static PGresult *next_result(paosi_pgio *io)
{
    while (PQisBusy(io->pg))
        if (!await(io, PQflush(io->pg) == 1 ? POLLIN | POLLOUT : POLLIN))
            break;
    /* What the server said before the connection broke is there still. */
    return io->pg ? PQgetResult(io->pg) : NULL;
}

/* Who takes the rows of a statement while it goes on. */
typedef struct stream
{
    paosi_taker take;
    void *arg;
} stream;

/* Hands over what comes in part; what it ends with. */
static PGresult *hand_over(paosi_pgio *io, const stream *to)
{
    PGresult *result;
    bool wanted = true;

    while ((result = next_result(io)) && PQresultStatus(result) == PGRES_SINGLE_TUPLE)
    {
        wanted = wanted && to->take(to->arg, (const paosi_result *) result);
        PQclear(result);
    }
    return result;
}

/* The result of the next statement, or its end; NULL: the connection is lost. */
static PGresult *receive(paosi_pgio *io, const stream *to)
{
    PGresult *result = to ? hand_over(io, to) : next_result(io);
    PGresult *end;

    if (!result)
        return NULL;
    while ((end = next_result(io)) != NULL)
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

static bool receive_all(paosi_pgio *io, size_t n, const stream *to, paosi_result **results)
{
    PGresult *sync;
    size_t i;
    bool synced;

    for (i = 0; i < n; i++)
    {
        PGresult *result = receive(io, to);

        if (result && !from_server(result))
        {
            PQclear(result);
            result = NULL;
        }
        results[i] = (paosi_result *) result;
        if (!result || PQstatus(io->pg) == CONNECTION_BAD)
            return false;
    }
    sync = next_result(io);
    synced = sync && PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return synced;
}

/* What became of the statements before one that could not be made does not matter. */
static paos_status drop_all(size_t n, paosi_result **results)
{
    size_t i;

    for (i = 0; i < n; i++)
    {
        paosi_result_free(results[i]);
        results[i] = NULL;
    }
    return PAOS_NO_MEMORY;
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
        paosi_pgio_break_off(io);
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
        PGresult *result = next_result(io);

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

void paosi_pgio_doubt(paosi_pgio *io, int after_ms, bool (*alive)(void *arg), void *arg)
{
    io->doubt_ms = after_ms;
    io->alive = after_ms > 0 ? alive : NULL;
    io->arg = arg;
}

void paosi_pgio_break(paosi_pgio *io, const char *message)
{
    if (!io->pg)
        return;
    paosi_pgio_break_off(io);
    paosi_free(io->message);
    io->message = paosi_strdup(message);
}

static paos_status exchange(paosi_pgio *io, const paosi_statement *statements, size_t n,
                            const stream *to, paosi_result **results, size_t *reached)
{
    arrays a;
    bool sent;

    memset(results, 0, n * sizeof *results);
    *reached = 0;
    if (!io->pg)
        return PAOS_DISCONNECTED;
    if (!finish_ping(io, true))
    {
        paosi_pgio_break_off(io);
        return PAOS_DISCONNECTED;
    }
    if (!arrays_make(&a, statements, n))
        return PAOS_NO_MEMORY;
    sent = send_all(io, statements, n, &a, reached);
    paosi_free(a.values);
    /* Rows that were not handed over would look like none. */
    if (sent && to && *reached > 0)
        sent = PQsetSingleRowMode(io->pg) == 1;
    /*
     * When the connection broke while sending, the server may have said why.
     * When libpq failed for itself there was no sync, and nothing would come.
     */
    if (sent || PQstatus(io->pg) == CONNECTION_BAD)
        if (receive_all(io, *reached, to, results) && sent)
            return *reached == n ? PAOS_OK : drop_all(*reached, results);
    paosi_pgio_break_off(io);
    return PAOS_DISCONNECTED;
}

paos_status paosi_pgio_exchange(paosi_pgio *io, const paosi_statement *statements, size_t n,
                                paosi_result **results, size_t *reached)
{
    return exchange(io, statements, n, NULL, results, reached);
}

paos_status paosi_pgio_stream(paosi_pgio *io, const paosi_statement *statement, paosi_taker take,
                              void *arg, paosi_result **result)
{
    const stream to = {take, arg};
    size_t reached;

    return exchange(io, statement, 1, &to, result, &reached);
}

/* ---- notifications ---- */

paos_status paosi_pgio_receive(paosi_pgio *io)
{
    if (!io->pg)
        return PAOS_DISCONNECTED;
    if (PQconsumeInput(io->pg) && finish_ping(io, false))
        return PAOS_OK;
    paosi_pgio_break_off(io);
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
