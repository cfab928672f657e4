-- registering tables as classes, and unregistering them
CREATE SCHEMA class_test;
SET search_path = class_test, public;
\set SHOW_CONTEXT never

-- a table with no primary key gets one
CREATE TABLE person (name text, loves paos.ref);
INSERT INTO person VALUES ('Sue'), ('Bill');
SELECT paos.register_class('person', number => 201);
SELECT paos.register_class('person'), paos.register_class('person', number => 201);
\d person
SELECT * FROM person ORDER BY id;

-- an old table is adopted without touching a row
CREATE TABLE city (code int PRIMARY KEY, name text NOT NULL, mayor bigint REFERENCES person, friends paos.ref[]);
INSERT INTO city VALUES (10, 'Paris'), (20, 'Rome');
CREATE TEMP TABLE city_before AS SELECT ctid AS place, xmin AS version, * FROM city;
SELECT pg_relation_filenode('city') AS filenode \gset
SELECT paos.register_class('city', number => 202);
SELECT pg_relation_filenode('city') = :filenode AS not_rewritten;
SELECT count(*) AS untouched FROM city c JOIN city_before b ON c.ctid = b.place AND c.xmin = b.version;
-- its keys so far are not given out again
SELECT * FROM paos.register_objects('city', 3);
SELECT * FROM paos.classes WHERE number BETWEEN 201 AND 299;
SELECT * FROM paos.attributes WHERE class BETWEEN 201 AND 299;

