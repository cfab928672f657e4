/*
 * fake_pgio.c - a server in the place of pgio.c, whose connections break and notify on command.
 *
 * There is one fake server and one state of it, however many connections are
 * open.  Like the real pgio it takes memory before it sends, through the
 * client's allocator, so that running out of memory there is tested too.
 */
#include "fake_pgio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

struct paosi_pgio
{
    bool broken, pinging;
    int fd; /* readable when there is something to receive */
};

struct paosi_notification
{
    paosi_notification *next;
    char text[];
};

static struct
{
    paos_status refuse;
    const char *refuse_message;
    bool break_planned;
    size_t break_at, reached, answered, ends;
    paosi_pgio *last; /* the newest connection, which notifications are for */
    paosi_notification *sent_off, *received;
    bool hung_up, back, locked_out, silent;
} server;

static void drop_notifications(paosi_notification **queue)
{
    while (*queue)
    {
        paosi_notification *next = (*queue)->next;

        free(*queue);
        *queue = next;
    }
}

void fake_reset(void)
{
    drop_notifications(&server.sent_off);
    drop_notifications(&server.received);
    fake_script_reset();
    memset(&server, 0, sizeof server);
    paosi_alloc_fails = NULL;
}

/* ---- breaking ---- */

void fake_refuse(paos_status status, const char *message)
{
    server.refuse = status;
    server.refuse_message = message;
}

void fake_break(size_t exchange, size_t reached, size_t answered)
{
    assert_true(answered <= reached);
    server.break_planned = true;
    server.break_at = fake_exchanges() + exchange;
    server.reached = reached;
    server.answered = answered;
}

size_t fake_ends(void)
{
    return server.ends;
}

/* ---- notifications ---- */

static void make_readable(void)
{
    if (server.last)
        assert_int_equal(eventfd_write(server.last->fd, 1), 0);
}

static void append(paosi_notification **queue, paosi_notification *one)
{
    while (*queue)
        queue = &(*queue)->next;
    *queue = one;
}

void fake_notify(const char *text)
{
    paosi_notification *one = fake_must(malloc(sizeof *one + strlen(text) + 1));

    one->next = NULL;
    strcpy(one->text, text);
    append(&server.sent_off, one);
    make_readable();
}

void fake_come_back(void)
{
    server.back = true;
}

void fake_lock_out(void)
{
    server.locked_out = true;
}

void fake_answer_pings(bool answer)
{
    server.silent = !answer;
}

void fake_hang_up(void)
{
    server.hung_up = true;
    make_readable();
}

/* What was sent off arrives with whatever is read next. */
static void arrive(paosi_pgio *io)
{
    eventfd_t count;

    if (io != server.last)
        return;
    (void) eventfd_read(io->fd, &count);
    append(&server.received, server.sent_off);
    server.sent_off = NULL;
}

static void break_off(paosi_pgio *io)
{
    io->broken = true;
    server.ends++;
    drop_notifications(&server.received);
}

paos_status paosi_pgio_receive(paosi_pgio *io)
{
    if (io->broken)
        return PAOS_DISCONNECTED;
    if (server.hung_up)
    {
        server.hung_up = false;
        break_off(io);
        return PAOS_DISCONNECTED;
    }
    arrive(io);
    io->pinging = io->pinging && server.silent;
    return PAOS_OK;
}

bool paosi_pgio_ping(paosi_pgio *io)
{
    io->pinging = true;
    make_readable();
    return true;
}

bool paosi_pgio_pinging(const paosi_pgio *io)
{
    return io->pinging;
}

void paosi_pgio_break(paosi_pgio *io, const char *message)
{
    (void) message;
    break_off(io);
}

/* Here a server always answers, or hangs up. */
void paosi_pgio_doubt(paosi_pgio *io, int after_ms, bool (*alive)(void *arg), void *arg)
{
    (void) io;
    (void) after_ms;
    (void) alive;
    (void) arg;
}

int paosi_pgio_backend(const paosi_pgio *io)
{
    return io->broken ? 0 : 4711;
}

bool paosi_pgio_pending(paosi_pgio *io)
{
    return io == server.last && server.received;
}

paosi_notification *paosi_pgio_next(paosi_pgio *io)
{
    paosi_notification *one = server.received;

    (void) io;
    server.received = one->next;
    return one;
}

