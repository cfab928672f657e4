/*
 * group_test.c - the statements of a commit: how many, in which order, of what.
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

/* place is referred to by person: inserted before, deleted after. */
static void foreign_keys_give_the_order(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    paos_object *home = make(conn, "place", "Home");
    size_t i, insert_person = 0, insert_place = 0, delete_person = 0, delete_place = 0;

    assert_status(paos_object_set(ann, "home", paos_ref(home)), PAOS_OK);
    assert_status(paos_delete(conn, fetch(conn, PERSON, 1)), PAOS_OK);
    assert_status(paos_delete(conn, fetch(conn, PLACE, 1)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    for (i = 0; i < fake_sent_count(); i++)
    {
        const char *sql = fake_sent_at(i)->sql;

        insert_person = strstr(sql, "INSERT INTO public.person") ? i : insert_person;
        insert_place = strstr(sql, "INSERT INTO public.place") ? i : insert_place;
        delete_person = strstr(sql, "DELETE FROM public.person") ? i : delete_person;
        delete_place = strstr(sql, "DELETE FROM public.place") ? i : delete_place;
    }
    assert_true(0 < insert_place && insert_place < insert_person);
    assert_true(insert_person < delete_person && delete_person < delete_place);
    assert_int_equal(fake_stored_int(PERSON, (int64_t) paosi_id_key(paos_object_id(ann)), "home"),
                     (int64_t) paosi_id_key(paos_object_id(home)));
    release((paos_object *[]){ann, home}, 2);
}

static void a_default_is_not_overwritten(void **state)
{
    paos_conn *conn = *state;
    paos_object *plain = make(conn, "place", "plain");
    paos_object *sad = make(conn, "place", "sad");
    paos_object *none = make(conn, "place", "none");
    size_t i;

    assert_status(paos_object_set(sad, "mood", paos_text("sad")), PAOS_OK);
    assert_status(paos_object_set(none, "mood", paos_null()), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_sent_with("INSERT INTO public.place"), 2);
    assert_int_equal(fake_sent_with("\"mood\""), 1);
    for (i = 0; i < fake_sent_count(); i++)
        if (strstr(fake_sent_at(i)->sql, "\"mood\""))
            assert_int_equal(paosi_read32(fake_sent_at(i)->parameters[0].data), 2);
    /* What the server put there is not known here: it is asked for. */
    fake_write(PLACE, (int64_t) paosi_id_key(paos_object_id(plain)), "mood", fake_text("calm"));
    fake_log_clear();
    assert_string_equal(paos_object_text(sad, "mood"), "sad");
    assert_int_equal(fake_exchanges(), 0);
    assert_string_equal(paos_object_text(plain, "mood"), "calm");
    assert_int_equal(fake_exchanges(), 1);
    release((paos_object *[]){plain, sad, none}, 3);
}

static void only_changed_attributes_are_written(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    const char *sql;

    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_commit(conn, &john, 1), PAOS_OK);
    sql = fake_sent_find("UPDATE", 0)->sql;
    assert_non_null(strstr(sql, "SET \"age\" = v.c2 FROM"));
    assert_null(strstr(sql, "name"));
    assert_int_equal(fake_stored_int(PERSON, 1, "age"), 31);
    assert_string_equal(fake_stored_text(PERSON, 1, "name"), "John");
    /* Changes, then COMMIT when none was stale. */
    assert_int_equal(fake_exchanges(), 2);
    assert_int_equal(conn->cache.dirty.size, 0);
    fake_log_clear();
    assert_int_equal(paos_object_int(john, "age"), 31);
    assert_string_equal(paos_object_text(john, "name"), "John");
    assert_int_equal(fake_exchanges(), 0);
    paos_object_release(john);
}

static void the_same_changes_share_a_statement(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[] = {fetch(conn, PERSON, 1), fetch(conn, PERSON, 2),
                              fetch(conn, PERSON, 3)};

    assert_status(paos_object_set(objects[0], "age", paos_int(1)), PAOS_OK);
    assert_status(paos_object_set(objects[1], "name", paos_text("Su")), PAOS_OK);
    assert_status(paos_object_set(objects[2], "age", paos_int(3)), PAOS_OK);
    assert_status(paos_commit(conn, objects, 3), PAOS_OK);
    assert_int_equal(fake_sent_with("UPDATE"), 2);
    assert_int_equal(fake_exchanges(), 2);
    assert_int_equal(fake_stored_int(PERSON, 1, "age"), 1);
    assert_int_equal(fake_stored_int(PERSON, 3, "age"), 3);
    assert_string_equal(fake_stored_text(PERSON, 2, "name"), "Su");
    release(objects, 3);
}

static void an_object_named_twice_is_written_once(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_object *const twice[] = {john, john};

    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    assert_status(paos_commit(conn, twice, 2), PAOS_OK);
    assert_int_equal(paosi_read32(fake_sent_find("UPDATE", 0)->parameters[0].data), 1);
    paos_object_release(john);
}

/* Changed and then deleted, beside one that was only deleted. */
static void changes_of_deleted_objects_do_not_matter(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[] = {fetch(conn, PERSON, 1), fetch(conn, PERSON, 2)};

    assert_status(paos_object_set(objects[0], "age", paos_int(31)), PAOS_OK);
    assert_status(paos_delete(conn, objects[0]), PAOS_OK);
    assert_status(paos_delete(conn, objects[1]), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_sent_with("DELETE FROM"), 1);
    assert_false(fake_exists(PERSON, 1));
    assert_false(fake_exists(PERSON, 2));
    release(objects, 2);
}

/* ---- many ---- */

static void make_many(paos_conn *conn, const char *class_name, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        paos_object_release(make(conn, class_name, i % 3 ? "many" : ""));
}

/* So many that copying them is worth it. */
static void many_are_copied(void **state)
{
    paos_conn *conn = *state;
    paos_object *john;

    make_many(conn, "person", 2000);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_sent_with("INSERT INTO"), 0);
    assert_int_equal(fake_sent_with("paos.copy("), 1);
    assert_int_equal(fake_stored_rows(PERSON), 2003);
    john = fetch(conn, PERSON, 1);
    assert_status(paos_object_set(john, "age", paos_int(31)), PAOS_OK);
    make_many(conn, "place", 1000);
    make_many(conn, "person", 1000);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_sent_with("paos.copy("), 2);
    assert_int_equal(fake_stored_rows(PERSON), 3003);
    assert_int_equal(fake_stored_rows(PLACE), 1001);
    assert_int_equal(fake_stored_int(PERSON, 1, "age"), 31);
    paos_object_release(john);
}

