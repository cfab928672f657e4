-- a constant query is plain conditions to the planner
CREATE SCHEMA plan_test;
SET search_path = plan_test;
CREATE TABLE person (id int PRIMARY KEY, name text, age int, tags text[], n numeric, f float8);
INSERT INTO person SELECT i, 'name ' || i, i % 100, ARRAY['t' || i % 10], i, i FROM generate_series(1, 1000) i;
CREATE INDEX ON person (name);
CREATE INDEX ON person (f);
CREATE INDEX ON person USING gin (tags);
CREATE INDEX ON person (age) WHERE age > 90;
ANALYZE person;
SET enable_seqscan = off;
SET enable_mergejoin = off;
SET enable_hashjoin = off;
SET enable_indexonlyscan = off;

EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'name == "name 5"';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'name in ("name 5", "name 6") and age < 50';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'tags contains "t3"';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'f = 0.1';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'age > 95';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'id = 5 or id = 7';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE NOT p OPERATOR(paos.@@) 'id > 5';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) NULL;
SELECT count(*) FROM person p WHERE p OPERATOR(paos.@@) '';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'id = 5 and false';
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) paos.bind('id = $1', 5);
EXPLAIN (COSTS OFF) UPDATE person p SET age = 1 WHERE p OPERATOR(paos.@@) 'id = 5';
EXPLAIN (COSTS OFF) DELETE FROM person p WHERE p OPERATOR(paos.@@) 'id = 5';
EXPLAIN (COSTS OFF) SELECT FROM person p JOIN person q ON q.id = p.age AND q OPERATOR(paos.@@) 'age > 95'
WHERE p OPERATOR(paos.@@) 'id = 5';
EXPLAIN (COSTS OFF) SELECT FROM person p LEFT JOIN person q ON q.id = p.age
WHERE p OPERATOR(paos.@@) 'id = 5' AND q OPERATOR(paos.@@) 'name is null';
-- in a subquery, about a row of the query outside
EXPLAIN (COSTS OFF) SELECT (SELECT count(*) FROM person q WHERE q.id = p.id AND p OPERATOR(paos.@@) 'age > 5')
FROM person p WHERE p.id = 5;
SELECT (SELECT count(*) FROM person q WHERE q.id <= p.id AND p OPERATOR(paos.@@) 'age > 5' OFFSET 0)
FROM person p WHERE p.id IN (5, 6) ORDER BY p.id;
-- views: the row is an expression
CREATE VIEW shown AS SELECT id AS number, upper(name) AS name, age + 1 AS next_age FROM person;
EXPLAIN (COSTS OFF) SELECT FROM shown v WHERE v OPERATOR(paos.@@) 'number = 5 and next_age < 10';
SELECT * FROM shown v WHERE v OPERATOR(paos.@@) 'number = 5 and name like "NAME%"';
EXPLAIN (COSTS OFF) SELECT FROM person p LEFT JOIN shown v ON v.number = p.age
WHERE p.id = 5 AND v OPERATOR(paos.@@) 'name is null';
SELECT count(*) FROM person p LEFT JOIN shown v ON v.number = p.id + 990
WHERE v OPERATOR(paos.@@) 'name is null';
-- not where a volatile column would be evaluated at other times
CREATE TYPE pair AS (x int, y text);
EXPLAIN (COSTS OFF, VERBOSE) SELECT ROW(floor(random()), 'a')::pair OPERATOR(paos.@@) 'x > 5 and x < 7',
    ROW(floor(random()), 'a')::pair OPERATOR(paos.@@) 'y = "a"', ROW(8, 'a')::pair OPERATOR(paos.@@) 'x > 5';
