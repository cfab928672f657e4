/*
 * coherent.c - cached objects that stay true, whoever writes them.
 *
 * Requests on ids watch them, a thousand ids each.  An object is covered by the
 * dispatch after it was loaded and compared with what is there at that moment,
 * so that loading costs nothing more and nothing is missed in between.
 */
#include "paos_int.h"

#include <stdio.h>

/* Objects of one request. */
#define BATCH 1000

/* ---- what is to be covered ---- */

void paosi_coherent_note(paos_object *object)
{
    paos_conn *conn = paosi_object_conn(object);
    paosi_coherent *coherent = &conn->coherent;

    if (!coherent->on || coherent->scan)
        return;
    /* Of somebody who does not dispatch the list would grow for ever. */
    if (coherent->fresh.size >= 2 * conn->map.used + BATCH ||
        !paosi_ids_add(&coherent->fresh, object->id))
    {
        coherent->scan = true;
        coherent->fresh.size = 0;
    }
    paosi_wake_signal(&conn->wake, true);
}

static bool wants_cover(const paos_object *object)
{
    return object->shape && !paosi_id_temporary(object->id) &&
           !(object->flags & (PAOSI_COVERED | PAOSI_NEW)) &&
           (object->row || object->flags & PAOSI_ABSENT) && !object->shape->class->root->gone;
}

/* The objects to be covered, by class. */
static bool gather(paos_conn *conn, paosi_ids *out)
{
    const paosi_coherent *coherent = &conn->coherent;
    size_t n = coherent->scan ? conn->cache.slabs_size * PAOSI_SLAB : coherent->fresh.size;
    size_t i;

    for (i = 0; i < n; i++)
    {
        const paos_object *object = coherent->scan ? paosi_cache_at(&conn->cache, (uint32_t) i)
                                                   : paosi_map_find(conn, coherent->fresh.items[i]);

        if (object && wants_cover(object) && !paosi_ids_add(out, object->id))
            return false;
    }
    paosi_ids_sort(out);
    return true;
}

/* ---- registering ---- */

enum
{
    BEGIN_FIRST,
    SUBSCRIBE,
    COMMIT_FIRST,
    SNAPSHOT,
    STATEMENTS
};

typedef struct covering
{
    paos_conn *conn;
    size_t size;              /* batches */
    paosi_request **requests; /* until they are taken over */
    paosi_buffer classes, queries;
    paosi_result *results[STATEMENTS];
} covering;

static void covering_free(covering *c)
{
    size_t i;

    for (i = 0; c->requests && i < c->size; i++)
        paosi_request_free(c->requests[i]);
    paosi_free(c->requests);
    paosi_buffer_free(&c->classes);
    paosi_buffer_free(&c->queries);
    paosi_results_free(c->results, STATEMENTS);
}

/* A name as queries write it: in backquotes. */
static void add_name(paosi_buffer *out, const char *name)
{
    paosi_buffer_text(out, "`");
    for (; *name; name++)
    {
        paosi_buffer_add(out, name, 1);
        if (*name == '`')
            paosi_buffer_add(out, name, 1);
    }
    paosi_buffer_text(out, "`");
}

/* "key in (1, 2, ...)" as an element of an array. */
static bool add_query(paosi_buffer *out, const paosi_request *request)
{
    const paosi_shape *shape = request->class->shape;
    paosi_buffer text = {0};
    size_t i;

    add_name(&text, shape->columns[shape->key].name);
    for (i = 0; i < request->members.size; i++)
        paosi_buffer_format(&text, "%s%llu", i ? "," : " in (",
                            (unsigned long long) paosi_id_key(request->members.items[i]));
    paosi_buffer_text(&text, ")");
    paosi_buffer_add32(out, (uint32_t) text.size);
    paosi_buffer_add(out, text.data, text.failed ? 0 : text.size);
    out->failed |= text.failed;
    paosi_buffer_free(&text);
    return !out->failed;
}

