-- What a request's query is kept as: cut into constants and what is around them, and put
-- together again.  Compared with the canonical text itself.
SET client_min_messages = warning;
CREATE TABLE odd (id int PRIMARY KEY, a1 int, "1" int, "it's" text, "`" text, "Ä 2" int, b float8,
    t text, s text[], d date, r paos.ref);
DO $$ BEGIN EXECUTE format('ALTER TABLE odd ADD %I int', 'x' || chr(1) || '7'); END $$;
SELECT paos.register_class('odd', 31) > 0 AS registered;

CREATE TEMP TABLE texts AS
SELECT * FROM unnest(ARRAY[
    '', 'a1 == 1', 'a1 == -1', '1 == a1', '`1` == 1', '`1` in (1, 23, 456) and a1 > 7',
    '`it''s` == ''it''''s''', '`it''s` == '''' or t == ''''''''', '```` == ''`''', '`Ä 2` != 2',
    'b > 1.5e10', 'b < 1e-5', 'b >= .5', 't like ''1%''', 't == ''a1 == 1''', 's contains ''x''',
    'd > ''2020-01-01''', 'r == 31:17', 'a1 is null', 'a1 in (1)', 'not (a1 == 1 or b == 2)',
    't == ''Ä 2''', 'r.id == 12', 'a1 == 12345678901234567890',
    '`x' || chr(1) || '7` == 7', 't == ''x' || chr(1) || '7'' and a1 == 1'
]) WITH ORDINALITY q(query, n);

CREATE TEMP TABLE made AS
SELECT n, query::paos.query AS query, paos.subscribe('odd', query::paos.query) AS request FROM texts;
-- Twice, so that all but the constants is there already.
INSERT INTO made SELECT n, query, paos.subscribe('odd', query) FROM made;
SELECT count(*) AS requests, count(*) FILTER (WHERE r.query::text = m.query::text) AS same
FROM made m JOIN paos.requests r USING (request);

-- What one ends is still there for another.
SELECT count(paos.unsubscribe(min)) AS ended FROM (SELECT min(request) FROM made GROUP BY n) s;
SELECT count(*) AS requests, count(*) FILTER (WHERE r.query::text = m.query::text) AS same
FROM made m JOIN paos.requests r USING (request);
SELECT count(paos.unsubscribe(request)) AS ended FROM paos.requests;
SELECT count(*) AS requests FROM paos.requests;
SELECT paos.unregister_class('odd');
DROP TABLE odd;

-- What a client keeps of a query, so that it can say the same by other names.
CREATE TABLE renamed (id int PRIMARY KEY, a int, b int, c int, r paos.ref);
SELECT paos.register_class('renamed', 31) > 0 AS registered;
CREATE TEMP TABLE kept AS SELECT query, paos.query_bound('renamed', query) AS bound
FROM unnest('{"", "a == 1 and b == 2 and not a in (3)", "b == c", "r.a == 1 or a == 2", "none == 1"}'::paos.query[]) query;
PREPARE present AS SELECT paos.query_present('renamed', query, bound) AS present FROM kept;
EXECUTE present;
ALTER TABLE renamed RENAME a TO x;
ALTER TABLE renamed RENAME b TO a;
ALTER TABLE renamed RENAME x TO "b c";
ALTER TABLE renamed DROP c;
EXECUTE present;
-- What is bound to no table, or to another one, stays as it is.
CREATE TABLE other (LIKE renamed);
SELECT paos.query_present('renamed', 'a == 1', bound) FROM unnest(ARRAY['{}', '{1}', '{{1,2},{3,4}}', '{1,2,3,4}',
    '{NULL,NULL,NULL,2}', paos.query_bound('other', 'a == 1')::text]) bound_text, CAST(bound_text AS bigint[]) bound;
SELECT paos.query_present('renamed', 'a == 1', paos.query_bound('renamed', '') || n) AS query
FROM unnest('{0,-1,6,7,70000,9223372036854775807}'::bigint[]) n;
SELECT paos.query_present(0, 'a == 1', paos.query_bound(0, 'a == 1'));
SELECT paos.unregister_class('renamed');
DROP TABLE renamed, other;
