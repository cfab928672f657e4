/*
 * batch_fuzz.c - takes anything as rows in COPY's binary format, as paos.copy does.
 *
 * The first byte says how many columns there are.  What is accepted must be read
 * within its bounds, to the two bytes that end it.
 */
#include "batch_form.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ReadRows(PaosBatchForm *form, const char *end)
{
    while (PaosBatchFormRow(form))
    {
        int i;

        for (i = 0; i < form->width; i++)
        {
            int length;
            const char *value = PaosBatchFormValue(form, &length);

            if (value != NULL && (length < 0 || value > end || length > end - value))
                abort();
        }
    }
    if (form->next + 2 != end)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PaosBatchForm form;
    char *rows;

    if (size == 0)
        return 0;
    /* Its own, so that its end is seen. */
    rows = malloc(size);
    memcpy(rows, data + 1, size - 1);
    rows = realloc(rows, Max(size - 1, 1));
    if (PaosBatchFormOpen(&form, rows, size - 1, data[0]))
        ReadRows(&form, rows + size - 1);
    free(rows);
    return 0;
}
