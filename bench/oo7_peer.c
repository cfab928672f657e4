/*
 * oo7_peer.c - OO7 by an object-relational mapper, as a child process on the same tables:
 * what it answers is checked against the model, operation by operation, in their order.
 *
 * A mapper whose packages are missing says so instead of "ready", and is left out.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENT 16

bool oo7_peer_open(oo7_peer *peer, const char *conninfo, const oo7_graph *graph)
{
    char script[80], start[ARGUMENT], lookups[OO7_LOOKUPS][ARGUMENT], levels[ARGUMENT];
    const char *argv[6 + OO7_LOOKUPS] = {"/usr/bin/python3", script, peer->strategy, levels, start};
    char line[200];

    snprintf(script, sizeof script, "bench/peers/oo7_%s.py", peer->tool);
    snprintf(levels, sizeof levels, "%d", graph->config->levels - 1);
    snprintf(start, sizeof start, "%d", (int) graph->start);
    for (int i = 0; i < OO7_LOOKUPS; i++)
    {
        snprintf(lookups[i], sizeof lookups[i], "%d", (int) graph->lookups[i]);
        argv[5 + i] = lookups[i];
    }
    setenv("PAOS_CONNINFO", conninfo, 1);
    child_start(&peer->child, argv);
    if (!child_hear(&peer->child, line, sizeof line))
        snprintf(line, sizeof line, "python3");
    if (strcmp(line, "ready") == 0)
        return true;
    table_note("OO7 by %s was left out; it needs %s: tools/deps bench", peer->tool, line);
    child_end(&peer->child);
    return false;
}

void oo7_peer_close(oo7_peer *peer)
{
    child_end(&peer->child);
}

static void ask(oo7_peer *peer, const char *question, char *answer, size_t size)
{
    if (!child_say(&peer->child, question) || !child_hear(&peer->child, answer, size))
        die("%s %s: no answer to %s", peer->tool, peer->strategy, question);
}

void oo7_peer_renew(oo7_peer *peer)
{
    char answer[200];

    ask(peer, "renew", answer, sizeof answer);
    if (strcmp(answer, "renewed") != 0)
        die("%s %s: %s", peer->tool, peer->strategy, answer);
}

oo7_work oo7_peer_run(oo7_peer *peer, oo7_operation operation, bool hot, oo_tally expected)
{
    char question[40], answer[200];
    long long count, sum, rows, statements;
    double seconds;

    snprintf(question, sizeof question, "%s %s", oo7_names[operation], hot ? "hot" : "cold");
    ask(peer, question, answer, sizeof answer);
    if (sscanf(answer, "%lld %lld %lf %lld %lld", &count, &sum, &seconds, &rows, &statements) != 5)
        die("%s %s: %s", peer->tool, peer->strategy, answer);
    if (count != expected.count || sum != expected.sum)
        die("OO7 %s by %s %s: %lld (%lld), not %lld (%lld)", oo7_names[operation], peer->tool,
            peer->strategy, count, sum, (long long) expected.count, (long long) expected.sum);
    return (oo7_work){seconds, rows, statements};
}

double oo7_peer_memory(oo7_peer *peer)
{
    char answer[200];

    ask(peer, "memory", answer, sizeof answer);
    return atof(answer);
}