-- a view that is not pulled up
CREATE VIEW grouped AS SELECT age, count(*) AS n FROM person GROUP BY age;
EXPLAIN (COSTS OFF) SELECT FROM grouped v WHERE v OPERATOR(paos.@@) 'age = 5 and n > 3';
SELECT * FROM grouped v WHERE v OPERATOR(paos.@@) 'age = 5 and n > 3';
-- a function's rows
CREATE FUNCTION persons() RETURNS SETOF person STABLE LANGUAGE sql AS 'SELECT * FROM person';
EXPLAIN (COSTS OFF) SELECT FROM persons() p WHERE p OPERATOR(paos.@@) 'id = 5';

-- prepared: custom plans know the query, generic ones evaluate it
PREPARE find(paos.query) AS SELECT id FROM person p WHERE p OPERATOR(paos.@@) $1;
EXPLAIN (COSTS OFF) EXECUTE find('id = 5');
DO $$
BEGIN
    FOR i IN 1..10 LOOP
        EXECUTE 'EXECUTE find(''id = 5'')';
    END LOOP;
END $$;
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'find';
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE find('id = 5');
EXECUTE find('id = 5');
RESET plan_cache_mode;
PREPARE find_bound(int) AS SELECT id FROM person p WHERE p OPERATOR(paos.@@) paos.bind('id = $1', $1);
EXPLAIN (COSTS OFF) EXECUTE find_bound(5);
-- a plan is made anew when the table changes
SELECT id, name FROM person p WHERE p OPERATOR(paos.@@) 'id = 5';
PREPARE again AS SELECT count(*) FROM person p WHERE p OPERATOR(paos.@@) 'name = "name 5"';
EXECUTE again;
ALTER TABLE person RENAME name TO called;
EXECUTE again;
ALTER TABLE person RENAME called TO name;
EXECUTE again;

-- partitions are pruned, children are found
CREATE TABLE event (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE event_2019 PARTITION OF event FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
CREATE TABLE event_2020 (at date, id int);
ALTER TABLE event ATTACH PARTITION event_2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
INSERT INTO event VALUES (1, '2019-05-05'), (2, '2020-05-05');
EXPLAIN (COSTS OFF) SELECT FROM event e WHERE e OPERATOR(paos.@@) 'at >= "2020-01-01"';
SELECT * FROM event e WHERE e OPERATOR(paos.@@) 'at >= "2020-01-01"';
CREATE TABLE singer (voice text) INHERITS (person);
INSERT INTO singer (id, name, voice) VALUES (5001, 'Maria', 'soprano');
CREATE INDEX ON singer (name);
EXPLAIN (COSTS OFF) SELECT FROM person p WHERE p OPERATOR(paos.@@) 'name = "Maria"';
SELECT id, tableoid::regclass FROM person p WHERE p OPERATOR(paos.@@) 'name = "Maria"';
SELECT id FROM person p, unnest('{"name = ''Maria''"}'::paos.query[]) q WHERE p OPERATOR(paos.@@) q;

-- elsewhere than in a query: constraints, index predicates, policies, triggers
CREATE TABLE checked (a int, b int, CONSTRAINT sane CHECK (checked OPERATOR(paos.@@) 'a < b'));
INSERT INTO checked VALUES (1, 2);
INSERT INTO checked VALUES (2, 1);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'written: %', NEW;
    RETURN NEW;
END $$;
CREATE TRIGGER noted AFTER INSERT ON checked FOR EACH ROW
    WHEN (NEW OPERATOR(paos.@@) 'a > 5') EXECUTE FUNCTION note();
INSERT INTO checked VALUES (5, 6), (6, 7) RETURNING checked OPERATOR(paos.@@) 'b = 7' AS seven;
INSERT INTO checked VALUES (6, 7) ON CONFLICT DO NOTHING;

-- selectivity is that of the conditions
CREATE FUNCTION rows_expected(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT rows_expected('SELECT FROM ONLY person p WHERE p OPERATOR(paos.@@) ''age < 50''')
     = rows_expected('SELECT FROM ONLY person p WHERE age < 50') AS same_estimate;

SET client_min_messages = warning;
DROP SCHEMA plan_test CASCADE;
