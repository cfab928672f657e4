/*
 * fake_pgio.h - a server made of rules, in the place of pgio.c.
 *
 * A test says what statements containing some text ("=" and a text: being it)
 * are answered with, and afterwards reads from the log what was sent, in which
 * round trip and with which parameters.  Of several rules that fit a statement
 * the newest answers, so that a test can override what its setup arranged.  A
 * statement that no rule fits fails the test.
 */
#ifndef FAKE_PGIO_H
#define FAKE_PGIO_H

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

/* Forgets rules, log and broken connections; for every test's setup and teardown. */
void fake_reset(void);

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

/* The next connection attempt fails. */
void fake_refuse(paos_status status, const char *message);

/*
 * Breaks the connection in the nth exchange from now (0: the next one): the
 * server gets `reached` statements and `answered` of their results come back.
 */
void fake_break(size_t exchange, size_t reached, size_t answered);
/* Notifies the newest connection; it arrives with what is received or exchanged next. */
void fake_notify(const char *text);
/* The newest connection breaks when it receives next. */
void fake_hang_up(void);
/* From now on a connection that is lost can be made again; before that it is refused. */
void fake_come_back(void);
/* Whoever connects next is refused for good. */
void fake_lock_out(void);
/* Pings are answered from now on, or not. */
void fake_answer_pings(bool answer);
/* How many connections have ended so far, closed here or broken. */
size_t fake_ends(void);

/* The log. */
void fake_log_clear(void);
size_t fake_sent_count(void);
size_t fake_exchanges(void);
const fake_sent *fake_sent_at(size_t i);
/* The statement number `skip` that contains the text, or NULL. */
const fake_sent *fake_sent_find(const char *part, size_t skip);
/* How many statements contain the text. */
size_t fake_sent_with(const char *part);

#endif
