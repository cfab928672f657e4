/*
 * command.c - the commands of `paos` and what their help says.
 *
 * The first line of a help text is the usage line, which usage errors repeat.
 */
#include "cli.h"

#include <string.h>

#define EXAMPLES "\n\nExamples:\n"

static const command commands[] = {
    {"watch", 1, -1, watch_run,
     "paos watch CLASS [QUERY [ARGUMENT]...] [--json] [--count N | --once]\n"
     "\n"
     "Shows the present answer of a query, then each commit that changes it: who\n"
     "committed, and which objects entered (+), changed (~) and left (-) the answer.\n"
     "Ends with Ctrl-C, or after N events with --count; --once is --count 1." EXAMPLES
     "  paos watch person 'age > 30'\n"
     "  paos watch person 'name == $1' Sue --json | jq -c .enter\n"
     "  paos watch person --once >/dev/null && echo 'somebody changed'\n"},
    {"get", 1, -1, get_run,
     "paos get CLASS [QUERY [ARGUMENT]...] [--json]\n"
     "\n"
     "Shows the objects that satisfy a query, or all. Arguments are the query's $1, $2, "
     "..." EXAMPLES "  paos get person\n"
     "  paos get person 'loves.name == \"Sue\" and age > 30'\n"
     "  paos get person 'age < $1' -- -1\n"
     "  paos get person 'name like $1' 'S%' --json | jq .values.age\n"},
    {"classes", 0, 1, classes_run,
     "paos classes [CLASS] [--json]\n"
     "\n"
     "Lists the classes of the database, or the attributes of one." EXAMPLES "  paos classes\n"
     "  paos classes person\n"},
    {"requests", 0, 0, requests_run,
     "paos requests [--json]\n"
     "\n"
     "Lists the requests of the roles that you are a member of." EXAMPLES "  paos requests\n"
     "  paos requests --json | jq 'select(.class == \"person\")'\n"},
    {"explain", 2, 3, explain_run,
     "paos explain CLASS QUERY [REF] [--json]\n"
     "\n"
     "Tells how a request would be filed and what finding it costs; with an object,\n"
     "whether it matches and why." EXAMPLES "  paos explain person 'age > 30'\n"
     "  paos explain person 'age > 30 and name == \"Sue\"' person:2\n"},
    {"doctor", 0, 0, doctor_run,
     "paos doctor [--json]\n"
     "\n"
     "Checks how paos is set up in the database. The exit status is 1 when something\n"
     "is wrong." EXAMPLES "  paos doctor\n"
     "  paos doctor --json | jq 'select(.status != \"ok\")'\n"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const char introduction[] =
    "paos: live objects on PostgreSQL\n"
    "\n"
    "Usage: paos [OPTION]... COMMAND [ARGUMENT]...\n"
    "\n"
    "Commands:\n"
    "  watch CLASS [QUERY]        show an answer, then each commit that changes it\n"
    "  get CLASS [QUERY]          show the objects that satisfy a query\n"
    "  classes [CLASS]            list the classes, or the attributes of one\n"
    "  requests                   list the requests\n"
    "  explain CLASS QUERY [REF]  tell how a request would be filed, why an object matches\n"
    "  doctor                     check how paos is set up\n"
    "\n"
    "'paos COMMAND --help' shows more of one, with examples.\n";

static const char common[] =
    "\n"
    "Options:\n"
    "  -d, --dbname=NAME      database, or a connection string or URI\n"
    "  -h, --host=HOST        server, or the directory of its socket\n"
    "  -p, --port=PORT        its port\n"
    "  -U, --username=ROLE    role to connect as\n"
    "      --json             one JSON object a line, for programs\n"
    "      --color=WHEN       auto (on a terminal, unless NO_COLOR is set), always or never\n"
    "  -?, --help             this help\n"
    "  -V, --version          the version\n"
    "\n"
    "What is not given is taken from PGHOST, PGDATABASE, PGSERVICE and so on, as psql does.\n"
    "Arguments that begin with a minus sign come after '--'. The exit status is 0 when it\n"
    "worked, 1 when it failed and 2 when the command line is wrong.\n";

const command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const command *command_near(const char *name)
{
    const command *best = NULL;
    int least = NEAR_FAR;

    for (size_t i = 0; i < COMMANDS; i++)
    {
        int distance = near_distance(name, commands[i].name);

        if (distance < least)
        {
            least = distance;
            best = &commands[i];
        }
    }
    return best;
}

void command_help(const command *command, FILE *file)
{
    if (command)
        fprintf(file, "Usage: %s", command->help);
    else
        fputs(introduction, file);
    fputs(common, file);
}
