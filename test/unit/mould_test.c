/*
 * mould_test.c - pouring a row against the long way, which is what is right.
 *
 * Random rows of all kinds of columns must become the same bytes both ways, and what is
 * poured must never be more than what came.
 */
#include "fake_rows.h"
#include "unit.h"

#include "paos_int.h"

#define COLUMNS 9
#define ROOM 70000

/* A row as it comes: its values one after the other. */
typedef struct wire
{
    unsigned char bytes[ROOM];
    size_t size;
} wire;

static void add32(wire *w, uint32_t value)
{
    paosi_write32(w->bytes + w->size, value);
    w->size += 4;
}

static void add_value(wire *w, size_t size)
{
    size_t i;

    add32(w, (uint32_t) size);
    for (i = 0; i < size; i++)
        w->bytes[w->size++] = (unsigned char) (rand() % 255 + 1);
}

static void add_key(wire *w, uint32_t key)
{
    add32(w, 4);
    add32(w, key);
}

static paosi_class *every_type(paos_conn *conn)
{
    paosi_class *class = NULL;

    fake_class(4, 0, "every",
               "id int4 !, small int2, flag bool, long int8, name text, place int4 >2,"
               " data bytea, many ref[], home int8 >2");
    assert_status(paosi_catalog_load(conn, NULL, NULL), PAOS_OK);
    assert_status(paosi_class_find(conn, "every", &class), PAOS_OK);
    assert_int_equal(class->shape->count, COLUMNS);
    return class;
}

static size_t random_size(void)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 40, 300};

    return sizes[(size_t) rand() % COUNT(sizes)];
}

/* Null now and then, but for the key. */
static void random_row(wire *w)
{
    static const size_t sizes[COLUMNS] = {4, 2, 1, 8, SIZE_MAX, 4, SIZE_MAX, SIZE_MAX, 8};
    unsigned i;

    w->size = 0;
    add_key(w, (uint32_t) rand() % 1000 + 1);
    for (i = 1; i < COLUMNS; i++)
    {
        if (rand() % 4 == 0)
            add32(w, UINT32_MAX);
        else
            add_value(w, sizes[i] == SIZE_MAX ? random_size() : sizes[i]);
    }
}

static void read_cells(paosi_mould *m, const wire *w)
{
    const unsigned char *next = w->bytes;
    unsigned i;

    for (i = 0; i < COLUMNS; i++)
    {
        uint32_t size = paosi_read32(next);

        next += 4;
        m->cells[i].state = size == UINT32_MAX ? PAOSI_NULL : PAOSI_VALUE;
        m->cells[i].data = next;
        m->cells[i].size = size == UINT32_MAX ? 0 : size;
        next += m->cells[i].size;
    }
}

static void make(paosi_mould *m, paos_conn *conn)
{
    paosi_class *class = every_type(conn);

    assert_status(paosi_mould_make(m, conn, class), PAOS_OK);
    assert_status(paosi_mould_for(m, class->table), PAOS_OK);
    assert_true(m->straight);
}

static void both_ways_make_the_same_row(void **state)
{
    paos_object *objects[2];
    static wire w;
    paosi_mould m;
    int i;

    srand(5);
    make(&m, *state);
    for (i = 0; i < 2; i++)
        assert_status(paosi_cache_add(*state, m.shape, paosi_id_make(m.class, 1 + i), &objects[i]),
                      PAOS_OK);
    for (i = 0; i < 2000; i++)
    {
        uint32_t flags[2];

        random_row(&w);
        assert_ptr_equal(paosi_mould_pour(&m, w.bytes, w.bytes + w.size), w.bytes + w.size);
        assert_int_equal(m.key, paosi_read32(w.bytes + 4));
        assert_status(paosi_mould_row(&m, true, objects[0], &objects[0]->row, &flags[0]), PAOS_OK);
        read_cells(&m, &w);
        assert_status(paosi_mould_row(&m, false, objects[1], &objects[1]->row, &flags[1]), PAOS_OK);
        assert_int_equal(flags[0], flags[1]);
        assert_memory_equal(objects[0]->row, objects[1]->row, m.size);
        assert_int_equal(paosi_slots_holds(objects[0]), paosi_slots_holds(objects[1]));
        paosi_object_free_row(objects[0]);
        paosi_object_free_row(objects[1]);
    }
    paosi_mould_free(&m);
}

/* Whatever a row is cut off at, or whatever a size is, nothing is read past its end. */
static void what_is_malformed_is_not_poured(void **state)
{
    static wire w;
    paosi_mould m;
    size_t i;
    int round;

    srand(6);
    make(&m, *state);
    for (round = 0; round < 50; round++)
    {
        random_row(&w);
        for (i = 0; i < w.size; i++)
        {
            /* Of just its size, for the sanitizer to see. */
            unsigned char *part = malloc(i + 1);

            memcpy(part, w.bytes, i);
            assert_null(paosi_mould_pour(&m, part, part + i));
            free(part);
        }
        for (i = 0; i < 100; i++)
        {
            size_t at = (size_t) rand() % w.size;
            unsigned char *whole = malloc(w.size);
            const unsigned char *end;

            memcpy(whole, w.bytes, w.size);
            whole[at] = (unsigned char) rand();
            end = paosi_mould_pour(&m, whole, whole + w.size);
            assert_true(!end || end <= whole + w.size);
            free(whole);
        }
    }
    paosi_mould_free(&m);
}

static void what_is_wide_is_not_poured(void **state)
{
    static wire w;
    paosi_mould m;
    size_t size;
    bool seen[2] = {false, false};

    make(&m, *state);
    for (size = 65000; size < 65600; size++)
    {
        bool poured;
        unsigned i;

        w.size = 0;
        add_key(&w, 1);
        for (i = 1; i < COLUMNS; i++)
        {
            if (i == 4)
                add_value(&w, size);
            else
                add32(&w, UINT32_MAX);
        }
        poured = paosi_mould_pour(&m, w.bytes, w.bytes + w.size) != NULL;
        assert_true(!poured || size + 5 < PAOSI_NARROW_UNLOADED);
        seen[poured] = true;
    }
    assert_true(seen[0] && seen[1]);
    paosi_mould_free(&m);
}

/* Keys that are none are for the long way to complain of. */
static void keys_are_in_range(void **state)
{
    static const uint32_t keys[] = {0, UINT32_MAX, (uint32_t) INT32_MIN};
    static wire w;
    paosi_mould m;
    size_t i;

    make(&m, *state);
    for (i = 0; i < COUNT(keys); i++)
    {
        random_row(&w);
        paosi_write32(w.bytes + 4, keys[i]);
        assert_null(paosi_mould_pour(&m, w.bytes, w.bytes + w.size));
    }
    paosi_mould_free(&m);
}

/* What has to be converted comes the long way. */
static void some_columns_are_never_poured(void **state)
{
    paos_conn *conn = *state;
    paosi_class *class = NULL;
    paosi_mould m;

    fake_class(4, 0, "priced", "id int4 !, price numeric");
    assert_status(paosi_catalog_load(conn, NULL, NULL), PAOS_OK);
    assert_status(paosi_class_find(conn, "priced", &class), PAOS_OK);
    assert_status(paosi_mould_make(&m, conn, class), PAOS_OK);
    assert_false(m.straight);
    paosi_mould_free(&m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ways_make_the_same_row),   TEST(what_is_malformed_is_not_poured),
        TEST(what_is_wide_is_not_poured),    TEST(keys_are_in_range),
        TEST(some_columns_are_never_poured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
