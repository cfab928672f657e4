-- What paos.health says when all is well, and when it is not.
CREATE SCHEMA health_test;
SET search_path = health_test, public;
CREATE TABLE person (id int PRIMARY KEY, name text);
CREATE TABLE student (school text) INHERITS (person);
CREATE TABLE town (id int PRIMARY KEY, name text);
SELECT count(paos.register_class(c)) FROM unnest('{person,town}'::regclass[]) c;
CREATE FUNCTION problems() RETURNS TABLE ("check" text, status text, detail text, hint text) LANGUAGE sql AS
    'SELECT * FROM paos.health() h WHERE h.status <> ''ok'' ORDER BY 1, 3';
SELECT "check", status, hint FROM paos.health() WHERE "check" <> 'preloaded';
SELECT detail FROM paos.health() WHERE "check" IN ('classes', 'durable requests');
SELECT count(*) FROM problems();

-- triggers
SET client_min_messages = error;
ALTER TABLE person DISABLE TRIGGER paos_row;
DROP TRIGGER paos_truncate ON student;
SELECT * FROM problems();
ALTER TABLE person ENABLE ALWAYS TRIGGER paos_row;
SELECT paos.register_class('person') > 0 AS repaired;
SELECT * FROM problems();
-- a class without a key; an event trigger
ALTER TABLE town DROP CONSTRAINT town_pkey;
ALTER EVENT TRIGGER paos_table_altered DISABLE;
SELECT * FROM problems();
ALTER EVENT TRIGGER paos_table_altered ENABLE ALWAYS;
ALTER TABLE town ADD PRIMARY KEY (id);
SELECT * FROM problems();

-- durable requests: nobody reads, too much is pending, the role is gone
CREATE ROLE paos_health_user;
GRANT USAGE ON SCHEMA health_test TO paos_health_user;
GRANT SELECT ON person TO paos_health_user;
SET ROLE paos_health_user;
SELECT paos.subscribe('person', '', durable => 'reader') > 0 AS begun, paos.leave('reader');
SELECT detail FROM paos.health() WHERE "check" = 'durable requests';
RESET ROLE;
INSERT INTO person VALUES (1, 'Sue');
UPDATE paos.event SET at = '2001-01-01 00:00:00+00';
SET timezone = 'UTC';
SELECT * FROM problems();
SET ROLE paos_health_user;
-- when that is known the event is dropped, and another one says so
SELECT resync FROM paos.pending('reader');
SELECT resync FROM paos.pending('reader');
SELECT detail LIKE '1, 1 events are pending%' AS one FROM paos.health() WHERE "check" = 'durable requests';
RESET ROLE;
SET paos.durable_max_events = 1;
SELECT status, regexp_replace(detail, 'of .*:', 'of …:') AS detail FROM problems();
RESET paos.durable_max_events;
DROP OWNED BY paos_health_user;
DROP ROLE paos_health_user;
SELECT status, regexp_replace(detail, 'role \d+', 'role N') AS detail, hint FROM problems();
SELECT paos.forget('reader');

-- as many requests as a role may have, nearly; a ring that is too small is in test/random
SELECT paos.subscribe('person', '') AS live \gset
SET paos.max_requests = 1;
SELECT "check", status, detail FROM problems();
RESET paos.max_requests;
SELECT paos.unsubscribe(:live);

-- another library
SELECT extversion AS version FROM pg_extension WHERE extname = 'paos' \gset
SELECT version = :'version' AS same FROM paos.library();
SELECT count(*) FROM paos.mailboxes() WHERE backend = pg_backend_pid();
BEGIN;
UPDATE pg_extension SET extversion = '0.0' WHERE extname = 'paos';
SELECT "check", status, replace(detail, :'version', 'X') AS detail, hint FROM paos.health() WHERE "check" <> 'preloaded';
ROLLBACK;

DROP SCHEMA health_test CASCADE;
