-- reading objects by ref
CREATE SCHEMA object_test;
SET search_path = object_test, public;
\set SHOW_CONTEXT never
CREATE TABLE person (id int PRIMARY KEY, name text, loves paos.ref, born date, tags text[]);
SELECT paos.register_class('person', number => 401);
INSERT INTO person VALUES (1, 'Sue', '401:2', '1970-01-01', '{a,b}');
INSERT INTO person VALUES (2, 'Bill', '401:1'),
    (3, 'John', '401:99'), (4, 'Ann', '32767:1'), (5, 'Eve', NULL);

SELECT paos.fetch('person:1');
SELECT paos.fetch('person:99') IS NULL AS dangling, paos.fetch('32767:1') IS NULL AS no_class,
       paos.fetch(NULL) IS NULL AS no_ref, paos.fetch('401:281474976710655') IS NULL AS beyond_int;
SELECT name, loves OPERATOR(paos.->>) 'name' AS loved, loves OPERATOR(paos.->>) 'born' AS born,
       loves OPERATOR(paos.->>) 'tags' AS tags FROM person ORDER BY id;
SELECT name, (loves OPERATOR(paos.->>) 'loves')::paos.ref OPERATOR(paos.->>) 'name' AS two_steps
FROM person ORDER BY id;
SELECT 'person:1'::paos.ref OPERATOR(paos.->>) 'nosuch';
SELECT 'person:1'::paos.ref OPERATOR(paos.->>) 'xmin';
SELECT 'person:1'::paos.ref OPERATOR(paos.->>) NULL IS NULL AS no_attribute;

-- kept plans see the table as it is now
ALTER TABLE person RENAME COLUMN name TO called;
SELECT 'person:1'::paos.ref OPERATOR(paos.->>) 'name';
SELECT 'person:1'::paos.ref OPERATOR(paos.->>) 'called';
ALTER TABLE person RENAME TO people;
SELECT 'people:1'::paos.ref OPERATOR(paos.->>) 'called';
ALTER TABLE people ALTER COLUMN id TYPE bigint;
SELECT 'people:1'::paos.ref OPERATOR(paos.->>) 'called', paos.fetch('people:2');
ALTER TABLE people DROP COLUMN tags;
SELECT paos.fetch('people:1');

-- the reader's own privileges
CREATE ROLE paos_object_user;
SET ROLE paos_object_user;
SELECT paos.fetch('401:1');
RESET ROLE;
GRANT USAGE ON SCHEMA object_test TO paos_object_user;
GRANT SELECT (id, called) ON people TO paos_object_user;
SET ROLE paos_object_user;
SELECT '401:1'::paos.ref OPERATOR(paos.->>) 'called';
SELECT '401:1'::paos.ref OPERATOR(paos.->>) 'loves';
SELECT paos.fetch('401:1');
RESET ROLE;
GRANT SELECT ON people TO paos_object_user;
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON people USING (id <> 2);
SET ROLE paos_object_user;
SELECT paos.fetch('401:1') IS NOT NULL AS seen, paos.fetch('401:2') IS NOT NULL AS unseen,
       '401:2'::paos.ref OPERATOR(paos.->>) 'called' AS name_unseen;
RESET ROLE;
-- a policy that reads through the same plan
CREATE POLICY deep ON people AS RESTRICTIVE USING (coalesce(loves OPERATOR(paos.->>) 'called', '') <> 'Sue');
SET ROLE paos_object_user;
SELECT '401:3'::paos.ref OPERATOR(paos.->>) 'called';
RESET ROLE;

-- bulk rows
SELECT * FROM paos.rows('\x00000002000000040000000500000003414243ffffffff00000000') AS v(a int, b text);
SELECT * FROM paos.rows('\x000000010000000801910000000000010000001900000001000000000000001900000001000000010000000141')
    AS v(r paos.ref, t text[]);
SELECT count(*) FROM paos.rows('\x00000000') AS v(a int);
EXPLAIN SELECT * FROM paos.rows('\x000003e8') AS v(a int);
SELECT * FROM paos.rows('\x') AS v(a int);
SELECT * FROM paos.rows('\x00000001') AS v(a int);
SELECT * FROM paos.rows('\xffffffff') AS v(a int);
SELECT * FROM paos.rows('\x0000000100000004000000') AS v(a int);
SELECT * FROM paos.rows('\x00000001fffffffe00000000') AS v(a int);
SELECT * FROM paos.rows('\x00000001000000050000000000') AS v(a int);
SELECT * FROM paos.rows('\x000000010000000400000000ff') AS v(a int);
SELECT * FROM paos.rows('\x000000010000000200ff') AS v(a text);
SELECT * FROM paos.rows('\x0000000100000001ff') AS v(a text);
SELECT * FROM paos.rows('\x00000000');

