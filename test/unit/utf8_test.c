/*
 * utf8_test.c - is a text what the server takes as UTF-8?
 *
 * Every byte sequence of one to three bytes is compared with a decoder that is
 * written the other way round: it encodes each character and looks.
 */
#include "unit.h"

static size_t encode(uint32_t c, unsigned char *out)
{
    if (c < 0x80)
    {
        out[0] = (unsigned char) c;
        return 1;
    }
    if (c < 0x800)
    {
        out[0] = (unsigned char) (0xC0 | c >> 6);
        out[1] = (unsigned char) (0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000)
    {
        out[0] = (unsigned char) (0xE0 | c >> 12);
        out[1] = (unsigned char) (0x80 | (c >> 6 & 63));
        out[2] = (unsigned char) (0x80 | (c & 63));
        return 3;
    }
    out[0] = (unsigned char) (0xF0 | c >> 18);
    out[1] = (unsigned char) (0x80 | (c >> 12 & 63));
    out[2] = (unsigned char) (0x80 | (c >> 6 & 63));
    out[3] = (unsigned char) (0x80 | (c & 63));
    return 4;
}

static bool is_valid(const unsigned char *bytes, size_t size)
{
    return paosi_utf8_valid((const char *) bytes, size);
}

static void every_character_is_valid(void **state)
{
    unsigned char bytes[4];
    uint32_t c;

    (void) state;
    for (c = 1; c <= 0x10FFFF; c++)
    {
        size_t size = encode(c, bytes);
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;

        if (is_valid(bytes, size) == surrogate)
            fail_msg("U+%04X", c);
    }
}

/* Marks the pairs and triples that are characters, then expects just those, and pairs of ASCII. */
static void nothing_else_is(void **state)
{
    static bool pairs[1 << 16];
    static bool triples[1 << 24];
    unsigned char bytes[4];
    uint32_t c, i;

    (void) state;
    for (c = 0x80; c < 0x10000; c++)
    {
        size_t size = encode(c, bytes);

        if (size == 2)
            pairs[bytes[0] << 8 | bytes[1]] = true;
        else if (c < 0xD800 || c > 0xDFFF)
            triples[bytes[0] << 16 | bytes[1] << 8 | bytes[2]] = true;
    }
    for (i = 0x8000; i < 0x10000; i++)
    {
        bytes[0] = (unsigned char) (i >> 8);
        bytes[1] = (unsigned char) i;
        assert_int_equal(is_valid(bytes, 2), pairs[i]);
    }
    for (i = 0xE00000; i < 0x1000000; i++)
    {
        bytes[0] = (unsigned char) (i >> 16);
        bytes[1] = (unsigned char) (i >> 8);
        bytes[2] = (unsigned char) i;
        if (is_valid(bytes, 3) != triples[i])
            fail_msg("%02x %02x %02x", bytes[0], bytes[1], bytes[2]);
    }
}

static void four_bytes_have_their_limits(void **state)
{
    static const char *const bad[] = {"\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80", "\xFF\xFF\xFF\xFF", "\xF1\x80\x80\x40",
                                      "\xF1\x80\x40\x80", "\xF1\x40\x80\x80", "\x80\x80\x80\x80"};
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(bad); i++)
        assert_false(paosi_utf8_valid(bad[i], 4));
    assert_true(paosi_utf8_valid("\xF0\x90\x80\x80", 4));
    assert_true(paosi_utf8_valid("\xF4\x8F\xBF\xBF", 4));
}

/* A text that ends inside a character, in an allocation of just its size. */
static void cut_off_is_invalid(void **state)
{
    static const char whole[] = "x\xF0\x9F\x90\x98";
    size_t size;

    (void) state;
    for (size = 2; size < 5; size++)
    {
        char *cut = malloc(size);

        memcpy(cut, whole, size);
        assert_false(paosi_utf8_valid(cut, size));
        free(cut);
    }
    assert_true(paosi_utf8_valid(whole, 5));
    assert_true(paosi_utf8_valid(whole, 0));
}

static void a_zero_byte_is_invalid(void **state)
{
    (void) state;
    assert_false(paosi_utf8_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_valid),     cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(four_bytes_have_their_limits), cmocka_unit_test(cut_off_is_invalid),
        cmocka_unit_test(a_zero_byte_is_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
