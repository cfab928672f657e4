-- Durable requests: kept, read, acknowledged; every error once.
CREATE SCHEMA durable_test;
SET search_path = durable_test, public;
SET paos.durable_max_age = '1d';
CREATE TABLE person (id int PRIMARY KEY, name text, age int);
SELECT paos.register_class('person') AS class \gset
CREATE FUNCTION key(refs paos.ref[]) RETURNS bigint[] LANGUAGE sql AS
    'SELECT coalesce(array_agg(paos.key(r) ORDER BY n), ''{}'') FROM unnest(refs) WITH ORDINALITY u (r, n)';
-- What is pending, with numbers counted from 1.
CREATE FUNCTION read(name text, max int DEFAULT NULL)
    RETURNS TABLE (n bigint, enter bigint[], change bigint[], leave bigint[], resync bool)
    LANGUAGE sql AS
    'SELECT row_number() OVER (ORDER BY p.number), key(p.enter), key(p.change), key(p.leave), p.resync
     FROM paos.pending(name, max) p';

SELECT paos.subscribe('person', 'age > 30', durable => 'billing') AS billing \gset
-- so that this session is not told of what it reads anyway
SELECT paos.leave('billing');
SELECT :billing >= 1000000000001 AS no_live_one_has_it;
SELECT * FROM read('billing');
INSERT INTO person VALUES (1, 'Ann', 40), (2, 'Bob', 20);
UPDATE person SET age = age + 15;
UPDATE person SET name = 'Bobby' WHERE id = 2;
DELETE FROM person WHERE id = 1;
SELECT * FROM read('billing');
SELECT number, request = :billing AS mine, author = paos.author() AS by_me,
       xid IS NOT NULL AS xid, at BETWEEN now() - interval '1 hour' AND clock_timestamp() AS now
FROM paos.pending('billing') ORDER BY number LIMIT 1 \gset first_
SELECT :'first_mine' AS mine, :'first_by_me' AS by_me, :'first_xid' AS xid, :'first_now' AS now;
SELECT durable, pending, oldest <= clock_timestamp() AS oldest, backend IS NULL AS unheard, events
FROM paos.requests;
SELECT * FROM read('billing', 2);

-- what was read and no more
SELECT paos.acknowledge('billing', upto => 9223372036854775807);
SELECT * FROM read('billing');
SELECT paos.acknowledge('billing', upto => :first_number - 1);

-- an acknowledgement is of the transaction, as is what is done by one
BEGIN;
SELECT paos.acknowledge('billing', upto => number) FROM paos.pending('billing');
SELECT count(*) FROM paos.pending('billing');
SAVEPOINT s;
INSERT INTO person VALUES (4, 'Dan', 50);
ROLLBACK TO s;
INSERT INTO person VALUES (5, 'Eve', 50);
ROLLBACK;
SELECT * FROM read('billing');
-- nothing pending either of what comes to nothing
BEGIN;
INSERT INTO person VALUES (6, 'Fay', 60);
DELETE FROM person WHERE id = 6;
COMMIT;
SELECT count(*) FROM paos.pending('billing');
SELECT paos.acknowledge('billing', max(number)) FROM paos.pending('billing');
SELECT count(*) FROM paos.pending('billing');

-- a transaction that turns read-only after it wrote; lastval is the writer's own
CREATE SEQUENCE own;
SELECT nextval('own');
BEGIN;
INSERT INTO person VALUES (7, 'Gil', 70);
SET TRANSACTION READ ONLY;
COMMIT;
SELECT lastval();
SELECT * FROM read('billing');
BEGIN READ ONLY;
SELECT count(*) FROM paos.pending('billing');
SELECT paos.acknowledge('billing', 1);
ROLLBACK;
SELECT paos.acknowledge('billing', max(number)) FROM paos.pending('billing');

