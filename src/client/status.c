/*
 * status.c - the statuses as words.
 *
 * The one table is PAOS_STATUSES in paos.h; nothing is written down twice here.
 */
#include "paos_int.h"

static const char *const names[] = {
#define NAME(name, text) #name,
    PAOS_STATUSES(NAME)
#undef NAME
};

static const char *const texts[] = {
#define TEXT(name, text) text,
    PAOS_STATUSES(TEXT)
#undef TEXT
};

#define COUNT (sizeof names / sizeof names[0])

const char *paos_status_name(paos_status status)
{
    return (size_t) status < COUNT ? names[status] : "unknown status";
}

const char *paos_status_text(paos_status status)
{
    return (size_t) status < COUNT ? texts[status] : "unknown status";
}