const char *paosi_notification_text(const paosi_notification *notification)
{
    return notification->text;
}

void paosi_notification_free(paosi_notification *notification)
{
    free(notification);
}

/* ---- pgio.h ---- */

static paos_status make(paosi_pgio **out)
{
    paosi_pgio *io = paosi_calloc(1, sizeof *io);

    if (!io)
        return PAOS_NO_MEMORY;
    io->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server.last = io;
    *out = io;
    return PAOS_OK;
}

paos_status paosi_dial_start(const paosi_dial *dial, paosi_pgio **out)
{
    assert_non_null(dial->conninfo);
    return make(out);
}

paos_status paosi_dial_step(paosi_pgio *io, bool *writing)
{
    (void) writing;
    if (server.locked_out || !server.back)
    {
        break_off(io);
        return server.locked_out ? PAOS_REFUSED : PAOS_DISCONNECTED;
    }
    return PAOS_OK;
}

paos_status paosi_dial_open(const paosi_dial *dial, paosi_pgio **out, char **message)
{
    assert_non_null(dial->conninfo);
    if (server.refuse != PAOS_OK)
    {
        if (server.refuse_message)
            *message = paosi_strdup(server.refuse_message);
        return server.refuse;
    }
    return make(out);
}

void paosi_pgio_close(paosi_pgio *io)
{
    if (!io)
        return;
    server.ends += !io->broken;
    if (server.last == io)
        server.last = NULL;
    close(io->fd);
    paosi_free(io);
}

int paosi_pgio_fd(const paosi_pgio *io)
{
    return io->broken ? -1 : io->fd;
}

const char *paosi_pgio_database(const paosi_pgio *io)
{
    (void) io;
    return "fake";
}

const char *paosi_pgio_message(const paosi_pgio *io)
{
    return io->broken ? "the fake server hung up" : "";
}

/*
 * Answers the first `reached` statements, and hands out the first `answered` results; returns
 * how many there were before one that could not be made.
 */
static size_t serve(const paosi_statement *statements, paosi_result **results, size_t reached,
                    size_t answered)
{
    bool failed = false;
    size_t i;

    for (i = 0; i < reached; i++)
    {
        paosi_result *result;

        if (statements[i].make && !statements[i].make(statements[i].arg))
            return i;
        result = fake_script_answer(&statements[i], failed);
        failed = failed || paosi_result_outcome(result) == PAOSI_FAILED;
        if (i < answered)
            results[i] = result;
        else
            paosi_result_free(result);
    }
    return reached;
}

static paos_status drop(paosi_result **results, size_t n)
{
    paosi_results_free(results, n);
    return PAOS_NO_MEMORY;
}

paos_status paosi_pgio_exchange(paosi_pgio *io, const paosi_statement *statements, size_t n,
                                paosi_result **results, size_t *reached)
{
    void *room;

    memset(results, 0, n * sizeof *results);
    *reached = 0;
    if (io->broken)
        return PAOS_DISCONNECTED;
    room = paosi_malloc(1);
    if (!room)
        return PAOS_NO_MEMORY;
    paosi_free(room);
    if (!server.break_planned || fake_exchanges() != server.break_at)
    {
        *reached = serve(statements, results, n, n);
        arrive(io);
        fake_script_exchange();
        return *reached == n ? PAOS_OK : drop(results, n);
    }
    *reached = server.reached < n ? server.reached : n;
    *reached = serve(statements, results, *reached, server.answered);
    fake_script_exchange();
    break_off(io);
    return PAOS_DISCONNECTED;
}

/* The rows of a statement one by one. */
paos_status paosi_pgio_stream(paosi_pgio *io, const paosi_statement *statement, paosi_taker take,
                              void *arg, paosi_result **result)
{
    size_t i, reached;
    paos_status status = paosi_pgio_exchange(io, statement, 1, result, &reached);
    paosi_result *whole = *result;
    bool wanted = true;

    if (!whole)
        return status;
    for (i = 0; wanted && i < paosi_result_rows(whole); i++)
    {
        paosi_result *row = fake_result_row(whole, i);

        wanted = take(arg, row);
        paosi_result_free(row);
    }
    *result = fake_result_end(whole);
    paosi_result_free(whole);
    return status;
}
