/*
 * event.c - notifications become events.
 *
 * What an answer is known to be decides what is told: a commit that the answer
 * contained already is told nobody, and when it is known to be old, a look tells.
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
