/*
 * oo7_ways.c - some of OO7's operations in all ways, side by side: paos, by hand, and two
 * object-relational mappers, each with every strategy of loading that it offers.
 *
 * The ways take turns; one that is slow by nature is run less often.  What would take
 * minutes over the network is not run there: its time without is known, and how many round
 * trips it makes.
 */
#include "bench.h"
#include "oo7.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define ENOUGH 3.0        /* seconds that a way may take for an operation */
#define TOO_FAR 4000      /* statements, for the network, */
#define TOO_LONG 6.0      /* and seconds that it has taken so far */
#define TRIP_SECONDS 2e-3 /* that the network adds to each */

/* Nothing cached, or all of it. */
enum
{
    COLD,
    HOT,
    STATES
};

typedef struct figures
{
    double seconds[BENCH_RUNS_MAX];
    size_t runs;
    double far;    /* seconds over the network */
    bool computed; /* it was not run there; bytes are not known */
    int64_t trips, rows, bytes;
} figures;

typedef struct way
{
    const char *name;
    double (*run[STATES])(bench *bench, void *oo7); /* NULL: of a mapper, or not done */
    oo7_peer near, far;
    bool no_updates; /* it would have to write each time that it reaches a part */
    bool no_walk;    /* nor load it each time: 45,000 statements and more */
    bool forgets;    /* the next run has to load everything again */
    bool present;
    double spent; /* seconds, for this operation */
    figures figures[STATES];
} way;

static way ways[] = {
    {.name = "paos", .run = {oo7_paos_cold, oo7_paos_hot}, .present = true},
    {.name = "paos, nothing stated", .run = {oo7_paos_unstated}, .present = true},
    {.name = "paos, walked before", .run = {oo7_paos_walked}, .present = true},
    {.name = "by hand", .run = {oo7_hand_cold, oo7_hand_hot}, .present = true},
    {.name = "SQLAlchemy lazy",
     .near = {.tool = "sqlalchemy", .strategy = "lazy"},
     .no_updates = true},
    {.name = "SQLAlchemy selectin", .near = {.tool = "sqlalchemy", .strategy = "selectin"}},
    {.name = "SQLAlchemy joined", .near = {.tool = "sqlalchemy", .strategy = "joined"}},
    {.name = "Django lazy",
     .near = {.tool = "django", .strategy = "lazy"},
     .no_updates = true,
     .no_walk = true,
     .forgets = true},
    {.name = "Django select_related",
     .near = {.tool = "django", .strategy = "select_related"},
     .no_updates = true,
     .no_walk = true,
     .forgets = true},
    {.name = "Django prefetch_related", .near = {.tool = "django", .strategy = "prefetch_related"}},
};
#define WAYS (sizeof ways / sizeof *ways)
#define PAOS (&ways[0])

/* By paos without that it says what it follows. */
static bool is_untold(const way *way)
{
    return way->run[COLD] == oo7_paos_unstated || way->run[COLD] == oo7_paos_walked;
}

/* A query of one class is the same with every strategy, and so is T7 for SQLAlchemy. */
static bool is_repeated(const way *way, oo7_operation operation)
{
    if (!way->near.tool || strcmp(way->near.strategy, "lazy") == 0)
        return false;
    return operation == OO7_Q1 || operation == OO7_Q7 ||
           (operation == OO7_T7 && strcmp(way->near.tool, "sqlalchemy") == 0);
}

static bool takes_part(const way *way, oo7_operation operation)
{
    if (is_repeated(way, operation) || (is_untold(way) && !oo7_paos_states(operation)))
        return false;
    return way->present && !(way->no_updates && oo7_writes[operation]) &&
           !(way->no_walk && operation == OO7_T1);
}

/* ---- straight to the server ---- */

static oo7_work run_peer(oo7_case *oo7, oo7_peer *peer, bool hot)
{
    oo7_work work;

    if (!hot)
        oo7_peer_renew(peer);
    if (oo7->at == &oo7->far)
        oo_net_say(&oo7->net, "reset", NULL);
    work = oo7_peer_run(peer, oo7->operation, hot, oo7_expect(oo7));
    if (oo7->at == &oo7->far)
        oo_net_say(&oo7->net, "stats", &oo7->traffic);
    return work;
}

static oo7_work run_once(bench *bench, oo7_case *oo7, way *way, int state)
{
    oo7_work work = {0};

    if (way->near.tool)
    {
        work = run_peer(oo7, oo7->at == &oo7->near ? &way->near : &way->far, state == HOT);
        if (oo7_writes[oo7->operation])
            oo7_verify(bench->admin, oo7->graph, false);
        return work;
    }
    work.seconds = way->run[state](bench, oo7);
    if (state == HOT)
        return work;
    work.rows = way->run[COLD] == oo7_hand_cold ? oo7->at->hand.rows : oo7_paos_rows(oo7);
    return work;
}

