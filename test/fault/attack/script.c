/*
 * script.c - the attacks, and the order they come in.
 *
 * The order is a shuffled deck, so that a few dozen rounds have every attack, and
 * the seed alone decides it; whom an attack meets depends on who is there.
 */
#include "attack.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Transactions of the writers before, during and after an attack. */
#define WORK 25

typedef struct attack
{
    const char *name;
    void (*run)(script *s);
    bool needs_disk;
} attack;

static void met(script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void met(script *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(s->detail, sizeof(s->detail), format, args);
    va_end(args);
}

/* How long it lasts: mostly shorter than anyone's patience, now and then longer. */
static int duration(script *s)
{
    int ms = 100 + random_below(&s->random, 500);

    return random_below(&s->random, 10) == 0 ? ms + 4500 : ms;
}

typedef struct goal
{
    int64_t steps;
} goal;

static int64_t writers_steps(void)
{
    int64_t sum = 0;

    for (int i = 0; i < the->nseats; i++)
        if (the->seats[i].kind == ROLE_WRITER)
            sum += the->seats[i].steps;
    return sum;
}

static bool have_worked(void *arg)
{
    return writers_steps() >= ((goal *) arg)->steps;
}

void script_work(script *s, int n)
{
    goal g = {writers_steps() + n};

    if (!wait_for(have_worked, &g, 60000))
        violation("after %s (%s) the writers did not get on within 60 s", s->present, s->detail);
}

/*
 * The same while a server process stands still: it may hold a lock of PostgreSQL's own, of a page
 * say, and then nobody gets on before it does.
 */
static void work_beside(int n)
{
    goal g = {writers_steps() + n};

    (void) wait_for(have_worked, &g, 2000);
}

/* ---- processes ---- */

/* Its victim may have left meanwhile, and 0 and -1 are not processes but crowds of them. */
static void strike(pid_t pid, int signal)
{
    if (pid > 1)
        kill(pid, signal);
}

/* The server process of somebody's session; the C client keeps its own to itself. */
static pid_t victim_backend(script *s)
{
    seat *victim = role_with_session(&s->random);
    pid_t pid = victim == NULL ? 0 : victim->backend;
    PGconn *pg;

    if (victim != NULL && victim->kind == ROLE_CLIENT)
    {
        pg = node_connect(the->primary);
        pid = (pid_t) sql_number(
            pg, "SELECT max(pid) FROM pg_stat_activity WHERE application_name = '%s'",
            victim->name);
        PQfinish(pg);
    }
    met(s, "of %s, process %d", victim == NULL ? "nobody" : victim->name, (int) pid);
    return pid;
}

static void kill_backend(script *s)
{
    strike(victim_backend(s), SIGKILL);
}

static void kill_client(script *s)
{
    seat *victim = role_pick(&s->random, ROLES);

    met(s, "%s", victim->name);
    strike(victim->pid, SIGKILL);
}

static void kill_postmaster(script *s)
{
    (void) s;
    node_kill(the->primary);
    node_start(the->primary);
}

static void stop_immediate(script *s)
{
    (void) s;
    node_stop(the->primary, SIGQUIT);
    node_start(the->primary);
}

static void stop_fast(script *s)
{
    (void) s;
    node_stop(the->primary, SIGINT);
    node_start(the->primary);
}

/* ---- by SQL ---- */

static void signal_backend(script *s, const char *function)
{
    pid_t pid = victim_backend(s);
    PGconn *pg = node_connect(the->primary);

    PQclear(sql(pg, "SELECT %s(%d)", function, (int) pid));
    PQfinish(pg);
}

static void terminate_backend(script *s)
{
    signal_backend(s, "pg_terminate_backend");
}

static void cancel_backend(script *s)
{
    signal_backend(s, "pg_cancel_backend");
}

/* ---- standing still ---- */

static void stall_server(script *s)
{
    int ms = duration(s);

    met(s, "%d ms", ms);
    node_stall(the->primary, true);
    pause_ms(ms);
    node_stall(the->primary, false);
}

static void stall_process(script *s, pid_t pid)
{
    int ms = duration(s);

    strike(pid, SIGSTOP);
    pause_ms(ms);
    strike(pid, SIGCONT);
}

static void stall_backend(script *s)
{
    stall_process(s, victim_backend(s));
}

static void stall_client(script *s)
{
    seat *victim = role_pick(&s->random, ROLES);

    met(s, "%s", victim->name);
    stall_process(s, victim->pid);
}

/*
 * Room for hardly anything, while a writer may stand still between having reserved its place and
 * filling it, and a subscriber does not read.
 */
static void overflow(script *s)
{
    seat *reader = role_pick(&s->random, ROLE_PLAIN);
    seat *writer = role_pick(&s->random, ROLE_WRITER);
    pid_t stopped[2];

    node_stop(the->primary, SIGINT);
    node_set_room(2);
    node_start(the->primary);
    script_work(s, WORK);
    stopped[0] = reader == NULL ? 0 : reader->pid;
    stopped[1] = writer == NULL ? 0 : writer->backend;
    met(s, "%s reads nothing", reader == NULL ? "nobody" : reader->name);
    strike(stopped[0], SIGSTOP);
    strike(stopped[1], SIGSTOP);
    work_beside(WORK);
    strike(stopped[1], SIGCONT);
    script_work(s, WORK);
    strike(stopped[0], SIGCONT);
    node_set_room(0);
}

/* ---- network ---- */

static bool network_is(void *arg)
{
    return the->network_applied == *(int *) arg;
}

static void set_network(network n)
{
    int wanted = n;

    the->network = wanted;
    for (int i = 0; i < the->nseats; i++)
        if (the->seats[i].kind == ROLE_PROXY)
            wake_role(&the->seats[i]);
    if (!wait_for(network_is, &wanted, 10000))
        die("the proxy does not answer");
}

static void disturb(script *s, network n)
{
    int ms = duration(s);

    met(s, "%d ms", ms);
    set_network(n);
    pause_ms(ms);
    set_network(NET_PASS);
}

static void net_drop(script *s)
{
    disturb(s, NET_DROP);
}

static void net_reset(script *s)
{
    disturb(s, NET_RESET);
}

static void net_stall(script *s)
{
    disturb(s, NET_STALL);
}

static void net_halfopen(script *s)
{
    disturb(s, NET_HALFOPEN);
}

static void net_delay(script *s)
{
    disturb(s, NET_DELAY);
}

/* The server fails while some can't hear of it. */
static void halfopen_and_kill(script *s)
{
    set_network(NET_HALFOPEN);
    kill_backend(s);
    script_work(s, WORK);
    set_network(NET_PASS);
}

/* ---- disk ---- */

static void disk_full(script *s)
{
    PGconn *pg = node_connect(the->primary);
    PGresult *result;

    node_fill_disk(true);
    result = PQexec(pg, "INSERT INTO ballast SELECT repeat(md5(g::text), 30) FROM "
                        "generate_series(1, 20000) g");
    if (!link_failed_with(result, "53100"))
        violation("the disk was not full: %s", PQresultErrorMessage(result));
    met(s, "%.60s", PQresultErrorMessage(result));
    PQclear(result);
    pause_ms(duration(s));
    node_fill_disk(false);
    PQclear(sql(pg, "TRUNCATE ballast"));
    PQfinish(pg);
}

/* ---- failover ---- */

typedef struct mark
{
    int64_t steps[SEATS_MAX];
} mark;

static bool all_on(void *arg)
{
    for (int i = 0; i < the->nseats; i++)
        if (the->seats[i].kind == ROLE_WRITER && the->seats[i].steps < ((mark *) arg)->steps[i] + 2)
            return false;
    return true;
}

static void failover(script *s)
{
    int old = the->primary;
    int next = 1 - old;
    PGconn *pg;
    mark m;

    node_standby(next, old);
    the->synchronous = true;
    /* From the second transaction on, each writer has begun one that knows. */
    for (int i = 0; i < the->nseats; i++)
        m.steps[i] = the->seats[i].steps;
    if (!wait_for(all_on, &m, 60000))
        violation("the writers did not get on with a synchronous standby");
    script_work(s, WORK);
    node_kill(old);
    the->synchronous = false;
    pg = node_connect(next);
    PQclear(sql(pg, "SELECT pg_promote()"));
    PQfinish(pg);
    the->primary = next;
    met(s, "from server %d to %d", old, next);
}

/* ---- schema ---- */

/* Against the stream of writers: in a deadlock it is a writer that has to give way. */
static void alter(const char *statement)
{
    PGconn *pg = node_connect(the->primary);

    PQclear(sql(pg, "SET deadlock_timeout = '20s'"));
    PQclear(sql(pg, "%s", statement));
    PQfinish(pg);
}

static void ddl_column(script *s)
{
    alter("ALTER TABLE item ADD COLUMN extra int DEFAULT 7");
    script_work(s, WORK);
    alter("ALTER TABLE item RENAME extra TO other");
    alter("ALTER TABLE item ALTER other TYPE bigint");
    script_work(s, WORK);
    alter("ALTER TABLE item DROP COLUMN other");
}

static void ddl_index(script *s)
{
    alter("CREATE INDEX item_extra ON item (grade)");
    script_work(s, WORK);
    alter("DROP INDEX item_extra");
}

static void ddl_register(script *s)
{
    (void) s;
    alter("LOCK TABLE item; SELECT paos.unregister_class('item'); "
          "SELECT paos.register_class('item', 801)");
}

/* In the order of the writers by `clock`, which it draws as they do, under its lock. */
static void ddl_truncate(script *s)
{
    PGconn *pg = node_connect(the->primary);
    PGresult *result;
    char path[700];
    FILE *log;

    PQclear(sql(pg, "BEGIN"));
    PQclear(sql(pg, "SET LOCAL deadlock_timeout = '20s'"));
    PQclear(sql(pg, "LOCK TABLE item"));
    result = sql(pg, "SELECT pg_current_xact_id(), nextval('clock')");
    PQclear(sql(pg, "TRUNCATE item"));
    PQclear(sql(pg, "COMMIT"));
    log_path(path, sizeof(path), s->round, "truncate", ".log");
    log = fopen(path, "a");
    fprintf(log, "Z %s %s\n", PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
    fclose(log);
    PQclear(result);
    PQfinish(pg);
}

/* ---- the deck ---- */

static void nothing(script *s)
{
    (void) s;
}

static const attack attacks[] = {
    {"nothing", nothing, false},
    {"kill_backend", kill_backend, false},
    {"kill_client", kill_client, false},
    {"kill_postmaster", kill_postmaster, false},
    {"stop_immediate", stop_immediate, false},
    {"stop_fast", stop_fast, false},
    {"terminate_backend", terminate_backend, false},
    {"cancel_backend", cancel_backend, false},
    {"stall_server", stall_server, false},
    {"stall_backend", stall_backend, false},
    {"stall_client", stall_client, false},
    {"overflow", overflow, false},
    {"net_drop", net_drop, false},
    {"net_reset", net_reset, false},
    {"net_stall", net_stall, false},
    {"net_halfopen", net_halfopen, false},
    {"net_delay", net_delay, false},
    {"halfopen_and_kill", halfopen_and_kill, false},
    {"disk_full", disk_full, true},
    {"failover", failover, false},
    {"ddl_column", ddl_column, false},
    {"ddl_index", ddl_index, false},
    {"ddl_register", ddl_register, false},
    {"ddl_truncate", ddl_truncate, false},
};

#define ATTACKS ((int) COUNT(attacks))

bool script_knows(const char *name)
{
    for (int i = 0; i < ATTACKS; i++)
        if (strcmp(attacks[i].name, name) == 0)
            return true;
    return false;
}

void script_list(void)
{
    for (int i = 0; i < ATTACKS; i++)
        printf("%s\n", attacks[i].name);
}

void script_init(script *s, uint64_t seed)
{
    memset(s, 0, sizeof(*s));
    s->order = seed;
}

static bool wanted(const script *s, const attack *a)
{
    const char *at = s->only == NULL ? NULL : strstr(s->only, a->name);
    size_t size = strlen(a->name);

    if (a->needs_disk && !s->disk)
        return false;
    if (s->only == NULL)
        return true;
    while (at != NULL && !((at == s->only || at[-1] == ',') && (at[size] == ',' || at[size] == 0)))
        at = strstr(at + 1, a->name);
    return at != NULL;
}

/* Deals the next attack; a new shuffle when the deck is through. */
static const attack *deal(script *s)
{
    static int deck[COUNT(attacks)];
    static int left = 0;

    if (left == 0)
    {
        for (int i = 0; i < ATTACKS; i++)
            if (wanted(s, &attacks[i]))
                deck[left++] = i;
        for (int i = left - 1; i > 0; i--)
        {
            int j = random_below(&s->order, i + 1);
            int other = deck[i];

            deck[i] = deck[j];
            deck[j] = other;
        }
    }
    return left == 0 ? &attacks[0] : &attacks[deck[--left]];
}

/*
 * Each round has a chance of its own: how often an attack had to draw must not
 * decide what comes after it.
 */
void script_round(script *s)
{
    const attack *a = deal(s);

    s->random = the->seed ^ ((uint64_t) s->round << 32);
    s->present = a->name;
    s->detail[0] = '\0';
    script_work(s, WORK);
    a->run(s);
    script_work(s, WORK);
}
