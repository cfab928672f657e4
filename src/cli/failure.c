/*
 * failure.c - what is said on stderr when something fails.
 *
 * Messages hold what users and the server wrote, so all of it goes through
 * text_put.
 */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

static void put_line(const char *before, const char *format, va_list args)
{
    char *line = NULL;

    if (vasprintf(&line, format, args) < 0)
        return;
    fputs(before, stderr);
    text_put(stderr, line);
    fputc('\n', stderr);
    free(line);
}

void failure_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_line("paos: ", format, args);
    va_end(args);
}

void failure_hint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_line("HINT:  ", format, args);
    va_end(args);
}

void failure_usage(const command *command, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_line("paos: ", format, args);
    va_end(args);
    if (command)
        fprintf(stderr, "Usage: %.*s\n", (int) strcspn(command->help, "\n"), command->help);
    fprintf(stderr, "'paos %s%s--help' shows more.\n", command ? command->name : "",
            command ? " " : "");
}

/* The server's texts may have lines of their own. */
static void put_text(const char *before, const char *text)
{
    while (text && *text)
    {
        size_t indent = strspn(text, "\t");
        size_t size = strcspn(text, "\n");
        char *line = indent < size ? strndup(text + indent, size - indent) : NULL;

        if (line)
        {
            fputs(before, stderr);
            text_put(stderr, line);
            fputc('\n', stderr);
            before = "    ";
        }
        free(line);
        text += size + (text[size] == '\n');
    }
}

void failure_show(const char *message, const char *detail, const char *hint)
{
    put_text("paos: ", message);
    put_text("DETAIL:  ", detail);
    put_text("HINT:  ", hint);
}

/* The width of the query before its character `position`, counted from 1. */
static int width_before(const char *query, int position)
{
    size_t size = 0;
    char *before;
    int width;

    while (--position > 0 && query[size])
        size += (size_t) PQmblenBounded(query + size, pg_char_to_encoding("UTF8"));
    before = strndup(query, size);
    width = before ? text_width(before) : 0;
    free(before);
    return width;
}

void failure_query(const char *message, const char *query, int position, const char *detail,
                   const char *hint)
{
    put_text("paos: ", message);
    if (position > 0)
    {
        fputs("    ", stderr);
        text_put(stderr, query);
        fprintf(stderr, "\n    %*s^\n", width_before(query, position), "");
    }
    put_text("DETAIL:  ", detail);
    put_text("HINT:  ", hint);
}
