/*
 * main.c - a program on libpaos for the tests in shell: told on stdin what to do, a command a line.
 *
 * Each command is answered by one line that begins with "= ".  In between it does
 * what any program does, which is to dispatch, and says what it is told:
 *
 *     event REQUEST [resync] +7:3 ~7:1 -7:2 [ended SQLSTATE]
 *     lost, rights 7:1, again
 *
 * Usage: program CONNINFO
 */
#include "paos.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct program
{
    paos_conn *conn;
    int64_t live, durable; /* requests */
    int64_t number;        /* of the last durable event */
} program;

/* ---- what it is told ---- */

static void put_ids(const char *sign, const paos_list *list)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
    {
        paos_id id = paos_object_id(paos_list_at(list, i));

        printf(" %s%u:%llu", sign, (unsigned) (id >> 48),
               (unsigned long long) (id & 0xffffffffffff));
    }
}

static void on_event(paos_conn *conn, const paos_event *event, void *arg)
{
    program *p = arg;

    printf("event %s%s", event->number ? "durable" : "live", event->resync ? " resync" : "");
    put_ids("+", event->entered);
    put_ids("~", event->changed);
    put_ids("-", event->left);
    if (event->ended)
        printf(" ended %s", paos_conn_error(conn)->sqlstate);
    putchar('\n');
    if (event->number)
        p->number = event->number;
    /* What is cached stays, so that it can be asked about. */
    for (size_t i = 0; i < paos_list_size(event->entered); i++)
        paos_object_hold(paos_list_at(event->entered, i));
}

static void on_connection(paos_conn *conn, paos_status what, const paos_list *objects, void *arg)
{
    (void) conn;
    (void) arg;
    printf("%s", what == PAOS_CONNECTED ? "again" : what == PAOS_DISCONNECTED ? "lost" : "rights");
    put_ids("", objects);
    putchar('\n');
}

/* ---- what it is told to do ---- */

static paos_id id_of(const char *text)
{
    unsigned class = 0;
    unsigned long long key = 0;

    if (sscanf(text, "%u:%llu", &class, &key) != 2)
        fprintf(stderr, "program: \"%s\" is no name of an object\n", text);
    return (paos_id) class << 48 | key;
}

static void answer(const program *p, paos_status status, const char *text)
{
    if (status == PAOS_OK)
        printf("= %s\n", text);
    else
        printf("= %s %s\n", paos_status_name(status), paos_conn_error(p->conn)->message);
}

static void watch(program *p, char **words)
{
    paos_list *first = NULL;
    paos_status status =
        paos_subscribe(p->conn, words[1], words[2], NULL, 0, on_event, p, &first, &p->live);

    for (size_t i = 0; i < paos_list_size(first); i++)
        paos_object_hold(paos_list_at(first, i));
    answer(p, status, "watching");
    paos_list_free(first);
}

static void durable(program *p, char **words)
{
    answer(p,
           paos_subscribe_durable(p->conn, words[1], words[2], words[3], NULL, 0, on_event, p,
                                  &p->durable),
           "attending");
}

static void acknowledge(program *p, char **words)
{
    (void) words;
    answer(p, paos_acknowledge(p->conn, p->durable, p->number), "acknowledged");
}

/* An attribute as it is known here: nothing is asked for what is cached. */
static void show(program *p, char **words)
{
    paos_object *object = NULL;
    paos_status status = paos_fetch(p->conn, id_of(words[1]), &object);
    const char *text = "";

    if (status == PAOS_OK)
    {
        paos_conn_error_clear(p->conn);
        text = paos_object_text(object, words[2]);
        status = paos_conn_error(p->conn)->status;
    }
    answer(p, status, text ? text : "null");
    paos_object_release(object);
}

static void set(program *p, char **words)
{
    paos_object *object = NULL;
    paos_status status = paos_fetch(p->conn, id_of(words[1]), &object);

    if (status == PAOS_OK)
        status = paos_object_set(object, words[2], paos_text(words[3]));
    answer(p, status, "set");
    paos_object_release(object);
}

