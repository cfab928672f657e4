/*
 * oo7_hand_query.c - OO7's queries by hand: the join is the server's work, and only
 * what the operation needs comes back.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <string.h>

#define PART "SELECT id, x, y FROM oo7.atomic_part "

static const struct
{
    const char *name, *sql;
} statements[] = {
    /* Each id as often as it is given. */
    {"oo7_lookup", "SELECT a.id, a.x, a.y FROM unnest($1::int[]) t(id)"
                   " JOIN oo7.atomic_part a ON a.id = t.id"},
    {"oo7_dates", PART "WHERE build_date >= $1::int"},
    {"oo7_scan", PART},
    /* Each title as often as it is given. */
    {"oo7_users", "SELECT count(*), sum(m.assembly)"
                  " FROM unnest($1::int[]) t(id) JOIN oo7.document d"
                  " ON d.title = 'Composite Part ' || lpad(t.id::text, 8, '0')"
                  " JOIN oo7.component m ON m.part = d.part"},
    {"oo7_outdated", "SELECT count(*), sum(id) FROM oo7.base_assembly b WHERE EXISTS"
                     " (SELECT FROM oo7.component m JOIN oo7.composite_part c ON c.id = m.part"
                     "  WHERE m.assembly = b.id AND c.build_date > b.build_date)"},
    {"oo7_join", "SELECT a.id, d.id, 0 FROM oo7.atomic_part a JOIN oo7.document d"
                 " ON d.id = a.document"},
    {"oo7_climb",
     "WITH RECURSIVE above AS (SELECT b.id, b.super FROM oo7.atomic_part a"
     " JOIN oo7.component m ON m.part = a.part_of JOIN oo7.base_assembly b ON b.id = m.assembly"
     " WHERE a.id = $1::int UNION SELECT c.id, c.super FROM above"
     " JOIN oo7.complex_assembly c ON c.id = above.super)"
     " SELECT count(*), 0::bigint FROM above"},
};
#define STATEMENTS (sizeof statements / sizeof *statements)

void oo7_hand_prepare_queries(oo7_hand *h)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        prepare(h->pq, statements[i].name, statements[i].sql);
}

static void send(oo7_hand *h, const char *statement, const void *data, int size)
{
    const char *values[] = {data};
    const int formats[] = {1};

    if (PQsendQueryPrepared(h->pq, statement, data ? 1 : 0, values, &size, formats, 1) != 1)
        die("%s", PQerrorMessage(h->pq));
}

/* The procedure is called for each row. */
static void touch_rows(oo7_hand *h, oo_tally *tally)
{
    PGresult *result = expect(h->pq, PQgetResult(h->pq), PGRES_TUPLES_OK);

    for (int i = 0; i < PQntuples(result); i++)
        oo_touch(tally, read_int32(PQgetvalue(result, i, 0)), read_int32(PQgetvalue(result, i, 1)),
                 read_int32(PQgetvalue(result, i, 2)));
    h->rows += PQntuples(result);
    PQclear(result);
    PQclear(PQgetResult(h->pq));
}

static void take_sums(oo7_hand *h, oo_tally *tally)
{
    PGresult *result = expect(h->pq, PQgetResult(h->pq), PGRES_TUPLES_OK);

    tally->count = read_int64(PQgetvalue(result, 0, 0));
    if (!PQgetisnull(result, 0, 1))
        tally->sum = read_int64(PQgetvalue(result, 0, 1));
    h->rows++;
    PQclear(result);
    PQclear(PQgetResult(h->pq));
}

static void send_int(oo7_hand *h, const char *statement, int32_t number)
{
    wire_reset(&h->wires[0]);
    wire_int32(&h->wires[0], number);
    send(h, statement, h->wires[0].data, 4);
}

static void send_ints(oo7_hand *h, const char *statement, const int32_t *numbers, size_t n)
{
    wire *wire = &h->wires[0];

    wire_reset(wire);
    wire_array(wire, 23, n);
    for (size_t i = 0; i < n; i++)
    {
        wire_int32(wire, 4);
        wire_int32(wire, numbers[i]);
    }
    send(h, statement, wire->data, (int) wire->size);
}

oo_tally oo7_hand_query(oo7_hand *h, oo7_operation operation)
{
    oo_tally tally = {0};

    h->trips++;
    switch (operation)
    {
        case OO7_Q1:
            send_ints(h, "oo7_lookup", h->whole->lookups, OO7_LOOKUPS);
            break;
        case OO7_Q2:
        case OO7_Q3:
            send_int(h, "oo7_dates", operation == OO7_Q2 ? OO7_LAST_1_PART : OO7_LAST_10_PARTS);
            break;
        case OO7_Q4:
            send_ints(h, "oo7_users", h->whole->titles, OO7_TITLES);
            break;
        case OO7_T7:
            send_int(h, "oo7_climb", h->whole->start);
            break;
        default:
            send(h,
                 operation == OO7_Q5   ? "oo7_outdated"
                 : operation == OO7_Q7 ? "oo7_scan"
                                       : "oo7_join",
                 NULL, 0);
    }
    if (operation == OO7_Q4 || operation == OO7_Q5 || operation == OO7_T7)
        take_sums(h, &tally);
    else
        touch_rows(h, &tally);
    return tally;
}
