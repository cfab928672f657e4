/*
 * index.c - the predicate index: requests put in and taken out.
 *
 * Whoever adds filings of a request and fails takes out those it has added.  Taking
 * out cannot fail, for it may be all that is left of a session.
 */
#include "index.h"

#include "miscadmin.h"

void PaosIndexInit(PaosShared *shared, dsa_area *area)
{
    PaosConstantsInit(shared, area);
}

/* ---- adding and removing ---- */

static dsa_pointer *ChecksOf(const PaosEntry *entry)
{
    return (dsa_pointer *) entry - 1;
}

dsa_pointer PaosEntryAllocate(dsa_area *area, const PaosFiling *filing, Size size)
{
    Size before = filing->also == NIL ? 0 : sizeof(dsa_pointer);
    dsa_pointer pointer =
        dsa_allocate_extended(area, before + size, DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);

    return DsaPointerIsValid(pointer) ? pointer + before : pointer;
}

static void FreeEntry(dsa_area *area, dsa_pointer pointer)
{
    const PaosEntry *entry = dsa_get_address(area, pointer);

    if (!entry->checked)
    {
        dsa_free(area, pointer);
        return;
    }
    if (DsaPointerIsValid(*ChecksOf(entry)))
        dsa_free(area, *ChecksOf(entry));
    dsa_free(area, pointer - sizeof(dsa_pointer));
}

static dsa_pointer MakeEntry(PaosSignatureUse *use, const PaosFiling *filing)
{
    dsa_area *area = PaosSharedArea();

    switch (filing->kind)
    {
        case PAOS_FILE_EQUAL:
            return PaosConstantMake(area, use, filing);
        case PAOS_FILE_RANGE:
            return PaosRangeMake(area, use, filing);
        default:
            return PaosListMake(area, filing);
    }
}

static void LinkEntry(PaosShared *shared, PaosSignatureUse *use, const PaosFiling *filing,
                      dsa_pointer pointer)
{
    dsa_area *area = PaosSharedArea();

    switch (use->signature->kind)
    {
        case PAOS_FILE_EQUAL:
            PaosConstantLink(shared, pointer);
            break;
        case PAOS_FILE_RANGE:
            PaosRangeLink(area, use, filing, pointer);
            break;
        default:
            PaosListLink(area, use->signature, pointer);
    }
}

static void UnlinkEntry(PaosShared *shared, PaosSignature *signature, dsa_pointer pointer)
{
    dsa_area *area = PaosSharedArea();

    switch (signature->kind)
    {
        case PAOS_FILE_EQUAL:
            PaosConstantUnlink(shared, pointer);
            break;
        case PAOS_FILE_RANGE:
            PaosRangeUnlink(area, signature, pointer);
            break;
        default:
            PaosListUnlink(area, signature, pointer);
    }
}

static void NoMemory(int64 request)
{
    ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of shared memory"),
            errdetail("Failed while filing request " INT64_FORMAT ".", request));
}

/* Adds an entry to those of a request, of which *first is the first: an error removes them all. */
static void AddEntry(PaosShared *shared, int class, int64 request, const PaosFiling *filing,
                     volatile dsa_pointer *first)
{
    PaosSignatureUse *use = PaosSignatureOf(shared, class, filing);
    dsa_pointer pointer = MakeEntry(use, filing);
    PaosEntry *entry;

    if (!DsaPointerIsValid(pointer))
        NoMemory(request);
    entry = dsa_get_address(PaosSharedArea(), pointer);
    entry->sibling = *first;
    entry->signature = use->pointer;
    entry->request = request;
    entry->exact = filing->exact;
    entry->checked = filing->also != NIL;
    *first = pointer;
    pg_atomic_fetch_add_u32(&use->signature->live, 1);
    if (entry->checked)
    {
        *ChecksOf(entry) = PaosChecksMake(shared, class, filing->also);
        if (!DsaPointerIsValid(*ChecksOf(entry)))
            NoMemory(request);
    }

    LinkEntry(shared, use, filing, pointer);
}

dsa_pointer PaosIndexAdd(PaosShared *shared, int class, int64 request, List *filings)
{
    volatile dsa_pointer first = InvalidDsaPointer;
    ListCell *cell;

    PG_TRY();
    {
        foreach (cell, filings)
        {
            CHECK_FOR_INTERRUPTS();
            AddEntry(shared, class, request, lfirst(cell), &first);
        }
    }
    PG_CATCH();
    {
        /* As the end of the transaction would: the error may have come under one. */
        LWLockReleaseAll();
        PaosIndexRemove(shared, class, first);
        PG_RE_THROW();
    }
    PG_END_TRY();
    return first;
}

void PaosIndexRemove(PaosShared *shared, int class, dsa_pointer handle)
{
    dsa_area *area = PaosSharedArea();

    while (DsaPointerIsValid(handle))
    {
        PaosEntry *entry = dsa_get_address(area, handle);
        PaosSignature *signature = dsa_get_address(area, entry->signature);
        dsa_pointer next = entry->sibling;

        if (entry->linked)
            UnlinkEntry(shared, signature, handle);
        pg_atomic_fetch_sub_u32(&signature->live, 1);
        FreeEntry(area, handle);
        handle = next;
    }
}

dsa_pointer PaosIndexJoin(dsa_pointer handle, dsa_pointer other)
{
    dsa_pointer last = handle;
    PaosEntry *entry;

    if (!DsaPointerIsValid(handle))
        return other;
    for (;;)
    {
        entry = dsa_get_address(PaosSharedArea(), last);
        if (!DsaPointerIsValid(entry->sibling))
            break;
        last = entry->sibling;
    }
    entry->sibling = other;
    return handle;
}

uint32 PaosIndexCount(PaosShared *shared, int class, const PaosFiling *filing)
{
    PaosSignatureUse *use = PaosSignatureFind(shared, class, filing);

    return use == NULL ? 0 : pg_atomic_read_u32(&use->signature->live);
}

/* ---- found ---- */

void PaosFoundAppend(PaosFoundList *list, PaosFoundOne one)
{
    if (list->n == list->size)
    {
        Size size = list->size * sizeof(PaosFoundOne);
        PaosFoundOne *more = palloc_extended(2 * size, MCXT_ALLOC_HUGE);

        memcpy(more, list->items, size);
        if (list->items != list->first)
            pfree(list->items);
        list->items = more;
        list->size *= 2;
    }
    list->items[list->n++] = one;
}

void PaosFoundAdd(PaosFoundList *list, const PaosEntry *entry)
{
    PaosFoundAppend(list, (PaosFoundOne){entry->request, entry->exact,
                                         entry->checked ? PaosChecksCopy(*ChecksOf(entry)) : NULL});
}
