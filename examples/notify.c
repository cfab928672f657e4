/*
 * notify.c - the second listing of the 1996 article on Paos: tell me whenever
 * somebody stores a person named Sue, and who did it.
 *
 * Nothing is called while this program does something else: the callback runs
 * inside paos_conn_dispatch.  A program with a loop of its own gives
 * paos_conn_fd to it and dispatches when that is readable.
 */
#include "paos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERY "name == 'Sue'"

static void check(const paos_conn *conn, paos_status status)
{
    const paos_error *error = paos_conn_error(conn);

    if (status == PAOS_OK)
        return;
    fprintf(stderr, "notify: %s: %s %s\n", paos_status_name(status), error->message, error->detail);
    if (status == PAOS_INVALID)
        fprintf(stderr, "notify: has examples/person.sql been run with psql?\n");
    exit(1);
}

/* psql does not say of which user it is. */
static void put_author(const paos_author *author)
{
    printf("C: %s committed (host %s, pid %lld, uid ", author->application, author->host,
           (long long) author->pid);
    if (author->uid >= 0)
        printf("%lld)\n", (long long) author->uid);
    else
        printf("not known)\n");
}

static void put_persons(const char *what, const paos_list *persons)
{
    for (size_t i = 0; i < paos_list_size(persons); i++)
    {
        paos_object *person = paos_list_at(persons, i);

        if (paos_object_exists(person))
            printf("C: %s story.person:%llu, %s, age %s\n", what,
                   (unsigned long long) paos_object_id(person) & 0xffffffffffff,
                   paos_object_text(person, "name"), paos_object_text(person, "age"));
        else
            printf("C: %s story.person:%llu, deleted\n", what,
                   (unsigned long long) paos_object_id(person) & 0xffffffffffff);
    }
}

static void on_sue(paos_conn *conn, const paos_event *event, void *arg)
{
    long *left = arg;

    (void) conn;
    --*left;
    if (event->resync)
        printf("C: looked again\n");
    else
        put_author(&event->author);
    put_persons("   entered", event->entered);
    put_persons("   changed", event->changed);
    put_persons("   left   ", event->left);
}

int main(int argc, char **argv)
{
    const char *conninfo = argc > 1 ? argv[1] : getenv("PAOS_CONNINFO");
    long left = argc > 2 ? atol(argv[2]) : -1;
    paos_conn *conn = NULL;
    paos_list *sues;
    int64_t request;

    if (argc > 3 || (argc > 1 && strcmp(argv[1], "--help") == 0))
    {
        printf("usage: notify [CONNINFO [EVENTS]]\n"
               "Tells of each commit that stores, changes or deletes a person named Sue, and ends\n"
               "after EVENTS of them; run examples/person.sql with psql first.\n"
               "CONNINFO: or else $PAOS_CONNINFO, or else libpq's PGHOST and so on.\n");
        return argc > 3 ? 2 : 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(NULL, paos_conn_open(conninfo ? conninfo : "", "notify", &conn));
    check(conn,
          paos_subscribe(conn, "story.person", QUERY, NULL, 0, on_sue, &left, &sues, &request));
    printf("C: %zu persons with %s now; waiting for commits\n", paos_list_size(sues), QUERY);
    paos_list_free(sues);
    while (left != 0)
        check(conn, paos_conn_dispatch(conn, -1, NULL));
    paos_conn_close(conn);
    return 0;
}