/* A batch that begins at `first`; *next is where the one after it does. */
static paosi_request *make_batch(paos_conn *conn, const paosi_ids *ids, size_t first, size_t *next)
{
    paosi_request *request = paosi_calloc(1, sizeof *request);
    unsigned number = paosi_id_class(ids->items[first]);

    if (!request)
        return NULL;
    request->class = paosi_class_by_number(conn, number);
    for (*next = first; *next < ids->size && *next < first + BATCH; ++*next)
    {
        if (paosi_id_class(ids->items[*next]) != number)
            break;
        if (!paosi_ids_add(&request->members, ids->items[*next]))
        {
            paosi_request_free(request);
            return NULL;
        }
    }
    return request;
}

static bool make_batches(covering *c, const paosi_ids *ids)
{
    size_t first, i;
    size_t next = 0;

    c->requests = paosi_calloc(ids->size, sizeof *c->requests);
    if (!c->requests)
        return false;
    for (first = 0; first < ids->size; first = next)
    {
        c->requests[c->size] = make_batch(c->conn, ids, first, &next);
        if (!c->requests[c->size])
            return false;
        c->size++;
    }
    paosi_look_array(&c->classes, PAOSI_OID_OID, c->size);
    paosi_look_array(&c->queries, PAOSI_OID_TEXT, c->size);
    for (i = 0; i < c->size; i++)
    {
        paosi_buffer_add32(&c->classes, 4);
        paosi_buffer_add32(&c->classes, c->requests[i]->class->table);
        if (!add_query(&c->queries, c->requests[i]))
            return false;
    }
    return !c->classes.failed;
}

