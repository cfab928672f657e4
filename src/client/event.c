/*
 * event.c - notifications become events, and events calls of callbacks.
 *
 * What an answer is known to be decides what is told: a commit that the answer
 * contained already is told nobody.  The handles of an event are made, and held
 * by its lists, before any callback runs, since a callback may do anything.
 */
#include "paos_int.h"

/* References of an event in parts; more than that are looked at instead. */
#define PARTIAL_MAX 1000000

/* ---- the cache ---- */

/* What is cached of the object is not what the transaction made of it, but for its own writer. */
void paosi_event_invalidate(const paos_conn *conn, uint64_t identity, uint64_t xid)
{
    paos_object *object = paosi_map_find(conn, identity);

    if (!object || object->draft || object->flags & (PAOSI_NEW | PAOSI_DELETE))
        return;
    if (object->flags & PAOSI_ABSENT)
        paosi_object_set_present(object, object->shape);
    else if (object->row && (xid == 0 || object->version != (uint32_t) xid))
        paosi_object_take_row(object, object->shape, NULL, 0, 0);
}

uint64_t paosi_event_name(const paos_conn *conn, uint64_t identity)
{
    const paos_object *object = paosi_map_find(conn, identity);

    return object ? paosi_object_name(object) : identity;
}

/* ---- what it means for the answer ---- */

/* Sorts one reference into what is told; that first, so that it can be taken back. */
static bool sort_ref(paosi_request *request, const paosi_payload *told, int effect, uint64_t ref,
                     paosi_ids *out)
{
    uint64_t identity = paosi_reference_identity(request->class->conn, ref);
    uint32_t version;
    bool known = paosi_answer_has(&request->answer, identity, &version);

    paosi_event_invalidate(request->class->conn, identity, told->xid);
    if (paosi_snapshot_ended(request->seen, told->xid) || (effect == PAOSI_LEAVE && !known))
        return true;
    if (effect != PAOSI_LEAVE)
        effect = known ? PAOSI_CHANGE : PAOSI_ENTER;
    if (!paosi_ids_add(&out[effect], ref))
        return false;
    if (effect != PAOSI_LEAVE)
        return paosi_answer_put(&request->answer, identity, (uint32_t) told->xid);
    paosi_answer_remove(&request->answer, identity);
    return true;
}

/* Has the answer be as if nothing had been sorted, or changed at least; needs no memory. */
static void take_back(paosi_request *request, const paosi_ids *sorted)
{
    const paos_conn *conn = request->class->conn;
    size_t i;

    for (i = 0; i < sorted[PAOSI_ENTER].size; i++)
        paosi_answer_remove(&request->answer,
                            paosi_reference_identity(conn, sorted[PAOSI_ENTER].items[i]));
    for (i = 0; i < sorted[PAOSI_CHANGE].size; i++)
        paosi_answer_put(&request->answer,
                         paosi_reference_identity(conn, sorted[PAOSI_CHANGE].items[i]), 0);
    for (i = 0; i < sorted[PAOSI_LEAVE].size; i++)
        paosi_answer_put(&request->answer,
                         paosi_reference_identity(conn, sorted[PAOSI_LEAVE].items[i]), 0);
}

/* What is told of an event after what is known of the answer. */
static bool sort_refs(paosi_request *request, const paosi_payload *told, paosi_ids *out)
{
    int effect;
    size_t i;

    for (effect = 0; effect < PAOSI_EFFECTS; effect++)
        for (i = 0; i < told->refs[effect].size; i++)
            if (!sort_ref(request, told, effect, told->refs[effect].items[i], out))
                return false;
    return true;
}

static bool tells_nothing(const paosi_payload *told)
{
    return told->refs[PAOSI_ENTER].size + told->refs[PAOSI_CHANGE].size +
               told->refs[PAOSI_LEAVE].size ==
           0;
}

/* The cache alone is told what happened. */
static void invalidate_all(const paos_conn *conn, const paosi_payload *told)
{
    size_t i, j;

    for (i = 0; i < PAOSI_EFFECTS; i++)
        for (j = 0; j < told->refs[i].size; j++)
        {
            uint64_t identity = paosi_reference_identity(conn, told->refs[i].items[j]);

            if (identity)
                paosi_event_invalidate(conn, identity, told->xid);
        }
}

/*
 * Notes what a whole event says; takes the payload's texts.  When a look is due,
 * commits before this one are not known, and against an answer without them it
 * would be told as what it was not: the look comes after all of them and tells.
 */
static paos_status apply(paosi_request *request, paosi_payload *told)
{
    paos_conn *conn = request->class->conn;
    paosi_event *event;

    if (request->look)
    {
        invalidate_all(conn, told);
        return PAOS_OK;
    }
    event = paosi_calloc(1, sizeof *event);
    if (!event || !sort_refs(request, told, event->told.refs))
    {
        if (event)
            take_back(request, event->told.refs);
        paosi_event_free(event);
        paosi_request_want_look(&conn->requests, request);
        return paosi_fail_memory(conn);
    }
    if (tells_nothing(&event->told))
    {
        paosi_event_free(event);
        return PAOS_OK;
    }
    event->request = request;
    event->told.xid = told->xid;
    event->told.pid = told->pid;
    event->told.uid = told->uid;
    event->told.host = told->host;
    event->told.application = told->application;
    told->host = told->application = NULL;
    paosi_event_add(&conn->requests, event);
    return PAOS_OK;
}

