/*
 * request_flood.c - a listener among writers who commit as fast as they can.
 *
 * It is told of several commits at once then, and stays awake for more.  It must be told of each
 * row once, and of what was committed before another row was sent before that one; and it must be
 * answered when it says something, which it does at random: statements, a procedure that commits
 * often, a cancel request while it only listens.
 */
#include "request_listen.h"
#include "splitmix.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WRITERS 6
#define ROWS_MAX 100000

typedef struct writer
{
    PGconn *conn;
    int row; /* that it is committing, or -1 */
} writer;

static PGconn *listener;
static PGcancel *cancel;
static writer writers[WRITERS];
static bool asked; /* the listener has a statement under way */
static long sent[ROWS_MAX], done[ROWS_MAX];
static unsigned char told[ROWS_MAX];
static long now, newest; /* sent of all that was told */
static int rows = 10000, ntold, answers, passed, failed;

static void count(bool ok, const char *what, int row)
{
    passed += ok;
    failed += !ok;
    if (!ok)
        printf("row %d: %s\n", row, what);
}

/* ---- the listener ---- */

static void take(const char *payload)
{
    const char *refs = strstr(payload, "\"enter\":[\"");
    int row = refs ? atoi(strchr(refs + 10, ':') + 1) : 0;

    if (row < 1 || row > rows)
        die(payload, NULL);
    count(told[row]++ == 0, "told twice", row);
    /* Its commit may have been told of before its writer heard. */
    count(done[row] == 0 || done[row] > newest, "told after what was sent later", row);
    if (sent[row] > newest)
        newest = sent[row];
    ntold++;
}

static void say_something(void)
{
    static const char *const words[] = {"SELECT 1", "CALL often()", "UPDATE other SET n = n + 1",
                                        "BEGIN; SELECT 1; COMMIT"};
    char error[256];

    if (below(3) == 0)
    {
        if (!PQcancel(cancel, error, sizeof error))
            die(error, NULL);
        return;
    }
    if (!PQsendQuery(listener, words[below(4)]))
        die("saying something", listener);
    asked = true;
}

static void listen_to(bool readable)
{
    PGnotify *note;
    PGresult *result;

    if (readable && !PQconsumeInput(listener))
        die("listening", listener);
    while ((note = PQnotifies(listener)) != NULL)
    {
        take(note->extra);
        PQfreemem(note);
    }
    while (asked && !PQisBusy(listener))
    {
        result = PQgetResult(listener);
        asked = result != NULL;
        answers += !asked;
        /* The cancel request may have come late enough. */
        if (asked && PQresultStatus(result) == PGRES_FATAL_ERROR &&
            strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014") != 0)
            die("an answer", listener);
        PQclear(result);
    }
}

/* ---- writers ---- */

static void write_next(writer *w, int row)
{
    char sql[80];

    snprintf(sql, sizeof sql, "INSERT INTO flood VALUES (%d)", row);
    w->row = row;
    sent[row] = ++now;
    if (!PQsendQuery(w->conn, sql))
        die(sql, w->conn);
}

static void hear(writer *w)
{
    PGresult *result;

    if (!PQconsumeInput(w->conn))
        die("writing", w->conn);
    while (w->row > 0 && !PQisBusy(w->conn))
    {
        result = PQgetResult(w->conn);
        if (result == NULL)
        {
            done[w->row] = ++now;
            w->row = -1;
        }
        else if (PQresultStatus(result) != PGRES_COMMAND_OK)
            die("writing", w->conn);
        PQclear(result);
    }
}

/* ---- the run ---- */

static void prepare(void)
{
    listener = open_connection("");
    cancel = PQgetCancel(listener);
    for (int w = 0; w < WRITERS; w++)
        writers[w] = (writer){open_connection(""), -1};
    RUN(listener, "CREATE TABLE flood (id int PRIMARY KEY); CREATE TABLE other (n int);"
                  "INSERT INTO other VALUES (0);"
                  "CREATE PROCEDURE often() LANGUAGE plpgsql AS $$ BEGIN"
                  " FOR i IN 1..20 LOOP UPDATE other SET n = n + 1; COMMIT; END LOOP; END $$;"
                  "SELECT paos.register_class('flood')");
    RUN(listener, "SELECT paos.subscribe('flood', 'id > 0')");
}

/* Until all rows are told of and the listener has its answer. */
static void run_all(void)
{
    struct pollfd fds[WRITERS + 1];
    int next = 1;

    while (ntold < rows || asked)
    {
        for (int w = 0; w < WRITERS; w++)
        {
            if (writers[w].row < 0 && next <= rows)
                write_next(&writers[w], next++);
            fds[w] = (struct pollfd){PQsocket(writers[w].conn), POLLIN, 0};
        }
        if (!asked && next <= rows && below(20) == 0)
            say_something();
        fds[WRITERS] = (struct pollfd){PQsocket(listener), POLLIN, 0};
        if (poll(fds, WRITERS + 1, 60000) == 0)
            die("nothing arrived for a minute", NULL);
        for (int w = 0; w < WRITERS; w++)
            if (fds[w].revents)
                hear(&writers[w]);
        listen_to(fds[WRITERS].revents != 0);
    }
}

int main(int argc, char **argv)
{
    unsigned long seed = 1;

    for (int i = 1; i < argc; i++)
    {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--cases") == 0 && atoi(argv[i + 1]) < ROWS_MAX)
            rows = atoi(argv[++i]);
        else
        {
            printf("usage: request_flood [--seed N] [--cases N]\n"
                   "Checks what a listener is told of many writers. Finds the server as libpq"
                   " does.\n");
            return strcmp(argv[i], "--help") != 0;
        }
    }
    state = seed;
    printf("request_flood: seed %lu, %d rows\n", seed, rows);
    prepare();
    run_all();
    printf("%d answers\n%d passed, %d failed\n", answers, passed, failed);
    return failed > 0;
}
