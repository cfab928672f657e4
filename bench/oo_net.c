/*
 * oo_net.c - a network between the benchmark and its server: tools/proxy.c as a child
 * process.  It adds a delay each way, and tells bytes and round trips whoever asks.
 */
#include "bench.h"
#include "oo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hear(oo_net *net, char *answer, size_t size)
{
    if (!child_hear(&net->proxy, answer, size))
        die("the proxy has ended: make build/proxy");
}

void oo_net_say(oo_net *net, const char *command, oo_traffic *traffic)
{
    char answer[160];
    long long connections, up, down, turns;

    child_say(&net->proxy, command);
    hear(net, answer, sizeof answer);
    if (strncmp(answer, "ok", 2) != 0)
        die("proxy: %s", answer);
    if (!traffic)
        return;
    if (sscanf(answer, "ok %lld %lld %lld %lld", &connections, &up, &down, &turns) != 4)
        die("proxy: %s", answer);
    *traffic = (oo_traffic){turns, up + down};
}

void oo_net_open(oo_net *net, PGconn *server)
{
    char listen[120], target[300], answer[80];
    const char *const argv[] = {"build/proxy", listen, target, NULL};

    memset(net, 0, sizeof *net);
    strcpy(net->directory, "/tmp/paos-bench-XXXXXX");
    if (!mkdtemp(net->directory))
        die("no directory for the proxy");
    snprintf(listen, sizeof listen, "%s/.s.PGSQL.%s", net->directory, PQport(server));
    snprintf(target, sizeof target, "%s/.s.PGSQL.%s", PQhost(server), PQport(server));
    if (PQhost(server)[0] != '/')
        die("the proxy wants a server with a unix socket");
    child_start(&net->proxy, argv);
    hear(net, answer, sizeof answer);
    snprintf(net->conninfo, sizeof net->conninfo, "host=%s port=%s user=%s dbname=%s",
             net->directory, PQport(server), PQuser(server), PQdb(server));
}

void oo_net_close(oo_net *net)
{
    child_end(&net->proxy);
    rmdir(net->directory);
}
