/*
 * writer.c - a writer: transactions on items of its own, and a log of what the
 * server has confirmed.
 *
 * Each item is written by one writer only, so that its log tells the order of
 * the item's states.  A transaction whose outcome did not arrive is settled
 * before the next: the former session is seen to be gone, and then the table
 * `done`, which each transaction writes a row of, tells.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

typedef struct writer
{
    seat *seat;
    role_log log;
    PGconn *pg;
    uint64_t random;
    long n; /* number of the present transaction */
    bool two_phase;
    int nchanges;
    change changes[8];
    char statements[4096];
} writer;

static void append(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(writer *w, const char *format, ...)
{
    size_t used = strlen(w->statements);
    va_list args;

    va_start(args, format);
    vsnprintf(w->statements + used, sizeof(w->statements) - used, format, args);
    va_end(args);
}

/* Which items the transaction is about, in the order of their ids: no deadlocks among prepared
 * ones. */
static void choose(writer *w)
{
    int first = w->seat->number * ITEMS_PER_WRITER + 1;
    int step = 1 + random_below(&w->random, 8);
    int at = random_below(&w->random, ITEMS_PER_WRITER - 8);

    w->nchanges = 1 + random_below(&w->random, 4);
    for (int i = 0; i < w->nchanges; i++)
    {
        item none = {first + at, w->seat->number, -1, 0};

        at += i + 1 < w->nchanges ? step % 2 + 1 : 0;
        w->changes[i] = (change){none, none};
    }
}

/*
 * Begins, locks the items and reads what they are: nobody else changes them until the end.  The
 * setting is for the session, so that it is that of COMMIT PREPARED too.
 */
static bool begin(writer *w)
{
    PGresult *result;
    bool ok;

    w->statements[0] = '\0';
    append(w, "BEGIN; SET synchronous_commit = %s; SELECT id, grade, seq FROM item WHERE id IN (0",
           the->synchronous ? "on" : "local");
    for (int i = 0; i < w->nchanges; i++)
        append(w, ",%d", w->changes[i].before.id);
    append(w, ") ORDER BY id FOR UPDATE");
    result = link_run(w->pg, "%s", w->statements);
    ok = result != NULL && link_ok(result);
    for (int row = 0; ok && row < PQntuples(result); row++)
        for (int i = 0; i < w->nchanges; i++)
            if (w->changes[i].before.id == atoi(PQgetvalue(result, row, 0)))
            {
                w->changes[i].before.grade = atoi(PQgetvalue(result, row, 1));
                w->changes[i].before.seq = atol(PQgetvalue(result, row, 2));
            }
    PQclear(result);
    return ok;
}

/* Grades near the bounds of the queries as often as any. */
static int grade(writer *w)
{
    static const int bounds[] = {7, 9, 10, 20, 21, 33, 49, 50, 60, 61, 71};

    return random_below(&w->random, 3) == 0 ? bounds[random_below(&w->random, (int) COUNT(bounds))]
                                            : random_below(&w->random, 100);
}

/* What is rolled back to a savepoint must be told to nobody. */
static void append_noise(writer *w, int id)
{
    append(w, "SAVEPOINT s; UPDATE item SET grade = %d, seq = -1 WHERE id = %d; ", grade(w), id);
    append(w, "DELETE FROM item WHERE id = %d; ROLLBACK TO s; ", id);
}

static void append_change(writer *w, change *c)
{
    c->after = c->before;
    c->after.seq = w->n;
    if (random_below(&w->random, 8) == 0)
        append_noise(w, c->before.id);
    if (c->before.grade < 0)
    {
        c->after.grade = grade(w);
        append(w, "INSERT INTO item (id, writer, grade, seq) VALUES (%d, %d, %d, %ld); ",
               c->after.id, c->after.writer, c->after.grade, w->n);
        return;
    }
    if (random_below(&w->random, 4) == 0)
    {
        c->after.grade = -1;
        append(w, "DELETE FROM item WHERE id = %d; ", c->after.id);
        return;
    }
    c->after.grade = grade(w);
    append(w, "UPDATE item SET grade = %d, seq = %ld WHERE id = %d; ", c->after.grade, w->n,
           c->after.id);
}

/* Logs what the transaction will have done if it commits. */
static void log_try(writer *w, const PGresult *result)
{
    char text[512] = "";

    for (int i = 0; i < w->nchanges; i++)
    {
        const change *c = &w->changes[i];

        snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d,%d,%ld,%d", c->before.id,
                 c->before.grade, c->before.seq, c->after.grade);
    }
    log_line(&w->log, "T %ld %s %s%s", w->n, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
             text);
}