-- many requests and many objects
SELECT count(paos.subscribe('person', ('age == ' || i)::paos.query, durable => 'age ' || i)) FROM generate_series(71, 90) i;
SELECT count(paos.leave('age ' || i)) FROM generate_series(71, 90) i;
INSERT INTO person SELECT i, 'x', i FROM generate_series(71, 90) i;
SELECT cardinality(enter) FROM read('billing');
SELECT enter FROM read('age 80');
TRUNCATE person;
SELECT n, enter, resync FROM read('age 80');
SELECT count(paos.forget('age ' || i)) FROM generate_series(71, 90) i;
SELECT count(*) FROM paos.event WHERE request <> :billing;

-- the same name and query: taken up again; another query: another request, to look again
SELECT paos.subscribe('person', 'age  >  30', durable => 'billing') = :billing AS same;
SELECT backend = pg_backend_pid() AS attended_to FROM paos.requests WHERE durable = 'billing';
SELECT paos.leave('billing');
SELECT n, cardinality(enter), resync FROM read('billing');
SELECT paos.subscribe('person', 'age > 31', durable => 'billing') AS other \gset
SELECT paos.leave('billing');
SELECT :other <> :billing AS another;
SELECT * FROM read('billing');
SELECT count(*) FROM paos.event WHERE request = :billing;
BEGIN;
SELECT paos.subscribe('person', 'age > 32', durable => 'billing') NOT IN (:billing, :other) AS another;
ROLLBACK;
INSERT INTO person VALUES (8, 'Hal', 32);
SELECT * FROM read('billing');

-- never begun
BEGIN;
SELECT paos.subscribe('person', '', durable => 'never') > 0 AS begun;
ROLLBACK;
SELECT * FROM paos.pending('never');

-- how long to wait for another session, and giving up
SELECT paos.attend('billing', wait => '0');
SELECT paos.leave('billing');
SELECT backend IS NULL AS nobody FROM paos.requests WHERE durable = 'billing';
SELECT paos.leave('billing');
SELECT paos.acknowledge('billing', 1);
SELECT paos.attend('billing');
SELECT backend = pg_backend_pid() AS me FROM paos.requests WHERE durable = 'billing';
BEGIN;
SELECT paos.forget('billing');
ROLLBACK;
SELECT backend = pg_backend_pid() AS me FROM paos.requests WHERE durable = 'billing';
SELECT paos.leave('billing');
SELECT count(*) FROM read('billing');
DISCARD ALL;
SET search_path = durable_test, public;
SELECT count(*) > 0 AS taken_again FROM paos.pending('billing');

-- limits: the oldest go, and the request is told
SET paos.durable_max_events = 3;
SELECT paos.acknowledge('billing', max(number)) FROM paos.pending('billing');
INSERT INTO person VALUES (11, 'A', 41);
INSERT INTO person VALUES (12, 'B', 42);
INSERT INTO person VALUES (13, 'C', 43);
SELECT * FROM read('billing');
INSERT INTO person VALUES (14, 'D', 44);
SET client_min_messages = error;
SELECT bool_or(resync) AS resync, count(*) <= 3 AS few FROM read('billing');
RESET client_min_messages;
SELECT paos.acknowledge('billing', max(number)) > 0 AS some FROM paos.pending('billing');
RESET paos.durable_max_events;

-- what is wrong
SELECT paos.subscribe('person', '', durable => '');
SELECT paos.subscribe('person', '', durable => repeat('x', 201));
SELECT paos.subscribe('person', 'size > 1', durable => 'wrong');
SELECT * FROM paos.pending(NULL);
SELECT * FROM paos.pending('none');
SELECT * FROM paos.pending('billing', 0);
SELECT paos.acknowledge(NULL, 1);
SELECT paos.acknowledge('billing', NULL);
SELECT paos.acknowledge('none', 1);
SELECT paos.attend(NULL);
SELECT paos.attend('none');
SELECT paos.attend('billing', '-1s');
SELECT paos.forget('none');
SELECT paos.forget(NULL) IS NULL AS nothing;
SELECT paos.leave('none');
UPDATE paos.durable SET name = 'changed';
SELECT paos.durable_changed();
SELECT paos.events_restored();
INSERT INTO paos.event SELECT (SELECT max(last_value) + 5000 FROM paos.event_number), 1, NULL, NULL, NULL, NULL, '1', true, now()
    RETURNING number AS restored \gset
