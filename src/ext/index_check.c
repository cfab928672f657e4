/*
 * index_check.c - the other parts of an `and`, beside the one an entry is filed by.
 *
 * They are kept with the entry in the form of filings, and compared with a row
 * that was found by it: that takes a fraction of what compiling the request in a
 * session that has not met it does.  They are copied under the lock that the entry
 * was found under and compared without it, so all places in them are relative.
 */
#include "index.h"

#include "utils/datum.h"

typedef struct Check
{
    dsa_pointer signature;
    PaosConstant low; /* or where its bytes are, from the beginning of the checks */
    PaosConstant high;
    bool has_low, has_high; /* EQUAL: low is the constant */
    bool low_inclusive, high_inclusive;
} Check;

struct PaosChecks
{
    uint32 size;
    uint32 n;
    Check items[FLEXIBLE_ARRAY_MEMBER];
};

/* ---- making ---- */

static bool HasLow(const PaosFiling *filing)
{
    return filing->kind == PAOS_FILE_EQUAL || filing->has_low;
}

static Size RoomFor(const PaosSignature *signature, const PaosFiling *filing)
{
    return (HasLow(filing) ? PaosConstantSize(signature, filing->low) : 0) +
           (filing->has_high ? PaosConstantSize(signature, filing->high) : 0);
}

/* Puts a constant at the end of what is there. */
static PaosConstant PutConstant(PaosChecks *checks, const PaosSignature *signature, Datum value)
{
    uint32 place = checks->size;

    if (signature->typbyval)
        return (PaosConstant) value;
    memcpy((char *) checks + place, DatumGetPointer(value),
           datumGetSize(value, false, signature->typlen));
    checks->size += PaosConstantSize(signature, value);
    return place;
}

static void Fill(PaosChecks *checks, PaosSignatureUse **uses, List *filings)
{
    ListCell *cell;

    checks->n = list_length(filings);
    checks->size = offsetof(PaosChecks, items) + checks->n * sizeof(Check);
    foreach (cell, filings)
    {
        const PaosFiling *filing = lfirst(cell);
        const PaosSignatureUse *use = uses[foreach_current_index(cell)];
        Check *check = &checks->items[foreach_current_index(cell)];

        check->signature = use->pointer;
        check->has_low = HasLow(filing);
        check->has_high = filing->has_high;
        check->low_inclusive = filing->low_inclusive;
        check->high_inclusive = filing->high_inclusive;
        if (check->has_low)
            check->low = PutConstant(checks, use->signature, filing->low);
        if (check->has_high)
            check->high = PutConstant(checks, use->signature, filing->high);
    }
}

dsa_pointer PaosChecksMake(PaosShared *shared, int class, List *filings)
{
    PaosSignatureUse **uses = palloc(list_length(filings) * sizeof(PaosSignatureUse *));
    Size size = offsetof(PaosChecks, items) + list_length(filings) * sizeof(Check);
    dsa_pointer pointer;
    ListCell *cell;

    foreach (cell, filings)
    {
        PaosSignatureUse *use = PaosSignatureOf(shared, class, lfirst(cell));

        uses[foreach_current_index(cell)] = use;
        size += RoomFor(use->signature, lfirst(cell));
    }
    pointer = dsa_allocate_extended(PaosSharedArea(), size, DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
    if (DsaPointerIsValid(pointer))
        Fill(dsa_get_address(PaosSharedArea(), pointer), uses, filings);
    pfree(uses);
    return pointer;
}

PaosChecks *PaosChecksCopy(dsa_pointer pointer)
{
    const PaosChecks *checks = dsa_get_address(PaosSharedArea(), pointer);
    PaosChecks *copy = palloc(checks->size);

    memcpy(copy, checks, checks->size);
    return copy;
}

/* ---- comparing ---- */

static Datum ConstantOf(const PaosChecks *checks, const PaosSignature *signature,
                        PaosConstant constant)
{
    if (signature->typbyval)
        return (Datum) constant;
    return PointerGetDatum((char *) checks + constant);
}

static int Compare(PaosSignatureUse *use, Datum value, Datum constant)
{
    return DatumGetInt32(
        FunctionCall2Coll(&use->compare_left, use->signature->collation, value, constant));
}

static bool IsWithin(const PaosChecks *checks, const Check *check, PaosSignatureUse *use,
                     Datum value)
{
    const PaosSignature *signature = use->signature;

    if (check->has_low && Compare(use, value, ConstantOf(checks, signature, check->low)) <
                              (check->low_inclusive ? 0 : 1))
        return false;
    return !check->has_high || Compare(use, value, ConstantOf(checks, signature, check->high)) <=
                                   (check->high_inclusive ? 0 : -1);
}

static bool Passes(const PaosChecks *checks, const Check *check, PaosSignatureUse *use,
                   TupleTableSlot *row)
{
    const PaosSignature *signature = use->signature;
    bool isnull;
    Datum value = slot_getattr(row, signature->attribute, &isnull);

    if (isnull || signature->kind == PAOS_FILE_NULL)
        return isnull && signature->kind == PAOS_FILE_NULL;
    if (signature->kind == PAOS_FILE_RANGE)
        return IsWithin(checks, check, use, value);
    return DatumGetBool(FunctionCall2Coll(&use->equal, signature->collation, value,
                                          ConstantOf(checks, signature, check->low)));
}

PaosCheckResult PaosChecksPass(const PaosChecks *checks, PaosSignatureUse **uses, int n,
                               TupleTableSlot *row)
{
    PaosCheckResult result = PAOS_CHECK_PASSED;
    uint32 i;
    int j;

    for (i = 0; i < checks->n; i++)
    {
        const Check *check = &checks->items[i];

        for (j = 0; j < n && uses[j]->pointer != check->signature; j++)
            ;
        if (j == n || !PaosSignatureIsCurrent(uses[j], row->tts_tupleDescriptor))
            result = PAOS_CHECK_UNKNOWN;
        else if (!Passes(checks, check, uses[j], row))
            return PAOS_CHECK_FAILED;
    }
    return result;
}