static void copied_objects_are_as_inserted_ones(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    paos_object *home = make(conn, "place", "Home");
    int64_t key;

    assert_status(paos_object_set(ann, "home", paos_ref(home)), PAOS_OK);
    assert_status(paos_object_set(ann, "age", paos_int(-1)), PAOS_OK);
    assert_status(paos_object_set(ann, "loves", paos_ref(ann)), PAOS_OK);
    make_many(conn, "person", 1000);
    make_many(conn, "place", 1000);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    key = (int64_t) paosi_id_key(paos_object_id(ann));
    assert_string_equal(fake_stored_text(PERSON, key, "name"), "Ann");
    assert_int_equal(fake_stored_int(PERSON, key, "age"), -1);
    assert_true(fake_stored_int(PERSON, key, "loves") == (int64_t) paos_object_id(ann));
    assert_int_equal(fake_stored_int(PERSON, key, "home"), paosi_id_key(paos_object_id(home)));
    fake_log_clear();
    assert_ptr_equal(paos_object_ref(ann, "home"), home);
    assert_int_equal(fake_exchanges(), 0);
    /* The version is right too. */
    assert_status(paos_object_set(ann, "age", paos_int(2)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_int(PERSON, key, "age"), 2);
    paos_object_release(ann);
    paos_object_release(home);
}

static void a_failed_copy_stores_nothing(void **state)
{
    paos_conn *conn = *state;
    fake_rule *rule;

    make_many(conn, "person", 1000);
    rule = fake_on("paos.copy(");
    fake_error(rule, "23505", "duplicate key", "", "");
    fake_times(rule, 1);
    assert_status(paos_commit(conn, NULL, 0), PAOS_SERVER);
    assert_false(fake_in_transaction());
    assert_int_equal(fake_stored_rows(PERSON), 3);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_rows(PERSON), 1003);
}

