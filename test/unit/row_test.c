/*
 * row_test.c - rows as they are kept.
 *
 * The size of a value is where the next one that has bytes begins, so nulls
 * beside values and the border between the two widths are what can go wrong.
 */
#include "fake_conn.h"
#include "unit.h"

static void *build(paos_conn *conn, const char *const *values, size_t n, uint32_t *flags)
{
    size_t i;

    paosi_row_begin(conn);
    for (i = 0; i < n; i++)
    {
        if (values[i] && values[i][0] == '?')
            paosi_row_next(conn, PAOSI_UNLOADED);
        else
            paosi_row_next(conn, values[i] ? PAOSI_VALUE : PAOSI_NULL);
        if (values[i] && values[i][0] != '?')
            paosi_buffer_text(&conn->cells, values[i]);
    }
    return paosi_row_finish(conn, NULL, flags);
}

static void assert_cell(paosi_cell cell, const char *value)
{
    if (!value || value[0] == '?')
    {
        assert_int_equal(cell.state, value ? PAOSI_UNLOADED : PAOSI_NULL);
        return;
    }
    assert_int_equal(cell.state, PAOSI_VALUE);
    assert_int_equal(cell.size, strlen(value));
    assert_memory_equal(cell.data, value, cell.size);
}

static void every_cell_comes_back(void **state)
{
    const char *const rows[][5] = {
        {"a", "bcd", "ef", "g", "h"},  {NULL, "bcd", NULL, NULL, "e"},
        {"a", NULL, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL},
        {"", "", "x", "", ""},         {"?", "a", "?", NULL, "?"},
        {"", NULL, "", "?", ""},
    };
    size_t i;
    unsigned j;

    for (i = 0; i < COUNT(rows); i++)
    {
        uint32_t flags;
        void *row = build(*state, rows[i], 5, &flags);

        assert_non_null(row);
        assert_true(flags & PAOSI_NARROW);
        assert_int_equal(flags & PAOSI_PARTIAL ? 1 : 0, i >= 5);
        for (j = 0; j < 5; j++)
            assert_cell(paosi_row_cell(row, true, 5, j), rows[i][j]);
        paosi_free(row);
    }
}

static void a_row_without_columns(void **state)
{
    uint32_t flags;
    void *row = build(*state, NULL, 0, &flags);

    assert_non_null(row);
    assert_int_equal(flags, PAOSI_NARROW);
    paosi_free(row);
}

/* Sizes around the largest that 16-bit offsets can say. */
static void the_border_between_the_widths(void **state)
{
    size_t size;
    char *big = malloc(70000);

    for (size = 0xFFFA; size <= 0x10002; size++)
    {
        const char *const values[] = {"ab", NULL, big, "?", ""};
        uint32_t flags;
        void *row;
        unsigned i;

        memset(big, 'x', size);
        big[size] = 0;
        row = build(*state, values, 5, &flags);
        assert_int_equal(flags & PAOSI_NARROW ? 1 : 0, size + 2 < 0xFFFE);
        assert_true(flags & PAOSI_PARTIAL);
        for (i = 0; i < 5; i++)
            assert_cell(paosi_row_cell(row, flags & PAOSI_NARROW, 5, i), values[i]);
        paosi_free(row);
    }
    free(big);
}

static void without_memory_there_is_no_row(void **state)
{
    const char *const values[] = {"a", NULL, "c"};
    uint32_t flags;
    size_t n;
    void *row = NULL;

    for (n = 0; !row; n++)
    {
        paos_conn *conn = *state;

        paosi_buffer_free(&conn->cells);
        paosi_buffer_free(&conn->offsets);
        fake_alloc_fail(n);
        row = build(conn, values, 3, &flags);
        assert_int_equal(fake_alloc_end(), row == NULL);
    }
    assert_true(n > 2);
    assert_cell(paosi_row_cell(row, true, 3, 2), "c");
    paosi_free(row);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_conn_setup, fake_conn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_cell_comes_back),
        TEST(a_row_without_columns),
        TEST(the_border_between_the_widths),
        TEST(without_memory_there_is_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
