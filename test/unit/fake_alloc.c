/*
 * fake_alloc.c - makes an allocation of the client fail.
 *
 * Hooks into alloc.c, which all memory of the client comes from.  What is
 * counted is calls, so that a scenario run with n = 0, 1, 2 ... until nothing
 * fails any more has failed at each of its allocations once.
 */
#include "fake_alloc.h"

#include "paos_int.h"

#include <stdlib.h>

static size_t left;
static bool sticky, failed;

static bool fails(void)
{
    if (left > 0)
    {
        left--;
        return false;
    }
    if (failed && !sticky)
        return false;
    failed = true;
    return true;
}

void fake_alloc_fail(size_t n)
{
    left = n;
    sticky = failed = false;
    paosi_alloc_fails = fails;
}

void fake_alloc_fail_from(size_t n)
{
    fake_alloc_fail(n);
    sticky = true;
}

bool fake_alloc_end(void)
{
    paosi_alloc_fails = NULL;
    return failed;
}

void *fake_must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}
