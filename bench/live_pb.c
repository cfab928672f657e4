/*
 * live_pb.c - who is told of a change by Twisted's Perspective Broker: three processes, a
 * server, a writer and an observer that has a copy of the server's table.
 */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE 200 /* changes; the tool cannot be told for how long */

enum
{
    SERVER,
    OBSERVER,
    WRITER,
    ROLES
};

typedef struct broker
{
    child children[ROLES];
    char directory[40];
    size_t id; /* of the last change */
} broker;

static void ask(broker *b, int role, const char *question, char *answer, size_t size)
{
    if (!child_say(&b->children[role], question) || !child_hear(&b->children[role], answer, size))
        die("the Perspective Broker did not answer \"%s\"", question);
    if (strchr(answer, ' '))
        die("the Perspective Broker: %s", answer);
}

static void close_broker(void *state)
{
    broker *b = state;
    char path[80];

    for (int role = ROLES - 1; role >= 0; role--)
        child_end(&b->children[role]);
    snprintf(path, sizeof path, "%s/socket", b->directory);
    unlink(path);
    rmdir(b->directory);
    free(b);
}

static void *open_broker(const bench *bench, const live_peer *peer, bool many)
{
    static const char *const roles[] = {"server", "observer", "writer"};
    broker *b = calloc(1, sizeof *b);
    char path[80], line[200];

    (void) bench;
    (void) many;
    if (!b)
        die("out of memory");
    strcpy(b->directory, "/tmp/paos-bench-XXXXXX");
    if (!mkdtemp(b->directory))
        die("no directory for the Perspective Broker");
    snprintf(path, sizeof path, "%s/socket", b->directory);
    for (int role = 0; role < ROLES; role++)
    {
        const char *const argv[] = {"/usr/bin/python3", "bench/peers/live_pb.py", roles[role], path,
                                    NULL};

        child_start(&b->children[role], argv);
        if (!child_hear(&b->children[role], line, sizeof line))
            snprintf(line, sizeof line, "python3");
        if (strcmp(line, "ready") == 0)
            continue;
        table_note("%s was left out; it needs %s: tools/deps bench", peer->name, line);
        close_broker(b);
        return NULL;
    }
    return b;
}

static double change_one(void *state)
{
    broker *b = state;
    char question[60], started[80], told[80];

    snprintf(question, sizeof question, "change %zu", ++b->id);
    ask(b, WRITER, question, started, sizeof started);
    snprintf(question, sizeof question, "when %zu", b->id);
    ask(b, OBSERVER, question, told, sizeof told);
    return (strtod(told, NULL) - strtod(started, NULL)) / 1e9;
}

static live_burst change_many(void *state, double seconds)
{
    broker *b = state;
    char question[60], answer[80];
    double started = now();

    (void) seconds;
    snprintf(question, sizeof question, "many %zu %d", b->id + 1, SLICE);
    ask(b, WRITER, question, answer, sizeof answer);
    snprintf(question, sizeof question, "expect %zu %d", b->id + 1, SLICE);
    ask(b, OBSERVER, question, answer, sizeof answer);
    b->id += SLICE;
    return (live_burst){now() - started, SLICE};
}

const live_peer live_pb = {.name = "Perspective Broker",
                           .means = "Twisted's Cacheable, Python",
                           .open = open_broker,
                           .one = change_one,
                           .many = change_many,
                           .close = close_broker};
