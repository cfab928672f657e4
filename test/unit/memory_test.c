/*
 * memory_test.c - memory runs out, at each allocation there is.
 *
 * Whatever allocation fails, the call says PAOS_NO_MEMORY (or does without it
 * and succeeds), nothing is left half done, and the same call succeeds when
 * there is memory again.  That nothing is lost shows the sanitizer.
 */
#include "fake_program.h"
#include "unit.h"

typedef void (*starve)(size_t n);

/* Is a failure all right: was it the memory, and does the error say so? */
static void check_failure(const fake_program *program, const fake_use *use, paos_status status,
                          size_t n)
{
    if (status == program->expected)
        return;
    if (status != PAOS_NO_MEMORY)
        fail_msg("%s, allocation %zu: %s", program->name, n, paos_status_name(status));
    assert_status(paos_conn_error(use->conn)->status, PAOS_NO_MEMORY);
    assert_string_equal(paos_conn_error(use->conn)->message, paos_status_text(PAOS_NO_MEMORY));
}

/*
 * A transaction that there was no memory to roll back has to end with its
 * connection; else everything goes on.
 */
static void check_after(const fake_program *program, fake_use *use, size_t n)
{
    paos_status status;

    if (fake_in_transaction())
        fail_msg("%s, allocation %zu: the transaction is still open", program->name, n);
    paos_conn_error_clear(use->conn);
    status = program->run(use);
    if (use->conn->broken)
    {
        assert_status(status, PAOS_DISCONNECTED);
        return;
    }
    if (status != program->expected)
        fail_msg("%s again after allocation %zu: %s", program->name, n, paos_status_name(status));
    if (program->check)
        program->check(use);
}

/* False when the program did not come to its nth allocation. */
static bool run_starved(const fake_program *program, starve starve, size_t n)
{
    fake_use use;
    paos_status status;
    bool failed;

    fake_program_begin(program, &use);
    starve(n);
    status = program->run(&use);
    failed = fake_alloc_end();
    check_failure(program, &use, status, n);
    if (status == program->expected && program->check)
        program->check(&use);
    /* A success cannot always be had twice. */
    if (status == PAOS_NO_MEMORY)
        check_after(program, &use, n);
    assert_true(failed || status == program->expected);
    fake_program_end(&use);
    return failed;
}

static void run_all_starved(starve starve)
{
    size_t i, n;

    for (i = 0; i < fake_programs_size; i++)
    {
        size_t most = fake_programs[i].allocations ? fake_programs[i].allocations : SIZE_MAX;

        for (n = 0; n < most && run_starved(&fake_programs[i], starve, n);)
            n++;
        /* Sending alone takes memory; only a change here may do without. */
        assert_true(n > 0);
    }
}

static void one_allocation_fails(void **state)
{
    (void) state;
    run_all_starved(fake_alloc_fail);
}

static void all_allocations_fail_from_one_on(void **state)
{
    (void) state;
    run_all_starved(fake_alloc_fail_from);
}

/* ---- opening ---- */

static void open_starved(starve starve)
{
    bool failed = true;
    size_t n;

    for (n = 0; failed; n++)
    {
        paos_conn *conn = NULL;
        paos_status status;

        fake_world_begin();
        starve(n);
        status = paos_conn_open("", "test", &conn);
        failed = fake_alloc_end();
        assert_status(status, failed ? PAOS_NO_MEMORY : PAOS_OK);
        assert_int_equal(conn == NULL, failed);
        if (failed)
            assert_status(paos_conn_error(NULL)->status, PAOS_NO_MEMORY);
        paos_conn_close(conn);
        fake_world_end();
    }
    assert_true(n > 3);
}

static void opening_without_memory(void **state)
{
    (void) state;
    open_starved(fake_alloc_fail);
    open_starved(fake_alloc_fail_from);
}

/* ---- errors ---- */

/* The text of an error needs memory too; its status does not. */
static void an_error_needs_no_memory(void **state)
{
    paos_object *john = NULL;
    const paos_error *error;

    assert_status(paos_fetch(*state, fake_id(PERSON, 1), &john), PAOS_OK);
    fake_alloc_fail_from(0);
    assert_status(paos_object_set(john, "age", paos_text("x")), PAOS_INVALID);
    assert_true(fake_alloc_end());
    error = paos_conn_error(*state);
    assert_status(error->status, PAOS_INVALID);
    assert_string_equal(error->message, paos_status_text(PAOS_INVALID));
    assert_string_equal(error->sqlstate, "");
    assert_string_equal(error->detail, "");
    assert_string_equal(error->hint, "");
    paos_object_release(john);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_fails),
        cmocka_unit_test(all_allocations_fail_from_one_on),
        cmocka_unit_test(opening_without_memory),
        cmocka_unit_test_setup_teardown(an_error_needs_no_memory, fake_world_setup,
                                        fake_world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
