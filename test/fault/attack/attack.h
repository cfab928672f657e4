/*
 * attack.h - what the files of the fault run share.
 *
 * One process directs (main.c, script.c), each role is a process of its own, so
 * that it can be killed like a program of a user.  What must survive that is on
 * the board, in shared memory; what must be judged afterwards is in a log file
 * of each role and round, one write a line.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SEATS_MAX 32
#define NODES 2
#define ITEMS_PER_WRITER 40
#define WRITERS_MAX 4
#define ITEMS (WRITERS_MAX * ITEMS_PER_WRITER)
#define TOOLS 4
/* Class numbers, drawn by hand so that logs of all runs read alike. */
#define CLASS_ITEM 801
#define CLASS_MARKER 802
#define CLASS_TOOL 803
#define MARKERS_PER_ROUND 3

typedef enum role_kind
{
    ROLE_WRITER,
    ROLE_PLAIN,
    ROLE_CLIENT,
    ROLE_DURABLE,
    ROLE_HOLDER,
    ROLE_PROXY,
    ROLES
} role_kind;

typedef enum phase
{
    PHASE_RUN,
    PHASE_PAUSE,
    PHASE_END
} phase;

/* One role's place on the board. */
typedef struct seat
{
    char name[16];
    role_kind kind;
    int number; /* among those of its kind, from 0 */
    bool through_proxy;
    pid_t pid;
    int wake[2];                 /* a byte here when the phase changes */
    _Atomic int backend;         /* server process of its session; 0: none */
    _Atomic int paused;          /* the last round that it has paused for */
    _Atomic int marker;          /* the newest marker that it has answered for */
    _Atomic int64_t steps;       /* what it has done: commits, rights held */
    _Atomic int64_t number_next; /* writer: number of its next transaction; durable: its request */
    _Atomic int64_t open;        /* writer: transaction whose outcome is not logged yet */
} seat;

/* What the proxy does with the bytes of its connections. */
typedef enum network
{
    NET_PASS,
    NET_STALL,    /* nothing moves, and what was held back moves on afterwards */
    NET_HALFOPEN, /* nothing moves, nothing is closed; all is reset when it is over */
    NET_DELAY,
    NET_DROP, /* closed, and refused as long as it lasts */
    NET_RESET /* the same with RST */
} network;

typedef struct board
{
    uint64_t seed;
    char directory[512]; /* of the logs */
    char sockets[128];
    int patience;   /* seconds for the run to come to rest */
    bool two_phase; /* writers commit so now and then */
    _Atomic int phase;
    _Atomic int round;
    _Atomic int primary; /* which node */
    _Atomic bool synchronous;
    bool cramped;     /* the primary has been started with room for hardly any event */
    bool was_cramped; /* at some time in this round */
    _Atomic int network;
    _Atomic int network_applied; /* what the proxy has come to know */
    int proxy_port;
    int wake[2]; /* to the director: something on the board has changed */
    int nseats;
    seat seats[SEATS_MAX];
} board;

extern board *the;

/* in base.c */
extern int64_t clock_ns(void);
extern uint64_t random_next(uint64_t *state);
extern int random_below(uint64_t *state, int limit);
extern void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Waits until a role may go on or its socket can be read, no longer than ms. */
extern void role_wait(const seat *s, PGconn *pg, int ms);
/* Is there a pause?  Then that the role has paused is noted, and it waits a while. */
extern bool role_pauses(seat *s);
/* Tells the director that the board has changed. */
extern void board_changed(void);
extern void wake_role(const seat *s);

/* in log.c: a role's log of the present round */
typedef struct role_log
{
    const seat *seat;
    int round;
    FILE *file;
} role_log;

