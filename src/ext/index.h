/*
 * index.h - what the files of the predicate index share.
 *
 * An index of a class is a list of signatures: attribute, kind of comparison,
 * types, operators.  Under each signature are the entries of its requests, found
 * by their constants.  Signatures are never freed, so that nobody who walks
 * them needs a lock; entries come and go.  Whoever removes an entry may have
 * no transaction, so what leads to it must be found without comparing.
 */
#ifndef PAOS_INDEX_H
#define PAOS_INDEX_H

#include "request.h"

/* What all entries of one signature have in common; in the area. */
typedef struct PaosSignature
{
    LWLock lock;           /* guards root and what hangs on it; not used by PAOS_FILE_EQUAL */
    dsa_pointer root;      /* RANGE: the tree; REST and NULL: the first of the list */
    dsa_pointer next;      /* of the class; never changes */
    pg_atomic_uint32 live; /* entries */
    PaosFilingKind kind;
    AttrNumber attribute;
    Oid attribute_type; /* as the class has it */
    Oid left_type;      /* the same, as the opfamily has it */
    Oid type;           /* of the constants */
    Oid opfamily;
    Oid collation;
    Oid equal;
    int16 typlen; /* of the constants */
    bool typbyval;
} PaosSignature;

/*
 * One filing of one request; in the area, at the beginning of what its kind needs.  Once it is
 * linked only the lock of its index allows writing it, to others too.
 */
typedef struct PaosEntry
{
    dsa_pointer sibling; /* another entry of the same request */
    dsa_pointer signature;
    uint64 request : 60;
    uint64 exact : 1;
    uint64 first : 1;   /* see index_constant.c */
    uint64 checked : 1; /* a dsa_pointer to its checks is in front of it */
    uint64 linked : 1;  /* can be found: must be unlinked before it is freed */
} PaosEntry;

/* A constant of the signature's type: the Datum itself, or where its bytes are. */
typedef uint64 PaosConstant;

/* How constants are compared: by the opfamily's function, or as the integers that they are. */
typedef enum PaosOrder
{
    PAOS_ORDER_FUNCTION,
    PAOS_ORDER_INT4,
    PAOS_ORDER_INT8
} PaosOrder;

/* A signature as one backend knows it, its functions looked up. */
typedef struct PaosSignatureUse
{
    PaosSignature *signature;
    dsa_pointer pointer;
    bool ready;            /* the functions below are looked up: PaosSignatureReady */
    bool warm;             /* they have been called outside of locks */
    bool extended;         /* hash functions make 64 bits */
    FmgrInfo hash_left;    /* EQUAL: of an attribute's value */
    FmgrInfo hash;         /* EQUAL: of a constant */
    FmgrInfo equal;        /* EQUAL: value and constant */
    FmgrInfo compare_left; /* RANGE: value and constant */
    FmgrInfo compare;      /* RANGE: two constants */
    PaosOrder order;       /* RANGE: what both of these do */
} PaosSignatureUse;

/* What else must be true of a row, beside what an entry is filed by: see index_check.c. */
typedef struct PaosChecks PaosChecks;

/* Requests found, gathered under a lock and told of without it. */
typedef struct PaosFoundOne
{
    int64 request;
    bool exact;
    PaosChecks *checks; /* NULL: none */
} PaosFoundOne;

typedef struct PaosFoundList
{
    PaosFoundOne *items; /* first, or palloc'd when that is full */
    int n;
    int size;
    PaosFoundOne first[32];
} PaosFoundList;

/* in index.c */
extern void PaosFoundAdd(PaosFoundList *list, const PaosEntry *entry);
extern void PaosFoundAppend(PaosFoundList *list, PaosFoundOne one);
/* Room for an entry of a filing, zeroed; InvalidDsaPointer: there is none. */
extern dsa_pointer PaosEntryAllocate(dsa_area *area, const PaosFiling *filing, Size size);

/* in index_probe.c */
/* Has the attribute the type that it had when requests were filed under the signature? */
extern bool PaosSignatureIsCurrent(PaosSignatureUse *use, TupleDesc desc);

/* in index_check.c */
typedef enum PaosCheckResult
{
    PAOS_CHECK_FAILED,
    PAOS_CHECK_PASSED,
    PAOS_CHECK_UNKNOWN /* the row must be evaluated */
} PaosCheckResult;

/* InvalidDsaPointer: there is no memory. */
extern dsa_pointer PaosChecksMake(PaosShared *shared, int class, List *filings);
extern PaosChecks *PaosChecksCopy(dsa_pointer checks);
/* With all signatures of the class. */
extern PaosCheckResult PaosChecksPass(const PaosChecks *checks, PaosSignatureUse **uses, int n,
                                      TupleTableSlot *row);