/* 150 of 2,000 bytes each. */
static void make_large(paos_conn *conn)
{
    char name[2000] = "";
    size_t i;

    memset(name, 'x', sizeof name - 1);
    for (i = 0; i < 150; i++)
        paos_object_release(make(conn, "place", name));
}

/* Nothing in place refers to place: the server is at work on one piece while the next is made. */
static void copies_come_in_pieces(void **state)
{
    paos_conn *conn = *state;
    paos_object *home = make(conn, "place", "Home");

    make_large(conn);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_true(fake_sent_with("paos.copy(") > 1);
    assert_int_equal(fake_sent_find("paos.copy(", 0)->exchange,
                     fake_sent_find("=COMMIT", 0)->exchange);
    assert_int_equal(fake_stored_rows(PLACE), 152);
    fake_log_clear();
    assert_string_equal(paos_object_text(home, "name"), "Home");
    assert_int_equal(fake_sent_count(), 0);
    paos_object_release(home);
}

/* Foreign keys of several columns are none that are known here: what they refuse comes as one. */
static void pieces_that_refer_to_each_other_are_one(void **state)
{
    paos_conn *conn = *state;
    paos_object *home = make(conn, "place", "Home");
    fake_rule *rule = fake_on("paos.copy(");
    size_t pieces;

    fake_error(rule, "23503", "violates foreign key", "", "");
    fake_times(rule, 1);
    make_large(conn);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    pieces = fake_sent_with("paos.copy(");
    assert_int_equal(fake_sent_with("=ROLLBACK"), 1);
    assert_int_equal(fake_stored_rows(PLACE), 152);
    fake_log_clear();
    fake_times(rule, 1);
    make_large(conn);
    assert_status(paos_commit(conn, NULL, 0), PAOS_SERVER);
    assert_true(pieces > 1);
    assert_int_equal(fake_sent_with("paos.copy("), 1);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "23503");
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_rows(PLACE), 302);
    paos_object_release(home);
}

/* What was made ready for after the commit is not seen before it, nor when nothing comes of it. */
static void a_failed_piece_changes_nothing(void **state)
{
    paos_conn *conn = *state;
    paos_object *home = make(conn, "place", "Home");
    fake_rule *rule = fake_on("pg_current_xact_id");

    fake_error(rule, "53100", "no room on the disk", "", "");
    fake_times(rule, 1);
    make_large(conn);
    assert_status(paos_commit(conn, NULL, 0), PAOS_SERVER);
    assert_int_equal(fake_stored_rows(PLACE), 1);
    assert_null(home->row);
    assert_int_equal(home->flags & (PAOSI_NARROW | PAOSI_PARTIAL), 0);
    assert_string_equal(paos_object_text(home, "name"), "Home");
    assert_status(paos_object_set(home, "name", paos_text("Barn")), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_string_equal(paos_object_text(home, "name"), "Barn");
    assert_int_equal(fake_stored_rows(PLACE), 152);
    paos_object_release(home);
}

/* A key that its column cannot hold must not become another one on the way. */
static void no_key_is_cut_to_size(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person", "Ann");
    const paos_value far = paos_ref_id(fake_id(PLACE, (INT64_C(1) << 40) + 1));
    paos_status status = paos_object_set(ann, "home", far);

    make_many(conn, "person", 1000);
    if (status == PAOS_OK)
        status = paos_commit(conn, NULL, 0);
    assert_status(status, PAOS_INVALID);
    paos_object_release(ann);
    assert_status(paos_object_new(conn, "place", &ann), PAOS_OK);
    assert_status(paos_object_set(ann, "id", paos_int(INT64_C(1) << 40)), PAOS_INVALID);
    paos_object_release(ann);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(foreign_keys_give_the_order),
        TEST(a_default_is_not_overwritten),
        TEST(only_changed_attributes_are_written),
        TEST(the_same_changes_share_a_statement),
        TEST(an_object_named_twice_is_written_once),
        TEST(changes_of_deleted_objects_do_not_matter),
        TEST(many_are_copied),
        TEST(copied_objects_are_as_inserted_ones),
        TEST(a_failed_copy_stores_nothing),
        TEST(copies_come_in_pieces),
        TEST(pieces_that_refer_to_each_other_are_one),
        TEST(a_failed_piece_changes_nothing),
        TEST(no_key_is_cut_to_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
