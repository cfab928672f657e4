/*
 * poll.c - a paos connection among the other descriptors of a program.
 *
 * Waits with poll(2) for changes of a query's answer and for a line on standard
 * input, which ends it.
 *
 *     build/examples/poll CONNINFO CLASS QUERY
 */
#include <poll.h>
#include <stdio.h>

#include <paos.h>

static void print_all(const char *what, const paos_list *list)
{
    size_t i;

    for (i = 0; i < paos_list_size(list); i++)
    {
        paos_id id = paos_object_id(paos_list_at(list, i));

        printf("%s %u:%llu\n", what, (unsigned) (id >> 48),
               (unsigned long long) (id & 0xFFFFFFFFFFFF));
    }
}

static void changed(paos_conn *conn, const paos_event *event, void *arg)
{
    (void) conn;
    (void) arg;
    printf("by %s on %s:\n", event->author.application, event->author.host);
    print_all("  entered", event->entered);
    print_all("  changed", event->changed);
    print_all("  left", event->left);
    fflush(stdout);
}

/* Returns when a line was read, or something failed. */
static paos_status loop(paos_conn *conn)
{
    struct pollfd fds[] = {{paos_conn_fd(conn), POLLIN, 0}, {0, POLLIN, 0}};
    paos_status status = PAOS_OK;

    while (status == PAOS_OK && !fds[1].revents)
    {
        if (poll(fds, 2, -1) > 0 && fds[0].revents)
            status = paos_conn_dispatch(conn, 0, NULL);
    }
    return status;
}

int main(int argc, char **argv)
{
    paos_conn *conn = NULL;
    paos_list *first = NULL;
    int64_t request;
    paos_status status;

    if (argc != 4)
    {
        fprintf(stderr, "usage: %s CONNINFO CLASS QUERY\n", argv[0]);
        return 2;
    }
    status = paos_conn_open(argv[1], "poll", &conn);
    if (status == PAOS_OK)
        status = paos_subscribe(conn, argv[2], argv[3], NULL, 0, changed, NULL, &first, &request);
    if (status == PAOS_OK)
    {
        print_all("found", first);
        fflush(stdout);
        status = loop(conn);
    }
    if (status != PAOS_OK)
        fprintf(stderr, "%s: %s\n", argv[0], paos_conn_error(conn)->message);
    paos_list_free(first);
    paos_conn_close(conn);
    return status == PAOS_OK ? 0 : 1;
}