/* in index_signature.c */
/* The signature that a filing goes under, ready; PaosSignatureFind: NULL if there is none yet. */
extern PaosSignatureUse *PaosSignatureOf(PaosShared *shared, int class, const PaosFiling *filing);
extern PaosSignatureUse *PaosSignatureFind(PaosShared *shared, int class, const PaosFiling *filing);
/* False when the functions are gone, with the type that they were for. */
extern bool PaosSignatureReady(PaosSignatureUse *use);
/* All signatures of a class, borrowed until the next call. */
extern PaosSignatureUse **PaosSignatures(PaosShared *shared, int class, int *n);
extern Datum PaosConstantDatum(dsa_area *area, const PaosSignature *signature,
                               PaosConstant constant);
/* How much room a constant needs beside its entry, and putting it there. */
extern Size PaosConstantSize(const PaosSignature *signature, Datum value);
extern PaosConstant PaosConstantStore(dsa_area *area, const PaosSignature *signature, Datum value,
                                      dsa_pointer place);

/*
 * Each kind has four functions.  Make allocates an entry (InvalidDsaPointer: out
 * of memory); Link makes it findable, or fails with an error; Unlink never
 * fails; Find adds to a list those that a value satisfies.
 */

/* in index_constant.c */
extern void PaosConstantsInit(PaosShared *shared, dsa_area *area);
extern dsa_pointer PaosConstantMake(dsa_area *area, PaosSignatureUse *use,
                                    const PaosFiling *filing);
extern void PaosConstantLink(PaosShared *shared, dsa_pointer entry);
extern void PaosConstantUnlink(PaosShared *shared, dsa_pointer entry);
/* The hash of a value; asks memory for what finding it will read first. */
extern uint64 PaosConstantAsk(PaosShared *shared, PaosSignatureUse *use, Datum value);
extern void PaosConstantFind(PaosShared *shared, PaosSignatureUse *use, Datum value, uint64 hash,
                             PaosFoundList *list);
extern void PaosConstantFindAll(PaosShared *shared, PaosSignatureUse *use, PaosFoundList *list);

/* in index_sketch.c */
/* In the area; the lock is held to change it, shared, or to grow, exclusively. */
typedef struct PaosSketch
{
    LWLock lock;
    pg_atomic_uint32 nkeys;
    pg_atomic_uint64 filter; /* dsa_pointer */
} PaosSketch;

extern void PaosSketchInit(PaosSketch *sketch, dsa_area *area, int tranche);
/* Asks memory for what is to be read of a hash. */
extern void PaosSketchAsk(PaosSketch *sketch, dsa_area *area, uint64 hash);
/* False: nobody has added the hash. */
extern bool PaosSketchMayHave(PaosSketch *sketch, dsa_area *area, uint64 hash);
extern void PaosSketchAdd(PaosSketch *sketch, dsa_area *area, uint64 hash);
extern void PaosSketchRemove(PaosSketch *sketch, dsa_area *area, uint64 hash);
extern bool PaosSketchIsFull(PaosSketch *sketch, dsa_area *area);
extern dsa_pointer PaosSketchGrowBegin(PaosSketch *sketch, dsa_area *area);
extern void PaosSketchGrowAdd(dsa_pointer larger, dsa_area *area, uint64 hash);
extern void PaosSketchGrowEnd(PaosSketch *sketch, dsa_pointer larger);

/* in index_range.c */
extern dsa_pointer PaosRangeMake(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing);
extern void PaosRangeLink(dsa_area *area, PaosSignatureUse *use, const PaosFiling *filing,
                          dsa_pointer entry);
extern void PaosRangeUnlink(dsa_area *area, PaosSignature *signature, dsa_pointer entry);
extern void PaosRangeFind(dsa_area *area, PaosSignatureUse *use, Datum value, PaosFoundList *list);
extern void PaosRangeFindAll(dsa_area *area, PaosSignatureUse *use, PaosFoundList *list);

/* in index_list.c */
extern dsa_pointer PaosListMake(dsa_area *area, const PaosFiling *filing);
extern void PaosListLink(dsa_area *area, PaosSignature *signature, dsa_pointer entry);
extern void PaosListUnlink(dsa_area *area, PaosSignature *signature, dsa_pointer entry);
extern void PaosListFind(dsa_area *area, PaosSignature *signature, PaosFoundList *list);

#endif
