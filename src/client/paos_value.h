/*
 * paos_value.h - what an attribute holds: the part of paos.h that needs no
 * connection.  Programs include paos.h.
 *
 * A value owns nothing: one that was read is borrowed from its object, see
 * "Values" in paos.h, and one that was made from what it was made of.
 */
#ifndef PAOS_VALUE_H
#define PAOS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As macros, so that nothing is indented for it. */
/* clang-format off */
#ifdef __cplusplus
#define PAOS_BEGIN extern "C" {
#define PAOS_END }
#else
#define PAOS_BEGIN
#define PAOS_END
#endif
/* clang-format on */

PAOS_BEGIN

typedef struct paos_object paos_object;

/* The name of an object: class number in the upper 16 bits, key in the lower 48; 0 is none. */
typedef uint64_t paos_id;

typedef enum paos_kind
{
    PAOS_KIND_NULL,
    PAOS_KIND_BOOL,      /* as.boolean */
    PAOS_KIND_INT,       /* as.integer */
    PAOS_KIND_FLOAT,     /* as.number */
    PAOS_KIND_TEXT,      /* as.text; types unknown to the client too, as their text */
    PAOS_KIND_BYTES,     /* as.text */
    PAOS_KIND_TIMESTAMP, /* as.integer: microseconds since 1970 (UTC when with time zone);
                            INT64_MAX and INT64_MIN are infinity and -infinity */
    PAOS_KIND_DATE,      /* as.integer: days since 1970; the same infinities */
    PAOS_KIND_UUID,      /* as.uuid */
    PAOS_KIND_NUMERIC,   /* as.text: decimal digits, or NaN, Infinity, -Infinity */
    PAOS_KIND_JSON,      /* as.text */
    PAOS_KIND_REF,       /* as.ref */
    PAOS_KIND_ARRAY      /* as.array; arrays of more dimensions are flattened */
} paos_kind;

typedef struct paos_value
{
    paos_kind kind;
    union
    {
        bool boolean;
        int64_t integer;
        double number;
        unsigned char uuid[16];
        struct
        {
            const char *data; /* text ends with a zero byte that size does not count */
            size_t size;
        } text;
        struct
        {
            paos_id id;                /* 0: object has none yet */
            const paos_object *object; /* NULL: known by its id only */
        } ref;
        struct
        {
            const struct paos_value *items;
            size_t size;
        } array;
    } as;
} paos_value;

/*
 * Constructors.  A value borrows the text, bytes, items or object it is made
 * of until the call it is passed to returns.  A NULL pointer makes a null.
 */
paos_value paos_null(void);
paos_value paos_bool(bool value);
paos_value paos_int(int64_t value);
paos_value paos_float(double value);
paos_value paos_text(const char *text);
paos_value paos_bytes(const void *data, size_t size);
paos_value paos_timestamp(int64_t microseconds);
paos_value paos_date(int64_t days);
paos_value paos_uuid(const unsigned char bytes[16]);
paos_value paos_numeric(const char *digits);
paos_value paos_json(const char *text);
paos_value paos_ref(const paos_object *object);
/* paos_ref_id is a reference by name alone, to an object that need not be loaded; 0 is null. */
paos_value paos_ref_id(paos_id id);
paos_value paos_array(const paos_value *items, size_t size);

PAOS_END

#endif
