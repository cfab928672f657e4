/*
 * commit_test.c - what a commit sends, and what it leaves behind.
 *
 * Connections that break on the way are in broken_test.c, memory that runs out
 * in memory_test.c.
 */
#include "fake_world.h"
#include "unit.h"

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    fake_log_clear();
    return object;
}

static paos_object *make(paos_conn *conn, const char *class_name, const char *name)
{
    paos_object *object = NULL;

    assert_status(paos_object_new(conn, class_name, &object), PAOS_OK);
    assert_status(paos_object_set(object, "name", paos_text(name)), PAOS_OK);
    fake_log_clear();
    return object;
}

static void release(paos_object *const *objects, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        paos_object_release(objects[i]);
}

/* ---- new objects ---- */

static void new_objects_are_two_round_trips(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[50];
    size_t i;

    for (i = 0; i < 50; i++)
        objects[i] = make(conn, "person", "new");
    assert_status(paos_commit(conn, objects, 50), PAOS_OK);
    /* Ids, then everything else. */
    assert_int_equal(fake_exchanges(), 2);
    assert_int_equal(fake_sent_with("paos.register_objects"), 1);
    assert_int_equal(fake_sent_with("INSERT INTO"), 1);
    assert_string_equal(fake_sent_at(1)->sql, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
    assert_int_equal(fake_sent_find("=COMMIT", 0)->exchange, 1);
    assert_int_equal(fake_sent_find("paos.release()", 0)->exchange, 1);
    assert_int_equal(fake_stored_rows(PERSON), 3 + 50);
    for (i = 0; i < 50; i++)
        assert_string_equal(
            fake_stored_text(PERSON, (int64_t) paosi_id_key(paos_object_id(objects[i])), "name"),
            "new");
    release(objects, 50);
}

static void ids_come_in_blocks(void **state)
{
    paos_conn *conn = *state;
    size_t trips = 0;
    size_t i;

    for (i = 0; i < 50; i++)
    {
        paos_object *object = make(conn, "person", "new");

        assert_status(paos_register(conn, &object, 1), PAOS_OK);
        trips += fake_exchanges();
        assert_true(paos_object_id(object) != 0);
        paos_object_release(object);
    }
    assert_true(trips <= 3);
}

static void new_objects_refer_to_each_other(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    paos_object *bob = make(conn, "person", "Bob");
    const paos_value both[] = {paos_ref(ann), paos_null(), paos_ref(bob)};
    int64_t ann_key, bob_key;

    assert_status(paos_object_set(ann, "loves", paos_ref(bob)), PAOS_OK);
    assert_status(paos_object_set(bob, "boss", paos_ref(ann)), PAOS_OK);
    assert_status(paos_object_set(bob, "friends", paos_array(both, 3)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    ann_key = (int64_t) paosi_id_key(paos_object_id(ann));
    bob_key = (int64_t) paosi_id_key(paos_object_id(bob));
    assert_true(fake_stored_int(PERSON, ann_key, "loves") == (int64_t) fake_id(PERSON, bob_key));
    assert_int_equal(fake_stored_int(PERSON, bob_key, "boss"), ann_key);
    fake_log_clear();
    assert_ptr_equal(paos_object_ref(ann, "loves"), bob);
    assert_ptr_equal(paos_object_ref(bob, "boss"), ann);
    assert_int_equal(fake_exchanges(), 0);
    release((paos_object *[]){ann, bob}, 2);
}

/* They refer to objects that are not here: one round trip loads them for all. */
static void new_objects_are_siblings(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[3];
    size_t i;

    for (i = 0; i < 3; i++)
    {
        objects[i] = make(conn, "person", "new");
        assert_status(
            paos_object_set(objects[i], "loves", paos_ref_id(fake_id(PERSON, (int64_t) i + 1))),
            PAOS_OK);
    }
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    fake_log_clear();
    for (i = 0; i < 3; i++)
        assert_non_null(paos_object_ref(objects[i], "loves"));
    assert_int_equal(fake_exchanges(), 1);
    release(objects, 3);
}

/* Only one of two is committed: the other gets its id, since it is referred to, and stays new. */
static void a_target_that_is_not_committed_gets_its_id(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    paos_object *bob = make(conn, "person", "Bob");

    assert_status(paos_object_set(ann, "loves", paos_ref(bob)), PAOS_OK);
    assert_status(paos_commit(conn, &ann, 1), PAOS_OK);
    assert_true(paos_object_id(bob) != 0);
    assert_int_equal(fake_stored_rows(PERSON), 4);
    assert_int_equal(conn->cache.dirty.size, 1);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_rows(PERSON), 5);
    release((paos_object *[]){ann, bob}, 2);
}

static void a_reference_to_a_deleted_new_object_fails(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    paos_object *bob = make(conn, "person", "Bob");

    assert_status(paos_object_set(ann, "loves", paos_ref(bob)), PAOS_OK);
    assert_status(paos_delete(conn, bob), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_INVALID);
    assert_int_equal(fake_sent_with("BEGIN"), 0);
    assert_status(paos_object_set(ann, "loves", paos_null()), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_rows(PERSON), 4);
    release((paos_object *[]){ann, bob}, 2);
}

/* ---- changes ---- */

static void changes_can_be_committed_again_and_again(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    int64_t age;

    for (age = 50; age < 55; age++)
    {
        assert_status(paos_object_set(john, "age", paos_int(age)), PAOS_OK);
        assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
        assert_int_equal(fake_stored_int(PERSON, 1, "age"), age);
    }
    paos_object_release(john);
}

/* In the row that is there when it fits, in a new one when not; the rest stays as it was. */
static void changes_are_in_the_row_after_it(void **state)
{
    static const char *const names[] = {"Jack", "Jacqueline", "Jo", NULL, "John"};
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_object *home = paos_object_ref(john, "home");
    size_t i;

    for (i = 0; i < COUNT(names); i++)
    {
        assert_status(paos_object_set(john, "age", paos_int((int64_t) i)), PAOS_OK);
        assert_status(paos_object_set(john, "name", names[i] ? paos_text(names[i]) : paos_null()),
                      PAOS_OK);
        assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
        fake_log_clear();
        assert_int_equal(paos_object_int(john, "age"), i);
        if (names[i])
            assert_string_equal(paos_object_text(john, "name"), names[i]);
        else
            assert_null(paos_object_text(john, "name"));
        assert_ptr_equal(paos_object_ref(john, "home"), home);
        assert_int_equal(fake_sent_count(), 0);
    }
    paos_object_release(john);
}

static void without_changes_only_rights_are_given_up(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_commit(conn, &john, 1), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_sent_count(), 2);
    assert_int_equal(fake_sent_with("paos.release()"), 2);
    paos_object_release(john);
}

/* Whatever a user's trigger makes of a row is loaded when it is asked for. */
static void a_restless_class_is_read_back(void **state)
{
    paos_conn *conn = *state;
    paos_object *john;

    fake_class_restless(PERSON);
    john = fetch(conn, PERSON, 1);
    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    fake_log_clear();
    assert_string_equal(paos_object_text(john, "name"), "John");
    assert_int_equal(fake_sent_with(FAKE_SELECT), 1);
    paos_object_release(john);
}

/* ---- deletions ---- */

static void deleted_objects_are_gone(void **state)
{
    paos_conn *conn = *state;
    paos_object *tim = fetch(conn, CHILD, 4);

    assert_status(paos_delete(conn, tim), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_false(fake_exists(CHILD, 4));
    assert_false(paos_object_exists(tim));
    assert_int_equal(fake_sent_with("DELETE FROM public.child"), 1);
    assert_null(paos_cached(conn, fake_id(CHILD, 4)));
    paos_object_release(tim);
}

/* ---- conflicts ---- */

static void stale_objects_are_listed(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[] = {fetch(conn, PERSON, 1), fetch(conn, PERSON, 2),
                              fetch(conn, PERSON, 3), fetch(conn, PLACE, 1)};
    const paos_list *conflicts;
    size_t i;

    for (i = 0; i < 4; i++)
        assert_status(paos_object_set(objects[i], "name", paos_text("mine")), PAOS_OK);
    fake_write(PERSON, 2, "name", fake_text("theirs"));
    fake_remove(PLACE, 1);
    assert_status(paos_commit(conn, NULL, 0), PAOS_CONFLICT);
    conflicts = paos_conn_conflicts(conn);
    assert_int_equal(paos_list_size(conflicts), 2);
    assert_ptr_equal(paos_list_at(conflicts, 0), objects[1]);
    assert_ptr_equal(paos_list_at(conflicts, 1), objects[3]);
    assert_int_equal(fake_sent_with("=ROLLBACK"), 1);
    assert_string_equal(fake_stored_text(PERSON, 1, "name"), "John");
    assert_string_equal(fake_stored_text(PERSON, 2, "name"), "theirs");
    assert_int_equal(conn->cache.dirty.size, 4);
    release(objects, 4);
}

static void a_conflict_can_be_retried(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_object *sue = fetch(conn, PERSON, 2);

    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_object_set(sue, "age", paos_int(42)), PAOS_OK);
    fake_write(PERSON, 1, "name", fake_text("Jon"));
    assert_status(paos_commit(conn, NULL, 0), PAOS_CONFLICT);
    assert_status(paos_object_refresh(paos_list_at(paos_conn_conflicts(conn), 0)), PAOS_OK);
    assert_string_equal(paos_object_text(john, "name"), "Jon");
    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(paos_list_size(paos_conn_conflicts(conn)), 0);
    assert_int_equal(fake_stored_int(PERSON, 1, "age"), 31);
    assert_int_equal(fake_stored_int(PERSON, 2, "age"), 42);
    release((paos_object *[]){john, sue}, 2);
}

/* Loading what someone else wrote does not make a change newer than it is. */
static void a_change_keeps_the_version_it_was_made_on(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_list *list = NULL;

    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    fake_write(PERSON, 1, "name", fake_text("Jon"));
    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_CONFLICT);
    paos_list_free(list);
    paos_object_release(john);
}

