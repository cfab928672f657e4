/*
 * oo7_test.c - the OO7 benchmark in its tiny configuration: every operation by the C
 * client comes to what the same on plain C structs does, and to what the definition says.
 *
 * Nothing is timed here; `make bench` runs the same with more objects, and measures it.
 */
#include "client.h"

#include "../../bench/bench.h"
#include "../../bench/oo7.h"

typedef struct library
{
    fixture *fixture;
    oo7_graph *graph;
    oo7_paos paos;
} library;

/* What the benchmark's files do when something is wrong. */
void die(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail_msg("%s", text);
    abort();
}

void check(const paos_conn *conn, paos_status status)
{
    OK(conn, status);
}

static int set_up(void **state)
{
    library *l = calloc(1, sizeof *l);

    setup((void **) &l->fixture);
    l->graph = oo7_graph_make(&oo7_tiny, 1);
    oo7_store(l->fixture->pg, l->graph);
    oo7_paos_open(&l->paos, l->fixture->conn, l->graph);
    *state = l;
    return 0;
}

static int tear_down(void **state)
{
    library *l = *state;

    oo7_paos_close(&l->paos);
    oo7_graph_free(l->graph);
    sql(l->fixture, "DROP SCHEMA oo7 CASCADE");
    teardown((void **) &l->fixture);
    free(l);
    return 0;
}

/* Runs an operation on both, and looks at the tables when it writes. */
static int64_t run(library *l, oo7_operation operation)
{
    int64_t expected = oo7_expected(l->graph->config, operation);
    oo_tally model = oo7_model_run(l->graph, operation);
    oo_tally paos = oo7_paos_run(&l->paos, operation);

    if (paos.count != model.count || paos.sum != model.sum ||
        (expected >= 0 && paos.count != expected))
        fail_msg("%s: count %lld, sum %lld; not %lld, %lld; by definition %lld",
                 oo7_names[operation], (long long) paos.count, (long long) paos.sum,
                 (long long) model.count, (long long) model.sum, (long long) expected);
    if (oo7_writes[operation])
        oo7_verify(l->fixture->pg, l->graph, operation == OO7_SM1);
    return paos.count;
}

static void the_library_is_what_the_definition_says(void **state)
{
    library *l = *state;

    assert_sql(l->fixture, "SELECT count(*) FROM ONLY oo7.complex_assembly", "4");
    assert_sql(l->fixture, "SELECT count(*) FROM oo7.base_assembly", "9");
    assert_sql(l->fixture, "SELECT count(*) FROM oo7.assembly", "13");
    assert_sql(l->fixture, "SELECT count(*) FROM oo7.composite_part", "10");
    assert_sql(l->fixture, "SELECT count(*) FROM oo7.atomic_part", "50");
    assert_sql(l->fixture, "SELECT count(*) FROM oo7.connection", "150");
    assert_sql(l->fixture, "SELECT DISTINCT length(text) FROM oo7.document", "199");
    assert_sql(l->fixture, "SELECT length(text) FROM oo7.manual", "999");
    oo7_verify(l->fixture->pg, l->graph, false);
}

static void traversals_reach_all_parts(void **state)
{
    library *l = *state;

    assert_int_equal(run(l, OO7_T1), 135);
    assert_int_equal(run(l, OO7_T6), 27);
    assert_int_equal(run(l, OO7_T4), 108);
    assert_int_equal(run(l, OO7_T8), 27);
    assert_int_equal(run(l, OO7_T9), 0);
    assert_true(run(l, OO7_T7) >= 3);
}

/* The second time everything is here. */
static void a_traversal_is_free_the_second_time(void **state)
{
    library *l = *state;

    run(l, OO7_T1);
    round_trips(l->fixture);
    run(l, OO7_T1);
    assert_int_equal(round_trips(l->fixture), 0);
}

static void updates_are_committed(void **state)
{
    library *l = *state;

    assert_int_equal(run(l, OO7_T2A), 27);
    assert_int_equal(run(l, OO7_T2B), 135);
    assert_int_equal(run(l, OO7_T2C), 540);
    assert_int_equal(run(l, OO7_T3A), 27);
    assert_int_equal(run(l, OO7_T3B), 135);
    assert_int_equal(run(l, OO7_T3C), 540);
    assert_int_equal(run(l, OO7_CU), 27);
}

static void texts_change_their_length_and_back(void **state)
{
    library *l = *state;
    int64_t changed = run(l, OO7_T5_DO);

    assert_true(changed > 0 && changed <= 10);
    assert_int_equal(run(l, OO7_T5_DO), 0);
    assert_int_equal(run(l, OO7_T5_UNDO), changed);
    assert_int_equal(run(l, OO7_T4), 108);
}

static void queries_find_what_there_is(void **state)
{
    library *l = *state;

    for (int i = OO7_Q1; i <= OO7_Q8; i++)
        run(l, (oo7_operation) i);
}

/* Parts come and go again, and the next traversal finds them and not. */
static void structure_changes(void **state)
{
    library *l = *state;

    assert_int_equal(run(l, OO7_SM1), 5 * (1 + 5 + 15));
    l->paos.tally.count = 0;
    assert_int_equal(oo7_paos_run(&l->paos, OO7_T1).count, 135 + 9 * 5);
    assert_int_equal(run(l, OO7_SM2), 5 * (1 + 5 + 15));
    assert_int_equal(run(l, OO7_T1), 135);
}

#define LIBRARY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIBRARY(the_library_is_what_the_definition_says),
        LIBRARY(traversals_reach_all_parts),
        LIBRARY(a_traversal_is_free_the_second_time),
        LIBRARY(updates_are_committed),
        LIBRARY(texts_change_their_length_and_back),
        LIBRARY(queries_find_what_there_is),
        LIBRARY(structure_changes),
    };

    return cmocka_run_group_tests_name("oo7", tests, NULL, NULL);
}
