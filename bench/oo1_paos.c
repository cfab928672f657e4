/*
 * oo1_paos.c - OO1's operations by the C client.
 */
#include "oo1.h"

#include <stdio.h>
#include <stdlib.h>

static int32_t key(const paos_object *object)
{
    return (int32_t) (paos_object_id(object) & (((paos_id) 1 << 48) - 1));
}

static void touch(oo1_paos *w, paos_object *part, int64_t times)
{
    oo_tally one = {0};

    oo_touch(&one, key(part), (int32_t) paos_object_int_at(part, w->x),
             (int32_t) paos_object_int_at(part, w->y));
    w->tally.count += times;
    w->tally.sum += times * one.sum;
}

static void look_up(oo1_paos *w)
{
    paos_id ids[OO1_LOOKUPS];
    paos_list *list;

    for (int i = 0; i < OO1_LOOKUPS; i++)
        ids[i] = w->class | (paos_id) w->graph->lookups[i];
    check(w->conn, paos_fetch_many(w->conn, ids, OO1_LOOKUPS, &list));
    for (size_t i = 0; i < paos_list_size(list); i++)
        touch(w, paos_list_at(list, i), 1);
    paos_list_free(list);
}

static paos_object *must(oo1_paos *w, paos_object *object)
{
    if (!object)
        die("OO1: a reference leads nowhere: %s", paos_conn_error(w->conn)->message);
    return object;
}

/* ---- traversal ---- */

static void visit(oo1_paos *w, paos_object *part, int hops)
{
    size_t n;

    touch(w, part, 1);
    if (hops == 0)
        return;
    paos_object_hold(part);
    n = paos_object_ref_count_at(part, w->outgoing);
    for (size_t i = 0; i < n; i++)
    {
        paos_object *connection = must(w, paos_object_ref_item_at(part, w->outgoing, i));

        visit(w, must(w, paos_object_ref_at(connection, w->target)), hops - 1);
    }
    paos_object_release(part);
}

/* What it follows and how many steps, as SQL by hand says it; or nothing. */
static void traverse(oo1_paos *w)
{
    static const char *const followed[] = {"outgoing", "target", NULL};
    const paos_get_options options = {.follow = followed, .prefetch = 2 * OO1_HOPS};
    paos_object *start;

    check(w->conn, paos_fetch_with(w->conn, w->class | (paos_id) w->graph->start,
                                   w->stated ? &options : NULL, &start));
    visit(w, start, OO1_HOPS);
    paos_object_release(start);
}

/* ---- reverse: a query and a step for each level; how often a part is met is counted ---- */

/* NULL: no part was met. */
static char *query_for(const int64_t *times, int32_t size)
{
    size_t room = 64, used = 11;
    char *query;

    for (int32_t i = 1; i <= size; i++)
        room += times[i] ? 12 : 0;
    query = malloc(room);
    if (!query)
        die("out of memory");
    snprintf(query, room, "target in (");
    for (int32_t i = 1; i <= size; i++)
        if (times[i])
            used += (size_t) snprintf(query + used, room - used, "%s%d",
                                      query[used - 1] == '(' ? "" : ", ", (int) i);
    snprintf(query + used, room - used, ")");
    if (query[used - 1] != '(')
        return query;
    free(query);
    return NULL;
}

static void go_back(oo1_paos *w, int64_t *times, int64_t *next)
{
    static const char *const followed[] = {"source", NULL};
    const paos_get_options options = {.follow = followed};
    char *query = query_for(times, w->graph->size);
    paos_list *list;

    if (!query)
        return;
    check(w->conn, paos_get_with(w->conn, PAOS_READ, "oo1.connection", query, NULL, 0,
                                 w->stated ? &options : NULL, &list));
    for (size_t i = 0; i < paos_list_size(list); i++)
    {
        paos_object *connection = paos_list_at(list, i);
        paos_object *source = must(w, paos_object_ref_at(connection, w->source));
        int64_t met = times[paos_object_int_at(connection, w->target)];

        touch(w, source, met);
        next[key(source)] += met;
    }
    paos_list_free(list);
    free(query);
}

