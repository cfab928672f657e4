-- the operator @@ on rows at hand, where the planner could not replace it
CREATE SCHEMA query_match_test;
SET search_path = query_match_test;
CREATE TABLE person (id int PRIMARY KEY, name text, age int, tags text[]);
INSERT INTO person VALUES (1, 'John', 30, '{a,b}'), (2, 'Sue', 25, '{b}'), (3, 'Bill', NULL, NULL);
CREATE VIEW adult AS SELECT name, age FROM person WHERE age >= 18;
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN good_pair AS pair CHECK ((VALUE).x > 0);

CREATE FUNCTION matches(q paos.query) RETURNS SETOF text STABLE LANGUAGE plpgsql AS $$
DECLARE
    p person;
BEGIN
    FOR p IN SELECT * FROM person ORDER BY id LOOP
        RETURN NEXT p.name || ': ' || coalesce((p OPERATOR(paos.@@) q)::text, 'null');
    END LOOP;
END $$;
SELECT matches('age > 26');
SELECT matches('name like "%l%" or tags contains "a"');
SELECT matches('');
SELECT matches('age in (1, 2, 3, 4, 5, 6, 7, 8, 9, 25)');
SELECT matches(NULL);
-- many queries in one plan, and each row against each
SELECT q, string_agg(p.name, ' ' ORDER BY p.id) FROM person p,
    unnest(ARRAY['age = 25', 'age is null', 'not age = 25', 'true']::paos.query[]) q
WHERE p OPERATOR(paos.@@) q GROUP BY q ORDER BY q;
-- other rows than a table's
SELECT v.name FROM adult v, unnest('{"age < 30"}'::paos.query[]) q WHERE v OPERATOR(paos.@@) q;
SELECT ROW(1, 'x')::pair OPERATOR(paos.@@) 'x = 1 and y = "x"' AS composite,
       ROW(1, 'x')::good_pair OPERATOR(paos.@@) 'x = 2' AS domain,
       NULL::pair OPERATOR(paos.@@) 'x is null' AS null_row,
       NULL::pair OPERATOR(paos.@@) 'x = 1' AS null_value,
       ROW(NULL, NULL)::pair OPERATOR(paos.@@) 'x is null and y is null' AS row_of_nulls;
-- both forms agree about the empty side of an outer join
SELECT p.id, q, o.id IS NULL AS no_row, o OPERATOR(paos.@@) q AS evaluated,
       CASE q::text WHEN 'age is null' THEN o OPERATOR(paos.@@) 'age is null'
                    ELSE o OPERATOR(paos.@@) 'age > 20' END AS planned
FROM person p LEFT JOIN person o ON o.id = p.id + 1,
     unnest(ARRAY['age is null', 'age > 20']::paos.query[]) q ORDER BY p.id, q;
-- rows of no type
SELECT ROW(1, 'x') OPERATOR(paos.@@) 'f1 = 1';
SELECT count(*) FROM (SELECT id, name FROM person OFFSET 0) s WHERE s OPERATOR(paos.@@) 'id = 1';
SELECT NULL::record OPERATOR(paos.@@) 'f1 = 1';
-- complaints are the same as when planned
SELECT matches('agee = 5');
SELECT matches('age = "x"');
SELECT matches('age = $1');
SELECT matches('age');

-- a bound query is bound again when its row type changes
CREATE FUNCTION changes() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    p pair := ROW(1, 'x');
    q paos.query := 'x = 1';
    before bool;
BEGIN
    FOR i IN 1..3 LOOP
        before := p OPERATOR(paos.@@) q;
        IF i = 2 THEN
            ALTER TYPE pair DROP ATTRIBUTE x;
            ALTER TYPE pair ADD ATTRIBUTE x text;
        END IF;
    END LOOP;
    RETURN before;
EXCEPTION WHEN undefined_function THEN
    RETURN 'refused';
END $$;
DROP DOMAIN good_pair;
SELECT changes();
-- rows written before a column was added have its default
ALTER TABLE person ADD city text DEFAULT 'Rome';
SELECT matches('city = "Rome"');
ALTER TABLE person DROP COLUMN age CASCADE;
SELECT matches('city = "Rome" and id > 1');
-- large values
UPDATE person SET name = repeat('x', 1000000) WHERE id = 1;
SELECT id FROM person p, unnest(ARRAY[paos.bind('name = $1', repeat('x', 1000000))]) q
WHERE p OPERATOR(paos.@@) q;

SET client_min_messages = warning;
DROP SCHEMA query_match_test CASCADE;
