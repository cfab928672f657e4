/*
 * run.c - the benchmark's program: which cases, and on what server.
 *
 * No time is a pass or a failure here: the table shows the target beside what was
 * measured.  A wrong result is a failure, and no time is printed for it.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Why two times may come to different ratios. */
#define FLUSH "each commit waits for the disk, whose time varies"
#define MEMORY "some milliseconds of work, which depend on where memory came to lie"
#define SHORT "operations of less than a millisecond, or changes that wait for the disk"
#define STARTS "each run begins with other parts, and the disk's time varies"
#define FEW "few runs, for each is long"
#define CPUS "more processes want to run than there are processors; who waits is chance"

static const struct
{
    const char *name;
    void (*run)(bench *bench);
    const char *what;
    const char *unsteady; /* why its ratios may differ from one time to the next */
    int seconds;          /* after which it makes no more runs than it must */
} cases[] = {
    {"commit", case_commit, "10,000 new objects with references", FLUSH, 60},
    {"update", case_update, "10,000 changed objects", FLUSH, 60},
    {"get", case_get, "10,000 objects by a query", MEMORY, 20},
    {"hot", case_hot, "attributes and references of cached objects", MEMORY, 15},
    {"walk", case_walk, "a graph of 40,000 objects, nothing cached", MEMORY, 30},
    {"memory", case_memory, "client memory of 100,000 cached objects", NULL, 10},
    {"coherent", case_coherent, "100,000 cached objects that stay true", FEW, 15},
    {"oo1", case_oo1, "the OO1 benchmark, 20,000 and 200,000 parts", STARTS, 90},
    {"oo7", case_oo7, "the OO7 benchmark, 42,000 objects", SHORT, 300},
    {"oo7-medium", case_oo7_medium, "the same, 402,000 objects", FEW, 180},
    {"durable", case_durable, "events kept for a durable request, beside an outbox by hand", FLUSH,
     60},
    {"server", case_server, "single-row writes with and without paos, nobody listening", FLUSH, 80},
    {"ordinary", case_ordinary, "50 tables that are no classes, and the library loaded or not",
     MEMORY, 30},
    {"million", case_million, "a million requests that no row matches", CPUS, 180},
    {"deliver", case_deliver, "commits that are told to somebody", CPUS, 130},
    {"latency", case_latency, "from a commit to who is told of it", CPUS, 80},
    {"live", case_live, "changes told of by paos and by other tools", CPUS, 60},
    {"scale", case_scale, "one writer and eight", CPUS, 40},
    {"evaluate", case_evaluate, "conditions that no index helps with", CPUS, 30},
};
#define CASES (sizeof cases / sizeof *cases)

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("\nbench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void check(const paos_conn *conn, paos_status status)
{
    const paos_error *error = paos_conn_error(conn);

    if (status != PAOS_OK)
        die("%s: %s %s", paos_status_name(status), error->message, error->detail);
}

void empty_cache(const bench *bench)
{
    paos_stats stats;

    check(bench->paos, paos_conn_set_cache(bench->paos, 0));
    paos_conn_stats(bench->paos, &stats);
    if (stats.objects != 0)
        die("%llu objects stay cached", (unsigned long long) stats.objects);
    check(bench->paos, paos_conn_set_cache(bench->paos, 100000));
}

PGconn *connect_to(const char *conninfo)
{
    PGconn *pq = PQconnectdb(conninfo);

    if (PQstatus(pq) != CONNECTION_OK)
        die("%s", PQerrorMessage(pq));
    return pq;
}

static void connect_all(bench *bench)
{
    bench->pq = connect_to(bench->conninfo);
    bench->admin = connect_to(bench->conninfo);
    run_sql(bench->admin, "SET client_min_messages = warning");
}

bool restart_server(bench *bench)
{
    if (!getenv("PAOS_SERVER"))
        return false;
    paos_conn_close(bench->paos);
    PQfinish(bench->pq);
    PQfinish(bench->admin);
    if (system("tools/server restart") != 0)
        die("the server does not restart");
    connect_all(bench);
    check(NULL, paos_conn_open(bench->conninfo, "bench", &bench->paos));
    return true;
}

static void open_bench(bench *bench)
{
    connect_all(bench);
    run_sql(bench->admin, "CREATE EXTENSION IF NOT EXISTS paos;"
                          "DROP SCHEMA IF EXISTS bench CASCADE;"
                          "CREATE SCHEMA bench");
}

static void run_case(bench *bench, size_t i)
{
    double started = now();
    size_t runs = bench->runs;

    fprintf(stderr, "%s: %s\n", cases[i].name, cases[i].what);
    check(NULL, paos_conn_open(bench->conninfo, "bench", &bench->paos));
    bench->late = started + cases[i].seconds;
    table_begin(cases[i].name, cases[i].what);
    cases[i].run(bench);
    table_end(cases[i].unsteady);
    sheets_end();
    if (bench->plots)
        plot_write(bench->plots);
    bench->runs = runs;
    paos_conn_close(bench->paos);
    fprintf(stderr, "    %s: %.0f s\n", cases[i].name, now() - started);
}

static size_t find_case(const char *name)
{
    for (size_t i = 0; i < CASES; i++)
        if (strcmp(name, cases[i].name) == 0)
            return i;
    die("no case \"%s\": --help lists them", name);
}

static void show_usage(void)
{
    printf("usage: [SCALE=small] bench [--runs=N] [--plots=DIRECTORY] [CASE]...\n"
           "Compares paos with libpq by hand, on the server of $PAOS_CONNINFO; schema bench\n"
           "there is dropped and made anew. Without cases all of them:\n");
    for (size_t i = 0; i < CASES; i++)
        printf("    %-10s %s\n", cases[i].name, cases[i].what);
}

/* Options come first. Returns the index of the first case's name. */
static int read_options(bench *bench, int argc, char **argv)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++)
    {
        if (strncmp(argv[i], "--plots=", 8) == 0)
        {
            bench->plots = argv[i] + 8;
            continue;
        }
        if (strncmp(argv[i], "--runs=", 7) == 0)
        {
            bench->runs = strtoul(argv[i] + 7, NULL, 10);
            if (bench->runs < 1 || bench->runs > BENCH_RUNS_MAX)
                die("--runs takes 1 to %d", BENCH_RUNS_MAX);
            continue;
        }
        show_usage();
        exit(strcmp(argv[i], "--help") == 0 ? 0 : 2);
    }
    return i;
}

