/*
 * oo7_hand_change.c - OO7's updates by hand: what has changed goes back in one
 * statement out of arrays, and in one round trip with BEGIN and COMMIT.
 *
 * As paos does, a row that someone else wrote since it was read is not overwritten:
 * a condition on xmin, and the number of rows tells.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURRENT " WHERE t.id = v.id AND t.xmin = v.version"

static const struct
{
    const char *name, *sql;
} statements[] = {
    {"oo7_swap",
     "UPDATE oo7.atomic_part t SET x = v.x, y = v.y"
     " FROM unnest($1::int[], $2::xid[], $3::int[], $4::int[]) v(id, version, x, y)" CURRENT},
    {"oo7_redate", "UPDATE oo7.atomic_part t SET build_date = v.date"
                   " FROM unnest($1::int[], $2::xid[], $3::int[]) v(id, version, date)" CURRENT},
    {"oo7_text", "UPDATE oo7.document t SET text = v.text"
                 " FROM unnest($1::int[], $2::xid[], $3::text[]) v(id, version, text)" CURRENT},
};
#define STATEMENTS (sizeof statements / sizeof *statements)

void oo7_hand_prepare_changes(oo7_hand *h)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        prepare(h->pq, statements[i].name, statements[i].sql);
    prepare(h->pq, "oo7_begin", "BEGIN");
    prepare(h->pq, "oo7_commit", "COMMIT");
    prepare(h->pq, "oo7_version", "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.xid");
}

/* ---- what has changed ---- */

typedef enum changes
{
    PLACES,
    DATES,
    TEXTS
} changes;

static changes changes_of(oo7_operation operation)
{
    switch (operation)
    {
        case OO7_T3A:
        case OO7_T3B:
        case OO7_T3C:
            return DATES;
        case OO7_T5_DO:
        case OO7_T5_UNDO:
            return TEXTS;
        default:
            return PLACES;
    }
}

/* A program would note what it changes; the traversal is the model's, so we compare. */
void oo7_hand_remember(oo7_hand *h, oo7_operation operation)
{
    size_t size = (size_t) h->graph->parts_size;

    if (changes_of(operation) == TEXTS)
        return;
    if (!h->before)
        h->before = malloc(size * sizeof *h->before);
    if (!h->before)
        die("out of memory");
    memcpy(h->before, h->graph->parts, size * sizeof *h->before);
}

static bool is_touched(const oo7_hand *h, int i, oo7_operation operation)
{
    const oo7_part *part = &h->graph->parts[i];
    bool each = operation == OO7_T2B || operation == OO7_T2C || operation == OO7_T3B ||
                operation == OO7_T3C;

    if (part->visited == h->before[i].visited)
        return false;
    return each || part->part_of->root == part;
}

/* ---- arrays of it ---- */

static void put_int(wire *wire, int32_t value)
{
    wire_int32(wire, 4);
    wire_int32(wire, value);
}

static int count_changed(const oo7_hand *h, oo7_operation operation)
{
    bool texts = changes_of(operation) == TEXTS;
    int size = texts ? h->graph->composites_size : h->graph->parts_size, n = 0;

    for (int i = 0; i < size; i++)
        n += texts ? h->graph->composites[i].text != NULL : is_touched(h, i, operation);
    return n;
}

static void put_texts(oo7_hand *h)
{
    for (int i = 0; i < h->graph->composites_size; i++)
    {
        const oo7_composite *composite = &h->graph->composites[i];
        size_t size;

        if (!composite->text)
            continue;
        size = strlen(composite->text);
        put_int(&h->wires[0], i + 1);
        put_int(&h->wires[1], h->versions[i + 1]);
        wire_int32(&h->wires[2], (int32_t) size);
        wire_bytes(&h->wires[2], composite->text, size);
    }
}

