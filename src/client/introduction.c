/*
 * introduction.c - what a new connection and the server tell each other of themselves.
 *
 * One round trip for three questions, of which two may fail without harm: a server
 * that only reads takes no introduction, and not every one says its timeline.
 */
#include "paos_int.h"

#include <stdio.h>
#include <unistd.h>

static const char sql_extension[] =
    "SELECT t.oid, t.typarray FROM pg_catalog.pg_extension e"
    " JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) 'paos'"
    " JOIN pg_catalog.pg_type t ON t.typnamespace OPERATOR(pg_catalog.=) n.oid"
    " AND t.typname OPERATOR(pg_catalog.=) 'ref'"
    " WHERE e.extname OPERATOR(pg_catalog.=) 'paos'";

static const char sql_introduce[] =
    "SELECT paos.introduce($1::pg_catalog.text, $2::pg_catalog.int8,"
    " $3::pg_catalog.int8, $4::pg_catalog.text)";

static const char sql_timeline[] =
    "SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
    " THEN (SELECT pg_catalog.lpad(pg_catalog.upper(pg_catalog.to_hex("
    "timeline_id)), 8, '0') FROM pg_catalog.pg_control_checkpoint())"
    " ELSE pg_catalog.substr(pg_catalog.pg_walfile_name("
    "pg_catalog.pg_current_wal_lsn()), 1, 8) END";

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

paos_status paosi_introduce(paos_conn *conn)
{
    char host[256] = "";
    char pid[24], uid[24];
    const paosi_parameter who[] = {
        {0, true, host, 0},
        {0, true, pid, 0},
        {0, true, uid, 0},
        {0, true, conn->application ? conn->application : "paos", 0},
    };
    const paosi_statement statements[] = {
        {.sql = sql_extension},
        {.sql = sql_introduce, .parameters = who, .count = 4},
        {.sql = sql_timeline},
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
