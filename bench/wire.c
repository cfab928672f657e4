/*
 * wire.c - values in the binary formats of PostgreSQL: all in network order, in
 * arrays and COPY rows each with its length before it.
 */
#include "bench.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

void wire_reset(wire *wire)
{
    wire->size = 0;
}

void wire_free(wire *wire)
{
    free(wire->data);
    memset(wire, 0, sizeof *wire);
}

void wire_bytes(wire *wire, const void *data, size_t size)
{
    if (wire->size + size > wire->capacity)
    {
        wire->capacity = (wire->size + size) * 2;
        wire->data = realloc(wire->data, wire->capacity);
        if (!wire->data)
            die("out of memory");
    }
    memcpy(wire->data + wire->size, data, size);
    wire->size += size;
}

void wire_int16(wire *wire, int value)
{
    unsigned char bytes[] = {(unsigned char) (value >> 8), (unsigned char) value};

    wire_bytes(wire, bytes, sizeof bytes);
}

void wire_int32(wire *wire, int32_t value)
{
    uint32_t bits = htobe32((uint32_t) value);

    wire_bytes(wire, &bits, sizeof bits);
}

void wire_int64(wire *wire, int64_t value)
{
    uint64_t bits = htobe64((uint64_t) value);

    wire_bytes(wire, &bits, sizeof bits);
}

void wire_float(wire *wire, double value)
{
    int64_t bits;

    memcpy(&bits, &value, sizeof bits);
    wire_int64(wire, bits);
}

void wire_array(wire *wire, Oid type, size_t n)
{
    wire_int32(wire, 1);
    wire_int32(wire, 0);
    wire_int32(wire, (int32_t) type);
    wire_int32(wire, (int32_t) n);
    wire_int32(wire, 1);
}

int32_t read_int32(const char *data)
{
    uint32_t bits;

    memcpy(&bits, data, sizeof bits);
    return (int32_t) be32toh(bits);
}

int64_t read_int64(const char *data)
{
    uint64_t bits;

    memcpy(&bits, data, sizeof bits);
    return (int64_t) be64toh(bits);
}
