/*
 * index.c - the predicate index: which requests may a row satisfy?
 *
 * A row is looked up once in each signature of its class, however many requests
 * there are.  What is found is told of when no lock is held any more, for whoever
 * is told may do anything.
 */
#include "index.h"

#include "miscadmin.h"
#include "utils/datum.h"

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

/* ---- probing ---- */

void PaosFoundAdd(PaosFoundList *list, const PaosEntry *entry)
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
    list->items[list->n++] = (PaosFoundOne){
        entry->request, entry->exact, entry->checked ? PaosChecksCopy(*ChecksOf(entry)) : NULL};
}

/*
 * The attribute has changed its type, or the type's functions are gone: there
 * is no telling which entries the row satisfies, so all may be.
 */
static void FindAll(PaosShared *shared, PaosSignatureUse *use, PaosFoundList *found)
{
    int n = found->n;

    if (use->signature->kind == PAOS_FILE_EQUAL)
        PaosConstantFindAll(shared, use, found);
    else if (use->signature->kind == PAOS_FILE_RANGE)
        PaosRangeFindAll(PaosSharedArea(), use, found);
    else
        PaosListFind(PaosSharedArea(), use->signature, found);
    for (; n < found->n; n++)
        found->items[n].exact = false;
}

bool PaosSignatureIsCurrent(PaosSignatureUse *use, TupleDesc desc)
{
    const PaosSignature *signature = use->signature;

    return signature->attribute <= desc->natts &&
           TupleDescAttr(desc, signature->attribute - 1)->atttypid == signature->attribute_type &&
           PaosSignatureReady(use);
}

/* What a constant is looked for by, between asking memory for it and looking. */
typedef struct Asked
{
    PaosSignatureUse *use;
    Datum value;
    uint64 hash;
} Asked;

/*
 * A search of a row: what an index by hash says of a value is in no cache of the processor,
 * and comes while other signatures are searched.
 */
typedef struct Search
{
    PaosFoundList list;
    int nasked;
    Asked asked[8];
} Search;

static void FindAsked(PaosShared *shared, Search *search)
{
    int i;

    for (i = 0; i < search->nasked; i++)
        PaosConstantFind(shared, search->asked[i].use, search->asked[i].value,
                         search->asked[i].hash, &search->list);
    search->nasked = 0;
}

static void FindValue(PaosShared *shared, PaosSignatureUse *use, Datum value, int16 typlen,
                      Search *search)
{
    if (typlen == -1)
        value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
    if (use->signature->kind != PAOS_FILE_EQUAL)
    {
        PaosRangeFind(PaosSharedArea(), use, value, &search->list);
        return;
    }
    if (search->nasked == lengthof(search->asked))
        FindAsked(shared, search);
    search->asked[search->nasked++] = (Asked){use, value, PaosConstantAsk(shared, use, value)};
}

static void FindRow(PaosShared *shared, PaosSignatureUse *use, TupleTableSlot *row, Search *search)
{
    PaosSignature *signature = use->signature;
    TupleDesc desc;
    Datum value;
    bool isnull;

    if (pg_atomic_read_u32(&signature->live) == 0)
        return;
    if (signature->kind == PAOS_FILE_REST)
    {
        PaosListFind(PaosSharedArea(), signature, &search->list);
        return;
    }
    desc = row->tts_tupleDescriptor;
    if (!PaosSignatureIsCurrent(use, desc))
    {
        FindAll(shared, use, &search->list);
        return;
    }
    value = slot_getattr(row, signature->attribute, &isnull);
    if (isnull && signature->kind == PAOS_FILE_NULL)
        PaosListFind(PaosSharedArea(), signature, &search->list);
    if (!isnull && signature->kind != PAOS_FILE_NULL)
        FindValue(shared, use, value, TupleDescAttr(desc, signature->attribute - 1)->attlen,
                  search);
}

/* Takes out what the rest of an `and` turns away. */
static void CompareRest(PaosFoundList *list, PaosSignatureUse **uses, int n, TupleTableSlot *row)
{
    int kept = 0;
    int i;

    for (i = 0; i < list->n; i++)
    {
        PaosFoundOne one = list->items[i];
        PaosCheckResult result =
            one.checks == NULL ? PAOS_CHECK_PASSED : PaosChecksPass(one.checks, uses, n, row);

        if (result == PAOS_CHECK_FAILED)
            continue;
        one.exact = one.exact && result == PAOS_CHECK_PASSED;
        list->items[kept++] = one;
    }
    list->n = kept;
}

static void Tell(const PaosFoundList *list, PaosFound found, void *arg)
{
    int i;

    for (i = 0; i < list->n; i++)
        found(list->items[i].request, list->items[i].exact, arg);
}

/* Makes a search ready; all signatures of the class. */
static PaosSignatureUse **Begin(PaosShared *shared, int class, Search *search, int *n)
{
    search->list.items = search->list.first;
    search->list.n = 0;
    search->list.size = lengthof(search->list.first);
    search->nasked = 0;
    return PaosSignatures(shared, class, n);
}

/* Those that are asked for first, and so have the longest time to come. */
static void AskFirst(PaosShared *shared, PaosSignatureUse **uses, int n, TupleTableSlot *row,
                     Search *search)
{
    int i;

    for (i = 0; i < n; i++)
        if (uses[i]->signature->kind == PAOS_FILE_EQUAL)
            FindRow(shared, uses[i], row, search);
}

void PaosIndexProbe(PaosShared *shared, int class, TupleTableSlot *row, PaosFound found, void *arg)
{
    Search search;
    int n;
    PaosSignatureUse **uses = Begin(shared, class, &search, &n);
    int i;

    AskFirst(shared, uses, n, row, &search);
    for (i = 0; i < n; i++)
        if (uses[i]->signature->kind != PAOS_FILE_EQUAL)
            FindRow(shared, uses[i], row, &search);
    FindAsked(shared, &search);
    CompareRest(&search.list, uses, n, row);
    Tell(&search.list, found, arg);
}

static bool Differs(AttrNumber number, TupleTableSlot *before, TupleTableSlot *after)
{
    Form_pg_attribute attribute;
    bool null_before;
    bool null_after;
    Datum was;
    Datum is;

    if (number > after->tts_tupleDescriptor->natts)
        return true;
    attribute = TupleDescAttr(after->tts_tupleDescriptor, number - 1);
    was = slot_getattr(before, number, &null_before);
    is = slot_getattr(after, number, &null_after);
    if (null_before || null_after)
        return null_before != null_after;
    return !datum_image_eq(was, is, attribute->attbyval, attribute->attlen);
}

void PaosIndexProbeChange(PaosShared *shared, int class, TupleTableSlot *before,
                          TupleTableSlot *after, PaosFound found, void *arg)
{
    Search search;
    int n;
    PaosSignatureUse **uses = Begin(shared, class, &search, &n);
    int i;

    for (i = 0; i < n; i++)
    {
        const PaosSignature *signature = uses[i]->signature;

        if (pg_atomic_read_u32(&uses[i]->signature->live) == 0 ||
            !Differs(signature->attribute, before, after))
            continue;
        FindRow(shared, uses[i], before, &search);
        if (signature->kind != PAOS_FILE_REST)
            FindRow(shared, uses[i], after, &search);
    }
    FindAsked(shared, &search);
    Tell(&search.list, found, arg);
}
