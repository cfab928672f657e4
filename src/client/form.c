/*
 * form.c - the form in which the server writes the notifications that come in great numbers.
 *
 * To build a tree of JSON for each would take longer than all else that is done for
 * an event.  So what is written to the letter as the server does (see payload.c and author.c of
 * the extension) is read straight; whatever is not may be right all the same, and is left to
 * payload.c.
 */
#include "paos_int.h"

/* Does the rest begin so?  Goes behind it then. */
static bool skip(const char **rest, const char *text)
{
    const char *p = *rest;

    while (*text && *p == *text)
        p++, text++;
    if (*text)
        return false;
    *rest = p;
    return true;
}

/* A number from 1 on, as JSON has them, that takes no more than 18 digits. */
static bool read_number(const char **rest, uint64_t *out)
{
    const char *p = *rest;

    *out = 0;
    if (*p == '0')
        return false;
    for (; *p >= '0' && *p <= '9'; p++)
        *out = *out * 10 + (uint64_t) (*p - '0');
    if (p == *rest || p - *rest > 18)
        return false;
    *rest = p;
    return true;
}

/* As the server writes it; a negative one is rare. */
static bool read_integer(const char **rest, int64_t *out)
{
    uint64_t number = 0;

    *out = -1;
    if (skip(rest, "null"))
        return true;
    if (!skip(rest, "0") && !read_number(rest, &number))
        return false;
    *out = (int64_t) number;
    return true;
}

/* Without escapes. */
static paos_status read_text(const char **rest, char **out)
{
    const char *p = *rest;

    if (*p++ != '"')
        return PAOS_INVALID;
    while ((unsigned char) *p >= ' ' && *p != '"' && *p != '\\')
        p++;
    if (*p != '"' || !paosi_utf8_valid(*rest + 1, (size_t) (p - *rest - 1)))
        return PAOS_INVALID;
    *out = paosi_malloc((size_t) (p - *rest));
    if (!*out)
        return PAOS_NO_MEMORY;
    memcpy(*out, *rest + 1, (size_t) (p - *rest - 1));
    (*out)[p - *rest - 1] = 0;
    *rest = p + 1;
    return PAOS_OK;
}

static paos_status read_ref(const char **rest, paosi_ids *out)
{
    uint64_t class, key;

    if (!skip(rest, "\"") || !read_number(rest, &class) || class > PAOSI_CLASS_MAX ||
        !skip(rest, ":") || !read_number(rest, &key) || key > (uint64_t) PAOSI_KEY_MAX ||
        !skip(rest, "\""))
        return PAOS_INVALID;
    return paosi_ids_add(out, class << PAOSI_KEY_BITS | key) ? PAOS_OK : PAOS_NO_MEMORY;
}

static paos_status read_refs(const char **rest, const char *before, paosi_ids *out)
{
    paos_status status = PAOS_OK;

    if (!skip(rest, before))
        return PAOS_INVALID;
    if (skip(rest, "]"))
        return PAOS_OK;
    do
        status = read_ref(rest, out);
    while (status == PAOS_OK && skip(rest, ","));
    return status == PAOS_OK && !skip(rest, "]") ? PAOS_INVALID : status;
}

static paos_status read_author(const char **rest, paosi_payload *out)
{
    paos_status status = PAOS_INVALID;

    if (skip(rest, "{\"host\":"))
        status = read_text(rest, &out->host);
    if (status == PAOS_OK &&
        (!skip(rest, ",\"pid\":") || !read_integer(rest, &out->pid) || !skip(rest, ",\"uid\":") ||
         !read_integer(rest, &out->uid) || !skip(rest, ",\"app\":")))
        return PAOS_INVALID;
    if (status == PAOS_OK)
        status = read_text(rest, &out->application);
    return status == PAOS_OK && !skip(rest, "}") ? PAOS_INVALID : status;
}

static bool read_part(const char **rest, paosi_payload *out)
{
    uint64_t part, parts;

    if (!read_number(rest, &part) || !skip(rest, ",") || !read_number(rest, &parts) ||
        part > parts || parts > INT32_MAX)
        return false;
    out->part = (unsigned) part;
    out->parts = (unsigned) parts;
    return true;
}

paos_status paosi_form_read(const char *text, paosi_payload *out)
{
    uint64_t request;
    paos_status status;

    if (!skip(&text, "{\"request\":") || !read_number(&text, &request))
        return PAOS_INVALID;
    out->request = (int64_t) request;
    status = read_refs(&text, ",\"enter\":[", &out->refs[PAOSI_ENTER]);
    if (status == PAOS_OK)
        status = read_refs(&text, ",\"change\":[", &out->refs[PAOSI_CHANGE]);
    if (status == PAOS_OK)
        status = read_refs(&text, ",\"leave\":[", &out->refs[PAOSI_LEAVE]);
    if (status == PAOS_OK && !skip(&text, ",\"author\":"))
        return PAOS_INVALID;
    if (status == PAOS_OK)
        status = read_author(&text, out);
    if (status != PAOS_OK)
        return status;
    return skip(&text, ",\"xid\":\"") && read_number(&text, &out->xid) &&
                   skip(&text, "\",\"part\":[") && read_part(&text, out) && skip(&text, "]}") &&
                   !*text
               ? PAOS_OK
               : PAOS_INVALID;
}
