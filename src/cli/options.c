/*
 * options.c - the command line.
 *
 * Options may stand anywhere, as GNU getopt has it.  -h is the host, as with
 * psql, so that help is only -? and --help.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum
{
    OPTION_HELP = 256,
    OPTION_JSON,
    OPTION_COLOUR,
    OPTION_ONCE,
    OPTION_COUNT
};

static const struct option known[] = {
    {"dbname", required_argument, NULL, 'd'},
    {"host", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"username", required_argument, NULL, 'U'},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, 'V'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"color", required_argument, NULL, OPTION_COLOUR},
    {"colour", required_argument, NULL, OPTION_COLOUR},
    {"once", no_argument, NULL, OPTION_ONCE},
    {"count", required_argument, NULL, OPTION_COUNT},
    {NULL, 0, NULL, 0},
};

/* What was asked for instead of a command, or is wrong. */
typedef struct reading
{
    options *options;
    bool help, version, wrong;
} reading;

static void read_count(reading *reading, const char *text)
{
    char *end;

    errno = 0;
    reading->options->count = strtol(text, &end, 10);
    if (errno == 0 && *end == '\0' && end != text && reading->options->count > 0)
        return;
    failure_usage(NULL, "--count takes a number from 1 on, not \"%s\"", text);
    reading->wrong = true;
}

static void read_colour(reading *reading, const char *when)
{
    if (colour_choose(when))
        return;
    failure_usage(NULL, "--color takes auto, always or never, not \"%s\"", when);
    reading->wrong = true;
}

/* getopt answers '?' for -? and for what it does not know. */
static void refuse(reading *reading, const char *given)
{
    if (strcmp(given, "-?") == 0)
    {
        reading->help = true;
        return;
    }
    reading->wrong = true;
    if (optopt >= OPTION_HELP)
        failure_usage(NULL, "option \"%s\" takes no value", given);
    else if (optopt > 0)
        failure_usage(NULL, "unknown option -%c; arguments that begin with - come after --",
                      optopt);
    else
        failure_usage(NULL, "unknown option \"%s\"", given);
}

static void read_option(reading *reading, int option, const char *given)
{
    options *options = reading->options;

    switch (option)
    {
        case 'd':
            options->dbname = optarg;
            break;
        case 'h':
            options->host = optarg;
            break;
        case 'p':
            options->port = optarg;
            break;
        case 'U':
            options->user = optarg;
            break;
        case 'V':
            reading->version = true;
            break;
        case OPTION_HELP:
            reading->help = true;
            break;
        case OPTION_JSON:
            options->json = true;
            break;
        case OPTION_COLOUR:
            read_colour(reading, optarg);
            break;
        case OPTION_ONCE:
            options->count = 1;
            break;
        case OPTION_COUNT:
            read_count(reading, optarg);
            break;
        case ':':
            reading->wrong = true;
            failure_usage(NULL, "option %s needs a value", given);
            break;
        default:
            refuse(reading, given);
    }
}

static void find_command(reading *reading, const char *name)
{
    const command *near;

    reading->options->command = command_find(name);
    if (reading->options->command)
        return;
    reading->wrong = true;
    near = command_near(name);
    if (near)
        failure_usage(NULL, "there is no command \"%s\"; perhaps you meant \"%s\"", name,
                      near->name);
    else
        failure_usage(NULL, "there is no command \"%s\"", name);
}

/* The first word that is no option is the command; "help" may stand before it. */
static void read_command(reading *reading, int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "help") == 0)
    {
        reading->help = true;
        argc--;
        argv++;
    }
    if (argc > 0)
        find_command(reading, argv[0]);
    else if (!reading->help && !reading->version)
    {
        reading->wrong = true;
        failure_usage(NULL, "no command given: watch, get, classes, requests, explain or doctor");
    }
    reading->options->args = argv + 1;
    reading->options->nargs = argc - 1;
}

static bool fits(const options *options)
{
    const command *command = options->command;

    if (options->count > 0 && command->run != watch_run)
        failure_usage(command, "--count and --once are options of watch");
    else if (options->nargs < command->least)
        failure_usage(command, "%s needs %d more argument%s", command->name,
                      command->least - options->nargs,
                      command->least - options->nargs == 1 ? "" : "s");
    else if (command->most >= 0 && options->nargs > command->most)
        failure_usage(command, "%s takes no argument \"%s\"; a query is one argument: quote it",
                      command->name, options->args[command->most]);
    else
        return true;
    return false;
}

bool options_parse(options *options, int argc, char **argv, int *status)
{
    reading reading = {.options = options};

    opterr = 0;
    while (!reading.wrong)
    {
        int option = getopt_long(argc, argv, ":d:h:p:U:V?", known, NULL);

        if (option == -1)
            break;
        read_option(&reading, option, argv[optind - 1]);
    }
    if (!reading.wrong)
        read_command(&reading, argc - optind, argv + optind);
    *status = reading.wrong ? STATUS_USAGE : STATUS_DONE;
    if (reading.wrong)
        return false;
    if (reading.help)
        command_help(options->command, stdout);
    else if (reading.version)
        printf("paos %s\n", PAOS_VERSION);
    else if (fits(options))
        return true;
    else
        *status = STATUS_USAGE;
    return false;
}
