/*
 * paos_libev.h - a paos connection in a libev loop.
 *
 *     paos_libev adapter;
 *     paos_libev_attach(&adapter, loop, conn, on_failure);
 *
 * From then on the loop calls paos_conn_dispatch, and that the callbacks.
 * Detach before paos_conn_close, in a callback too.
 */
#ifndef PAOS_LIBEV_H
#define PAOS_LIBEV_H

#include <ev.h>
#include <paos.h>

typedef struct paos_libev paos_libev;

/* Called with why a dispatch failed; the adapter is detached then.  May be NULL. */
typedef void (*paos_libev_failed)(paos_libev *adapter, paos_status status);

struct paos_libev
{
    ev_io io;
    struct ev_loop *loop;
    paos_conn *conn; /* NULL: detached */
    paos_libev_failed failed;
    void *data; /* the program's */
};

/* paos_libev_detach ends it; once it has been called the connection may be closed. */
static inline void paos_libev_detach(paos_libev *adapter)
{
    if (!adapter->conn)
        return;
    adapter->conn = NULL;
    ev_io_stop(adapter->loop, &adapter->io);
}

static inline void paos_libev_readable(struct ev_loop *loop, ev_io *io, int events)
{
    paos_libev *adapter = (paos_libev *) io->data;
    paos_status status;

    (void) loop;
    (void) events;
    status = paos_conn_dispatch(adapter->conn, 0, NULL);
    if (status == PAOS_OK)
        return;
    paos_libev_detach(adapter);
    if (adapter->failed)
        adapter->failed(adapter, status);
}

/* paos_libev_attach begins to watch the connection. */
static inline void paos_libev_attach(paos_libev *adapter, struct ev_loop *loop, paos_conn *conn,
                                     paos_libev_failed failed)
{
    adapter->loop = loop;
    adapter->conn = conn;
    adapter->failed = failed;
    ev_init(&adapter->io, paos_libev_readable);
    ev_io_set(&adapter->io, paos_conn_fd(conn), EV_READ);
    adapter->io.data = adapter;
    ev_io_start(loop, &adapter->io);
}

#endif
