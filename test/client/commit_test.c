/*
 * commit_test.c - all or nothing: groups, order, conflicts, errors, lost connections.
 */
#include "client.h"

static void create_person(const fixture *f)
{
    sql(f, "CREATE TABLE t.town (id int PRIMARY KEY, name text UNIQUE);"
           " CREATE TABLE t.person (id int PRIMARY KEY, name text CHECK (name <> 'bad'), age int,"
           " home int REFERENCES t.town, boss int REFERENCES t.person, loves paos.ref,"
           " mood text DEFAULT 'calm')");
    sql(f, "INSERT INTO t.town SELECT i, 'town ' || i FROM generate_series(1, 10) i;"
           " INSERT INTO t.person SELECT i, 'P' || i, i FROM generate_series(1, 100) i;"
           " SELECT paos.register_class('t.town'), paos.register_class('t.person')");
}

static void make_many(fixture *f, paos_object **objects, size_t n)
{
    for (size_t i = 0; i < n; i++)
    {
        objects[i] = make(f->conn, "t.person");
        OK(f->conn, paos_object_set(objects[i], "age", paos_int((int64_t) i)));
        if (i > 0)
            OK(f->conn, paos_object_set(objects[i], "loves", paos_ref(objects[i / 2])));
    }
}

static void release(paos_object **objects, size_t n)
{
    for (size_t i = 0; i < n; i++)
        paos_object_release(objects[i]);
}

/* The number of objects does not matter to the number of round trips. */
static void new_objects_in_constant_round_trips(void **state)
{
    static paos_object *objects[10000];
    fixture *f = *state;
    uint64_t trips;

    create_person(f);
    paos_object_release(make(f->conn, "t.person"));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    for (size_t n = 10; n <= COUNT(objects); n *= 10)
    {
        make_many(f, objects, n);
        round_trips(f);
        OK(f->conn, paos_commit(f->conn, NULL, 0));
        trips = round_trips(f);
        assert_true(trips <= 4);
        assert_ptr_equal(paos_object_ref(objects[n - 1], "loves"), objects[(n - 1) / 2]);
        assert_int_equal(round_trips(f), 0);
        release(objects, n);
    }
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 101 + 11110);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person p JOIN t.person q"
                                " ON p.loves OPERATOR(paos.=) paos.ref('t.person', q.id)"),
                     11110 - 4);
}

static void ids_come_from_blocks(void **state)
{
    fixture *f = *state;
    uint64_t asked = 0;

    create_person(f);
    for (int i = 0; i < 200; i++)
    {
        paos_object *object = make(f->conn, "t.person");

        round_trips(f);
        OK(f->conn, paos_register(f->conn, &object, 1));
        asked += round_trips(f);
        assert_true(paos_object_id(object) != 0);
        assert_ptr_equal(paos_cached(f->conn, paos_object_id(object)), object);
        paos_object_release(object);
    }
    assert_true(asked <= 5);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 300);
}

