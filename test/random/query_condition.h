/*
 * query_condition.h - random conditions, each written as a query and as SQL.
 *
 * What is random in a condition itself is decided before it is written, as its
 * SQL may need it several times; what is random in the writing (case, blanks,
 * quotes) is decided there, and must make no difference.
 */
#ifndef QUERY_CONDITION_H
#define QUERY_CONDITION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "query_columns.h"

static uint64_t random_state;
static bool broken = false; /* write `<=` as `<` in SQL */
static bool through_ref;    /* the condition has a path through a paos.ref */
static bool foreign_key;    /* it uses that "parent" is a foreign key */

static unsigned Random(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned) (random_state >> 33) % limit;
}

static bool Chance(unsigned percent)
{
    return Random(100) < percent;
}

/* --- one condition, made once and written twice --------------------------------- */

typedef struct Literal
{
    const char *value; /* NULL: null */
    Kind kind;
    bool quoted;
} Literal;

typedef enum Form
{
    COMPARE,
    IN,
    LIKE,
    IS_NULL,
    CONTAINS,
    ALONE,
    FORMS
} Form;

typedef struct Predicate
{
    Form form;
    const Column *column;
    const Column *other; /* compared with this column, not with a literal */
    int op;
    bool negated;
    bool swapped; /* the literal stands on the left */
    int count;
    Literal literals[5];
} Predicate;

static const char *const operators[] = {"=", "<>", "<", "<=", ">", ">="};
#define OPERATORS (sizeof(operators) / sizeof(operators[0]))

static const Column *AnyColumn(void)
{
    return &columns[Random(COLUMNS)];
}

static int PoolSize(const char *const *pool)
{
    int n = 0;

    while (pool[n] != NULL)
        n++;
    return n;
}

static bool IsFinite(const char *number)
{
    return number[0] == '-' ? number[1] >= '0' && number[1] <= '9'
                            : number[0] >= '0' && number[0] <= '9';
}

static Literal AnyLiteral(const Column *column, const char *const *pool)
{
    Literal literal = {.kind = column->kind, .quoted = Chance(20)};

    if (Chance(7))
        return literal;
    /* a number of another type than the column's */
    while (column->kind == NUMBER && !literal.quoted && Chance(30))
        column = &columns[Random(NUMBER_COLUMNS)];
    pool = column->kind == NUMBER ? column->values : pool;
    literal.value = pool[Random(PoolSize(pool))];
    if (column->kind == STRING || column->kind == ARRAY_OF_STRING ||
        (column->kind == NUMBER && !IsFinite(literal.value)))
        literal.quoted = true;
    return literal;
}

static bool Fits(Form form, const Column *column)
{
    switch (form)
    {
        case LIKE:
            return column->group == TEXT_GROUP || column->like;
        case CONTAINS:
            return column->kind >= ARRAY_OF_NUMBER;
        case ALONE:
            return column->kind == BOOL;
        case COMPARE:
        case IN:
            return column->kind < ARRAY_OF_NUMBER;
        default:
            return true;
    }
}

static const Column *SameGroup(const Column *column)
{
    const Column *other;

    do
        other = AnyColumn();
    while (other->group != column->group);
    return other;
}

static Predicate AnyPredicate(bool columns_too)
{
    Predicate p = {.op = (int) Random(OPERATORS), .negated = Chance(40), .swapped = Chance(20)};
    int i;

    do
    {
        p.column = AnyColumn();
        p.form = Random(FORMS);
        if (Chance(40))
            p.form = COMPARE;
    } while (!Fits(p.form, p.column));

    if (p.form == COMPARE && columns_too && Chance(20))
        p.other = SameGroup(p.column);
    p.count = p.form == IN || p.form == CONTAINS ? 1 + (int) Random(4) : 1;
    for (i = 0; i < p.count; i++)
        p.literals[i] = AnyLiteral(p.column, p.form == LIKE ? like_patterns : p.column->values);
    return p;
}

/* --- as a query ----------------------------------------------------------------- */

static void WriteQuoted(FILE *out, const char *text, char quote)
{
    fputc(quote, out);
    for (; *text != '\0'; text++)
    {
        if (*text == quote)
            fputc(quote, out);
        fputc(*text, out);
    }
    fputc(quote, out);
}