/* With an id, which it has before it is committed. */
static void new (program *p, char **words)
{
    paos_object *object = NULL;
    paos_status status = paos_object_new(p->conn, words[1], &object);
    char text[40] = "";

    if (status == PAOS_OK)
        status = paos_object_set(object, words[2], paos_text(words[3]));
    if (status == PAOS_OK)
        status = paos_register(p->conn, &object, 1);
    if (status == PAOS_OK)
        snprintf(text, sizeof text, "%u:%llu", (unsigned) (paos_object_id(object) >> 48),
                 (unsigned long long) (paos_object_id(object) & 0xffffffffffff));
    answer(p, status, text);
}

static void lock(program *p, char **words)
{
    paos_object *object = NULL;
    paos_status status = paos_fetch(p->conn, id_of(words[1]), &object);

    if (status == PAOS_OK)
        status = paos_lock(p->conn, &object, 1, 0);
    answer(p, status, "held");
    paos_object_release(object);
}

static void commit(program *p, char **words)
{
    (void) words;
    answer(p, paos_commit(p->conn, NULL, 0), "committed");
}

static void outcome(program *p, char **words)
{
    bool committed = false;
    paos_status status = paos_conn_outcome(p->conn, &committed);

    (void) words;
    answer(p, status, committed ? "committed" : "not committed");
}

static void silence(program *p, char **words)
{
    answer(p, paos_conn_set_silence(p->conn, atoi(words[1])), "set");
}

static void outage_wait(program *p, char **words)
{
    answer(p, paos_conn_set_outage_wait(p->conn, atoi(words[1])), "set");
}

static const struct
{
    const char *name;
    void (*run)(program *p, char **words);
} commands[] = {{"watch", watch},
                {"durable", durable},
                {"acknowledge", acknowledge},
                {"show", show},
                {"set", set},
                {"new", new},
                {"lock", lock},
                {"commit", commit},
                {"outcome", outcome},
                {"silence", silence},
                {"outage-wait", outage_wait}};

/* Up to four words; the last is the rest of the line. */
static void obey(program *p, char *line)
{
    char *words[4] = {"", "", "", ""};

    line[strcspn(line, "\n")] = 0;
    for (size_t n = 0; n < 4 && line; n++)
        words[n] = n < 3 ? strsep(&line, " ") : line;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(words[0], commands[i].name) == 0)
        {
            commands[i].run(p, words);
            return;
        }
    printf("= unknown command \"%s\"\n", words[0]);
}

static void dispatch(program *p)
{
    paos_status status = paos_conn_dispatch(p->conn, 0, NULL);

    if (status != PAOS_OK)
        printf("dispatch %s %s\n", paos_status_name(status), paos_conn_error(p->conn)->message);
}

int main(int argc, char **argv)
{
    program p = {0};
    struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}};
    char line[1000];

    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0);
    if (argc != 2 || paos_conn_open(argv[1], "program", &p.conn) != PAOS_OK)
    {
        fprintf(stderr, "program: %s\n", paos_conn_error(NULL)->message);
        return 1;
    }
    paos_conn_on(p.conn, PAOS_DISCONNECTED, on_connection, &p);
    paos_conn_on(p.conn, PAOS_CONNECTED, on_connection, &p);
    paos_conn_on(p.conn, PAOS_RIGHTS_LOST, on_connection, &p);
    fds[1].fd = paos_conn_fd(p.conn);
    fds[1].events = POLLIN;
    while (poll(fds, 2, -1) > 0)
    {
        if (fds[1].revents)
            dispatch(&p);
        if (fds[0].revents && !fgets(line, sizeof line, stdin))
            break;
        if (fds[0].revents)
            obey(&p, line);
    }
    paos_conn_close(p.conn);
    return 0;
}
