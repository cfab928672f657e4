/*
 * fake_program.c - small programs that use the library, to be run under mishaps.
 *
 * A program's result is the status of its first call that fails.  Where a call
 * has no status, NULL with an error on the connection is one.
 */
#include "fake_program.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- helpers ---- */

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_int_equal(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    return object;
}

static void fetch_all(fake_use *use)
{
    use->objects[0] = fetch(use->conn, PERSON, 1);
    use->objects[1] = fetch(use->conn, PERSON, 2);
    use->objects[2] = fetch(use->conn, CHILD, 4);
    use->objects[3] = fetch(use->conn, PLACE, 1);
}

/* NULL is a failure when there is an error; it has none before. */
static paos_status result_of(const fake_use *use, const void *result)
{
    return result ? PAOS_OK : paos_conn_error(use->conn)->status;
}

static paos_status get(fake_use *use, paos_mode mode, const char *query,
                       const paos_get_options *options)
{
    const paos_value args[] = {paos_int(5), paos_date(0)};

    paos_list_free(use->list);
    use->list = NULL;
    return paos_get_with(use->conn, mode, "public.person", query, args, query ? 2 : 0, options,
                         &use->list);
}

/* ---- reading ---- */

static paos_status run_get(fake_use *use)
{
    return get(use, PAOS_READ, "age > $1 and born > $2", NULL);
}

static void check_get(const fake_use *use)
{
    assert_int_equal(paos_list_size(use->list), 4);
    assert_string_equal(paos_object_text(paos_list_at(use->list, 1), "name"), "Sue");
}

static paos_status run_get_write(fake_use *use)
{
    return get(use, PAOS_WRITE, NULL, NULL);
}

static paos_status run_prefetch(fake_use *use)
{
    const paos_get_options options = {.load = PAOS_LOAD_REFUSE, .prefetch = 2};

    return get(use, PAOS_READ, NULL, &options);
}

static void check_prefetch(const fake_use *use)
{
    paos_object *home = paos_object_ref(paos_list_at(use->list, 0), "home");

    assert_non_null(home);
    assert_string_equal(paos_object_text(home, "name"), "Inn");
}

static paos_status run_fetch(fake_use *use)
{
    paos_status status;

    paos_object_release(use->objects[0]);
    use->objects[0] = NULL;
    status = paos_fetch(use->conn, fake_id(PERSON, 1), &use->objects[0]);
    return status;
}

static void prepare_list(fake_use *use)
{
    assert_int_equal(get(use, PAOS_READ, NULL, NULL), PAOS_OK);
}

static paos_status run_ref(fake_use *use)
{
    return result_of(use, paos_object_ref(paos_list_at(use->list, 0), "home"));
}

static paos_status run_refs(fake_use *use)
{
    paos_list *friends = NULL;
    paos_status status = paos_object_refs(paos_list_at(use->list, 1), "friends", &friends);

    assert_int_equal(paos_list_size(friends), status == PAOS_OK ? 2 : 0);
    paos_list_free(friends);
    return status;
}

/* The child was read through its parent. */
static paos_status run_complete(fake_use *use)
{
    return result_of(use, paos_object_text(paos_list_at(use->list, 3), "toy"));
}

static paos_status run_texts(fake_use *use)
{
    static const char *const names[] = {"age", "loves", "friends"};
    size_t i;

    for (i = 0; i < 3; i++)
    {
        const char *text = paos_object_text(use->objects[1], names[i]);

        if (!text)
            return paos_conn_error(use->conn)->status;
    }
    return PAOS_OK;
}

static void prepare_alter(fake_use *use)
{
    fetch_all(use);
    fake_class_alter(PLACE, "id int4 !, name text, mood text !, rooms int4");
    fake_write(PLACE, 1, "rooms", fake_int4(12));
}

static paos_status run_alter(fake_use *use)
{
    paos_value value;

    return paos_object_get(use->objects[3], "rooms", &value);
}

static void check_alter(const fake_use *use)
{
    assert_int_equal(paos_object_int(use->objects[3], "rooms"), 12);
}

static void prepare_refresh(fake_use *use)
{
    fetch_all(use);
    assert_int_equal(paos_object_set(use->objects[0], "age", paos_int(99)), PAOS_OK);
    fake_write(PERSON, 2, "age", fake_int4(42));
}

static paos_status run_refresh(fake_use *use)
{
    return paos_refresh(use->conn, use->objects, 4);
}

static void check_refresh(const fake_use *use)
{
    assert_int_equal(paos_object_int(use->objects[0], "age"), 30);
    assert_int_equal(paos_object_int(use->objects[1], "age"), 42);
}

static paos_status run_lock(fake_use *use)
{
    return paos_lock(use->conn, use->objects, 4, 100);
}

