/*
 * query_oracle.c - random queries must mean what the same SQL means.
 *
 * Each case is one random condition, written once as a query and once as SQL.
 * The rows that match, and the answer for each row, NULL included, must agree
 * between the SQL, the query as the planner replaces it, and the query as it is
 * evaluated row by row.  Paths are compared with subqueries.  Where the SQL is
 * an error, the query must be the same error.  Last, an oracle whose SQL is
 * wrong on purpose must find fault.
 *
 * Usage: query_oracle [--seed N] [--cases N]
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "query_condition.h"

#define ROWS 60
#define BROKEN_CASES 300

static PGconn *conn;

static PGresult *Run(const char *sql)
{
    return PQexec(conn, sql);
}

static void Must(const char *sql)
{
    PGresult *result = Run(sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
    {
        fprintf(stderr, "%s\n%s\n", PQerrorMessage(conn), sql);
        exit(2);
    }
    PQclear(result);
}

/* --- comparing ------------------------------------------------------------------ */

/* The SQLSTATE of a statement's error; empty without one. */
static void StateOf(const char *format, const char *condition, char state[6])
{
    char *sql;
    PGresult *result;
    const char *code;

    if (asprintf(&sql, format, condition) < 0)
        abort();
    result = Run(sql);
    code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(state, 6, "%s", code == NULL ? "" : code);
    PQclear(result);
    free(sql);
}

/*
 * Both refuse the condition, for the same reason?  A literal that does not fit
 * the end of a path through a paos.ref is refused only when the path leads there, which
 * may be after something else was.
 */
static bool SameError(const char *query, const char *sql)
{
    char states[3][6];
    bool late = through_ref;

    StateOf("SELECT count(*) FILTER (WHERE %s) FROM node x", sql, states[0]);
    StateOf("SELECT count(*) FILTER (WHERE x OPERATOR(paos.@@) %s) FROM node x", query, states[1]);
    StateOf("SELECT count(*) FILTER (WHERE x OPERATOR(paos.@@) (SELECT %s::paos.query))"
            " FROM node x",
            query, states[2]);
    if (states[0][0] != '\0' && (strcmp(states[0], states[1]) == 0 || late) &&
        (strcmp(states[0], states[2]) == 0 || late))
        return true;
    printf("SQLSTATE of SQL '%s', planned '%s', evaluated '%s'\n", states[0], states[1], states[2]);
    return false;
}

/* Rows beyond the table's end are empty sides of an outer join. */
static const char comparison[] =
    "SELECT (SELECT count(*) FROM (SELECT x OPERATOR(paos.@@) %s AS planned,"
    "  x OPERATOR(paos.@@) (SELECT %s::paos.query) AS evaluated, (%s)::bool AS expected"
    "  FROM node y LEFT JOIN %s x ON x.id = y.id + 3) s"
    " WHERE planned IS DISTINCT FROM expected OR evaluated IS DISTINCT FROM expected),"
    " (SELECT string_agg(id::text, ' ' ORDER BY id) FROM %s x WHERE x OPERATOR(paos.@@) %s)"
    " IS DISTINCT FROM (SELECT string_agg(id::text, ' ' ORDER BY id) FROM node x WHERE %s)";

static bool Agree(const char *query, const char *sql, bool *refused)
{
    /* the columns of a view have no foreign keys */
    const char *table = !foreign_key && Chance(30) ? "node_view" : "node";
    char *statement;
    PGresult *result;
    bool same;

    if (asprintf(&statement, comparison, query, query, sql, table, table, query, sql) < 0)
        abort();
    result = Run(statement);
    free(statement);
    *refused = PQresultStatus(result) != PGRES_TUPLES_OK;
    same = !*refused && strcmp(PQgetvalue(result, 0, 0), "0") == 0 &&
           strcmp(PQgetvalue(result, 0, 1), "f") == 0;
    PQclear(result);
    if (PQstatus(conn) != CONNECTION_OK)
    {
        printf("the connection broke\nquery: %s\nSQL:   %s\n", query, sql);
        exit(1);
    }
    return *refused ? SameError(query, sql) : same;
}

/* Makes and checks one case; false when there was a difference. */
static bool RunCase(int *refusals)
{
    char *texts[2];
    size_t sizes[2];
    FILE *query = open_memstream(&texts[0], &sizes[0]);
    FILE *sql = open_memstream(&texts[1], &sizes[1]);
    char *literal;
    bool refused;
    bool same;

    through_ref = foreign_key = false;
    WriteCondition(query, sql, (int) Random(4));
    fclose(query);
    fclose(sql);
    literal = PQescapeLiteral(conn, texts[0], sizes[0]);
    same = Agree(literal, texts[1], &refused);
    *refusals += refused;
    if (!same && !broken)
        printf("differ\nquery: %s\nSQL:   %s\n", literal, texts[1]);
    PQfreemem(literal);
    free(texts[0]);
    free(texts[1]);
    return same;
}

