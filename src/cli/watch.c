/*
 * watch.c - `paos watch`: an answer, then each commit that changes it.
 *
 * An outage does not end it: libpaos connects again and tells what changed
 * meanwhile.  Only a server that refuses the connection does.
 *
 * It sleeps in one poll: for the connection, for a signal, and for the reader of
 * stdout, who may go while nothing happens.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct watch
{
    question question;
    seen *seen; /* NULL with --json */
    int64_t request;
    long events;
    bool ended; /* by the server: it has been said why */
} watch;

static volatile sig_atomic_t stopped = 0;
static int wakeup[2]; /* a pipe: a signal at any moment ends the next poll */

static void stop(int signal)
{
    int error = errno;

    (void) signal;
    stopped = 1;
    if (write(wakeup[1], "", 1) < 0)
        errno = error;
}

/* Without SA_RESTART: a write that waits for the reader of stdout ends too. */
static bool catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop};

    if (pipe2(wakeup, O_CLOEXEC | O_NONBLOCK) < 0)
    {
        failure_say("could not make a pipe: %s", strerror(errno));
        return false;
    }
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    return true;
}

static bool is_done(const watch *watch)
{
    long count = watch->question.options->count;

    return stopped || watch->ended || (count > 0 && watch->events >= count);
}

static void tell(paos_conn *conn, const paos_event *event, void *arg)
{
    watch *watch = arg;

    (void) conn;
    if (is_done(watch))
        return;
    watch->events++;
    watch->ended = event->ended;
    /* Before anything else is asked of the connection. */
    if (event->ended)
        question_fail(&watch->question);
    if (watch->question.options->json)
        event_json(&watch->question, event);
    else
        event_text(&watch->question, watch->seen, event);
}

static void tell_outage(paos_conn *conn, paos_status what, const paos_list *objects, void *arg)
{
    (void) conn;
    (void) objects;
    (void) arg;
    if (what == PAOS_DISCONNECTED)
        failure_say(
            "the connection to the server is lost; it is made again when the server is there");
    else
        failure_say("the connection to the server is made again");
}

static void remember(watch *watch, const paos_list *answer)
{
    for (size_t i = 0; i < paos_list_size(answer); i++)
    {
        paos_object *object = paos_list_at(answer, i);

        seen_put(watch->seen, paos_object_id(object), object_texts(&watch->question, object));
    }
}

static paos_status show_first(watch *watch, const paos_list *answer)
{
    const question *question = &watch->question;

    if (question->options->json)
    {
        json_line(json_pack("{s:I, s:o}", "request", (json_int_t) watch->request, "answer",
                            answer_json(question, answer)));
        return PAOS_OK;
    }
    remember(watch, answer);
    return answer_table(question, answer) ? PAOS_OK : paos_conn_error(question->conn)->status;
}

/* Until something is to be told; false: a signal came, or the reader is gone. */
static bool wait_for_event(const watch *watch)
{
    struct pollfd fds[] = {{.fd = paos_conn_fd(watch->question.conn), .events = POLLIN},
                           {.fd = wakeup[0], .events = POLLIN},
                           {.fd = STDOUT_FILENO}};

    while (poll(fds, 3, -1) < 0)
        if (errno != EINTR)
            return false;
    return !fds[1].revents && !(fds[2].revents & POLLERR);
}

static paos_status follow(watch *watch)
{
    paos_status status = PAOS_OK;

    while (status == PAOS_OK && !is_done(watch) && output_flush() && wait_for_event(watch))
        status = paos_conn_dispatch(watch->question.conn, 0, NULL);
    return status;
}

static paos_status run(watch *watch)
{
    question *question = &watch->question;
    paos_list *answer = NULL;
    paos_status status;

    paos_conn_on(question->conn, PAOS_DISCONNECTED, tell_outage, NULL);
    paos_conn_on(question->conn, PAOS_CONNECTED, tell_outage, NULL);
    status = paos_subscribe(question->conn, question->options->args[0], question->query,
                            question->args, question->nargs, tell, watch, &answer, &watch->request);
    if (status == PAOS_OK)
        status = show_first(watch, answer);
    paos_list_free(answer);
    return status == PAOS_OK ? follow(watch) : status;
}

int watch_run(const options *options)
{
    watch watch = {0};
    int status = STATUS_DONE;

    if (!question_open(options, &watch.question))
        return STATUS_FAILED;
    if (!options->json)
        watch.seen = seen_new(watch.question.class.count);
    if (!catch_signals())
        status = STATUS_FAILED;
    else if (run(&watch) != PAOS_OK)
        status = question_fail(&watch.question);
    else if (watch.ended)
        status = STATUS_FAILED;
    if (watch.seen)
        seen_free(watch.seen);
    question_close(&watch.question);
    return status;
}
