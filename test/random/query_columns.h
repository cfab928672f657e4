/*
 * query_columns.h - the columns of the oracle's tables, and values for them.
 *
 * The same few values fill the tables and stand in the conditions, so that
 * conditions are often met.
 */
#ifndef QUERY_COLUMNS_H
#define QUERY_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum Kind
{
    NUMBER,
    BOOL,
    STRING,
    REF,
    FOREIGN_KEY,
    ARRAY_OF_NUMBER, /* and all that follow are arrays */
    ARRAY_OF_STRING,
    ARRAY_OF_REF
} Kind;

/* Columns of one group may be compared with each other. */
enum
{
    NUMBER_GROUP = 100,
    TEXT_GROUP,
    TIME_GROUP
};

typedef struct Column
{
    const char *name;
    const char *type;
    Kind kind;
    int group; /* or a number of its own */
    const char *values[14];
    const char *collation;
    const char *in_leaf; /* its type in the class "leaf"; NULL: not there */
    bool like;           /* has LIKE although in no text group */
} Column;

#define TEXTS                                                                                 \
    {                                                                                         \
        "", "a", "b", "B", "ab", "aB", "\xc3\xa4x", "it's", "say \"hi\"", "a%b", "a_b", "\\x" \
    }

static const Column columns[] = {
    {"i2", "int2", NUMBER, NUMBER_GROUP, {"0", "1", "-1", "7", "32767", "-32768"}, "", "int2", 0},
    {"i4", "int4", NUMBER, NUMBER_GROUP, {"0", "1", "7", "-2147483648", "42"}, "", "int8", 0},
    {"i8",
     "int8",
     NUMBER,
     NUMBER_GROUP,
     {"0", "1", "7", "5000000000", "-9223372036854775808"},
     "",
     NULL,
     0},
    {"f4",
     "float4",
     NUMBER,
     NUMBER_GROUP,
     {"0", "1", "0.1", "1.5", "-2e10", "NaN", "Infinity"},
     "",
     NULL,
     0},
    {"f8",
     "float8",
     NUMBER,
     NUMBER_GROUP,
     {"0", "1", "0.1", "1.5", "1e-300", "NaN", "-Infinity"},
     "",
     "numeric",
     0},
    {"n",
     "numeric",
     NUMBER,
     NUMBER_GROUP,
     {"0", "1.00", "0.1", "1.5", "123456789012345678901234567890.5", "NaN"},
     "",
     NULL,
     0},
    {"dom", "small", NUMBER, NUMBER_GROUP, {"0", "1", "7", "999"}, "", NULL, 0},
    {"b", "bool", BOOL, 1, {"true", "false"}, "", "bool", 0},
    {"t", "text", STRING, TEXT_GROUP, TEXTS, "", "varchar(20)", 0},
    {"v", "varchar(10)", STRING, TEXT_GROUP, TEXTS, "", NULL, 0},
    {"ch", "char(5)", STRING, TEXT_GROUP, {"", "a", "ab", "ab ", "B", "a_b"}, "", NULL, 0},
    {"tc", "text", STRING, 2, TEXTS, "COLLATE \"C\"", NULL, true},
    {"ti", "text", STRING, 3, TEXTS, "COLLATE \"und-x-icu\"", "text", true},
    {"y", "bytea", STRING, 4, {"\\x", "\\x00", "\\xff00", "\\x6162"}, "", NULL, true},
    {"d", "date", STRING, TIME_GROUP, {"1999-12-31", "2020-02-29", "infinity"}, "", "date", 0},
    {"ts",
     "timestamp",
     STRING,
     TIME_GROUP,
     {"1999-12-31", "2020-02-29 12:00:00.5", "-infinity"},
     "",
     NULL,
     0},
    {"tz",
     "timestamptz",
     STRING,
     TIME_GROUP,
     {"1999-12-31 00:00+00", "2020-02-29 12:00:00.5+09", "infinity"},
     "",
     NULL,
     0},
    {"u",
     "uuid",
     STRING,
     5,
     {"00000000-0000-0000-0000-000000000001", "f0000000-0000-0000-0000-00000000000f"},
     "",
     NULL,
     0},
    {"m", "mood", STRING, 6, {"sad", "ok", "happy"}, "", "mood", 0},
    {"j", "jsonb", STRING, 7, {"{\"a\": 1}", "[]", "1", "null"}, "", NULL, 0},
    {"r",
     "paos.ref",
     REF,
     8,
     {"901:1", "901:2", "901:3", "901:4000", "902:1", "902:2", "903:1"},
     "",
     NULL,
     0},
    {"parent", "int8", FOREIGN_KEY, 9, {"1", "2", "3", "4"}, "", NULL, 0},
    {"ia", "int4[]", ARRAY_OF_NUMBER, 10, {"0", "1", "7", "42"}, "", NULL, 0},
    {"sa", "int2[]", ARRAY_OF_NUMBER, 11, {"0", "1", "7"}, "", NULL, 0},
    {"ta", "text[]", ARRAY_OF_STRING, 12, TEXTS, "", "text[]", 0},
    {"va", "varchar(9)[]", ARRAY_OF_STRING, 13, TEXTS, "", NULL, 0},
    {"ra", "paos.ref[]", ARRAY_OF_REF, 14, {"901:1", "902:1", "903:1"}, "", NULL, 0},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define NUMBER_COLUMNS 7 /* they come first */

static const char *const like_patterns[] = {"a%", "%b", "_", "%", "a\\%b", "\xc3\xa4%", "", NULL};

#endif
