/*
 * conn.c - a connection: opening, closing, exchanges with the server.
 *
 * Once `broken` is set nothing is sent any more; what is cached stays readable.
 * Every statement goes through paosi_conn_exchange, which is what makes the
 * figures of paos_conn_stats true.
 */
#include "paos_int.h"

#include <errno.h>

#define DEFAULT_CACHE 100000
#define DEFAULT_SILENCE 30000

/* ---- exchanges ---- */

void paosi_results_free(paosi_result **results, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
    {
        if (results[i])
            paosi_result_free(results[i]);
        results[i] = NULL;
    }
}

/* Converted values are borrowed until here. */
static void conversions_drop(paos_conn *conn)
{
    unsigned i;

    for (i = 0; conn->conversions && i < PAOSI_CONVERSIONS && conn->conversions[i]; i++)
    {
        paosi_free(conn->conversions[i]);
        conn->conversions[i] = NULL;
    }
    conn->conversion = 0;
}

void paosi_conn_break(paos_conn *conn)
{
    paosi_pgio_close(conn->io);
    conn->io = NULL;
    paosi_reconnect_lost(conn);
}

static paos_status fail_broken(paos_conn *conn)
{
    const char *message = conn->io ? paosi_pgio_message(conn->io) : "";

    paosi_reconnect_lost(conn);
    return paosi_fail_detail(conn, PAOS_DISCONNECTED, paos_status_text(PAOS_DISCONNECTED), message,
                             "");
}

static void begin(paos_conn *conn, size_t statements)
{
    conversions_drop(conn);
    conn->stats.statements += statements;
    conn->stats.round_trips++;
}

static paos_status end(paos_conn *conn, paos_status status)
{
    /* The socket need not be readable again for what came with the results. */
    if (paosi_pgio_pending(conn->io))
        paosi_wake_signal(&conn->wake, true);
    conn->outage.heard = paosi_wake_now();
    if (status == PAOS_NO_MEMORY)
        return paosi_fail_memory(conn);
    return status == PAOS_OK ? PAOS_OK : fail_broken(conn);
}

paos_status paosi_conn_send(paos_conn *conn, const paosi_statement *statements, size_t n,
                            paosi_result **results, size_t *reached)
{
    memset(results, 0, n * sizeof *results);
    *reached = 0;
    if (conn->broken)
        return fail_broken(conn);
    begin(conn, n);
    return end(conn, paosi_pgio_exchange(conn->io, statements, n, results, reached));
}

paos_status paosi_conn_stream(paos_conn *conn, const paosi_statement *statement, paosi_taker take,
                              void *arg, paosi_result **result)
{
    paos_status status;

    *result = NULL;
    if (conn->broken)
        return fail_broken(conn);
    begin(conn, 1);
    status = end(conn, paosi_pgio_stream(conn->io, statement, take, arg, result));
    if (status != PAOS_OK)
        paosi_results_free(result, 1);
    return status;
}

paos_status paosi_conn_receive(paos_conn *conn)
{
    bool asked;

    if (conn->broken)
        return fail_broken(conn);
    conversions_drop(conn);
    asked = paosi_pgio_pinging(conn->io);
    if (paosi_pgio_receive(conn->io) != PAOS_OK)
        return fail_broken(conn);
    if (asked && !paosi_pgio_pinging(conn->io))
        conn->outage.heard = paosi_wake_now();
    return paosi_reconnect_listen(conn) == PAOS_OK ? PAOS_OK : fail_broken(conn);
}

paos_status paosi_conn_roll_back(paos_conn *conn, paos_status status)
{
    static const paosi_statement statement = {.sql = "ROLLBACK"};
    const paosi_error error = conn->error;
    paosi_result *result;

    if (conn->broken)
        return status;
    /* What is to be reported is why, not this. */
    conn->error.texts = NULL;
    if (paosi_conn_exchange(conn, &statement, 1, &result) != PAOS_OK && !conn->broken)
        paosi_conn_break(conn);
    paosi_results_free(&result, 1);
    paosi_free(conn->error.texts);
    conn->error = error;
    return status;
}

paos_status paosi_conn_exchange(paos_conn *conn, const paosi_statement *statements, size_t n,
                                paosi_result **results)
{
    size_t reached;
    paos_status status = paosi_conn_send(conn, statements, n, results, &reached);

    if (status != PAOS_OK)
        paosi_results_free(results, n);
    return status;
}

paos_status paosi_conn_ask(paos_conn *conn, const paosi_statement *statements, size_t n,
                           paosi_result **results)
{
    paos_status status = paosi_conn_exchange(conn, statements, n, results);
    size_t i;

    for (i = 0; status == PAOS_OK && i < n; i++)
        if (paosi_result_outcome(results[i]) == PAOSI_FAILED)
            status = paosi_fail_result(conn, results[i]);
    if (status != PAOS_OK)
        paosi_results_free(results, n);
    return status;
}

void *paosi_conn_conversion(paos_conn *conn, size_t size)
{
    char *room;

    if (!conn->conversions)
        conn->conversions = paosi_calloc(PAOSI_CONVERSIONS, sizeof *conn->conversions);
    room = conn->conversions ? paosi_malloc(size) : NULL;
    if (!room)
    {
        paosi_fail_memory(conn);
        return NULL;
    }
    paosi_free(conn->conversions[conn->conversion]);
    conn->conversions[conn->conversion] = room;
    conn->conversion = (conn->conversion + 1) % PAOSI_CONVERSIONS;
    return room;
}

/* ---- opening ---- */

