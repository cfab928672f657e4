/*
 * adapter_test.c - a connection in the loops of libuv and libev, and in one of poll(2).
 *
 * What libev's headers have that our warnings do not like is none of our business.
 */
#include "client.h"

#include <poll.h>

#include "adapters/paos_libuv.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-aliasing"
#include "adapters/paos_libev.h"
#pragma GCC diagnostic pop

/* Who is to be stopped when the callback was called. */
typedef struct watch
{
    size_t events;
    paos_libuv *uv;
    paos_libev *ev;
    paos_status failed;
} watch;

static void note(paos_conn *conn, const paos_event *event, void *arg)
{
    watch *w = arg;

    w->events += paos_list_size(event->entered);
    if (w->uv)
        paos_libuv_detach(w->uv);
    if (w->ev)
        paos_libev_detach(w->ev);
    /* A callback of a loop may end it all. */
    if (w->uv || w->ev)
        paos_conn_close(conn);
}

static void subscribe(fixture *f, watch *w)
{
    int64_t request;

    sql(f, "CREATE TABLE IF NOT EXISTS thing (id int PRIMARY KEY);"
           " SELECT paos.register_class('thing')");
    OK(f->conn, paos_subscribe(f->conn, "t.thing", NULL, NULL, 0, note, w, NULL, &request));
    sql(f, "INSERT INTO thing VALUES (1)");
}

static void in_a_loop_of_libuv(void **state)
{
    fixture *f = *state;
    paos_libuv adapter;
    watch w = {.uv = &adapter};
    uv_loop_t loop;

    subscribe(f, &w);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(paos_libuv_attach(&adapter, &loop, f->conn, NULL), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(w.events, 1);
    f->conn = NULL;
}

static void in_a_loop_of_libev(void **state)
{
    fixture *f = *state;
    paos_libev adapter;
    watch w = {.ev = &adapter};
    struct ev_loop *loop = ev_loop_new(0);

    subscribe(f, &w);
    paos_libev_attach(&adapter, loop, f->conn, NULL);
    ev_run(loop, 0);
    ev_loop_destroy(loop);
    assert_int_equal(w.events, 1);
    f->conn = NULL;
}

/* Events that arrived with another call's results make the descriptor readable too. */
static void in_a_loop_of_poll(void **state)
{
    fixture *f = *state;
    struct pollfd fd = {paos_conn_fd(f->conn), POLLIN, 0};
    watch w = {0};

    subscribe(f, &w);
    while (!paosi_pgio_pending(f->conn->io))
        paos_list_free(get(f->conn, "t.thing", NULL));
    assert_int_equal(poll(&fd, 1, -1), 1);
    OK(f->conn, paos_conn_dispatch(f->conn, 0, NULL));
    assert_int_equal(w.events, 1);
    assert_int_equal(poll(&fd, 1, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_a_loop_of_libuv),
        TEST(in_a_loop_of_libev),
        TEST(in_a_loop_of_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
