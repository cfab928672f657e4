/*
 * cli.h - what the files of the command `paos` share.
 *
 * The command is a program like any other: objects and requests come from
 * libpaos through its public header.  Only what libpaos has no call for (lists
 * of classes and requests, paos.explain, paos.health) is asked with libpq, in
 * sql.c.  A function that fails has said why on stderr by the time it returns.
 */
#ifndef PAOS_CLI_H
#define PAOS_CLI_H

#include "paos.h"

#include <jansson.h>
#include <libpq-fe.h>
#include <stdio.h>

/* How the command ends. */
enum
{
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2
};

typedef struct command command;

/* What the command line says. */
typedef struct options
{
    const command *command;
    const char *dbname, *host, *port, *user; /* NULL: not given */
    bool json;
    long count; /* events to wait for; 0: no end */
    char **args;
    int nargs;
} options;

struct command
{
    const char *name;
    int least, most; /* arguments; most -1: any number */
    int (*run)(const options *options);
    const char *help; /* begins with the usage line */
};

/* in command.c */
const command *command_find(const char *name);
const command *command_near(const char *name);
void command_help(const command *command, FILE *file); /* NULL: of all */

/* in options.c; false: `status` is how the command ends */
bool options_parse(options *options, int argc, char **argv, int *status);

/* in get.c, watch.c, classes.c, requests.c, explain.c, doctor.c */
int get_run(const options *options);
int watch_run(const options *options);
int classes_run(const options *options);
int requests_run(const options *options);
int explain_run(const options *options);
int doctor_run(const options *options);

/* in conninfo.c; owned, NULL on failure */
char *conninfo_make(const options *options);

/* in memory.c: these end the program when there is no memory */
void *memory_grow(void *old, size_t size);
char *memory_copy(const char *text);

/* in failure.c */
void failure_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void failure_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
void failure_usage(const command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void failure_show(const char *message, const char *detail, const char *hint);
void failure_query(const char *message, const char *query, int position, const char *detail,
                   const char *hint);

/* in near.c: how unlike two names are, case and quotes aside; 0: the same, NEAR_FAR: too unlike */
#define NEAR_FAR 1000
int near_distance(const char *given, const char *name);

/* in sql.c; a failed one is NULL, and has been reported */
PGconn *sql_open(const options *options);
PGresult *sql_ask(PGconn *sql, const char *statement, int n, const char *const *values);

/* in result.c: all of a result, as a table or one JSON object a line */
void result_show(const PGresult *result, bool json);

/* in class.c: a class as the catalogue knows it */
typedef struct class_info
{
    char *oid;         /* of its table */
    char *name;        /* as SQL */
    char **attributes; /* their names, the key's first */
    bool *numeric;     /* shown to the right */
    int count;
} class_info;

bool class_find(PGconn *sql, const char *name, class_info *out);
void class_free(class_info *class);

/* in question.c: what get and watch ask, and the connection they ask it on */
typedef struct question
{
    const options *options;
    class_info class;
    paos_conn *conn;
    const char *query;
    paos_value *args;
    size_t nargs;
} question;

bool question_open(const options *options, question *out);
void question_close(question *question);
int question_fail(const question *question); /* says why the last call on conn failed */

/* in text.c: nothing that a value contains may reach the terminal as a command */
int text_width(const char *text);
void text_put(FILE *file, const char *text);
void text_put_short(FILE *file, const char *text, int most);

/* in colour.c */
typedef enum colour
{
    COLOUR_TITLE,
    COLOUR_ENTER,
    COLOUR_CHANGE,
    COLOUR_LEAVE,
    COLOUR_QUIET
} colour;

bool colour_choose(const char *when); /* auto, always or never; false: none of them */
const char *colour_on(colour colour);
const char *colour_off(void);

/* in table.c: cells come row by row; NULL is a null */
typedef struct table table;
table *table_new(int columns);
void table_title(table *table, int column, const char *title, bool right);
void table_cell(table *table, const char *text);
void table_print(const table *table);
void table_free(table *table);

/* in json.c */
json_t *json_text(const char *text);
json_t *json_value(const paos_value *value, const char *text); /* text: the value's, or NULL */
void json_line(json_t *line);                                  /* prints and releases */

/* in object.c */
#define REF_TEXT 24
void ref_text(paos_id id, char text[REF_TEXT]);
bool object_row(const question *question, paos_object *object, table *table);
/* The attributes as text, a null as NULL; all owned. */
char **object_texts(const question *question, paos_object *object);
json_t *object_json(const question *question, paos_object *object);

/* in answer.c: a list of objects; false: the connection failed, question_fail says why */
bool answer_table(const question *question, const paos_list *answer);
json_t *answer_json(const question *question, const paos_list *answer);

/* in seen.c: the attributes that were last shown of each object */
typedef struct seen seen;
seen *seen_new(int attributes);
char **seen_find(const seen *seen, paos_id id);           /* NULL: not seen; borrowed */
void seen_put(seen *seen, paos_id id, char **attributes); /* takes them over */
void seen_forget(seen *seen, paos_id id);
void seen_free(seen *seen);

/* in event.c: an event for people and for programs */
void event_text(const question *question, seen *seen, const paos_event *event);
void event_json(const question *question, const paos_event *event);

/* in output.c: stdout, whose reader may be gone */
bool output_flush(void);
bool output_unread(void);
bool output_is_terminal(void);
int output_end(int status);

#endif
