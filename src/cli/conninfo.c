/*
 * conninfo.c - the options of the connection as one string for libpq.
 *
 * -d is a database, a URI or keywords, as with psql, and -h, -p and -U come on
 * top of it.  What is in none of them libpq takes from the environment and the
 * service file.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* A value as libpq's keywords take it: in quotes, with backslashes before \ and '. */
static void put_value(FILE *file, const char *keyword, const char *value)
{
    fprintf(file, "%s='", keyword);
    for (; *value; value++)
    {
        if (*value == '\'' || *value == '\\')
            fputc('\\', file);
        fputc(*value, file);
    }
    fputs("' ", file);
}

static const char *given(const options *options, const char *keyword)
{
    if (strcmp(keyword, "host") == 0)
        return options->host;
    if (strcmp(keyword, "port") == 0)
        return options->port;
    if (strcmp(keyword, "user") == 0)
        return options->user;
    return NULL;
}

/* As libpq decides whether dbname is more than a name. */
static bool is_conninfo(const char *dbname)
{
    return strchr(dbname, '=') || strncmp(dbname, "postgresql://", 13) == 0 ||
           strncmp(dbname, "postgres://", 11) == 0;
}

static PQconninfoOption *parse(const char *dbname)
{
    char *message = NULL;
    PQconninfoOption *parsed = PQconninfoParse(dbname, &message);

    if (!parsed)
        failure_show(message ? message : "out of memory", "", "");
    PQfreemem(message);
    return parsed;
}

char *conninfo_make(const options *options)
{
    const char *dbname = options->dbname ? options->dbname : "";
    PQconninfoOption *parsed = parse(is_conninfo(dbname) ? dbname : "");
    char *conninfo = NULL;
    size_t size;
    FILE *file = parsed ? open_memstream(&conninfo, &size) : NULL;

    if (!file)
    {
        PQconninfoFree(parsed);
        return NULL;
    }
    for (PQconninfoOption *option = parsed; option->keyword; option++)
    {
        const char *value = given(options, option->keyword);

        if (!value)
            value = option->val;
        if (value)
            put_value(file, option->keyword, value);
    }
    if (!is_conninfo(dbname) && *dbname)
        put_value(file, "dbname", dbname);
    PQconninfoFree(parsed);
    fclose(file);
    return conninfo;
}