static void put_parts(oo7_hand *h, oo7_operation operation, changes what)
{
    for (int i = 0; i < h->graph->parts_size; i++)
    {
        const oo7_part *part = &h->graph->parts[i];

        if (!is_touched(h, i, operation))
            continue;
        put_int(&h->wires[0], part->design.id);
        put_int(&h->wires[1], h->versions[part->design.id]);
        put_int(&h->wires[2], what == DATES ? part->design.build_date : part->x);
        put_int(&h->wires[3], part->y);
    }
}

static void put_changes(oo7_hand *h, oo7_operation operation, int n)
{
    const changes what = changes_of(operation);
    const Oid types[OO7_WIRES] = {23, 28, what == TEXTS ? 25 : 23, 23};

    for (int i = 0; i < OO7_WIRES; i++)
    {
        wire_reset(&h->wires[i]);
        wire_array(&h->wires[i], types[i], (size_t) n);
    }
    if (what == TEXTS)
        put_texts(h);
    else
        put_parts(h, operation, what);
}

/* ---- writing ---- */

static void send(oo7_hand *h, const char *statement, int parameters)
{
    static const int formats[OO7_WIRES] = {1, 1, 1, 1};
    const char *values[OO7_WIRES];
    int lengths[OO7_WIRES];

    for (int i = 0; i < parameters; i++)
    {
        values[i] = h->wires[i].data;
        lengths[i] = (int) h->wires[i].size;
    }
    if (PQsendQueryPrepared(h->pq, statement, parameters, values, lengths, formats, 1) != 1)
        die("%s", PQerrorMessage(h->pq));
}

/* What the rows written have for an xmin from now on. */
static int32_t take_version(oo7_hand *h)
{
    PGresult *result = expect(h->pq, PQgetResult(h->pq), PGRES_TUPLES_OK);
    int32_t version = read_int32(PQgetvalue(result, 0, 0));

    PQclear(result);
    PQclear(PQgetResult(h->pq));
    return version;
}

static void note_version(oo7_hand *h, oo7_operation operation, int32_t version)
{
    bool texts = changes_of(operation) == TEXTS;
    int size = texts ? h->graph->composites_size : h->graph->parts_size;

    for (int i = 0; i < size; i++)
        if (texts ? h->graph->composites[i].text != NULL : is_touched(h, i, operation))
            h->versions[i + 1] = version;
}

static int take_result(oo7_hand *h)
{
    PGresult *result = expect(h->pq, PQgetResult(h->pq), PGRES_COMMAND_OK);
    int rows = atoi(PQcmdTuples(result));

    PQclear(result);
    PQclear(PQgetResult(h->pq));
    return rows;
}

static void end_round_trip(oo7_hand *h)
{
    PQclear(expect(h->pq, PQgetResult(h->pq), PGRES_PIPELINE_SYNC));
}

/* The commit waits until it is known that no row was stale: the second round trip. */
void oo7_hand_write(oo7_hand *h, oo7_operation operation)
{
    static const char *const names[] = {"oo7_swap", "oo7_redate", "oo7_text"};
    const changes what = changes_of(operation);
    int n = count_changed(h, operation);
    int32_t version;

    put_changes(h, operation, n);
    PQenterPipelineMode(h->pq);
    send(h, "oo7_begin", 0);
    send(h, names[what], what == PLACES ? 4 : 3);
    send(h, "oo7_version", 0);
    PQpipelineSync(h->pq);
    h->trips++;
    take_result(h);
    if (take_result(h) != n)
        die("OO7: an object was written by someone else");
    version = take_version(h);
    end_round_trip(h);
    send(h, "oo7_commit", 0);
    PQpipelineSync(h->pq);
    h->trips++;
    take_result(h);
    end_round_trip(h);
    PQexitPipelineMode(h->pq);
    note_version(h, operation, version);
}

/* ---- structural modifications ---- */

