/*
 * lock_test.c - rights between two clients: taken, refused, waited for, given up.
 */
#include "client.h"

static void create_person(const fixture *f)
{
    sql(f, "CREATE TABLE t.person (id int PRIMARY KEY, name text, age int);"
           " INSERT INTO t.person SELECT i, 'P' || i, i FROM generate_series(1, 20) i;"
           " SELECT paos.register_class('t.person')");
}

static int64_t rights(const fixture *f)
{
    return sql_int(f, "SELECT count(*) FROM paos.rights WHERE granted");
}

static void a_right_is_exclusive_until_the_commit(void **state)
{
    fixture *f = *state;
    paos_conn *other = open_conn();
    paos_list *mine = NULL, *theirs = NULL;
    paos_object *object;

    create_person(f);
    OK(f->conn, paos_get(f->conn, PAOS_WRITE, "t.person", "id <= 5", NULL, 0, &mine));
    assert_int_equal(paos_list_size(mine), 5);
    assert_int_equal(rights(f), 5);
    EXPECT(other, paos_get(other, PAOS_WRITE, "t.person", "id >= 5 and id < 8", NULL, 0, &theirs),
           PAOS_LOCKED);
    assert_null(theirs);
    assert_non_null(strstr(paos_conn_error(other)->detail, "test"));
    /* All or none: what was free was not kept. */
    assert_int_equal(rights(f), 5);
    object = get_one(other, "t.person", "id == 5");
    EXPECT(other, paos_lock(other, &object, 1, 0), PAOS_LOCKED);
    EXPECT(other, paos_lock(other, &object, 1, 20), PAOS_TIMEOUT);
    OK(other, paos_object_set(object, "age", paos_int(50)));
    EXPECT(other, paos_commit(other, NULL, 0), PAOS_LOCKED);
    assert_string_equal(paos_conn_error(other)->sqlstate, "55P03");
    OK(f->conn, paos_object_set(paos_list_at(mine, 0), "age", paos_int(100)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(rights(f), 0);
    OK(other, paos_commit(other, NULL, 0));
    OK(other, paos_lock(other, &object, 1, 0));
    assert_int_equal(rights(f), 1);
    /* A commit of nothing gives them up too. */
    OK(other, paos_commit(other, NULL, 0));
    assert_int_equal(rights(f), 0);
    paos_list_free(mine);
    paos_object_release(object);
    paos_conn_close(other);
}

static void a_locked_object_is_the_present_one(void **state)
{
    fixture *f = *state;
    paos_object *objects[2];

    create_person(f);
    objects[0] = get_one(f->conn, "t.person", "id == 1");
    objects[1] = get_one(f->conn, "t.person", "id == 2");
    sql(f, "UPDATE t.person SET age = 1000 WHERE id = 1");
    OK(f->conn, paos_lock(f->conn, objects, 2, -1));
    assert_int_equal(paos_object_int(objects[0], "age"), 1000);
    OK(f->conn, paos_object_set(objects[0], "age", paos_int(1001)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT age FROM t.person WHERE id = 1", "1001");
    paos_object_release(objects[0]);
    paos_object_release(objects[1]);
}

static void what_does_not_exist_cannot_be_locked(void **state)
{
    fixture *f = *state;
    paos_object *objects[2];

    create_person(f);
    objects[0] = get_one(f->conn, "t.person", "id == 1");
    objects[1] = get_one(f->conn, "t.person", "id == 2");
    sql(f, "DELETE FROM t.person WHERE id = 2");
    EXPECT(f->conn, paos_lock(f->conn, objects, 2, 0), PAOS_NOT_FOUND);
    assert_int_equal(rights(f), 0);
    paos_object_release(objects[1]);
    objects[1] = make(f->conn, "t.person");
    EXPECT(f->conn, paos_lock(f->conn, objects, 2, 0), PAOS_NOT_FOUND);
    paos_object_release(objects[0]);
    paos_object_release(objects[1]);
}

static void rights_end_with_the_connection(void **state)
{
    fixture *f = *state;
    paos_conn *other = open_conn();
    paos_object *object, *same;

    create_person(f);
    object = get_one(other, "t.person", "id == 1");
    OK(other, paos_lock(other, &object, 1, 0));
    same = get_one(f->conn, "t.person", "id == 1");
    EXPECT(f->conn, paos_lock(f->conn, &same, 1, 0), PAOS_LOCKED);
    paos_object_release(object);
    paos_conn_close(other);
    /* The server needs a moment to see that it is gone; waiting is what a right is for. */
    OK(f->conn, paos_lock(f->conn, &same, 1, 10000));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    paos_object_release(same);
}

/* The answer is what there is once the rights are there, not what it was before. */
static void an_answer_is_what_is_locked(void **state)
{
    fixture *f = *state;
    paos_conn *other = open_conn();
    paos_object *object;
    paos_list *list = NULL;

    create_person(f);
    object = get_one(other, "t.person", "id == 3");
    OK(other, paos_lock(other, &object, 1, 0));
    OK(other, paos_object_set(object, "age", paos_int(500)));
    OK(f->conn, paos_conn_set_lock_wait(f->conn, 50));
    EXPECT(f->conn, paos_get(f->conn, PAOS_WRITE, "t.person", "age <= 3", NULL, 0, &list),
           PAOS_TIMEOUT);
    OK(other, paos_commit(other, NULL, 0));
    OK(f->conn, paos_conn_set_lock_wait(f->conn, -1));
    OK(f->conn, paos_get(f->conn, PAOS_WRITE, "t.person", "age <= 3", NULL, 0, &list));
    assert_int_equal(paos_list_size(list), 2);
    assert_int_equal(rights(f), 2);
    paos_list_free(list);
    OK(f->conn, paos_get(f->conn, PAOS_WRITE, "t.person", "age > 10000", NULL, 0, &list));
    assert_int_equal(paos_list_size(list), 0);
    paos_list_free(list);
    paos_object_release(object);
    paos_conn_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_right_is_exclusive_until_the_commit), TEST(a_locked_object_is_the_present_one),
        TEST(what_does_not_exist_cannot_be_locked),  TEST(rights_end_with_the_connection),
        TEST(an_answer_is_what_is_locked),
    };

    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
