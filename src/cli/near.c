/*
 * near.c - how unlike two names are, to suggest what was meant.
 *
 * The edit distance of the names without case and quotes.  A distance is only
 * worth a suggestion when it is small for the length of the name.
 */
#include "cli.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 127

/* The name's bytes that count, into `plain`. */
static int simplify(const char *name, char plain[NAME_MAX_BYTES])
{
    int size = 0;

    for (; *name && size < NAME_MAX_BYTES; name++)
        if (*name != '"')
            plain[size++] = (char) tolower((unsigned char) *name);
    return size;
}

static int least_of(int a, int b, int c)
{
    int least = a < b ? a : b;

    return least < c ? least : c;
}

static int edits(const char *a, int a_size, const char *b, int b_size)
{
    int row[NAME_MAX_BYTES + 1];

    for (int j = 0; j <= b_size; j++)
        row[j] = j;
    for (int i = 1; i <= a_size; i++)
    {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= b_size; j++)
        {
            int replaced = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = least_of(row[j] + 1, row[j - 1] + 1, replaced);
        }
    }
    return row[b_size];
}

int near_distance(const char *given, const char *name)
{
    char a[NAME_MAX_BYTES], b[NAME_MAX_BYTES];
    const char *unqualified = strrchr(name, '.');
    int a_size = simplify(given, a);
    int b_size = simplify(name, b);
    int distance = edits(a, a_size, b, b_size);

    if (distance <= (a_size + 2) / 3)
        return distance;
    /* A name without its schema is as good a guess. */
    return unqualified && !strchr(given, '.') ? near_distance(given, unqualified + 1) : NEAR_FAR;
}