static void only_changed_attributes_are_written(void **state)
{
    fixture *f = *state;
    paos_object *object;

    create_person(f);
    sql(f, "CREATE TABLE t.log (text text);"
           " CREATE FUNCTION t.log() RETURNS trigger LANGUAGE plpgsql AS"
           " 'BEGIN INSERT INTO t.log VALUES (TG_ARGV[0]); RETURN NULL; END';"
           " CREATE TRIGGER a AFTER UPDATE OF name ON t.person FOR EACH ROW"
           " EXECUTE FUNCTION t.log('name');"
           " CREATE TRIGGER b AFTER UPDATE OF age ON t.person FOR EACH ROW"
           " EXECUTE FUNCTION t.log('age')");
    object = get_one(f->conn, "t.person", "id == 1");
    OK(f->conn, paos_object_set(object, "age", paos_int(77)));
    OK(f->conn, paos_object_set(object, "name", paos_text("P1")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT string_agg(text, ',') FROM t.log", "age");
    paos_object_release(object);
}

/* Town before person, boss before bossed, and the reverse when they go. */
static void foreign_keys_set_the_order(void **state)
{
    fixture *f = *state;
    paos_object *boss, *person, *town;

    create_person(f);
    person = make(f->conn, "t.person");
    boss = make(f->conn, "t.person");
    town = make(f->conn, "t.town");
    OK(f->conn, paos_object_set(person, "boss", paos_ref(boss)));
    OK(f->conn, paos_object_set(person, "home", paos_ref(town)));
    EXPECT(f->conn, paos_object_set(person, "home", paos_ref(boss)), PAOS_INVALID);
    OK(f->conn, paos_object_set(boss, "boss", paos_ref(person)));
    assert_ptr_equal(paos_object_ref(person, "home"), town);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_ptr_equal(paos_object_ref(person, "home"), town);
    assert_ptr_equal(paos_object_ref(boss, "boss"), person);
    OK(f->conn, paos_delete(f->conn, town));
    OK(f->conn, paos_delete(f->conn, person));
    OK(f->conn, paos_delete(f->conn, boss));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 100);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.town"), 10);
    paos_object_release(person);
    paos_object_release(boss);
    paos_object_release(town);
}

static void everything_at_once(void **state)
{
    fixture *f = *state;
    paos_list *list;
    paos_object *new[300];

    create_person(f);
    list = get(f->conn, "t.person", "id <= 90");
    make_many(f, new, 300);
    for (size_t i = 0; i < 90; i++)
    {
        paos_object *object = paos_list_at(list, i);

        if (i % 3 == 0)
            OK(f->conn, paos_delete(f->conn, object));
        else if (i % 3 == 1)
            OK(f->conn, paos_object_set(object, "age", paos_int(1000)));
        else
            OK(f->conn, paos_object_set(object, "loves", paos_ref(new[i])));
    }
    round_trips(f);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_true(round_trips(f) <= 4);
    assert_sql(f,
               "SELECT count(*) || ' ' || count(*) FILTER (WHERE age = 1000) || ' ' ||"
               " count(*) FILTER (WHERE id <= 90 AND loves IS NOT NULL) FROM t.person",
               "370 30 30");
    /* What was written can be written again: its version is known. */
    for (size_t i = 1; i < 90; i += 3)
        OK(f->conn, paos_object_set(paos_list_at(list, i), "age", paos_int(1001)));
    for (size_t i = 0; i < 300; i++)
        OK(f->conn, paos_object_set(new[i], "age", paos_int(1001)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = 1001"), 330);
    paos_list_free(list);
    release(new, 300);
}

/* ---- conflicts ---- */

static void a_conflict_names_all_and_stores_nothing(void **state)
{
    fixture *f = *state;
    const paos_list *stale;
    paos_object *town, *new;
    paos_list *list;

    create_person(f);
    list = get(f->conn, "t.person", "id <= 50");
    town = get_one(f->conn, "t.town", "id == 1");
    for (size_t i = 0; i < 50; i++)
        OK(f->conn, paos_object_set(paos_list_at(list, i), "age", paos_int(-1)));
    OK(f->conn, paos_delete(f->conn, town));
    new = make(f->conn, "t.person");
    sql(f, "UPDATE t.person SET name = 'other' WHERE id IN (3, 4);"
           " DELETE FROM t.person WHERE id = 5; UPDATE t.town SET name = 'x' WHERE id = 1");
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_CONFLICT);
    stale = paos_conn_conflicts(f->conn);
    assert_int_equal(paos_list_size(stale), 4);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = -1"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 99);
    /* Local changes are still there, and can be given up one by one. */
    assert_int_equal(paos_object_int(paos_list_at(list, 3), "age"), -1);
    for (size_t i = 0; i < 4; i++)
    {
        paos_object *object = paos_list_at(stale, i);

        if (paosi_id_key(paos_object_id(object)) == 5)
            EXPECT(f->conn, paos_object_refresh(object), PAOS_NOT_FOUND);
        else
            OK(f->conn, paos_object_refresh(object));
    }
    assert_true(paos_object_exists(town));
    assert_string_equal(paos_object_text(town, "name"), "x");
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(paos_list_size(paos_conn_conflicts(f->conn)), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = -1"), 47);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 100);
    paos_list_free(list);
    paos_object_release(town);
    paos_object_release(new);
}

static void two_clients_one_wins(void **state)
{
    fixture *f = *state;
    paos_conn *other = open_conn();
    paos_object *mine, *theirs;

    create_person(f);
    mine = get_one(f->conn, "t.person", "id == 1");
    theirs = get_one(other, "t.person", "id == 1");
    OK(f->conn, paos_object_set(mine, "age", paos_int(11)));
    OK(other, paos_object_set(theirs, "age", paos_int(12)));
    OK(other, paos_commit(other, NULL, 0));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_CONFLICT);
    assert_ptr_equal(paos_list_at(paos_conn_conflicts(f->conn), 0), mine);
    OK(f->conn, paos_object_refresh(mine));
    assert_int_equal(paos_object_int(mine, "age"), 12);
    OK(f->conn, paos_object_set(mine, "age", paos_int(13)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_sql(f, "SELECT age FROM t.person WHERE id = 1", "13");
    paos_object_release(mine);
    paos_object_release(theirs);
    paos_conn_close(other);
}

/* ---- errors ---- */

static void an_error_of_the_server_changes_nothing(void **state)
{
    fixture *f = *state;
    paos_object *object, *new;

    create_person(f);
    object = get_one(f->conn, "t.person", "id == 1");
    new = make(f->conn, "t.person");
    OK(f->conn, paos_object_set(object, "age", paos_int(500)));
    OK(f->conn, paos_object_set(new, "name", paos_text("bad")));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_SERVER);
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "23514");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = 500"), 0);
    assert_int_equal(paos_object_int(object, "age"), 500);
    OK(f->conn, paos_object_set(new, "name", paos_text("good")));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = 500"), 1);
    paos_object_release(object);
    paos_object_release(new);
}

/* The error comes with COMMIT only. */
static void a_deferred_constraint_fails_the_commit(void **state)
{
    fixture *f = *state;
    paos_object *object;

    create_person(f);
    sql(f, "ALTER TABLE t.person ADD CONSTRAINT home_later FOREIGN KEY (home) REFERENCES t.town"
           " DEFERRABLE INITIALLY DEFERRED; ALTER TABLE t.person DROP CONSTRAINT person_home_fkey");
    object = get_one(f->conn, "t.person", "id == 1");
    OK(f->conn, paos_object_set(object, "home", paos_int(99)));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_SERVER);
    assert_string_equal(paos_conn_error(f->conn)->sqlstate, "23503");
    OK(f->conn, paos_object_set(object, "home", paos_int(9)));
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_string_equal(paos_object_text(paos_object_ref(object, "home"), "name"), "town 9");
    paos_object_release(object);
}

static void part_of_the_changes(void **state)
{
    fixture *f = *state;
    paos_object *one, *two, *objects[2];

    create_person(f);
    one = make(f->conn, "t.person");
    two = make(f->conn, "t.person");
    OK(f->conn, paos_object_set(one, "loves", paos_ref(two)));
    objects[0] = objects[1] = one;
    OK(f->conn, paos_commit(f->conn, objects, 2));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 101);
    assert_ptr_equal(paos_object_ref(one, "loves"), two);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person"), 102);
    assert_ptr_equal(paos_object_ref(one, "loves"), two);
    paos_object_release(one);
    paos_object_release(two);
}

