/*
 * index_probe.c - which requests may a row satisfy?
 *
 * A row is looked up once in each signature of its class, however many requests
 * there are.  What is found is told of when no lock is held any more and nothing is
 * read from the index any more, for whoever is told may do anything.
 */
#include "index.h"

#include "utils/datum.h"

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
    PaosFoundList *found;
} Asked;

/*
 * A search: what an index by hash says of a value is in no cache of the processor,
 * and comes while other signatures are searched.
 */
typedef struct Search
{
    PaosShared *shared;
    PaosSignatureUse **uses; /* all of the class */
    int n;
    int nasked;
    Asked asked[8];
} Search;

static void FindAsked(Search *search)
{
    int i;

    for (i = 0; i < search->nasked; i++)
    {
        const Asked *asked = &search->asked[i];

        PaosConstantFind(search->shared, asked->use, asked->value, asked->hash, asked->found);
    }
    search->nasked = 0;
}

static void FindValue(Search *search, PaosSignatureUse *use, Datum value, int16 typlen,
                      PaosFoundList *found)
{
    if (typlen == -1)
        value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
    if (use->signature->kind != PAOS_FILE_EQUAL)
    {
        PaosRangeFind(PaosSharedArea(), use, value, found);
        return;
    }
    if (search->nasked == lengthof(search->asked))
        FindAsked(search);
    search->asked[search->nasked++] =
        (Asked){use, value, PaosConstantAsk(search->shared, use, value), found};
}

static void FindRow(Search *search, PaosSignatureUse *use, TupleTableSlot *row,
                    PaosFoundList *found)
{
    PaosSignature *signature = use->signature;
    TupleDesc desc;
    Datum value;
    bool isnull;

    if (pg_atomic_read_u32(&signature->live) == 0)
        return;
    if (signature->kind == PAOS_FILE_REST)
    {
        PaosListFind(PaosSharedArea(), signature, found);
        return;
    }
    desc = row->tts_tupleDescriptor;
    if (!PaosSignatureIsCurrent(use, desc))
    {
        FindAll(search->shared, use, found);
        return;
    }
    value = slot_getattr(row, signature->attribute, &isnull);
    if (isnull && signature->kind == PAOS_FILE_NULL)
        PaosListFind(PaosSharedArea(), signature, found);
    if (!isnull && signature->kind != PAOS_FILE_NULL)
        FindValue(search, use, value, TupleDescAttr(desc, signature->attribute - 1)->attlen, found);
}

/* ---- a row ---- */

/* Takes out what the rest of an `and` turns away. */
static void CompareRest(const Search *search, PaosFoundList *list, TupleTableSlot *row)
{
    int kept = 0;
    int i;

    for (i = 0; i < list->n; i++)
    {
        PaosFoundOne one = list->items[i];
        PaosCheckResult result = PAOS_CHECK_PASSED;

        if (one.checks != NULL)
            result = PaosChecksPass(one.checks, search->uses, search->n, row);
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

static void Begin(Search *search, PaosShared *shared, int class)
{
    search->shared = shared;
    search->uses = PaosSignatures(shared, class, &search->n);
    search->nasked = 0;
}

static void Empty(PaosFoundList *list)
{
    list->items = list->first;
    list->n = 0;
    list->size = lengthof(list->first);
}

void PaosIndexProbe(PaosShared *shared, int class, TupleTableSlot *row, PaosFound found, void *arg)
{
    Search search;
    PaosFoundList list;
    int i;

    Begin(&search, shared, class);
    Empty(&list);
    /* What is asked of memory first has the longest time to come. */
    for (i = 0; i < search.n; i++)
        if (search.uses[i]->signature->kind == PAOS_FILE_EQUAL)
            FindRow(&search, search.uses[i], row, &list);
    for (i = 0; i < search.n; i++)
        if (search.uses[i]->signature->kind != PAOS_FILE_EQUAL)
            FindRow(&search, search.uses[i], row, &list);
    FindAsked(&search);
    CompareRest(&search, &list, row);
    Tell(&list, found, arg);
}

/* ---- a row as it was and as it is ---- */

/* Saves fetching what is stored elsewhere and has not been touched. */
static bool IsSameImage(Datum was, Datum is, int16 typlen)
{
    const char *a = DatumGetPointer(was);
    const char *b = DatumGetPointer(is);

    return typlen == -1 && VARSIZE_ANY(a) == VARSIZE_ANY(b) && memcmp(a, b, VARSIZE_ANY(a)) == 0;
}

bool PaosAttributeDiffers(AttrNumber number, TupleTableSlot *before, TupleTableSlot *after)
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
    return !IsSameImage(was, is, attribute->attlen) &&
           !datum_image_eq(was, is, attribute->attbyval, attribute->attlen);
}

static void AppendAll(PaosFoundList *list, const PaosFoundList *more)
{
    int i;

    for (i = 0; i < more->n; i++)
        PaosFoundAppend(list, more->items[i]);
}

/* What both versions have in common, then what one of them has alone. */
static void Combine(const Search *search, const PaosFoundList *common, const PaosFoundList *alone,
                    TupleTableSlot *row, PaosFoundList *out)
{
    Empty(out);
    AppendAll(out, common);
    AppendAll(out, alone);
    CompareRest(search, out, row);
}

/* What both versions have is found once, and comes first in both lists. */
static void FindUpdate(Search *search, TupleTableSlot *before, TupleTableSlot *after,
                       PaosFoundList *all_before, PaosFoundList *all_after)
{
    PaosFoundList both, was, is;
    int i;

    Empty(&both);
    Empty(&was);
    Empty(&is);
    for (i = 0; i < search->n; i++)
    {
        PaosSignatureUse *use = search->uses[i];

        if (pg_atomic_read_u32(&use->signature->live) == 0)
            continue;
        if (use->signature->kind == PAOS_FILE_REST ||
            !PaosAttributeDiffers(use->signature->attribute, before, after))
        {
            FindRow(search, use, after, &both);
            continue;
        }
        FindRow(search, use, before, &was);
        FindRow(search, use, after, &is);
    }
    FindAsked(search);
    Combine(search, &both, &was, before, all_before);
    Combine(search, &both, &is, after, all_after);
}

void PaosIndexProbeUpdate(PaosShared *shared, int class, TupleTableSlot *before,
                          TupleTableSlot *after, PaosFound found_before, PaosFound found_after,
                          void *arg)
{
    Search search;
    PaosFoundList was, is;

    Begin(&search, shared, class);
    FindUpdate(&search, before, after, &was, &is);
    Tell(&was, found_before, arg);
    Tell(&is, found_after, arg);
}

void PaosIndexProbeChange(PaosShared *shared, int class, TupleTableSlot *before,
                          TupleTableSlot *after, PaosFound found, void *arg)
{
    Search search;
    PaosFoundList list;
    int i;

    Begin(&search, shared, class);
    Empty(&list);
    for (i = 0; i < search.n; i++)
    {
        PaosSignatureUse *use = search.uses[i];

        if (pg_atomic_read_u32(&use->signature->live) == 0 ||
            !PaosAttributeDiffers(use->signature->attribute, before, after))
            continue;
        FindRow(&search, use, before, &list);
        if (use->signature->kind != PAOS_FILE_REST)
            FindRow(&search, use, after, &list);
    }
    FindAsked(&search);
    Tell(&list, found, arg);
}
