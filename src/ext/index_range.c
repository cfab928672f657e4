/*
 * index_range.c - entries found by the range that a value lies in.
 *
 * An interval tree: a treap in the order of low bounds, where each node knows
 * the greatest high bound of its subtree.  Removing an entry may not compare, so
 * it leaves nodes whose greatest bound is not known: these are searched as if it
 * were infinite, and are loose until somebody who may compare tightens them.
 * The ancestors of a loose node are loose, so that such nodes are found quickly.
 */
#include "index.h"

#include "common/pg_prng.h"
#include "miscadmin.h"

/* How many loose nodes one probe or insertion sets right at most. */
#define TIGHTEN_BUDGET 256

typedef enum BoundKind
{
    BOUND_INFINITE,
    BOUND_INCLUSIVE,
    BOUND_EXCLUSIVE,
    BOUND_UNKNOWN /* greatest only; to be taken for infinite */
} BoundKind;

typedef struct RangeNode
{
    PaosEntry entry;
    dsa_pointer left;
    dsa_pointer right;
    dsa_pointer parent;
    PaosConstant low;
    PaosConstant high;
    PaosConstant greatest; /* high of some node of this subtree */
    uint32 priority;       /* not above the parent's */
    uint8 low_kind;
    uint8 high_kind;
    uint8 greatest_kind;
    bool loose; /* greatest may be higher than need be, here or below */
} RangeNode;

typedef struct Tree
{
    dsa_area *area;
    PaosSignature *signature;
    PaosSignatureUse *use; /* NULL: may not compare */
    int budget;
} Tree;

static RangeNode *NodeAt(const Tree *tree, dsa_pointer pointer)
{
    return dsa_get_address(tree->area, pointer);
}

/* ---- making ---- */

static BoundKind KindOf(bool has, bool inclusive)
{
    if (!has)
        return BOUND_INFINITE;
    return inclusive ? BOUND_INCLUSIVE : BOUND_EXCLUSIVE;
}