/* A mapper's cold run was the first of those that a hot one consists of: see oo7.c. */
static oo7_work run_hot(bench *bench, oo7_case *oo7, way *way)
{
    int runs = oo7_hot_runs(oo7->operation) - 1;
    oo7_work work = {0};
    double seconds = 0;

    if (way->run[HOT])
        return run_once(bench, oo7, way, HOT);
    for (int i = 0; i < runs; i++)
    {
        work = run_once(bench, oo7, way, HOT);
        seconds += i < runs - 1 ? work.seconds : 0;
    }
    work.seconds = seconds / (runs - 1);
    return work;
}

static void measure(bench *bench, oo7_case *oo7, way *way, int state)
{
    figures *figures = &way->figures[state];
    oo7_work work = state == HOT ? run_hot(bench, oo7, way) : run_once(bench, oo7, way, COLD);

    figures->seconds[figures->runs++] = work.seconds;
    way->spent += work.seconds * (state == HOT ? oo7_hot_runs(oo7->operation) : 1);
    figures->rows = work.rows;
    figures->trips = work.statements;
}

/* Hot makes a difference that is worth a row where much is loaded. */
static bool has_hot(const way *way, oo7_operation operation)
{
    return (operation == OO7_T1 || operation == OO7_T2B) && !way->forgets && !is_untold(way);
}

/* A mapper's hot run needs the cold one just before it. */
static void run_near(bench *bench, oo7_case *oo7)
{
    oo7_begin(oo7, &oo7->near, oo7->operation);
    for (size_t run = 0; run < bench->runs; run++)
        for (size_t i = 0; i < WAYS; i++)
        {
            way *way = &ways[(i + run) % WAYS];

            if (!takes_part(way, oo7->operation) || way->spent > ENOUGH)
                continue;
            show_run(bench, run + 1, way->name);
            measure(bench, oo7, way, COLD);
            if (has_hot(way, oo7->operation))
                measure(bench, oo7, way, HOT);
        }
    show_run(bench, 0, NULL);
}

/* ---- over the network ---- */

/* Round trips and bytes of one run. */
static void run_far(bench *bench, oo7_case *oo7, way *way, int state)
{
    figures *figures = &way->figures[state];

    figures->computed = way->near.tool && (figures->trips > TOO_FAR || way->spent > TOO_LONG);
    if (figures->computed)
    {
        figures->far =
            median(figures->seconds, figures->runs) + (double) figures->trips * TRIP_SECONDS;
        return;
    }
    figures->far = run_once(bench, oo7, way, state).seconds;
    figures->trips = oo7->traffic.trips;
    figures->bytes = oo7->traffic.bytes;
}

static void run_all_far(bench *bench, oo7_case *oo7)
{
    oo_net_say(&oo7->net, "delay 1", NULL);
    oo7_begin(oo7, &oo7->far, oo7->operation);
    for (size_t i = 0; i < WAYS; i++)
    {
        if (!takes_part(&ways[i], oo7->operation))
            continue;
        show_run(bench, 1, ways[i].name);
        run_far(bench, oo7, &ways[i], COLD);
        if (ways[i].figures[HOT].runs > 0 && !ways[i].figures[COLD].computed)
            run_far(bench, oo7, &ways[i], HOT);
    }
    show_run(bench, 0, NULL);
    oo_net_say(&oo7->net, "delay 0", NULL);
}

/* ---- what it comes to ---- */

static void show_figures(const oo7_case *oo7, const way *way, int state)
{
    const figures *figures = &way->figures[state];
    double seconds = median(figures->seconds, figures->runs);
    double ours = median(PAOS->figures[COLD].seconds, PAOS->figures[COLD].runs);
    char name[60], near[32], far[40] = "", trips[32], rows[32], bytes[32] = "", times[32];
    const char *cells[] = {
        oo7_names[oo7->operation], name, near, far, trips, rows, bytes, times, NULL};

    snprintf(name, sizeof name, "%s%s", way->name, state == HOT ? ", cached" : "");
    format_seconds(near, sizeof near, seconds);
    if (figures->far > 0)
        format_seconds(far + figures->computed, sizeof far - 1, figures->far);
    if (figures->computed)
        far[0] = '~';
    snprintf(trips, sizeof trips, "%lld", (long long) figures->trips);
    snprintf(rows, sizeof rows, "%lld", (long long) figures->rows);
    if (!figures->computed && figures->far > 0)
        snprintf(bytes, sizeof bytes, "%.1f", (double) figures->bytes / 1e3);
    snprintf(times, sizeof times, seconds > ours * 10 ? "%.0f" : "%.2f", seconds / ours);
    sheet_row(cells);
    if (oo7->operation != OO7_T7)
        bars_add(BARS_OO7, oo7_names[oo7->operation], name, seconds * 1e3);
}

/* The mapper's strategy that is fastest. */
static const way *best_of(const char *tool, int state)
{
    const way *best = NULL;

    for (size_t i = 0; i < WAYS; i++)
    {
        const figures *figures = &ways[i].figures[state];

        if (!ways[i].near.tool || strcmp(ways[i].near.tool, tool) != 0 || figures->runs == 0)
            continue;
        if (!best || median(figures->seconds, figures->runs) <
                         median(best->figures[state].seconds, best->figures[state].runs))
            best = &ways[i];
    }
    return best;
}

