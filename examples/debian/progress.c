/*
 * progress.c - how far something is, on stderr.
 *
 * stdout holds what the program has to say, so the bar never goes there; a file
 * or a pipe gets a line for each quarter instead.
 */
#include "debian.h"

#include <stdio.h>
#include <unistd.h>

#define WIDTH 30

void progress_start(progress *progress, const char *what, size_t total)
{
    progress->what = what;
    progress->total = total;
    progress->shown = 0;
    progress->started = seconds();
}

void progress_show(progress *progress, size_t done)
{
    size_t percent = progress->total ? done * 100 / progress->total : 100;
    double elapsed = seconds() - progress->started;
    double rate = elapsed > 0 ? (double) done / elapsed : 0;
    int filled = (int) (percent * WIDTH / 100);

    if (isatty(STDERR_FILENO))
    {
        fprintf(stderr, "\r%s [%.*s%*s] %zu %%, %.0f objects/s ", progress->what, filled,
                "##############################", WIDTH - filled, "", percent, rate);
        if (done == progress->total)
            fprintf(stderr, "\r\033[K");
        return;
    }
    if (percent / 25 > progress->shown / 25)
        fprintf(stderr, "%s: %zu %%, %.0f objects/s\n", progress->what, percent, rate);
    progress->shown = percent;
}