-- rows as one value: what pack writes, rows reads, but for the shape
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE packed (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, t text, v varchar(5), c char(3),
    y bytea, d date, ts timestamp, tz timestamptz, u uuid, n numeric, j jsonb, e mood, r paos.ref, a int[], x xid);
INSERT INTO packed VALUES (1, -2, 3, 1.5, -2.5, true, 'Zoë', 'v', 'c', '\x00ff', '2000-01-02', '1999-01-01', '2001-01-01 00:00+00',
    '00000000-0000-0000-0000-00000000002a', 1.25, '{"k": [1]}', 'happy', '12:42', '{1,NULL}', '7');
INSERT INTO packed DEFAULT VALUES;
SELECT w.* FROM packed p, paos.rows('\x00000001'::bytea || substr(paos.pack('packed', p.i2, p.i4, p.i8, p.f4, p.f8,
        p.b, p.t, p.v, p.c, p.y, p.d, p.ts, p.tz, p.u, p.n, p.j, p.e, p.r, p.a, p.x), 5))
    AS w(i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, t text, v varchar(5), c char(3), y bytea, d date,
        ts timestamp, tz timestamptz, u uuid, n numeric, j jsonb, e mood, r paos.ref, a int[], x xid)
    WHERE w::text = p::text;
SELECT count(*) FROM packed p, paos.rows('\x00000001'::bytea || substr(paos.pack('packed', p.i2, p.t, p.n), 5))
    AS v(i2 int2, t text, n numeric);
SELECT paos.pack('packed', true) = int4send(paos.shape('packed')) || '\x0000000101' AS shape_first;
SELECT paos.shape('packed') AS shape \gset
ALTER TABLE packed ALTER v TYPE text;
SELECT paos.shape('packed') <> :shape AS changed;
ALTER TABLE packed ALTER v TYPE varchar(5);
SELECT paos.shape('packed') = :shape AS changed_back;
ALTER TABLE packed RENAME i2 TO i2a;
SELECT paos.shape('packed') <> :shape AS changed;
SELECT paos.pack(NULL, 1);
SELECT paos.pack('packed', VARIADIC ARRAY[1, 2]);
SET client_encoding = latin1;
SELECT paos.pack('packed', chr(246)) = int4send(paos.shape('packed')) || '\x00000001f6' AS converted;
RESET client_encoding;

-- COPY out of a parameter
CREATE TABLE copied (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text DEFAULT 'none', CHECK (id < 100));
CREATE FUNCTION copy_data(body bytea) RETURNS bytea LANGUAGE sql AS
    $$ SELECT '\x5047434f50590aff0d0a000000000000000000'::bytea || body || '\xffff' $$;
SELECT paos.copy('copied', '{id,name}', copy_data('\x0002000000040000000500000003414243000200000004000000060000000144'));
SELECT paos.copy('copied', '{id}', copy_data('\x00010000000400000007'));
SELECT paos.copy('copied', '{id}', copy_data('\x'));
SELECT * FROM copied;
SELECT paos.copy('copied', '{id}', copy_data('\x00010000000400000007'));
SELECT paos.copy('copied', '{id}', copy_data('\x000100000004000000ff'));
SELECT paos.copy('copied', '{id}', copy_data('\x0001000000040000'));
SELECT paos.copy('copied', '{id}', '\x');
SELECT paos.copy('copied', '{id}', copy_data('\x0002000000040000000800000000'));
SELECT paos.copy('copied', '{nosuch}', copy_data('\x'));
SELECT paos.copy('copied', '{id,NULL}', copy_data('\x'));
SELECT paos.copy('pg_stat_activity', '{pid}', copy_data('\x'));
BEGIN READ ONLY;
SELECT paos.copy('copied', '{id}', copy_data('\x'));
ROLLBACK;
-- a trigger that copies in turn
CREATE TABLE copied_too (id int, name text);
CREATE FUNCTION copy_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM paos.copy('copied_too', '{id}', copy_data('\x000100000004' || int4send(NEW.id)));
    RETURN NEW;
END $$;
CREATE TRIGGER copy_on BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION copy_on();
SELECT paos.copy('copied', '{id}', copy_data('\x0001000000040000000800010000000400000009'));
SELECT * FROM copied_too;
SET ROLE paos_object_user;
SELECT paos.copy('copied', '{id}', copy_data('\x'));
SELECT paos.copy('people', '{id}', copy_data('\x'));
RESET ROLE;
GRANT INSERT (id) ON copied TO paos_object_user;
GRANT INSERT ON people TO paos_object_user;
SET ROLE paos_object_user;
SELECT paos.copy('copied', '{id}', copy_data('\x'));
SELECT paos.copy('copied', '{id,name}', copy_data('\x'));
SELECT paos.copy('people', '{id}', copy_data('\x'));
RESET ROLE;

SET client_min_messages = warning;
DROP OWNED BY paos_object_user;
DROP SCHEMA object_test CASCADE;
DROP ROLE paos_object_user;
