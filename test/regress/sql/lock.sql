-- rights within one session; test/regress/specs/iso_right_* has two
CREATE SCHEMA lock_test;
SET search_path = lock_test, public;
\set SHOW_CONTEXT never
CREATE TABLE person (id int PRIMARY KEY, name text);
CREATE TABLE city (id int PRIMARY KEY, name text);
SELECT paos.register_class('person', number => 501), paos.register_class('city', number => 502);
INSERT INTO person SELECT g, 'p' || g FROM generate_series(1, 10) g;
INSERT INTO city VALUES (1, 'Rome');

SELECT paos.lock('person:1'), paos.lock('person:1', wait => '0'), paos.lock('person:2', wait => '1 day');
SELECT paos.lock_all(ARRAY['person:5', 'city:1', 'person:3', 'person:5']::paos.ref[], wait => '1s');
SELECT object, granted, backend = pg_backend_pid() AS own FROM paos.rights ORDER BY object;
SELECT locktype, mode, granted, objsubid FROM pg_locks WHERE locktype = 'advisory' ORDER BY classid, objid;
SELECT paos.lock_all('{}');
-- the holder may write
UPDATE person SET name = 'renamed' WHERE id = 1;
DELETE FROM person WHERE id = 2;
-- rights outlive the transaction they were taken in
BEGIN;
SELECT paos.lock('person:7');
ROLLBACK;
SELECT count(*) FROM paos.rights;
SELECT paos.release();
SELECT count(*) FROM paos.rights;
SELECT paos.release();
SELECT count(*) AS left_over FROM pg_locks WHERE locktype = 'advisory';

-- objects of partitioned tables
CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (1) TO (100);
SELECT paos.register_class('part', number => 503);
INSERT INTO part VALUES (1, 'a');
SELECT paos.lock('part:1');
UPDATE part SET v = 'b';
SELECT paos.release();

-- apart from PostgreSQL's own advisory locks
SELECT pg_advisory_lock(1), paos.lock('person:1');
SELECT paos.release();
SELECT count(*) AS kept FROM pg_locks WHERE locktype = 'advisory';
SELECT paos.lock('person:1');
SELECT pg_advisory_unlock_all();
SELECT count(*) AS none FROM paos.rights;
SELECT paos.release();
SELECT paos.lock('person:1');
SELECT count(*) AS one FROM paos.rights;
SELECT paos.release();

-- refused, and nothing is held afterwards
SELECT paos.lock('person:99');
SELECT paos.lock('32767:1');
SELECT paos.lock_all(ARRAY['person:1', 'person:99']::paos.ref[]);
SELECT paos.lock(NULL);
SELECT paos.lock_all(NULL);
SELECT paos.lock_all(ARRAY['person:1', NULL]::paos.ref[]);
SELECT paos.lock('person:1', wait => '-1s');
BEGIN READ ONLY;
SELECT paos.lock('person:1');
ROLLBACK;
CREATE ROLE paos_lock_user;
GRANT USAGE ON SCHEMA lock_test TO paos_lock_user;
GRANT SELECT ON person TO paos_lock_user;
SET ROLE paos_lock_user;
SELECT paos.lock('person:1');
RESET ROLE;
SELECT count(*) AS left_over FROM pg_locks WHERE locktype = 'advisory';
-- one who may not see an object may not lock it
GRANT UPDATE ON person TO paos_lock_user;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON person USING (id <> 1);
SET ROLE paos_lock_user;
SELECT paos.lock('person:1');
SELECT paos.lock('person:3'), paos.release();
RESET ROLE;

-- lock_timeout is the caller's again
SET lock_timeout = '7s';
SELECT paos.lock('person:1', wait => '3s');
SHOW lock_timeout;
RESET lock_timeout;
SELECT paos.release();

-- a bulk update leaves no locks behind, rights held in its class or not
INSERT INTO city SELECT g, 'c' || g FROM generate_series(2, 100000) g;
BEGIN;
UPDATE city SET name = name || '!';
SELECT count(*) < 10 AS few FROM pg_locks WHERE pid = pg_backend_pid();
COMMIT;
SELECT paos.lock('city:1');
BEGIN;
UPDATE city SET name = name || '!';
SELECT count(*) < 12 AS few FROM pg_locks WHERE pid = pg_backend_pid();
COMMIT;
SELECT paos.release();

SET client_min_messages = warning;
DROP OWNED BY paos_lock_user;
DROP SCHEMA lock_test CASCADE;
DROP ROLE paos_lock_user;
