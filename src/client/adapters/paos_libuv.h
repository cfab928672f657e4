/*
 * paos_libuv.h - a paos connection in a libuv loop.
 *
 *     paos_libuv adapter;
 *     paos_libuv_attach(&adapter, loop, conn, on_failure);
 *
 * From then on the loop calls paos_conn_dispatch, and that the callbacks.
 * Detach before paos_conn_close, in a callback too; the adapter's memory must
 * stay until libuv has closed the handle, as always with libuv.
 */
#ifndef PAOS_LIBUV_H
#define PAOS_LIBUV_H

#include <paos.h>
#include <uv.h>

typedef struct paos_libuv paos_libuv;

/* Called with why a dispatch failed; the adapter is detached then.  May be NULL. */
typedef void (*paos_libuv_failed)(paos_libuv *adapter, paos_status status);

struct paos_libuv
{
    uv_poll_t poll;
    paos_conn *conn; /* NULL: detached */
    paos_libuv_failed failed;
    void *data; /* the program's */
};

/* paos_libuv_detach ends it; once it has been called the connection may be closed. */
static inline void paos_libuv_detach(paos_libuv *adapter)
{
    if (!adapter->conn)
        return;
    adapter->conn = NULL;
    uv_poll_stop(&adapter->poll);
    uv_close((uv_handle_t *) &adapter->poll, NULL);
}

static inline void paos_libuv_readable(uv_poll_t *poll, int error, int events)
{
    paos_libuv *adapter = (paos_libuv *) poll->data;
    paos_status status;

    (void) error;
    (void) events;
    if (!adapter->conn)
        return;
    status = paos_conn_dispatch(adapter->conn, 0, NULL);
    if (status == PAOS_OK)
        return;
    paos_libuv_detach(adapter);
    if (adapter->failed)
        adapter->failed(adapter, status);
}

/* paos_libuv_attach returns 0, or libuv's error. */
static inline int paos_libuv_attach(paos_libuv *adapter, uv_loop_t *loop, paos_conn *conn,
                                    paos_libuv_failed failed)
{
    int error = uv_poll_init(loop, &adapter->poll, paos_conn_fd(conn));

    if (error)
        return error;
    adapter->poll.data = adapter;
    adapter->conn = conn;
    adapter->failed = failed;
    return uv_poll_start(&adapter->poll, UV_READABLE, paos_libuv_readable);
}

#endif
