/*
 * target.c - what was aimed at beside what was measured, for the whole run.
 *
 * It is read from the cells of the table, so that there is one place where a figure comes from.
 * A miss is told and ends nothing: times are no test.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGETS_MAX 80

typedef struct row
{
    char what[80], measured[64], target[24];
    bool met;
} row;

static row rows[TARGETS_MAX];
static size_t rows_size;

/* Where the first number is; NULL: nowhere. */
static const char *find_number(const char *text)
{
    text += strcspn(text, "0123456789");
    return *text ? text : NULL;
}

/* Targets are "<= 1.5", ">= 2 M/s", "0.9 to 1.1" or "<= row + 120". */
static bool is_met(const char *target, const char *measured)
{
    const char *limit = find_number(target), *found = find_number(measured);
    char *rest;
    double value, first;

    if (!limit || !found)
        die("\"%s\" is nothing to aim at, or \"%s\" no figure", target, measured);
    value = strtod(found, NULL);
    first = strtod(limit, &rest);
    if (strncmp(rest, " to ", 4) == 0)
        return value >= first && value <= strtod(rest + 4, NULL);
    return target[0] == '>' ? value >= first : value <= first;
}

/* A target with a unit is one for the figure itself. */
static bool is_about_ratio(const char *target, const char *paos, const char *result)
{
    const char *unit = find_number(target);

    unit += unit ? strspn(unit, "0123456789.") : 0;
    return result[0] && !(unit && *unit && strstr(paos, unit));
}

void target_add(const char *what, const char *target, const char *paos, const char *result)
{
    row *row = &rows[rows_size];

    if (rows_size == TARGETS_MAX)
        die("too many targets");
    rows_size++;
    snprintf(row->what, sizeof row->what, "%s", what);
    snprintf(row->target, sizeof row->target, "%s", target);
    snprintf(row->measured, sizeof row->measured, "%s",
             is_about_ratio(target, paos, result) ? result : paos);
    row->met = is_met(target, row->measured);
}

void targets_end(void)
{
    if (rows_size == 0)
        return;
    printf("\n## Targets\n\n"
           "| %-52s | %-28s | %-12s | %-3s |\n"
           "|------------------------------------------------------|------------------------------|"
           "--------------|-----|\n",
           "what", "measured", "target", "met");
    for (size_t i = 0; i < rows_size; i++)
        printf("| %-52s | %-28s | %-12s | %-3s |\n", rows[i].what, rows[i].measured, rows[i].target,
               rows[i].met ? "yes" : "no");
    rows_size = 0;
}
