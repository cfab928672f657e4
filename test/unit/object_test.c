/*
 * object_test.c - objects: their handles, their states, what is set and read.
 */
#include "fake_world.h"
#include "unit.h"

static paos_object *fetch(paos_conn *conn, unsigned number, int64_t key)
{
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(number, key), &object), PAOS_OK);
    assert_non_null(object);
    return object;
}

static paos_object *make(paos_conn *conn, const char *class_name)
{
    paos_object *object = NULL;

    assert_status(paos_object_new(conn, class_name, &object), PAOS_OK);
    return object;
}

/* ---- reading ---- */

static void a_stored_object_is_read(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_value value;

    assert_string_equal(paos_object_text(john, "name"), "John");
    assert_int_equal(paos_object_int(john, "age"), 30);
    assert_string_equal(paos_object_text(john, "age"), "30");
    assert_true(paos_object_float(john, "age") == 30.0);
    assert_true(paos_object_id(john) == fake_id(PERSON, 1));
    assert_string_equal(paos_object_class(john), "public.person");
    assert_true(paos_object_exists(john));
    assert_status(paos_object_get(john, "loves", &value), PAOS_OK);
    assert_int_equal(value.kind, PAOS_KIND_REF);
    assert_true(value.as.ref.id == fake_id(PERSON, 2));
    assert_status(paos_object_get(john, "friends", &value), PAOS_OK);
    assert_int_equal(value.kind, PAOS_KIND_NULL);
    assert_null(paos_object_text(john, "friends"));
    paos_object_release(john);
}

static void one_handle_per_object(void **state)
{
    paos_conn *conn = *state;
    paos_object *first = fetch(conn, PERSON, 1);
    paos_object *again = fetch(conn, PERSON, 1);

    assert_ptr_equal(first, again);
    assert_ptr_equal(paos_cached(conn, fake_id(PERSON, 1)), first);
    assert_null(paos_cached(conn, fake_id(PERSON, 2)));
    assert_int_equal(fake_sent_with(FAKE_SELECT), 1);
    paos_object_release(first);
    paos_object_release(again);
}

/* A child is one object by its parent's number and by its own. */
static void an_object_is_of_its_own_class(void **state)
{
    paos_conn *conn = *state;
    paos_object *tim = fetch(conn, PERSON, 4);

    assert_true(paos_object_id(tim) == fake_id(CHILD, 4));
    assert_string_equal(paos_object_class(tim), "public.child");
    assert_ptr_equal(paos_cached(conn, fake_id(CHILD, 4)), tim);
    assert_ptr_equal(paos_cached(conn, fake_id(PERSON, 4)), tim);
    /* Read through its parent, it lacks what is the child's own. */
    assert_int_equal(fake_sent_with("FROM public.child"), 0);
    assert_string_equal(paos_object_text(tim, "toy"), "train");
    assert_int_equal(fake_sent_with("FROM public.child"), 1);
    assert_string_equal(paos_object_text(tim, "name"), "Tim");
    assert_int_equal(fake_sent_with("FROM public.child"), 1);
    paos_object_release(tim);
}

static void only_what_lacks_is_completed(void **state)
{
    paos_conn *conn = *state;
    paos_list *list = NULL;

    fake_object(CHILD, fake_int8(5), fake_text("Tom"), fake_null(), fake_null(), fake_null(),
                fake_null(), fake_null(), fake_text("ball"));
    assert_status(paos_get(conn, PAOS_READ, "person", NULL, NULL, 0, &list), PAOS_OK);
    assert_int_equal(paos_list_size(list), 5);
    fake_log_clear();
    assert_string_equal(paos_object_text(paos_list_at(list, 3), "toy"), "train");
    assert_string_equal(paos_object_text(paos_list_at(list, 4), "toy"), "ball");
    assert_int_equal(fake_sent_count(), 1);
    assert_int_equal(fake_sent_at(0)->parameters[0].size, 20 + 2 * 12);
    paos_list_free(list);
}

static void a_person_is_no_child(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(CHILD, 1), &object), PAOS_NOT_FOUND);
    assert_null(object);
    object = fetch(conn, PERSON, 1);
    assert_status(paos_fetch(conn, fake_id(CHILD, 1), &object), PAOS_NOT_FOUND);
    assert_null(paos_cached(conn, fake_id(CHILD, 1)));
    paos_object_release(object);
}

