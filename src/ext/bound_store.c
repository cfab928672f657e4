/*
 * bound_store.c - queries in shared memory, what they have in common once.
 *
 * Most queries differ in their constants alone.  So a text is cut into constants,
 * which are the request's own, and a shape: what is around them, and what the names
 * in it stand for.  A shape goes with the last query of it.  What is taken for a
 * constant is a matter of room only: put together again, the text is the same.
 */
#include "reshape.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

/* Stands for a constant; a text that has it somewhere has it as a constant. */
#define PLACE '\1'

/* Shared by all queries that have it; never changes but for the number of these. */
typedef struct Shape
{
    uint64 hash; /* of all from relid on */
    int32 uses;  /* under the lock of its entry; 0: one query's own, and in no table */
    uint32 size;
    Oid relid;
    int32 n;                                    /* of names; the text is behind them */
    PaosBoundName names[FLEXIBLE_ARRAY_MEMBER]; /* in the order of the text */
} Shape;

typedef struct ShapeEntry
{
    uint64 hash;       /* hash key */
    dsa_pointer shape; /* InvalidDsaPointer: there was no memory for it */
} ShapeEntry;

/* One query. */
typedef struct Kept
{
    dsa_pointer shape;
    char constants[FLEXIBLE_ARRAY_MEMBER]; /* each with its terminator */
} Kept;

static dshash_table *shapes = NULL;
static dsa_handle attached; /* the area that they are in */

static dshash_parameters Parameters(const PaosShared *shared)
{
    dshash_parameters parameters = {sizeof(uint64), sizeof(ShapeEntry), dshash_memcmp,
                                    dshash_memhash, shared->tranche};

    return parameters;
}

void PaosBoundsInit(PaosShared *shared, dsa_area *area)
{
    dshash_parameters parameters = Parameters(shared);
    dshash_table *table = dshash_create(area, &parameters, NULL);

    shared->shapes = dshash_get_hash_table_handle(table);
    dshash_detach(table);
}

static dshash_table *Shapes(PaosShared *shared)
{
    dshash_parameters parameters = Parameters(shared);
    MemoryContext previous;

    if (shapes != NULL && attached == dsa_get_handle(PaosSharedArea()))
        return shapes;
    previous = MemoryContextSwitchTo(TopMemoryContext);
    shapes = dshash_attach(PaosSharedArea(), &parameters, shared->shapes, NULL);
    attached = dsa_get_handle(PaosSharedArea());
    MemoryContextSwitchTo(previous);
    return shapes;
}

static void *At(dsa_pointer pointer)
{
    return dsa_get_address(PaosSharedArea(), pointer);
}

static const char *TextOf(const Shape *shape)
{
    return (const char *) &shape->names[shape->n];
}

/* ---- cutting up and putting together ---- */