static void traverse_back(oo1_paos *w)
{
    size_t size = (size_t) w->graph->size + 1;
    int64_t *times = calloc(size, sizeof *times);
    paos_object *start;

    check(w->conn, paos_fetch(w->conn, w->class | (paos_id) w->graph->start, &start));
    touch(w, start, 1);
    if (times)
        times[w->graph->start] = 1;
    for (int hop = 0; hop < OO1_HOPS; hop++)
    {
        int64_t *next = calloc(size, sizeof *next);

        if (!times || !next)
            die("out of memory");
        go_back(w, times, next);
        free(times);
        times = next;
    }
    free(times);
    paos_object_release(start);
}

/* ---- insert ---- */

static paos_object *make(oo1_paos *w, const char *class_name, const char *type, int32_t id)
{
    paos_object *object;

    check(w->conn, paos_object_new(w->conn, class_name, &object));
    check(w->conn, paos_object_set(object, "id", paos_int(id)));
    check(w->conn, paos_object_set(object, "type", paos_text(type)));
    return object;
}

static void insert_part(oo1_paos *w, int32_t id)
{
    const oo1_part *model = &w->graph->parts[id];
    paos_object *part = make(w, "oo1.part", "part-type0", id), *connections[OO1_CONNECTIONS];
    paos_value refs[OO1_CONNECTIONS];

    check(w->conn, paos_object_set_at(part, w->x, paos_int(model->x)));
    check(w->conn, paos_object_set_at(part, w->y, paos_int(model->y)));
    check(w->conn, paos_object_set(part, "build", paos_date(10957)));
    for (int k = 0; k < OO1_CONNECTIONS; k++)
    {
        connections[k] =
            make(w, "oo1.connection", "conn-type0", OO1_CONNECTIONS * (id - 1) + k + 1);
        check(w->conn, paos_object_set(connections[k], "length", paos_int(1)));
        check(w->conn, paos_object_set_at(connections[k], w->source, paos_ref(part)));
        check(w->conn, paos_object_set_at(connections[k], w->target,
                                          paos_ref_id(w->class | (paos_id) model->targets[k])));
        refs[k] = paos_ref(connections[k]);
    }
    check(w->conn, paos_object_set_at(part, w->outgoing, paos_array(refs, OO1_CONNECTIONS)));
    touch(w, part, 1);
    for (int k = 0; k < OO1_CONNECTIONS; k++)
        paos_object_release(connections[k]);
    paos_object_release(part);
}

static void insert(oo1_paos *w)
{
    for (int32_t i = 1; i <= OO1_INSERTS; i++)
        insert_part(w, w->graph->size + i);
    check(w->conn, paos_commit(w->conn, NULL, 0));
}

oo_tally oo1_paos_run(oo1_paos *w, oo1_operation operation)
{
    static void (*const operations[])(oo1_paos *) = {look_up, traverse, traverse_back, insert};

    w->tally = (oo_tally){0};
    operations[operation](w);
    return w->tally;
}

void oo1_paos_open(oo1_paos *w, paos_conn *conn, const oo1_graph *graph)
{
    *w = (oo1_paos){.conn = conn, .graph = graph};
    w->x = paos_class_attribute(conn, "oo1.part", "x");
    w->y = paos_class_attribute(conn, "oo1.part", "y");
    w->outgoing = paos_class_attribute(conn, "oo1.part", "outgoing");
    w->source = paos_class_attribute(conn, "oo1.connection", "source");
    w->target = paos_class_attribute(conn, "oo1.connection", "target");
    if (!w->x || !w->y || !w->outgoing || !w->source || !w->target)
        check(conn, paos_conn_error(conn)->status);
}
