/*
 * bench.h - what the cases of the benchmark share.
 *
 * A case is a few variants of the same work, one by paos and others by hand with
 * libpq.  They run in turns, so that whatever else the machine does meets all of
 * them; each run checks its result before its time counts.
 */
#ifndef BENCH_H
#define BENCH_H

#include "paos.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_RUNS_MAX 101
#define BENCH_VARIANTS_MAX 8

typedef struct bench
{
    const char *conninfo;
    size_t runs;
    double late;       /* when the case has taken so long that fewer runs must do */
    bool small;        /* less of everything: to try things */
    const char *plots; /* directory for pictures, or NULL */
    paos_conn *paos;   /* new for each case */
    PGconn *pq;        /* what is by hand, and timed */
    PGconn *admin;     /* makes tables and checks them; never timed */
} bench;

/* ---- run.c ---- */

/* Ends the program with a message. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Ends the program with the connection's error, unless the status is PAOS_OK. */
void check(const paos_conn *conn, paos_status status);
/* Drops all cached objects; the connection itself stays warm, as the one by hand. */
void empty_cache(const bench *bench);

/* A connection that works, or the end of the program. */
PGconn *connect_to(const char *conninfo);
/*
 * Restarts the server, which ends all connections; those of the bench are made again.  False:
 * it is not one that tools/server runs for this program.
 */
bool restart_server(bench *bench);

/* ---- sample.c: times, and what they come to ---- */

double now(void);

typedef struct variant
{
    const char *name;
    /* Does the work once and returns the seconds of what counts. */
    double (*run)(bench *bench, void *state);
    double times[BENCH_RUNS_MAX];
} variant;

/*
 * All variants in turns, bench->runs times and once before that to warm up; when it is late
 * fewer, and bench->runs is so many from then on.
 */
void sample(bench *bench, variant *variants, size_t n, void *state);
/* Says on a terminal how far a case is; name NULL: done. */
void show_run(const bench *bench, size_t run, const char *name);
/* After a run: is it late, and have there been enough? */
bool may_stop(const bench *bench, size_t run);
double median(const double *times, size_t n);
/* The value that `part` of all values are below. */
double quantile(const double *times, size_t n, double part);
/* Index of the variant with the least median among variants[first...]. */
size_t fastest(const bench *bench, const variant *variants, size_t first, size_t n);

/* Median, and the quarter below and above it, of what a takes for each that b takes. */
typedef struct ratio
{
    double low, middle, high;
    size_t runs;
} ratio;

ratio ratio_of(const bench *bench, const double *a, const double *b);

/* ---- format.c: figures as text ---- */

void format_seconds(char *text, size_t size, double seconds);
/* With a mark when another run of the benchmark may come to a ratio that differs much, or when
 * there are too few runs to tell. */
void format_ratio(char *text, size_t size, ratio ratio);
/* Prints what the marks mean that ratios got since the last call; unsteady: see table_end. */
void format_explain_marks(const char *unsteady);

/* ---- table.c: the results, as a table for people and for documents ---- */

/* Of a case. */
void table_begin(const char *name, const char *what);
/* A row of times of paos and of the best variant by hand; target NULL: none. */
void table_compare(const bench *bench, const char *what, const variant *paos, const variant *hand,
                   const char *target);
/* A row of anything else; texts may be "". */
void table_row(const char *what, const char *paos, const char *hand, const char *result,
               const char *target);
/* A line below the table. */
void table_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Why its ratios may differ from one time to the next; NULL: they should not. */
void table_end(const char *unsteady);

/* ---- target.c: what was aimed at ---- */

/* The row of a table that has a target. */
void target_add(const char *what, const char *target, const char *paos, const char *result);
/* A table of all. */
void targets_end(void);

/* ---- sheet.c: tables beside that of the case, printed after it ---- */

/* Heads and the cells of each row, for the last sheet begun; heads end with NULL. */
void sheet_begin(const char *title, const char *const *heads);
void sheet_row(const char *const *cells);
void sheets_end(void);

/* ---- sql.c: libpq by hand ---- */

