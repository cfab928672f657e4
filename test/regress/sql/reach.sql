-- Objects and what they lead to, in one statement.
CREATE TABLE node (id int PRIMARY KEY, name text, next int REFERENCES node, other paos.ref, many paos.ref[]);
CREATE TABLE leaf (id bigint PRIMARY KEY, node int REFERENCES node, small smallint, place point);
CREATE TABLE plain (id smallint PRIMARY KEY, name text);
SELECT paos.register_class('node', number => 301);
SELECT paos.register_class('leaf', number => 302);
SELECT paos.register_class('plain', number => 303);

-- What a batch says of itself: class, steps from the start, objects, and how many do not exist.
CREATE FUNCTION number_at(data bytea, place int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || encode(substr(data, place, 4), 'hex'))::bit(32)::int
$$;
CREATE FUNCTION walk(start paos.ref[], follow text[] DEFAULT NULL, depth int DEFAULT NULL, most int DEFAULT 50000,
                     known bytea DEFAULT NULL)
    RETURNS TABLE (class int, level int, objects int, missing int, named boolean)
LANGUAGE sql AS $$
    SELECT number_at(r, 1), number_at(r, 9), number_at(r, 13), number_at(r, 17), position('secret'::bytea IN r) > 0
    FROM paos.reach($1, $2, $3, $4, $5) r
$$;

-- A chain, a cycle, a node that refers to itself, nulls, what does not exist.
INSERT INTO node SELECT i, 'node ' || i, nullif(i - 1, 0) FROM generate_series(1, 9) i;
INSERT INTO leaf SELECT i, i, i, point(i, i) FROM generate_series(1, 9) i;
INSERT INTO plain VALUES (1, 'one'), (2, 'two');
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{next}');
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{next}', 2);
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{next}', 0);
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{}');
UPDATE node SET next = 9 WHERE id = 7;
SELECT * FROM walk(ARRAY[paos.ref('node', 9)]);
UPDATE node SET next = 9 WHERE id = 9;
SELECT * FROM walk(ARRAY[paos.ref('node', 9)]);
UPDATE node SET other = paos.ref('leaf', 5), many = ARRAY[paos.ref('leaf', 5), NULL, paos.ref('leaf', 6), paos.ref('leaf', 77),
                                                         paos.ref('node', 9), paos.ref('plain', 1)] WHERE id = 9;
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{other,many}');
-- An attribute of one class alone; of none.
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{many,302:node}', 2);
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{many,301:node}', 2);
SELECT * FROM walk(ARRAY[paos.ref('node', 9)], '{many,999:node,99999:node}', 2);

-- What was asked for is sent once, whatever is known; other objects only when they are not.
SELECT * FROM walk(ARRAY[paos.ref('node', 9), paos.ref('node', 9), NULL, paos.ref('node', 1)], '{}');
SELECT * FROM walk(ARRAY[paos.ref('node', 6)], '{next}', 3, 50000,
                   int8send((301::bigint << 48) >> 6) || int8send((1 << 6) | (1 << 5)));
SELECT * FROM walk(ARRAY[paos.ref('node', 6)], '{next}', NULL, 2);
SELECT * FROM walk('{}');
SELECT * FROM walk(NULL);

-- Classes that there are not, keys that their tables cannot have.
SELECT * FROM walk(ARRAY['999:1', '303:70000', '301:3000000000', '303:2']::paos.ref[]);

-- A statement of others; values that are not read as they are stored.
SELECT encode(substr(r, 21), 'hex') LIKE '%00000005' || encode('(3,3)', 'hex') FROM paos.reach(ARRAY[paos.ref('leaf', 3)], '{}') r;

-- A table that is scanned, since enough of it is asked for, gives the same as one that is looked up in.
INSERT INTO node SELECT i, 'node ' || i, i - 1 FROM generate_series(10, 3000) i;
UPDATE node SET many = ARRAY[paos.ref('node', id % 1000 + 1), paos.ref('node', id + 4000)] WHERE id >= 10;
CREATE TEMP TABLE looked_up AS
    SELECT string_agg(r, '') AS bytes FROM paos.reach(ARRAY(SELECT paos.ref('node', i) FROM generate_series(10, 1000) i), '{next,many}', 3) r;
ANALYZE node;
SELECT string_agg(r, '') = (SELECT bytes FROM looked_up)
FROM paos.reach(ARRAY(SELECT paos.ref('node', i) FROM generate_series(10, 1000) i), '{next,many}', 3) r;
SELECT sum(objects), sum(missing) FROM walk(ARRAY(SELECT paos.ref('node', i) FROM generate_series(10, 3000) i), '{many}', NULL);
DROP TABLE looked_up;

