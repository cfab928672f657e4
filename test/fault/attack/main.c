/*
 * main.c - the fault run: rounds of work, an attack, rest, and the checks.
 *
 * Needs a server with the extension in PAOS_CONNINFO, only to learn from it
 * where the extension is: the servers that are attacked are the run's own.
 */
#include "attack.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct options
{
    uint64_t seed;
    int rounds;
    int patience;
    bool preload;
    bool two_phase;
    bool keep; /* the logs of rounds without a violation */
    const char *only;
    const char *directory;
} options;

static void usage(void)
{
    fputs("usage: attack [--rounds N] [--seed N] [--only ATTACK,...] [--no-preload] "
          "[--no-two-phase]\n"
          "              [--keep-logs] [--directory DIR] [--patience SECONDS]\n"
          "       attack --list\n",
          stderr);
    exit(2);
}

static const struct option long_options[] = {{"rounds", required_argument, NULL, 'r'},
                                             {"seed", required_argument, NULL, 's'},
                                             {"patience", required_argument, NULL, 't'},
                                             {"only", required_argument, NULL, 'o'},
                                             {"directory", required_argument, NULL, 'd'},
                                             {"no-preload", no_argument, NULL, 'p'},
                                             {"no-two-phase", no_argument, NULL, '2'},
                                             {"keep-logs", no_argument, NULL, 'k'},
                                             {"list", no_argument, NULL, 'l'},
                                             {NULL, 0, NULL, 0}};

static void read_options(options *o, int argc, char **argv)
{
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
    {
        if (c == 'r')
            o->rounds = atoi(optarg);
        else if (c == 't')
            o->patience = atoi(optarg);
        else if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'o')
            o->only = optarg;
        else if (c == 'd')
            o->directory = optarg;
        else if (c == 'p')
            o->preload = o->two_phase = false;
        else if (c == '2')
            o->two_phase = false;
        else if (c == 'k')
            o->keep = true;
        else if (c == 'l')
        {
            script_list();
            exit(0);
        }
        else
            usage();
    }
    if (optind < argc)
        usage();
}

/* A setting of the server that the extension is known to; NULL when it has no such. */
static char *setting(PGconn *pg, const char *name)
{
    PGresult *result =
        PQexecParams(pg, "SELECT current_setting($1, true)", 1, NULL, &name, NULL, NULL, 0);
    bool is_set =
        PQntuples(result) == 1 && !PQgetisnull(result, 0, 0) && PQgetvalue(result, 0, 0)[0] != '\0';
    char *value = is_set ? strdup(PQgetvalue(result, 0, 0)) : NULL;

    PQclear(result);
    return value;
}

