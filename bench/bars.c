/*
 * bars.c - pictures of figures side by side, in groups: a bar is as long as the logarithm of
 * its figure, which stands beside it.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BARS_MAX 120
#define WIDTH 760.0
#define LEFT 230.0
#define RIGHT 90.0
#define TOP 40.0
#define BAR 15.0

typedef struct bar
{
    char group[24], name[48];
    double value;
} bar;

typedef struct picture
{
    const char *file, *title, *unit;
    bar bars[BARS_MAX];
    int n;
    bool written;
} picture;

static picture pictures[] = {
    [BARS_OO7] = {.file = "oo7.svg", .title = "OO7 small: milliseconds, logarithmic", .unit = "ms"},
    [BARS_MEMORY] = {.file = "memory.svg",
                     .title = "memory of an atomic part of OO7: bytes, logarithmic",
                     .unit = "bytes"},
};
#define PICTURES (sizeof pictures / sizeof *pictures)

void bars_add(bars bars, const char *group, const char *name, double value)
{
    picture *picture = &pictures[bars];
    bar *bar = &picture->bars[picture->n];

    /* Too little to be measured. */
    if (value <= 0)
        return;
    if (picture->n == BARS_MAX)
        die("too many bars in %s", picture->file);
    picture->n++;
    snprintf(bar->group, sizeof bar->group, "%s", group);
    snprintf(bar->name, sizeof bar->name, "%s", name);
    bar->value = value;
}

/* The powers of ten around all figures. */
static void find_range(const picture *picture, double *low, double *high)
{
    *low = 1e300;
    *high = 0;
    for (int i = 0; i < picture->n; i++)
    {
        *low = fmin(*low, picture->bars[i].value);
        *high = fmax(*high, picture->bars[i].value);
    }
    *low = pow(10, floor(log10(*low) - 0.01));
    *high = pow(10, ceil(log10(*high)));
}

static bool begins_group(const picture *picture, int i)
{
    return i == 0 || strcmp(picture->bars[i].group, picture->bars[i - 1].group) != 0;
}

static int decimals(double value)
{
    return value >= 10 ? 0 : value >= 0.1 ? 1 : 4;
}

static void draw_bar(FILE *file, const picture *picture, const bar *bar, double y, double length)
{
    bool ours = strncmp(bar->name, "paos", 4) == 0;

    fprintf(file,
            "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>"
            "<rect x=\"%.0f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" fill=\"%s\"/>"
            "<text x=\"%.1f\" y=\"%.1f\">%.*f %s</text>\n",
            LEFT - 8, y + BAR - 4, bar->name, LEFT, y + 1, length, BAR - 3,
            plot_colours[ours ? 0 : 2], LEFT + length + 6, y + BAR - 4, decimals(bar->value),
            bar->value, picture->unit);
}

static void write_picture(const char *directory, picture *picture)
{
    FILE *file = plot_open(directory, picture->file, picture->title);
    double low, high, y = TOP;
    int groups = 0;

    for (int i = 0; i < picture->n; i++)
        groups += begins_group(picture, i);
    find_range(picture, &low, &high);
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\""
            " font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"16\" y=\"24\" font-size=\"14\">%s</text>\n",
            WIDTH, TOP + picture->n * BAR + groups * BAR + 8, picture->title);
    for (int i = 0; i < picture->n; i++)
    {
        const bar *bar = &picture->bars[i];

        if (begins_group(picture, i))
        {
            y += i > 0 ? BAR : 0;
            fprintf(file, "<text x=\"16\" y=\"%.1f\" font-weight=\"bold\">%s</text>\n", y + BAR - 4,
                    bar->group);
        }
        draw_bar(file, picture, bar, y,
                 (WIDTH - LEFT - RIGHT) * log10(bar->value / low) / log10(high / low));
        y += BAR;
    }
    plot_close(file);
    picture->written = true;
}

void bars_write(const char *directory)
{
    for (size_t i = 0; i < PICTURES; i++)
        if (pictures[i].n > 0 && !pictures[i].written)
            write_picture(directory, &pictures[i]);
}
