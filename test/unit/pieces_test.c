/*
 * pieces_test.c - memory out of large pieces.
 *
 * What is taken one after the other is to lie beside each other: that is all they are for.
 */
#include "unit.h"

#define SIZE (4 * PAOSI_LINE)

static void neighbours_lie_beside_each_other(void **state)
{
    paosi_pieces pieces = {0};
    char *first = paosi_pieces_take(&pieces, SIZE, 3 * SIZE);
    char *second = paosi_pieces_take(&pieces, SIZE, 3 * SIZE);

    (void) state;
    assert_non_null(first);
    assert_int_equal((uintptr_t) first % PAOSI_LINE, 0);
    assert_ptr_equal(second, first + SIZE);
    assert_int_equal(pieces.left, SIZE);
    paosi_pieces_free(&pieces);
    assert_null(pieces.last);
}

static void is_zeroed(void **state)
{
    static const char zeros[SIZE];
    paosi_pieces pieces = {0};
    size_t i;

    (void) state;
    for (i = 0; i < 5; i++)
        assert_memory_equal(paosi_pieces_take(&pieces, SIZE, 2 * SIZE), zeros, SIZE);
    paosi_pieces_free(&pieces);
}

static void a_smaller_piece_will_do(void **state)
{
    paosi_pieces pieces = {0};

    (void) state;
    fake_alloc_fail(0);
    assert_non_null(paosi_pieces_take(&pieces, SIZE, 8 * SIZE));
    assert_true(fake_alloc_end());
    assert_int_equal(pieces.left, 0);
    paosi_pieces_free(&pieces);
}

static void without_memory_all_stays(void **state)
{
    paosi_pieces pieces = {0};
    char *first = paosi_pieces_take(&pieces, SIZE, SIZE);

    (void) state;
    fake_alloc_fail_from(0);
    assert_null(paosi_pieces_take(&pieces, SIZE, 8 * SIZE));
    assert_true(fake_alloc_end());
    memset(first, 1, SIZE);
    assert_non_null(paosi_pieces_take(&pieces, SIZE, 8 * SIZE));
    paosi_pieces_free(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_lie_beside_each_other),
        cmocka_unit_test(is_zeroed),
        cmocka_unit_test(a_smaller_piece_will_do),
        cmocka_unit_test(without_memory_all_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