dsa_pointer PaosRangeMake(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing)
{
    const PaosSignature *signature = use->signature;
    Size low = filing->has_low ? PaosConstantSize(signature, filing->low) : 0;
    Size high = filing->has_high ? PaosConstantSize(signature, filing->high) : 0;
    dsa_pointer pointer = dsa_allocate_extended(area, sizeof(RangeNode) + low + high,
                                                DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
    RangeNode *node;

    if (!DsaPointerIsValid(pointer))
        return pointer;
    node = dsa_get_address(area, pointer);
    node->low_kind = KindOf(filing->has_low, filing->low_inclusive);
    node->high_kind = KindOf(filing->has_high, filing->high_inclusive);
    if (filing->has_low)
        node->low = PaosConstantStore(area, signature, filing->low, pointer + sizeof(RangeNode));
    if (filing->has_high)
        node->high =
            PaosConstantStore(area, signature, filing->high, pointer + sizeof(RangeNode) + low);
    node->greatest = node->high;
    node->greatest_kind = node->high_kind;
    node->priority = pg_prng_uint32(&pg_global_prng_state);
    return pointer;
}

/* ---- comparing ---- */

static int CompareConstants(const Tree *tree, PaosConstant a, PaosConstant b)
{
    const PaosSignature *signature = tree->signature;

    return DatumGetInt32(FunctionCall2Coll(&tree->use->compare, signature->collation,
                                           PaosConstantDatum(tree->area, signature, a),
                                           PaosConstantDatum(tree->area, signature, b)));
}

static int CompareLows(const Tree *tree, const RangeNode *a, const RangeNode *b)
{
    int order;

    if (a->low_kind == BOUND_INFINITE || b->low_kind == BOUND_INFINITE)
        return (a->low_kind != BOUND_INFINITE) - (b->low_kind != BOUND_INFINITE);
    order = CompareConstants(tree, a->low, b->low);
    return order != 0 ? order : a->low_kind - b->low_kind;
}

/* High bounds, of which an inclusive one is above the same exclusive one. */
static int CompareHighs(const Tree *tree, PaosConstant a, BoundKind a_kind, PaosConstant b,
                        BoundKind b_kind)
{
    int order;

    if (a_kind == BOUND_INFINITE || b_kind == BOUND_INFINITE)
        return (a_kind == BOUND_INFINITE) - (b_kind == BOUND_INFINITE);
    order = CompareConstants(tree, a, b);
    return order != 0 ? order : (int) b_kind - (int) a_kind;
}

/* ---- tightening ---- */

static void RaiseGreatest(const Tree *tree, RangeNode *node, dsa_pointer child)
{
    const RangeNode *from;

    if (!DsaPointerIsValid(child))
        return;
    from = NodeAt(tree, child);
    if (CompareHighs(tree, from->greatest, from->greatest_kind, node->greatest,
                     node->greatest_kind) <= 0)
        return;
    node->greatest = from->greatest;
    node->greatest_kind = from->greatest_kind;
}

static bool Tighten(Tree *tree, dsa_pointer pointer)
{
    RangeNode *node;
    RangeNode tight;

    if (!DsaPointerIsValid(pointer))
        return true;
    node = NodeAt(tree, pointer);
    if (!node->loose)
        return true;
    if (!Tighten(tree, node->left) || !Tighten(tree, node->right) || tree->budget == 0)
        return false;
    tree->budget--;
    tight = *node; /* a comparison that fails leaves the node as it was */
    tight.greatest = node->high;
    tight.greatest_kind = node->high_kind;
    RaiseGreatest(tree, &tight, node->left);
    RaiseGreatest(tree, &tight, node->right);
    node->greatest = tight.greatest;
    node->greatest_kind = tight.greatest_kind;
    node->loose = false;
    return true;
}

static void Loosen(RangeNode *node)
{
    node->greatest = 0;
    node->greatest_kind = BOUND_UNKNOWN;
    node->loose = true;
}

/* ---- linking and unlinking ---- */

/* What leads to a node: its parent's pointer or the root. */
static dsa_pointer *LinkTo(const Tree *tree, dsa_pointer pointer)
{
    const RangeNode *node = NodeAt(tree, pointer);
    RangeNode *parent;

    if (!DsaPointerIsValid(node->parent))
        return &tree->signature->root;
    parent = NodeAt(tree, node->parent);
    return parent->left == pointer ? &parent->left : &parent->right;
}

/* Exchanges a node and its parent; the greatest bounds of both are lost. */
static void RotateUp(const Tree *tree, dsa_pointer pointer)
{
    RangeNode *node = NodeAt(tree, pointer);
    dsa_pointer old_parent = node->parent;
    RangeNode *parent = NodeAt(tree, old_parent);
    dsa_pointer *link = LinkTo(tree, old_parent);
    bool was_left = parent->left == pointer;
    dsa_pointer between = was_left ? node->right : node->left;

    *link = pointer;
    node->parent = parent->parent;
    parent->parent = pointer;
    if (was_left)
    {
        parent->left = between;
        node->right = old_parent;
    }
    else
    {
        parent->right = between;
        node->left = old_parent;
    }
    if (DsaPointerIsValid(between))
        NodeAt(tree, between)->parent = old_parent;
    Loosen(node);
    Loosen(parent);
}

/* Hangs a new node under the tree: all comparing is done before it. */
static void HangLeaf(const Tree *tree, dsa_pointer pointer)
{
    RangeNode *node = NodeAt(tree, pointer);
    dsa_pointer *link = &tree->signature->root;
    dsa_pointer parent = InvalidDsaPointer;

    while (DsaPointerIsValid(*link))
    {
        RangeNode *other = NodeAt(tree, *link);

        parent = *link;
        link = CompareLows(tree, node, other) < 0 ? &other->left : &other->right;
    }
    node->parent = parent;
    *link = pointer;
    for (; DsaPointerIsValid(parent); parent = NodeAt(tree, parent)->parent)
        Loosen(NodeAt(tree, parent));
}

static bool IsAboveParent(const Tree *tree, const RangeNode *node)
{
    return DsaPointerIsValid(node->parent) && node->priority > NodeAt(tree, node->parent)->priority;
}

/* So that nothing is looked up in catalogues, as a collation may be, under a lock. */
static void WarmUp(PaosSignatureUse *use, Datum value, bool of_right_type)
{
    if (use->warm || !of_right_type)
        return;
    FunctionCall2Coll(&use->compare, use->signature->collation, value, value);
    use->warm = true;
}

void PaosRangeLink(dsa_area *area, PaosSignatureUse *use, dsa_pointer pointer)
{
    Tree tree = {area, use->signature, use, TIGHTEN_BUDGET};
    RangeNode *node = NodeAt(&tree, pointer);

    if (node->low_kind != BOUND_INFINITE)
        WarmUp(use, PaosConstantDatum(area, use->signature, node->low), true);
    LWLockAcquire(&use->signature->lock, LW_EXCLUSIVE);
    HangLeaf(&tree, pointer);
    node->entry.linked = true;
    while (IsAboveParent(&tree, node))
        RotateUp(&tree, pointer);
    Tighten(&tree, use->signature->root);
    LWLockRelease(&use->signature->lock);
}

static dsa_pointer HigherChild(const Tree *tree, const RangeNode *node)
{
    if (!DsaPointerIsValid(node->left))
        return node->right;
    if (!DsaPointerIsValid(node->right))
        return node->left;
    return NodeAt(tree, node->left)->priority > NodeAt(tree, node->right)->priority ? node->left
                                                                                    : node->right;
}

/* The bounds that came from a node that goes are not known any more. */
static void ForgetGreatest(const Tree *tree, const RangeNode *gone)
{
    bool loose = false;
    dsa_pointer next;
    RangeNode *node;

    for (next = gone->parent; DsaPointerIsValid(next); next = node->parent)
    {
        node = NodeAt(tree, next);
        if (node->greatest == gone->high && node->greatest_kind == gone->high_kind)
            Loosen(node);
        node->loose = loose = loose || node->loose;
    }
}

void PaosRangeUnlink(dsa_area *area, PaosSignature *signature, dsa_pointer pointer)
{
    Tree tree = {.area = area, .signature = signature};
    RangeNode *node = NodeAt(&tree, pointer);
    dsa_pointer child;

    LWLockAcquire(&signature->lock, LW_EXCLUSIVE);
    while (DsaPointerIsValid(child = HigherChild(&tree, node)))
        RotateUp(&tree, child);
    *LinkTo(&tree, pointer) = InvalidDsaPointer;
    ForgetGreatest(&tree, node);
    LWLockRelease(&signature->lock);
}

/* ---- finding ---- */

typedef struct Search
{
    Tree tree;
    Datum value;
    PaosFoundList *found;
} Search;

static int CompareValue(const Search *search, PaosConstant constant)
{
    const Tree *tree = &search->tree;

    return DatumGetInt32(
        FunctionCall2Coll(&tree->use->compare_left, tree->signature->collation, search->value,
                          PaosConstantDatum(tree->area, tree->signature, constant)));
}

static bool IsAboveLow(const Search *search, const RangeNode *node)
{
    if (node->low_kind == BOUND_INFINITE)
        return true;
    return CompareValue(search, node->low) >= (node->low_kind == BOUND_INCLUSIVE ? 0 : 1);
}

static bool IsBelowHigh(const Search *search, PaosConstant high, BoundKind kind)
{
    if (kind == BOUND_INFINITE || kind == BOUND_UNKNOWN)
        return true;
    return CompareValue(search, high) <= (kind == BOUND_INCLUSIVE ? 0 : -1);
}

static void FindUnder(const Search *search, dsa_pointer pointer)
{
    while (DsaPointerIsValid(pointer))
    {
        const RangeNode *node = NodeAt(&search->tree, pointer);

        if (!IsBelowHigh(search, node->greatest, node->greatest_kind))
            return;
        FindUnder(search, node->left);
        if (!IsAboveLow(search, node))
            return;
        if (IsBelowHigh(search, node->high, node->high_kind))
            PaosFoundAdd(search->found, &node->entry);
        pointer = node->right;
    }
}

static bool IsLoose(const Tree *tree)
{
    dsa_pointer root = tree->signature->root;

    return DsaPointerIsValid(root) && NodeAt(tree, root)->loose;
}

/* Sets some loose nodes right, unless others are at work in the tree. */
static void TightenSome(Tree *tree)
{
    if (!LWLockConditionalAcquire(&tree->signature->lock, LW_EXCLUSIVE))
        return;
    tree->budget = TIGHTEN_BUDGET;
    Tighten(tree, tree->signature->root);
    LWLockRelease(&tree->signature->lock);
}

void PaosRangeFind(dsa_area *area, PaosSignatureUse *use, Datum value, PaosFoundList *found)
{
    Search search = {{area, use->signature, use, 0}, value, found};
    bool loose;

    WarmUp(use, value, use->signature->left_type == use->signature->type);
    LWLockAcquire(&use->signature->lock, LW_SHARED);
    loose = IsLoose(&search.tree);
    FindUnder(&search, use->signature->root);
    LWLockRelease(&use->signature->lock);
    if (loose)
        TightenSome(&search.tree);
}

static void AddUnder(const Tree *tree, dsa_pointer pointer, PaosFoundList *found)
{
    for (; DsaPointerIsValid(pointer); pointer = NodeAt(tree, pointer)->right)
    {
        const RangeNode *node = NodeAt(tree, pointer);

        AddUnder(tree, node->left, found);
        PaosFoundAdd(found, &node->entry);
    }
}

void PaosRangeFindAll(dsa_area *area, PaosSignatureUse *use, PaosFoundList *found)
{
    Tree tree = {.area = area, .signature = use->signature};

    LWLockAcquire(&use->signature->lock, LW_SHARED);
    AddUnder(&tree, use->signature->root, found);
    LWLockRelease(&use->signature->lock);
}