static void show_best(const bench *bench, const oo7_case *oo7, const char *tool, int state,
                      const char *target)
{
    const way *best = best_of(tool, state);
    const figures *ours = &PAOS->figures[state];
    struct bench paired = *bench;
    char what[80], paos[32], theirs[80], seconds[32], result[64];
    ratio ratio;

    if (!best)
        return;
    paired.runs = best->figures[state].runs < ours->runs ? best->figures[state].runs : ours->runs;
    ratio = ratio_of(&paired, best->figures[state].seconds, ours->seconds);
    format_seconds(paos, sizeof paos, median(ours->seconds, ours->runs));
    format_seconds(seconds, sizeof seconds,
                   median(best->figures[state].seconds, best->figures[state].runs));
    snprintf(what, sizeof what, "OO7 %s %s, %s; %s", oo7->graph->config->name,
             oo7_names[oo7->operation], state == HOT ? "hot" : "cold", best->name);
    snprintf(theirs, sizeof theirs, "%s", seconds);
    format_ratio(result, sizeof result, ratio);
    table_row(what, paos, theirs, result, target);
}

static void run_operation(bench *bench, oo7_case *oo7)
{
    for (size_t i = 0; i < WAYS; i++)
    {
        memset(ways[i].figures, 0, sizeof ways[i].figures);
        ways[i].spent = 0;
    }
    run_near(bench, oo7);
    run_all_far(bench, oo7);
    for (size_t i = 0; i < WAYS; i++)
        for (int state = 0; state < STATES; state++)
            if (ways[i].figures[state].runs > 0)
                show_figures(oo7, &ways[i], state);
    show_best(bench, oo7, "sqlalchemy", COLD, oo7->operation == OO7_T1 ? ">= 10" : "");
    show_best(bench, oo7, "sqlalchemy", HOT, oo7->operation == OO7_T1 ? ">= 50" : "");
    show_best(bench, oo7, "django", COLD, "");
    show_best(bench, oo7, "django", HOT, "");
}

/* ---- memory of an atomic part ---- */

static double allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double) (info.uordblks + info.hblkhd);
}

static double memory_of_paos(oo7_case *oo7)
{
    paos_conn *conn;
    paos_list *list;
    double before, size;

    oo7_way_renew_paos(&oo7->near, oo7->graph, false);
    conn = oo7->near.conn;
    before = allocated();
    check(conn, paos_get(conn, PAOS_READ, "oo7.atomic_part", NULL, NULL, 0, &list));
    size = (double) paos_list_size(list);
    paos_list_free(list);
    return (allocated() - before) / size;
}

static void show_memory(bench *bench, oo7_case *oo7)
{
    bars_add(BARS_MEMORY, "", "row in the table",
             (double) run_sql_int(bench->admin, "SELECT avg(pg_column_size(a.*))::bigint"
                                                " FROM oo7.atomic_part a"));
    bars_add(BARS_MEMORY, "", "plain C struct",
             (double) (sizeof(oo7_part) +
                       sizeof(oo7_connection) * (size_t) oo7->graph->config->connections));
    bars_add(BARS_MEMORY, "", "paos", memory_of_paos(oo7));
    for (size_t i = 0; i < WAYS; i++)
    {
        char name[40];

        if (!ways[i].present || !ways[i].near.tool || strcmp(ways[i].near.strategy, "lazy") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int) strcspn(ways[i].name, " "), ways[i].name);
        bars_add(BARS_MEMORY, "", name, oo7_peer_memory(&ways[i].near));
    }
}

/* ---- all of it ---- */

static void open_peers(const bench *bench, const oo7_case *oo7)
{
    for (size_t i = 0; i < WAYS; i++)
    {
        way *way = &ways[i];

        if (!way->near.tool)
            continue;
        way->far.tool = way->near.tool;
        way->far.strategy = way->near.strategy;
        way->present = oo7_peer_open(&way->near, bench->conninfo, oo7->graph) &&
                       oo7_peer_open(&way->far, oo7->net.conninfo, oo7->graph);
    }
}

void oo7_ways(bench *bench, oo7_case *oo7)
{
    static const oo7_operation operations[] = {OO7_T1, OO7_T2B, OO7_T6, OO7_T7, OO7_Q1, OO7_Q7};
    static const char *const heads[] = {
        "operation", "way", "time", "+1 ms each way", "round trips", "rows", "kB", "x paos", NULL};

    open_peers(bench, oo7);
    sheet_begin("OO7 in all ways", heads);
    table_note("Q1, Q4: one question for all ids and titles, also by the mappers; ~ before a time "
               "over the network: computed from that without, and its round trips");
    table_note("Django lazy and select_related send more than 45,000 statements for T1 and are "
               "left out there");
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    {
        oo7->operation = operations[i];
        run_operation(bench, oo7);
    }
    show_memory(bench, oo7);
    for (size_t i = 0; i < WAYS; i++)
        if (ways[i].near.tool)
        {
            oo7_peer_close(&ways[i].near);
            oo7_peer_close(&ways[i].far);
        }
}
