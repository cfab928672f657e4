/*
 * buffer_test.c - bytes that grow.
 *
 * What matters most is that one failed allocation sticks: a statement with a
 * hole in it must never look whole.
 */
#include "unit.h"

static void adds_in_order(void **state)
{
    paosi_buffer buffer = {0};

    (void) state;
    paosi_buffer_text(&buffer, "ab");
    paosi_buffer_add(&buffer, "c\0d", 3);
    paosi_buffer_format(&buffer, "%d-%s", 42, "x");
    assert_int_equal(buffer.size, 9);
    assert_memory_equal(buffer.data, "abc\0d42-x", 9);
    assert_false(buffer.failed);
    paosi_buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

static void numbers_are_in_network_order(void **state)
{
    paosi_buffer buffer = {0};
    const unsigned char *data;

    (void) state;
    paosi_buffer_add32(&buffer, 0x01020304);
    paosi_buffer_add64(&buffer, 0x1122334455667788);
    assert_int_equal(buffer.size, 12);
    assert_memory_equal(buffer.data, "\x01\x02\x03\x04\x11\x22\x33\x44\x55\x66\x77\x88", 12);
    data = (const unsigned char *) buffer.data;
    assert_int_equal(paosi_read16(data), 0x0102);
    assert_int_equal(paosi_read32(data), 0x01020304);
    assert_true(paosi_read64(data + 4) == 0x1122334455667788);
    paosi_buffer_free(&buffer);
}

static void names_are_quoted(void **state)
{
    paosi_buffer buffer = {0};

    (void) state;
    paosi_buffer_name(&buffer, "a\"; DROP TABLE b; --");
    paosi_buffer_add(&buffer, "", 1);
    assert_string_equal(buffer.data, "\"a\"\"; DROP TABLE b; --\"");
    paosi_buffer_free(&buffer);
}

static void grows_over_many_additions(void **state)
{
    paosi_buffer buffer = {0};
    size_t i;

    (void) state;
    for (i = 0; i < 10000; i++)
        paosi_buffer_add32(&buffer, (uint32_t) i);
    assert_int_equal(buffer.size, 40000);
    for (i = 0; i < 10000; i++)
        assert_int_equal(paosi_read32((unsigned char *) buffer.data + 4 * i), i);
    paosi_buffer_free(&buffer);
}

static void room_is_not_counted_until_it_is_used(void **state)
{
    paosi_buffer buffer = {0};
    char *room;

    (void) state;
    room = paosi_buffer_room(&buffer, 1000);
    assert_non_null(room);
    memset(room, 'x', 1000);
    assert_int_equal(buffer.size, 0);
    assert_true(buffer.capacity >= 1000);
    paosi_buffer_free(&buffer);
}

static void impossible_size_fails(void **state)
{
    paosi_buffer buffer = {0};

    (void) state;
    paosi_buffer_text(&buffer, "abc");
    assert_null(paosi_buffer_room(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 3);
    paosi_buffer_free(&buffer);
}

static void failure_sticks(void **state)
{
    paosi_buffer buffer = {0};

    (void) state;
    paosi_buffer_text(&buffer, "before");
    fake_alloc_fail(0);
    paosi_buffer_format(&buffer, "%0200d", 1);
    assert_true(fake_alloc_end());
    assert_true(buffer.failed);
    paosi_buffer_text(&buffer, "after");
    paosi_buffer_add32(&buffer, 1);
    paosi_buffer_add64(&buffer, 1);
    paosi_buffer_name(&buffer, "n");
    assert_int_equal(buffer.size, 6);
    paosi_buffer_reset(&buffer);
    assert_false(buffer.failed);
    paosi_buffer_text(&buffer, "again");
    assert_memory_equal(buffer.data, "again", 5);
    paosi_buffer_free(&buffer);
}

static void reset_gives_back_what_is_huge(void **state)
{
    paosi_buffer buffer = {0};

    (void) state;
    assert_non_null(paosi_buffer_room(&buffer, 100));
    paosi_buffer_reset(&buffer);
    assert_true(buffer.capacity >= 100);
    assert_non_null(paosi_buffer_room(&buffer, 4 << 20));
    paosi_buffer_reset(&buffer);
    assert_int_equal(buffer.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_in_order),
        cmocka_unit_test(numbers_are_in_network_order),
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(grows_over_many_additions),
        cmocka_unit_test(room_is_not_counted_until_it_is_used),
        cmocka_unit_test(impossible_size_fails),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(reset_gives_back_what_is_huge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