static void WriteWord(FILE *out, const char *word)
{
    bool upper = Chance(20);

    for (; *word != '\0'; word++)
        fputc(upper && *word >= 'a' && *word <= 'z' ? *word - 32 : *word, out);
}

static void QueryLiteral(FILE *out, const Literal *literal)
{
    if (literal->value == NULL)
        WriteWord(out, "null");
    else if (literal->quoted)
        WriteQuoted(out, literal->value, Chance(50) ? '"' : '\'');
    else if (literal->kind == FOREIGN_KEY && Chance(60))
    {
        foreign_key = true;
        fprintf(out, "901:%s", literal->value);
    }
    else
        fputs(literal->value, out);
}

static void QueryList(FILE *out, const Predicate *p)
{
    int i;

    fputs("(", out);
    for (i = 0; i < p->count; i++)
    {
        fputs(i == 0 ? "" : Chance(50) ? ", " : ",", out);
        QueryLiteral(out, &p->literals[i]);
    }
    fputs(")", out);
}

static const char *QueryOperator(int op)
{
    if (op == 0 && Chance(50))
        return "==";
    if (op == 1 && Chance(50))
        return "!=";
    return operators[op];
}

static void QueryCompare(FILE *out, const Predicate *p, const char *left)
{
    const char *space = Chance(80) ? " " : "";

    if (p->other != NULL)
        fprintf(out, "%s%s%s%s%s", left, space, QueryOperator(p->op), space, p->other->name);
    else if (p->swapped)
    {
        QueryLiteral(out, &p->literals[0]);
        fprintf(out, " %s%s%s", QueryOperator(p->op), space, left);
    }
    else
    {
        fprintf(out, "%s%s%s%s", left, space, QueryOperator(p->op), space);
        QueryLiteral(out, &p->literals[0]);
    }
}

static void WriteQuery(FILE *out, const Predicate *p, const char *left)
{
    switch (p->form)
    {
        case COMPARE:
            QueryCompare(out, p, left);
            return;
        case IN:
        case LIKE:
            fprintf(out, "%s ", left);
            WriteWord(out, p->negated ? "not " : "");
            WriteWord(out, p->form == IN ? "in " : "like ");
            if (p->form == IN)
                QueryList(out, p);
            else
                QueryLiteral(out, &p->literals[0]);
            return;
        case IS_NULL:
            fprintf(out, "%s ", left);
            WriteWord(out, p->negated ? "is not null" : "is null");
            return;
        case CONTAINS:
            fprintf(out, "%s ", left);
            WriteWord(out, "contains ");
            if (p->count == 1 && Chance(50))
                QueryLiteral(out, &p->literals[0]);
            else
                QueryList(out, p);
            return;
        default:
            fputs(left, out);
    }
}

/* --- as SQL --------------------------------------------------------------------- */

static void SqlLiteral(FILE *out, const Literal *literal)
{
    if (literal->value == NULL)
        fputs("NULL", out);
    else if (literal->quoted)
        WriteQuoted(out, literal->value, '\'');
    else if (literal->kind == REF || literal->kind == ARRAY_OF_REF)
        fprintf(out, "'%s'::paos.ref", literal->value);
    else
        fputs(literal->value, out);
}

static void SqlList(FILE *out, const Predicate *p)
{
    int i;

    for (i = 0; i < p->count; i++)
    {
        fputs(i == 0 ? "" : ", ", out);
        SqlLiteral(out, &p->literals[i]);
    }
}

static void WriteSql(FILE *out, const Predicate *p, const char *left)
{
    const char *op = operators[broken && p->op == 3 ? 2 : p->op];

    switch (p->form)
    {
        case COMPARE:
            if (p->other == NULL && p->swapped)
                SqlLiteral(out, &p->literals[0]);
            else
                fputs(left, out);
            fprintf(out, " %s ", op);
            if (p->other != NULL)
                fprintf(out, "x.%s", p->other->name);
            else if (p->swapped)
                fputs(left, out);
            else
                SqlLiteral(out, &p->literals[0]);
            return;
        case IN:
            fprintf(out, "%s %sIN (", left, p->negated ? "NOT " : "");
            SqlList(out, p);
            fputs(")", out);
            return;
        case LIKE:
            fprintf(out, "%s %sLIKE ", left, p->negated ? "NOT " : "");
            SqlLiteral(out, &p->literals[0]);
            return;
        case IS_NULL:
            fprintf(out, "%s IS %sNULL", left, p->negated ? "NOT " : "");
            return;
        case CONTAINS:
            fprintf(out, "%s @> ARRAY[", left);
            SqlList(out, p);
            fprintf(out, "]::%s", p->column->type);
            return;
        default:
            fputs(left, out);
    }
}