static paos_status fail_descriptors(paos_conn *conn)
{
    return paosi_fail(conn, PAOS_NO_MEMORY, "no descriptor to wait on: %s", strerror(errno));
}

static paos_status connect_io(paos_conn *conn)
{
    const paosi_dial dial = {.conninfo = conn->conninfo,
                             .application = conn->application,
                             .silence_ms = conn->outage.silence};
    char *message = NULL;
    paos_status status = paosi_dial_open(&dial, &conn->io, &message);

    if (status == PAOS_NO_MEMORY)
        return paosi_fail_memory(conn);
    if (status != PAOS_OK)
        paosi_fail_detail(conn, status, message ? message : paos_status_text(status), "", "");
    paosi_free(message);
    paosi_probe_arm(conn);
    if (status == PAOS_OK && !paosi_wake_watch(&conn->wake, paosi_pgio_fd(conn->io), false))
        return fail_descriptors(conn);
    return status;
}

/* A connection to nowhere; NULL: no memory. */
static paos_conn *make(const char *conninfo, const char *application)
{
    paos_conn *conn = paosi_calloc(1, sizeof *conn);

    if (!conn)
        return NULL;
    conn->cache.bound = DEFAULT_CACHE;
    conn->outage.silence = DEFAULT_SILENCE;
    conn->trails.most = SIZE_MAX;
    /* What cannot be opened is not tried again. */
    conn->outage.off = true;
    paos_conn_error_clear(conn);
    paosi_cache_init(conn);
    paosi_wake_init(&conn->wake);
    conn->conflicts = paosi_list_new(conn, 0);
    conn->conninfo = paosi_strdup(conninfo);
    conn->application = application ? paosi_strdup(application) : NULL;
    if (conn->conflicts && conn->conninfo && !conn->application == !application)
        return conn;
    paos_conn_close(conn);
    return NULL;
}

static paos_status fail_open(paos_status status, const char *message)
{
    const paosi_error error = {{status, "", message, "", "", 0}, NULL};

    paosi_fail_open(&error);
    return status;
}

paos_status paos_conn_open(const char *conninfo, const char *application, paos_conn **out)
{
    paos_conn *conn;
    paos_status status;

    if (!conninfo || !out)
        return fail_open(PAOS_INVALID, "conninfo and out must not be NULL");
    conn = make(conninfo, application);
    if (!conn)
        return fail_open(PAOS_NO_MEMORY, paos_status_text(PAOS_NO_MEMORY));
    status = paosi_wake_open(&conn->wake) ? connect_io(conn) : fail_descriptors(conn);
    if (status == PAOS_OK)
        status = paosi_introduce(conn);
    if (status != PAOS_OK)
    {
        paosi_fail_open(&conn->error);
        paos_conn_close(conn);
        return status;
    }
    conn->outage.off = false;
    *out = conn;
    return PAOS_OK;
}

void paos_conn_close(paos_conn *conn)
{
    if (!conn)
        return;
    paosi_pgio_close(conn->io);
    paosi_wake_close(&conn->wake);
    paosi_requests_free(&conn->requests);
    paosi_reconnect_free(conn);
    paos_list_free(conn->undecided.objects);
    paos_list_free(conn->conflicts);
    paosi_list_detach(conn);
    paosi_cache_free(conn);
    paosi_trails_free(conn);
    paosi_catalog_free(conn);
    conversions_drop(conn);
    paosi_free(conn->conversions);
    paosi_buffer_free(&conn->cells);
    paosi_buffer_free(&conn->offsets);
    paosi_free(conn->error.texts);
    paosi_free(conn->rights.items);
    paosi_free(conn->coherent.fresh.items);
    paosi_free(conn->conninfo);
    paosi_free(conn->application);
    paosi_free(conn);
}

/* ---- what there is to know and set ---- */

const paos_list *paos_conn_conflicts(const paos_conn *conn)
{
    return conn ? conn->conflicts : NULL;
}

void paos_conn_stats(const paos_conn *conn, paos_stats *out)
{
    if (!conn || !out)
        return;
    *out = conn->stats;
    out->objects = conn->cache.clean.size + conn->cache.held.size + conn->cache.dirty.size -
                   conn->cache.absent;
}

paos_status paos_conn_set_cache(paos_conn *conn, size_t objects)
{
    if (!conn)
        return PAOS_INVALID;
    conn->cache.bound = objects;
    paosi_cache_count(conn);
    conn->cache.trim_at = 0;
    paosi_cache_trim(conn, NULL);
    return PAOS_OK;
}

paos_status paos_conn_set_reconnect(paos_conn *conn, bool reconnect)
{
    if (!conn)
        return PAOS_INVALID;
    conn->outage.off = !reconnect;
    paosi_dispatch_arm(conn);
    return PAOS_OK;
}

paos_status paos_conn_set_outage_wait(paos_conn *conn, int timeout_ms)
{
    if (!conn)
        return PAOS_INVALID;
    conn->outage.wait = timeout_ms;
    return PAOS_OK;
}

paos_status paos_conn_set_silence(paos_conn *conn, int silence_ms)
{
    if (!conn)
        return PAOS_INVALID;
    if (silence_ms < 0)
        return paosi_fail(conn, PAOS_INVALID, "silence must not be negative");
    conn->outage.silence = silence_ms;
    paosi_probe_arm(conn);
    paosi_dispatch_arm(conn);
    return PAOS_OK;
}

paos_status paos_conn_set_lock_wait(paos_conn *conn, int timeout_ms)
{
    if (!conn)
        return PAOS_INVALID;
    conn->lock_wait = timeout_ms;
    return PAOS_OK;
}
