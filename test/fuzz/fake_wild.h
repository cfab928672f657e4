/*
 * fake_wild.h - a server that answers the client with anything.
 *
 * It has one class, "sample", with an attribute of each type.
 */
#ifndef FAKE_WILD_H
#define FAKE_WILD_H

#include <stddef.h>
#include <stdint.h>

/*
 * What the server says comes from these bytes, until they are used up.  Bit 0
 * of the first: the catalogue too.  Bit 1: even the frame of packed rows.
 */
void fake_wild_begin(const uint8_t *data, size_t size);

/* The name of an attribute of the class; NULL past the last. */
/* The next notification that comes; borrowed. */
void fake_wild_notify(const char *text);
const char *fake_wild_attribute(size_t i);

#endif
