-- paos.explain: how a request is filed, and why an object matches
CREATE SCHEMA explain_test;
SET search_path = explain_test, public;
\set SHOW_CONTEXT never
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN years AS int CHECK (VALUE < 200);
CREATE TABLE city (id int PRIMARY KEY, name text);
CREATE TABLE person (
    id int PRIMARY KEY, name text, nick varchar(20), age years, height float4, weight numeric,
    mood mood, member bool, born date, seen timestamptz, city int REFERENCES city,
    friend paos.ref, tags text[], span int4range, dropped int, small int2
);
ALTER TABLE person DROP COLUMN dropped;
SELECT paos.register_class('city', number => 601), paos.register_class('person', number => 602);
INSERT INTO city VALUES (1, 'Rome');
INSERT INTO person VALUES (1, 'Sue', 'su', 41, 1.7, 60, 'happy', true, '1980-02-29',
    '2020-01-01 00:00+00', 1, '602:1', '{a,b}', '[1,5)', 3);
INSERT INTO person VALUES (2, 'Bob');

-- by hash
SELECT paos.explain('person', 'name == "Sue"');
SELECT paos.explain('person', '"Sue" = name');
SELECT paos.explain('person', 'nick in ("a", "b''c", null)');
SELECT paos.explain('person', 'member');
SELECT paos.explain('person', 'not member');
SELECT paos.explain('person', 'member != true');
SELECT paos.explain('person', 'mood == "sad"');
SELECT paos.explain('person', 'friend == 602:1');
SELECT paos.explain('person', 'city == 601:1');
SELECT paos.explain('person', 'age == 30');
SELECT paos.explain('person', 'small == 5000000000');
SELECT paos.explain('person', 'id in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)');
-- by order
SELECT paos.explain('person', 'age > 30');
SELECT paos.explain('person', '30 >= age');
SELECT paos.explain('person', 'not age < 30');
SELECT paos.explain('person', 'age > 30 and age <= 40');
SELECT paos.explain('person', 'age > 30 and age >= 30 and age < 50 and age <= 50 and age >= 40');
SELECT paos.explain('person', 'age >= 30 and age <= 30');
SELECT paos.explain('person', 'born > "2000-01-01" and seen < "2020-01-01 00:00+00"');
SELECT paos.explain('person', 'height > 1.5');
SELECT paos.explain('person', 'weight <= 80.5');
-- by its most selective part
SELECT paos.explain('person', 'age > 30 and name == "Sue" and member');
SELECT paos.explain('person', 'member and age > 30 and age < 40');
SELECT paos.explain('person', 'name like "S%" and age > 30');
SELECT paos.explain('person', 'age > 30 and small > 3 and age < 40');
-- each branch
SELECT paos.explain('person', 'name == "Sue" or age > 30 and name like "B%" or city is null');
SELECT paos.explain('person', '(name == "Sue" and age > 30) or (name == "Sue" and member)');
SELECT paos.explain('person', 'name == "Sue" or name like "B%"');
-- what branches have in common, with what is left of them
SELECT paos.explain('person', '(age > 30 and small > 3 and small <= 3) or (age > 30 and age <= 50 and member)');
-- in a list
SELECT paos.explain('person', 'name is null');
SELECT paos.explain('person', 'name is not null');
SELECT paos.explain('person', '');
SELECT paos.explain('person', 'name != "Sue"');
SELECT paos.explain('person', 'tags contains "a"');
SELECT paos.explain('person', 'tags == "{a}"');
SELECT paos.explain('person', 'span == "[1,2)"');
SELECT paos.explain('person', 'mood > "sad"');
SELECT paos.explain('person', 'age == id');
SELECT paos.explain('person', 'small > 1.5');
-- nowhere
SELECT paos.explain('person', 'age > 30 and age < 30');
SELECT paos.explain('person', 'age >= 30 and age < 30');
SELECT paos.explain('person', 'name == null');
SELECT paos.explain('person', 'false');
SELECT paos.explain('person', 'name in (null, null)');
-- paths
SELECT paos.explain('person', 'age == 41 and friend.city.name == "Rome"');

-- others like it
SELECT paos.subscribe('person', 'name == "Ann"') > 0, paos.subscribe('person', 'name in ("B", "C")') > 0;
SELECT paos.explain('person', 'name == "Sue"');
SELECT paos.explain('person', 'nick == "Sue"');
SELECT count(*) FROM (SELECT paos.unsubscribe(request) FROM paos.requests WHERE class = 'person'::regclass) u;
SELECT paos.explain('person', 'name == "Sue"');

-- statistics choose between equalities
INSERT INTO person SELECT i, 'name ' || i, 'nick ' || i % 2 FROM generate_series(3, 100) i;
ANALYZE person;
SELECT paos.explain('person', 'nick == "nick 1" and name == "name 7"');
SELECT paos.explain('person', 'nick == "nick 1" and age > 30 and age < 40');

-- objects
SELECT paos.explain('person', 'name == "Sue" and not (age > 50 or member) and tags contains "b"', '602:1');
SELECT paos.explain('person', 'name == "Sue" and age > 50', 'person:2');
SELECT paos.explain('person', 'friend.city.name == "Rome"', '602:1');
SELECT paos.explain('person', 'age > 50', '602:999');
SELECT paos.explain('person', 'age > 50', '601:1');
SELECT paos.explain('person', '', '602:1');
CREATE TABLE employee () INHERITS (person);
SELECT paos.register_class('employee', number => 603);
INSERT INTO employee (id, name, age) VALUES (1000, 'Eve', 60);
SELECT paos.explain('person', 'age > 50', '603:1000');

-- as the caller may see it
CREATE ROLE explain_reader;
GRANT USAGE ON SCHEMA explain_test TO explain_reader;
SET ROLE explain_reader;
SELECT paos.explain('person', 'age > 50');
RESET ROLE;
GRANT SELECT ON person TO explain_reader;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
CREATE POLICY adult ON person USING (age >= 18);
SET ROLE explain_reader;
SELECT paos.explain('person', 'age > 40', '602:1');
SELECT paos.explain('person', 'age is null', '602:2');
RESET ROLE;

-- refused
SELECT paos.explain(NULL, 'true');
SELECT paos.explain('person', NULL);
SELECT paos.explain('person', 'nose == 1');
SELECT paos.explain('pg_class', 'true');

SELECT paos.unregister_class('employee'), paos.unregister_class('person'), paos.unregister_class('city');
SET client_min_messages = warning;
DROP SCHEMA explain_test CASCADE;
DROP ROLE explain_reader;