static void what_does_not_exist_is_not_found(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;

    assert_status(paos_fetch(conn, fake_id(PERSON, 99), &object), PAOS_NOT_FOUND);
    assert_null(object);
    assert_status(paos_conn_error(conn)->status, PAOS_NOT_FOUND);
    assert_non_null(strstr(paos_conn_error(conn)->message, "1:99"));
    assert_status(paos_fetch(conn, fake_id(77, 1), &object), PAOS_INVALID);
    assert_status(paos_fetch(conn, 0, &object), PAOS_INVALID);
    assert_status(paos_fetch(conn, fake_id(PERSON, 0), &object), PAOS_INVALID);
    assert_status(paos_fetch(conn, UINT64_MAX, &object), PAOS_INVALID);
    assert_null(object);
}

static void an_unknown_attribute_is_invalid(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_value value = paos_int(5);

    assert_status(paos_object_get(john, "nmae", &value), PAOS_INVALID);
    assert_int_equal(value.as.integer, 5);
    assert_non_null(strstr(paos_conn_error(conn)->message, "nmae"));
    assert_null(paos_object_text(john, "nmae"));
    assert_int_equal(paos_object_int(john, "nmae"), 0);
    assert_null(paos_object_ref(john, "nmae"));
    assert_status(paos_object_set(john, "nmae", paos_int(1)), PAOS_INVALID);
    paos_object_release(john);
}

static void a_read_of_the_wrong_type_is_an_error(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);
    paos_list *list = NULL;

    paos_conn_error_clear(conn);
    assert_int_equal(paos_object_int(john, "name"), 0);
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    paos_conn_error_clear(conn);
    assert_true(paos_object_float(john, "name") == 0);
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    paos_conn_error_clear(conn);
    assert_null(paos_object_ref(john, "age"));
    assert_status(paos_conn_error(conn)->status, PAOS_INVALID);
    assert_null(paos_object_ref(john, "friends"));
    assert_status(paos_object_refs(john, "loves", &list), PAOS_INVALID);
    assert_null(list);
    paos_object_release(john);
}

/* ---- new, deleted, refreshed ---- */

static void a_new_object_is_empty_and_unnamed(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person");

    assert_true(paos_object_id(ann) == 0);
    assert_true(paos_object_exists(ann));
    assert_null(paos_object_text(ann, "name"));
    assert_int_equal(paos_object_int(ann, "age"), 0);
    assert_null(paos_object_ref(ann, "loves"));
    assert_status(paos_object_set(ann, "loves", paos_ref(ann)), PAOS_OK);
    assert_ptr_equal(paos_object_ref(ann, "loves"), ann);
    assert_status(paos_object_refresh(ann), PAOS_NOT_FOUND);
    paos_object_release(ann);
    /* Not committed yet, so it stays. */
    assert_int_equal(conn->cache.dirty.size, 1);
}

static void a_new_object_can_be_named(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person");
    paos_object *bob = make(conn, "person");
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_object_set(bob, "loves", paos_ref(ann)), PAOS_OK);
    assert_status(paos_object_set(ann, "id", paos_int(500)), PAOS_OK);
    assert_true(paos_object_id(ann) == fake_id(PERSON, 500));
    assert_ptr_equal(paos_cached(conn, fake_id(PERSON, 500)), ann);
    assert_ptr_equal(paos_object_ref(bob, "loves"), ann);
    assert_status(paos_object_set(ann, "id", paos_int(501)), PAOS_INVALID);
    assert_status(paos_object_set(bob, "id", paos_int(1)), PAOS_INVALID);
    assert_status(paos_object_set(bob, "id", paos_int(0)), PAOS_INVALID);
    assert_status(paos_object_set(bob, "id", paos_int(INT64_C(1) << 48)), PAOS_INVALID);
    paos_object_release(ann);
    paos_object_release(bob);
    paos_object_release(john);
}

/* That a key was asked for in vain does not reserve it. */
static void a_name_found_free_can_be_taken(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = NULL;

    assert_status(paos_fetch(conn, fake_id(PERSON, 500), &ann), PAOS_NOT_FOUND);
    ann = make(conn, "person");
    assert_status(paos_object_set(ann, "id", paos_int(500)), PAOS_OK);
    assert_ptr_equal(paos_cached(conn, fake_id(PERSON, 500)), ann);
    paos_object_release(ann);
}

static void a_class_that_is_none_is_invalid(void **state)
{
    paos_conn *conn = *state;
    paos_object *object = NULL;

    assert_status(paos_object_new(conn, "nowhere", &object), PAOS_INVALID);
    assert_non_null(strstr(paos_conn_error(conn)->message, "nowhere"));
    assert_status(paos_object_new(conn, "\xff\xfe", &object), PAOS_INVALID);
    assert_status(paos_object_new(conn, "", &object), PAOS_INVALID);
    assert_null(object);
}

