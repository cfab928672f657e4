/*
 * doctor.c - `paos doctor`: how paos is set up, and what is wrong with it.
 *
 * Warnings are for people: only errors make the exit status that of a failure.
 */
#include "cli.h"

#include <string.h>

#define CHECK_WIDTH 22

static const char sql_health[] =
    "SELECT h.\"check\", h.status, h.detail, h.hint FROM paos.health() h";

enum
{
    HEALTH_CHECK,
    HEALTH_STATUS,
    HEALTH_DETAIL,
    HEALTH_HINT
};

static int count(const PGresult *result, const char *status)
{
    int found = 0;

    for (int i = 0; i < PQntuples(result); i++)
        found += strcmp(PQgetvalue(result, i, HEALTH_STATUS), status) == 0;
    return found;
}

static colour colour_of(const char *status)
{
    if (strcmp(status, "ok") == 0)
        return COLOUR_ENTER;
    return strcmp(status, "warning") == 0 ? COLOUR_CHANGE : COLOUR_LEAVE;
}

static void put_row(const PGresult *result, int row)
{
    const char *status = PQgetvalue(result, row, HEALTH_STATUS);
    const char *hint = PQgetvalue(result, row, HEALTH_HINT);

    printf("%s%-7s%s  %-*s ", colour_on(colour_of(status)), status, colour_off(), CHECK_WIDTH,
           PQgetvalue(result, row, HEALTH_CHECK));
    text_put(stdout, PQgetvalue(result, row, HEALTH_DETAIL));
    if (*hint)
    {
        printf("\n%*s", CHECK_WIDTH + 10, "");
        text_put(stdout, hint);
    }
    putchar('\n');
}

static void show(const PGresult *result)
{
    int errors = count(result, "error");
    int warnings = count(result, "warning");

    for (int i = 0; i < PQntuples(result); i++)
        put_row(result, i);
    printf("%d error%s, %d warning%s\n", errors, errors == 1 ? "" : "s", warnings,
           warnings == 1 ? "" : "s");
}

int doctor_run(const options *options)
{
    PGconn *sql = sql_open(options);
    PGresult *result = sql ? sql_ask(sql, sql_health, 0, NULL) : NULL;
    int status = result && count(result, "error") == 0 ? STATUS_DONE : STATUS_FAILED;

    if (result && options->json)
        result_show(result, true);
    else if (result)
        show(result);
    PQclear(result);
    PQfinish(sql);
    return status;
}
