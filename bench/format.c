/*
 * format.c - figures as text.
 *
 * A ratio is marked ~ when its spread says that another run of the benchmark may well come to
 * one that differs by more than AGREEMENT; run.c then tells why that is so in this case.  One of
 * fewer runs than RUNS_TELLING is marked ?, since no spread says anything of it.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AGREEMENT 0.15
#define RUNS_TELLING 3

static bool wide, few; /* a ratio was marked ~, or ? */

void format_seconds(char *text, size_t size, double seconds)
{
    if (seconds >= 10)
        snprintf(text, size, "%.1f s", seconds);
    else if (seconds >= 1)
        snprintf(text, size, "%.2f s", seconds);
    else if (seconds >= 1e-2)
        snprintf(text, size, "%.1f ms", seconds * 1e3);
    else if (seconds >= 1e-3)
        snprintf(text, size, "%.2f ms", seconds * 1e3);
    else
        snprintf(text, size, "%.1f us", seconds * 1e6);
}

/*
 * The half of the runs that is nearest spans 1.35 standard deviations, a median of n runs has
 * a standard deviation of 1.25 / sqrt(n) of theirs, and a difference of two sqrt(2) of that; 19
 * of 20 are within two of these.
 */
static bool is_wide(ratio ratio)
{
    double difference = 2 * sqrt(2.0) * 1.25 / 1.35 * (ratio.high - ratio.low);

    return difference > AGREEMENT * ratio.middle * sqrt((double) ratio.runs);
}

static const char *mark(ratio ratio)
{
    if (ratio.runs < RUNS_TELLING)
    {
        few = true;
        return " ?";
    }
    if (!is_wide(ratio))
        return "";
    wide = true;
    return " ~";
}

void format_ratio(char *text, size_t size, ratio ratio)
{
    const char *format = "%.2f (%.2f to %.2f)%s";

    if (ratio.middle >= 20)
        format = "%.0f (%.0f to %.0f)%s";
    else if (ratio.middle < 0.1)
        format = "%.4f (%.4f to %.4f)%s";
    snprintf(text, size, format, ratio.middle, ratio.low, ratio.high, mark(ratio));
}

void format_explain_marks(const char *unsteady)
{
    if (wide)
        printf("\n~: by the spread of its runs, another time may come to a ratio that differs by "
               "more than 15 %%%s%s.\n",
               unsteady ? ": " : "", unsteady ? unsteady : "");
    if (few)
        printf("\n?: fewer than %d runs, whose spread does not tell how far another time may "
               "differ.\n",
               RUNS_TELLING);
    wide = few = false;
}
