/*
 * index_list.c - entries that have no constant: all of them are found.
 *
 * So are filed what nothing better is known about, and `attribute is null`.
 */
#include "index.h"

typedef struct ListEntry
{
    PaosEntry entry;
    dsa_pointer next;
    dsa_pointer previous; /* InvalidDsaPointer: the signature's root leads here */
} ListEntry;

dsa_pointer PaosListMake(dsa_area *area, const PaosFiling *filing)
{
    return PaosEntryAllocate(area, filing, sizeof(ListEntry));
}

void PaosListLink(dsa_area *area, PaosSignature *signature, dsa_pointer entry)
{
    ListEntry *new = dsa_get_address(area, entry);

    LWLockAcquire(&signature->lock, LW_EXCLUSIVE);
    new->next = signature->root;
    if (DsaPointerIsValid(new->next))
        ((ListEntry *) dsa_get_address(area, new->next))->previous = entry;
    signature->root = entry;
    new->entry.linked = true;
    LWLockRelease(&signature->lock);
}

void PaosListUnlink(dsa_area *area, PaosSignature *signature, dsa_pointer entry)
{
    ListEntry *old = dsa_get_address(area, entry);

    LWLockAcquire(&signature->lock, LW_EXCLUSIVE);
    if (DsaPointerIsValid(old->next))
        ((ListEntry *) dsa_get_address(area, old->next))->previous = old->previous;
    if (DsaPointerIsValid(old->previous))
        ((ListEntry *) dsa_get_address(area, old->previous))->next = old->next;
    else
        signature->root = old->next;
    LWLockRelease(&signature->lock);
}

void PaosListFind(dsa_area *area, PaosSignature *signature, PaosFoundList *list)
{
    dsa_pointer next;

    LWLockAcquire(&signature->lock, LW_SHARED);
    for (next = signature->root; DsaPointerIsValid(next);)
    {
        ListEntry *entry = dsa_get_address(area, next);

        PaosFoundAdd(list, &entry->entry);
        next = entry->next;
    }
    LWLockRelease(&signature->lock);
}
