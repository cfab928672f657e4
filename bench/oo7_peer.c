/*
 * oo7_peer.c - OO7 by other tools, as child processes on the same tables: what they
 * print is checked against the model, operation by operation, in their order.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static oo7_operation find_operation(const char *name)
{
    for (int i = 0; i < OO7_OPERATION_COUNT; i++)
        if (strcmp(name, oo7_names[i]) == 0)
            return (oo7_operation) i;
    die("no operation %s", name);
}

static void take_line(const char *peer, oo7_graph *graph, const char *line, oo7_peer *out)
{
    char name[16], how[16];
    long long count, sum;
    double seconds;
    oo7_operation operation;
    oo_tally expected;

    if (sscanf(line, "%15s %15s %lld %lld %lf", name, how, &count, &sum, &seconds) != 5)
        die("%s: %s", peer, line);
    operation = find_operation(name);
    expected = oo7_model_run(graph, operation);
    if (count != expected.count || sum != expected.sum)
        die("OO7 %s %s by %s: %lld (%lld), not %lld (%lld)", graph->config->name, name, peer, count,
            sum, (long long) expected.count, (long long) expected.sum);
    /* Of several hot runs the last counts. */
    if (strcmp(how, "hot") == 0)
        out->hot[operation] = seconds;
    else
        out->cold[operation] = seconds;
}

bool oo7_peer_run(const char *conninfo, oo7_graph *graph, const char *peer, oo7_peer *out)
{
    char command[512], line[256];
    int size;
    FILE *pipe;

    memset(out, 0, sizeof *out);
    setenv("PAOS_CONNINFO", conninfo, 1);
    size = snprintf(command, sizeof command, "%s %d", peer, (int) graph->start);
    for (int i = 0; i < OO7_LOOKUPS; i++)
        size += snprintf(command + size, sizeof command - (size_t) size, " %d",
                         (int) graph->lookups[i]);
    pipe = popen(command, "r");
    if (!pipe)
        die("%s cannot be started", peer);
    while (fgets(line, sizeof line, pipe))
        take_line(peer, graph, line, out);
    return pclose(pipe) == 0;
}
