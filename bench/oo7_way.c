/*
 * oo7_way.c - OO7's connections: one by paos and one by hand, made anew for each cold run.
 *
 * What is done here is never timed.  Both sides learn here what belongs to a connection and
 * not to an operation: the classes, and what statements are prepared.
 */
#include "bench.h"
#include "oo7.h"

static void close_paos(oo7_way *way)
{
    if (!way->conn)
        return;
    oo7_paos_close(&way->paos);
    paos_conn_close(way->conn);
    way->conn = NULL;
}

static void close_hand(oo7_way *way)
{
    if (!way->pq)
        return;
    oo7_hand_close(&way->hand);
    PQfinish(way->pq);
    way->pq = NULL;
}

void oo7_way_renew_paos(oo7_way *way, const oo7_graph *graph, bool stated)
{
    close_paos(way);
    check(NULL, paos_conn_open(way->conninfo, "bench", &way->conn));
    oo7_paos_open(&way->paos, way->conn, graph);
    way->paos.stated = stated;
}

void oo7_way_renew_hand(oo7_way *way, const oo7_graph *graph)
{
    close_hand(way);
    way->pq = connect_to(way->conninfo);
    oo7_hand_open(&way->hand, way->pq, graph);
}

void oo7_way_close(oo7_way *way)
{
    close_paos(way);
    close_hand(way);
}
