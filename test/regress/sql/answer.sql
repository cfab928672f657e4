-- What a query finds, and what that leads to, in one statement.
CREATE TABLE tree (id int PRIMARY KEY, name text, up int REFERENCES tree, size int);
CREATE TABLE bird (id bigint PRIMARY KEY, tree int REFERENCES tree, place point);
SELECT paos.register_class('tree', number => 311);
SELECT paos.register_class('bird', number => 312);
INSERT INTO tree SELECT i, 'tree ' || i, nullif(i - 1, 0), i % 10 FROM generate_series(1, 3000) i;
INSERT INTO bird SELECT i, i, point(i, i) FROM generate_series(1, 9) i;

-- What a part says of itself: class, steps from the answer, objects, and how many do not exist.
CREATE FUNCTION number_at(data bytea, place int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || encode(substr(data, place, 4), 'hex'))::bit(32)::int
$$;
CREATE FUNCTION parts(class regclass, query paos.query, follow text[] DEFAULT '{}', depth int DEFAULT 0, most int DEFAULT 50000,
                      known bytea DEFAULT NULL)
    RETURNS TABLE (class int, level int, objects bigint, missing bigint)
LANGUAGE sql AS $$
    SELECT number_at(r, 1), number_at(r, 9), sum(number_at(r, 13)), sum(number_at(r, 17))
    FROM paos.answer($1, $2, $3, $4, $5, $6) r GROUP BY 1, 2 ORDER BY 2, 1
$$;
SELECT * FROM parts('tree', NULL);
SELECT * FROM parts('tree', '');
SELECT * FROM parts('tree', 'id < 3 and size > 0');
SELECT * FROM parts('tree', 'id < 0');
SELECT * FROM parts('bird', paos.bind('tree.name == $1', 'tree 4'));

-- An object of the answer is not sent again where the answer leads to it, in whichever order they come.
SELECT * FROM parts('tree', 'id in (5, 6, 7)', '{up}', 1);
SELECT * FROM parts('tree', 'id in (5, 6, 7)', '{up}', 3);
SELECT * FROM parts('tree', 'id in (5, 6, 7)', '{up}', 3, 1);
SELECT * FROM parts('bird', 'id < 4', NULL, NULL);
UPDATE tree SET up = 2 WHERE id = 1;
SELECT * FROM parts('tree', 'id in (1, 2)', NULL, NULL);
SELECT * FROM parts('tree', 'id == 6', '{up}', 2, 50000, int8send((311::bigint << 48) >> 6) || int8send(1 << 4));

-- The bytes are those of paos.reach; there are several parts, none of them much longer than 32 kB.
SELECT string_agg(substr(r, 21), '') = (SELECT string_agg(substr(a, 21), '')
                                        FROM paos.reach(ARRAY(SELECT paos.ref('tree', i) FROM generate_series(10, 90) i), '{}') a)
FROM paos.answer('tree', 'id >= 10 and id <= 90') r;
SELECT count(*) > 3 AS many, max(length(r)) < 33000 AS short, sum(number_at(r, 13)) FROM paos.answer('tree', NULL) r;

-- Who asked may have enough before the end.
SELECT number_at(paos.answer('tree', NULL), 1) LIMIT 2;
BEGIN;
DECLARE few CURSOR FOR SELECT number_at(paos.answer('tree', 'id > 0', '{up}', 1), 9) AS level;
FETCH 2 FROM few;
CLOSE few;
COMMIT;
SELECT count(*), sum((SELECT count(*) FROM (SELECT paos.answer('tree', paos.bind('id > $1', i)) LIMIT 1) a)) FROM generate_series(1, 3) i;

-- A plan with workers gives the same.
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT * FROM parts('tree', 'size == 3', '{up}', 2);
SELECT count(*) > 2 AS many, max(length(r)) < 33000 AS short, sum(number_at(r, 13)) FROM paos.answer('tree', 'size > 0') r;
SELECT number_at(paos.answer('tree', 'size > 0'), 1) LIMIT 1;
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;

-- Subclasses.
CREATE TABLE oak (acorns int, PRIMARY KEY (id)) INHERITS (tree);
SELECT paos.register_class('oak', number => 313);
INSERT INTO oak VALUES (4000, 'oak', 1, 77, 8);
SELECT * FROM parts('tree', 'size == 77', '{up}', 1);
SELECT * FROM parts('oak', NULL, '{up}', 1);

-- Privileges, and row-level security, as for a SELECT.
CREATE ROLE regress_answer;
SET ROLE regress_answer;
\set VERBOSITY terse
SELECT * FROM parts('tree', NULL);
\set VERBOSITY default
RESET ROLE;
GRANT SELECT ON tree TO regress_answer;
ALTER TABLE tree ENABLE ROW LEVEL SECURITY;
CREATE POLICY answer ON tree TO regress_answer USING (size > 5);
SET ROLE regress_answer;
SELECT * FROM parts('tree', 'id <= 10', '{up}', 1);
RESET ROLE;
SELECT * FROM parts('tree', 'id <= 10', '{up}', 1);

-- All is as the statement's snapshot has it; changed tables are noticed.
CREATE FUNCTION change() RETURNS paos.query LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE tree SET size = 99 WHERE id = 3;
    RETURN 'size == 99';
END;
$$;
SELECT count(*) FROM paos.answer('tree', change()) r;
SELECT * FROM parts('tree', 'size == 99');
ALTER TABLE tree RENAME size TO height;
ALTER TABLE tree ADD note text DEFAULT 'note';
SELECT * FROM parts('tree', 'height == 99 and note == "note"');
SELECT number_at(r, 5) = paos.shape('tree') FROM paos.answer('tree', 'height == 99') r;

-- Not so while an answer is under way.
CREATE FUNCTION alter_tree() RETURNS void LANGUAGE sql VOLATILE AS 'ALTER TABLE tree DROP note';
SELECT alter_tree() FROM (SELECT paos.answer('tree', NULL) OFFSET 0) a;

-- An error in the middle.
CREATE FUNCTION fails(int) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    RETURN $1 / ($1 - 2500) IS NOT NULL;
END;
$$;
DROP POLICY answer ON tree;
CREATE POLICY answer ON tree TO regress_answer USING (fails(id));
SET ROLE regress_answer;
\set VERBOSITY terse
SELECT sum(length(r)) FROM paos.answer('tree', NULL) r;
\set VERBOSITY default
RESET ROLE;

SELECT paos.answer('tree', 'nothing == 1');
SELECT paos.answer('tree', 'name ==');
SELECT paos.answer('pg_class', NULL);
SELECT paos.answer(NULL, NULL);
SELECT paos.answer('tree', NULL, '{up}', -1);

SET client_min_messages = warning;
DROP TABLE tree, bird, oak CASCADE;
DROP FUNCTION parts, number_at, change, alter_tree, fails;
DROP ROLE regress_answer;
