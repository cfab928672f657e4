/*
 * index_signature.c - what entries have in common, and the functions for it.
 *
 * The list of a class only grows, at its head, so it is read without a lock:
 * what is new since the last look are those before what was the head then.  Functions are looked
 * up when first needed: a type that is gone must not fail those who write rows.
 */
#include "index.h"

#include "access/hash.h"
#include "access/nbtree.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* In the area; never freed. */
typedef struct ClassIndex
{
    pg_atomic_uint64 signatures; /* dsa_pointer: the newest */
} ClassIndex;

/* A class as this backend knows it. */
typedef struct ClassUse
{
    int class; /* hash key */
    ClassIndex *index;
    dsa_pointer newest; /* of those that are known */
    int n;
    int size;
    PaosSignatureUse **uses;
} ClassUse;

static MemoryContext context = NULL; /* of all below */
static HTAB *classes = NULL;
static ClassUse *last;   /* a statement mostly writes one class */
static dsa_handle known; /* the area that it is of */

/* ---- functions ---- */

/* Does the opfamily have the function?  Then it is made ready to be called. */
static bool Look(Oid opfamily, Oid left, Oid right, int number, FmgrInfo *out)
{
    Oid function = get_opfamily_proc(opfamily, left, right, number);

    if (!OidIsValid(function))
        return false;
    fmgr_info_cxt(function, out, context);
    return true;
}

static bool LookForHash(PaosSignatureUse *use, int number)
{
    const PaosSignature *signature = use->signature;

    return Look(signature->opfamily, signature->left_type, signature->left_type, number,
                &use->hash_left) &&
           Look(signature->opfamily, signature->type, signature->type, number, &use->hash);
}

static bool LookForEqual(PaosSignatureUse *use)
{
    Oid function = get_opcode(use->signature->equal);

    if (!OidIsValid(function))
        return false;
    fmgr_info_cxt(function, &use->equal, context);
    use->extended = LookForHash(use, HASHEXTENDED_PROC);
    return use->extended || LookForHash(use, HASHSTANDARD_PROC);
}

/* Dates, timestamps and refs are integers too. */
static PaosOrder OrderOf(const PaosSignatureUse *use)
{
    PGFunction function = use->compare.fn_addr;

    if (use->compare_left.fn_addr != function)
        return PAOS_ORDER_FUNCTION;
    if (function == btint4cmp || function == date_cmp)
        return PAOS_ORDER_INT4;
    if (function == btint8cmp || function == timestamp_cmp)
        return PAOS_ORDER_INT8;
    return PAOS_ORDER_FUNCTION;
}

static bool LookForOrder(PaosSignatureUse *use)
{
    const PaosSignature *signature = use->signature;

    if (!Look(signature->opfamily, signature->left_type, signature->type, BTORDER_PROC,
              &use->compare_left) ||
        !Look(signature->opfamily, signature->type, signature->type, BTORDER_PROC, &use->compare))
        return false;
    use->order = OrderOf(use);
    return true;
}

bool PaosSignatureReady(PaosSignatureUse *use)
{
    if (use->ready)
        return true;
    if (use->signature->kind == PAOS_FILE_EQUAL)
        use->ready = LookForEqual(use);
    else if (use->signature->kind == PAOS_FILE_RANGE)
        use->ready = LookForOrder(use);
    else
        use->ready = true;
    return use->ready;
}

/* ---- what this backend knows ---- */