/* Without which no figure means anything. */
static void show_server(const bench *bench)
{
    PGresult *result =
        PQexec(bench->admin, "SELECT format('PostgreSQL %s, fsync %s, synchronous_commit %s,"
                             " shared_buffers %s, shared_preload_libraries \"%s\"',"
                             " current_setting('server_version'), current_setting('fsync'),"
                             " current_setting('synchronous_commit'),"
                             " current_setting('shared_buffers'),"
                             " current_setting('shared_preload_libraries'))");

    expect(bench->admin, result, PGRES_TUPLES_OK);
    printf("%s; %ld processors; median of %zu runs%s\n", PQgetvalue(result, 0, 0),
           sysconf(_SC_NPROCESSORS_ONLN), bench->runs, bench->small ? "; SCALE=small" : "");
    PQclear(result);
}

int main(int argc, char **argv)
{
    bench bench = {.conninfo = getenv("PAOS_CONNINFO"), .runs = 11};
    const char *scale = getenv("SCALE");
    int first = read_options(&bench, argc, argv);

    bench.small = scale && strcmp(scale, "small") == 0;
    for (int i = first; i < argc; i++)
        find_case(argv[i]);
    if (!bench.conninfo)
        bench.conninfo = "";
    open_bench(&bench);
    show_server(&bench);
    for (size_t i = 0; first == argc && i < CASES; i++)
        run_case(&bench, i);
    for (int i = first; i < argc; i++)
        run_case(&bench, find_case(argv[i]));
    targets_end();
    run_sql(bench.admin, "DROP SCHEMA bench CASCADE");
    PQfinish(bench.admin);
    PQfinish(bench.pq);
    return 0;
}
