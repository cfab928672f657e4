/*
 * role.c - the processes of the roles: made, told, killed by attacks, made again.
 *
 * A role that ends by itself is a fault of the run and is reported; one that
 * was killed starts again as the same role, and finds what it must know on the
 * board.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*role_main)(seat *s);

static const struct
{
    const char *name;
    role_main run;
    int n;
    bool proxied; /* every other one is behind the proxy */
} kinds[] = {
    [ROLE_WRITER] = {"writer", writer_run, 3, true},
    [ROLE_PLAIN] = {"plain", plain_run, 5, true},

    [ROLE_CLIENT] = {"client", client_run, 4, true},
    [ROLE_DURABLE] = {"durable", durable_run, 3, true},
    [ROLE_HOLDER] = {"holder", holder_run, 4, true},
    [ROLE_PROXY] = {"proxy", proxy_run, 1, false},
};

static void make_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        die("no pipe: %s", strerror(errno));
}

void roles_make(void)
{
    make_pipe(the->wake);
    for (int kind = 0; kind < (int) COUNT(kinds); kind++)
        for (int i = 0; i < kinds[kind].n; i++)
        {
            seat *s = &the->seats[the->nseats++];

            snprintf(s->name, sizeof(s->name), "%s-%d", kinds[kind].name, i);
            s->kind = kind;
            s->number = i;
            s->through_proxy = kinds[kind].proxied && i % 2 == 1;
            make_pipe(s->wake);
        }
}

void role_start(seat *s)
{
    pid_t director = getpid();
    pid_t pid;

    s->backend = 0;
    pid = fork();
    if (pid < 0)
        die("no process: %s", strerror(errno));
    if (pid > 0)
    {
        s->pid = pid;
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    if (getppid() == director)
        kinds[s->kind].run(s);
    _exit(0);
}

void roles_tell(phase p)
{
    the->phase = p;
    for (int i = 0; i < the->nseats; i++)
        wake_role(&the->seats[i]);
}

static seat *pick(uint64_t *random, role_kind kind, bool with_session)
{
    int first = random_below(random, the->nseats);

    for (int i = 0; i < the->nseats; i++)
    {
        seat *s = &the->seats[(first + i) % the->nseats];

        if (s->kind != ROLE_PROXY && (kind == ROLES || s->kind == kind) &&
            (!with_session || s->backend != 0 || s->kind == ROLE_CLIENT))
            return s;
    }
    return NULL;
}

seat *role_pick(uint64_t *random, role_kind kind)
{
    return pick(random, kind, false);
}

seat *role_with_session(uint64_t *random)
{
    return pick(random, ROLES, true);
}

void roles_mend(void)
{
    for (int i = 0; i < the->nseats; i++)
    {
        seat *s = &the->seats[i];
        int status;

        if (s->pid == 0 || waitpid(s->pid, &status, WNOHANG) != s->pid)
            continue;
        s->pid = 0;
        if (the->phase == PHASE_END)
            continue;
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
            violation("%s ended by itself (status 0x%x)", s->name, (unsigned) status);
        role_start(s);
    }
}

static bool all_gone(void *arg)
{
    (void) arg;
    for (int i = 0; i < the->nseats; i++)
        if (the->seats[i].pid != 0)
            return false;
    return true;
}

void roles_end(void)
{
    roles_tell(PHASE_END);
    if (wait_for(all_gone, NULL, 10000))
        return;
    for (int i = 0; i < the->nseats; i++)
        if (the->seats[i].pid != 0)
            kill(the->seats[i].pid, SIGKILL);
    wait_for(all_gone, NULL, 10000);
}