/* ---- errors of the server ---- */

static void an_error_stores_nothing(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    paos_object *john = fetch(conn, PERSON, 1);
    fake_rule *rule = fake_on("UPDATE public.person");

    fake_error(rule, "23514", "violates check", "Failing row.", "Be nice.");
    fake_times(rule, 1);
    assert_status(paos_object_set(john, "age", paos_int(-1)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_SERVER);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "23514");
    assert_string_equal(paos_conn_error(conn)->message, "violates check");
    assert_string_equal(paos_conn_error(conn)->detail, "Failing row.");
    assert_string_equal(paos_conn_error(conn)->hint, "Be nice.");
    assert_int_equal(fake_stored_rows(PERSON), 3);
    assert_int_equal(conn->cache.dirty.size, 2);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_rows(PERSON), 4);
    release((paos_object *[]){ann, john}, 2);
}

/* An error of a commit of new objects only, and one that only COMMIT finds (deferred). */
static void any_statement_may_fail(void **state)
{
    static const char *const places[] = {"BEGIN", "INSERT INTO", "pg_current_xact_id", "=COMMIT"};
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    size_t i;

    for (i = 0; i < COUNT(places); i++)
    {
        fake_rule *rule = fake_on(places[i]);

        fake_error(rule, "23503", "violates foreign key", "", "");
        fake_times(rule, 1);
        assert_status(paos_commit(conn, NULL, 0), PAOS_SERVER);
        assert_false(fake_in_transaction());
        assert_int_equal(fake_stored_rows(PERSON), 3);
    }
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_rows(PERSON), 4);
    paos_object_release(ann);
}

