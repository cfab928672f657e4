/*
 * fake_server.h - as much of PostgreSQL as a parser asks for.
 *
 * Server sources under test are compiled as they are; what they call is in
 * fake_server.c.  An ereport(ERROR) ends the run that FakeServerRun started.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include "postgres.h"

/* Calls work(arg): false when it ended with an error.  Frees what it allocated last time. */
extern bool FakeServerRun(void (*work)(void *), void *arg);

#endif
