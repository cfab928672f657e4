/*
 * request_random.h - random requests and writes for the oracle of requests.
 *
 * The values are few, and stand in the conditions too, so that answers change
 * often; among them are those that types treat in their own way: NaN, -0, blanks
 * at the end of a char(n), text that differs in case only, NULLs.
 */
#ifndef REQUEST_RANDOM_H
#define REQUEST_RANDOM_H

#include "splitmix.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KEYS 30

#define PICK(pool) ((pool)[below(sizeof(pool) / sizeof(*(pool)))])

static const char *const names[] = {"Ann", "Bill", "Sue", "Zoë", "x"};
static const char *const floats[] = {"0", "-0", "1.5", "NaN", "Infinity", "-Infinity"};
static const char *const numbers[] = {"0", "3.5", "7.50", "NaN", "100"};
static const char *const chars[] = {"a", "ab", "ab ", "B", ""};
static const char *const cases[] = {"ann", "ANN", "Ann", "bill", "x"};
static const char *const moods[] = {"sad", "ok", "happy"};
static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">="};

static const char *const random_schema =
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN small AS int CHECK (VALUE < "
    "100);"
    "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
    "CREATE TABLE person (id int PRIMARY KEY, name text, age int, score numeric, tags int[],"
    " adult bool, f float8, ch char(5), ci text COLLATE nocase, d small, m mood,"
    " twice int GENERATED ALWAYS AS (age * 2) STORED);"
    "CREATE TABLE student (school text, PRIMARY KEY (id)) INHERITS (person);"
    "CREATE TABLE pet (id int PRIMARY KEY, name text, age int,"
    " owner int REFERENCES person ON DELETE CASCADE ON UPDATE CASCADE);"
    "CREATE TABLE part (id int PRIMARY KEY, name text, age int) PARTITION BY RANGE (id);"
    "CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (15);"
    "CREATE TABLE part_high (age int, id int NOT NULL, name text);"
    "ALTER TABLE part ATTACH PARTITION part_high FOR VALUES FROM (15) TO (100000);"
    "SELECT paos.register_class('person'); SELECT paos.register_class('student');"
    "SELECT paos.register_class('pet'); SELECT paos.register_class('part');"
    "CREATE FUNCTION before_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF new.age = 3 THEN new.score := 100; ELSIF new.age = 4 THEN RETURN NULL; END IF;"
    " RETURN new; END $$;"
    "CREATE FUNCTION after_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF new.age = 7 AND pg_trigger_depth() < 3 THEN"
    " UPDATE person SET age = 8, adult = NOT adult WHERE id <= new.id AND id > new.id - 3;"
    " END IF; RETURN NULL; END $$;"
    "CREATE TRIGGER before_write BEFORE INSERT OR UPDATE ON person FOR EACH ROW"
    " EXECUTE FUNCTION before_write();"
    "CREATE TRIGGER after_write AFTER INSERT OR UPDATE ON person FOR EACH ROW"
    " EXECUTE FUNCTION after_write();"
    "CREATE ROLE paos_oracle; GRANT SELECT ON person, student, pet, part TO paos_oracle;"
    "ALTER TABLE person ENABLE ROW LEVEL SECURITY; ALTER TABLE pet ENABLE ROW LEVEL SECURITY;"
    "CREATE POLICY part_of ON person USING (age IS NULL OR age % 4 <> 1);"
    "CREATE POLICY part_of ON pet USING (name <> 'Sue' AND current_user = 'paos_oracle')";

/* ---- requests ---- */

static const char *class_of(int i)
{
    static const char *const classes[] = {"person", "person", "student", "pet", "part", "person"};

    return classes[i % 6];
}

/* Requests of a role that row-level security is for. */
static bool is_limited(int i)
{
    return i % 7 >= 5;
}

/* On attributes that each class has. */
static void plain_leaf(char *out, size_t size)
{
    unsigned a = below(20), b = a + below(8);

    switch (below(7))
    {
        case 0:
        case 1:
            snprintf(out, size, "name == '%s'", PICK(names));
            break;
        case 2:
            snprintf(out, size, "name in ('%s', '%s')", PICK(names), PICK(names));
            break;
        case 3:
            snprintf(out, size, "age %s %u", PICK(comparisons), a);
            break;
        case 4:
            snprintf(out, size, "age >= %u and age < %u", a, b);
            break;
        case 5:
            snprintf(out, size, "id == %u", 1 + below(KEYS));
            break;
        default:
            snprintf(out, size, "%s is %snull", below(2) ? "name" : "age", below(2) ? "not " : "");
    }
}

static void leaf(char *out, size_t size, const char *class)
{
    if (strcmp(class, "pet") == 0 || strcmp(class, "part") == 0 || below(2))
    {
        plain_leaf(out, size);
        return;
    }
    switch (below(9))
    {
        case 0:
            snprintf(out, size, "score %s '%s'", PICK(comparisons), PICK(numbers));
            break;
        case 1:
            snprintf(out, size, "name like '%%%c%%'", "nluoe"[below(5)]);
            break;
        case 2:
            snprintf(out, size, "tags contains %u", below(4));
            break;
        case 3:
            snprintf(out, size, "f %s '%s'", PICK(comparisons), PICK(floats));
            break;
        case 4:
            snprintf(out, size, "ch %s '%s'", PICK(comparisons), PICK(chars));
            break;
        case 5:
            snprintf(out, size, "ci %s '%s'", PICK(comparisons), PICK(cases));
            break;
        case 6:
            snprintf(out, size, "m %s '%s'", PICK(comparisons), PICK(moods));
            break;
        case 7:
            snprintf(out, size, "%s %s %u", below(2) ? "d" : "twice", PICK(comparisons), below(20));
            break;
        default:
            snprintf(out, size, "%sadult", below(2) ? "not " : "");
    }
}

static void condition(char *out, size_t size, const char *class, int depth)
{
    char left[600], right[600];

    if (depth == 0 || below(3) == 0)
    {
        leaf(out, size, class);
        return;
    }
    condition(left, sizeof(left), class, depth - 1);
    condition(right, sizeof(right), class, depth - 1);
    switch (below(5))
    {
        case 0:
            snprintf(out, size, "not (%.500s)", left);
            break;
        case 1:
        case 2:
            snprintf(out, size, "(%.500s) or (%.500s)", left, right);
            break;
        default:
            snprintf(out, size, "(%.500s) and (%.500s)", left, right);
    }
}

/* ---- writes ---- */

/* An integer or NULL, as SQL. */
static const char *number_or_null(unsigned n)
{
    static char text[8][16];
    static int next;

    next = (next + 1) % 8;
    snprintf(text[next], sizeof(text[next]), "%u", below(n));
    return below(6) == 0 ? "NULL" : text[next];
}

static void write_part(char *sql, size_t size)
{
    unsigned key = 1 + below(KEYS - 1);

    switch (below(3))
    {
        case 0:
            snprintf(sql, size,
                     "INSERT INTO part VALUES (%u, '%s', %s) ON CONFLICT (id) DO NOTHING", key,
                     PICK(names), number_or_null(20));
            break;
        case 1:
            snprintf(
                sql, size,
                "UPDATE part SET id = %u WHERE id = %u AND NOT EXISTS (SELECT FROM part WHERE id ="
                " %u)",
                KEYS - key, key, KEYS - key);
            break;
        default:
            snprintf(sql, size, "UPDATE part SET age = age + 1, name = '%s' WHERE id %% 5 = %u",
                     PICK(names), key % 5);
    }
}

static void write_pet(char *sql, size_t size)
{
    unsigned key = 1 + below(KEYS);

    if (below(3) == 0)
        snprintf(sql, size, "UPDATE pet SET name = '%s', age = %s WHERE id %% 3 = %u", PICK(names),
                 number_or_null(20), key % 3);
    else
        snprintf(
            sql, size,
            "INSERT INTO pet SELECT %u, '%s', %s, (SELECT min(id) FROM ONLY person WHERE id >= %u)"
            " ON CONFLICT (id) DO UPDATE SET owner = excluded.owner",
            key, PICK(names), number_or_null(20), key);
}

static void insert_person(char *sql, size_t size)
{
    bool student = below(3) == 0;

    snprintf(
        sql, size,
        "INSERT INTO %s (id, name, age, score, tags, adult, f, ch, ci, d, m) VALUES (%u, '%s', %s,"
        " '%s', ARRAY[%u, %u], %s, '%s', '%s', '%s', %s, '%s') ON CONFLICT (id) DO UPDATE SET age ="
        " excluded.age, name = excluded.name, f = excluded.f, ci = excluded.ci",
        student ? "student" : "person", 1 + below(KEYS) + (student ? KEYS : 0), PICK(names),
        number_or_null(20), PICK(numbers), below(4), below(4),
        below(3) == 0 ? "NULL"
        : below(2)    ? "true"
                      : "false",
        PICK(floats), PICK(chars), PICK(cases), number_or_null(20), PICK(moods));
}

static void write_person(char *sql, size_t size)
{
    static unsigned fresh = 10000; /* beyond all keys that are given otherwise */
    unsigned key = 1 + below(KEYS);

    switch (below(10))
    {
        case 0:
            snprintf(sql, size, "UPDATE person SET age = %s WHERE id %% 7 = %u", number_or_null(20),
                     key % 7);
            break;
        case 1:
            snprintf(sql, size, "UPDATE person SET name = '%s', ci = '%s' WHERE id = %u",
                     PICK(names), PICK(cases), key);
            break;
        case 2:
            snprintf(sql, size, "UPDATE ONLY person SET id = %u WHERE id = %u", fresh++, key);
            break;
        case 3:
            snprintf(sql, size, "DELETE FROM person WHERE id %% %u = 0 AND id > %u", 2 + below(5),
                     key);
            break;
        case 4:
            snprintf(sql, size, "UPDATE student SET score = age, adult = NOT adult WHERE id > %u",
                     key + KEYS);
            break;
        case 5:
            snprintf(sql, size,
                     "UPDATE person SET f = '%s', ch = '%s', m = '%s' WHERE id %% 4 = %u",
                     PICK(floats), PICK(chars), PICK(moods), key % 4);
            break;
        case 6:
            snprintf(sql, size,
                     "COPY person (id, name, age) FROM PROGRAM 'printf "
                     "\"%u\\tx\\t%u\\n%u\\tSue\\t%u\\n\"'",
                     fresh, below(20), fresh + 1, below(20));
            fresh += 2;
            break;
        case 7:
            snprintf(
                sql, size,
                "MERGE INTO person p USING (VALUES (%u), (%u)) v(id) ON p.id = v.id"
                " WHEN MATCHED AND p.age > 10 THEN DELETE WHEN MATCHED THEN UPDATE SET age = 15"
                " WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (v.id, '%s', %u)",
                key, key + KEYS + 50, PICK(names), below(20));
            break;
        case 8:
            snprintf(
                sql, size,
                "WITH gone AS (DELETE FROM ONLY person WHERE id = %u RETURNING *) INSERT INTO "
                "person"
                " (id, name, age) SELECT id + 2000, name, age + 1 FROM gone ON CONFLICT DO NOTHING",
                key);
            break;
        default:
            snprintf(sql, size, "DELETE FROM person WHERE id = %u", key);
    }
}

/* A random statement that no constraint refuses. */
static void random_write(char *sql, size_t size)
{
    switch (below(8))
    {
        case 0:
            write_part(sql, size);
            break;
        case 1:
            write_pet(sql, size);
            break;
        case 2:
        case 3:
        case 4:
            insert_person(sql, size);
            break;
        default:
            write_person(sql, size);
    }
}

#endif
