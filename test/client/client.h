/*
 * client.h - what the tests of the client against a server share.
 *
 * Each test gets a schema of its own name, `t`, empty, and drops it; a second
 * session by plain libpq plays everyone else.  The server is the one that
 * PAOS_CONNINFO names; its role must be a superuser.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "paos_int.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct fixture
{
    PGconn *pg;
    paos_conn *conn;
    paos_stats last;
} fixture;

static inline const char *conninfo(void)
{
    const char *text = getenv("PAOS_CONNINFO");

    assert_non_null(text);
    return text;
}

/* ---- SQL by another session ---- */

static inline PGresult *sql_result(PGconn *pg, const char *sql)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    return result;
}

static inline void sql(const fixture *f, const char *text)
{
    PQclear(sql_result(f->pg, text));
}

/* The first value of the answer; the caller owns it. */
static inline char *sql_text(const fixture *f, const char *text)
{
    PGresult *result = sql_result(f->pg, text);
    char *value =
        PQntuples(result) && !PQgetisnull(result, 0, 0) ? strdup(PQgetvalue(result, 0, 0)) : NULL;

    PQclear(result);
    return value;
}

static inline int64_t sql_int(const fixture *f, const char *text)
{
    char *value = sql_text(f, text);
    int64_t number = value ? atoll(value) : -1;

    free(value);
    return number;
}

static inline void assert_sql(const fixture *f, const char *text, const char *expected)
{
    char *value = sql_text(f, text);

    if (!value || strcmp(value, expected) != 0)
        fail_msg("%s: %s, not %s", text, value ? value : "null", expected);
    free(value);
}

/* ---- statuses ---- */

static inline void check_status(const paos_conn *conn, paos_status status, paos_status expected,
                                const char *call, int line)
{
    const paos_error *error = paos_conn_error(conn);

    if (status != expected)
        fail_msg("line %d: %s: %s, not %s: %s %s %s", line, call, paos_status_name(status),
                 paos_status_name(expected), error->sqlstate, error->message, error->detail);
    if (expected != PAOS_OK && conn)
        assert_int_equal(error->status, expected);
}

#define EXPECT(conn, call, expected) check_status(conn, call, expected, #call, __LINE__)
#define OK(conn, call) EXPECT(conn, call, PAOS_OK)

/* ---- counting ---- */

/* What was spent since it was last asked. */
static inline paos_stats spent(fixture *f)
{
    paos_stats now, spent;

    paos_conn_stats(f->conn, &now);
    spent.objects = now.objects;
    spent.hits = now.hits - f->last.hits;
    spent.misses = now.misses - f->last.misses;
    spent.statements = now.statements - f->last.statements;
    spent.round_trips = now.round_trips - f->last.round_trips;
    f->last = now;
    return spent;
}

static inline uint64_t round_trips(fixture *f)
{
    return spent(f).round_trips;
}

/* ---- objects ---- */

static inline paos_object *make(paos_conn *conn, const char *class_name)
{
    paos_object *object = NULL;

    OK(conn, paos_object_new(conn, class_name, &object));
    return object;
}

static inline paos_list *get(paos_conn *conn, const char *class_name, const char *query)
{
    paos_list *list = NULL;

    OK(conn, paos_get(conn, PAOS_READ, class_name, query, NULL, 0, &list));
    return list;
}

/* The one object of an answer; the caller owns it. */
static inline paos_object *get_one(paos_conn *conn, const char *class_name, const char *query)
{
    paos_list *list = get(conn, class_name, query);
    paos_object *object;

    assert_int_equal(paos_list_size(list), 1);
    object = paos_object_hold(paos_list_at(list, 0));
    paos_list_free(list);
    return object;
}

static inline paos_conn *open_conn(void)
{
    paos_conn *conn = NULL;

    OK(NULL, paos_conn_open(conninfo(), "test", &conn));
    return conn;
}

/* ---- set up ---- */

static inline int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    f->pg = PQconnectdb(conninfo());
    if (PQstatus(f->pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(f->pg));
    sql(f, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t;"
           " SET search_path = t, public");
    f->conn = open_conn();
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;

    paos_conn_close(f->conn);
    sql(f, "DROP SCHEMA t CASCADE");
    PQfinish(f->pg);
    free(f);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
