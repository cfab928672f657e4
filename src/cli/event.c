/*
 * event.c - an event of a request, for people and for programs.
 *
 * People are shown what changed against what they were shown before.  A deleted
 * object has nothing left to read, so that it is shown as it was.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Columns of the terminal that one value may take. */
#define VALUE_WIDTH 60

/* ---- for people ---- */

static void put_value(const char *text)
{
    if (text)
        text_put_short(stdout, text, VALUE_WIDTH);
    else
        fputs("null", stdout);
}

static void put_all(const class_info *class, char **attributes)
{
    const char *before = "";

    for (int i = 0; i < class->count; i++)
    {
        if (!attributes[i])
            continue;
        printf("%s%s%s%s ", before, colour_on(COLOUR_QUIET), class->attributes[i], colour_off());
        put_value(attributes[i]);
        before = ", ";
    }
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void put_difference(const class_info *class, char **old, char **new)
{
    const char *before = "";

    for (int i = 0; i < class->count; i++)
    {
        if (same(old[i], new[i]))
            continue;
        printf("%s%s%s%s ", before, colour_on(COLOUR_QUIET), class->attributes[i], colour_off());
        put_value(old[i]);
        fputs(" -> ", stdout);
        put_value(new[i]);
        before = ", ";
    }
    if (!*before)
        fputs("written, nothing is different", stdout);
}

static void put_object(const question *question, seen *seen, paos_object *object, colour colour)
{
    static const char *const signs[] = {
        [COLOUR_ENTER] = "+", [COLOUR_CHANGE] = "~", [COLOUR_LEAVE] = "-"};
    paos_id id = paos_object_id(object);
    char **old = seen_find(seen, id);
    bool exists = paos_object_exists(object);
    char **new = exists ? object_texts(question, object) : NULL;
    char name[REF_TEXT];

    ref_text(id, name);
    printf("  %s%s %s%s  ", colour_on(colour), signs[colour], name, colour_off());
    if (!exists)
        fputs("deleted", stdout);
    if (!exists && old)
        fputs("; was ", stdout);
    if (colour != COLOUR_ENTER && old && new)
        put_difference(&question->class, old, new);
    else if (new || old)
        put_all(&question->class, new ? new : old);
    putchar('\n');
    if (new)
        seen_put(seen, id, new);
    else
        seen_forget(seen, id);
}

static void put_objects(const question *question, seen *seen, const paos_list *list, colour colour)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
        put_object(question, seen, paos_list_at(list, i), colour);
}

/* Nobody in particular: libpaos looked again by itself. */
static bool is_nobody(const paos_author *author)
{
    return !*author->application && !*author->host && author->pid < 0;
}

static void put_author(const paos_author *author)
{
    if (*author->application)
        text_put(stdout, author->application);
    else
        fputs("somebody", stdout);
    fputs(" (host ", stdout);
    text_put(stdout, *author->host ? author->host : "?");
    if (author->pid >= 0)
        printf(", pid %lld", (long long) author->pid);
    if (author->uid >= 0)
        printf(", uid %lld", (long long) author->uid);
    putchar(')');
}

void event_text(const question *question, seen *seen, const paos_event *event)
{
    time_t now = time(NULL);
    struct tm local;
    char clock[16] = "";

    if (localtime_r(&now, &local))
        strftime(clock, sizeof clock, "%H:%M:%S", &local);
    printf("%s%s%s ", colour_on(COLOUR_QUIET), clock, colour_off());
    if (is_nobody(&event->author))
        fputs("somebody", stdout);
    else
        put_author(&event->author);
    if (event->ended)
        fputs(": the request has ended", stdout);
    else if (event->resync)
        fputs(": looked again", stdout);
    putchar('\n');
    put_objects(question, seen, event->entered, COLOUR_ENTER);
    put_objects(question, seen, event->changed, COLOUR_CHANGE);
    put_objects(question, seen, event->left, COLOUR_LEAVE);
}

/* ---- for programs ---- */

static json_t *number_json(int64_t number)
{
    return number >= 0 ? json_integer(number) : json_null();
}

static json_t *author_json(const paos_author *author)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "host", json_text(author->host), "pid",
                     number_json(author->pid), "uid", number_json(author->uid), "app",
                     json_text(author->application));
}

/* The names are those of the notification's own payload. */
void event_json(const question *question, const paos_event *event)
{
    char xid[32];
    json_t *line = json_pack("{s:I, s:b, s:b}", "request", (json_int_t) event->request, "resync",
                             event->resync, "ended", event->ended);

    json_object_set_new(line, "enter", answer_json(question, event->entered));
    json_object_set_new(line, "change", answer_json(question, event->changed));
    json_object_set_new(line, "leave", answer_json(question, event->left));
    if (!is_nobody(&event->author))
        json_object_set_new(line, "author", author_json(&event->author));
    if (event->xid != 0)
    {
        snprintf(xid, sizeof xid, "%llu", (unsigned long long) event->xid);
        json_object_set_new(line, "xid", json_string(xid));
    }
    json_line(line);
}
