/*
 * ring.c - siblings: objects that were got together.
 *
 * A ring, and not a list of its own, so that membership costs eight bytes and
 * an object leaves it without a search.  An object alone is its own ring.
 */
#include "paos_int.h"

static paosi_rest *rest_at(const paos_object *object, uint32_t slot)
{
    return paosi_object_rest(paosi_cache_at(&paosi_object_conn(object)->cache, slot));
}

void paosi_ring_leave(paos_object *object)
{
    paosi_rest *rest = paosi_object_rest(object);

    if (rest->left == object->slot)
        return;
    rest_at(object, rest->left)->right = rest->right;
    rest_at(object, rest->right)->left = rest->left;
    rest->left = rest->right = object->slot;
}

void paosi_ring_join(paos_object *object, paos_object *leader)
{
    paosi_rest *rest = paosi_object_rest(object), *first = paosi_object_rest(leader);

    if (object == leader)
        return;
    paosi_ring_leave(object);
    /* Before the leader is the end, so that the ring keeps the order of the answer. */
    rest->left = first->left;
    rest->right = leader->slot;
    rest_at(object, first->left)->right = object->slot;
    first->left = object->slot;
}
