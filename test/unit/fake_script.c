/*
 * fake_script.c - what the fake server answers to statements, and what it was sent.
 *
 * There is one script and one log, however many connections are open.
 */
#include "fake_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fake_rule
{
    fake_rule *older;
    char part[256];
    fake_table table;
    fake_answer answer;
    void *arg;
    size_t times; /* SIZE_MAX: any number */
};

static fake_rule *rules; /* the newest first */
static fake_sent *sent_log;
static size_t sent_size, exchanges;

/* ---- rules ---- */

fake_rule *fake_on(const char *part)
{
    fake_rule *rule = fake_must(calloc(1, sizeof *rule));

    snprintf(rule->part, sizeof rule->part, "%s", part);
    rule->times = SIZE_MAX;
    rule->older = rules;
    rules = rule;
    return rule;
}

void fake_columns(fake_rule *rule, const char *columns)
{
    fake_table_columns(&rule->table, columns);
}

void fake_row_cells(fake_rule *rule, const fake_cell *cells)
{
    fake_table_row(&rule->table, cells);
}

void fake_error(fake_rule *rule, const char *sqlstate, const char *message, const char *detail,
                const char *hint)
{
    fake_table_error(&rule->table, sqlstate, message, detail, hint);
}

void fake_position(fake_rule *rule, int position)
{
    rule->table.position = position;
}

void fake_call(fake_rule *rule, fake_answer answer, void *arg)
{
    rule->answer = answer;
    rule->arg = arg;
}

void fake_times(fake_rule *rule, size_t n)
{
    rule->times = n;
}

static bool matches(const char *sql, const char *part)
{
    return part[0] == '=' ? strcmp(sql, part + 1) == 0 : strstr(sql, part) != NULL;
}

static fake_rule *find_rule(const char *sql)
{
    fake_rule *rule;

    for (rule = rules; rule; rule = rule->older)
        if (rule->times > 0 && matches(sql, rule->part))
            return rule;
    fail_msg("no rule for the statement: %s", sql);
    return NULL;
}

/* ---- the log ---- */

static void *copy_parameter(const paosi_parameter *p)
{
    size_t size = p->text ? strlen(p->data) : p->size;
    unsigned char *copy = fake_must(malloc(size + 1));

    memcpy(copy, p->data, size);
    copy[size] = 0;
    return copy;
}

static const fake_sent *note(const paosi_statement *statement)
{
    fake_sent *sent;
    size_t i;

    sent_log = fake_must(realloc(sent_log, (sent_size + 1) * sizeof *sent));
    sent = &sent_log[sent_size++];
    sent->sql = fake_must(strdup(statement->sql));
    sent->count = statement->count;
    sent->exchange = exchanges;
    sent->parameters = fake_must(calloc(statement->count + 1, sizeof *sent->parameters));
    for (i = 0; i < statement->count; i++)
    {
        sent->parameters[i] = statement->parameters[i];
        if (sent->parameters[i].data)
            sent->parameters[i].data = copy_parameter(&statement->parameters[i]);
    }
    return sent;
}

void fake_log_clear(void)
{
    size_t i, j;

    for (i = 0; i < sent_size; i++)
    {
        for (j = 0; j < sent_log[i].count; j++)
            free((void *) sent_log[i].parameters[j].data);
        free(sent_log[i].parameters);
        free(sent_log[i].sql);
    }
    free(sent_log);
    sent_log = NULL;
    sent_size = 0;
    exchanges = 0;
}

size_t fake_sent_count(void)
{
    return sent_size;
}

size_t fake_exchanges(void)
{
    return exchanges;
}

const fake_sent *fake_sent_at(size_t i)
{
    assert_true(i < sent_size);
    return &sent_log[i];
}

const fake_sent *fake_sent_find(const char *part, size_t skip)
{
    size_t i;

    for (i = 0; i < sent_size; i++)
        if (matches(sent_log[i].sql, part) && skip-- == 0)
            return &sent_log[i];
    return NULL;
}

size_t fake_sent_with(const char *part)
{
    size_t n = 0;

    while (fake_sent_find(part, n))
        n++;
    return n;
}

/* ---- answers ---- */

paosi_result *fake_script_answer(const paosi_statement *statement, bool skipped)
{
    const fake_sent *sent = note(statement);
    fake_table table = {0};
    paosi_result *result;
    fake_rule *rule;

    if (skipped)
        return fake_result_skipped();
    rule = find_rule(sent->sql);
    if (rule->times != SIZE_MAX)
        rule->times--;
    if (!rule->answer)
        return fake_result_new(&rule->table);
    rule->answer(sent, &table, rule->arg);
    result = fake_result_new(&table);
    fake_table_clear(&table);
    return result;
}

void fake_script_exchange(void)
{
    exchanges++;
}

void fake_script_reset(void)
{
    while (rules)
    {
        fake_rule *rule = rules;

        rules = rule->older;
        fake_table_clear(&rule->table);
        free(rule);
    }
    fake_log_clear();
}