static void prepare_locked(fake_use *use)
{
    fake_rule *rule = fake_on("paos.lock_all");

    fetch_all(use);
    fake_columns(rule, "lock_all bool");
    fake_row(rule, fake_bool(false));
    rule = fake_on("paos.rights");
    fake_columns(rule, "format text");
    fake_row(rule, fake_text("Object 1:1 is held by editor."));
}

static paos_status run_attribute(fake_use *use)
{
    return result_of(use, paos_class_attribute(use->conn, "child", "toy"));
}

/* ---- writing ---- */

static paos_status run_set(fake_use *use)
{
    const paos_value friends[] = {paos_ref(use->objects[1]), paos_null(), paos_ref_id(1)};
    paos_object *john = use->objects[0];
    paos_status status = paos_object_set(john, "name", paos_text("a name that is longer than it"));

    if (status == PAOS_OK)
        status = paos_object_set(john, "friends", paos_array(friends, 2));
    if (status == PAOS_OK)
        status = paos_object_set(john, "loves", paos_ref(use->objects[3]));
    return status;
}

static void check_set(const fake_use *use)
{
    assert_string_equal(paos_object_text(use->objects[0], "name"), "a name that is longer than it");
    assert_ptr_equal(paos_object_ref(use->objects[0], "loves"), use->objects[3]);
}

static paos_status run_new(fake_use *use)
{
    paos_status status = PAOS_OK;

    if (!use->objects[0])
        status = paos_object_new(use->conn, "public.person", &use->objects[0]);
    if (status == PAOS_OK && !paos_object_id(use->objects[0]))
        status = paos_object_set(use->objects[0], "id", paos_int(500));
    if (status == PAOS_OK)
        status = paos_object_set(use->objects[0], "name", paos_text("Ann"));
    return status;
}

static void prepare_new(fake_use *use)
{
    size_t i;

    for (i = 0; i < 4; i++)
    {
        assert_int_equal(paos_object_new(use->conn, i < 3 ? "person" : "place", &use->objects[i]),
                         PAOS_OK);
        assert_int_equal(paos_object_set(use->objects[i], "name", paos_text("new")), PAOS_OK);
    }
    assert_int_equal(paos_object_set(use->objects[0], "loves", paos_ref(use->objects[1])), PAOS_OK);
    assert_int_equal(paos_object_set(use->objects[1], "boss", paos_ref(use->objects[2])), PAOS_OK);
    assert_int_equal(paos_object_set(use->objects[2], "home", paos_ref(use->objects[3])), PAOS_OK);
}

static paos_status run_register(fake_use *use)
{
    return paos_register(use->conn, use->objects, 4);
}

static void check_register(const fake_use *use)
{
    size_t i;

    for (i = 0; i < 4; i++)
    {
        paos_object *same = NULL;

        assert_int_equal(paos_fetch(use->conn, paos_object_id(use->objects[i]), &same), PAOS_OK);
        assert_ptr_equal(same, use->objects[i]);
        paos_object_release(same);
    }
    assert_ptr_equal(paos_object_ref(use->objects[1], "boss"), use->objects[2]);
}

static paos_status run_commit(fake_use *use)
{
    return paos_commit(use->conn, NULL, 0);
}

static void check_new(const fake_use *use)
{
    check_register(use);
    assert_int_equal(fake_stored_rows(PERSON), 3 + 3);
    assert_int_equal(fake_stored_rows(PLACE), 1 + 1);
    assert_int_equal(
        fake_stored_int(PERSON, (int64_t) paosi_id_key(paos_object_id(use->objects[1])), "boss"),
        paosi_id_key(paos_object_id(use->objects[2])));
}

/* So many that they are copied. */
static void prepare_many(fake_use *use)
{
    size_t i;

    prepare_new(use);
    for (i = 0; i < 150; i++)
    {
        paos_object *object = NULL;

        assert_int_equal(paos_object_new(use->conn, "person", &object), PAOS_OK);
        assert_int_equal(paos_object_set(object, "boss", paos_ref(use->objects[0])), PAOS_OK);
        paos_object_release(object);
    }
}

static void check_many(const fake_use *use)
{
    check_register(use);
    assert_int_equal(fake_stored_rows(PERSON), 3 + 3 + 150);
    assert_int_equal(fake_stored_rows(PLACE), 1 + 1);
}

/* So much that it is copied in pieces. */
static void prepare_pieces(fake_use *use)
{
    char name[400] = "";
    size_t i;

    prepare_new(use);
    memset(name, 'x', sizeof name - 1);
    for (i = 0; i < 250; i++)
    {
        paos_object *object = NULL;

        assert_int_equal(paos_object_new(use->conn, "place", &object), PAOS_OK);
        assert_int_equal(paos_object_set(object, "name", paos_text(name)), PAOS_OK);
        paos_object_release(object);
    }
}