INSERT INTO person VALUES (15, 'E', 45);
SELECT max(number) > :restored AS above_what_was_restored FROM paos.pending('billing');

-- events that nobody will read any more go with the next request that begins
SELECT paos.subscribe('person', 'age == 1', durable => 'tidy') > 0 AS begun;
SELECT count(*) FROM paos.event WHERE request = 1;
SELECT paos.forget('tidy');

-- privileges: one's own or of a role that one is a member of
CREATE ROLE paos_durable_user;
CREATE ROLE paos_durable_member;
GRANT paos_durable_user TO paos_durable_member;
GRANT USAGE ON SCHEMA durable_test TO paos_durable_user, paos_durable_member;
GRANT SELECT, INSERT ON person TO paos_durable_user;
SET ROLE paos_durable_user;
SELECT paos.subscribe('person', 'age > 30', durable => 'billing');
SELECT * FROM paos.pending('billing');
SELECT paos.acknowledge('billing', 1);
SELECT paos.attend('billing');
SELECT paos.forget('billing');
\set VERBOSITY sqlstate
SELECT paos.unsubscribe(:other);
\set VERBOSITY default
TABLE paos.durable;
TABLE paos.event;
SELECT paos.subscribe('person', 'age > 30', durable => 'own') AS own \gset
SELECT paos.leave('own');
SELECT durable, role FROM paos.requests;
INSERT INTO person VALUES (16, 'F', 46);
SET ROLE paos_durable_member;
SELECT enter FROM read('own');
RESET ROLE;
REVOKE SELECT ON person FROM paos_durable_user;
SET ROLE paos_durable_member;
SELECT * FROM paos.pending('own');
RESET ROLE;
-- told once, not by each commit, and read by nobody before the role may look again
INSERT INTO person VALUES (18, 'F', 46);
UPDATE person SET age = 47 WHERE id = 18;
UPDATE person SET age = 48 WHERE id = 18;
GRANT SELECT (name) ON person TO paos_durable_user;
SET ROLE paos_durable_member;
SELECT * FROM paos.pending('own');
RESET ROLE;
GRANT SELECT ON person TO paos_durable_user;
SET ROLE paos_durable_member;
SELECT enter, resync FROM read('own');
SELECT paos.acknowledge('own', upto => 9223372036854775807);
RESET ROLE;
-- and so when it loses them again
UPDATE person SET age = 49 WHERE id = 18;
REVOKE SELECT ON person FROM paos_durable_user;
UPDATE person SET age = 50 WHERE id = 18;
UPDATE person SET age = 51 WHERE id = 18;
GRANT SELECT ON person TO paos_durable_user;
UPDATE person SET age = 52 WHERE id = 18;
SET ROLE paos_durable_member;
SELECT enter, change, resync FROM read('own');
-- who looks at an older state is to look once more
RESET ROLE;
REVOKE SELECT ON person FROM paos_durable_user;
UPDATE person SET age = 53 WHERE id = 18;
GRANT SELECT ON person TO paos_durable_user;
SET ROLE paos_durable_member;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT enter, change, resync FROM read('own');
SELECT paos.acknowledge('own', upto => 9223372036854775807);
COMMIT;
SELECT enter, change, resync FROM read('own');
RESET ROLE;
-- the role is gone: nothing is kept for it any more
DROP OWNED BY paos_durable_user;
DROP ROLE paos_durable_user;
INSERT INTO person VALUES (17, 'G', 47);
SELECT enter, resync FROM read('own');
SELECT paos.unsubscribe(:own);
SELECT paos.pending('own');

-- row-level security is the subscriber's, not the writer's
CREATE ROLE paos_durable_user;
GRANT USAGE ON SCHEMA durable_test TO paos_durable_user;
GRANT SELECT ON person TO paos_durable_user;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON person TO paos_durable_user USING (id % 2 = 0);
SET ROLE paos_durable_user;
SELECT paos.subscribe('person', 'age > 30', durable => 'even') > 0 AS begun;
SELECT paos.leave('even');
RESET ROLE;
INSERT INTO person VALUES (21, 'H', 48), (22, 'I', 49);
SET ROLE paos_durable_user;
SELECT enter FROM read('even');
RESET ROLE;