static void make_board(const options *o)
{
    char command[1200];

    the = mmap(NULL, sizeof(*the), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (the == MAP_FAILED)
        die("no shared memory: %s", strerror(errno));
    the->seed = o->seed;
    the->two_phase = o->two_phase;
    the->patience = o->patience;
    the->phase = PHASE_PAUSE;
    if (o->directory != NULL)
        snprintf(the->directory, sizeof(the->directory), "%s", o->directory);
    else
        snprintf(the->directory, sizeof(the->directory), "build/fault/seed-%llu",
                 (unsigned long long) o->seed);
    snprintf(command, sizeof(command), "rm -rf '%s' && mkdir -p '%s'", the->directory,
             the->directory);
    if (system(command) != 0)
        die("%s cannot be made", the->directory);
}

static bool start_server(bool preload)
{
    PGconn *pg = PQconnectdb(getenv("PAOS_CONNINFO") ? getenv("PAOS_CONNINFO") : "");
    char *destdir, *libdir;
    bool small_disk;

    if (PQstatus(pg) != CONNECTION_OK)
        die("PAOS_CONNINFO must name a server: %s", PQerrorMessage(pg));
    destdir = setting(pg, "extension_destdir");
    libdir = setting(pg, "dynamic_library_path");
    nodes_init(PQuser(pg), preload, destdir, libdir, &small_disk);
    PQfinish(pg);
    node_create(0);
    node_start(0);
    return small_disk;
}

static void make_schema(void)
{
    char conninfo[300];
    PGconn *pg;

    snprintf(conninfo, sizeof(conninfo), "host=%s port=%d user=boss dbname=postgres", the->sockets,
             node_port(0));
    pg = PQconnectdb(conninfo);
    PQclear(sql(pg, "CREATE DATABASE paos"));
    PQfinish(pg);
    pg = node_connect(0);
    PQclear(sql(pg,
                "CREATE EXTENSION paos; CREATE SEQUENCE clock;"
                "CREATE TABLE item (id int PRIMARY KEY, writer int NOT NULL, "
                "grade int NOT NULL, seq bigint NOT NULL);"
                "CREATE TABLE marker (id int PRIMARY KEY, n int NOT NULL);"
                "INSERT INTO marker VALUES (1, 0);"
                "CREATE TABLE tool (id int PRIMARY KEY, n int DEFAULT 0, holder text);"
                "INSERT INTO tool SELECT generate_series(1, %d);"
                "CREATE TABLE done (writer int, n bigint, PRIMARY KEY (writer, n));"
                "CREATE TABLE applied (name text, number bigint, xid bigint, resync bool);"
                "CREATE TABLE ballast (bytes text)",
                TOOLS));
    PQclear(sql(pg,
                "SELECT paos.register_class('item', %d), paos.register_class('marker', %d), "
                "paos.register_class('tool', %d)",
                CLASS_ITEM, CLASS_MARKER, CLASS_TOOL));
    PQfinish(pg);
    if (violations() > 0)
        die("see %s/violations", the->directory);
}

static void make_directory_of(int round)
{
    char path[700];

    log_path(path, sizeof(path), round, "", "");
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        die("%s: %s", path, strerror(errno));
}

static void forget(int round)
{
    char command[1200];

    snprintf(command, sizeof(command), "rm -rf '%s/round-%04d'", the->directory, round);
    if (system(command) != 0)
        die("the logs of round %d cannot be removed", round);
}

static void report(const script *s, const ledger *l, int64_t started)
{
    int committed = 0, surprises = 0;

    for (int i = 0; i < l->n; i++)
    {
        committed += l->items[i].state == TX_COMMITTED;
        surprises += l->items[i].surprise;
    }
    printf("%s %d - %s%s%s (%.1f s; %d of %d transactions committed, %d settled)\n",
           violations() > 0 ? "not ok" : "ok", s->round, s->present, s->detail[0] ? ": " : "",
           s->detail, (double) (clock_ns() - started) / 1e9, committed, l->n, surprises);
    fflush(stdout);
}

static void show_violations(void)
{
    char command[1200];

    fflush(stdout);
    snprintf(command, sizeof(command), "sed 's/^/# /' '%s/violations' | head -n 40",
             the->directory);
    if (system(command) != 0)
        printf("# %s/violations cannot be read\n", the->directory);
}

static void report_failure(const script *s, const options *o)
{
    printf("# seed %llu, round %d, attack %s (%s)\n# logs: %s, of each role: %s/round-%04d\n"
           "# again: build/fault/attack --seed %llu --rounds %d%s%s%s\n",
           (unsigned long long) the->seed, s->round, s->present, s->detail, the->directory,
           the->directory, s->round, (unsigned long long) the->seed, s->round,
           o->only ? " --only " : "", o->only ? o->only : "", o->preload ? "" : " --no-preload");
    show_violations();
}

/* True when no promise was broken. */
static bool play(script *s, ledger *l, const options *o)
{
    int64_t started = clock_ns();
    PGconn *pg;

    make_directory_of(s->round);
    the->round = s->round;
    the->was_cramped = the->cramped;
    roles_tell(PHASE_RUN);
    script_round(s);
    if (violations() == 0 && check_settle(&pg, s->round))
    {
        check_round(l, pg, s->round);
        PQclear(sql(pg, "DELETE FROM done; DELETE FROM applied"));
        PQfinish(pg);
    }
    report(s, l, started);
    if (violations() > 0)
        report_failure(s, o);
    else if (!o->keep)
        forget(s->round);
    return violations() == 0;
}

/* All have asked before the first round, in which nothing is missed any more. */
static bool begin(ledger *l)
{
    PGconn *pg;
    bool settled;

    memset(l, 0, sizeof(*l));
    for (int id = 1; id <= ITEMS; id++)
        l->state[id].grade = -1;
    make_directory_of(0);
    for (int i = 0; i < the->nseats; i++)
        role_start(&the->seats[i]);
    settled = check_settle(&pg, 0);
    PQfinish(pg);
    if (!settled)
    {
        printf("not ok 1 - all ask for the first time\n");
        show_violations();
    }
    return settled;
}

int main(int argc, char **argv)
{
    options o = {.seed = 1, .rounds = 30, .patience = 60, .preload = true, .two_phase = true};
    script s;
    ledger l;
    bool good;

    read_options(&o, argc, argv);
    make_board(&o);
    roles_make();
    script_init(&s, o.seed);
    s.only = o.only;
    s.disk = start_server(o.preload);
    make_schema();
    the->proxy_port = proxy_listen();
    printf("# seed %llu\n", (unsigned long long) o.seed);
    if (!s.disk)
        printf("# no full disk: that takes root, to mount a small one\n");
    printf("1..%d\n", o.rounds);
    fflush(stdout);
    good = begin(&l);
    for (s.round = 1; good && s.round <= o.rounds; s.round++)
        good = play(&s, &l, &o);
    roles_end();
    node_end_all();
    free(l.items);
    return good ? 0 : 1;
}
