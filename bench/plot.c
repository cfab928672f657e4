/*
 * plot.c - curves of what depends on something, as SVG that needs nothing but itself.
 *
 * x is logarithmic. Points are added in its order, but for latencies: those are samples, and
 * drawn as the part of all that came sooner. bars.c draws what is no curve.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURVES_MAX 8
#define WIDTH 640.0
#define HEIGHT 360.0
#define MARGIN 56.0
#define LEGEND 150.0
#define TOP 1.2 /* of y */

typedef struct curve
{
    const char *name;
    double *x, *y;
    size_t n, size;
} curve;

typedef struct picture
{
    const char *file, *title, *x_name;
    bool samples, written;
    curve curves[CURVES_MAX];
} picture;

static picture pictures[] = {
    [PLOT_REQUESTS] = {.file = "requests.svg",
                       .title = "commits/s with requests that do not match, without = 1",
                       .x_name = "requests registered"},
    [PLOT_LISTENERS] = {.file = "listeners.svg",
                        .title = "commits/s, each told to one session, without = 1",
                        .x_name = "sessions that listen"},
    [PLOT_LATENCY] = {.file = "latency.svg",
                      .title = "part of the commits that are told of after so long",
                      .x_name = "microseconds from COMMIT",
                      .samples = true},
    [PLOT_LIVE] = {.file = "live.svg",
                   .title =
                       "part of the changes that are told of after so long, by other tools too",
                   .x_name = "microseconds from the change",
                   .samples = true},
};
#define PICTURES (sizeof pictures / sizeof *pictures)

const char *const plot_colours[PLOT_COLOURS] = {"#0b6e99", "#d9730d", "#6b6b6b", "#0f7b6c",
                                                "#ad1a72", "#b08800", "#6940a5", "#c4320a"};

static curve *find_curve(picture *picture, const char *name)
{
    for (int i = 0; i < CURVES_MAX; i++)
    {
        curve *curve = &picture->curves[i];

        if (!curve->name)
            curve->name = name;
        if (strcmp(curve->name, name) == 0)
            return curve;
    }
    die("too many curves for %s", name);
}

void plot_add(plot plot, const char *name, double x, double y)
{
    curve *curve = find_curve(&pictures[plot], name);

    if (curve->n == curve->size)
    {
        curve->size = curve->size * 2 + 16;
        curve->x = realloc(curve->x, curve->size * sizeof *curve->x);
        curve->y = realloc(curve->y, curve->size * sizeof *curve->y);
        if (!curve->x || !curve->y)
            die("out of memory");
    }
    curve->x[curve->n] = x;
    curve->y[curve->n++] = y;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;

    return (left > right) - (left < right);
}

/* Samples become the part of all that were not above each. */
static void add_up(curve *curve)
{
    qsort(curve->x, curve->n, sizeof *curve->x, compare_doubles);
    for (size_t i = 0; i < curve->n; i++)
        curve->y[i] = (double) (i + 1) / (double) curve->n;
}

typedef struct range
{
    double low, high; /* powers of ten */
} range;

static range range_of(const picture *picture)
{
    range range = {1e300, 0};

    for (int i = 0; i < CURVES_MAX; i++)
        for (size_t j = 0; j < picture->curves[i].n; j++)
        {
            range.low = fmin(range.low, picture->curves[i].x[j]);
            range.high = fmax(range.high, picture->curves[i].x[j]);
        }
    range.low = pow(10, floor(log10(range.low)));
    range.high = pow(10, ceil(log10(range.high)));
    if (range.high <= range.low)
        range.high = range.low * 10;
    return range;
}

static double place_x(range range, double x)
{
    return MARGIN +
           (WIDTH - 2 * MARGIN - LEGEND) * log10(x / range.low) / log10(range.high / range.low);
}

static double place_y(double y)
{
    return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * fmin(y, TOP) / TOP;
}

static void draw_axes(FILE *file, const picture *picture, range range)
{
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\""
            " font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"%.0f\" y=\"24\" font-size=\"14\">%s</text>\n"
            "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%s</text>\n",
            WIDTH, HEIGHT, MARGIN, picture->title, (WIDTH - LEGEND) / 2, HEIGHT - 14,
            picture->x_name);
    for (double x = range.low; x <= range.high * 1.001; x *= 10)
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.0f</text>\n",
                place_x(range, x), HEIGHT - MARGIN + 16, x);
    for (int i = 0; i <= 6; i++)
        fprintf(file,
                "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/>"
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n",
                MARGIN, place_y(i * 0.2), WIDTH - MARGIN - LEGEND, MARGIN - 6, place_y(i * 0.2) + 4,
                i * 0.2);
}

static void draw_curve(FILE *file, const curve *curve, range range, int number)
{
    size_t step = curve->n / 400 + 1;

    fprintf(file, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"",
            plot_colours[number]);
    for (size_t i = 0; i < curve->n; i += step)
        fprintf(file, "%.1f,%.1f ", place_x(range, curve->x[i]), place_y(curve->y[i]));
    fprintf(file, "\"/>\n");
    /* A line of one point cannot be seen. */
    for (size_t i = 0; curve->n <= 10 && i < curve->n; i++)
        fprintf(file, "<circle r=\"3\" cx=\"%.1f\" cy=\"%.1f\" fill=\"%s\"/>\n",
                place_x(range, curve->x[i]), place_y(curve->y[i]), plot_colours[number]);
    fprintf(file, "<text x=\"%.0f\" y=\"%.0f\" fill=\"%s\">%s</text>\n",
            WIDTH - MARGIN - LEGEND + 12, MARGIN + 12 + number * 18, plot_colours[number],
            curve->name);
}

FILE *plot_open(const char *directory, const char *name, const char *title)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    if (!file)
        die("cannot write %s", path);
    printf("\n![%s](plots/%s)\n", title, name);
    return file;
}

void plot_close(FILE *file)
{
    fprintf(file, "</svg>\n");
    if (fclose(file) != 0)
        die("cannot write a picture");
}

static void write_picture(const char *directory, picture *picture)
{
    FILE *file = plot_open(directory, picture->file, picture->title);
    range range = range_of(picture);

    draw_axes(file, picture, range);
    for (int i = 0; i < CURVES_MAX && picture->curves[i].n > 0; i++)
    {
        if (picture->samples)
            add_up(&picture->curves[i]);
        draw_curve(file, &picture->curves[i], range, i);
    }
    plot_close(file);
    picture->written = true;
}

void plot_write(const char *directory)
{
    for (size_t i = 0; i < PICTURES; i++)
        if (pictures[i].curves[0].n > 0 && !pictures[i].written)
            write_picture(directory, &pictures[i]);
    bars_write(directory);
}