static void a_role_without_privileges_is_told(void **state)
{
    fixture *f = *state;
    paos_conn *conn = NULL;
    paos_object *object;
    paos_list *list = NULL;
    char text[400];

    create_person(f);
    sql(f, "DROP ROLE IF EXISTS t_reader; CREATE ROLE t_reader LOGIN;"
           " GRANT USAGE ON SCHEMA t TO t_reader; GRANT SELECT ON t.person TO t_reader");
    snprintf(text, sizeof text, "%s user=t_reader", conninfo());
    OK(NULL, paos_conn_open(text, "t", &conn));
    object = get_one(conn, "t.person", "id == 1");
    OK(conn, paos_object_set(object, "age", paos_int(5)));
    EXPECT(conn, paos_commit(conn, NULL, 0), PAOS_SERVER);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "42501");
    EXPECT(conn, paos_get(conn, PAOS_READ, "t.town", NULL, NULL, 0, &list), PAOS_SERVER);
    assert_string_equal(paos_conn_error(conn)->sqlstate, "42501");
    paos_object_release(object);
    paos_conn_close(conn);
    sql(f, "DROP OWNED BY t_reader; DROP ROLE t_reader");
}

/* ---- the server goes away ---- */

/* A trigger that ends its own session: at the row, or when the transaction commits. */
static void create_killer(const fixture *f, const char *kind)
{
    char text[400];

    sql(f, "CREATE FUNCTION t.die() RETURNS trigger LANGUAGE plpgsql AS"
           " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'");
    snprintf(text, sizeof text, "CREATE %s EXECUTE FUNCTION t.die()", kind);
    sql(f, text);
}

static void killed_before_the_commit(void **state)
{
    fixture *f = *state;
    paos_object *object;

    create_person(f);
    create_killer(f, "TRIGGER die BEFORE UPDATE ON t.person FOR EACH ROW");
    object = get_one(f->conn, "t.person", "id == 1");
    OK(f->conn, paos_object_set(object, "age", paos_int(500)));
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_DISCONNECTED);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = 500"), 0);
    assert_int_equal(paos_object_int(object, "age"), 500);
    EXPECT(f->conn, paos_commit(f->conn, NULL, 0), PAOS_DISCONNECTED);
    paos_object_release(object);
}

