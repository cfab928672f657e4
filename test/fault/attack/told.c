/*
 * told.c - what a payload says: just enough of JSON for the payloads of paos.
 *
 * Their texts hold no quotes here, because the run gives its sessions plain names.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

static const char *after_key(const char *payload, const char *key)
{
    const char *at = strstr(payload, key);

    return at == NULL ? NULL : at + strlen(key);
}

/* Adds the refs of the list that begins here; false when they are not ours. */
static bool add_list(const char *at, effect how, told *out)
{
    if (at == NULL)
        return false;
    while (*at != ']' && *at != '\0')
    {
        int class, key, used;

        if (sscanf(at, "\"%d:%d\"%n", &class, &key, &used) != 2 || class != CLASS_ITEM ||
            out->n == (int) COUNT(out->changes))
            return false;
        out->changes[out->n].id = key;
        out->changes[out->n++].effect = how;
        at += used;
        at += *at == ',';
    }
    return *at == ']';
}

bool told_parse(const char *payload, told *out)
{
    const char *request = after_key(payload, "\"request\":");
    const char *xid = after_key(payload, "\"xid\":\"");

    if (request == NULL)
        return false;
    out->request = atoll(request);
    out->xid = xid == NULL ? 0 : strtoull(xid, NULL, 10);
    out->resync = after_key(payload, "\"resync\":true") != NULL;
    out->pending = after_key(payload, "\"pending\":true") != NULL;
    out->n = 0;
    return out->resync || out->pending || after_key(payload, "\"enter\":[") != NULL;
}

/* The lists, which are read only when they are known to be of items. */
static bool read_lists(const char *payload, told *out)
{
    return add_list(after_key(payload, "\"enter\":["), EFFECT_ENTER, out) &&
           add_list(after_key(payload, "\"change\":["), EFFECT_CHANGE, out) &&
           add_list(after_key(payload, "\"leave\":["), EFFECT_LEAVE, out);
}

bool told_items(const char *payload, told *out)
{
    return out->resync || out->pending || read_lists(payload, out);
}

void told_log(role_log *log, const told *event)
{
    static const char letters[] = {
        [EFFECT_ENTER] = 'e', [EFFECT_CHANGE] = 'c', [EFFECT_LEAVE] = 'l'};
    char text[ITEMS * 2 * 8];
    int used = 0;

    text[0] = '\0';
    for (int i = 0; i < event->n; i++)
        used += snprintf(text + used, sizeof(text) - used, " %c%d",
                         letters[event->changes[i].effect], event->changes[i].id);
    log_line(log, "E %llu%s", (unsigned long long) event->xid, text);
}
