/*
 * fake_server.c - memory, errors and strings of PostgreSQL without PostgreSQL.
 *
 * Every palloc is a malloc of its own, so that the sanitizers see its bounds.
 */
#include "fake_server.h"

#include <setjmp.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/builtins.h"

/* port.h points these at PostgreSQL's own. */
#undef vsnprintf
#undef snprintf

/* Below the default of the server, as sanitized frames are bigger. */
#define STACK_LIMIT (2 * 1024 * 1024)

typedef struct Block
{
    struct Block *next;
    struct Block *previous;
} Block;

static Block blocks = {&blocks, &blocks};
static sigjmp_buf error_exit;
static const char *stack_base;

void *palloc(Size size)
{
    Block *block = malloc(sizeof(Block) + size);

    if (block == NULL)
        abort();
    block->next = blocks.next;
    block->previous = &blocks;
    block->next->previous = block;
    blocks.next = block;
    return block + 1;
}

void pfree(void *pointer)
{
    Block *block = (Block *) pointer - 1;

    block->next->previous = block->previous;
    block->previous->next = block->next;
    free(block);
}

void *palloc0(Size size)
{
    return memset(palloc(size), 0, size);
}

void *repalloc(void *pointer, Size size)
{
    Block *block = realloc((Block *) pointer - 1, sizeof(Block) + size);

    if (block == NULL)
        abort();
    block->next->previous = block;
    block->previous->next = block;
    return block + 1;
}

char *pstrdup(const char *text)
{
    return strcpy(palloc(strlen(text) + 1), text);
}

bool FakeServerRun(void (*work)(void *), void *arg)
{
    char here;

    while (blocks.next != &blocks)
        pfree(blocks.next + 1);
    stack_base = &here;
    if (sigsetjmp(error_exit, 0) != 0)
        return false;
    work(arg);
    return true;
}

/* --- errors: formatted, to see that their arguments are sound, and thrown ------- */

bool errstart(int elevel, const char *domain)
{
    (void) domain;
    return elevel >= ERROR;
}

bool errstart_cold(int elevel, const char *domain)
{
    return errstart(elevel, domain);
}

void errfinish(const char *filename, int lineno, const char *funcname)
{
    (void) filename;
    (void) lineno;
    (void) funcname;
    siglongjmp(error_exit, 1);
}

static int Format(const char *fmt, va_list args)
{
    int length = vsnprintf(NULL, 0, fmt, args);

    if (length < 0)
        abort();
    return 0;
}

int errmsg(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    Format(fmt, args);
    va_end(args);
    return 0;
}

int errmsg_internal(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    Format(fmt, args);
    va_end(args);
    return 0;
}

int errcode(int sqlerrcode)
{
    return sqlerrcode;
}

int internalerrquery(const char *query)
{
    return (int) strlen(query);
}

int internalerrposition(int cursorpos)
{
    if (cursorpos < 1)
        abort();
    return 0;
}

void check_stack_depth(void)
{
    char here;

    if (labs(stack_base - &here) > STACK_LIMIT)
        ereport(ERROR, errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("stack depth exceeded"));
}

/* --- strings ---------------------------------------------------------------- */

int pg_strcasecmp(const char *a, const char *b)
{
    return strcasecmp(a, b);
}

int pg_mbstrlen_with_len(const char *text, int limit)
{
    int characters = 0;
    int i;

    for (i = 0; i < limit && text[i] != '\0'; i++)
        characters += (text[i] & 0xC0) != 0x80;
    return characters;
}

void truncate_identifier(char *name, int length, bool warn)
{
    (void) warn;
    if (length >= NAMEDATALEN)
        name[NAMEDATALEN - 1] = '\0';
}

char *downcase_truncate_identifier(const char *name, int length, bool warn)
{
    char *result = palloc(length + 1);
    int i;

    for (i = 0; i < length; i++)
        result[i] = name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i];
    result[length] = '\0';
    truncate_identifier(result, length, warn);
    return result;
}

void enlargeStringInfo(StringInfo out, int needed)
{
    if (out->maxlen > out->len + needed)
        return;
    out->maxlen = 2 * (out->len + needed) + 1;
    out->data = repalloc(out->data, out->maxlen);
}

void initStringInfo(StringInfo out)
{
    out->maxlen = 8;
    out->data = palloc(out->maxlen);
    resetStringInfo(out);
}

void resetStringInfo(StringInfo out)
{
    out->data[0] = '\0';
    out->len = out->cursor = 0;
}

void appendStringInfoChar(StringInfo out, char c)
{
    enlargeStringInfo(out, 1);
    out->data[out->len++] = c;
    out->data[out->len] = '\0';
}

void appendStringInfoString(StringInfo out, const char *text)
{
    int length = strlen(text);

    enlargeStringInfo(out, length);
    memcpy(out->data + out->len, text, length + 1);
    out->len += length;
}

void appendStringInfo(StringInfo out, const char *fmt, ...)
{
    char buffer[256];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(buffer, sizeof(buffer), fmt, args) >= (int) sizeof(buffer))
        abort();
    va_end(args);
    appendStringInfoString(out, buffer);
}

/* ---- numbers ---- */

int pg_ltoa(int32 value, char *text)
{
    return snprintf(text, MAXINT8LEN, "%d", value);
}

int pg_lltoa(int64 value, char *text)
{
    return snprintf(text, MAXINT8LEN + 1, "%lld", (long long) value);
}
