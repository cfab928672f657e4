/* request_listen.h - what the programs that listen for events share. */
#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, PGconn *conn)
{
    fprintf(stderr, "%.300s: %.1000s\n", what, conn ? PQerrorMessage(conn) : "");
    exit(1);
}

static PGresult *run(PGconn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));

static PGresult *run(PGconn *conn, const char *format, ...)
{
    char sql[16384];
    va_list args;
    PGresult *result;

    va_start(args, format);
    vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        die(sql, conn);
    return result;
}

#define RUN(...) PQclear(run(__VA_ARGS__))

static PGconn *open_connection(const char *settings) __attribute__((unused));

/* A new session, with these settings. */
static PGconn *open_connection(const char *settings)
{
    PGconn *conn = PQconnectdb("");

    if (PQstatus(conn) != CONNECTION_OK)
        die("connecting", conn);
    RUN(conn, "SET client_min_messages = warning; %s", settings);
    return conn;
}

static PGnotify *next_notification(PGconn *listener) __attribute__((unused));

/* Waits for the next notification, reading as long as there is something to. */
static PGnotify *next_notification(PGconn *listener)
{
    for (;;)
    {
        struct pollfd fd = {PQsocket(listener), POLLIN, 0};
        PGnotify *note = PQnotifies(listener);

        if (note != NULL)
            return note;
        if (poll(&fd, 1, 60000) == 0)
            die("nothing arrived for a minute", NULL);
        if (!PQconsumeInput(listener))
            die("listening", listener);
    }
}