/* Runs commands that return nothing. */
void run_sql(PGconn *pq, const char *sql);
/* So that no run meets a checkpoint, and each finds WAL files to use again. */
void settle(PGconn *pq);
int64_t run_sql_int(PGconn *pq, const char *sql);
/* Ends the program unless the result's status is as expected; returns the result. */
PGresult *expect(PGconn *pq, PGresult *result, ExecStatusType status);
void prepare(PGconn *pq, const char *name, const char *sql);
/* Ids as paos draws them. */
void draw_ids(PGconn *pq, const char *class_name, int64_t *ids, size_t n);

/* ---- child.c: programs beside this one ---- */

typedef struct child
{
    int pid; /* 0: none */
    int in, out;
    char text[4096]; /* heard, and not yet taken */
    size_t used;
} child;

/* argv[0] is looked for as a shell does; whether it could be run shows when it is heard. */
void child_start(child *child, const char *const *argv);
/* Sends a line; false: it has ended. */
bool child_say(child *child, const char *line);
/* Waits for a line, without its end; false: it has ended, or hangs. */
bool child_hear(child *child, char *line, size_t size);
void child_end(child *child);

/* ---- wire.c: values in PostgreSQL's binary formats ---- */

typedef struct wire
{
    char *data;
    size_t size, capacity;
} wire;

void wire_reset(wire *wire);
void wire_free(wire *wire);
void wire_bytes(wire *wire, const void *data, size_t size);
void wire_int16(wire *wire, int value);
void wire_int32(wire *wire, int32_t value);
void wire_int64(wire *wire, int64_t value);
void wire_float(wire *wire, double value);
/* Starts a one-dimensional array of n values, each then written with its length. */
void wire_array(wire *wire, Oid type, size_t n);
int32_t read_int32(const char *data);
int64_t read_int64(const char *data);

/* ---- node.c: the class most cases work on ---- */

#define NODES 10000
#define NODE_TEXT 32

typedef struct node
{
    int64_t id; /* the key */
    char name[NODE_TEXT];
    int32_t size;
    double weight;
    int64_t next; /* index of another node, or as a ref once ids are drawn */
} node;

/* Makes class bench.node, empty. */
void node_create(PGconn *pq);
/* Has both sides look at the class, so that neither has to notice later what happened to it. */
void node_wake(bench *bench);
/* Puts n rows in it, straight, and returns the sum of sizes. */
void node_fill(PGconn *pq, size_t n);
/* What the nth node looks like. */
node node_make(size_t i, size_t n);
/* Ends the program unless the table holds n nodes whose references form one ring. */
void node_verify(PGconn *pq, size_t n);

/* ---- item.c: rows that requests are about ---- */

enum
{
    ITEM_PLAIN,    /* nothing fires */
    ITEM_PAOS,     /* the class */
    ITEM_NOTIFIED, /* a trigger that calls pg_notify for a kind below 0 */
    ITEM_LOOKED,   /* a trigger that looks up in tables who has asked */
    ITEM_TABLES
};

extern const char *const item_tables[ITEM_TABLES];

/* Makes the tables, empty. */
void item_create(PGconn *pq);
/* Empties them, and tells nobody. */
void item_clear(PGconn *pq);
/* Registers the nth and following requests for the connection's session; no row matches any. */
void item_request(PGconn *pq, size_t first, size_t n);
/* The same, as rows of the tables that the trigger by hand looks into. */
void item_request_by_hand(PGconn *pq, size_t first, size_t n);
/* Inserts n rows in one statement; returns the seconds. */
double item_bulk(PGconn *pq, const char *table, size_t n);

/* ---- load.c: many writers at once ---- */

#define LOAD_WRITERS_MAX 8
#define LOAD_IDS_MAX 8000000 /* rows, in all */

typedef struct load load;

typedef struct load_plan
{
    const char *table;
    size_t writers;
    double seconds;
    double rate;    /* commits per second of all together; 0: as many as possible */
    bool matching;  /* each row is one that the listener is told of */
    bool only_paos; /* no triggers by hand beside it */
} load_plan;