static paos_status send(covering *c)
{
    const paosi_parameter parameters[] = {
        {PAOSI_OID_OID_ARRAY, false, c->classes.data, c->classes.size},
        {PAOSI_OID_TEXT_ARRAY, false, c->queries.data, c->queries.size},
    };
    const paosi_statement statements[STATEMENTS] = {
        [BEGIN_FIRST] = {.sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
        [SUBSCRIBE] = {.sql = paosi_look_subscribe, .parameters = parameters, .count = 2},
        [COMMIT_FIRST] = {.sql = "COMMIT"},
        [SNAPSHOT] = {.sql = PAOSI_LOOK_SNAPSHOT},
    };
    paos_status status = paosi_conn_exchange(c->conn, statements, STATEMENTS, c->results);
    size_t i;

    for (i = 0; status == PAOS_OK && i < STATEMENTS; i++)
        if (paosi_result_outcome(c->results[i]) == PAOSI_FAILED)
            return paosi_conn_roll_back(c->conn, paosi_fail_result(c->conn, c->results[i]));
    return status;
}

static void mark_covered(paos_conn *conn, const paosi_ids *ids)
{
    size_t i;

    for (i = 0; i < ids->size; i++)
    {
        paos_object *object = paosi_map_find(conn, ids->items[i]);

        if (object)
            object->flags |= PAOSI_COVERED;
    }
    conn->coherent.covered += ids->size;
}

static paos_status take_batches(covering *c)
{
    paos_conn *conn = c->conn;
    const paosi_result *result = c->results[SUBSCRIBE];
    paosi_snapshot *snapshot = NULL;
    paos_status status = paosi_look_snapshot(conn, c->results[SNAPSHOT], &snapshot);
    size_t size, i;

    for (i = 0; status == PAOS_OK && i < c->size; i++)
    {
        const unsigned char *id =
            i < paosi_result_rows(result) ? paosi_result_value(result, i, 0, &size) : NULL;

        if (!id || size != 8)
            status = paosi_fail(conn, PAOS_SERVER, "malformed answer to subscriptions");
        else if (!paosi_requests_add(&conn->requests, c->requests[i], (int64_t) paosi_read64(id)))
            status = paosi_fail_memory(conn);
        if (status != PAOS_OK)
            break;
        mark_covered(conn, &c->requests[i]->members);
        paosi_request_unsettle(&conn->requests, c->requests[i], snapshot);
        c->requests[i] = NULL;
    }
    paosi_snapshot_release(snapshot);
    return status;
}

/* ---- letting go ---- */

static void uncover(paos_conn *conn, const paosi_ids *ids)
{
    size_t i;

    for (i = 0; i < ids->size; i++)
    {
        paos_object *object = paosi_map_find(conn, ids->items[i]);

        if (!object || !(object->flags & PAOSI_COVERED))
            continue;
        object->flags &= ~(uint32_t) PAOSI_COVERED;
        paosi_coherent_note(object);
    }
    conn->coherent.covered -= ids->size;
}

static size_t count_cached(const paos_conn *conn, const paosi_ids *ids)
{
    size_t n = 0;
    size_t i;

    for (i = 0; i < ids->size; i++)
        n += paosi_map_find(conn, ids->items[i]) != NULL;
    return n;
}

/* Ends batches of which less than half is cached still, or all of them. */
static paos_status end_batches(paos_conn *conn, bool all)
{
    paosi_request *request, *next;
    paos_status status = PAOS_OK;

    for (request = conn->requests.first; status == PAOS_OK && request; request = next)
    {
        next = request->next;
        if (!request->members.items ||
            (!all && 2 * count_cached(conn, &request->members) >= request->members.size))
            continue;
        status = conn->broken ? PAOS_OK : paosi_subscribe_end(conn, request->server);
        if (status != PAOS_OK && !conn->broken)
            break;
        uncover(conn, &request->members);
        paosi_requests_drop(&conn->requests, request);
    }
    conn->coherent.dropped = 0;
    return status;
}

void paosi_coherent_ended(paosi_request *request)
{
    paos_conn *conn = request->class->conn;

    conn->catalog_stale = true;
    uncover(conn, &request->members);
    paosi_requests_drop(&conn->requests, request);
}

void paosi_coherent_restart(paos_conn *conn)
{
    paosi_request *request, *next;

    for (request = conn->requests.first; request; request = next)
    {
        next = request->next;
        if (request->members.items)
            paosi_coherent_ended(request);
    }
}

/* ---- in a dispatch ---- */

/* What the server refuses once it would refuse each time. */
static paos_status give_up(paos_conn *conn, paos_status status)
{
    if (conn->broken || status == PAOS_NO_MEMORY)
        return status;
    conn->coherent.on = false;
    return status;
}

paos_status paosi_coherent_cover(paos_conn *conn)
{
    paosi_coherent *coherent = &conn->coherent;
    covering c = {.conn = conn};
    paosi_ids ids = {0};
    paos_status status = PAOS_OK;

    if (!coherent->on || (coherent->fresh.size == 0 && !coherent->scan))
        return PAOS_OK;
    status = paosi_catalog_ensure(conn);
    if (status == PAOS_OK && coherent->dropped > coherent->covered / 2)
        status = end_batches(conn, false);
    if (status == PAOS_OK && !gather(conn, &ids))
        status = paosi_fail_memory(conn);
    if (status == PAOS_OK && ids.size > 0)
    {
        status = make_batches(&c, &ids) ? send(&c) : paosi_fail_memory(conn);
        if (status == PAOS_OK)
            status = take_batches(&c);
        if (status == PAOS_OK)
            status = paosi_revalidate(conn, &ids);
    }
    if (status == PAOS_OK)
    {
        coherent->fresh.size = 0;
        coherent->scan = false;
    }
    covering_free(&c);
    paosi_free(ids.items);
    return status == PAOS_OK ? PAOS_OK : give_up(conn, status);
}

paos_status paosi_coherent_look(paos_conn *conn)
{
    paosi_ids ids = {0};
    paosi_request *request;
    paos_status status = PAOS_OK;
    size_t i;

    for (request = conn->requests.first; request; request = request->next)
        for (i = 0; request->look && i < request->members.size; i++)
            if (!paosi_ids_add(&ids, request->members.items[i]))
                status = PAOS_NO_MEMORY;
    if (status != PAOS_OK)
        paosi_fail_memory(conn);
    else if (ids.size > 0)
        status = paosi_revalidate(conn, &ids);
    paosi_free(ids.items);
    for (request = conn->requests.first; status == PAOS_OK && request; request = request->next)
        request->look = request->look && !request->members.items;
    return status;
}

paos_status paos_conn_set_coherent(paos_conn *conn, bool coherent)
{
    paos_status status = PAOS_OK;

    if (!conn)
        return PAOS_INVALID;
    if (conn->coherent.on == coherent)
        return PAOS_OK;
    conn->coherent.on = coherent;
    conn->coherent.scan = coherent;
    conn->coherent.fresh.size = 0;
    if (!coherent)
        status = end_batches(conn, true);
    paosi_dispatch_arm(conn);
    return status;
}
