/*
 * event_fuzz.c - any bytes as a notification's payload (fake_wild.c is the server).
 *
 * Whatever is taken as a payload keeps what the header promises of one, and a
 * dispatch survives it with a request that it may be for.
 */
#include "fake_wild.h"
#include "paos_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_payload(const char *text)
{
    paosi_payload told;
    size_t i, j;

    if (paosi_payload_parse(text, &told) != PAOS_OK)
        return;
    must(told.request >= 1 && told.part >= 1 && told.part <= told.parts);
    must(told.resync || told.xid > 0);
    for (i = 0; i < PAOSI_EFFECTS; i++)
        for (j = 0; j < told.refs[i].size; j++)
            must(paosi_id_class(told.refs[i].items[j]) >= 1 &&
                 paosi_id_class(told.refs[i].items[j]) <= PAOSI_CLASS_MAX &&
                 paosi_id_key(told.refs[i].items[j]) >= 1);
    must(!told.resync || told.refs[PAOSI_ENTER].size == 0);
    paosi_payload_free(&told);
}

static void check_snapshot(const char *text)
{
    paosi_snapshot *snapshot = NULL;

    if (paosi_snapshot_parse(text, &snapshot) != PAOS_OK)
        return;
    must(snapshot->least <= snapshot->beyond);
    must(paosi_snapshot_ended(snapshot, snapshot->least - 1));
    must(!paosi_snapshot_ended(snapshot, snapshot->beyond));
    must(snapshot->size == 0 || !paosi_snapshot_settles(snapshot, snapshot));
    paosi_snapshot_release(snapshot);
}

static void touch(paos_conn *conn, const paos_event *event, void *arg)
{
    const paos_list *const lists[] = {event->entered, event->changed, event->left};
    size_t i, j;

    (void) conn;
    (void) arg;
    must(event->author.host && event->author.application);
    for (i = 0; i < 3; i++)
        for (j = 0; j < paos_list_size(lists[i]); j++)
            must(paos_object_id(paos_list_at(lists[i], j)) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t tame[] = {0, 0, 0, 0};
    char *text = malloc(size + 1);
    paos_conn *conn = NULL;
    paosi_class *class = NULL;
    paosi_request *request;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = 0;
    check_payload(text);
    check_snapshot(text);
    fake_wild_begin(tame, sizeof tame);
    must(paos_conn_open("", NULL, &conn) == PAOS_OK);
    request = calloc(1, sizeof *request);
    if (paosi_class_find(conn, "sample", &class) == PAOS_OK)
    {
        must(paosi_snapshot_parse("5:5:", &request->seen) == PAOS_OK);
        request->class = class;
        request->query = strdup("");
        request->bound = strdup("{}");
        request->callback = touch;
        must(paosi_requests_add(&conn->requests, request, 7));
        fake_wild_notify(text);
        paos_conn_dispatch(conn, 0, NULL);
    }
    else
        free(request);
    paos_conn_close(conn);
    free(text);
    return 0;
}