-- a serial and an identity keep their sequences; one that lags behind is advanced
CREATE TABLE old (id serial PRIMARY KEY);
INSERT INTO old VALUES (7);
CREATE TABLE newer (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE SEQUENCE shared_keys;
CREATE TABLE shared (id bigint PRIMARY KEY DEFAULT nextval('shared_keys'));
SELECT paos.register_class('old', number => 203), paos.register_class('newer', number => 204),
       paos.register_class('shared', number => 205);
SELECT number, name, key, sequence FROM paos.classes WHERE number BETWEEN 203 AND 205;
SELECT paos.register_objects('old', 2);
SELECT paos.register_objects('newer', 1), paos.register_objects('shared', 1);

-- partitions are of the class of the partitioned table
CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part_low (v text, dropped int, id int NOT NULL);
ALTER TABLE part_low DROP COLUMN dropped;
ALTER TABLE part ATTACH PARTITION part_low FOR VALUES FROM (1) TO (100);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (100) TO (200);
SELECT paos.register_class('part', number => 206);
INSERT INTO part VALUES (1, 'a'), (100, 'b');
SELECT paos.ref(p), v FROM part p ORDER BY 1;
SELECT paos.ref(p), v FROM part_low p;
SELECT paos.fetch('part:100'), paos.fetch('part_low:1');
SELECT paos.register_class('part_low');

-- what cannot be a class
\set VERBOSITY default
CREATE TABLE two_columns (a int, b int, PRIMARY KEY (a, b));
SELECT paos.register_class('two_columns');
CREATE TABLE by_uuid (id uuid PRIMARY KEY);
SELECT paos.register_class('by_uuid');
CREATE TABLE id_in_the_way (id text);
SELECT paos.register_class('id_in_the_way');
CREATE VIEW a_view AS SELECT 1 AS id;
SELECT paos.register_class('a_view');
CREATE TEMP TABLE temporary (id int PRIMARY KEY);
SELECT paos.register_class('temporary');
SELECT paos.register_class('pg_catalog.pg_class');
SELECT paos.register_class('paos.class');
SELECT paos.register_class('nosuch');
SELECT paos.register_class(NULL);
SELECT paos.register_class(0);
CREATE TABLE third (id int PRIMARY KEY);
SELECT paos.register_class('third', number => 201);
SELECT paos.register_class('third', number => 0);
SELECT paos.register_class('third', number => 32768);
SELECT paos.register_class('person', number => 299);
SELECT paos.register_objects('third', 1);
SELECT paos.register_objects('person', -1);
SELECT count(*) AS none FROM paos.register_objects('person', 0);
SELECT count(*) AS none FROM paos.register_objects('person', NULL);

-- rolled back, the table is what it was, and so is what this session knows
BEGIN;
SELECT paos.register_class('third', number => 207);
SELECT paos.ref('third', 1);
ROLLBACK;
SELECT paos.ref('third', 1);
BEGIN;
SAVEPOINT s;
SELECT paos.unregister_class('city');
SELECT paos.ref('city', 1);
ROLLBACK TO s;
SELECT paos.ref('city', 1);
COMMIT;
\d third

-- a renamed or moved class stays one, and so does one whose key was renamed
ALTER TABLE city RENAME TO town;
ALTER TABLE town RENAME COLUMN code TO number;
CREATE SCHEMA class_test_other;
ALTER TABLE town SET SCHEMA class_test_other;
SELECT * FROM paos.classes WHERE number = 202;
SELECT paos.fetch('202:10');
-- a class that loses its primary key says so
ALTER TABLE class_test_other.town DROP CONSTRAINT city_pkey CASCADE;
SELECT paos.ref('class_test_other.town', 1);
UPDATE class_test_other.town SET name = 'Lutetia' WHERE number = 10;
ALTER TABLE class_test_other.town ADD PRIMARY KEY (number);
SELECT paos.ref('class_test_other.town', 1);

-- a dropped class is forgotten, also when dropped with its schema
SELECT paos.class('202:10') IS NULL AS forgotten;
DROP TABLE class_test_other.town;
SELECT paos.class('202:10') IS NULL AS forgotten, paos.fetch('202:10');
SELECT paos.register_class('third', number => 202);

-- its number is not given to another class by itself
CREATE TABLE one (id int PRIMARY KEY);
CREATE TABLE another (id int PRIMARY KEY);
SELECT paos.register_class('one') AS one \gset
SELECT paos.unregister_class('one');
SELECT paos.register_class('another') AS another \gset
SELECT :another > :one AS not_reused;

-- unregistering leaves the table as it was found, data kept
CREATE TABLE plain (name text);
CREATE TABLE explicit (id int PRIMARY KEY, name text);
INSERT INTO plain VALUES ('kept');
SELECT paos.register_class('plain', number => 208), paos.register_class('explicit', number => 209);
SELECT paos.unregister_class('plain'), paos.unregister_class('explicit');
\d plain
\d explicit
SELECT * FROM plain;
SELECT count(*) AS sequences FROM pg_class WHERE relkind = 'S' AND relname LIKE 'explicit%';
SELECT paos.unregister_class('plain');
SELECT paos.unregister_class(NULL) IS NULL AS nothing;

-- the added key is in use elsewhere
CREATE TABLE target (name text);
SELECT paos.register_class('target', number => 210);
CREATE TABLE pointer (id int PRIMARY KEY, t bigint REFERENCES target);
SELECT paos.unregister_class('target');

-- only the owner of a table may register it; anyone may look
CREATE ROLE paos_class_user;
GRANT USAGE ON SCHEMA class_test TO paos_class_user;
SET ROLE paos_class_user;
SELECT paos.register_class('explicit');
SELECT paos.unregister_class('person');
SELECT paos.register_objects('person', 1);
INSERT INTO paos.class VALUES (299, 'explicit', 'shared_keys', '{}');
SELECT count(*) FROM paos.classes WHERE number = 201;
RESET ROLE;
GRANT INSERT (name) ON person TO paos_class_user;
GRANT CREATE ON SCHEMA class_test TO paos_class_user;
SET ROLE paos_class_user;
SELECT count(*) FROM paos.register_objects('person', 1);
CREATE TABLE own (name text);
SELECT paos.register_class('own', number => 211);
SELECT paos.unregister_class('own');
RESET ROLE;

-- triggers may only be called as such
SELECT paos.forget_dropped();
SELECT paos.classes_changed();

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA class_test, class_test_other CASCADE;
DROP OWNED BY paos_class_user;
DROP ROLE paos_class_user;
SELECT count(*) AS left_over FROM paos.class WHERE number BETWEEN 201 AND 299;