/* ---- parts ---- */

/* Adds a part to those before it; false: it does not follow them, or they are too many. */
static bool add_part(paosi_payload *partial, const paosi_payload *told)
{
    size_t i, j, total = 0;

    if (told->part != partial->part + 1 || told->xid != partial->xid ||
        told->parts != partial->parts)
        return false;
    for (i = 0; i < PAOSI_EFFECTS; i++)
    {
        for (j = 0; j < told->refs[i].size; j++)
            if (!paosi_ids_add(&partial->refs[i], told->refs[i].items[j]))
                return false;
        total += partial->refs[i].size;
    }
    partial->part = told->part;
    return total <= PARTIAL_MAX;
}

/* Whatever goes wrong with parts, a look tells what they would have. */
static paos_status take_part(paosi_request *request, paosi_payload *told)
{
    paosi_requests *requests = &request->class->conn->requests;
    paosi_payload *partial = &request->partial;
    paos_status status = PAOS_OK;

    if (told->part == 1)
    {
        if (partial->part)
            paosi_request_want_look(requests, request);
        paosi_payload_free(partial);
        *partial = *told;
        memset(told, 0, sizeof *told);
    }
    else if (!add_part(partial, told))
    {
        paosi_request_want_look(requests, request);
        paosi_payload_free(partial);
        return PAOS_OK;
    }
    if (partial->part < partial->parts)
        return PAOS_OK;
    status = apply(request, partial);
    paosi_payload_free(partial);
    return status;
}

/* ---- notifications ---- */

/* Are all objects of the request's extent?  The server tells of no others. */
static bool are_of(const paosi_request *request, const paosi_payload *told)
{
    const paos_conn *conn = request->class->conn;
    unsigned last = 0;
    size_t i, j;

    for (i = 0; i < PAOSI_EFFECTS; i++)
        for (j = 0; j < told->refs[i].size; j++)
        {
            unsigned number = paosi_id_class(told->refs[i].items[j]);
            const paosi_class *class;

            if (number == last)
                continue;
            class = paosi_class_by_number(conn, number);
            if (!class || class->root != request->class->root)
                return false;
            last = number;
        }
    return true;
}

paos_status paosi_event_know(paos_conn *conn, const paosi_payload *told)
{
    paos_status status = PAOS_OK;
    paosi_class *class;
    unsigned last = 0;
    size_t i, j;

    for (i = 0; i < PAOSI_EFFECTS; i++)
        for (j = 0; status == PAOS_OK && j < told->refs[i].size; j++)
        {
            unsigned number = paosi_id_class(told->refs[i].items[j]);

            if (number != last)
                status = paosi_catalog_number(conn, number, &class);
            last = number;
        }
    return status;
}

/* For one that keeps cached objects true, the cache is all that an event means something for. */
static paos_status take_coherent(paosi_request *request, const paosi_payload *told)
{
    paos_conn *conn = request->class->conn;

    if (told->ended)
    {
        paosi_coherent_ended(request);
        return PAOS_OK;
    }
    if (told->resync)
        paosi_request_want_look(&conn->requests, request);
    invalidate_all(conn, told);
    return PAOS_OK;
}

static paos_status take_payload(paos_conn *conn, paosi_request *request, paosi_payload *told)
{
    paos_status status = PAOS_OK;

    if (request->members.items)
        return take_coherent(request, told);
    if (told->ended)
        return paosi_look_end(request, told);
    if (request->durable)
        return PAOS_OK;
    if (told->resync)
    {
        paosi_payload_free(&request->cause);
        request->cause = *told;
        memset(told, 0, sizeof *told);
        paosi_request_want_look(&conn->requests, request);
        return PAOS_OK;
    }
    if (!are_of(request, told))
        status = paosi_event_know(conn, told);
    if (status != PAOS_OK)
    {
        paosi_request_want_look(&conn->requests, request);
        return status;
    }
    if (!are_of(request, told))
    {
        conn->stats.foreign++;
        return PAOS_OK;
    }
    return told->parts > 1 ? take_part(request, told) : apply(request, told);
}

/* A payload that there was no memory to read may have been for any request. */
static paos_status lose_payload(paos_conn *conn)
{
    paosi_request *request;

    for (request = conn->requests.first; request; request = request->next)
        paosi_request_want_look(&conn->requests, request);
    return paosi_fail_memory(conn);
}

