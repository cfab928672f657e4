/*
 * check.c - after each round: let it settle, then ask whether every promise was kept.
 *
 * Settled means that the writers have paused, with nothing left unknown, and
 * that every subscriber has answered for a marker that was committed after
 * that.  The markers are several and each is waited for: there is no traffic behind it
 * that would wake what should have been woken by it.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

static int found = 0;

void violation(const char *format, ...)
{
    char path[700];
    va_list args;
    FILE *file;

    found++;
    snprintf(path, sizeof(path), "%s/violations", the->directory);
    file = fopen(path, "a");
    va_start(args, format);
    fprintf(file, "round %d: ", (int) the->round);
    vfprintf(file, format, args);
    va_end(args);
    if (format[strlen(format) - 1] != '\n')
        fputc('\n', file);
    fclose(file);
}

int violations(void)
{
    return found;
}

PGresult *sql(PGconn *pg, const char *format, ...)
{
    char text[4096];
    va_list args;
    PGresult *result;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    result = PQexec(pg, text);
    if (!link_ok(result))
        violation("the director's \"%s\": %s", text, PQerrorMessage(pg));
    return result;
}

long sql_number(PGconn *pg, const char *format, ...)
{
    char text[4096];
    va_list args;
    PGresult *result;
    long number;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    result = sql(pg, "%s", text);
    number = PQntuples(result) > 0 ? atol(PQgetvalue(result, 0, 0)) : -1;
    PQclear(result);
    return number;
}

static bool is_subscriber(const seat *s)
{
    return s->kind == ROLE_PLAIN || s->kind == ROLE_CLIENT || s->kind == ROLE_DURABLE;
}

static bool has_paused(const seat *s)
{
    return s->paused == the->round || (s->kind != ROLE_WRITER && s->kind != ROLE_HOLDER);
}

static bool all_paused(void *arg)
{
    (void) arg;
    for (int i = 0; i < the->nseats; i++)
        if (!has_paused(&the->seats[i]))
            return false;
    return true;
}

static bool has_answered(const seat *s, int marker)
{
    return !is_subscriber(s) || s->marker >= marker;
}

static bool all_answered(void *arg)
{
    for (int i = 0; i < the->nseats; i++)
        if (!has_answered(&the->seats[i], *(int *) arg))
            return false;
    return true;
}

static bool settle_writers(void)
{
    roles_tell(PHASE_PAUSE);
    if (wait_for(all_paused, NULL, the->patience * 1000))
        return true;
    for (int i = 0; i < the->nseats; i++)
        if (!has_paused(&the->seats[i]))
            violation("%s did not come to rest within %d s", the->seats[i].name, the->patience);
    return false;
}

/* A crash that the server notices late takes the director's session with it too. */
static void commit_marker(PGconn **pg, int marker)
{
    char text[100];
    PGresult *result;

    snprintf(text, sizeof(text), "UPDATE marker SET n = %d", marker);
    result = PQexec(*pg, text);
    while (PQstatus(*pg) != CONNECTION_OK)
    {
        PQclear(result);
        PQfinish(*pg);
        *pg = node_connect(the->primary);
        result = PQexec(*pg, text);
    }
    if (!link_ok(result))
        violation("%s: %s", text, PQresultErrorMessage(result));
    PQclear(result);
}

static bool settle_subscribers(PGconn **pg, int marker)
{
    commit_marker(pg, marker);
    if (wait_for(all_answered, &marker, the->patience * 1000))
        return true;
    for (int i = 0; i < the->nseats; i++)
        if (!has_answered(&the->seats[i], marker))
            violation("%s did not answer for marker %d within %d s: its last is %d",
                      the->seats[i].name, marker, the->patience, (int) the->seats[i].marker);
    return false;
}

static bool no_rights(void *arg)
{
    return sql_number(arg, "SELECT count(*) FROM paos.rights") == 0;
}

/* The sessions of the dead may need a moment to end; who is alive holds no right in a pause. */
static void check_dead(PGconn *pg)
{
    if (!wait_for(no_rights, pg, 20000))
        violation("rights are held, and nobody holds any: %ld",
                  sql_number(pg, "SELECT count(*) FROM paos.rights"));
    if (sql_number(pg, "SELECT count(*) FROM paos.requests r WHERE NOT EXISTS (SELECT FROM "
                       "pg_stat_activity a WHERE a.pid = r.backend) AND r.durable IS NULL") != 0)
        violation("there are requests of sessions that do not exist");
}

void check_round(ledger *l, PGconn *pg, int round)
{
    char line[1000];

    ledger_read(l, round);
    ledger_check_table(l, pg);
    for (int i = 0; i < the->nseats; i++)
        if (the->seats[i].kind == ROLE_PLAIN || the->seats[i].kind == ROLE_CLIENT)
            check_subscriber(l, pg, &the->seats[i]);
        else if (the->seats[i].kind == ROLE_DURABLE)
            check_durable(l, pg, &the->seats[i]);
    check_rights(round);
    check_dead(pg);
    if (node_crashed(line, sizeof(line)))
        violation("the server crashed: %s", line);
}

/* Lets all come to rest; false when something does not. */
bool check_settle(PGconn **pg, int round)
{
    bool settled = settle_writers();

    *pg = node_connect(the->primary);
    for (int i = 0; settled && i < MARKERS_PER_ROUND; i++)
        settled = settle_subscribers(pg, round * MARKERS_PER_ROUND + i + 1);
    return settled;
}
