/*
 * log.c - what a role says it did, for the checks after the round.
 *
 * A line is one write, so that a role may be killed at any time: what it has
 * said is there, and a line it was writing has no end and is not read.
 */
#include "attack.h"

#include <stdlib.h>

void log_path(char *path, size_t size, int round, const char *name, const char *suffix)
{
    snprintf(path, size, "%s/round-%04d/%s%s", the->directory, round, name, suffix);
}

static void open_file(role_log *log)
{
    char path[700];

    log->round = the->round;
    log_path(path, sizeof(path), log->round, log->seat->name, ".log");
    log->file = fopen(path, "a");
    if (log->file == NULL)
        die("%s: cannot be written", path);
    setvbuf(log->file, NULL, _IOFBF, 65536);
}

void log_open(role_log *log, const seat *s)
{
    log->seat = s;
    open_file(log);
    /* Whoever wrote here before may have been killed within a line. */
    log_line(log, "#");
}

bool log_turn(role_log *log)
{
    if (log->round == the->round)
        return false;
    fclose(log->file);
    open_file(log);
    return true;
}

void log_line(role_log *log, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (format[0] == '#')
        fputc('\n', log->file);
    vfprintf(log->file, format, args);
    fputc('\n', log->file);
    va_end(args);
    fflush(log->file);
}
