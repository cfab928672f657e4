/*
 * ring.c - siblings: objects that were got together.
 *
 * A ring, and not a list of its own, so that membership costs eight bytes and
 * an object leaves it without a search.  An object alone is its own ring.
 */
#include "paos_int.h"

void paosi_ring_leave(paos_object *object)
{
    const paosi_cache *cache = &paosi_object_conn(object)->cache;

    paosi_cache_at(cache, object->left)->right = object->right;
    paosi_cache_at(cache, object->right)->left = object->left;
    object->left = object->right = object->slot;
}

void paosi_ring_join(paos_object *object, paos_object *leader)
{
    const paosi_cache *cache = &paosi_object_conn(object)->cache;

    if (object == leader)
        return;
    paosi_ring_leave(object);
    /* Before the leader is the end, so that the ring keeps the order of the answer. */
    object->left = leader->left;
    object->right = leader->slot;
    paosi_cache_at(cache, leader->left)->right = object->slot;
    leader->left = object->slot;
}
