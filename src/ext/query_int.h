/*
 * query_int.h - what the files that give queries a meaning share.
 *
 * A tree is bound to a row type: attributes become Vars, operators those of
 * the attributes' own types.  The server's own parser does the work, so that a
 * query means what the same SQL means; but no name in it is ever looked up by
 * search_path.
 */
#ifndef PAOS_QUERY_INT_H
#define PAOS_QUERY_INT_H

#include "paos.h"
#include "query.h"

#include "parser/parse_node.h"

/* State of one binding. */
typedef struct PaosBinding
{
    const char *text; /* that the locations in the tree count in */
    const PaosRow *row;
    ParseState *pstate;
    List *nodes; /* transformed already; ParamRef n in a raw expression stands for the nth */
} PaosBinding;

/* in query_bind.c */
/* PaosQueryBind within a binding, whose error context serves for both. */
extern Node *PaosBindCondition(const PaosQueryNode *tree, const char *text, const PaosRow *row);
extern void PaosParamRefuse(const PaosBinding *binding, const PaosQueryNode *param)
    pg_attribute_noreturn();

/* in query_attribute.c */
extern AttrNumber PaosAttributeFind(const PaosBinding *binding, const PaosQueryNode *name);
extern Var *PaosAttributeVar(const PaosRow *row, AttrNumber number, int location);
extern int PaosAttributeTarget(const PaosRow *row, AttrNumber number);

/* in query_operator.c */
extern List *PaosOperatorName(const char *name, Oid left, Oid right);

/* in query_path.c */
/* The path of several names in a predicate, or NULL. */
extern const PaosQueryNode *PaosPathFind(const PaosQueryNode *predicate);
extern Node *PaosPathBind(const PaosBinding *binding, const PaosQueryNode *predicate,
                          const PaosQueryNode *path);

/* Complains of a step in the middle of a path that is no reference. */
extern void PaosStepRefuse(const char *text, const PaosQueryNode *name, Oid type)
    pg_attribute_noreturn();

#endif