/* --- the tables ----------------------------------------------------------------- */

static void WriteValue(FILE *out, const Column *column)
{
    int count = column->kind >= ARRAY_OF_NUMBER ? (int) Random(4) : 1;
    int i;

    if (Chance(20))
    {
        fputs("NULL", out);
        return;
    }
    fputs(column->kind >= ARRAY_OF_NUMBER ? "ARRAY[" : "", out);
    for (i = 0; i < count; i++)
    {
        fputs(i == 0 ? "" : ",", out);
        WriteQuoted(out, column->values[Random(PoolSize(column->values))], '\'');
    }
    fputs(column->kind >= ARRAY_OF_NUMBER ? "]" : "", out);
    fprintf(out, "::%s", column->type);
}

static void FillTable(const char *table, int rows)
{
    bool leaf = strcmp(table, "leaf") == 0;
    int id;
    size_t i;

    for (id = 1; id <= rows; id++)
    {
        char *text;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        fprintf(out, "INSERT INTO %s VALUES (%d", table, id);
        for (i = 0; i < COLUMNS; i++)
            if (!leaf || columns[i].in_leaf)
            {
                fputs(", ", out);
                WriteValue(out, &columns[i]);
            }
        fputs(")", out);
        fclose(out);
        Must(text);
        free(text);
    }
}

static void MakeTable(const char *table, int number)
{
    bool leaf = strcmp(table, "leaf") == 0;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    size_t i;

    fprintf(out, "CREATE TABLE %s (id bigint PRIMARY KEY", table);
    for (i = 0; i < COLUMNS; i++)
        if (!leaf || columns[i].in_leaf)
            fprintf(out, ", %s %s %s", columns[i].name, leaf ? columns[i].in_leaf : columns[i].type,
                    columns[i].collation);
    fprintf(out, "); SELECT paos.register_class('%s', number => %d)", table, number);
    fclose(out);
    Must(text);
    free(text);
}

static void MakeIndexes(void)
{
    char sql[120];
    size_t i;

    for (i = 0; i < COLUMNS; i++)
    {
        snprintf(sql, sizeof(sql), "CREATE INDEX ON node USING %s (%s)",
                 columns[i].kind >= ARRAY_OF_NUMBER ? "gin" : "btree", columns[i].name);
        Must(sql);
    }
}

static void MakeTables(void)
{
    Must("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS paos;"
         "DROP SCHEMA IF EXISTS query_oracle CASCADE; CREATE SCHEMA query_oracle;"
         "SET search_path = query_oracle, paos;"
         "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');"
         "CREATE DOMAIN small AS int CHECK (VALUE < 1000)");
    MakeTable("node", 901);
    MakeTable("leaf", 902);
    FillTable("leaf", 6);
    FillTable("node", ROWS);
    Must("ALTER TABLE node ADD FOREIGN KEY (parent) REFERENCES node");
    MakeIndexes();
    Must("CREATE VIEW node_view AS SELECT * FROM node");
    Must("ANALYZE; SET enable_seqscan = off; SET jit = off");
}

static void ReadOptions(int argc, char **argv, int *cases)
{
    int i;

    random_state = (uint64_t) time(NULL) * 1000003 + (uint64_t) getpid();
    for (i = 1; i + 1 < argc; i += 2)
    {
        if (strcmp(argv[i], "--seed") == 0)
            random_state = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--cases") == 0)
            *cases = atoi(argv[i + 1]);
        else
            break;
    }
    if (i < argc || *cases <= 0)
    {
        fprintf(stderr, "usage: %s [--seed N] [--cases N]\n", argv[0]);
        exit(2);
    }
    printf("seed %llu\n", (unsigned long long) random_state);
    random_state = random_state * 2 + 1; /* never zero, where the generator would stay */
}

int main(int argc, char **argv)
{
    int cases = 5000;
    int failures = 0;
    int refusals = 0;
    int found = 0;
    int i;

    setvbuf(stdout, NULL, _IOLBF, 0);
    ReadOptions(argc, argv, &cases);
    conn = PQconnectdb("");
    if (PQstatus(conn) != CONNECTION_OK)
    {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        return 2;
    }
    MakeTables();
    for (i = 0; i < cases; i++)
        failures += !RunCase(&refusals);
    printf("%d of %d cases were refused, by SQL too\n", refusals, cases);
    broken = true;
    for (i = 0; i < BROKEN_CASES; i++)
        found += !RunCase(&refusals);
    printf("%d faults found with SQL wrong on purpose\n", found);
    failures += found == 0;
    Must("DROP SCHEMA query_oracle CASCADE");
    PQfinish(conn);
    printf("query_oracle: %d passed, %d failed\n", cases + 1 - failures, failures);
    return failures != 0;
}
