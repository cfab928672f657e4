/*
 * ref_fuzz.c - feeds anything to the input of paos.ref, as text and as binary.
 *
 * What is accepted must be a ref that its type allows, print as text that is
 * read back as the same ref, and be accepted as its own binary form.
 */
#include "ref.c"

#include "fake_server.h"
#include "lib/stringinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Case
{
    char *text;
    int size;
    bool accepted; /* from here on no error is right */
} Case;

static void CheckRef(PaosRef ref)
{
    if (PaosRefClass(ref) < 1 || PaosRefClass(ref) > PAOS_CLASS_MAX)
        abort();
    if (PaosRefKey(ref) < 1 || PaosRefKey(ref) > PAOS_KEY_MAX)
        abort();
    if (PaosRefMake(PaosRefClass(ref), PaosRefKey(ref)) != ref)
        abort();
}

static void ReadText(void *arg)
{
    Case *input = arg;
    PaosRef ref = PaosRefParse(input->text);
    char *printed = palloc(PAOS_REF_TEXT_SIZE);

    input->accepted = true;
    CheckRef(ref);
    PaosRefPrint(ref, printed);
    if (PaosRefParse(printed) != ref || RefFromBigint(ref) != ref)
        abort();
    input->accepted = false;
}

static void ReadBinary(void *arg)
{
    const Case *input = arg;
    StringInfoData message = {.data = input->text, .len = input->size};
    LOCAL_FCINFO(fcinfo, 1);

    InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
    fcinfo->args[0].value = PointerGetDatum(&message);
    CheckRef(DatumGetPaosRef(paos_ref_recv(fcinfo)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Case input = {.text = malloc(size + 1), .size = (int) size};

    memcpy(input.text, data, size);
    input.text[size] = '\0';
    if (!FakeServerRun(ReadText, &input) && input.accepted)
        abort();
    FakeServerRun(ReadBinary, &input);
    free(input.text);
    return 0;
}
