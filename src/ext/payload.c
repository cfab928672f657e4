/*
 * payload.c - what a notification says: an event as JSON.
 *
 * Any role may LISTEN on any channel, so there is nothing in it but names of objects
 * and who committed.  It is written at each commit that concerns a request: the client
 * reads this very form without a look at JSON's rules (form.c), so blanks count.
 */
#include "request.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* NOTIFY takes 7,999 bytes; what is around the lists needs at most this much of them. */
#define PAYLOAD_LISTS 7000
/* A reason beyond this is cut off: it may become six times as long in JSON. */
#define REASON_MAX 500

/* A part's lists; the place of an event that the next part goes on from. */
typedef struct Cursor
{
    int effect;
    int next;
} Cursor;

/* Without a format to read, for this is done at each commit. */
static void AppendNumber(StringInfo part, uint64 number)
{
    enlargeStringInfo(part, MAXINT8LEN + 1);
    part->len += pg_ulltoa_n(number, part->data + part->len);
    part->data[part->len] = 0;
}

static void AppendRef(StringInfo part, PaosRef ref)
{
    char text[PAOS_REF_TEXT_SIZE];

    PaosRefPrint(ref, text);
    appendStringInfoChar(part, '"');
    appendStringInfoString(part, text);
    appendStringInfoChar(part, '"');
}

static void AppendLists(StringInfo part, const PaosEvent *event, Cursor *cursor)
{
    static const char *const heads[] = {",\"enter\":[", ",\"change\":[", ",\"leave\":["};
    int start = part->len;
    int effect;

    for (effect = 0; effect < PAOS_EFFECTS; effect++)
    {
        int first = cursor->next;

        appendStringInfoString(part, heads[effect]);
        while (effect == cursor->effect && cursor->next < event->n[effect] &&
               part->len - start < PAYLOAD_LISTS)
        {
            if (cursor->next > first)
                appendStringInfoChar(part, ',');
            AppendRef(part, event->refs[effect][cursor->next++]);
        }
        appendStringInfoChar(part, ']');
        if (effect == cursor->effect && cursor->next == event->n[effect])
            *cursor = (Cursor){effect + 1, 0};
    }
}

/* The parts' beginnings, up to the lists. */
static List *Parts(const PaosEvent *event)
{
    List *parts = NIL;
    Cursor cursor = {0, 0};

    do
    {
        StringInfo part = makeStringInfo();

        appendStringInfoString(part, "{\"request\":");
        AppendNumber(part, event->request);
        if (event->resync)
        {
            appendStringInfoString(part, ",\"resync\":true");
            cursor.effect = PAOS_EFFECTS;
        }
        else
            AppendLists(part, event, &cursor);
        parts = lappend(parts, part);
    } while (cursor.effect < PAOS_EFFECTS);
    return parts;
}

void PaosPayloadAdd(const PaosEvent *event, const uint8 *channel, List **payloads)
{
    List *parts = Parts(event);
    const char *author = PaosAuthorText();
    uint64 xid = U64FromFullTransactionId(GetTopFullTransactionId());
    ListCell *cell;

    foreach (cell, parts)
    {
        StringInfo part = lfirst(cell);
        PaosPayload *payload = palloc(sizeof(PaosPayload));

        appendStringInfoString(part, ",\"author\":");
        appendStringInfoString(part, author);
        appendStringInfoString(part, ",\"xid\":\"");
        AppendNumber(part, xid);
        appendStringInfoString(part, "\",\"part\":[");
        AppendNumber(part, foreach_current_index(cell) + 1);
        appendStringInfoChar(part, ',');
        AppendNumber(part, list_length(parts));
        appendStringInfoString(part, "]}");
        payload->request = event->request;
        payload->text = part->data;
        memcpy(payload->channel, channel, PAOS_CHANNEL_BYTES);
        *payloads = lappend(*payloads, payload);
    }
}

/* The event of a request that could not be told what happened to it. */
char *PaosResyncPayload(int64 request)
{
    return psprintf("{\"request\":" INT64_FORMAT ",\"resync\":true,\"author\":null,\"xid\":null,"
                    "\"part\":[1,1]}",
                    request);
}

/* The last event of a request that cannot go on: SQLSTATE and message of what is wrong. */
char *PaosEndedPayload(int64 request, int sqlstate, const char *reason)
{
    StringInfoData payload;
    uint64 xid = U64FromFullTransactionId(GetTopFullTransactionId());
    int length = strlen(reason);

    initStringInfo(&payload);
    appendStringInfo(&payload, "{\"request\":" INT64_FORMAT ",\"resync\":true,\"ended\":\"%s\"",
                     request, unpack_sql_state(sqlstate));
    appendStringInfoString(&payload, ",\"reason\":");
    escape_json(&payload, pnstrdup(reason, pg_mbcliplen(reason, length, Min(length, REASON_MAX))));
    appendStringInfo(&payload, ",\"author\":%s,\"xid\":\"" UINT64_FORMAT "\",\"part\":[1,1]}",
                     PaosAuthorText(), xid);
    return payload.data;
}

char *PaosWakePayload(int64 request)
{
    return psprintf("{\"request\":" INT64_FORMAT ",\"pending\":true}", request);
}
