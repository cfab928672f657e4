/*
 * tell.c - events become calls of callbacks.
 *
 * The handles of an event are made, and held by its lists, before any callback
 * runs, since a callback may do anything.
 */
#include "paos_int.h"

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

paos_status paosi_tell_prepare(paos_conn *conn)
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

bool paosi_tell(paos_conn *conn, size_t *handled)
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
