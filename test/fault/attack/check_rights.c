/*
 * check_rights.c - one holder at a time.
 *
 * By what the holders could prove, on one clock for all.  A poacher's write is
 * an instant somewhere between two readings of it, and forbidden when all of
 * that lies in the time of a holder.
 */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

typedef struct interval
{
    const seat *seat;
    int tool;
    bool poached;
    int64_t begin, end; /* of a poacher's statement, or of a proven hold */
} interval;

static interval *intervals;
static int n, size;

static interval *add(const seat *s, int tool, int64_t begin, int64_t end, bool poached)
{
    if (n == size)
    {
        size = size == 0 ? 1024 : size * 2;
        intervals = realloc(intervals, size * sizeof(interval));
        if (intervals == NULL)
            die("no memory");
    }
    intervals[n] = (interval){s, tool, poached, begin, end};
    return &intervals[n++];
}

static void read_holder(const seat *s, FILE *file)
{
    char line[512];
    int last = -1;

    while (fgets(line, sizeof(line), file) != NULL)
    {
        long long begin, end;
        int tool;

        if (strchr(line, '\n') == NULL)
            continue;
        if (sscanf(line, "B %d %lld", &tool, &begin) == 2)
        {
            add(s, tool, begin, begin, false);
            last = n - 1;
        }
        else if (sscanf(line, "P %d %lld", &tool, &end) == 2 && last >= 0)
            intervals[last].end = end;
        else if (sscanf(line, "W %d %lld %lld", &tool, &begin, &end) == 3)
            add(s, tool, begin, end, true);
        else if (line[0] == '!')
            violation("%s: %s", s->name, line + 2);
    }
}

static int by_begin(const void *a, const void *b)
{
    const interval *left = a;
    const interval *right = b;

    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* The intervals are in the order of their beginnings. */
static void check_tool(int tool)
{
    const interval *hold = NULL; /* that lasts longest, of those begun */

    for (int i = 0; i < n; i++)
    {
        const interval *next = &intervals[i];

        if (next->tool != tool)
            continue;
        if (hold != NULL && next->poached && next->end < hold->end)
            violation("%s wrote tool %d between %lld and %lld ns, while %s held it",
                      next->seat->name, tool, (long long) next->begin, (long long) next->end,
                      hold->seat->name);
        /* That it was given proves nothing when its session may have ended before it was read. */
        if (next->poached || next->end == next->begin)
            continue;
        if (hold != NULL && next->begin < hold->end)
            violation("%s and %s both held tool %d between %lld and %lld ns", hold->seat->name,
                      next->seat->name, tool, (long long) next->begin, (long long) hold->end);
        if (hold == NULL || next->end > hold->end)
            hold = next;
    }
}

void check_rights(int round)
{
    n = 0;
    for (int i = 0; i < the->nseats; i++)
    {
        char path[700];
        FILE *file;

        log_path(path, sizeof(path), round, the->seats[i].name, ".log");
        if (the->seats[i].kind != ROLE_HOLDER || (file = fopen(path, "r")) == NULL)
            continue;
        read_holder(&the->seats[i], file);
        fclose(file);
    }
    qsort(intervals, n, sizeof(interval), by_begin);
    for (int tool = 1; tool <= TOOLS; tool++)
        check_tool(tool);
}
