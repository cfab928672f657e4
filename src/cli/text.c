/*
 * text.c - text of values on a terminal.
 *
 * A value may hold anything, escape sequences included, and a terminal would
 * obey them.  So control characters and what is not UTF-8 are shown as \n, \t or
 * \xNN.  Widths are libpq's, as in psql.
 */
#include "cli.h"

#include <string.h>

/* The bytes of the character at text; 0 when there is none. */
static int character_size(const char *text, int utf8)
{
    int size = PQmblenBounded(text, utf8);

    for (int i = 1; i < size; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return size > 1 || (unsigned char) *text < 0x80 ? size : 0;
}

/* One character as it is shown, and its width; returns the bytes it has. */
static int show(const char *text, char shown[8], int *width)
{
    static int utf8 = -1;
    unsigned char byte = (unsigned char) *text;
    int size;

    if (utf8 < 0)
        utf8 = pg_char_to_encoding("UTF8");
    size = character_size(text, utf8);
    *width = size > 0 ? PQdsplen(text, utf8) : -1;
    if (*width >= 0)
    {
        snprintf(shown, 8, "%.*s", size, text);
        return size;
    }
    if (byte == '\n' || byte == '\t')
        *width = snprintf(shown, 8, byte == '\n' ? "\\n" : "\\t");
    else
        *width = snprintf(shown, 8, "\\x%02X", byte);
    return 1;
}

int text_width(const char *text)
{
    char shown[8];
    int all = 0;
    int width;

    while (*text)
    {
        text += show(text, shown, &width);
        all += width;
    }
    return all;
}

void text_put(FILE *file, const char *text)
{
    char shown[8];
    int width;

    while (*text)
    {
        text += show(text, shown, &width);
        fputs(shown, file);
    }
}

void text_put_short(FILE *file, const char *text, int most)
{
    char shown[8];
    int room = most - 3;
    int width;

    if (text_width(text) <= most)
    {
        text_put(file, text);
        return;
    }
    for (;;)
    {
        text += show(text, shown, &width);
        room -= width;
        if (room < 0)
            break;
        fputs(shown, file);
    }
    fputs("...", file);
}