typedef struct load_result
{
    size_t first_id, commits;
    double seconds;
} load_result;

load *load_open(const bench *bench);
void load_close(load *load);
load_result load_run(load *load, const load_plan *plan);
/* When the commit of a row was sent. */
double load_sent(const load *load, size_t id);

/* ---- listen.c: who is told ---- */

typedef struct listener listener;

/* By what it is told: any of them. */
enum
{
    LISTEN_PLAIN = 1,   /* paos, by a plain connection */
    LISTEN_CLIENT = 2,  /* paos, by libpaos */
    LISTEN_TRIGGERS = 4 /* the triggers by hand */
};

/* Who is told of all rows that match; each is checked against the load. */
listener *listener_open(const bench *bench, const load *load, unsigned means);
void listener_close(listener *listener);
/* As many more in all, of its kind, that listen to what never comes. */
void listener_idle(const bench *bench, listener *listener, size_t n);
/* Waits for n events, which are those of the ids from the first; returns for how long. */
double listener_expect(listener *listener, size_t first_id, size_t n);
/* From commit to event of those last expected; borrowed. */
const double *listener_latencies(const listener *listener);

/* ---- rates.c: commits into all of the tables, by turns ---- */

typedef struct rates
{
    bool only_paos;
    size_t runs;
    double seconds[ITEM_TABLES][BENCH_RUNS_MAX]; /* for each commit */
} rates;

/* The plan's table is left open; listener NULL unless the plan is matching. */
void rates_take(const bench *bench, load *load, listener *listener, const load_plan *plan,
                rates *rates);
/* How fast commits into a table are, as a part of those into the plain one. */
double rates_ratio(const rates *rates, size_t table);
/* By how much more one plan commits into a table than another. */
double rates_gain(const rates *one, const rates *all, size_t table);
void rates_show(const rates *rates, const char *what, const char *target);

/* ---- plot.c: curves of what depends on something ---- */

typedef enum plot
{
    PLOT_REQUESTS,  /* commits by requests registered */
    PLOT_LISTENERS, /* commits by sessions that listen */
    PLOT_LATENCY,   /* how many commits were told of after so long */
    PLOT_LIVE       /* the same beside other tools */
} plot;

#define PLOT_COLOURS 8
extern const char *const plot_colours[PLOT_COLOURS];

/* The curve's name stays the caller's. */
void plot_add(plot plot, const char *curve, double x, double y);
/* Writes the new pictures that have something to show into a directory, as SVG, and refers to
 * them. */
void plot_write(const char *directory);
/* Begins a picture, and refers to it below the table. */
FILE *plot_open(const char *directory, const char *name, const char *title);
void plot_close(FILE *file);

/* ---- bars.c: figures side by side ---- */

typedef enum bars
{
    BARS_OO7,   /* milliseconds */
    BARS_MEMORY /* bytes */
} bars;

void bars_add(bars bars, const char *group, const char *name, double value);
void bars_write(const char *directory);

/* ---- cases ---- */

void case_commit(bench *bench);   /* commit.c */
void case_update(bench *bench);   /* update.c */
void case_get(bench *bench);      /* get.c */
void case_hot(bench *bench);      /* hot.c */
void case_walk(bench *bench);     /* walk.c */
void case_memory(bench *bench);   /* memory.c */
void case_coherent(bench *bench); /* coherent.c */
void case_server(bench *bench);   /* server.c */
void case_ordinary(bench *bench); /* ordinary.c */
void case_million(bench *bench);  /* million.c */
void case_deliver(bench *bench);  /* deliver.c */
void case_latency(bench *bench);  /* latency.c */
void case_live(bench *bench);     /* live.c */
void case_scale(bench *bench);    /* scale.c */
void case_evaluate(bench *bench); /* evaluate.c */
void case_durable(bench *bench);  /* durable.c */
void case_oo1(bench *bench);      /* oo1.c */
void case_oo7(bench *bench);      /* oo7.c */
void case_oo7_medium(bench *bench);

#endif
