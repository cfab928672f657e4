/*
 * error.c - why the last call failed.
 *
 * All texts of an error are one allocation; when even that fails the message
 * is the status's own constant text, so that reporting an error cannot fail.
 * The error of a connection that did not come to be is kept per thread.
 */
#include "paos_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const paos_error no_error = {PAOS_OK, "", "", "", "", 0};

/* In a fixed array: nobody could free it when the thread ends. */
static __thread char open_texts[2048];
static __thread paos_error open_error;

static void copy_text(const char **shown, char **room, const char *text)
{
    size_t size = strlen(text) + 1;

    *shown = memcpy(*room, text, size);
    *room += size;
}

void paosi_error_set(paosi_error *error, paos_status status, const char *sqlstate,
                     const char *message, const char *detail, const char *hint)
{
    size_t size = strlen(sqlstate) + strlen(message) + strlen(detail) + strlen(hint) + 4;
    char *room = paosi_malloc(size);
    char *old = error->texts;

    error->shown = no_error;
    error->shown.status = status;
    error->shown.message = paos_status_text(status);
    error->texts = room;
    if (room)
    {
        copy_text(&error->shown.sqlstate, &room, sqlstate);
        copy_text(&error->shown.message, &room, message);
        copy_text(&error->shown.detail, &room, detail);
        copy_text(&error->shown.hint, &room, hint);
    }
    paosi_free(old);
}

paos_status paosi_fail(paos_conn *conn, paos_status status, const char *format, ...)
{
    paosi_buffer message = {0};
    char *room = paosi_buffer_room(&message, 256);
    va_list args;
    int size = 0;

    va_start(args, format);
    if (room)
        size = vsnprintf(room, 256, format, args);
    va_end(args);
    if (size >= 256 && (room = paosi_buffer_room(&message, (size_t) size + 1)))
    {
        va_start(args, format);
        vsnprintf(room, (size_t) size + 1, format, args);
        va_end(args);
    }
    paosi_error_set(&conn->error, status, "", room ? room : paos_status_text(status), "", "");
    paosi_buffer_free(&message);
    return status;
}

paos_status paosi_fail_detail(paos_conn *conn, paos_status status, const char *message,
                              const char *detail, const char *hint)
{
    paosi_error_set(&conn->error, status, "", message, detail, hint);
    return status;
}

paos_status paosi_fail_memory(paos_conn *conn)
{
    paosi_free(conn->error.texts);
    conn->error.texts = NULL;
    conn->error.shown = no_error;
    conn->error.shown.status = PAOS_NO_MEMORY;
    conn->error.shown.message = paos_status_text(PAOS_NO_MEMORY);
    return PAOS_NO_MEMORY;
}

/* SQLSTATEs that callers branch on; a class of two characters after the exact ones. */
static const struct
{
    const char *sqlstate;
    paos_status status;
} statuses[] = {
    {"55P03", PAOS_LOCKED},       /* lock_not_available: another session's right */
    {"55006", PAOS_LOCKED},       /* object_in_use: another session's durable request */
    {"P0002", PAOS_NOT_FOUND},    /* no_data_found: no such object to lock */
    {"40001", PAOS_CONFLICT},     /* serialization_failure */
    {"57014", PAOS_TIMEOUT},      /* query_canceled: statement_timeout */
    {"57P01", PAOS_DISCONNECTED}, /* admin_shutdown, crash_shutdown, cannot_connect_now */
    {"57P02", PAOS_DISCONNECTED}, {"57P03", PAOS_DISCONNECTED},
    {"42501", PAOS_SERVER}, /* insufficient_privilege is no mistake of the caller's */
    {"08", PAOS_DISCONNECTED},    {"22", PAOS_INVALID},
    {"42", PAOS_INVALID},         {"3F", PAOS_INVALID},
};

static paos_status status_of(const char *sqlstate)
{
    size_t i;

    for (i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (strncmp(sqlstate, statuses[i].sqlstate, strlen(statuses[i].sqlstate)) == 0)
            return statuses[i].status;
    return PAOS_SERVER;
}

paos_status paosi_fail_result(paos_conn *conn, const paosi_result *result)
{
    paos_status status = status_of(paosi_result_sqlstate(result));

    /* The classes may have changed under us: look again before the next use. */
    if (paosi_load_outdated(result))
        conn->catalog_stale = true;
    paosi_error_set(&conn->error, status, paosi_result_sqlstate(result),
                    paosi_result_message(result), paosi_result_detail(result),
                    paosi_result_hint(result));
    conn->error.shown.position = paosi_result_position(result);
    return status;
}

void paosi_fail_open(const paosi_error *error)
{
    open_error = no_error;
    open_error.status = error->shown.status;
    snprintf(open_texts, sizeof open_texts, "%.5s%c%.600s%c%.600s%c%.800s", error->shown.sqlstate,
             0, error->shown.hint, 0, error->shown.detail, 0, error->shown.message);
    open_error.sqlstate = open_texts;
    open_error.hint = open_error.sqlstate + strlen(open_error.sqlstate) + 1;
    open_error.detail = open_error.hint + strlen(open_error.hint) + 1;
    open_error.message = open_error.detail + strlen(open_error.detail) + 1;
}

const paos_error *paos_conn_error(const paos_conn *conn)
{
    if (conn)
        return &conn->error.shown;
    return open_error.sqlstate ? &open_error : &no_error;
}

void paos_conn_error_clear(paos_conn *conn)
{
    if (!conn)
        return;
    paosi_free(conn->error.texts);
    conn->error.texts = NULL;
    conn->error.shown = no_error;
}