-- what makes no sense any more is told once, with the reason, until it makes sense again
CREATE TABLE thing (id int PRIMARY KEY, size int);
SELECT paos.register_class('thing', 77);
SELECT paos.subscribe('thing', 'size > 30', durable => 'big') > 0 AS begun;
SELECT paos.leave('big');
INSERT INTO thing VALUES (1, 40);
ALTER TABLE thing DROP COLUMN size;
INSERT INTO thing VALUES (2);
TRUNCATE thing;
SELECT * FROM read('big');
SELECT paos.acknowledge('big', upto => 9223372036854775807);
SELECT * FROM read('big');
SELECT durable, problem FROM paos.requests WHERE problem IS NOT NULL;
SELECT paos.request_problem(request) FROM paos.durable WHERE name = 'billing';
SELECT "check", status, detail FROM paos.health() WHERE detail ~ 'big';
ALTER TABLE thing ADD other int;
SELECT * FROM read('big');
ALTER TABLE thing ADD size int;
INSERT INTO thing VALUES (3, 40, 40);
SELECT * FROM read('big');
ALTER TABLE thing DROP CONSTRAINT thing_pkey;
SELECT paos.acknowledge('big', upto => 9223372036854775807);
SELECT * FROM read('big');
SELECT paos.acknowledge('big', upto => 9223372036854775807);
SELECT * FROM read('big');
ALTER TABLE thing ADD PRIMARY KEY (id);
INSERT INTO thing VALUES (4, 40, 40);
SELECT * FROM read('big');
SELECT paos.acknowledge('big', upto => 9223372036854775807);
-- or until it is another
ALTER TABLE thing DROP COLUMN size;
SELECT paos.subscribe('thing', 'size > 30', durable => 'big');
SELECT paos.subscribe('thing', 'other > 30', durable => 'big') > 0 AS begun;
SELECT paos.leave('big');
INSERT INTO thing VALUES (5, 40);
SELECT * FROM read('big');
-- a class that is none and then one again has the requests that it had
BEGIN;
SELECT paos.unregister_class('thing');
INSERT INTO thing VALUES (6, 40);
SELECT paos.register_class('thing', 77);
COMMIT;
INSERT INTO thing VALUES (7, 40);
SELECT * FROM read('big');
-- but not under another number
BEGIN;
SELECT paos.unregister_class('thing');
SELECT paos.register_class('thing', 78);
COMMIT;
SELECT * FROM read('big');
DROP TABLE thing;

-- dates are kept as every session reads them, so another time zone makes no other request
CREATE TABLE moment (id int PRIMARY KEY, at timestamptz, d date, length interval);
SELECT paos.register_class('moment', 79);
SET timezone = 'Asia/Tokyo';
SET datestyle = 'SQL, DMY';
SELECT paos.subscribe('moment', 'at >= "02/01/2020" and d != "03/02/2020" and length in ("1 day", "-1 2:00") and at < "tomorrow"',
    durable => 'moments') AS first \gset
SELECT query FROM paos.durable WHERE name = 'moments';
RESET timezone;
RESET datestyle;
SELECT paos.subscribe('moment', 'at >= "2020-01-01 15:00+00" and d != "2020-02-03" and length in ("1 day", "P-1DT2H") and at < "tomorrow"',
    durable => 'moments') = :first AS same;
DROP TABLE moment;

-- a class that is none any more takes its durable requests along
SELECT paos.unregister_class('person');
SELECT count(*) FROM paos.durable;
SELECT count(*) FROM paos.event;
SELECT count(*) FROM paos.requests;
SELECT * FROM paos.pending('billing');

SET client_min_messages = error;
DROP OWNED BY paos_durable_user;
DROP SCHEMA durable_test CASCADE;
DROP ROLE paos_durable_user, paos_durable_member;
