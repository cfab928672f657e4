/*
 * unit.h - what every unit test includes: cmocka, the client's insides, the fakes.
 *
 * cmocka's asserts leave a failed test by longjmp; what it owned is then leaked,
 * and the sanitizer's report of that follows from the failure above it.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_alloc.h"
#include "fake_pgio.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Statuses by name, so that a failure reads well. */
#define assert_status(call, expected) \
    assert_string_equal(paos_status_name(call), paos_status_name(expected))

#endif
