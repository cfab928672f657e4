%{
/*
 * query_gram.y - grammar of the query language.
 *
 * Conditions are built of operands, and any operand alone is a condition too;
 * whether it is a boolean is known only when the query is bound.  What is in
 * parentheses is a condition, never an operand: `(a) == 1` is refused.
 */
#include "query.h"

#include "query_gram.h"

#define YYMALLOC palloc
#define YYFREE pfree
#define YYMAXDEPTH 10000
#define YYLLOC_DEFAULT(current, rhs, n) ((current) = (n) > 0 ? (rhs)[1] : (rhs)[0])

static void yyerror(const int *location, PaosQueryScan *scan, const char *message);
static PaosQueryNode *Condition(PaosQueryTag tag, bool negated, PaosQueryNode *left,
                                PaosQueryNode *right, int location);
%}

%define api.pure full
%define api.prefix {paos_query_yy}
%define api.location.type {int}
%locations
%expect 0
%parse-param {PaosQueryScan *scan}
%lex-param {PaosQueryScan *scan}

%code requires
{
#include "query.h"
}
%code provides
{
/* in query_scan.l */
extern int paos_query_yylex(PAOS_QUERY_YYSTYPE *value, PAOS_QUERY_YYLTYPE *location,
                            PaosQueryScan *scan);
}

%union
{
    PaosQueryNode *node;
    PaosQueryOp op;
    char *text;
    int64 ref;
    int number;
    bool flag;
}

%token <text> NAME STRING NUMBER
%token <ref> REF
%token <number> PARAM
%token <op> COMPARISON
%token AND CONTAINS FALSE_P IN IS LIKE NOT NULL_P OR TRUE_P

%type <node> condition predicate operand path list
%type <flag> maybe_not

%left OR
%left AND
%right NOT

%%

query:
      %empty            { scan->result = PaosQueryNodeMake(PAOS_QUERY_ALL, 0); }
    | condition         { scan->result = $1; }
    ;

condition:
      predicate
    | '(' condition ')' { $$ = $2; }
    | NOT condition     { $$ = Condition(PAOS_QUERY_NOT, false, $2, NULL, @1); }
    | condition AND condition { $$ = PaosQueryJoin(PAOS_QUERY_AND, $1, $3); }
    | condition OR condition  { $$ = PaosQueryJoin(PAOS_QUERY_OR, $1, $3); }
    ;

predicate:
      operand
    | operand COMPARISON operand
        {
            $$ = Condition(PAOS_QUERY_COMPARE, false, $1, $3, @2);
            $$->op = $2;
        }
    | operand maybe_not LIKE operand
        { $$ = Condition(PAOS_QUERY_LIKE, $2, $1, $4, @3); }
    | operand maybe_not IN '(' list ')'
        { $$ = Condition(PAOS_QUERY_IN, $2, $1, $5->args, @3); }
    | operand IS maybe_not NULL_P
        { $$ = Condition(PAOS_QUERY_IS_NULL, $3, $1, NULL, @2); }
    | operand CONTAINS operand
        { $$ = Condition(PAOS_QUERY_CONTAINS, false, $1, $3, @2); }
    | operand CONTAINS '(' list ')'
        { $$ = Condition(PAOS_QUERY_CONTAINS, false, $1, $4->args, @2); }
    ;

maybe_not:
      %empty            { $$ = false; }
    | NOT               { $$ = true; }
    ;

/* Hangs the operands under a node that is dropped once the list is complete. */
list:
      operand
        { $$ = PaosQueryNodeAppend(PaosQueryNodeMake(PAOS_QUERY_IN, @1), $1); }
    | list ',' operand  { $$ = PaosQueryNodeAppend($1, $3); }
    ;

operand:
      path
    | STRING            { $$ = PaosQueryNodeMake(PAOS_QUERY_STRING, @1); $$->text = $1; }
    | NUMBER            { $$ = PaosQueryNodeMake(PAOS_QUERY_NUMBER, @1); $$->text = $1; }
    | REF               { $$ = PaosQueryNodeMake(PAOS_QUERY_REF, @1); $$->ref = $1; }
    | PARAM             { $$ = PaosQueryNodeMake(PAOS_QUERY_PARAM, @1); $$->number = $1; }
    | TRUE_P            { $$ = PaosQueryNodeMake(PAOS_QUERY_BOOL, @1); $$->truth = true; }
    | FALSE_P           { $$ = PaosQueryNodeMake(PAOS_QUERY_BOOL, @1); $$->truth = false; }
    | NULL_P            { $$ = PaosQueryNodeMake(PAOS_QUERY_NULL, @1); }
    ;

path:
      NAME
        {
            PaosQueryNode *name = PaosQueryNodeMake(PAOS_QUERY_NAME, @1);

            name->text = $1;
            $$ = PaosQueryNodeAppend(PaosQueryNodeMake(PAOS_QUERY_PATH, @1), name);
        }
    | path '.' NAME
        {
            PaosQueryNode *name = PaosQueryNodeMake(PAOS_QUERY_NAME, @3);

            name->text = $3;
            $$ = PaosQueryNodeAppend($1, name);
        }
    ;

%%

static void yyerror(const int *location, PaosQueryScan *scan, const char *message)
{
    (void) location;
    if (strcmp(message, "memory exhausted") == 0)
        PaosQuerySyntaxError(scan, ERRCODE_STATEMENT_TOO_COMPLEX, "query is nested too deeply");
    PaosQuerySyntaxError(scan, ERRCODE_SYNTAX_ERROR, message);
}

/* `right` may be the first of several. */
static PaosQueryNode *Condition(PaosQueryTag tag, bool negated, PaosQueryNode *left,
                                PaosQueryNode *right, int location)
{
    PaosQueryNode *node = PaosQueryNodeMake(tag, location);

    node->negated = negated;
    PaosQueryNodeAppend(node, left);
    if (right != NULL)
        PaosQueryNodeAppend(node, right);
    return node;
}
