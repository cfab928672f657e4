/*
 * index_tree.c - the treap of an index by order: its shape, and the greatest bounds.
 *
 * Whoever removes an entry may not compare, so removing leaves buckets whose
 * greatest bound is not known.  These are searched as if it were infinite, and
 * are loose until somebody who may compare tightens them.  The ancestors of a
 * loose bucket are loose, so that such buckets are found quickly.
 */
#include "index_range.h"

/* ---- shape ---- */

/* What leads to a bucket: its parent's pointer or the root. */
static dsa_pointer *LinkTo(const PaosTree *tree, dsa_pointer pointer)
{
    const PaosBucket *bucket = PaosBucketAt(tree, pointer);
    PaosBucket *parent;

    if (!DsaPointerIsValid(bucket->parent))
        return &tree->signature->root;
    parent = PaosBucketAt(tree, bucket->parent);
    return parent->left == pointer ? &parent->left : &parent->right;
}

/* Exchanges a bucket and its parent, whose greatest bounds the caller forgets. */
static void RotateUp(const PaosTree *tree, dsa_pointer pointer)
{
    PaosBucket *bucket = PaosBucketAt(tree, pointer);
    dsa_pointer old_parent = bucket->parent;
    PaosBucket *parent = PaosBucketAt(tree, old_parent);
    bool was_left = parent->left == pointer;
    dsa_pointer between = was_left ? bucket->right : bucket->left;

    *LinkTo(tree, old_parent) = pointer;
    bucket->parent = parent->parent;
    parent->parent = pointer;
    if (was_left)
    {
        parent->left = between;
        bucket->right = old_parent;
    }
    else
    {
        parent->right = between;
        bucket->left = old_parent;
    }
    if (DsaPointerIsValid(between))
        PaosBucketAt(tree, between)->parent = old_parent;
}

static bool IsAboveParent(const PaosTree *tree, const PaosBucket *bucket)
{
    return DsaPointerIsValid(bucket->parent) &&
           bucket->priority > PaosBucketAt(tree, bucket->parent)->priority;
}

static dsa_pointer *LeftmostLink(const PaosTree *tree, dsa_pointer *link, dsa_pointer *parent)
{
    while (DsaPointerIsValid(*link))
    {
        *parent = *link;
        link = &PaosBucketAt(tree, *link)->left;
    }
    return link;
}

void PaosTreeHang(const PaosTree *tree, dsa_pointer after, dsa_pointer pointer)
{
    PaosBucket *bucket = PaosBucketAt(tree, pointer);
    dsa_pointer *link = &tree->signature->root;

    bucket->parent = after;
    if (DsaPointerIsValid(after))
        link = LeftmostLink(tree, &PaosBucketAt(tree, after)->right, &bucket->parent);
    *link = pointer;
    PaosTreeAdded(tree, pointer);
    while (IsAboveParent(tree, bucket))
        RotateUp(tree, pointer);
}

static dsa_pointer HigherChild(const PaosTree *tree, const PaosBucket *bucket)
{
    if (!DsaPointerIsValid(bucket->left))
        return bucket->right;
    if (!DsaPointerIsValid(bucket->right))
        return bucket->left;
    return PaosBucketAt(tree, bucket->left)->priority > PaosBucketAt(tree, bucket->right)->priority
               ? bucket->left
               : bucket->right;
}

void PaosTreeTakeOut(const PaosTree *tree, dsa_pointer pointer)
{
    PaosBucket *bucket = PaosBucketAt(tree, pointer);
    dsa_pointer child;

    while (DsaPointerIsValid(child = HigherChild(tree, bucket)))
        RotateUp(tree, child);
    *LinkTo(tree, pointer) = InvalidDsaPointer;
    if (DsaPointerIsValid(bucket->parent))
        PaosTreeAdded(tree, bucket->parent);
}

