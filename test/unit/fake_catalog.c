/*
 * fake_catalog.c - the classes of the fake database, and what the client's questions about them
 * get.
 *
 * A table's oid is 10000 and the number of its class.
 */
#include "fake_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

fake_relation fake_relations[FAKE_CLASSES];

/* ---- classes ---- */

fake_relation *fake_relation_of(unsigned number)
{
    assert_true(number >= 1 && number <= FAKE_CLASSES && fake_relations[number - 1].number);
    return &fake_relations[number - 1];
}

size_t fake_place(const fake_relation *relation, const char *column)
{
    size_t i;

    for (i = 0; i < relation->width; i++)
        if (strcmp(relation->columns[i].name, column) == 0)
            return i;
    fail_msg("class %s has no column %s", relation->name, column);
    return 0;
}

bool fake_descends(const fake_relation *relation, unsigned ancestor)
{
    while (relation->number != ancestor && relation->parent)
        relation = fake_relation_of(relation->parent);
    return relation->number == ancestor;
}

static void add_column(fake_relation *relation, const char *text)
{
    fake_attribute *column = &relation->columns[relation->width++];
    const char *target = strchr(text, '>');

    assert_true(relation->width <= FAKE_COLUMNS);
    memset(column, 0, sizeof *column);
    assert_int_equal(sscanf(text, " %31s %23s", column->name, column->type), 2);
    column->oid = fake_type(column->type);
    column->defaulted = strchr(text, '!') != NULL;
    column->generated = strchr(text, '=') != NULL;
    column->target = target ? (unsigned) atoi(target + 1) : 0;
}

static void add_columns(fake_relation *relation, const char *columns)
{
    char text[128];
    int length;

    for (; sscanf(columns, "%127[^,]%n", text, &length) == 1; columns += length)
    {
        add_column(relation, text);
        length += columns[length] == ',';
    }
}

void fake_class(unsigned number, unsigned parent, const char *name, const char *columns)
{
    fake_relation *relation = &fake_relations[number - 1];

    memset(relation, 0, sizeof *relation);
    if (parent)
        *relation = *fake_relation_of(parent);
    relation->number = number;
    relation->parent = parent;
    snprintf(relation->name, sizeof relation->name, "%s", name);
    add_columns(relation, columns);
}

/* Moves the values of a row to where their columns are now. */
static void alter_row(fake_tuple *tuple, const fake_relation *old, const fake_relation *new)
{
    fake_datum values[FAKE_COLUMNS] = {{NULL, 0}};
    size_t i, j;

    for (i = 0; i < new->width; i++)
        for (j = 0; j < old->width; j++)
            if (strcmp(new->columns[i].name, old->columns[j].name) == 0)
            {
                values[i] = tuple->values[j];
                tuple->values[j].data = NULL;
            }
    for (j = 0; j < old->width; j++)
        free(tuple->values[j].data);
    memcpy(tuple->values, values, sizeof values);
}

void fake_class_alter(unsigned number, const char *columns)
{
    fake_relation *relation = fake_relation_of(number);
    const fake_relation old = *relation;
    size_t i;

    relation->width = 0;
    add_columns(relation, columns);
    for (i = 0; i < fake_committed[number - 1].size; i++)
        alter_row(&fake_committed[number - 1].tuples[i], &old, relation);
}

void fake_class_forget(unsigned number)
{
    fake_relation_of(number)->forgotten = true;
}

void fake_class_restless(unsigned number)
{
    fake_relation_of(number)->restless = true;
}

/* As paos.shape, a number for the columns as they are. */
uint32_t fake_shape(const fake_relation *relation)
{
    uint32_t hash = 17;
    const char *p;
    size_t i;

    for (i = 0; i < relation->width; i++)
    {
        for (p = relation->columns[i].name; *p; p++)
            hash = hash * 31 + (unsigned char) *p;
        hash = hash * 31 + relation->columns[i].oid;
    }
    return hash;
}

