-- many rows out of one parameter: as INSERT would store them
CREATE SCHEMA batch_test;
SET search_path = batch_test, public;
SET client_min_messages = warning;
CREATE FUNCTION cell(value bytea) RETURNS bytea LANGUAGE sql AS
    $$ SELECT COALESCE(int4send(length(value)) || value, '\xffffffff') $$;
-- rows of an id and a text, both null for 0
CREATE FUNCTION data(first int, last int, name text DEFAULT 'name of ') RETURNS bytea LANGUAGE sql AS $$
    SELECT '\x5047434f50590aff0d0a000000000000000000'::bytea || string_agg('\x0002'
        || batch_test.cell(int4send(NULLIF(i, 0))) || batch_test.cell(textsend(name || NULLIF(i, 0))), '' ORDER BY i)
        || '\xffff' FROM generate_series(first, last) i $$;

-- defaults, a dropped column, an index on an expression and one on a part
CREATE SEQUENCE places;
CREATE TABLE plain (gone int NOT NULL, name text, id int PRIMARY KEY, place int DEFAULT nextval('batch_test.places'),
    kind text DEFAULT 'plain', empty float8);
ALTER TABLE plain DROP gone;
CREATE INDEX ON plain (lower(name));
CREATE INDEX ON plain (kind) WHERE id > 500;
SELECT paos.copy('plain', '{id,name}', data(1, 1000));
CREATE TABLE same (LIKE plain);
INSERT INTO same SELECT 'name of ' || i, i, i, 'plain', NULL FROM generate_series(1, 1000) i;
SELECT count(*) FROM (TABLE plain EXCEPT ALL TABLE same) t;
SELECT count(*) FROM (TABLE same EXCEPT ALL TABLE plain) t;
SET enable_seqscan = off;
SELECT id FROM plain WHERE lower(name) = 'name of 777';
SELECT count(*) FROM plain WHERE kind = 'plain' AND id > 500;
RESET enable_seqscan;
-- values of more than a batch
SELECT paos.copy('plain', '{id,name}', data(1001, 1003, repeat(md5('x'), 5000)));
SELECT id, length(name), md5(name) = md5(repeat(md5('x'), 5000) || id) AS same FROM plain WHERE id > 1000 ORDER BY id;

-- what is refused, and where
SELECT paos.copy('plain', '{id,name}', data(1500, 2500) || '\x00');
SELECT paos.copy('plain', '{id,name}', data(900, 2000));
CREATE DOMAIN sound AS text NOT NULL CHECK (VALUE <> 'name of 13');
CREATE TABLE strict (id int CHECK (id <> 700), name varchar(11) NOT NULL);
SELECT paos.copy('strict', '{id,name}', data(1, 1000));
SELECT paos.copy('strict', '{id,name}', data(0, 1));
SELECT paos.copy('strict', '{id,name}', data(999, 1000, 'longer: '));
SELECT paos.copy('strict', '{id,id}', data(1, 2));
ALTER TABLE strict ALTER name TYPE sound;
SELECT paos.copy('strict', '{id,name}', data(1, 20));
SELECT paos.copy('strict', '{id,name}', data(0, 0));
SELECT paos.copy('strict', '{name,id}', data(123456, 123457, ''));
SELECT count(*) FROM strict;
SELECT count(*) FROM plain;

-- constraints that look at the end of the statement or of the transaction
CREATE TABLE tree (id int PRIMARY KEY, name text UNIQUE DEFERRABLE INITIALLY DEFERRED,
    up int DEFAULT 1000 REFERENCES tree);
SELECT paos.copy('tree', '{id,name}', data(1, 999));
SELECT paos.copy('tree', '{id,name}', data(1, 1000));
BEGIN;
SELECT paos.copy('tree', '{id,name}', data(1001, 1001));
UPDATE tree SET id = 2000, name = 'name of 1001' WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;

-- triggers after it
CREATE TABLE log (kind text, n bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO batch_test.log SELECT TG_ARGV[0], count(*) FROM batch_test.tree; RETURN NULL; END $$;
CREATE TRIGGER a BEFORE INSERT ON tree EXECUTE FUNCTION note('before');
CREATE TRIGGER b AFTER INSERT ON tree EXECUTE FUNCTION note('after');
CREATE TRIGGER c AFTER INSERT ON tree FOR EACH ROW WHEN (NEW.id % 500 = 0) EXECUTE FUNCTION note('row');
SELECT paos.copy('tree', '{id,name}', data(1001, 2000));
TABLE log;
TRUNCATE log;
-- and those that want more
CREATE FUNCTION note_all() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO batch_test.log SELECT 'all', count(*) FROM fresh; RETURN NULL; END $$;
CREATE TRIGGER d AFTER INSERT ON tree REFERENCING NEW TABLE AS fresh EXECUTE FUNCTION note_all();
SELECT paos.copy('tree', '{id,name}', data(2001, 2003));
TABLE log;
CREATE FUNCTION alter_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'other ' || NEW.id; RETURN NEW; END $$;
CREATE TRIGGER e BEFORE INSERT ON tree FOR EACH ROW EXECUTE FUNCTION alter_row();
SELECT paos.copy('tree', '{id,name}', data(2004, 2005));
SELECT id, name FROM tree WHERE id > 2003 ORDER BY id;

-- tables that are not plain, and a default that looks at them
CREATE TABLE counted (id int, name text, place bigint);
CREATE FUNCTION place() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM batch_test.counted';
ALTER TABLE counted ALTER place SET DEFAULT place();
SELECT paos.copy('counted', '{id,name}', data(1, 3));
TABLE counted;
CREATE TABLE computed (id int, name text, double int GENERATED ALWAYS AS (id * 2) STORED);
SELECT paos.copy('computed', '{id,name}', data(1, 2));
SELECT paos.copy('computed', '{id,double}', data(1, 2));
TABLE computed;
CREATE TABLE parts (id int, name text) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF parts FOR VALUES FROM (1) TO (3);
CREATE TABLE part_high PARTITION OF parts FOR VALUES FROM (3) TO (10);
SELECT paos.copy('parts', '{id,name}', data(1, 4));
SELECT tableoid::regclass, * FROM parts ORDER BY id;
SELECT paos.copy('part_low', '{id,name}', data(2, 3));

DROP SCHEMA batch_test CASCADE;