static void a_right_of_another_is_locked(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    fake_error(fake_on("UPDATE"), "55P03", "object 1:1 is locked", "Held by editor.", "");
    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_LOCKED);
    assert_string_equal(paos_conn_error(conn)->detail, "Held by editor.");
    paos_object_release(john);
}

/* Results that the server would never send. */
static void malformed_answers_are_no_crash(void **state)
{
    static const fake_cell keys[] = {{.null = true}, {.size = 4}, {.size = 8}};
    size_t i;

    for (i = 0; i < COUNT(keys); i++)
    {
        paos_conn *conn = *state;
        paos_object *john = fetch(conn, PERSON, 1);
        fake_rule *rule = fake_on("UPDATE");

        fake_columns(rule, "k int8");
        fake_row_cells(rule, &keys[i]);
        fake_times(rule, 1);
        assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
        assert_int_not_equal(paos_commit(conn, NULL, 0), PAOS_OK);
        paos_object_release(john);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_objects_are_two_round_trips),
        TEST(ids_come_in_blocks),
        TEST(new_objects_refer_to_each_other),
        TEST(new_objects_are_siblings),
        TEST(a_target_that_is_not_committed_gets_its_id),
        TEST(a_reference_to_a_deleted_new_object_fails),
        TEST(changes_can_be_committed_again_and_again),
        TEST(changes_are_in_the_row_after_it),
        TEST(without_changes_only_rights_are_given_up),
        TEST(a_restless_class_is_read_back),
        TEST(deleted_objects_are_gone),
        TEST(stale_objects_are_listed),
        TEST(a_conflict_can_be_retried),
        TEST(a_change_keeps_the_version_it_was_made_on),
        TEST(an_error_stores_nothing),
        TEST(any_statement_may_fail),
        TEST(a_right_of_another_is_locked),
        TEST(malformed_answers_are_no_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