static bool IsOfName(char c)
{
    return c == '_' || c == '$' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool IsDigit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many characters of a canonical text are a constant, if one begins here; 0: none does. */
static size_t ConstantLength(const char *text, char before)
{
    const char *end;

    if (*text == PLACE)
        return 1;
    if (IsDigit(*text) && !IsOfName(before))
        return strspn(text, "0123456789.:");
    if (*text != '\'')
        return 0;
    for (end = text + 1; *end != '\0'; end++)
        if (*end == '\'' && *++end != '\'')
            break;
    return end - text;
}

static void CutUp(const char *text, StringInfo around, StringInfo constants)
{
    char before = ' ';

    while (*text != '\0')
    {
        size_t length = ConstantLength(text, before);

        if (length > 0)
        {
            appendBinaryStringInfo(constants, text, (int) length);
            appendStringInfoChar(constants, '\0');
        }
        appendStringInfoChar(around, length > 0 ? PLACE : *text);
        text += Max(length, 1);
        before = text[-1];
    }
}

static char *PutTogether(const char *around, const char *constants)
{
    StringInfoData text;

    initStringInfo(&text);
    for (; *around != '\0'; around++)
    {
        if (*around != PLACE)
        {
            appendStringInfoChar(&text, *around);
            continue;
        }
        appendStringInfoString(&text, constants);
        constants += strlen(constants) + 1;
    }
    return text.data;
}

/* ---- shapes ---- */

static Shape *MakeShape(const PaosBound *bound, const StringInfoData *around)
{
    Size names = bound->n * sizeof(PaosBoundName);
    Size size = offsetof(Shape, names) + names + around->len + 1;
    Shape *shape = palloc0(size);
    int i;

    shape->size = size;
    shape->relid = bound->relid;
    shape->n = bound->n;
    /* One by one: what is between them is hashed too. */
    for (i = 0; i < bound->n; i++)
    {
        shape->names[i].number = bound->names[i].number;
        shape->names[i].type = bound->names[i].type;
        shape->names[i].collation = bound->names[i].collation;
    }
    memcpy((char *) shape->names + names, around->data, around->len + 1);
    shape->hash = hash_bytes_extended((const unsigned char *) &shape->relid,
                                      (int) (size - offsetof(Shape, relid)), 0);
    return shape;
}

static dsa_pointer CopyShape(const Shape *shape, int32 uses)
{
    dsa_pointer pointer =
        dsa_allocate_extended(PaosSharedArea(), shape->size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);

    if (!DsaPointerIsValid(pointer))
        return pointer;
    memcpy(At(pointer), shape, shape->size);
    ((Shape *) At(pointer))->uses = uses;
    return pointer;
}

static bool IsSame(const Shape *a, const Shape *b)
{
    return a->size == b->size &&
           memcmp(&a->relid, &b->relid, a->size - offsetof(Shape, relid)) == 0;
}

/* One more use of a shape; InvalidDsaPointer: there is no memory. */
static dsa_pointer TakeShape(PaosShared *shared, const Shape *shape)
{
    bool found;
    ShapeEntry *entry = dshash_find_or_insert(Shapes(shared), &shape->hash, &found);
    dsa_pointer pointer;

    if (!found)
        entry->shape = InvalidDsaPointer;
    if (!DsaPointerIsValid(entry->shape))
        entry->shape = CopyShape(shape, 0);
    pointer = entry->shape;
    if (!DsaPointerIsValid(pointer))
        dshash_delete_entry(shapes, entry);
    else
    {
        bool same = IsSame(At(pointer), shape);

        ((Shape *) At(pointer))->uses += same;
        dshash_release_lock(shapes, entry);
        if (!same)
            pointer = CopyShape(shape, 0);
    }
    return pointer;
}

static void GiveShape(PaosShared *shared, dsa_pointer pointer)
{
    Shape *shape = At(pointer);
    ShapeEntry *entry;

    if (shape->uses == 0)
    {
        dsa_free(PaosSharedArea(), pointer);
        return;
    }
    entry = dshash_find(Shapes(shared), &shape->hash, true);
    if (--shape->uses > 0)
    {
        dshash_release_lock(shapes, entry);
        return;
    }
    dshash_delete_entry(shapes, entry);
    dsa_free(PaosSharedArea(), pointer);
}

/* ---- queries ---- */

static void NoMemory(void)
{
    ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of shared memory"),
            errdetail("Failed while keeping the query of a request."));
}

/* Fills in a query, or fails. */
static void Fill(PaosShared *shared, Kept *kept, const Shape *shape,
                 const StringInfoData *constants)
{
    memcpy(kept->constants, constants->data, constants->len);
    kept->shape = TakeShape(shared, shape);
    if (!DsaPointerIsValid(kept->shape))
        NoMemory();
}

dsa_pointer PaosBoundKeep(PaosShared *shared, const PaosBound *bound)
{
    StringInfoData around;
    StringInfoData constants;
    dsa_pointer place;

    initStringInfo(&around);
    initStringInfo(&constants);
    CutUp(bound->text, &around, &constants);
    place = dsa_allocate_extended(PaosSharedArea(), offsetof(Kept, constants) + constants.len,
                                  DSA_ALLOC_HUGE);
    PG_TRY();
    {
        Fill(shared, At(place), MakeShape(bound, &around), &constants);
    }
    PG_CATCH();
    {
        /* As the end of the transaction would: the error may have come under one. */
        LWLockReleaseAll();
        dsa_free(PaosSharedArea(), place);
        PG_RE_THROW();
    }
    PG_END_TRY();
    return place;
}

PaosBound *PaosBoundCopy(dsa_pointer place)
{
    const Kept *kept = At(place);
    const Shape *shape = At(kept->shape);
    PaosBound *bound = palloc(sizeof(PaosBound));
    PaosBoundName *names = palloc(Max(shape->n, 1) * sizeof(PaosBoundName));

    memcpy(names, shape->names, shape->n * sizeof(PaosBoundName));
    bound->relid = shape->relid;
    bound->n = shape->n;
    bound->text = PutTogether(TextOf(shape), kept->constants);
    bound->names = names;
    return bound;
}

void PaosBoundFree(PaosShared *shared, dsa_pointer place)
{
    GiveShape(shared, ((const Kept *) At(place))->shape);
    dsa_free(PaosSharedArea(), place);
}
