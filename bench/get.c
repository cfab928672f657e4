/*
 * get.c - case: 10,000 objects by a query, none of them cached.
 *
 * By hand it is the binary query, with each value touched where libpq put it: no
 * object is made of it, so that is a limit and not a program.
 */
#include "bench.h"

static const char *const names[] = {"id", "name", "size", "weight", "next"};

#define SIZES ((int64_t) NODES * (NODES - 1) / 2)

/* Reads every attribute; returns the sum of sizes. */
static int64_t read_all(paos_conn *conn, const paos_list *list)
{
    const paos_attribute *at[5];
    int64_t sum = 0;

    for (int i = 0; i < 5; i++)
        at[i] = paos_class_attribute(conn, "bench.node", names[i]);
    for (size_t i = 0; i < paos_list_size(list); i++)
    {
        paos_object *object = paos_list_at(list, i);

        if (paos_object_int_at(object, at[0]) == 0 || !paos_object_text_at(object, at[1])[0] ||
            paos_object_float_at(object, at[3]) < 0 || paos_object_int_at(object, at[4]) == 0)
            die("a node is not what it should be");
        sum += paos_object_int_at(object, at[2]);
    }
    return sum;
}

static double run_paos(bench *bench, bool with_read)
{
    double started, got, done;
    paos_list *list;
    int64_t sum;

    empty_cache(bench);
    started = now();
    check(bench->paos, paos_get(bench->paos, PAOS_READ, "bench.node", NULL, NULL, 0, &list));
    got = now();
    sum = read_all(bench->paos, list);
    done = now();
    if (sum != SIZES)
        die("the sum of sizes is wrong");
    paos_list_free(list);
    return (with_read ? done : got) - started;
}

static double get_objects(bench *bench, void *state)
{
    (void) state;
    return run_paos(bench, false);
}

static double get_and_read(bench *bench, void *state)
{
    (void) state;
    return run_paos(bench, true);
}

static double select_binary(bench *bench, void *state)
{
    double started = now();
    PGresult *result = PQexecPrepared(bench->pq, "get_nodes", 0, NULL, NULL, NULL, 1);
    int64_t sum = 0;

    (void) state;
    expect(bench->pq, result, PGRES_TUPLES_OK);
    for (int i = 0; i < PQntuples(result); i++)
    {
        sum += read_int32(PQgetvalue(result, i, 2));
        if (read_int64(PQgetvalue(result, i, 0)) == 0 || !PQgetvalue(result, i, 1)[0] ||
            read_int64(PQgetvalue(result, i, 3)) < 0 || read_int64(PQgetvalue(result, i, 4)) == 0)
            die("a node is not what it should be");
    }
    PQclear(result);
    started = now() - started;
    if (sum != SIZES)
        die("the sum of sizes is wrong");
    return started;
}

void case_get(bench *bench)
{
    static variant variants[] = {{.name = "paos", .run = get_objects},
                                 {.name = "paos, each attribute read", .run = get_and_read},
                                 {.name = "SELECT", .run = select_binary}};

    node_create(bench->admin);
    node_fill(bench->admin, NODES);
    prepare(bench->pq, "get_nodes", "SELECT id, name, size, weight, next FROM bench.node");
    sample(bench, variants, 3, NULL);
    table_compare(bench, "get of 10,000 objects", &variants[0], &variants[2], "<= 1.2");
    table_compare(bench, "the same, with each attribute read", &variants[1], &variants[2], NULL);
}
