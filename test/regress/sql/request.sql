-- live requests: subscribing, events and their end; iso_request_* has several sessions
CREATE SCHEMA request_test;
SET search_path = request_test, public;
\set SHOW_CONTEXT never
CREATE TABLE person (id int PRIMARY KEY, name text, age int, loves paos.ref);
SELECT paos.register_class('person', number => 601);
INSERT INTO person VALUES (1, 'Sue', 27), (2, 'Bill', 33);


SELECT paos.subscribe('person', 'name == "Sue"') AS r1 \gset
SELECT paos.subscribe('person', 'age > 30 and age < 40') AS r2 \gset
SELECT paos.subscribe('person', 'name in ("Ann", "Bill") or age == 1') AS r3 \gset
SELECT paos.subscribe('person', '') AS r4 \gset
SELECT paos.ready(:r4), paos.ready(:r4, wait => '0');
SELECT request - :r1 AS nth, class, query, role = current_user::regrole AS own_role,
       backend = pg_backend_pid() AS own_session, events, last_event FROM paos.requests;

-- refused
SELECT paos.subscribe('person', 'nosuch == 1');
SELECT paos.subscribe('person', 'age == "x"');
SELECT paos.subscribe('person', 'age ==');
SELECT paos.subscribe('pg_class', '');
SELECT paos.subscribe('person', 'age == $1');
SELECT paos.subscribe(NULL, '');
SELECT paos.subscribe('person', NULL);
SELECT paos.unsubscribe(999999999999);
SELECT paos.unsubscribe(NULL) IS NULL AS nothing;
SELECT paos.ready(999999999999);
SELECT paos.ready(:r4, wait => '-1s');
SELECT count(*) AS still FROM paos.requests;

-- a transaction that aborts leaves no request, one that ends a request and aborts leaves it
BEGIN;
SELECT paos.subscribe('person', 'age == 5') > 0 AS subscribed;
SAVEPOINT s;
SELECT paos.subscribe('person', 'age == 6') > 0 AS subscribed;
ROLLBACK TO s;
SELECT count(*) FROM paos.requests;
ROLLBACK;
BEGIN;
SELECT paos.unsubscribe(:r3);
ROLLBACK;
SELECT count(*) FROM paos.requests;
SELECT paos.unsubscribe(:r3);
SELECT count(*) FROM paos.requests;
\set VERBOSITY sqlstate
SELECT paos.unsubscribe(:r3);
\set VERBOSITY default

-- privileges: SELECT on what is named; others' requests are nobody's business
CREATE ROLE paos_request_user;
GRANT USAGE ON SCHEMA request_test TO paos_request_user;
SET ROLE paos_request_user;
SELECT paos.subscribe('person', 'name == "Sue"');
SELECT paos.subscribe('person', '');
RESET ROLE;
GRANT SELECT (name) ON person TO paos_request_user;
SET ROLE paos_request_user;
SELECT paos.subscribe('person', 'name == "Sue"') AS r5 \gset
SELECT paos.subscribe('person', '') > 0 AS any_column_will_do;
SELECT paos.subscribe('person', 'name == "Sue" and age > 3');
SELECT count(*) AS own FROM paos.requests;
\set VERBOSITY sqlstate
SELECT paos.unsubscribe(:r1);
SELECT paos.ready(:r1);
\set VERBOSITY default
RESET ROLE;
SET paos.max_requests = 2;
SELECT paos.subscribe('person', 'age == 7') > 0 AS superusers_are_exempt;
SET ROLE paos_request_user;
SELECT paos.subscribe('person', 'name == "Ann"');
RESET ROLE;
RESET paos.max_requests;
SELECT paos.unsubscribe(:r5);

-- the end of the session is the end of its requests; its locks go last
SELECT pg_advisory_lock(28769) IS NULL AS locked;
\c -
SELECT pg_advisory_lock(28769) IS NULL AS locked;
SET search_path = request_test, public;
SELECT count(*) AS none FROM paos.requests;
-- rows are written as ever, and the triggers may only be called as such
INSERT INTO person VALUES (3, 'Ann', 30);
TRUNCATE person;
SELECT paos.row_written();
SELECT paos.table_truncated();
SELECT paos.unregister_class('person');

SET client_min_messages = warning;
DROP OWNED BY paos_request_user;
DROP SCHEMA request_test CASCADE;
DROP ROLE paos_request_user;
