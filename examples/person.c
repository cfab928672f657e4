/*
 * person.c - the story of the 1996 article on Paos: John loves Sue, Sue loves
 * Bill, Bill loves Sue.
 *
 * The client has no DDL: person.sql makes the class first.  Two connections play
 * two programs here, and each has its own handles: a handle of one means nothing
 * to the other, an id means the same to both.
 */
#include "paos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERSON "story.person"

/* The one way out on errors. */
static void check(const paos_conn *conn, paos_status status)
{
    const paos_error *error = paos_conn_error(conn);

    if (status == PAOS_OK)
        return;
    fprintf(stderr, "person: %s: %s %s\n", paos_status_name(status), error->message, error->detail);
    if (status == PAOS_INVALID)
        fprintf(stderr, "person: has examples/person.sql been run with psql?\n");
    exit(1);
}

static paos_object *new_person(paos_conn *conn, const char *name, int age)
{
    paos_object *person;

    check(conn, paos_object_new(conn, PERSON, &person));
    check(conn, paos_object_set(person, "name", paos_text(name)));
    check(conn, paos_object_set(person, "age", paos_int(age)));
    return person;
}

/* Deletes the persons of an earlier run. */
static void forget_story(paos_conn *conn)
{
    paos_list *persons;

    check(conn, paos_get(conn, PAOS_WRITE, PERSON, NULL, NULL, 0, &persons));
    for (size_t i = 0; i < paos_list_size(persons); i++)
        check(conn, paos_delete(conn, paos_list_at(persons, i)));
    check(conn, paos_commit(conn, NULL, 0));
    paos_list_free(persons);
}

/* John, Sue and Bill; Sue is owned by the caller. */
static paos_object *write_story(paos_conn *conn)
{
    paos_object *john = new_person(conn, "John", 31);
    paos_object *sue = new_person(conn, "Sue", 27);
    paos_object *bill = new_person(conn, "Bill", 33);
    paos_object *all[] = {john, sue, bill};
    paos_stats before, after;

    check(conn, paos_register(conn, all, 3));
    printf("register: ids before anything is stored\n");
    for (size_t i = 0; i < 3; i++)
        printf("    %-4s is %s:%llu\n", paos_object_text(all[i], "name"), PERSON,
               (unsigned long long) paos_object_id(all[i]) & 0xffffffffffff);

    check(conn, paos_object_set(john, "loves", paos_ref(sue)));
    check(conn, paos_object_set(sue, "loves", paos_ref(bill)));
    check(conn, paos_object_set(bill, "loves", paos_ref(sue)));
    paos_conn_stats(conn, &before);
    check(conn, paos_commit(conn, NULL, 0));
    paos_conn_stats(conn, &after);
    printf("commit: three objects, round trips: %llu\n",
           (unsigned long long) (after.round_trips - before.round_trips));
    paos_object_release(john);
    paos_object_release(bill);
    return sue;
}

/* Another program asks; what it follows is loaded when it is touched. */
static void read_story(paos_conn *conn, paos_id sue_id)
{
    paos_list *lovers;
    paos_object *sue;

    check(conn, paos_get(conn, PAOS_READ, PERSON, "loves.name == 'Sue'", NULL, 0, &lovers));
    printf("get: who loves Sue?  loves.name == 'Sue'\n");
    for (size_t i = 0; i < paos_list_size(lovers); i++)
    {
        paos_object *lover = paos_list_at(lovers, i);
        paos_object *loved = paos_object_ref(lover, "loves");
        paos_object *rival = paos_object_ref(loved, "loves");

        printf("    %s loves %s, who loves %s\n", paos_object_text(lover, "name"),
               paos_object_text(loved, "name"), paos_object_text(rival, "name"));
    }

    check(conn, paos_fetch(conn, sue_id, &sue));
    printf("identity: sue, john.loves and bill.loves are one handle:");
    for (size_t i = 0; i < paos_list_size(lovers); i++)
        printf(" %s", paos_object_ref(paos_list_at(lovers, i), "loves") == sue ? "yes" : "no");
    printf("\n");
    paos_object_release(sue);
    paos_list_free(lovers);
}

/* One program has the right to write Sue, so the other's write is refused. */
static void refuse_write(paos_conn *reader, paos_conn *writer, paos_object *sue)
{
    const paos_error *error;
    paos_status status;
    paos_list *mine;

    check(reader, paos_get(reader, PAOS_WRITE, PERSON, "name == 'Sue'", NULL, 0, &mine));
    printf("right: the second program got Sue for writing; the first one commits a change\n");
    check(writer, paos_object_set(sue, "age", paos_int(28)));
    status = paos_commit(writer, NULL, 0);
    error = paos_conn_error(writer);
    printf("    %s, SQLSTATE %s: %s\n    %s\n", paos_status_name(status), error->sqlstate,
           error->message, error->detail);

    paos_list_free(mine);
    paos_conn_close(reader);
    /* The server notices in its own time: wait for the right. */
    check(writer, paos_lock(writer, &sue, 1, 5000));
    check(writer, paos_commit(writer, NULL, 0));
    printf("    the second program ends, and its rights with it: now Sue is %lld\n",
           (long long) paos_object_int(sue, "age"));
}

int main(int argc, char **argv)
{
    const char *conninfo = argc > 1 ? argv[1] : getenv("PAOS_CONNINFO");

    if (argc > 2 || (argc > 1 && strcmp(argv[1], "--help") == 0))
    {
        printf("usage: person [CONNINFO]\n"
               "Tells the story of John, Sue and Bill; run examples/person.sql with psql first.\n"
               "CONNINFO: or else $PAOS_CONNINFO, or else libpq's PGHOST and so on.\n");
        return argc > 2 ? 2 : 0;
    }
    paos_conn *writer = NULL, *reader = NULL;
    check(NULL, paos_conn_open(conninfo ? conninfo : "", "writer", &writer));
    check(NULL, paos_conn_open(conninfo ? conninfo : "", "reader", &reader));

    printf("John loves Sue, Sue loves Bill, Bill loves Sue.\n");
    forget_story(writer);
    paos_object *sue = write_story(writer);
    read_story(reader, paos_object_id(sue));
    refuse_write(reader, writer, sue);
    paos_object_release(sue);
    paos_conn_close(writer);
    return 0;
}
