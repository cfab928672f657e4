/*
 * value_fuzz.c - a program that reads and writes what any server says (fake_wild.c).
 *
 * What was read as a value must be accepted as one, and mean the same again.
 */
#include "fake_wild.h"
#include "paos_int.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be set, and has the same text then. */
static void read_and_set(paos_object *object, const char *name)
{
    paos_value value;
    const char *text;
    char *before;

    paos_object_int(object, name);
    paos_object_float(object, name);
    if (paos_object_get(object, name, &value) != PAOS_OK)
        return;
    text = paos_object_text(object, name);
    if (!text || paos_object_set(object, name, value) != PAOS_OK)
        return;
    before = strdup(text);
    if (!before)
        abort();
    text = paos_object_text(object, name);
    if (!text || strcmp(before, text) != 0)
        abort();
    free(before);
}

static void use_object(paos_object *object)
{
    paos_list *list = NULL;
    size_t i;

    for (i = 0; fake_wild_attribute(i); i++)
        read_and_set(object, fake_wild_attribute(i));
    paos_object_ref(object, "ref");
    paos_object_ref(object, "key");
    if (paos_object_refs(object, "refs", &list) == PAOS_OK)
        paos_list_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    paos_conn *conn = NULL;
    paos_list *list = NULL;
    size_t i;

    fake_wild_begin(data, size);
    if (paos_conn_open("", NULL, &conn) != PAOS_OK)
        return 0;
    if (paos_get(conn, size > 0 && data[0] & 1 ? PAOS_WRITE : PAOS_READ, "sample", NULL, NULL, 0,
                 &list) == PAOS_OK)
    {
        for (i = 0; i < paos_list_size(list); i++)
            use_object(paos_list_at(list, i));
        paos_commit(conn, NULL, 0);
    }
    paos_conn_close(conn);
    paos_list_free(list);
    return 0;
}
