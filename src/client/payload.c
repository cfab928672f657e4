/*
 * payload.c - the text of a notification.
 *
 * Any role may notify on any channel, so the text may be anything: what the
 * server would not have written is PAOS_INVALID, and nobody is told of it.
 */
#include "paos_int.h"

#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

static const char *const effects[PAOSI_EFFECTS] = {"enter", "change", "leave"};

void paosi_payload_free(paosi_payload *payload)
{
    size_t i;

    for (i = 0; i < PAOSI_EFFECTS; i++)
        paosi_free(payload->refs[i].items);
    paosi_free(payload->host);
    paosi_free(payload->application);
    paosi_free(payload->ended);
    paosi_free(payload->reason);
    memset(payload, 0, sizeof *payload);
}

/* A whole number without sign that the rest of the text begins with. */
static bool take_number(const char **text, uint64_t most, uint64_t *out)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *out = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0 && *out >= 1 && *out <= most;
}

/* "12:42" */
static bool parse_ref(const char *text, uint64_t *out)
{
    uint64_t class, key;

    if (!text || !take_number(&text, PAOSI_CLASS_MAX, &class) || *text++ != ':' ||
        !take_number(&text, (uint64_t) PAOSI_KEY_MAX, &key) || *text)
        return false;
    *out = class << PAOSI_KEY_BITS | key;
    return true;
}

static paos_status take_refs(const json_t *list, paosi_ids *out)
{
    size_t i;

    if (!json_is_array(list))
        return PAOS_INVALID;
    for (i = 0; i < json_array_size(list); i++)
    {
        uint64_t id;

        if (!parse_ref(json_string_value(json_array_get(list, i)), &id))
            return PAOS_INVALID;
        if (!paosi_ids_add(out, id))
            return PAOS_NO_MEMORY;
    }
    return PAOS_OK;
}

static paos_status take_text(const json_t *text, char **out)
{
    if (!text || json_is_null(text))
        return PAOS_OK;
    if (!json_is_string(text))
        return PAOS_INVALID;
    *out = paosi_strdup(json_string_value(text));
    return *out ? PAOS_OK : PAOS_NO_MEMORY;
}

static bool take_integer(const json_t *number, int64_t *out)
{
    if (!number || json_is_null(number))
        return true;
    *out = json_integer_value(number);
    return json_is_integer(number);
}

static paos_status take_author(const json_t *author, paosi_payload *out)
{
    paos_status status;

    out->pid = out->uid = -1;
    if (!author || json_is_null(author))
        return PAOS_OK;
    if (!json_is_object(author) || !take_integer(json_object_get(author, "pid"), &out->pid) ||
        !take_integer(json_object_get(author, "uid"), &out->uid))
        return PAOS_INVALID;
    status = take_text(json_object_get(author, "host"), &out->host);
    if (status == PAOS_OK)
        status = take_text(json_object_get(author, "app"), &out->application);
    return status;
}

static bool take_xid(const json_t *xid, paosi_payload *out)
{
    const char *text = json_string_value(xid);

    if (!xid || json_is_null(xid))
        return out->resync;
    return text && take_number(&text, UINT64_MAX, &out->xid) && !*text;
}

static bool take_part(const json_t *part, paosi_payload *out)
{
    json_int_t number = json_integer_value(json_array_get(part, 0));
    json_int_t of = json_integer_value(json_array_get(part, 1));

    if (json_array_size(part) != 2 || number < 1 || of < number || of > INT32_MAX)
        return false;
    out->part = (unsigned) number;
    out->parts = (unsigned) of;
    return true;
}

/* Why the request is no more; the SQLSTATE is one, so that it can be shown as one. */
static paos_status take_end(const json_t *json, paosi_payload *out)
{
    paos_status status = take_text(json_object_get(json, "ended"), &out->ended);

    if (status != PAOS_OK || !out->ended)
        return status;
    if (!out->resync || strlen(out->ended) != 5)
        return PAOS_INVALID;
    return take_text(json_object_get(json, "reason"), &out->reason);
}

/* That a durable request has events is all that such a notification says. */
static paos_status take_pending(const json_t *json, paosi_payload *out)
{
    out->pending = true;
    out->part = out->parts = 1;
    out->pid = out->uid = -1;
    return json_object_size(json) == 2 ? PAOS_OK : PAOS_INVALID;
}

static paos_status take(const json_t *json, paosi_payload *out)
{
    const json_t *resync = json_object_get(json, "resync");
    paos_status status;
    size_t i;

    out->request = json_integer_value(json_object_get(json, "request"));
    out->resync = json_is_true(resync);
    if (out->request >= 1 && json_is_true(json_object_get(json, "pending")))
        return take_pending(json, out);
    if (out->request < 1 || (resync && !out->resync) ||
        !take_xid(json_object_get(json, "xid"), out) ||
        !take_part(json_object_get(json, "part"), out))
        return PAOS_INVALID;
    status = take_author(json_object_get(json, "author"), out);
    if (status == PAOS_OK)
        status = take_end(json, out);
    for (i = 0; status == PAOS_OK && !out->resync && i < PAOSI_EFFECTS; i++)
        status = take_refs(json_object_get(json, effects[i]), &out->refs[i]);
    return status;
}

/* In whatever form. */
static paos_status take_json(const char *text, paosi_payload *out)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    paos_status status;

    if (!json)
        return json_error_code(&error) == json_error_out_of_memory ? PAOS_NO_MEMORY : PAOS_INVALID;
    status = take(json, out);
    json_decref(json);
    return status;
}

paos_status paosi_payload_parse(const char *text, paosi_payload *out)
{
    paosi_payload payload = {0};
    paos_status status = paosi_form_read(text, &payload);

    if (status == PAOS_INVALID)
    {
        paosi_payload_free(&payload);
        status = take_json(text, &payload);
    }
    if (status == PAOS_OK)
        *out = payload;
    else
        paosi_payload_free(&payload);
    return status;
}

paos_status paosi_payload_author(const char *text, paosi_payload *out)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    paos_status status = PAOS_INVALID;

    if (json)
        status = take_author(json, out);
    else if (json_error_code(&error) == json_error_out_of_memory)
        status = PAOS_NO_MEMORY;
    json_decref(json);
    return status;
}
