/*
 * pgio.h - the client's view of the wire: statements out, results in.
 *
 * pgio.c and dial.c are the only files that call libpq; a test replaces them
 * whole by a script of results.  One exchange is one round trip: all statements go out in
 * one pipeline with one sync at the end, so that after the first error the
 * server skips the rest.  An exchange is not a transaction of its own when it
 * contains BEGIN: the caller ends what it began.
 */
#ifndef PAOSI_PGIO_H
#define PAOSI_PGIO_H

#include "paos.h"

typedef struct paosi_pgio paosi_pgio;
typedef struct paosi_result paosi_result;

/* One parameter; type 0 leaves it to the server, data NULL is a null. */
typedef struct paosi_parameter
{
    uint32_t type;
    bool text; /* in text format, ending with a zero byte; else binary */
    const void *data;
    size_t size;
} paosi_parameter;

typedef struct paosi_statement
{
    const char *sql;
    const paosi_parameter *parameters;
    size_t count;
    /*
     * Makes the parameters when it is the statement's turn, so that the server is at work on
     * those before it, and their memory may be used again; false: no memory.  NULL: they are made.
     */
    bool (*make)(void *arg);
    void *arg;
} paosi_statement;

typedef enum paosi_outcome
{
    PAOSI_DONE,   /* rows or a command's end */
    PAOSI_FAILED, /* the server's error: sqlstate and texts */
    PAOSI_SKIPPED /* an earlier statement of the exchange failed */
} paosi_outcome;

/* ---- dial.c: making a connection ---- */

typedef struct paosi_dial
{
    const char *conninfo, *application; /* application may be NULL */
    int silence_ms;                     /* after which it shall count as lost; 0: never */
    unsigned skip;                      /* so many of several hosts are tried last */
    const paosi_pgio *like;             /* the server that this is connected to; NULL: any */
} paosi_dial;

/*
 * Connects.  On failure *out is untouched and *message, when memory allows, is
 * the reason, to be freed with paosi_free.
 */
paos_status paosi_dial_open(const paosi_dial *dial, paosi_pgio **out, char **message);

/* Begins to connect, without waiting; PAOS_NO_MEMORY. */
paos_status paosi_dial_start(const paosi_dial *dial, paosi_pgio **out);
/*
 * Goes on connecting, without waiting.  PAOS_OK: done.  PAOS_TIMEOUT: not yet,
 * *writing says what the socket, which may be another one each time, is to be
 * waited on for.  PAOS_DISCONNECTED: failed.  PAOS_REFUSED: and would again.
 * paosi_pgio_message says why.
 */
paos_status paosi_dial_step(paosi_pgio *io, bool *writing);

/* ---- pgio.c: using it ---- */

void paosi_pgio_close(paosi_pgio *io);

/* Asks for a sign of life; false: broken. */
bool paosi_pgio_ping(paosi_pgio *io);
/* Has there been none yet? */
bool paosi_pgio_pinging(const paosi_pgio *io);
/* Exchanges ask, each time nothing came for so long, whether to wait on; 0: they do. */
void paosi_pgio_doubt(paosi_pgio *io, int after_ms, bool (*alive)(void *arg), void *arg);
/* Ends the connection, for a reason of ours. */
void paosi_pgio_break(paosi_pgio *io, const char *message);
/* Process number of the server's side. */
int paosi_pgio_backend(const paosi_pgio *io);
/* The socket, for waiting only; -1 when broken. */
int paosi_pgio_fd(const paosi_pgio *io);

/* Name of the database, for messages. */
const char *paosi_pgio_database(const paosi_pgio *io);

/*
 * Sends n statements and waits for their results, all in binary format.  Sets
 * every results[i]: to what came, or to NULL when the connection broke before
 * it.  PAOS_OK: all came, successes or errors.  PAOS_NO_MEMORY: nothing was
 * sent, or only the *reached statements before one that could not be made, and
 * what came is dropped: a transaction may be open.  PAOS_DISCONNECTED: the connection
 * is broken for good; *reached is the number of statements that may have reached the server.
 */
paos_status paosi_pgio_exchange(paosi_pgio *io, const paosi_statement *statements, size_t n,
                                paosi_result **results, size_t *reached);

/* Takes a row that came, the only one of this result; false: no more are wanted. */
typedef bool (*paosi_taker)(void *arg, const paosi_result *row);

/*
 * Same for one statement, whose rows are handed over as they come, while the server makes
 * more; *result has none.  What the taker is called for is not the end: the statement may
 * still fail.  It must not use the connection.
 */
paos_status paosi_pgio_stream(paosi_pgio *io, const paosi_statement *statement, paosi_taker take,
                              void *arg, paosi_result **result);

/*
 * Notifications.  They come with any exchange, or by themselves: receive takes
 * in what has come, without waiting.  PAOS_DISCONNECTED: the connection is
 * broken for good, and what was not taken is lost.
 */
typedef struct paosi_notification paosi_notification;
paos_status paosi_pgio_receive(paosi_pgio *io);
bool paosi_pgio_pending(paosi_pgio *io);
/* The next of those pending, to be freed by the caller. */
paosi_notification *paosi_pgio_next(paosi_pgio *io);
const char *paosi_notification_text(const paosi_notification *notification);
void paosi_notification_free(paosi_notification *notification);

/* What libpq says of a broken connection; "" when there is nothing to say. */
const char *paosi_pgio_message(const paosi_pgio *io);

/* Results.  Texts of errors are "" when absent; all is borrowed until the result is freed. */
paosi_outcome paosi_result_outcome(const paosi_result *result);
const char *paosi_result_sqlstate(const paosi_result *result);
const char *paosi_result_message(const paosi_result *result);
const char *paosi_result_detail(const paosi_result *result);
const char *paosi_result_hint(const paosi_result *result);
/* Where in the text that it gave as its own (a query) the server found the error, from 1; or 0. */
int paosi_result_position(const paosi_result *result);
size_t paosi_result_rows(const paosi_result *result);
size_t paosi_result_columns(const paosi_result *result);

/* The bytes of one value, ending with a zero byte that size does not count; NULL for a null. */
const unsigned char *paosi_result_value(const paosi_result *result, size_t row, size_t column,
                                        size_t *size);
void paosi_result_free(paosi_result *result);

#endif
