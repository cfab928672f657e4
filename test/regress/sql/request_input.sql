-- what requests are asked with that makes no sense, or means harm
CREATE SCHEMA request_input;
SET search_path = request_input, public;
\set SHOW_CONTEXT never
CREATE TABLE person (id int PRIMARY KEY, name text, age int, loves paos.ref, tags int[]);
SELECT paos.register_class('person', number => 611);

-- NULL everywhere; what writes is rolled back, so that nothing is notified
SELECT paos.subscribe(NULL, NULL);
SELECT paos.subscribe(NULL, NULL, NULL);
SELECT paos.ready(NULL), paos.ready(NULL, NULL);
SELECT paos.unsubscribe(NULL);
SELECT paos.explain(NULL, NULL);
SELECT paos.explain(NULL, NULL, NULL);

-- what is no class, no id, no interval
SELECT paos.subscribe('nosuch', '');
SELECT paos.subscribe(0, '');
SELECT paos.subscribe(4294967295, '');
SELECT paos.subscribe('paos.class', '');
SELECT paos.subscribe('person_pkey', '');
SELECT paos.unsubscribe(0);
SELECT paos.unsubscribe(-9223372036854775808);
SELECT paos.ready(0);
SELECT paos.ready(9223372036854775807, wait => '-1s');
SELECT paos.explain('person', '', '611:281474976710656');

-- class names are names, not SQL
CREATE TABLE "a""; DROP TABLE person; --" (id int PRIMARY KEY, "x'; DROP TABLE person; --" text, "and" int);
SELECT paos.register_class('"a""; DROP TABLE person; --"', number => 612);
SELECT paos.explain('"a""; DROP TABLE person; --"', '`x''; DROP TABLE person; --` == "''; DROP TABLE person; --"', '612:1');
SELECT paos.explain('"a""; DROP TABLE person; --"', '`and` > 1');
SELECT paos.subscribe('"a""; DROP TABLE person; --"', '`x''; DROP TABLE person; --` == "''; DROP TABLE person; --"') > 0 AS subscribed;
BEGIN;
INSERT INTO "a""; DROP TABLE person; --" VALUES (1, '''; DROP TABLE person; --');
ROLLBACK;
SELECT query FROM paos.requests;

-- queries are no SQL either
SELECT paos.subscribe('person', '1 == 1; DROP TABLE person');
SELECT paos.subscribe('person', 'name == ''x'' or 1=1 --''');
SELECT paos.subscribe('person', 'pg_sleep(1)');
SELECT paos.subscribe('person', 'name == (select name from person)');
SELECT paos.subscribe('person', 'name == "x');
SELECT paos.subscribe('person', E'name == "\x01"') > 0 AS subscribed;
SELECT paos.subscribe('person', E'name == "\xff"');
SELECT paos.subscribe('person', 'xmin == 1');
SELECT paos.subscribe('person', 'person.name == "x"');
SELECT paos.subscribe('person', 'age == 99999999999999999999') > 0 AS subscribed;
SELECT paos.subscribe('person', 'tags contains "x"');
SELECT paos.subscribe('person', 'loves == 999999:1');
SELECT paos.subscribe('person', 'loves.nosuch == 1');
SELECT paos.subscribe('person', 'name.first == "x"');

-- long and deep
SELECT paos.subscribe('person', ('name == "' || repeat('x', 1000000) || '"')::paos.query) > 0 AS subscribed;
SELECT paos.subscribe('person', (repeat('name == "x" or ', 20000) || 'age == 1')::paos.query) > 0 AS subscribed;
SELECT paos.subscribe('person', ('age in (' || repeat('1, ', 20000) || '1)')::paos.query) > 0 AS subscribed;
BEGIN;
INSERT INTO person VALUES (1, 'x', 1);
ROLLBACK;
\set VERBOSITY sqlstate
SELECT paos.subscribe('person', (repeat('(', 100000) || 'age == 1' || repeat(')', 100000))::paos.query);
SELECT paos.subscribe('person', (repeat('not ', 100000) || 'age == 1')::paos.query);
SELECT paos.subscribe('person', (repeat('loves.', 100000) || 'age == 1')::paos.query);
SELECT paos.subscribe('person', (repeat('loves.', 101) || 'age == 1')::paos.query);
SELECT paos.subscribe('person', (repeat('loves.', 100) || 'age == 1')::paos.query) > 0 AS subscribed;
\set VERBOSITY default
BEGIN;
INSERT INTO person VALUES (2, 'x', 1, '611:1');
ROLLBACK;

-- roles: what another has asked is neither seen nor ended, unless one is a member
CREATE ROLE paos_input_one;
CREATE ROLE paos_input_two;
CREATE ROLE paos_input_member IN ROLE paos_input_one;
GRANT USAGE ON SCHEMA request_input TO paos_input_one, paos_input_two, paos_input_member;
GRANT SELECT ON person TO paos_input_one;
GRANT SELECT (id, name) ON person TO paos_input_two;
SET ROLE paos_input_one;
SELECT paos.subscribe('person', 'age == 5') AS one \gset
SET ROLE paos_input_two;
SELECT count(*) AS seen FROM paos.requests;
\set VERBOSITY sqlstate
SELECT paos.unsubscribe(:one);
SELECT paos.ready(:one);
SELECT paos.explain('person', 'age == 5');
SELECT paos.explain('person', 'name == "x"', '611:1');
SELECT paos.subscribe('person', 'age == 5');
SELECT paos.subscribe('person', 'loves.age == 5');
SELECT * FROM paos.shared;
SELECT * FROM paos.prepared;
\set VERBOSITY default
SELECT paos.subscribe('person', 'name == "x" or name is null') > 0 AS subscribed;
SET ROLE paos_input_member;
SELECT count(*) AS seen FROM paos.requests;
SELECT paos.ready(:one);
SELECT paos.unsubscribe(:one);
SELECT count(*) AS seen FROM paos.requests;
RESET ROLE;

-- in a function of another role it is that role who asks
CREATE FUNCTION ask() RETURNS bool LANGUAGE sql SECURITY DEFINER SET search_path = request_input, pg_temp
    AS $$ SELECT paos.subscribe('request_input.person', 'age == 6') > 0 $$;
ALTER FUNCTION ask() OWNER TO paos_input_one;
SET ROLE paos_input_two;
SELECT ask();
RESET ROLE;
SELECT role FROM paos.requests WHERE query::text = 'age == 6';

DROP OWNED BY paos_input_one, paos_input_two, paos_input_member;
DROP ROLE paos_input_one, paos_input_two, paos_input_member;
\c -
SET client_min_messages = warning;
DROP SCHEMA request_input CASCADE;