dsa_pointer PaosTreeNext(const PaosTree *tree, dsa_pointer pointer)
{
    const PaosBucket *bucket = PaosBucketAt(tree, pointer);
    dsa_pointer next = InvalidDsaPointer;
    dsa_pointer right = bucket->right;

    if (DsaPointerIsValid(right))
    {
        LeftmostLink(tree, &right, &next);
        return next;
    }
    for (next = bucket->parent; DsaPointerIsValid(next); next = bucket->parent)
    {
        bucket = PaosBucketAt(tree, next);
        if (bucket->left == pointer)
            break;
        pointer = next;
    }
    return next;
}

/* ---- places ---- */

/* Is a low bound below the first one of a bucket? */
static bool IsBefore(const PaosTree *tree, PaosBound low, const PaosBucket *bucket)
{
    int order;

    if (low.kind == PAOS_BOUND_INFINITE || bucket->low_kind == PAOS_BOUND_INFINITE)
        return bucket->low_kind != PAOS_BOUND_INFINITE;
    order = PaosConstantsCompare(tree, low.constant, bucket->low);
    return order < 0 || (order == 0 && low.kind < bucket->low_kind);
}

dsa_pointer PaosTreePlace(const PaosTree *tree, PaosBound low)
{
    dsa_pointer next = tree->signature->root;
    dsa_pointer last = InvalidDsaPointer;
    dsa_pointer place = InvalidDsaPointer;

    while (DsaPointerIsValid(next))
    {
        const PaosBucket *bucket = PaosBucketAt(tree, next);
        bool before = IsBefore(tree, low, bucket);

        last = next;
        if (!before)
            place = next;
        next = before ? bucket->left : bucket->right;
    }
    return DsaPointerIsValid(place) ? place : last;
}

/* ---- greatest bounds ---- */

static void ForgetGreatest(PaosBucket *bucket)
{
    bucket->greatest = 0;
    bucket->greatest_kind = PAOS_BOUND_UNKNOWN;
    bucket->loose = true;
}

void PaosTreeAdded(const PaosTree *tree, dsa_pointer pointer)
{
    for (; DsaPointerIsValid(pointer); pointer = PaosBucketAt(tree, pointer)->parent)
        ForgetGreatest(PaosBucketAt(tree, pointer));
}

void PaosTreeRemoved(const PaosTree *tree, dsa_pointer pointer, PaosBound gone)
{
    bool loose = false;

    for (; DsaPointerIsValid(pointer); pointer = PaosBucketAt(tree, pointer)->parent)
    {
        PaosBucket *bucket = PaosBucketAt(tree, pointer);

        if (bucket->greatest == gone.constant && bucket->greatest_kind == gone.kind)
            ForgetGreatest(bucket);
        loose = loose || bucket->loose;
        bucket->loose = loose;
    }
}

bool PaosTreeIsLoose(const PaosTree *tree)
{
    dsa_pointer root = tree->signature->root;

    return DsaPointerIsValid(root) && PaosBucketAt(tree, root)->loose;
}

static PaosBound HigherOf(const PaosTree *tree, PaosBound bound, dsa_pointer child)
{
    const PaosBucket *bucket;
    PaosBound other;

    if (!DsaPointerIsValid(child))
        return bound;
    bucket = PaosBucketAt(tree, child);
    other = (PaosBound){bucket->greatest, bucket->greatest_kind};
    return PaosIsHigher(tree, other, bound) ? other : bound;
}

/* False when the budget is used up: then the bucket is still loose. */
static bool Tighten(PaosTree *tree, dsa_pointer pointer)
{
    PaosBucket *bucket;
    PaosBound bound;

    if (!DsaPointerIsValid(pointer))
        return true;
    bucket = PaosBucketAt(tree, pointer);
    if (!bucket->loose)
        return true;
    if (!Tighten(tree, bucket->left) || !Tighten(tree, bucket->right) || tree->budget-- <= 0)
        return false;
    PaosBucketTighten(tree, bucket);
    bound = (PaosBound){bucket->highest, bucket->highest_kind};
    bound = HigherOf(tree, HigherOf(tree, bound, bucket->left), bucket->right);
    bucket->greatest = bound.constant;
    bucket->greatest_kind = bound.kind;
    bucket->loose = false;
    return true;
}

void PaosTreeTighten(PaosTree *tree)
{
    Tighten(tree, tree->signature->root);
}
