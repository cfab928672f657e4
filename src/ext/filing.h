/*
 * filing.h - what the files that decide on filings share.
 */
#ifndef PAOS_FILING_H
#define PAOS_FILING_H

#include "request.h"

/*
 * Ways to find the rows that satisfy a condition, or a part of it.
 */
typedef struct PaosWay
{
    List *filings; /* of PaosFiling; NIL: no row satisfies it */
    double share;  /* of the rows that are found: an estimate from statistics */
} PaosWay;

/* in filing_operator.c */
/*
 * How `attribute operator constant` is filed; the attribute is a Var, perhaps under a change of
 * name for its type.  False when there is no index for the operator.
 */
extern bool PaosFileComparison(Oid opno, Oid collation, const Node *attribute, Datum constant,
                               TupleDesc desc, PaosFiling *out);
/* The attribute that a node is, or NULL. */
extern const Var *PaosFiledVar(const Node *node);
/* Makes one range of two on the same attribute; false when nothing is in both. */
extern bool PaosFilingIntersect(PaosFiling *range, const PaosFiling *other);
extern bool PaosFilingSameIndex(const PaosFiling *a, const PaosFiling *b);

/* in filing_share.c */
extern double PaosFilingShare(const PaosFiling *filing, TupleDesc desc);

#endif
