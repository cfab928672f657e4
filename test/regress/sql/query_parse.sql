-- the query language: what is parsed, and its canonical text
SELECT q AS written, q::paos.query AS canonical
FROM unnest(ARRAY[
    '', E' \n\t ',
    'a', 'A', 'aB_1$', '`aB`', '`in`', '`a``b`', '`a b`', 'Ärger', '`order`.x', 'in_',
    'true', 'FALSE', 'null', '$1', '''s''', '5', '12:42',
    'a=1', 'a==1', 'a!=1', 'a<>1', 'a<1', 'a<=1', 'a>1', 'a>=1', '1<a', 'a=b',
    'a > -5', 'a>-5', 'a > +5', 'a = 007', 'a = .5', 'a = 5.', 'a = 1.5e-10', 'a = 1E5',
    'a = 1:1', 'a = 32767:281474976710655', 'a = 0012:0042',
    'a = ''it''''s''', 'a = "it''s"', 'a = "say ""hi"""', 'a = ''say "hi"''', 'a = ""',
    E'a = ''two\nlines \\ backslash''', 'a = "日本"',
    'a in (1)', 'a in (1,2 , $3)', 'a not in (''x'', null)', 'a IN (b, c.d)',
    'a like ''x%''', 'a not like $2', 'a is null', 'a is not null', 'a Is Not Null',
    'a contains 1', 'a contains (1)', 'a contains (''x'', "y")',
    'a.b.c = 1', 'a . b is null', '`A`.`b c`.d',
    'a and b and c', 'a and (b and c)', '(a or b) or (c or d)', 'a or b and c', '(a or b) and c',
    'not a', 'not not a', 'not (a and b)', 'not (not a or b)', 'not a = 1 and b', '((a))',
    'not (a = 1)', 'not a is null', '(a and b) or not (c or d) and e'
]) q;

-- what is printed is read as the same again
SELECT count(*) FROM unnest(ARRAY['(a or b) and not (c and "x" = `B`)', 'x contains ("a""b", 1:2)',
    'a in (-1, +2, "") or b.`c.d` not like "%"']) q
WHERE q::paos.query::text::paos.query::text <> q::paos.query::text;

-- the type
SELECT 'a = 1'::paos.query OPERATOR(paos.=) 'A == 1' AS same,
       'a = 1'::paos.query OPERATOR(paos.<>) 'a = 2' AS differ,
       'a = 1'::paos.query OPERATOR(paos.<) 'a = 2' AS less,
       'a = 1'::paos.query OPERATOR(paos.<=) 'a = 2' AS at_most,
       'a = 1'::paos.query OPERATOR(paos.>) 'a = 2' AS greater,
       'a = 1'::paos.query OPERATOR(paos.>=) 'a = 2' AS at_least;
CREATE TEMP TABLE query_store (q paos.query PRIMARY KEY);
INSERT INTO query_store SELECT x::text FROM unnest(ARRAY['b', 'a > 5', 'a>5', 'A > 5']) x
    ON CONFLICT DO NOTHING;
INSERT INTO query_store VALUES ('a = ');
INSERT INTO query_store SELECT 'a = '::text;
SELECT q FROM query_store ORDER BY q;
SELECT q, count(*) FROM (SELECT q FROM query_store UNION ALL SELECT q FROM query_store) s GROUP BY q ORDER BY q;
SET enable_sort = off;
SELECT count(DISTINCT q) FROM (SELECT q FROM query_store UNION SELECT q FROM query_store) s;
RESET enable_sort;
SELECT paos.query_send('A') AS sent;
COPY (SELECT 'a == "x"'::paos.query) TO STDOUT;

-- errors
SELECT 'a ='::paos.query;
SELECT 'a = 1 b'::paos.query;
SELECT 'a = = 1'::paos.query;
SELECT 'a = 1 = 2'::paos.query;
SELECT '(a = 1'::paos.query;
SELECT 'a = 1)'::paos.query;
SELECT '(a) = 1'::paos.query;
SELECT 'a in ()'::paos.query;
SELECT 'a in 1'::paos.query;
SELECT 'a contains (b and c)'::paos.query;
SELECT 'a is 5'::paos.query;
SELECT 'a not 5'::paos.query;
SELECT 'not'::paos.query;
SELECT 'a & b'::paos.query;
SELECT 'ä = # b'::paos.query;
SELECT 'a.in = 5'::paos.query;
SELECT 'a. = 5'::paos.query;
SELECT 'a = ''x'::paos.query;
SELECT 'a = "x'''::paos.query;
SELECT 'a = `x'::paos.query;
SELECT '`` = 1'::paos.query;
SELECT 'a = 12ab'::paos.query;
SELECT 'a = 1e'::paos.query;
SELECT 'a = 1:2x'::paos.query;
SELECT 'a = 1:'::paos.query;
SELECT 'a = 0:1'::paos.query;
SELECT 'a = 32768:1'::paos.query;
SELECT 'a = 1:0'::paos.query;
SELECT 'a = 1:281474976710656'::paos.query;
SELECT 'a = 99999999999999999999:99999999999999999999'::paos.query;
SELECT 'a = $0'::paos.query;
SELECT 'a = $65536'::paos.query;
SELECT 'a = $1x'::paos.query;
SELECT 'a = $'::paos.query;
SELECT E'日本 = 1 and\n  日本 = = 2'::paos.query;
-- a name too long is cut, as in SQL
SELECT length(repeat('x', 70)::paos.query::text), length(('`' || repeat('X', 70) || '`')::paos.query::text);
-- depth has a limit, length has none
\set VERBOSITY terse
SELECT (repeat('(', 100000) || 'a' || repeat(')', 100000))::paos.query;
SELECT (repeat('not ', 100000) || 'a')::paos.query;
\set VERBOSITY default
SELECT length((repeat('(', 5000) || 'a' || repeat(')', 5000))::paos.query::text);
SELECT length((repeat('not ', 5000) || 'a')::paos.query::text);
SELECT length((repeat('a and ', 100000) || 'a')::paos.query::text);
SELECT length(('a in (' || repeat('1,', 100000) || '2)')::paos.query::text);
-- a scanner that was left by an error has no state to leave behind
DO $$
BEGIN
    FOR i IN 1..100 LOOP
        BEGIN
            PERFORM 'a = "'::paos.query;
        EXCEPTION WHEN syntax_error THEN
        END;
    END LOOP;
END $$;
SELECT 'a = "x"'::paos.query;