static void deleting_waits_for_the_commit(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_delete(conn, john), PAOS_OK);
    assert_status(paos_delete(conn, john), PAOS_OK);
    assert_true(paos_object_exists(john));
    assert_string_equal(paos_object_text(john, "name"), "John");
    assert_status(paos_object_set(john, "age", paos_int(1)), PAOS_INVALID);
    assert_true(fake_exists(PERSON, 1));
    assert_status(paos_object_refresh(john), PAOS_OK);
    assert_int_equal(conn->cache.dirty.size, 0);
    assert_status(paos_object_set(john, "age", paos_int(1)), PAOS_OK);
    paos_object_release(john);
}

static void a_deleted_new_object_is_forgotten(void **state)
{
    paos_conn *conn = *state;
    paos_object *ann = make(conn, "person");

    assert_status(paos_object_set(ann, "name", paos_text("Ann")), PAOS_OK);
    assert_status(paos_delete(conn, ann), PAOS_OK);
    assert_false(paos_object_exists(ann));
    assert_int_equal(conn->cache.dirty.size, 0);
    assert_status(paos_object_set(ann, "name", paos_text("x")), PAOS_NOT_FOUND);
    assert_status(paos_delete(conn, ann), PAOS_NOT_FOUND);
    assert_null(paos_object_text(ann, "name"));
    paos_object_release(ann);
}

static void refreshing_drops_changes_and_loads_anew(void **state)
{
    paos_conn *conn = *state;
    paos_object *john = fetch(conn, PERSON, 1);

    assert_status(paos_object_set(john, "age", paos_int(99)), PAOS_OK);
    fake_write(PERSON, 1, "name", fake_text("Jon"));
    assert_string_equal(paos_object_text(john, "name"), "John");
    assert_status(paos_object_refresh(john), PAOS_OK);
    assert_string_equal(paos_object_text(john, "name"), "Jon");
    assert_int_equal(paos_object_int(john, "age"), 30);
    assert_int_equal(conn->cache.dirty.size, 0);
    paos_object_release(john);
}

static void refreshing_finds_out_about_deletion(void **state)
{
    paos_conn *conn = *state;
    paos_object *objects[] = {fetch(conn, PERSON, 1), fetch(conn, PERSON, 2)};

    fake_write(PERSON, 2, "age", fake_int4(42));
    fake_remove(PERSON, 1);
    fake_log_clear();
    assert_status(paos_refresh(conn, objects, 2), PAOS_NOT_FOUND);
    assert_int_equal(fake_exchanges(), 1);
    assert_false(paos_object_exists(objects[0]));
    assert_int_equal(paos_object_int(objects[1], "age"), 42);
    assert_null(paos_object_text(objects[0], "name"));
    assert_status(paos_conn_error(conn)->status, PAOS_NOT_FOUND);
    assert_null(paos_cached(conn, fake_id(PERSON, 1)));
    paos_object_release(objects[0]);
    paos_object_release(objects[1]);
}

/* What was deleted can come back under its name, and is the same handle. */
static void an_object_can_come_back(void **state)
{
    paos_conn *conn = *state;
    paos_object *place = fetch(conn, PLACE, 1);
    paos_object *again;

    fake_remove(PLACE, 1);
    assert_status(paos_object_refresh(place), PAOS_NOT_FOUND);
    fake_object(PLACE, fake_int4(1), fake_text("Barn"), fake_null());
    again = fetch(conn, PLACE, 1);
    assert_ptr_equal(again, place);
    assert_true(paos_object_exists(place));
    assert_string_equal(paos_object_text(place, "name"), "Barn");
    paos_object_release(place);
    paos_object_release(again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stored_object_is_read),
        TEST(one_handle_per_object),
        TEST(an_object_is_of_its_own_class),
        TEST(only_what_lacks_is_completed),
        TEST(a_person_is_no_child),
        TEST(what_does_not_exist_is_not_found),
        TEST(an_unknown_attribute_is_invalid),
        TEST(a_read_of_the_wrong_type_is_an_error),
        TEST(a_new_object_is_empty_and_unnamed),
        TEST(a_new_object_can_be_named),
        TEST(a_name_found_free_can_be_taken),
        TEST(a_class_that_is_none_is_invalid),
        TEST(deleting_waits_for_the_commit),
        TEST(a_deleted_new_object_is_forgotten),
        TEST(refreshing_drops_changes_and_loads_anew),
        TEST(refreshing_finds_out_about_deletion),
        TEST(an_object_can_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
