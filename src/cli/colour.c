/*
 * colour.c - whether stdout is coloured, and how.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const char *const codes[] = {
    [COLOUR_TITLE] = "\033[1m",  [COLOUR_ENTER] = "\033[32m", [COLOUR_CHANGE] = "\033[33m",
    [COLOUR_LEAVE] = "\033[31m", [COLOUR_QUIET] = "\033[2m",
};

static const char *chosen = "auto";

bool colour_choose(const char *when)
{
    if (strcmp(when, "auto") != 0 && strcmp(when, "always") != 0 && strcmp(when, "never") != 0)
        return false;
    chosen = when;
    return true;
}

static bool coloured(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (strcmp(chosen, "auto") != 0)
        return strcmp(chosen, "always") == 0;
    return output_is_terminal() && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

const char *colour_on(colour colour)
{
    return coloured() ? codes[colour] : "";
}

const char *colour_off(void)
{
    return coloured() ? "\033[0m" : "";
}
