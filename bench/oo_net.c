/*
 * oo_net.c - a network between the benchmark and its server: tools/proxy.c as a child
 * process.  It adds a delay each way, and tells bytes and round trips whoever asks.
 */
#include "bench.h"
#include "oo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void hear(oo_net *net, char *answer, size_t size)
{
    if (!fgets(answer, (int) size, net->out))
        die("the proxy has ended: make build/proxy");
}

void oo_net_say(oo_net *net, const char *command, oo_traffic *traffic)
{
    char answer[160];
    long long connections, up, down, turns;

    fprintf(net->in, "%s\n", command);
    fflush(net->in);
    hear(net, answer, sizeof answer);
    if (strncmp(answer, "ok", 2) != 0)
        die("proxy: %s", answer);
    if (!traffic)
        return;
    if (sscanf(answer, "ok %lld %lld %lld %lld", &connections, &up, &down, &turns) != 4)
        die("proxy: %s", answer);
    *traffic = (oo_traffic){turns, up + down};
}

static void run_proxy(const int *in, const int *out, const char *listen, const char *target)
{
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
    execl("build/proxy", "proxy", listen, target, (char *) NULL);
    _exit(127);
}

static void start(oo_net *net, const char *listen, const char *target)
{
    int in[2], out[2];
    char answer[80];

    if (pipe(in) != 0 || pipe(out) != 0)
        die("no pipe for the proxy");
    net->pid = fork();
    if (net->pid < 0)
        die("no process for the proxy");
    if (net->pid == 0)
        run_proxy(in, out, listen, target);
    close(in[0]);
    close(out[1]);
    net->in = fdopen(in[1], "w");
    net->out = fdopen(out[0], "r");
    if (!net->in || !net->out)
        die("out of memory");
    hear(net, answer, sizeof answer);
}

void oo_net_open(oo_net *net, PGconn *server)
{
    char listen[120], target[300];

    memset(net, 0, sizeof *net);
    strcpy(net->directory, "/tmp/paos-bench-XXXXXX");
    if (!mkdtemp(net->directory))
        die("no directory for the proxy");
    snprintf(listen, sizeof listen, "%s/.s.PGSQL.%s", net->directory, PQport(server));
    snprintf(target, sizeof target, "%s/.s.PGSQL.%s", PQhost(server), PQport(server));
    if (PQhost(server)[0] != '/')
        die("the proxy wants a server with a unix socket");
    start(net, listen, target);
    snprintf(net->conninfo, sizeof net->conninfo, "host=%s port=%s user=%s dbname=%s",
             net->directory, PQport(server), PQuser(server), PQdb(server));
}

void oo_net_close(oo_net *net)
{
    fclose(net->in);
    fclose(net->out);
    waitpid(net->pid, NULL, 0);
    rmdir(net->directory);
}
