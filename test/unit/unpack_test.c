/*
 * unpack_test.c - rows that the server has packed, and what is wrong with some.
 */
#include "fake_rows.h"
#include "unit.h"

/* Every answer is this row of a place. */
static void answer_with(fake_cell pack)
{
    fake_rule *rule = fake_on("FROM public.place o$");

    fake_columns(rule, "pack bytea");
    fake_row(rule, pack);
}

static fake_cell a_place(uint32_t shape)
{
    return fake_pack(shape, fake_int4(10000 + PLACE), fake_int4(9), fake_int4(1), fake_text("Inn"),
                     fake_null());
}

static uint32_t shape_of_place(void)
{
    return fake_shape(fake_relation_of(PLACE));
}

/* What is to be written comes in whole rows. */
static paos_status get_places(paos_conn *conn, paos_list **list)
{
    return paos_get(conn, PAOS_WRITE, "place", NULL, NULL, 0, list);
}

static void a_row_is_unpacked(void **state)
{
    paos_list *list = NULL;

    answer_with(a_place(shape_of_place()));
    assert_status(get_places(*state, &list), PAOS_OK);
    assert_string_equal(paos_object_text(paos_list_at(list, 0), "name"), "Inn");
    assert_null(paos_object_text(paos_list_at(list, 0), "mood"));
    paos_list_free(list);
}

/* Cut off at each byte, and one byte too long. */
static void no_part_of_a_row_is_taken(void **state)
{
    fake_cell whole = a_place(shape_of_place());
    size_t size;

    for (size = 0; size <= whole.size + 1; size++)
    {
        unsigned char bytes[128] = {0};
        paos_list *list = NULL;

        if (size == whole.size)
            continue;
        memcpy(bytes, whole.data, size < whole.size ? size : whole.size);
        answer_with(fake_bytes(bytes, size));
        assert_int_not_equal(get_places(*state, &list), PAOS_OK);
        assert_null(list);
        assert_null(paos_cached(*state, fake_id(PLACE, 1)));
    }
    fake_cell_free(whole);
}

static void other_oddities_are_refused(void **state)
{
    const uint32_t shape = shape_of_place();
    const fake_cell table = fake_int4(10000 + PLACE);
    const fake_cell odd[] = {
        fake_null(),
        /* a value that is missing, one too many, tables and versions that are none */
        fake_pack(shape, table, fake_int4(9), fake_int4(1), fake_text("Inn")),
        fake_pack(shape, table, fake_int4(9), fake_int4(1), fake_null(), fake_null(), fake_null()),
        fake_pack(shape, fake_int8(10000 + PLACE), fake_int4(9), fake_int4(1), fake_null(),
                  fake_null()),
        fake_pack(shape, fake_null(), fake_int4(9), fake_int4(1), fake_null(), fake_null()),
        fake_pack(shape, table, fake_null(), fake_int4(1), fake_null(), fake_null()),
        fake_pack(shape, fake_int4(4711), fake_int4(9), fake_int4(1), fake_null(), fake_null()),
        /* keys that are none */
        fake_pack(shape, table, fake_int4(9), fake_null(), fake_null(), fake_null()),
        fake_pack(shape, table, fake_int4(9), fake_text("key"), fake_null(), fake_null()),
        fake_pack(shape, table, fake_int4(9), fake_int4(0), fake_null(), fake_null()),
    };
    size_t i;

    for (i = 0; i < COUNT(odd); i++)
    {
        paos_list *list = NULL;

        answer_with(odd[i]);
        assert_int_not_equal(get_places(*state, &list), PAOS_OK);
        assert_null(list);
    }
}

/* The columns are other ones than we know: they are read anew, a few times. */
static void another_shape_is_noticed(void **state)
{
    paos_list *list = NULL;

    answer_with(a_place(shape_of_place() + 1));
    assert_status(get_places(*state, &list), PAOS_INVALID);
    assert_null(list);
    assert_true(fake_sent_with("FROM paos.classes") > 1);
    assert_true(fake_sent_with("FROM paos.classes") < 5);
}

/* More columns than a function has arguments. */
static void a_wide_row_comes_in_pieces(void **state)
{
    paos_conn *conn = *state;
    char columns[3000] = "id int8 !";
    fake_cell cells[150];
    paos_object *object = NULL;
    size_t i;

    cells[0] = fake_int8(1);
    for (i = 1; i < COUNT(cells); i++)
    {
        snprintf(columns + strlen(columns), 16, ", c%zu int4", i);
        cells[i] = i == 95 ? fake_null() : fake_int4((int64_t) i * 7);
    }
    fake_class(4, 0, "wide", columns);
    fake_object_cells(4, cells);
    assert_status(paos_fetch(conn, fake_id(4, 1), &object), PAOS_OK);
    for (i = 1; i < COUNT(cells); i++)
    {
        char name[8];

        snprintf(name, sizeof name, "c%zu", i);
        assert_int_equal(paos_object_int(object, name), i == 95 ? 0 : i * 7);
    }
    assert_status(paos_object_set(object, "c149", paos_int(-1)), PAOS_OK);
    assert_status(paos_commit(conn, NULL, 0), PAOS_OK);
    assert_int_equal(fake_stored_int(4, 1, "c149"), -1);
    assert_int_equal(paos_object_int(object, "c94"), 94 * 7);
    paos_object_release(object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_world_setup, fake_world_teardown)

/* Cut off at each byte: neither taken nor read beyond. */
static void no_part_of_what_is_reached_is_taken(void **state)
{
    const paos_get_options options = {.prefetch = 1};
    fake_cell place = a_place(0);
    size_t size, whole = 20 + place.size - 4;
    unsigned char *bytes = calloc(1, whole);

    assert_non_null(bytes);
    paosi_write32(bytes, PLACE);
    paosi_write32(bytes + 4, shape_of_place());
    paosi_write32(bytes + 12, 1);
    memcpy(bytes + 20, (const char *) place.data + 4, place.size - 4);
    for (size = 0; size <= whole; size++)
    {
        fake_rule *rule = fake_on(FAKE_ANSWER);
        paos_list *list = NULL;
        paos_status status;

        fake_columns(rule, "reach bytea");
        fake_row(rule, fake_bytes(bytes, size));
        status = paos_get_with(*state, PAOS_READ, "place", NULL, NULL, 0, &options, &list);
        assert_int_equal(status == PAOS_OK, size == whole);
        assert_int_equal(paos_list_size(list), size == whole);
        paos_list_free(list);
    }
    fake_cell_free(place);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_is_unpacked),          TEST(no_part_of_a_row_is_taken),
        TEST(other_oddities_are_refused), TEST(another_shape_is_noticed),
        TEST(a_wide_row_comes_in_pieces), TEST(no_part_of_what_is_reached_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