static void check_pieces(const fake_use *use)
{
    check_register(use);
    assert_int_equal(fake_stored_rows(PERSON), 3 + 3);
    assert_int_equal(fake_stored_rows(PLACE), 1 + 1 + 250);
}

/* One changed, one deleted, one new. */
static void prepare_mixed(fake_use *use)
{
    fetch_all(use);
    paos_object_release(use->objects[3]);
    assert_int_equal(paos_object_new(use->conn, "place", &use->objects[3]), PAOS_OK);
    assert_int_equal(paos_object_set(use->objects[3], "name", paos_text("Barn")), PAOS_OK);
    assert_int_equal(paos_object_set(use->objects[0], "home", paos_ref(use->objects[3])), PAOS_OK);
    assert_int_equal(paos_delete(use->conn, use->objects[2]), PAOS_OK);
}

static void check_mixed(const fake_use *use)
{
    paos_id barn = paos_object_id(use->objects[3]);

    assert_int_equal(fake_stored_int(PERSON, 1, "home"), paosi_id_key(barn));
    assert_false(fake_exists(CHILD, 4));
    assert_true(fake_exists(PLACE, (int64_t) paosi_id_key(barn)));
    assert_false(paos_object_exists(use->objects[2]));
    assert_ptr_equal(paos_object_ref(use->objects[0], "home"), use->objects[3]);
}

static void prepare_conflict(fake_use *use)
{
    prepare_mixed(use);
    fake_write(CHILD, 4, "age", fake_int4(8));
}

static void check_conflict(const fake_use *use)
{
    const paos_list *conflicts = paos_conn_conflicts(use->conn);

    assert_int_equal(paos_list_size(conflicts), 1);
    assert_ptr_equal(paos_list_at(conflicts, 0), use->objects[2]);
    assert_true(fake_exists(CHILD, 4));
    assert_int_equal(fake_stored_int(PERSON, 1, "home"), 1);
}

static void prepare_error(fake_use *use)
{
    prepare_mixed(use);
    fake_error(fake_on("UPDATE "), "23514", "violates check", "d", "h");
}

static void check_error(const fake_use *use)
{
    (void) use;
    assert_true(fake_exists(CHILD, 4));
    assert_int_equal(fake_stored_int(PERSON, 1, "home"), 1);
}

const fake_program fake_programs[] = {
    {"get", NULL, run_get, check_get, PAOS_OK, 0},
    {"get to write", NULL, run_get_write, check_get, PAOS_OK, 0},
    {"prefetch", NULL, run_prefetch, check_prefetch, PAOS_OK, 0},
    {"fetch", NULL, run_fetch, NULL, PAOS_OK, 0},
    {"reference", prepare_list, run_ref, NULL, PAOS_OK, 0},
    {"references", prepare_list, run_refs, NULL, PAOS_OK, 0},
    {"complete", prepare_list, run_complete, NULL, PAOS_OK, 0},
    {"texts", fetch_all, run_texts, NULL, PAOS_OK, 0},
    {"altered class", prepare_alter, run_alter, check_alter, PAOS_OK, 0},
    {"refresh", prepare_refresh, run_refresh, check_refresh, PAOS_OK, 0},
    {"lock", fetch_all, run_lock, NULL, PAOS_OK, 0},
    {"lock refused", prepare_locked, run_lock, NULL, PAOS_TIMEOUT, 0},
    {"attribute", NULL, run_attribute, NULL, PAOS_OK, 0},
    {"set", fetch_all, run_set, check_set, PAOS_OK, 0},
    {"new", NULL, run_new, NULL, PAOS_OK, 0},
    {"register", prepare_new, run_register, check_register, PAOS_OK, 0},
    {"commit of new", prepare_new, run_commit, check_new, PAOS_OK, 0},
    {"commit of many", prepare_many, run_commit, check_many, PAOS_OK, 50},
    {"commit in pieces", prepare_pieces, run_commit, check_pieces, PAOS_OK, 40},
    {"commit of all kinds", prepare_mixed, run_commit, check_mixed, PAOS_OK, 0},
    {"commit with a conflict", prepare_conflict, run_commit, check_conflict, PAOS_CONFLICT, 0},
    {"commit with an error", prepare_error, run_commit, check_error, PAOS_SERVER, 0},
    {"commit of nothing", NULL, run_commit, NULL, PAOS_OK, 0},
};

const size_t fake_programs_size = sizeof fake_programs / sizeof fake_programs[0];

/* ---- running them ---- */

void fake_program_begin(const fake_program *program, fake_use *use)
{
    fake_world_begin();
    fake_world_people();
    memset(use, 0, sizeof *use);
    use->conn = fake_world_open();
    if (program->prepare)
        program->prepare(use);
    paos_conn_error_clear(use->conn);
    fake_log_clear();
}

void fake_program_end(fake_use *use)
{
    paos_conn_close(use->conn);
    paos_list_free(use->list);
    fake_world_end();
}