static void create_leaf(const fixture *f)
{
    sql(f, "CREATE TABLE t.leaf (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
           " tree int, up bigint, name text, UNIQUE (tree, id),"
           " FOREIGN KEY (tree, up) REFERENCES t.leaf (tree, id));"
           " SELECT paos.register_class('t.leaf')");
}

/* Each but the last refers to the one after it: `up` is a number here, and the keys are known. */
static void make_leaves(fixture *f, size_t n)
{
    for (size_t i = 1; i <= n; i++)
    {
        paos_object *leaf = make(f->conn, "t.leaf");

        OK(f->conn, paos_object_set(leaf, "id", paos_int((int64_t) (n - i + 1))));
        OK(f->conn, paos_object_set(leaf, "tree", paos_int(1)));
        OK(f->conn, paos_object_set(leaf, "name", paos_text("one leaf of many on the tree")));
        if (i < n)
            OK(f->conn, paos_object_set(leaf, "up", paos_int((int64_t) (n - i))));
        paos_object_release(leaf);
    }
}

static void what_refers_to_each_other_is_one_statement(void **state)
{
    fixture *f = *state;

    create_leaf(f);
    make_leaves(f, 8000);
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.leaf"), 8000);
}

/* While later pieces are still to come: what the server said last may be lost with them. */
static void killed_in_the_copy(void **state)
{
    fixture *f = *state;
    paos_status status;

    create_leaf(f);
    sql(f, "ALTER TABLE t.leaf DROP CONSTRAINT leaf_tree_up_fkey;"
           " CREATE FUNCTION t.die(leaf t.leaf) RETURNS boolean LANGUAGE plpgsql AS"
           " 'BEGIN IF leaf.id = 6000 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
           " RETURN true; END';"
           " ALTER TABLE t.leaf ADD CHECK (t.die(leaf))");
    make_leaves(f, 8000);
    status = paos_commit(f->conn, NULL, 0);
    assert_true(status == PAOS_DISCONNECTED || status == PAOS_UNKNOWN);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.leaf"), 0);
    assert_int_equal(f->conn->cache.dirty.size, 8000);
}

/* In the COMMIT the server says that it was terminated: so it is known that nothing was stored. */
static void killed_in_the_commit(void **state)
{
    fixture *f = *state;
    paos_object *object;
    paos_status status;

    create_person(f);
    create_killer(f, "CONSTRAINT TRIGGER die AFTER UPDATE ON t.person DEFERRABLE INITIALLY"
                     " DEFERRED FOR EACH ROW");
    object = get_one(f->conn, "t.person", "id == 1");
    OK(f->conn, paos_object_set(object, "age", paos_int(500)));
    status = paos_commit(f->conn, NULL, 0);
    assert_true(status == PAOS_DISCONNECTED || status == PAOS_UNKNOWN);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM t.person WHERE age = 500"), 0);
    paos_object_release(object);
}

/* 300 MB in one commit, cut in chunks; no deadlock, no error. */
static void a_large_commit_is_cut(void **state)
{
    const size_t size = 30 << 20;
    fixture *f = *state;
    char *text = malloc(size + 1);
    paos_object *objects[10];

    create_person(f);
    memset(text, 'x', size);
    text[size] = 0;
    for (size_t i = 0; i < 10; i++)
    {
        objects[i] = make(f->conn, "t.person");
        OK(f->conn, paos_object_set(objects[i], "mood", paos_text(text)));
    }
    OK(f->conn, paos_commit(f->conn, NULL, 0));
    assert_int_equal(sql_int(f, "SELECT sum(length(mood)) FROM t.person WHERE id > 100"),
                     10 * size);
    release(objects, 10);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_objects_in_constant_round_trips),
        TEST(ids_come_from_blocks),
        TEST(only_changed_attributes_are_written),
        TEST(foreign_keys_set_the_order),
        TEST(everything_at_once),
        TEST(a_conflict_names_all_and_stores_nothing),
        TEST(two_clients_one_wins),
        TEST(an_error_of_the_server_changes_nothing),
        TEST(a_deferred_constraint_fails_the_commit),
        TEST(part_of_the_changes),
        TEST(a_role_without_privileges_is_told),
        TEST(killed_before_the_commit),
        TEST(what_refers_to_each_other_is_one_statement),
        TEST(killed_in_the_copy),
        TEST(killed_in_the_commit),
        TEST(a_large_commit_is_cut),
    };

    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
