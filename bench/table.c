/*
 * table.c - the results of a case: a Markdown table on stdout, which is also easy to read
 * as it is.  Notes come below it.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>

#define NOTES_MAX 64
#define LINE "------------------------------------------------------------"

static char notes[NOTES_MAX][300];
static size_t notes_size;

static void print_row(const char *what, const char *paos, const char *hand, const char *result,
                      const char *target)
{
    printf("| %-52s | %-10s | %-18s | %-28s | %-12s |\n", what, paos, hand, result, target);
    fflush(stdout);
}

void table_begin(const char *name, const char *what)
{
    printf("\n## %s: %s\n\n", name, what);
    print_row("what", "paos", "by hand", "ratio (half of the runs)", "target");
    printf("|%.54s|%.12s|%.20s|%.30s|%.14s|\n", LINE, LINE, LINE, LINE, LINE);
}

void table_compare(const bench *bench, const char *what, const variant *paos, const variant *hand,
                   const char *target)
{
    ratio ratio = ratio_of(bench, paos->times, hand->times);
    char left[32], right[64], result[64];

    format_seconds(left, sizeof left, median(paos->times, bench->runs));
    format_seconds(right, sizeof right, median(hand->times, bench->runs));
    format_ratio(result, sizeof result, ratio);
    table_row(what, left, right, result, target ? target : "");
}

void table_row(const char *what, const char *paos, const char *hand, const char *result,
               const char *target)
{
    print_row(what, paos, hand, result, target);
    if (target[0])
        target_add(what, target, paos, result);
}

void table_note(const char *format, ...)
{
    va_list args;

    if (notes_size == NOTES_MAX)
        return;
    va_start(args, format);
    vsnprintf(notes[notes_size++], sizeof notes[0], format, args);
    va_end(args);
}

void table_end(const char *unsteady)
{
    format_explain_marks(unsteady);
    for (size_t i = 0; i < notes_size; i++)
        printf("%s- %s\n", i ? "" : "\n", notes[i]);
    notes_size = 0;
}