/* Forgets all when the area is another one. */
static void Prepare(void)
{
    HASHCTL ctl = {.keysize = sizeof(int), .entrysize = sizeof(ClassUse)};
    dsa_handle area = dsa_get_handle(PaosSharedArea());

    if (classes != NULL && known == area)
        return;
    classes = NULL;
    last = NULL;
    if (context != NULL)
        MemoryContextReset(context);
    else
        context = AllocSetContextCreate(TopMemoryContext, "paos index", ALLOCSET_SMALL_SIZES);
    ctl.hcxt = context;
    classes = hash_create("paos index", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    known = area;
}

static ClassUse *UseOf(int class)
{
    ClassUse *use;
    bool found;

    Prepare();
    if (last != NULL && last->class == class)
        return last;
    use = hash_search(classes, &class, HASH_ENTER, &found);
    if (!found)
        memset((char *) use + sizeof(int), 0, sizeof(ClassUse) - sizeof(int));
    last = use;
    return use;
}

static void Remember(ClassUse *class, dsa_pointer pointer, PaosSignature *signature)
{
    PaosSignatureUse *use = MemoryContextAllocZero(context, sizeof(PaosSignatureUse));

    use->pointer = pointer;
    use->signature = signature;
    if (class->uses == NULL)
    {
        class->uses = MemoryContextAlloc(context, 8 * sizeof(PaosSignatureUse *));
        class->size = 8;
    }
    if (class->n == class->size)
    {
        class->uses = repalloc(class->uses, 2 * class->size * sizeof(PaosSignatureUse *));
        class->size *= 2;
    }
    class->uses[class->n++] = use;
}

/* Takes in the signatures that were added since the last look. */
static void CatchUp(PaosShared *shared, ClassUse *class)
{
    dsa_pointer newest;
    dsa_pointer pointer;

    if (class->index == NULL)
    {
        if (!DsaPointerIsValid(shared->class_index[class->class]))
            return;
        class->index = dsa_get_address(PaosSharedArea(), shared->class_index[class->class]);
    }
    newest = pg_atomic_read_u64(&class->index->signatures);
    if (newest == class->newest)
        return;
    pg_read_barrier();
    for (pointer = newest; pointer != class->newest;)
    {
        PaosSignature *signature = dsa_get_address(PaosSharedArea(), pointer);

        Remember(class, pointer, signature);
        pointer = signature->next;
    }
    class->newest = newest;
}

PaosSignatureUse **PaosSignatures(PaosShared *shared, int class, int *n)
{
    ClassUse *use = UseOf(class);

    CatchUp(shared, use);
    *n = use->n;
    return use->uses;
}

/* ---- making ---- */

static bool IsOf(const PaosSignature *signature, const PaosFiling *filing)
{
    return signature->kind == filing->kind && signature->attribute == filing->attribute &&
           signature->attribute_type == filing->attribute_type &&
           signature->left_type == filing->left_type && signature->type == filing->type &&
           signature->opfamily == filing->opfamily && signature->collation == filing->collation &&
           signature->equal == filing->equal;
}

PaosSignatureUse *PaosSignatureFind(PaosShared *shared, int class, const PaosFiling *filing)
{
    int n;
    PaosSignatureUse **uses = PaosSignatures(shared, class, &n);
    int i;

    for (i = 0; i < n; i++)
        if (IsOf(uses[i]->signature, filing))
            return uses[i];
    return NULL;
}

static void Fill(PaosSignature *signature, const PaosFiling *filing, int tranche)
{
    LWLockInitialize(&signature->lock, tranche);
    pg_atomic_init_u32(&signature->live, 0);
    signature->kind = filing->kind;
    signature->attribute = filing->attribute;
    signature->attribute_type = filing->attribute_type;
    signature->left_type = filing->left_type;
    signature->type = filing->type;
    signature->opfamily = filing->opfamily;
    signature->collation = filing->collation;
    signature->equal = filing->equal;
    signature->typbyval = true;
    if (OidIsValid(filing->type))
        get_typlenbyval(filing->type, &signature->typlen, &signature->typbyval);
}

/* The shared index of a class, made when missing.  Under shared->lock. */
static ClassIndex *SharedIndex(PaosShared *shared, int class)
{
    dsa_area *area = PaosSharedArea();
    dsa_pointer pointer = shared->class_index[class];

    if (!DsaPointerIsValid(pointer))
    {
        pointer = dsa_allocate0(area, sizeof(ClassIndex));
        pg_atomic_init_u64(&((ClassIndex *) dsa_get_address(area, pointer))->signatures,
                           InvalidDsaPointer);
        pg_write_barrier();
        shared->class_index[class] = pointer;
    }
    return dsa_get_address(area, pointer);
}

/* Whoever was first to make it has done so under the lock, too. */
static bool IsInList(dsa_pointer pointer, const PaosFiling *filing)
{
    while (DsaPointerIsValid(pointer))
    {
        const PaosSignature *signature = dsa_get_address(PaosSharedArea(), pointer);

        if (IsOf(signature, filing))
            return true;
        pointer = signature->next;
    }
    return false;
}

static void MakeSignature(PaosShared *shared, int class, const PaosFiling *filing)
{
    dsa_area *area = PaosSharedArea();
    dsa_pointer pointer = dsa_allocate0(area, sizeof(PaosSignature));
    PaosSignature *signature = dsa_get_address(area, pointer);
    ClassIndex *index;

    Fill(signature, filing, shared->tranche);
    LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
    index = SharedIndex(shared, class);
    if (IsInList(pg_atomic_read_u64(&index->signatures), filing))
    {
        LWLockRelease(&shared->lock);
        dsa_free(area, pointer);
        return;
    }
    signature->next = pg_atomic_read_u64(&index->signatures);
    pg_write_barrier();
    pg_atomic_write_u64(&index->signatures, pointer);
    LWLockRelease(&shared->lock);
}

PaosSignatureUse *PaosSignatureOf(PaosShared *shared, int class, const PaosFiling *filing)
{
    PaosSignatureUse *use = PaosSignatureFind(shared, class, filing);

    if (use == NULL)
    {
        MakeSignature(shared, class, filing);
        use = PaosSignatureFind(shared, class, filing);
    }
    if (use == NULL || !PaosSignatureReady(use))
        elog(ERROR, "operator family %u lacks functions", filing->opfamily);
    return use;
}

/* ---- constants ---- */

Datum PaosConstantDatum(dsa_area *area, const PaosSignature *signature, PaosConstant constant)
{
    if (signature->typbyval)
        return (Datum) constant;
    return PointerGetDatum(dsa_get_address(area, constant));
}

Size PaosConstantSize(const PaosSignature *signature, Datum value)
{
    if (signature->typbyval)
        return 0;
    return MAXALIGN(datumGetSize(value, false, signature->typlen));
}

PaosConstant PaosConstantStore(dsa_area *area, const PaosSignature *signature, Datum value,
                               dsa_pointer place)
{
    if (signature->typbyval)
        return (PaosConstant) value;
    memcpy(dsa_get_address(area, place), DatumGetPointer(value),
           datumGetSize(value, false, signature->typlen));
    return (PaosConstant) place;
}
