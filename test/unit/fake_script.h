/*
 * fake_script.h - rules for what the fake server answers, and a log of what it was sent.
 *
 * A test says what statements containing some text ("=" and a text: being it)
 * are answered with, and afterwards reads from the log what was sent, in which
 * round trip and with which parameters.  Of several rules that fit a statement
 * the newest answers, so that a test can override what its setup arranged.  A
 * statement that no rule fits fails the test.
 */
#ifndef FAKE_SCRIPT_H
#define FAKE_SCRIPT_H

#include "fake_result.h"

typedef struct fake_rule fake_rule;

/* A statement as it was sent. */
typedef struct fake_sent
{
    char *sql;
    paosi_parameter *parameters; /* deep copies */
    size_t count;
    size_t exchange; /* round trip, from 0 */
} fake_sent;

/* Fills in the answer to a statement. */
typedef void (*fake_answer)(const fake_sent *sent, fake_table *out, void *arg);

/* Statements with `part` in them are answered with an empty result, until more is said. */
fake_rule *fake_on(const char *part);
void fake_columns(fake_rule *rule, const char *columns);
#define fake_row(rule, ...) fake_row_cells(rule, (const fake_cell[]){__VA_ARGS__})
void fake_row_cells(fake_rule *rule, const fake_cell *cells);
void fake_error(fake_rule *rule, const char *sqlstate, const char *message, const char *detail,
                const char *hint);
/* Where in a query the error is, from 1. */
void fake_position(fake_rule *rule, int position);
void fake_call(fake_rule *rule, fake_answer answer, void *arg);
/* The rule answers n statements and is then no more. */
void fake_times(fake_rule *rule, size_t n);

/* The log. */
void fake_log_clear(void);
size_t fake_sent_count(void);
size_t fake_exchanges(void);
const fake_sent *fake_sent_at(size_t i);
/* The statement number `skip` that contains the text, or NULL. */
const fake_sent *fake_sent_find(const char *part, size_t skip);
/* How many statements contain the text. */
size_t fake_sent_with(const char *part);

/* For fake_pgio.c: notes a statement, and answers it; skipped: one before it has failed. */
paosi_result *fake_script_answer(const paosi_statement *statement, bool skipped);
/* A round trip is over. */
void fake_script_exchange(void);
void fake_script_reset(void);

#endif