-- Subclasses: an object is met once, by whichever name, and read as the class that the name says.
CREATE TABLE twig (colour text, PRIMARY KEY (id)) INHERITS (leaf);
SELECT paos.register_class('twig', number => 304);
INSERT INTO twig VALUES (50, 1, 1, NULL, 'green');
UPDATE node SET many = ARRAY[paos.ref('leaf', 50), paos.ref('twig', 50)] WHERE id = 1;
SELECT * FROM walk(ARRAY[paos.ref('node', 1)], '{many}');
SELECT * FROM walk(ARRAY[paos.ref('twig', 50)], '{302:node}');
-- A foreign key of the parent is one of the child.
SELECT * FROM walk(ARRAY[paos.ref('twig', 50)], '{304:node}', 1);

-- Privileges, and row-level security, as for a SELECT.
CREATE ROLE regress_reach;
GRANT SELECT ON node TO regress_reach;
UPDATE node SET many = ARRAY[paos.ref('plain', 1)], name = 'secret' WHERE id = 2;
SET ROLE regress_reach;
SELECT * FROM walk(ARRAY[paos.ref('node', 2)], '{next}');
SELECT * FROM walk(ARRAY[paos.ref('node', 2)]);
\set VERBOSITY terse
SELECT * FROM walk(ARRAY[paos.ref('leaf', 1)]);
\set VERBOSITY default
RESET ROLE;
ALTER TABLE node ENABLE ROW LEVEL SECURITY;
CREATE POLICY reach ON node TO regress_reach USING (name <> 'secret');
SET ROLE regress_reach;
SELECT * FROM walk(ARRAY[paos.ref('node', 3)], '{next}');
RESET ROLE;
SELECT * FROM walk(ARRAY[paos.ref('node', 3)], '{next}');

-- All is as the statement's snapshot has it.
CREATE FUNCTION change() RETURNS paos.ref[] LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE node SET next = NULL WHERE id = 3;
    RETURN ARRAY[paos.ref('node', 3)];
END;
$$;
SELECT number_at(r, 1), number_at(r, 9) FROM paos.reach(change(), '{next}', 1) r;
SELECT * FROM walk(ARRAY[paos.ref('node', 3)], '{next}', 1);

-- Changed tables are noticed.
ALTER TABLE plain RENAME id TO key;
ALTER TABLE plain ADD note text DEFAULT 'secret';
ALTER TABLE plain DROP name;
SELECT * FROM walk(ARRAY[paos.ref('plain', 1)]);
SELECT r = (SELECT int4send(303) || int4send(paos.shape('plain')) || int4send(0) || int4send(1) || int4send(0)
                   || substr(paos.pack('plain', p.tableoid, p.xmin, p.key, p.note), 5) FROM plain p WHERE key = 1)
FROM paos.reach(ARRAY[paos.ref('plain', 1)]) r;

-- So are those that are changed between two answers, of which there are many when there are many bytes.
CREATE TABLE long (id int PRIMARY KEY, small smallint, name text);
SELECT paos.register_class('long', number => 305);
INSERT INTO long SELECT i, i, repeat('long', 10) FROM generate_series(1, 3000) i;
CREATE FUNCTION alter_long() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SET LOCAL client_min_messages = warning;
    ALTER TABLE long DROP IF EXISTS small, ADD IF NOT EXISTS note text DEFAULT 'note', ADD IF NOT EXISTS more text;
END;
$$;
SELECT count(DISTINCT shape) AS shapes, count(*) > 3 AS many, sum(objects) AS objects
FROM (SELECT number_at(r, 5) AS shape, number_at(r, 13) AS objects, alter_long()
      FROM (SELECT paos.reach(ARRAY(SELECT paos.ref('long', i) FROM generate_series(1, 3000) i)) OFFSET 0) a (r)) a;

SELECT paos.reach(ARRAY[paos.ref('node', 1)], ARRAY[NULL::text]);
SELECT paos.reach(ARRAY[paos.ref('node', 1)], depth => -1);
SELECT paos.reach(ARRAY[paos.ref('node', 1)], most => -1);
SELECT paos.reach(ARRAY[paos.ref('node', 1)], known => '\x00');

DROP TABLE node, leaf, plain, twig, long CASCADE;
DROP FUNCTION walk, number_at, change, alter_long;
DROP ROLE regress_reach;
