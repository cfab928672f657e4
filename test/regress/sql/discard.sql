-- DISCARD ALL, as a pool says it: the next client of the session finds nothing of the one before
CREATE SCHEMA discard_test;
CREATE TABLE discard_test.person (id int PRIMARY KEY, name text);
SELECT paos.register_class('discard_test.person', number => 631);
INSERT INTO discard_test.person VALUES (1, 'Sue');
SELECT paos.introduce('desk', 771, 1000, 'editor');
SELECT paos.lock('631:1');
SELECT paos.subscribe('discard_test.person', '') > 0 AS asked;
SELECT paos.subscribe('discard_test.person', 'id > 5', durable => 'discard') > 0 AS asked;
-- in a transaction, and of less than all, nothing
BEGIN;
DISCARD ALL;
ROLLBACK;
DISCARD PLANS;
SELECT query, durable, backend = pg_backend_pid() AS own FROM paos.requests;
SELECT object FROM paos.rights;
SELECT paos.author();
DISCARD ALL;
SELECT query, durable, backend FROM paos.requests;
SELECT object FROM paos.rights;
SELECT (paos.author() ->> 'pid')::int = pg_backend_pid() AS made_up, paos.author() -> 'uid' AS uid;
-- and it can begin anew
SELECT paos.subscribe('discard_test.person', 'id > 6') > 0 AS asked;
SELECT paos.attend('discard', '0');
\o /dev/null
INSERT INTO discard_test.person VALUES (7, 'Ann');
\o
SELECT query, events FROM paos.requests;
SELECT enter FROM paos.pending('discard');
SELECT paos.forget('discard');
DISCARD ALL;
DISCARD ALL;
SELECT count(*) AS none FROM paos.requests;
-- in a session that may not write, the name stays
SELECT paos.introduce('desk', 772, 1000, 'reader');
SET default_transaction_read_only = on;
DISCARD ALL;
SELECT paos.author() -> 'app' AS app;
SET client_min_messages = warning;
DROP SCHEMA discard_test CASCADE;
