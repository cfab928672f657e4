-- index_test.sql - the functions of index_test.c, and rows of many types to use them on.
--
-- Needs the variable module: the path of the library, without .so.

LOAD 'paos';
CREATE FUNCTION index_oracle(class regclass, seed bigint, rounds int, most int DEFAULT 400,
    broken bool DEFAULT false,
    OUT compared bigint, OUT found bigint, OUT exact bigint, OUT wrong bigint)
    AS :'module', 'index_oracle' LANGUAGE C STRICT;
CREATE FUNCTION index_load(class regclass, condition text, n int) RETURNS float8
    AS :'module', 'index_load' LANGUAGE C STRICT;
CREATE FUNCTION index_probe(class regclass, n int, OUT ns float8, OUT found bigint)
    AS :'module', 'index_probe' LANGUAGE C STRICT;
CREATE FUNCTION index_clear() RETURNS float8 AS :'module', 'index_clear' LANGUAGE C STRICT;
CREATE FUNCTION index_limit(bytes bigint) RETURNS void
    AS :'module', 'index_limit' LANGUAGE C STRICT;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
ALTER TYPE mood ADD VALUE 'so so' BEFORE 'ok';
CREATE DOMAIN small AS int CHECK (VALUE < 1000);
CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- Few values of each type, so that many conditions meet.
CREATE FUNCTION one_of(variadic choices text[]) RETURNS text LANGUAGE sql VOLATILE
    AS 'SELECT choices[1 + (random() * (cardinality(choices) - 1))::int]';

CREATE TABLE many_types (
    id int PRIMARY KEY, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric,
    dom small, t text, tc text COLLATE "C", ti text COLLATE "und-x-icu", tn text COLLATE no_case,
    v varchar(10), ch char(5), na name, y bytea, d date, ts timestamp, tz timestamptz,
    iv interval, u uuid, m mood, r paos.ref, j jsonb, ip inet, bits varbit, a int[], ir int4range
);
SELECT setseed(0.5);
INSERT INTO many_types
SELECT i, one_of('t', 'f', NULL)::bool,
    one_of('0', '1', '-1', '32767', NULL)::int2,
    (random() * 50)::int,
    (random() * 50)::int8 - 10,
    one_of('0', '-0', '0.1', '1.5', 'NaN', 'Infinity', NULL)::float4,
    one_of('0', '-0', '0.1', '1.5', 'NaN', '-Infinity', NULL)::float8,
    one_of('0', '0.10', '0.1', '1e30', 'NaN', NULL)::numeric,
    one_of('1', '2', '999', NULL)::small,
    one_of('', 'a', 'B', 'b', E'\u00e4', repeat('long', 5000), NULL),
    one_of('', 'a', 'B', 'b', E'\u00e4', NULL),
    one_of('', 'a', 'B', 'b', E'\u00e4', 'a b', NULL),
    one_of('', 'a', 'A', 'B', 'b', E'\u00e4', E'\u00c4', NULL),
    one_of('', 'a', 'ab', NULL), one_of('', 'a', 'ab ', NULL), one_of('', 'a', 'b', NULL)::name,
    one_of('\x', '\x00', '\xff', NULL)::bytea,
    one_of('2020-02-29', '1999-12-31', 'infinity', NULL)::date,
    one_of('2020-02-29 01:00', '1999-12-31', '-infinity', NULL)::timestamp,
    one_of('2020-02-29 01:00+01', '1999-12-31 00:00+00', NULL)::timestamptz,
    one_of('1 day', '24 hours', '1 month', '30 days', '1s', NULL)::interval,
    one_of('00000000-0000-0000-0000-000000000001', 'f0000000-0000-0000-0000-00000000000f')::uuid,
    one_of('sad', 'ok', 'happy', 'so so', NULL)::mood,
    one_of('901:1', '901:2', '902:1', NULL)::paos.ref,
    one_of('{"a": 1}', '[]', '1', '1.0', NULL)::jsonb,
    one_of('10.0.0.1', '10.0.0.0/8', '::1', NULL)::inet,
    one_of('1', '10', '010', NULL)::varbit,
    one_of('{1}', '{1,2}', '{}', '{NULL}', NULL)::int[],
    one_of('[1,3)', 'empty', '[2,)', NULL)::int4range
FROM generate_series(1, 300) i;

-- Few attributes, so that many requests are filed under each.
CREATE TABLE few_types (id int PRIMARY KEY, n int, t text COLLATE "en-x-icu");
INSERT INTO few_types SELECT i, (random() * 300)::int, left(md5(i::text), 2)
FROM generate_series(1, 300) i;
