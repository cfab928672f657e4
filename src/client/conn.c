/*
 * conn.c - a connection: opening, closing, exchanges with the server.
 *
 * Once `broken` is set nothing is sent any more; what is cached stays readable.
 * Every statement goes through paosi_conn_exchange, which is what makes the
 * figures of paos_conn_stats true.
 */
#include "paos_int.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

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

static uint32_t take_oid(const paosi_result *result, size_t column)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, 0, column, &size);

    return data && size == 4 ? paosi_read32(data) : 0;
}

/* Remembers the types' oids, or says that there is no extension. */
static paos_status take_extension(paos_conn *conn, const paosi_result *result)
{
    paosi_buffer message = {0};
    paos_status status;

    if (paosi_result_outcome(result) != PAOSI_DONE)
        return paosi_fail_result(conn, result);
    if (paosi_result_rows(result) == 1)
    {
        conn->ref_oid = take_oid(result, 0);
        conn->refs_oid = take_oid(result, 1);
    }
    if (conn->ref_oid && conn->refs_oid)
        return PAOS_OK;
    paosi_buffer_format(&message, "database \"%s\" has no extension paos",
                        paosi_pgio_database(conn->io));
    status =
        paosi_fail_detail(conn, PAOS_INVALID, message.failed ? "no extension paos" : message.data,
                          "", "Run CREATE EXTENSION paos in the database.");
    paosi_buffer_free(&message);
    return status;
}

/* On a server that only reads there is no author to note down, and nothing to notify. */
static paos_status take_introduction(paos_conn *conn, const paosi_result *result)
{
    if (paosi_result_outcome(result) != PAOSI_FAILED ||
        strcmp(paosi_result_sqlstate(result), "25006") == 0)
        return PAOS_OK;
    return paosi_fail_result(conn, result);
}

/* What tells one history of commits from another: after a failover xids come again. */
static void take_timeline(paos_conn *conn, const paosi_result *result)
{
    const unsigned char *text = NULL;
    size_t size;

    conn->timeline[0] = 0;
    if (paosi_result_outcome(result) == PAOSI_DONE && paosi_result_rows(result) == 1)
        text = paosi_result_value(result, 0, 0, &size);
    if (text)
        snprintf(conn->timeline, sizeof conn->timeline, "%s", (const char *) text);
}

paos_status paosi_conn_introduce(paos_conn *conn)
{
    const char *application = conn->application;
    char host[256] = "";
    char pid[24], uid[24];
    const paosi_parameter who[] = {
        {0, true, host, 0},
        {0, true, pid, 0},
        {0, true, uid, 0},
        {0, true, application ? application : "paos", 0},
    };
    const paosi_statement statements[] = {
        {
            .sql = "SELECT t.oid, t.typarray FROM pg_catalog.pg_extension e"
                   " JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) 'paos'"
                   " JOIN pg_catalog.pg_type t ON t.typnamespace OPERATOR(pg_catalog.=) n.oid"
                   " AND t.typname OPERATOR(pg_catalog.=) 'ref'"
                   " WHERE e.extname OPERATOR(pg_catalog.=) 'paos'",
        },
        {
            .sql = "SELECT paos.introduce($1::pg_catalog.text, $2::pg_catalog.int8,"
                   " $3::pg_catalog.int8, $4::pg_catalog.text)",
            .parameters = who,
            .count = 4,
        },
        {
            .sql = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
                   " THEN (SELECT pg_catalog.lpad(pg_catalog.upper(pg_catalog.to_hex("
                   "timeline_id)), 8, '0') FROM pg_catalog.pg_control_checkpoint())"
                   " ELSE pg_catalog.substr(pg_catalog.pg_walfile_name("
                   "pg_catalog.pg_current_wal_lsn()), 1, 8) END",
        },
    };
    paosi_result *results[3];
    paos_status status;

    gethostname(host, sizeof host - 1);
    snprintf(pid, sizeof pid, "%ld", (long) getpid());
    snprintf(uid, sizeof uid, "%ld", (long) getuid());
    status = paosi_conn_exchange(conn, statements, 3, results);
    if (status != PAOS_OK)
        return status;
    status = take_extension(conn, results[0]);
    if (status == PAOS_OK)
        status = take_introduction(conn, results[1]);
    if (status == PAOS_OK)
    {
        take_timeline(conn, results[2]);
        conn->backend = paosi_pgio_backend(conn->io);
    }
    paosi_results_free(results, 3);
    return status;
}

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

paos_status paos_conn_open(const char *conninfo, const char *application, paos_conn **out)
{
    paosi_error error = {{PAOS_INVALID, "", "conninfo and out must not be NULL", "", "", 0}, NULL};
    paos_conn *conn;
    paos_status status;

    if (!conninfo || !out)
    {
        paosi_fail_open(&error);
        return PAOS_INVALID;
    }
    conn = paosi_calloc(1, sizeof *conn);
    if (!conn)
    {
        error.shown.status = PAOS_NO_MEMORY;
        error.shown.message = paos_status_text(PAOS_NO_MEMORY);
        paosi_fail_open(&error);
        return PAOS_NO_MEMORY;
    }
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
    status = conn->conflicts && conn->conninfo && !conn->application == !application
                 ? PAOS_OK
                 : paosi_fail_memory(conn);
    if (status == PAOS_OK && !paosi_wake_open(&conn->wake))
        status = fail_descriptors(conn);
    if (status == PAOS_OK)
        status = connect_io(conn);
    if (status == PAOS_OK)
        status = paosi_conn_introduce(conn);
    if (status == PAOS_OK)
    {
        conn->outage.off = false;
        *out = conn;
        return PAOS_OK;
    }
    paosi_fail_open(&conn->error);
    paos_conn_close(conn);
    return status;
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