paos_status paosi_event_take(paos_conn *conn, const char *text)
{
    paosi_payload told = {0};
    paosi_request *request = NULL;
    paos_status status = paosi_payload_parse(text, &told);

    if (status == PAOS_NO_MEMORY)
        return lose_payload(conn);
    if (status == PAOS_OK)
        request = paosi_requests_served(&conn->requests, told.request);
    if (request && told.pending && request->durable && !request->stands_by)
    {
        paosi_request_want_look(&conn->requests, request);
        return PAOS_OK;
    }
    if (!request || request->ends || told.pending)
    {
        conn->stats.foreign += !request;
        paosi_payload_free(&told);
        return PAOS_OK;
    }
    status = take_payload(conn, request, &told);
    paosi_payload_free(&told);
    return status;
}

/* ---- handles ---- */

/* The handle of an object, which need not be loaded. */
static paos_status find_handle(paosi_request *request, uint64_t ref, paos_object **out)
{
    paos_conn *conn = request->class->conn;
    paosi_class *class = paosi_class_by_number(conn, paosi_id_class(ref));
    uint64_t identity = paosi_reference_identity(conn, ref);
    paos_status status;

    *out = paosi_map_find(conn, identity);
    if (*out)
        return PAOS_OK;
    if (!class->shape)
        class = request->class;
    status = paosi_cache_add(conn, class->shape, identity, out);
    if (status == PAOS_OK)
        paosi_cache_place(*out);
    return status;
}

/* Those that are not loaded become siblings, so that the first touch loads all of them. */
static paos_status make_list(paosi_event *event, int effect, paos_object **leader)
{
    paos_conn *conn = event->request->class->conn;
    const paosi_ids *refs = &event->told.refs[effect];
    paos_list *list = paosi_list_new(conn, refs->size);
    paos_status status = list ? PAOS_OK : paosi_fail_memory(conn);
    size_t i;

    for (i = 0; status == PAOS_OK && i < refs->size; i++)
    {
        paos_object *object;

        status = find_handle(event->request, refs->items[i], &object);
        if (status != PAOS_OK)
            break;
        if (event->told.resync)
            paosi_event_invalidate(conn, object->id, 0);
        if (!paosi_list_add(list, object))
            status = paosi_fail_memory(conn);
        if (object->row)
            continue;
        *leader = *leader ? *leader : object;
        paosi_ring_join(object, *leader);
    }
    if (status == PAOS_OK)
        event->lists[effect] = list;
    else
        paos_list_free(list);
    return status;
}

static paos_status make_lists(paosi_event *event)
{
    paos_object *leader = NULL;
    paos_status status = PAOS_OK;
    int effect;

    for (effect = 0; status == PAOS_OK && effect < PAOSI_EFFECTS; effect++)
        if (!event->lists[effect])
            status = make_list(event, effect, &leader);
    return status;
}

/* Only loading tells whether what left is deleted. */
static bool add_left(const paosi_event *event, paosi_ids *ids)
{
    const paos_list *left = event->lists[PAOSI_LEAVE];
    size_t i;

    for (i = 0; i < left->size; i++)
        if (!left->items[i]->row && !(left->items[i]->flags & (PAOSI_NEW | PAOSI_ABSENT)) &&
            !paosi_ids_add(ids, paosi_object_name(left->items[i])))
            return false;
    return true;
}

paos_status paosi_event_prepare(paos_conn *conn)
{
    paosi_load load = {.conn = conn};
    paosi_ids left = {0};
    paos_status status = PAOS_OK;
    paosi_event *event;

    for (event = conn->requests.events; status == PAOS_OK && event; event = event->next)
    {
        if (!event->request)
            continue;
        status = make_lists(event);
        if (status == PAOS_OK && !add_left(event, &left))
            status = paosi_fail_memory(conn);
    }
    if (status == PAOS_OK && left.size > 0)
        status = paosi_load_ids(&load, &left);
    paosi_free(left.items);
    return status;
}

/* ---- telling ---- */

bool paosi_event_tell(paos_conn *conn, size_t *handled)
{
    bool *closed = conn->requests.closed;
    paosi_event *event = conn->requests.events;
    const paosi_request *request = event->request;
    const paosi_payload *told = &event->told;
    paos_event shown = {
        .entered = event->lists[PAOSI_ENTER],
        .changed = event->lists[PAOSI_CHANGE],
        .left = event->lists[PAOSI_LEAVE],
        .author = {told->host ? told->host : "", told->pid, told->uid,
                   told->application ? told->application : ""},
        .resync = told->resync,
        .xid = told->xid,
        .ended = event->ended,
        .number = event->number,
    };

    if (!request)
    {
        paosi_event_drop(&conn->requests);
        return true;
    }
    shown.request = request->id;
    if (event->ended && told->ended)
        paosi_error_set(&conn->error, PAOS_INVALID, told->ended, told->reason ? told->reason : "",
                        "", "");
    conn->stats.events++;
    ++*handled;
    request->callback(conn, &shown, request->arg);
    if (*closed)
        return false;
    if (event->ended && event->request)
        paosi_requests_drop(&conn->requests, event->request);
    paosi_event_drop(&conn->requests);
    return true;
}
