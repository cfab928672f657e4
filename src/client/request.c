/*
 * request.c - the requests of a connection, and the events still to be told of them.
 *
 * A request has two numbers: the program's, which stays, and the server's,
 * which is another one after each reconnect and is what notifications name.
 */
#include "paos_int.h"

#define FIRST_CAPACITY 16

/* ---- hash tables ---- */

static size_t place_of(const paosi_requests *requests, int64_t number)
{
    return (size_t) ((uint64_t) number * UINT64_C(0x9E3779B97F4A7C15) >> 32) &
           (requests->capacity - 1);
}

static void link_id(paosi_requests *requests, paosi_request *request)
{
    paosi_request **bucket = &requests->by_id[place_of(requests, request->id)];

    request->id_next = *bucket;
    *bucket = request;
}

static void link_server(paosi_requests *requests, paosi_request *request)
{
    paosi_request **bucket = &requests->by_server[place_of(requests, request->server)];

    request->server_next = *bucket;
    *bucket = request;
}

static bool grow(paosi_requests *requests)
{
    size_t capacity = requests->capacity ? 2 * requests->capacity : FIRST_CAPACITY;
    paosi_request **by_id = paosi_calloc(capacity, sizeof(paosi_request *));
    paosi_request **by_server = paosi_calloc(capacity, sizeof(paosi_request *));
    paosi_request *request;

    if (!by_id || !by_server)
    {
        paosi_free(by_id);
        paosi_free(by_server);
        return false;
    }
    paosi_free(requests->by_id);
    paosi_free(requests->by_server);
    requests->by_id = by_id;
    requests->by_server = by_server;
    requests->capacity = capacity;
    for (request = requests->first; request; request = request->next)
    {
        link_id(requests, request);
        if (request->server)
            link_server(requests, request);
    }
    return true;
}

static void unlink_id(paosi_requests *requests, const paosi_request *request)
{
    paosi_request **place = &requests->by_id[place_of(requests, request->id)];

    while (*place != request)
        place = &(*place)->id_next;
    *place = request->id_next;
}

static void unlink_server(paosi_requests *requests, const paosi_request *request)
{
    paosi_request **place = &requests->by_server[place_of(requests, request->server)];

    if (!request->server)
        return;
    while (*place != request)
        place = &(*place)->server_next;
    *place = request->server_next;
}

paosi_request *paosi_requests_find(const paosi_requests *requests, int64_t id)
{
    paosi_request *request = requests->size ? requests->by_id[place_of(requests, id)] : NULL;

    while (request && request->id != id)
        request = request->id_next;
    return request;
}

void paosi_requests_serve(paosi_requests *requests, paosi_request *request, int64_t server)
{
    unlink_server(requests, request);
    request->server = server;
    link_server(requests, request);
}

paosi_request *paosi_requests_served(const paosi_requests *requests, int64_t server)
{
    paosi_request *request =
        requests->size ? requests->by_server[place_of(requests, server)] : NULL;

    while (request && request->server != server)
        request = request->server_next;
    return request;
}

/* ---- requests ---- */

bool paosi_requests_add(paosi_requests *requests, paosi_request *request, int64_t server)
{
    if (requests->size >= requests->capacity && !grow(requests))
        return false;
    request->server = server;
    /* Another server may give a number that one from before the reconnect still has here. */
    for (request->id = server; paosi_requests_find(requests, request->id);)
        request->id++;
    request->prev = requests->last;
    if (requests->last)
        requests->last->next = request;
    else
        requests->first = request;
    requests->last = request;
    requests->size++;
    link_id(requests, request);
    link_server(requests, request);
    return true;
}

void paosi_request_free(paosi_request *request)
{
    if (!request)
        return;
    paosi_answer_free(&request->answer);
    paosi_snapshot_release(request->seen);
    paosi_snapshot_release(request->since);
    paosi_payload_free(&request->partial);
    paosi_payload_free(&request->cause);
    paosi_free(request->members.items);
    paosi_answer_free(&request->told);
    paosi_free(request->durable);
    paosi_free(request->query);
    paosi_free(request->bound);
    paosi_free(request);
}

/* The event that is being told stays where it is until its callback returns. */
static void cancel_events(paosi_requests *requests, const paosi_request *request)
{
    paosi_event *event;

    for (event = requests->events; event; event = event->next)
        if (event->request == request)
            event->request = NULL;
}

void paosi_requests_drop(paosi_requests *requests, paosi_request *request)
{
    cancel_events(requests, request);
    unlink_id(requests, request);
    unlink_server(requests, request);
    if (request->prev)
        request->prev->next = request->next;
    else
        requests->first = request->next;
    if (request->next)
        request->next->prev = request->prev;
    else
        requests->last = request->prev;
    requests->size--;
    requests->unsettled -= request->since != NULL;
    requests->standing -= request->stands_by;
    paosi_request_free(request);
}

void paosi_requests_free(paosi_requests *requests)
{
    while (requests->events)
        paosi_event_drop(requests);
    while (requests->first)
        paosi_requests_drop(requests, requests->first);
    paosi_free(requests->by_id);
    paosi_free(requests->by_server);
    if (requests->closed)
        *requests->closed = true;
}

void paosi_request_want_look(paosi_requests *requests, paosi_request *request)
{
    request->look = true;
    requests->look = true;
}

void paosi_request_unsettle(paosi_requests *requests, paosi_request *request, paosi_snapshot *since)
{
    requests->unsettled -= request->since != NULL;
    paosi_snapshot_release(request->since);
    request->since = NULL;
    if (since->size == 0)
        return;
    request->since = paosi_snapshot_hold(since);
    requests->unsettled++;
    requests->settle_delay = 0;
    requests->settle_due = paosi_wake_now();
}

void paosi_request_take(paosi_requests *requests, paosi_request *request, paosi_answer *answer,
                        paosi_snapshot *snapshot)
{
    paosi_answer_free(&request->answer);
    request->answer = *answer;
    memset(answer, 0, sizeof *answer);
    paosi_snapshot_release(request->seen);
    request->seen = paosi_snapshot_hold(snapshot);
    request->look = false;
    if (request->since && paosi_snapshot_settles(snapshot, request->since))
        paosi_request_settled(requests, request);
}

void paosi_request_settled(paosi_requests *requests, paosi_request *request)
{
    requests->unsettled -= request->since != NULL;
    paosi_snapshot_release(request->since);
    request->since = NULL;
}

void paosi_request_stand_by(paosi_requests *requests, paosi_request *request, bool stands_by)
{
    if (stands_by && !request->stands_by)
    {
        requests->standing++;
        requests->stand_delay = 0;
        requests->stand_due = paosi_wake_now();
        request->look = false;
    }
    requests->standing -= !stands_by && request->stands_by;
    request->stands_by = stands_by;
}

/* ---- events ---- */

void paosi_event_free(paosi_event *event)
{
    size_t i;

    if (!event)
        return;
    for (i = 0; i < PAOSI_EFFECTS; i++)
        paos_list_free(event->lists[i]);
    paosi_payload_free(&event->told);
    paosi_free(event);
}

void paosi_event_add(paosi_requests *requests, paosi_event *event)
{
    event->next = NULL;
    if (requests->events)
        requests->last_event->next = event;
    else
        requests->events = event;
    requests->last_event = event;
}

void paosi_event_drop(paosi_requests *requests)
{
    paosi_event *event = requests->events;

    requests->events = event->next;
    paosi_event_free(event);
}