/* ---- what the catalogue queries get ---- */

static void answer_classes(const fake_sent *sent, fake_table *out, void *arg)
{
    size_t i;

    (void) sent;
    (void) arg;
    fake_table_columns(out, "number int4, oid oid, name text, format text, key text, parent int4, "
                            "restless bool, shape int4");
    for (i = 0; i < FAKE_CLASSES; i++)
    {
        const fake_relation *relation = &fake_relations[i];
        char sql[64];

        if (!relation->number || relation->forgotten)
            continue;
        snprintf(sql, sizeof sql, "public.%s", relation->name);
        fake_table_row(out, (const fake_cell[]){
                                fake_int4(relation->number), fake_int4(10000 + relation->number),
                                fake_text(relation->name), fake_text(sql),
                                fake_text(relation->columns[0].name), fake_int4(relation->parent),
                                fake_bool(relation->restless), fake_int4(fake_shape(relation))});
    }
}

/* The type of an array's elements, or 0. */
static uint32_t element_of(const fake_attribute *column)
{
    char name[24];

    if (sscanf(column->type, "%23[a-z0-9][]", name) != 1 || !strchr(column->type, '['))
        return 0;
    return fake_type(name);
}

static void answer_columns(const fake_sent *sent, fake_table *out, void *arg)
{
    size_t i, j;

    (void) sent;
    (void) arg;
    fake_table_columns(out, "class int4, name text, format text, oid oid, array oid, "
                            "category text, modifier int4, generated bool, defaulted bool, "
                            "target int4");
    for (i = 0; i < FAKE_CLASSES; i++)
        for (j = 0; j < fake_relations[i].width && !fake_relations[i].forgotten; j++)
        {
            const fake_attribute *column = &fake_relations[i].columns[j];
            char type[64];

            snprintf(type, sizeof type, "pg_catalog.%s", column->type);
            fake_table_row(out, (const fake_cell[]){
                                    fake_int4(fake_relations[i].number), fake_text(column->name),
                                    fake_text(type), fake_int4(column->oid),
                                    fake_int4(element_of(column)), fake_text("b"), fake_int4(-1),
                                    fake_bool(column->generated), fake_bool(column->defaulted),
                                    fake_int4(column->target)});
        }
}

static void answer_tables(const fake_sent *sent, fake_table *out, void *arg)
{
    size_t i;

    (void) sent;
    (void) arg;
    fake_table_columns(out, "relation oid, class int4");
    for (i = 0; i < FAKE_CLASSES; i++)
        if (fake_relations[i].number && !fake_relations[i].forgotten)
            fake_table_row(out, (const fake_cell[]){fake_int4(10000 + fake_relations[i].number),
                                                    fake_int4(fake_relations[i].number)});
}

static void answer_name(const fake_sent *sent, fake_table *out, void *arg)
{
    const char *text = sent->parameters[0].data;
    char name[64] = "";
    uint32_t table = 0;
    size_t i;

    (void) arg;
    if (strncmp(text, "public.", 7) == 0)
        text += 7;
    sscanf(text, text[0] == '"' ? "\"%63[^\"]" : "%63s", name);
    for (i = 0; i < FAKE_CLASSES; i++)
        if (fake_relations[i].number && strcmp(fake_relations[i].name, name) == 0)
            table = 10000 + fake_relations[i].number;
    fake_table_columns(out, "coalesce oid");
    fake_table_row(out, (const fake_cell[]){fake_int4(table)});
}

void fake_catalog_rules(void)
{
    fake_call(fake_on("FROM paos.classes"), answer_classes, NULL);
    fake_call(fake_on("FROM paos.attributes"), answer_columns, NULL);
    fake_call(fake_on("WITH RECURSIVE part"), answer_tables, NULL);
    fake_call(fake_on("to_regclass"), answer_name, NULL);
}
