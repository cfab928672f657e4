/*
 * sql.c - plain libpq with its results checked.  Everything here ends the program
 * on an error: a benchmark of something that failed means nothing.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

PGresult *expect(PGconn *pq, PGresult *result, ExecStatusType status)
{
    if (PQresultStatus(result) != status)
        die("%s: %s", PQresStatus(PQresultStatus(result)), PQerrorMessage(pq));
    return result;
}

void run_sql(PGconn *pq, const char *sql)
{
    PGresult *result = PQexec(pq, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        expect(pq, result, PGRES_COMMAND_OK);
    PQclear(result);
}

void settle(PGconn *pq)
{
    run_sql(pq, "CHECKPOINT");
}

int64_t run_sql_int(PGconn *pq, const char *sql)
{
    PGresult *result = expect(pq, PQexec(pq, sql), PGRES_TUPLES_OK);
    int64_t value = atoll(PQgetvalue(result, 0, 0));

    PQclear(result);
    return value;
}

void prepare(PGconn *pq, const char *name, const char *sql)
{
    PQclear(expect(pq, PQprepare(pq, name, sql, 0, NULL), PGRES_COMMAND_OK));
}

void draw_ids(PGconn *pq, const char *class_name, int64_t *ids, size_t n)
{
    char sql[256];
    PGresult *result;

    snprintf(sql, sizeof sql, "SELECT r::bigint FROM paos.register_objects('%s', %zu) r",
             class_name, n);
    result = PQexecParams(pq, sql, 0, NULL, NULL, NULL, NULL, 1);
    expect(pq, result, PGRES_TUPLES_OK);
    for (size_t i = 0; i < n; i++)
        ids[i] = read_int64(PQgetvalue(result, (int) i, 0));
    PQclear(result);
}
