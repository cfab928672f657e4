/*
 * doctor.c - `paos doctor`: how paos is set up, and what is wrong with it.
 */
#include "cli.h"

#include <string.h>

static const char sql_health[] = "SELECT \"check\", status, detail, hint FROM paos.health()";

/* Warnings are for people: only errors are the failure of a script that asks. */
static bool is_well(const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++)
        if (strcmp(PQgetvalue(result, i, 1), "error") == 0)
            return false;
    return true;
}

int doctor_run(const options *options)
{
    PGconn *sql = sql_open(options);
    PGresult *result = sql ? sql_ask(sql, sql_health, 0, NULL) : NULL;
    int status = STATUS_FAILED;

    if (result)
    {
        result_show(result, options->json);
        status = is_well(result) ? STATUS_DONE : STATUS_FAILED;
    }
    PQclear(result);
    PQfinish(sql);
    return status;
}
