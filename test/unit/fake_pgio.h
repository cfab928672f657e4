/*
 * fake_pgio.h - a server in the place of pgio.c, whose connections break and notify on command.
 *
 * What it answers is said in fake_script.h.
 */
#ifndef FAKE_PGIO_H
#define FAKE_PGIO_H

#include "fake_script.h"

/* Forgets rules, log and broken connections; for every test's setup and teardown. */
void fake_reset(void);

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

#endif
