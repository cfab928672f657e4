/*
 * batch_form.h - rows in COPY's binary format, value by value.
 */
#ifndef PAOS_BATCH_FORM_H
#define PAOS_BATCH_FORM_H

#include "postgres.h"

typedef struct PaosBatchForm
{
    const char *next;
    int width; /* columns of each row */
} PaosBatchForm;

/* False: the bytes are not just such rows, or have options that COPY may know. */
extern bool PaosBatchFormOpen(PaosBatchForm *form, const char *data, size_t size, int width);
/* To the next row, when there is one; then each of its values has to be read. */
extern bool PaosBatchFormRow(PaosBatchForm *form);
/* The next value of the row, of *length bytes; NULL: a null. */
extern const char *PaosBatchFormValue(PaosBatchForm *form, int *length);

#endif
