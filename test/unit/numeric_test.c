/*
 * numeric_test.c - the text of a numeric.
 *
 * The bytes are what a server sends for the text beside them.
 */
#include "unit.h"

typedef struct sample
{
    const char *text;
    unsigned count;
    int weight;
    unsigned sign, scale;
    unsigned digits[6];
} sample;

static const sample samples[] = {
    {"0", 0, 0, 0, 0, {0}},
    {"0.00", 0, 0, 0, 2, {0}},
    {"1", 1, 0, 0, 0, {1}},
    {"-1", 1, 0, 0x4000, 0, {1}},
    {"10000", 1, 1, 0, 0, {1}},
    {"10001", 2, 1, 0, 0, {1, 1}},
    {"12345678", 2, 1, 0, 0, {1234, 5678}},
    {"1000000000000", 1, 3, 0, 0, {1}},
    {"-12345.678", 3, 1, 0x4000, 3, {1, 2345, 6780}},
    {"0.1", 1, -1, 0, 1, {1000}},
    {"0.0001", 1, -1, 0, 4, {1}},
    {"0.00001", 1, -2, 0, 5, {1000}},
    {"-0.000000000001", 1, -3, 0x4000, 12, {1}},
    {"1.50", 2, 0, 0, 2, {1, 5000}},
    {"3.1415926535", 4, 0, 0, 10, {3, 1415, 9265, 3500}},
    {"100.0000000", 1, 0, 0, 7, {100}},
    {"NaN", 0, 0, 0xC000, 0, {0}},
    {"Infinity", 0, 0, 0xD000, 0x20, {0}},
    {"-Infinity", 0, 0, 0xF000, 0x20, {0}},
};

static void add16(paosi_buffer *buffer, unsigned value)
{
    const unsigned char bytes[] = {(unsigned char) (value >> 8), (unsigned char) value};

    paosi_buffer_add(buffer, bytes, 2);
}

static paosi_buffer encode(const sample *s)
{
    paosi_buffer buffer = {0};
    unsigned i;

    add16(&buffer, s->count);
    add16(&buffer, (unsigned) s->weight);
    add16(&buffer, s->sign);
    add16(&buffer, s->scale);
    for (i = 0; i < s->count; i++)
        add16(&buffer, s->digits[i]);
    return buffer;
}

static void text_is_the_servers(void **state)
{
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(samples); i++)
    {
        paosi_buffer bytes = encode(&samples[i]);
        paosi_buffer text = {0};

        assert_true(paosi_numeric_text(&text, (unsigned char *) bytes.data, bytes.size));
        paosi_buffer_add(&text, "", 1);
        assert_string_equal(text.data, samples[i].text);
        paosi_buffer_free(&bytes);
        paosi_buffer_free(&text);
    }
}

static void appends(void **state)
{
    paosi_buffer bytes = encode(&samples[2]);
    paosi_buffer text = {0};

    (void) state;
    paosi_buffer_text(&text, "n=");
    assert_true(paosi_numeric_text(&text, (unsigned char *) bytes.data, bytes.size));
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "n=1", 3);
    paosi_buffer_free(&bytes);
    paosi_buffer_free(&text);
}

/* Each beginning of each sample, in an allocation of just that size. */
static void cut_off_is_refused(void **state)
{
    size_t i, size;

    (void) state;
    for (i = 0; i < COUNT(samples); i++)
    {
        paosi_buffer bytes = encode(&samples[i]);

        for (size = 0; size < bytes.size; size++)
        {
            unsigned char *cut = malloc(size ? size : 1);
            paosi_buffer text = {0};

            memcpy(cut, bytes.data, size);
            assert_false(paosi_numeric_text(&text, cut, size));
            free(cut);
            paosi_buffer_free(&text);
        }
        paosi_buffer_free(&bytes);
    }
}

static void widest_is_bounded(void **state)
{
    const sample widest = {"", 1, 32767, 0, 0x3FFF, {9999}};
    paosi_buffer bytes = encode(&widest);
    paosi_buffer text = {0};

    (void) state;
    assert_true(paosi_numeric_text(&text, (unsigned char *) bytes.data, bytes.size));
    assert_int_equal(text.size, 4 * 32768 + 1 + 0x3FFF);
    paosi_buffer_free(&bytes);
    paosi_buffer_free(&text);
}

static void out_of_memory_shows(void **state)
{
    paosi_buffer bytes = encode(&samples[14]);
    paosi_buffer text = {0};

    (void) state;
    fake_alloc_fail(0);
    paosi_numeric_text(&text, (unsigned char *) bytes.data, bytes.size);
    assert_true(fake_alloc_end());
    assert_true(text.failed);
    paosi_buffer_free(&bytes);
    paosi_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_the_servers), cmocka_unit_test(appends),
        cmocka_unit_test(cut_off_is_refused),  cmocka_unit_test(widest_is_bounded),
        cmocka_unit_test(out_of_memory_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