/* --- paths ---------------------------------------------------------------------- */

/*
 * Writes the predicate for the object that the SQL expression `ref` names: what
 * its attribute is depends on the class, so each class has its own.
 */
static void SqlThroughRef(FILE *out, const Predicate *p, const char *ref, bool to_parent)
{
    const char *node = to_parent ? "(SELECT b.%s FROM node a JOIN node b ON b.id = a.parent"
                                   " WHERE a.id = paos.key(%s))"
                                 : "(SELECT a.%s FROM node a WHERE a.id = paos.key(%s))";
    char left[600];

    fprintf(out, "CASE paos.class_number(%s) WHEN 901 THEN ", ref);
    snprintf(left, sizeof(left), node, p->column->name, ref);
    WriteSql(out, p, left);
    if (p->column->in_leaf && !to_parent)
    {
        fputs(" WHEN 902 THEN ", out);
        snprintf(left, sizeof(left), "(SELECT a.%s FROM leaf a WHERE a.id = paos.key(%s))",
                 p->column->name, ref);
        WriteSql(out, p, left);
    }
    fputs(" ELSE ", out);
    snprintf(left, sizeof(left), "NULL::%s", p->column->type);
    WriteSql(out, p, left);
    fputs(" END", out);
}

static void WritePath(FILE *query, FILE *sql)
{
    static const char *const steps[] = {"parent", "parent.parent", "r", "r.parent", "parent.r"};
    unsigned path = Random(5);
    Predicate p = AnyPredicate(false);
    char left[600];

    snprintf(left, sizeof(left), "%s.%s", steps[path], p.column->name);
    WriteQuery(query, &p, left);
    through_ref = through_ref || path >= 2;
    foreign_key = foreign_key || path < 2 || path == 4;
    if (path >= 2)
    {
        SqlThroughRef(sql, &p, path == 4 ? "(SELECT z.r FROM node z WHERE z.id = x.parent)" : "x.r",
                      path == 3);
        return;
    }
    snprintf(left, sizeof(left),
             path == 0 ? "(SELECT a.%s FROM node a WHERE a.id = x.parent)"
                       : "(SELECT b.%s FROM node a JOIN node b ON b.id = a.parent"
                         " WHERE a.id = x.parent)",
             p.column->name);
    WriteSql(sql, &p, left);
}

/* --- conditions ----------------------------------------------------------------- */

static void WriteLeaf(FILE *query, FILE *sql)
{
    static const char *const constants[] = {"true", "false", "null"};
    Predicate p;
    char left[80];

    if (Chance(4))
    {
        const char *constant = constants[Random(3)];

        WriteWord(query, constant);
        fputs(constant, sql);
        return;
    }
    if (Chance(25))
    {
        WritePath(query, sql);
        return;
    }
    p = AnyPredicate(true);
    WriteQuery(query, &p, p.column->name);
    snprintf(left, sizeof(left), "x.%s", p.column->name);
    WriteSql(sql, &p, left);
}

static void WriteCondition(FILE *query, FILE *sql, int depth)
{
    bool both = Chance(50);
    bool parentheses = Chance(60);

    if (depth == 0 || Chance(30))
    {
        WriteLeaf(query, sql);
        return;
    }
    if (Chance(25))
    {
        WriteWord(query, "not ");
        fputs("NOT (", sql);
        fputs("(", query);
        WriteCondition(query, sql, depth - 1);
        fputs(")", query);
        fputs(")", sql);
        return;
    }
    /* without parentheses the two languages must agree on precedence */
    fputs(parentheses ? "(" : "", query);
    fputs(parentheses ? "(" : "", sql);
    WriteCondition(query, sql, depth - 1);
    WriteWord(query, both ? " and " : " or ");
    fputs(both ? " AND " : " OR ", sql);
    WriteCondition(query, sql, depth - 1);
    fputs(parentheses ? ")" : "", query);
    fputs(parentheses ? ")" : "", sql);
}

#endif