/* The writing itself; afterwards the transaction is open, and logged as tried. */
static bool write_items(writer *w)
{
    PGresult *result;
    bool ok;

    w->statements[0] = '\0';
    for (int i = 0; i < w->nchanges; i++)
        append_change(w, &w->changes[i]);
    append(w, "INSERT INTO done VALUES (%d, %ld); ", w->seat->number, w->n);
    append(w, "SELECT pg_current_xact_id(), nextval('clock')");
    result = link_run(w->pg, "%s", w->statements);
    ok = result != NULL && link_ok(result);
    if (ok)
        log_try(w, result);
    PQclear(result);
    return ok;
}

static void closed(writer *w, char outcome)
{
    log_line(&w->log, "%c %ld", outcome, w->n);
    w->seat->open = 0;
    atomic_fetch_add(&w->seat->steps, 1);
    board_changed();
}

/* What the server said to the commit, or nothing. */
static void finish(writer *w, PGresult *result)
{
    if (result != NULL && link_ok(result) && strcmp(PQcmdStatus(result), "ROLLBACK") != 0)
        closed(w, 'K');
    else if (result != NULL && PQtransactionStatus(w->pg) == PQTRANS_IDLE && !w->two_phase)
        closed(w, 'A');
    else
        link_close(w->seat, &w->pg);
    PQclear(result);
}

static void commit(writer *w)
{
    PGresult *result;

    w->two_phase = the->two_phase && random_below(&w->random, 8) == 0;
    w->seat->open = w->n;
    if (!w->two_phase)
    {
        finish(w, link_run(w->pg, "COMMIT"));
        return;
    }
    result = link_run(w->pg, "PREPARE TRANSACTION '%s-%ld'", w->seat->name, w->n);
    if (result == NULL || !link_ok(result) || strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
        link_close(w->seat, &w->pg);
    else
        finish(w, link_run(w->pg, "COMMIT PREPARED '%s-%ld'", w->seat->name, w->n));
    PQclear(result);
}

static void transact(writer *w)
{
    w->n = atomic_fetch_add(&w->seat->number_next, 1) + 1;
    choose(w);
    if (!begin(w) || !write_items(w))
    {
        /* Never asked to commit: it is as if it had not been. */
        PGresult *result = link_run(w->pg, "ROLLBACK");

        if (result == NULL)
            link_close(w->seat, &w->pg);
        PQclear(result);
        return;
    }
    if (random_below(&w->random, 10) > 0)
    {
        commit(w);
        return;
    }
    w->seat->open = w->n;
    w->two_phase = false;
    PQclear(link_run(w->pg, "ROLLBACK"));
    closed(w, 'A');
}

/* True once no former session of this role can commit anything any more. */
static bool former_gone(writer *w)
{
    PGresult *result = link_run(w->pg,
                                "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
                                "WHERE application_name = '%s' AND pid <> pg_backend_pid()",
                                w->seat->name);
    bool gone = result != NULL && link_ok(result) && PQntuples(result) == 0;

    PQclear(result);
    return gone;
}

/* A prepared one is committed, which it could have been at any time. */
static bool end_prepared(writer *w)
{
    PGresult *result = link_run(w->pg, "SELECT 1 FROM pg_prepared_xacts WHERE gid = '%s-%ld'",
                                w->seat->name, w->n);
    bool prepared = PQntuples(result) == 1;
    bool ok = result != NULL && link_ok(result);

    PQclear(result);
    if (!ok || !prepared)
        return ok;
    PQclear(link_run(w->pg, "SET synchronous_commit = %s", the->synchronous ? "on" : "local"));
    result = link_run(w->pg, "COMMIT PREPARED '%s-%ld'", w->seat->name, w->n);
    ok = result != NULL && link_ok(result);
    PQclear(result);
    return ok;
}

/* What became of the transaction that was open when the session was lost. */
static bool settle(writer *w)
{
    PGresult *result;
    bool ok;

    w->n = w->seat->open;
    if (!former_gone(w) || !end_prepared(w))
        return false;
    result =
        link_run(w->pg, "SELECT 1 FROM done WHERE writer = %d AND n = %ld", w->seat->number, w->n);
    ok = result != NULL && link_ok(result);
    if (ok)
    {
        log_line(&w->log, "? %ld", w->n);
        closed(w, PQntuples(result) == 1 ? 'K' : 'A');
    }
    PQclear(result);
    return ok;
}

/* Has the session, and knows what became of everything it did before. */
static bool ready(writer *w)
{
    if (w->pg == NULL)
        w->pg = link_open(w->seat);
    if (w->pg == NULL)
        return false;
    if (w->seat->open == 0 || settle(w))
        return true;
    link_close(w->seat, &w->pg);
    return false;
}

void writer_run(seat *s)
{
    writer w = {.seat = s, .random = the->seed + 1000 + s->number + s->number_next};

    log_open(&w.log, s);
    while (the->phase != PHASE_END)
    {
        if (!ready(&w))
        {
            role_wait(s, NULL, 50);
            continue;
        }
        if (role_pauses(s))
            continue;
        log_turn(&w.log);
        transact(&w);
    }
    if (w.pg != NULL)
        link_close(s, &w.pg);
}
