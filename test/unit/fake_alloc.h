/*
 * fake_alloc.h - makes an allocation of the client fail.
 *
 * Only one fails, the ones after it succeed: what is done about the failure may
 * need memory itself, and a test of "always fails from here on" would not see
 * whether that is put to use or left behind.
 */
#ifndef FAKE_ALLOC_H
#define FAKE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The nth allocation from now on (0: the next one) fails. */
void fake_alloc_fail(size_t n);
/* All from the nth on fail. */
void fake_alloc_fail_from(size_t n);
/* Nothing fails any more; was there a failure? */
bool fake_alloc_end(void);

/* Memory of the fakes themselves, of which there has to be enough. */
void *fake_must(void *memory);

#endif
