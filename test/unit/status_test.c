/*
 * status_test.c - the statuses as words.
 *
 * Numbers are part of the interface: a new status goes to the end.
 */
#include "unit.h"

static void names_are_as_in_c(void **state)
{
    (void) state;
    assert_string_equal(paos_status_name(PAOS_OK), "PAOS_OK");
    assert_string_equal(paos_status_name(PAOS_CONFLICT), "PAOS_CONFLICT");
    assert_string_equal(paos_status_name(PAOS_NOT_LOADED), "PAOS_NOT_LOADED");
}

static void numbers_stay(void **state)
{
    (void) state;
    assert_int_equal(PAOS_OK, 0);
    assert_int_equal(PAOS_INVALID, 1);
    assert_int_equal(PAOS_NO_MEMORY, 2);
    assert_int_equal(PAOS_DISCONNECTED, 3);
    assert_int_equal(PAOS_TIMEOUT, 4);
    assert_int_equal(PAOS_NOT_FOUND, 5);
    assert_int_equal(PAOS_LOCKED, 6);
    assert_int_equal(PAOS_CONFLICT, 7);
    assert_int_equal(PAOS_UNKNOWN, 8);
    assert_int_equal(PAOS_SERVER, 9);
}

static void every_status_has_its_own_words(void **state)
{
    int i, j;

    (void) state;
    for (i = PAOS_OK; i <= PAOS_RIGHTS_LOST; i++)
    {
        assert_true(strlen(paos_status_text((paos_status) i)) > 3);
        for (j = PAOS_OK; j < i; j++)
        {
            assert_string_not_equal(paos_status_name((paos_status) i),
                                    paos_status_name((paos_status) j));
            assert_string_not_equal(paos_status_text((paos_status) i),
                                    paos_status_text((paos_status) j));
        }
    }
}

static void no_status_is_no_crash(void **state)
{
    (void) state;
    assert_string_equal(paos_status_name((paos_status) (PAOS_RIGHTS_LOST + 1)), "unknown status");
    assert_string_equal(paos_status_text((paos_status) 4711), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_as_in_c),
        cmocka_unit_test(numbers_stay),
        cmocka_unit_test(every_status_has_its_own_words),
        cmocka_unit_test(no_status_is_no_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
