/*
 * main.c - the command `paos`.
 *
 * SIGPIPE is ignored, so that a reader of stdout who has seen enough
 * (`paos get … | head`) ends the command in the ordinary way, the connection to
 * the server included.
 */
#include "cli.h"

#include <signal.h>

int main(int argc, char **argv)
{
    options options = {0};
    int status = STATUS_DONE;

    signal(SIGPIPE, SIG_IGN);
    if (options_parse(&options, argc, argv, &status))
        status = options.command->run(&options);
    return output_end(status);
}
