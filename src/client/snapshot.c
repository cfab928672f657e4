/*
 * snapshot.c - which transactions had ended when an answer was read.
 *
 * What decides whether a commit is in an answer is this and no order of
 * numbers: transactions do not end in the order in which they began.
 */
#include "paos_int.h"

#include <errno.h>
#include <stdlib.h>

/* A number followed by one of the characters. */
static bool take_number(const char **text, const char *ends, uint64_t *out)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *out = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0 && strchr(ends, *end) != NULL;
}

static size_t count_running(const char *text)
{
    size_t n = *text ? 1 : 0;

    for (; *text; text++)
        n += *text == ',';
    return n;
}

paos_status paosi_snapshot_parse(const char *text, paosi_snapshot **out)
{
    uint64_t least, beyond, last;
    paosi_snapshot *s;
    size_t n;
    size_t i;

    if (!take_number(&text, ":", &least) || *text++ != ':' || !take_number(&text, ":", &beyond) ||
        *text++ != ':' || least == 0 || beyond < least)
        return PAOS_INVALID;
    n = count_running(text);
    s = paosi_malloc(sizeof *s + n * sizeof *s->running);
    if (!s)
        return PAOS_NO_MEMORY;
    s->uses = 1;
    s->least = last = least;
    s->beyond = beyond;
    s->size = n;
    for (i = 0; i < n; i++)
    {
        if (!take_number(&text, i + 1 < n ? "," : "", &s->running[i]) || s->running[i] < last ||
            s->running[i] >= beyond)
        {
            paosi_free(s);
            return PAOS_INVALID;
        }
        last = s->running[i];
        text++;
    }
    *out = s;
    return PAOS_OK;
}

paosi_snapshot *paosi_snapshot_hold(paosi_snapshot *snapshot)
{
    if (snapshot)
        snapshot->uses++;
    return snapshot;
}

void paosi_snapshot_release(paosi_snapshot *snapshot)
{
    if (snapshot && --snapshot->uses == 0)
        paosi_free(snapshot);
}

bool paosi_snapshot_ended(const paosi_snapshot *snapshot, uint64_t xid)
{
    size_t low = 0, high = snapshot->size;

    if (xid < snapshot->least || xid >= snapshot->beyond)
        return xid < snapshot->least;
    while (low < high)
    {
        size_t middle = low + (high - low) / 2;

        if (snapshot->running[middle] == xid)
            return false;
        if (snapshot->running[middle] < xid)
            low = middle + 1;
        else
            high = middle;
    }
    return true;
}

bool paosi_snapshot_settles(const paosi_snapshot *snapshot, const paosi_snapshot *earlier)
{
    size_t i;

    for (i = 0; i < earlier->size; i++)
        if (!paosi_snapshot_ended(snapshot, earlier->running[i]))
            return false;
    return true;
}
