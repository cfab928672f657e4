/*
 * child.c - programs beside the benchmark that answer each line with a line or more,
 * and end with their stdin.
 *
 * Whoever waits for an answer waits for a limited time: a tool that hangs must not hang
 * the benchmark.
 */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 300000

static void run_program(const int *in, const int *out, const char *const *argv)
{
    /* A server among them would not miss its stdin. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execvp(argv[0], (char *const *) argv);
    _exit(127);
}

void child_start(child *child, const char *const *argv)
{
    int in[2], out[2];

    memset(child, 0, sizeof *child);
    signal(SIGPIPE, SIG_IGN);
    /* No other child may keep them open, or this one would not see its stdin's end. */
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        die("no pipe for %s", argv[0]);
    child->pid = fork();
    if (child->pid < 0)
        die("no process for %s", argv[0]);
    if (child->pid == 0)
        run_program(in, out, argv);
    close(in[0]);
    close(out[1]);
    child->in = in[1];
    child->out = out[0];
}

bool child_say(child *child, const char *line)
{
    size_t size = strlen(line);

    return write(child->in, line, size) == (ssize_t) size && write(child->in, "\n", 1) == 1;
}

/* Moves what there is up to a line's end to the caller; false: there is none yet. */
static bool take_line(child *child, char *line, size_t size)
{
    char *end = memchr(child->text, '\n', child->used);
    size_t length;

    if (!end)
        return false;
    length = (size_t) (end - child->text);
    if (length >= size)
        die("a line of a program is too long: %.60s", child->text);
    memcpy(line, child->text, length);
    line[length] = 0;
    child->used -= length + 1;
    memmove(child->text, end + 1, child->used);
    return true;
}

bool child_hear(child *child, char *line, size_t size)
{
    struct pollfd fd = {.fd = child->out, .events = POLLIN};

    while (!take_line(child, line, size))
    {
        ssize_t got;

        if (child->used == sizeof child->text || poll(&fd, 1, PATIENCE_MS) <= 0)
            return false;
        got = read(child->out, child->text + child->used, sizeof child->text - child->used);
        if (got <= 0)
            return false;
        child->used += (size_t) got;
    }
    return true;
}

void child_end(child *child)
{
    if (child->pid == 0)
        return;
    close(child->in);
    close(child->out);
    /* One that hangs does not look at its stdin. */
    for (int i = 0; i < 100 && waitpid(child->pid, NULL, WNOHANG) == 0; i++)
    {
        poll(NULL, 0, 50);
        if (i == 10)
            kill(child->pid, SIGTERM);
        if (i == 80)
            kill(child->pid, SIGKILL);
    }
    child->pid = 0;
}
