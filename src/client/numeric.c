/*
 * numeric.c - the text of a numeric.
 *
 * On the wire a numeric is digits to the base of 10,000: their number, the
 * weight of the first, the sign, and how many decimal places to show, which may
 * be fewer or more than the digits give.
 */
#include "paos_int.h"

#include <stdio.h>

#define NUMERIC_NEGATIVE 0x4000
#define NUMERIC_NAN 0xC000
#define NUMERIC_INFINITY 0xD000
#define NUMERIC_MINUS_INFINITY 0xF000

typedef struct numeric
{
    const unsigned char *digits;
    int count, weight, scale;
    unsigned sign;
} numeric;

/* Digit of a weight, 0 where there is none. */
static unsigned digit_at(const numeric *n, int weight)
{
    int i = n->weight - weight;

    return i >= 0 && i < n->count ? paosi_read16(n->digits + 2 * i) : 0;
}

static void add_fraction(paosi_buffer *out, const numeric *n)
{
    char digits[8];
    int weight = -1;
    int left;

    paosi_buffer_text(out, ".");
    for (left = n->scale; left > 0; left -= 4)
    {
        snprintf(digits, sizeof digits, "%04u", digit_at(n, weight--) % 10000);
        paosi_buffer_add(out, digits, (size_t) (left < 4 ? left : 4));
    }
}

bool paosi_numeric_text(paosi_buffer *out, const unsigned char *data, size_t size)
{
    numeric n;
    int weight;

    if (size < 8)
        return false;
    n.count = paosi_read16(data);
    n.weight = (int16_t) paosi_read16(data + 2);
    n.sign = paosi_read16(data + 4);
    n.scale = paosi_read16(data + 6) & 0x3FFF;
    n.digits = data + 8;
    if (size < 8 + 2 * (size_t) n.count)
        return false;
    if (n.sign == NUMERIC_NAN)
        paosi_buffer_text(out, "NaN");
    else if (n.sign == NUMERIC_INFINITY)
        paosi_buffer_text(out, "Infinity");
    else if (n.sign == NUMERIC_MINUS_INFINITY)
        paosi_buffer_text(out, "-Infinity");
    if (n.sign != 0 && n.sign != NUMERIC_NEGATIVE)
        return true;
    if (n.sign == NUMERIC_NEGATIVE)
        paosi_buffer_text(out, "-");
    weight = n.weight > 0 ? n.weight : 0;
    paosi_buffer_format(out, "%u", digit_at(&n, weight));
    while (--weight >= 0)
        paosi_buffer_format(out, "%04u", digit_at(&n, weight));
    if (n.scale > 0)
        add_fraction(out, &n);
    return true;
}