/* First ids of what is new, parts of a composite part, connections of one, composite parts. */
static const char insert_all[] =
    "WITH fresh AS (SELECT"
    " (SELECT max(id) + 1 FROM oo7.composite_part) c, (SELECT max(id) + 1 FROM oo7.document) d,"
    " (SELECT max(id) + 1 FROM oo7.atomic_part) a, (SELECT max(id) + 1 FROM oo7.connection) k),"
    " p AS (INSERT INTO oo7.composite_part"
    " (id, type, build_date, documentation, root_part, used_in_priv)"
    " SELECT c + i, 'type000', 2000, d + i, a + i * %1$d,"
    " (SELECT array_agg(paos.ref('oo7.base_assembly', p)) FROM unnest('{%4$s}'::int[])"
    "  WITH ORDINALITY u(p, n) WHERE (n - 1) %% %3$d = i)"
    " FROM fresh, generate_series(0, %3$d - 1) i),"
    " t AS (INSERT INTO oo7.document (id, title, text, part) SELECT d + i,"
    " 'New Composite Part ' || lpad((i + 1)::text, 8, '0'), 'I am new.', c + i"
    " FROM fresh, generate_series(0, %3$d - 1) i),"
    " q AS (INSERT INTO oo7.atomic_part"
    " (id, type, build_date, x, y, document, part_of, outgoing)"
    " SELECT a + i, 'type000', 1000 + i %% 1000, i, i, 1, c + i / %1$d,"
    " (SELECT array_agg(paos.ref('oo7.connection', k + i * %2$d + j))"
    "  FROM generate_series(0, %2$d - 1) j) FROM fresh, generate_series(0, %3$d * %1$d - 1) i),"
    " b AS (UPDATE oo7.base_assembly b SET components_priv = components_priv"
    " || paos.ref('oo7.composite_part', c + ((n - 1) %% %3$d)::int)"
    " FROM fresh, unnest('{%4$s}'::int[]) WITH ORDINALITY u(p, n) WHERE b.id = u.p)"
    " INSERT INTO oo7.connection (id, type, length, source, target) SELECT k + i * %2$d + j,"
    " 'type000', i, a + i, a + i / %1$d * %1$d + (i + 1 + j * 7) %% %1$d"
    " FROM fresh, generate_series(0, %3$d * %1$d - 1) i, generate_series(0, %2$d - 1) j";

static void insert(oo7_hand *h)
{
    char sql[3000], places[160] = "";
    int size = 0;

    for (int i = 0; i < OO7_NEW_PLACES && h->whole->places[i]; i++)
        size += snprintf(places + size, sizeof places - (size_t) size, "%s%d", i ? "," : "",
                         (int) h->whole->places[i]);
    snprintf(sql, sizeof sql, insert_all, h->whole->config->atomic_parts,
             h->whole->config->connections, OO7_NEW_PARTS, places);
    run_sql(h->pq, sql);
}

static void delete (oo7_hand *h)
{
    char sql[1200];
    int last = h->whole->composites_size;

    snprintf(sql, sizeof sql,
             "BEGIN;"
             "UPDATE oo7.base_assembly SET components_priv = ARRAY(SELECT r"
             " FROM unnest(components_priv) WITH ORDINALITY u(r, n) WHERE paos.key(r) <= %d"
             " ORDER BY n) WHERE id IN (SELECT paos.key(r) FROM oo7.composite_part,"
             " unnest(used_in_priv) r WHERE composite_part.id > %d);"
             "DELETE FROM oo7.connection c USING oo7.atomic_part a"
             " WHERE a.id = c.source AND a.part_of > %d;"
             "DELETE FROM oo7.atomic_part WHERE part_of > %d;"
             "DELETE FROM oo7.document WHERE part > %d;"
             "DELETE FROM oo7.composite_part WHERE id > %d;"
             "COMMIT",
             last, last, last, last, last, last);
    run_sql(h->pq, sql);
}

oo_tally oo7_hand_change(oo7_hand *h, oo7_operation operation)
{
    const oo7_config *config = h->whole->config;
    oo_tally tally = {0};

    h->trips++;
    if (operation == OO7_SM1)
        insert(h);
    else
        delete (h);
    tally.count = (int64_t) OO7_NEW_PARTS * (1 + config->atomic_parts * (1 + config->connections));
    return tally;
}