extern void log_open(role_log *log, const seat *s);
/* Goes on to the file of the present round; true when that is a new one. */
extern bool log_turn(role_log *log);
extern void log_line(role_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void log_path(char *path, size_t size, int round, const char *name, const char *suffix);

/* in link.c: sessions by plain libpq that give up in time */
extern PGconn *link_open(seat *s);
extern void link_close(seat *s, PGconn **pg);
/* NULL: the session is lost, and what the server made of it is not known. */
extern PGresult *link_run(PGconn *pg, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
extern bool link_ok(const PGresult *result);
extern bool link_failed_with(const PGresult *result, const char *sqlstate);

/* in query.c: the queries that are subscribed to, in all three notations */
typedef struct item
{
    int id;
    int writer;
    int grade; /* -1: does not exist */
    long seq;
} item;

typedef struct watched
{
    const char *paos;
    const char *sql;
    bool (*matches)(const item *i);
} watched;

extern const watched watched_queries[];
extern const int nwatched;

typedef enum effect
{
    EFFECT_NONE,
    EFFECT_ENTER,
    EFFECT_CHANGE,
    EFFECT_LEAVE
} effect;

extern effect query_effect(const watched *query, const item *before, const item *after);

/* in told.c: what a payload says */
typedef struct told
{
    int64_t request;
    uint64_t xid;
    bool resync;
    bool pending;
    int n;
    struct
    {
        int id;
        effect effect;
    } changes[ITEMS * 2];
} told;

extern bool told_parse(const char *payload, told *out);
/* Reads the lists of an event on items; false when they hold anything else. */
extern bool told_items(const char *payload, told *out);
/* The E line of an event. */
extern void told_log(role_log *log, const told *event);

/* The roles, each in the file of its name: they return when the phase is PHASE_END. */
extern void writer_run(seat *s);
extern void plain_run(seat *s);
extern void client_run(seat *s);
extern void durable_run(seat *s);
extern void holder_run(seat *s);
extern void proxy_run(seat *s);

/* in proxy.c: makes the socket it will listen on; returns its port */
extern int proxy_listen(void);

/* in role.c */
extern void roles_make(void);
extern void role_start(seat *s);
extern void roles_tell(phase p);
/* Someone to be attacked, of a kind or of any (ROLES); one that has a session. */
extern seat *role_pick(uint64_t *random, role_kind kind);
extern seat *role_with_session(uint64_t *random);
/* Starts again those that have ended; complains of those that ended by themselves. */
extern void roles_mend(void);
extern void roles_end(void);

/* in wait.c: the director waits for a condition on the board; false when time ran out */
typedef bool (*condition)(void *arg);
extern bool wait_for(condition true_yet, void *arg, int limit_ms);
extern void pause_ms(int ms);

/* in node.c: the servers */
extern void nodes_init(const char *user, bool preload, const char *destdir, const char *libdir,
                       bool *small_disk);
extern void node_create(int node);
extern void node_start(int node);
extern void node_stop(int node, int signal);
extern void node_kill(int node);
extern void node_stall(int node, bool stall);
extern void node_standby(int node, int primary);
extern void node_end_all(void);
extern int node_port(int node);
/* For how many commits and events there shall be room, from the next start on; 0: as usual. */
extern void node_set_room(int size);
extern void node_fill_disk(bool fill);
extern bool node_crashed(char *line, size_t size);
/* A session of the director with the primary; ends the run when that can't be had. */
extern PGconn *node_connect(int node);
extern PGresult *sql(PGconn *pg, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern long sql_number(PGconn *pg, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* in script.c: the attacks */
typedef struct script
{
    uint64_t order;  /* of the attacks */
    uint64_t random; /* for the attack of this round */
    int round;
    bool disk; /* the server's disk is small enough to be filled */
    const char *only;
    const char *present; /* name of the attack of this round */
    char detail[256];    /* and whom it met */
} script;

extern void script_init(script *s, uint64_t seed);
extern void script_round(script *s);
extern bool script_knows(const char *name);
extern void script_list(void);
/* Waits until the writers have done n more transactions; ends the round as failed otherwise. */
extern void script_work(script *s, int n);

/* in ledger.c: what was committed in a round */
typedef struct change
{
    item before, after;
} change;

typedef struct transaction
{
    int writer; /* -1: the director's TRUNCATE */
    long n;
    uint64_t xid;
    long clock;
    enum
    {
        TX_OPEN,
        TX_COMMITTED,
        TX_ABORTED
    } state;
    bool surprise; /* the writer had to ask what became of it */
    int nchanges;
    change changes[8];
} transaction;

typedef struct ledger
{
    transaction *items;
    int n, size;
    item state[ITEMS + 1]; /* what the table must hold after the round */
} ledger;

extern void ledger_read(ledger *l, int round);
/* Do the words "e1 c2 l3" of a line name exactly what the transaction did to the answer? */
extern bool ledger_fits(const transaction *t, const watched *query, const char *lists);
/* The transaction that was told so; NULL as query: of that number. */
extern const transaction *ledger_find(const ledger *l, uint64_t xid, const watched *query,
                                      const char *lists);
/* Is a transaction in a snapshot, as pg_visible_in_snapshot says? */
extern bool ledger_visible(uint64_t xid, const char *snapshot);
extern void ledger_check_table(ledger *l, PGconn *pg);

/* in check.c and the files of what is checked */
extern void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int violations(void);
/* Lets all come to rest; false when something does not. pg is a session with the primary. */
extern bool check_settle(PGconn **pg, int round);
extern void check_round(ledger *l, PGconn *pg, int round);
extern void check_subscriber(const ledger *l, PGconn *pg, const seat *s);
extern void check_durable(const ledger *l, PGconn *pg, const seat *s);
extern void check_rights(int round);

#endif
