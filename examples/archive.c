/*
 * archive.c - a package archive and somebody who watches it, as two processes.
 *
 * `archive watch` asks once for the packages of a maintainer and is then told of
 * each commit that changes the answer; `archive update` is what commits.  The
 * example debian imports the packages first.
 */
#include "archive/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: archive watch [EVENTS [MAINTAINER]]\n"
    "       archive update [MAINTAINER]\n"
    "Watches the packages of a maintainer, for EVENTS commits; or changes them as an\n"
    "archive does. Run the example debian first. $PAOS_CONNINFO, or else libpq's PGHOST\n"
    "and so on, says where.\n";

void check(const paos_conn *conn, paos_status status)
{
    const paos_error *error = paos_conn_error(conn);

    if (status == PAOS_OK)
        return;
    fprintf(stderr, "archive: %s: %s %s\n", paos_status_name(status), error->message,
            error->detail);
    exit(1);
}

paos_conn *open_conn(const char *conninfo, const char *application)
{
    paos_conn *conn = NULL;

    check(NULL, paos_conn_open(conninfo, application, &conn));
    return conn;
}

paos_object *find_maintainer(paos_conn *conn, const char *name)
{
    paos_value arg = paos_text(name);
    paos_object *maintainer;
    paos_list *answer;

    check(conn, paos_get(conn, PAOS_READ, "debian.maintainer", "name == $1", &arg, 1, &answer));
    if (paos_list_size(answer) == 0)
    {
        printf("archive: there is no maintainer \"%s\"\n", name);
        exit(1);
    }
    maintainer = paos_object_hold(paos_list_at(answer, 0));
    paos_list_free(answer);
    return maintainer;
}

int main(int argc, char **argv)
{
    const char *conninfo = getenv("PAOS_CONNINFO");
    const char *maintainer = "Debian GCC Maintainers";
    bool watching = argc > 1 && strcmp(argv[1], "watch") == 0;
    bool updating = argc > 1 && strcmp(argv[1], "update") == 0;

    if ((!watching && !updating) || argc > (watching ? 4 : 3))
    {
        fputs(usage, stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > (watching ? 3 : 2))
        maintainer = argv[watching ? 3 : 2];
    if (!conninfo)
        conninfo = "";
    if (watching)
        watch(conninfo, maintainer, argc > 2 ? atol(argv[2]) : -1);
    else
        update(conninfo, maintainer);
    return 0;
}
