/*
 * query.h - the query language as a tree: parsing and printing.
 *
 * Nothing here knows of classes or catalogues, so that scanner, grammar and
 * printer can be built and fuzzed without a server.  What a tree means for the
 * rows of a class is decided when it is bound: see query_bind.c.
 */
#ifndef PAOS_QUERY_H
#define PAOS_QUERY_H

#include "postgres.h"

typedef enum PaosQueryTag
{
    PAOS_QUERY_ALL, /* the empty query: every object */

    /* conditions of conditions */
    PAOS_QUERY_OR,  /* two or more args, none of them an OR */
    PAOS_QUERY_AND, /* two or more args, none of them an AND */
    PAOS_QUERY_NOT,

    /* conditions on operands */
    PAOS_QUERY_COMPARE,
    PAOS_QUERY_LIKE,
    PAOS_QUERY_IN,       /* the operand, then the list */
    PAOS_QUERY_CONTAINS, /* the array, then what it must contain */
    PAOS_QUERY_IS_NULL,

    /* operands; each is a condition too */
    PAOS_QUERY_PATH, /* the args are its names; one is an attribute */
    PAOS_QUERY_NAME,
    PAOS_QUERY_STRING,
    PAOS_QUERY_NUMBER,
    PAOS_QUERY_REF,
    PAOS_QUERY_BOOL,
    PAOS_QUERY_NULL,
    PAOS_QUERY_PARAM
} PaosQueryTag;

typedef enum PaosQueryOp
{
    PAOS_QUERY_EQ,
    PAOS_QUERY_NE,
    PAOS_QUERY_LT,
    PAOS_QUERY_LE,
    PAOS_QUERY_GT,
    PAOS_QUERY_GE
} PaosQueryOp;

typedef struct PaosQueryNode PaosQueryNode;

struct PaosQueryNode
{
    PaosQueryTag tag;
    int location;        /* byte offset in the text it was parsed from */
    PaosQueryNode *next; /* the following arg of the same parent */
    PaosQueryNode *args; /* first arg */
    PaosQueryNode *last; /* last arg */
    PaosQueryOp op;      /* COMPARE */
    bool negated;        /* LIKE, IN, IS_NULL: with `not` */
    const char *text;    /* NAME, STRING; NUMBER as written, without a plus sign */
    bool truth;          /* BOOL */
    int64 ref;           /* REF */
    int number;          /* PARAM, from 1 */
};

/* What scanner and grammar share; one per parse, so that neither has static state. */
typedef struct PaosQueryScan
{
    const char *text;
    void *scanner;
    int position; /* byte offset after the last token */
    int location; /* byte offset of the last token */
    PaosQueryNode *result;
} PaosQueryScan;

/* in query_tree.c */
extern PaosQueryNode *PaosQueryNodeMake(PaosQueryTag tag, int location);
extern PaosQueryNode *PaosQueryNodeAppend(PaosQueryNode *parent, PaosQueryNode *arg);
extern PaosQueryNode *PaosQueryNodeCopy(const PaosQueryNode *node);
extern PaosQueryNode *PaosQueryJoin(PaosQueryTag tag, PaosQueryNode *left, PaosQueryNode *right);
extern PaosQueryNode *PaosQueryParse(const char *text);
extern int PaosQueryErrorPosition(const char *text, int location);
extern void PaosQuerySyntaxError(const PaosQueryScan *scan, int code, const char *message)
    pg_attribute_noreturn();

/* in query_print.c */
extern char *PaosQueryPrint(const PaosQueryNode *tree);

/* in query_scan.l */
extern void PaosQueryScanBegin(PaosQueryScan *scan);
extern void PaosQueryScanEnd(PaosQueryScan *scan);
/* Is the word a keyword, so that an attribute of this name needs backquotes? */
extern bool PaosQueryIsKeyword(const char *word);

/* in query_gram.y */
extern int paos_query_yyparse(PaosQueryScan *scan);

#endif
