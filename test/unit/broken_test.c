/*
 * broken_test.c - the connection breaks, at each step there is.
 *
 * Every program is run once to see what it sends, and then once for each place
 * where the wire can be cut: after so many statements reached the server, and
 * so many of their results came back.
 */
#include "fake_program.h"
#include "unit.h"

/* Statements of one exchange, and which of them is COMMIT (the size: none). */
typedef struct step
{
    size_t size, commit;
    bool rollback;
} step;

static size_t steps_of(const fake_program *program, step *steps, size_t most)
{
    fake_use use;
    size_t n, i;

    fake_program_begin(program, &use);
    assert_status(program->run(&use), program->expected);
    n = fake_exchanges();
    assert_true(n <= most);
    memset(steps, 0, most * sizeof *steps);
    for (i = 0; i < fake_sent_count(); i++)
    {
        step *s = &steps[fake_sent_at(i)->exchange];

        if (strcmp(fake_sent_at(i)->sql, "COMMIT") != 0 && s->commit == s->size)
            s->commit++;
        s->rollback |= strcmp(fake_sent_at(i)->sql, "ROLLBACK") == 0;
        s->size++;
    }
    fake_program_end(&use);
    return n;
}

/* Where the wire is cut. */
typedef struct cut
{
    size_t exchange, reached, answered;
} cut;

/*
 * Nobody can know whether COMMIT was done when it was sent and not answered.
 * What is rolled back has failed already, and with its connection it ends too.
 */
static paos_status expected_of(const fake_program *program, const step *s, const cut *c)
{
    if (s->rollback)
        return program->expected;
    if (c->reached <= s->commit)
        return PAOS_DISCONNECTED;
    return c->answered > s->commit ? program->expected : PAOS_UNKNOWN;
}

/* What was cached can be read, changed and released; all else is refused at once. */
static void check_disconnected(fake_use *use)
{
    paos_object *object = NULL;
    paos_list *list = NULL;
    size_t sent = fake_sent_count();
    size_t i;

    assert_true(use->conn->broken);
    for (i = 0; i < 4; i++)
        if (use->objects[i] && paos_object_exists(use->objects[i]))
            assert_non_null(paos_object_text(use->objects[i], "name"));
    for (i = 0; i < paos_list_size(use->list); i++)
        assert_non_null(paos_object_text(paos_list_at(use->list, i), "name"));
    if (use->objects[0] && paos_object_exists(use->objects[0]))
        assert_status(paos_object_set(use->objects[0], "name", paos_text("x")), PAOS_OK);
    assert_status(paos_get(use->conn, PAOS_READ, "person", NULL, NULL, 0, &list),
                  PAOS_DISCONNECTED);
    assert_status(paos_commit(use->conn, NULL, 0), PAOS_DISCONNECTED);
    assert_status(paos_fetch(use->conn, fake_id(PERSON, 98), &object), PAOS_DISCONNECTED);
    assert_status(paos_conn_error(use->conn)->status, PAOS_DISCONNECTED);
    assert_string_equal(paos_conn_error(use->conn)->detail, "the fake server hung up");
    assert_null(list);
    assert_null(object);
    assert_int_equal(fake_sent_count(), sent);
}

static void run_cut(const fake_program *program, const step *s, const cut *c)
{
    paos_status expected = expected_of(program, s, c);
    fake_use use;
    paos_status status;

    fake_program_begin(program, &use);
    fake_break(c->exchange, c->reached, c->answered);
    status = program->run(&use);
    if (status != expected)
        fail_msg("%s, exchange %zu cut at %zu of %zu, %zu answered: %s, not %s", program->name,
                 c->exchange, c->reached, s->size, c->answered, paos_status_name(status),
                 paos_status_name(expected));
    if (status != PAOS_OK)
        assert_status(paos_conn_error(use.conn)->status, status);
    assert_false(fake_in_transaction());
    if (status == PAOS_DISCONNECTED)
        assert_int_equal(fake_stored_rows(PERSON) + fake_stored_rows(CHILD), 4);
    if (status == program->expected && program->check)
        program->check(&use);
    check_disconnected(&use);
    fake_program_end(&use);
}

static void cut_program(const fake_program *program)
{
    step steps[16];
    size_t n = steps_of(program, steps, COUNT(steps));
    cut c;

    for (c.exchange = 0; c.exchange < n; c.exchange++)
        for (c.reached = 0; c.reached <= steps[c.exchange].size; c.reached++)
            for (c.answered = 0; c.answered <= c.reached; c.answered++)
                run_cut(program, &steps[c.exchange], &c);
}

static void every_program_is_cut_everywhere(void **state)
{
    size_t i;

    (void) state;
    for (i = 0; i < fake_programs_size; i++)
        cut_program(&fake_programs[i]);
}

/* The server said what is wrong before it hung up: that is known, and that nothing is stored. */
static void an_error_before_the_end_is_no_unknown(void **state)
{
    const fake_program *program = NULL;
    fake_use use;
    size_t i;

    (void) state;
    for (i = 0; i < fake_programs_size; i++)
        if (strcmp(fake_programs[i].name, "commit of new") == 0)
            program = &fake_programs[i];
    fake_program_begin(program, &use);
    fake_error(fake_on("INSERT INTO public.person"), "57P01", "shutting down", "", "");
    fake_break(1, 6, 3);
    assert_status(paos_commit(use.conn, NULL, 0), PAOS_DISCONNECTED);
    assert_int_equal(fake_stored_rows(PERSON), 3);
    check_disconnected(&use);
    fake_program_end(&use);
}

/* Opening has one exchange. */
static void opening_is_cut_everywhere(void **state)
{
    size_t reached, answered;

    (void) state;
    for (reached = 0; reached <= 2; reached++)
        for (answered = 0; answered <= reached; answered++)
        {
            paos_conn *conn = NULL;

            fake_world_begin();
            fake_break(0, reached, answered);
            assert_status(paos_conn_open("", "test", &conn), PAOS_DISCONNECTED);
            assert_null(conn);
            assert_status(paos_conn_error(NULL)->status, PAOS_DISCONNECTED);
            fake_world_end();
        }
}

/* After PAOS_UNKNOWN the changes are still there, to be compared with what is stored. */
static void what_is_unknown_is_kept(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = NULL;

    assert_status(paos_fetch(conn, fake_id(PERSON, 1), &john), PAOS_OK);
    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    fake_break(1, 1, 0);
    assert_status(paos_commit(conn, NULL, 0), PAOS_UNKNOWN);
    assert_status(paos_conn_error(conn)->status, PAOS_UNKNOWN);
    assert_int_equal(paos_object_int(john, "age"), 31);
    assert_int_equal(conn->cache.dirty.size, 1);
    assert_int_equal(fake_stored_int(PERSON, 1, "age"), 31);
    paos_object_release(john);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_program_is_cut_everywhere),
        cmocka_unit_test(an_error_before_the_end_is_no_unknown),
        cmocka_unit_test(opening_is_cut_everywhere),
        cmocka_unit_test_setup_teardown(what_is_unknown_is_kept, fake_world_setup,
                                        fake_world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
