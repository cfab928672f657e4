-- paos.ref: text and binary form, order, casts, constructors, accessors
CREATE SCHEMA ref_test;
SET search_path = ref_test, public;
CREATE TABLE person (id int PRIMARY KEY, name text, loves paos.ref);
SELECT paos.register_class('person', number => 101);

-- text
SELECT '12:42'::paos.ref, ' 12:42 '::paos.ref;
SELECT '12:42'::paos.ref OPERATOR(paos.=) '12:42', 'person:42'::paos.ref, 'ref_test.person:42'::paos.ref;
SELECT '32767:281474976710655'::paos.ref, '1:1'::paos.ref;
CREATE TABLE "odd:Name" (id smallint PRIMARY KEY);
SELECT paos.register_class('"odd:Name"', number => 102);
SELECT '"odd:Name":7'::paos.ref;

-- every way it can be wrong
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
SELECT ''::paos.ref;
SELECT '12'::paos.ref;
SELECT '12:'::paos.ref;
SELECT ':42'::paos.ref;
SELECT '12:4x'::paos.ref;
SELECT '12:-1'::paos.ref;
SELECT '0:1'::paos.ref;
SELECT '12:0'::paos.ref;
SELECT '32768:1'::paos.ref;
SELECT '12:281474976710656'::paos.ref;
SELECT '99999999999999999999:1'::paos.ref;
SELECT '12:99999999999999999999'::paos.ref;
SELECT 'nosuch:1'::paos.ref;
SELECT 'pg_class:1'::paos.ref;
SELECT 'a.b.c.d:1'::paos.ref;
\set VERBOSITY default
SELECT '12 42'::paos.ref;
SELECT 'pg_class:1'::paos.ref;
SELECT '12:281474976710656'::paos.ref;
SELECT '40000:1'::paos.ref;

-- bigint
SELECT '12:42'::paos.ref::bigint, (12::bigint << 48 | 42)::paos.ref;
SELECT paos.ref(3377699720527914);
SELECT 0::bigint::paos.ref;
SELECT (-1)::bigint::paos.ref;
SELECT 42::bigint::paos.ref;

-- binary
SELECT paos.ref_send('12:42');
CREATE TEMP TABLE refs (r paos.ref);
INSERT INTO refs VALUES ('12:42'), ('2:7'), (NULL), ('12:41'), ('32767:281474976710655'), ('2:7');

-- order and hash by the operator classes
SELECT r FROM refs ORDER BY r;
SELECT r, count(*) FROM refs GROUP BY r ORDER BY r DESC;
SELECT DISTINCT r FROM refs ORDER BY 1;
CREATE UNIQUE INDEX ON refs (r) WHERE r OPERATOR(paos.>) '2:7';
INSERT INTO refs VALUES ('12:42');
SET enable_seqscan = off;
CREATE INDEX refs_hash ON refs USING hash (r);
EXPLAIN (COSTS OFF) SELECT * FROM refs WHERE r OPERATOR(paos.=) '12:41';
SELECT * FROM refs WHERE r OPERATOR(paos.=) '12:41';
RESET enable_seqscan;
SELECT a.r FROM refs a JOIN refs b ON a.r OPERATOR(paos.=) b.r WHERE a.r OPERATOR(paos.<>) '2:7' ORDER BY a.r;
SELECT '2:7'::paos.ref OPERATOR(paos.<) '12:1', '2:7'::paos.ref OPERATOR(paos.<=) '2:7',
       '2:7'::paos.ref OPERATOR(paos.>=) '2:8', '3:1'::paos.ref OPERATOR(paos.>) '2:9';

-- constructors and accessors
INSERT INTO person VALUES (1, 'Sue', 'person:2'), (2, 'Bill', '101:1');
SELECT paos.ref(p), p.* FROM person p ORDER BY id;
SELECT paos.ref('person', 42), paos.ref('ref_test.person'::regclass, 42);
SELECT paos.ref('person', 0);
SELECT paos.ref('person', 281474976710656);
SELECT paos.ref('pg_class', 1);
SELECT paos.ref(c) FROM pg_class c LIMIT 1;
SELECT paos.ref(ROW(1, 2));
SELECT paos.ref(NULL::person);
SELECT paos.class('101:42'), paos.class_number('101:42'), paos.key('101:42');
SELECT paos.class('32767:1') IS NULL AS no_such_class;
-- rows that are no longer a table's when the function sees them
SELECT paos.ref(p) FROM (SELECT p FROM person p OFFSET 0) s(p) ORDER BY 1;
SELECT (SELECT paos.ref(p)) FROM person p ORDER BY 1;
SELECT paos.ref(q) FROM person p LEFT JOIN person q ON q.id = p.id + 1 ORDER BY 1;

DROP SCHEMA ref_test CASCADE;
