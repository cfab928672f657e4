/*
 * utf8.c - is a text valid UTF-8, as the server would have it?
 *
 * Asked before anything is sent, so that one bad text does not fail a commit
 * of many objects at the server.
 */
#include "paos_int.h"

/* Bytes of the character that begins here, or 0. */
static size_t character(const unsigned char *p, size_t left)
{
    size_t size = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    size_t i;

    if (size == 0 || size > left || p[0] == 0 || p[0] > 0xF4)
        return 0;
    for (i = 1; i < size; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what is beyond U+10FFFF. */
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return size;
}

bool paosi_utf8_valid(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *) text;
    const unsigned char *end = p + size;

    while (p < end)
    {
        size_t step = character(p, (size_t) (end - p));

        if (step == 0)
            return false;
        p += step;
    }
    return true;
}
