-- what a query means for a row: types, operators, complaints with their place
CREATE SCHEMA query_bind_test;
SET search_path = query_bind_test;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE thing (
    id bigint PRIMARY KEY, i2 int2, i4 int4, f8 float8, n numeric, b bool, t text, v varchar(10),
    c char(5), c_text text COLLATE "C", d date, ts timestamptz, u uuid, m mood, r paos.ref,
    ia int[], sa int2[], ta text[], va varchar(4)[], ra paos.ref[], j jsonb, p positive,
    "Odd name" int, owner int4, parent bigint REFERENCES thing
);
SELECT paos.register_class('thing', number => 481);

-- the condition that a query stands for
CREATE FUNCTION condition(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT FROM thing o WHERE o OPERATOR(paos.@@) %L',
                               query) LOOP
        IF line ~ '(Filter|Cond): ' THEN
            RETURN regexp_replace(line, '^.*(Filter|Cond): ', '');
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
SELECT q, condition(q) FROM unnest(ARRAY[
    '', 'b', 'not b', 'true', 'false', 'null', 'b = true', '''true''',
    'i2 = 5', 'i4 = 5', 'i4 = 5000000000', 'i4 = 1.5', 'i4 = ''5''', '5 < i4', 'f8 = 0.1', 'n = 0.1',
    'i4 < f8', 'i4 = null', 'i4 is null', 'i4 is not null', 'null is null', 'i4 in (1)', 'i4 in (1, 2)',
    'i4 in (1, null)', 'i4 in (1, i2)', 'i4 not in (1, 2)', 'i4 in (1, 2.5)', '5 in (i2, i4)',
    't = "x"', 't = v', 'v = "x"', 'c = "x"', 'c_text < "x"', 't like "x%"', 't not like "%x"', 'v like "x%"',
    'd > "2020-01-01"', 'ts > "2020-01-01 00:00+00"', 'u = "00000000-0000-0000-0000-000000000001"',
    'm > "sad"', 'm in ("sad", "ok")', 'r = 481:7', 'r = "481:7"', 'r in (481:1, 481:2)', 'r < 481:7',
    'ia contains 5', 'ia contains (5, 6)', 'sa contains 5', 'ta contains "x"', 'ta contains ("x", "y")',
    'ta contains t', 'ta contains ta', 'va contains "x"', 'ra contains 481:7', 'ra contains (481:1, r)',
    'ia = "{1,2}"', 'j contains "{""a"": 1}"', 'p = 5', '`Odd name` = 5', 'parent = 481:7',
    'parent in (481:7, 481:8)', '481:7 = parent', 'parent != 481:7', 'parent = 7', 'p <> 5', 'i4 <= 5', 'i4 >= 5',
    'i4 > 1 and (t = "x" or b) and not (i2 < 3 and f8 > 1)'
]) q;

-- operators of the caller's search_path have no say
CREATE FUNCTION evil(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (LEFTARG = int, RIGHTARG = int, FUNCTION = evil);
CREATE FUNCTION evil(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR ~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = evil);
SET search_path = query_bind_test, pg_catalog;
INSERT INTO thing (id, i4, t) VALUES (1, 5, 'x');
SELECT count(*) FROM thing o WHERE o OPERATOR(paos.@@) 'i4 = 6 or t like "y" or i4 in (7, 8)';
RESET search_path;
SET search_path = query_bind_test;
-- a user's type brings the operators of its default operator class
CREATE TYPE backward;
CREATE FUNCTION backward_in(cstring) RETURNS backward IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION backward_out(backward) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
CREATE TYPE backward (INPUT = backward_in, OUTPUT = backward_out, LIKE = int4);
CREATE FUNCTION backward_eq(backward, backward) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4eq';
CREATE FUNCTION backward_ne(backward, backward) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4ne';
CREATE FUNCTION backward_lt(backward, backward) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4gt';
CREATE FUNCTION backward_le(backward, backward) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4ge';
CREATE FUNCTION backward_gt(backward, backward) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4lt';
CREATE FUNCTION backward_ge(backward, backward) RETURNS bool IMMUTABLE STRICT LANGUAGE internal AS 'int4le';
CREATE FUNCTION backward_cmp(backward, backward) RETURNS int IMMUTABLE STRICT LANGUAGE sql
    AS $$ SELECT 0 $$;
CREATE OPERATOR ==== (LEFTARG = backward, RIGHTARG = backward, FUNCTION = backward_eq, NEGATOR = !!!!);
CREATE OPERATOR !!!! (LEFTARG = backward, RIGHTARG = backward, FUNCTION = backward_ne, NEGATOR = ====);
CREATE OPERATOR <<<< (LEFTARG = backward, RIGHTARG = backward, FUNCTION = backward_lt);
CREATE OPERATOR <<<= (LEFTARG = backward, RIGHTARG = backward, FUNCTION = backward_le);
CREATE OPERATOR >>>> (LEFTARG = backward, RIGHTARG = backward, FUNCTION = backward_gt);
CREATE OPERATOR >>>= (LEFTARG = backward, RIGHTARG = backward, FUNCTION = backward_ge);
CREATE OPERATOR CLASS backward_ops DEFAULT FOR TYPE backward USING btree AS
    OPERATOR 1 <<<<, OPERATOR 2 <<<=, OPERATOR 3 ====, OPERATOR 4 >>>=, OPERATOR 5 >>>>,
    FUNCTION 1 backward_cmp(backward, backward);
ALTER TABLE thing ADD back backward;
SELECT q, condition(q) FROM unnest(ARRAY['back = "5"', 'back != "5"', 'back < "5"', 'back <= "5"',
    'back > "5"', 'back >= "5"', '"5" < back', 'back in ("5", "6")', 'back not in ("5", "6")']) q;

-- complaints
SELECT condition('nosuch = 1');
SELECT condition('i5 = 1');
SELECT condition('t = "x" and TT = "y"');
SELECT condition('xmin = 5');
SELECT condition('i4 = "x"');
SELECT condition('b and i4 = true');
SELECT condition('i4');
SELECT condition('b and i4');
SELECT condition('i4 in (1, "x")');
SELECT condition('i4 in (1, true)');
SELECT condition('i4 like "x"');
SELECT condition('d > "tomorrowish"');
SELECT condition('m = "angry"');
SELECT condition('i4 = 99999999999999999999999999 and u = "x"');
SELECT condition('j = 5');
SELECT condition('ia contains 1.7');
SELECT condition('ia contains "x"');
SELECT condition('sa contains 40000');
SELECT condition('i4 contains 5');
SELECT condition('i4 contains (5, 6)');
SELECT condition('5 contains 5');
SELECT condition('r = 5');
SELECT condition('i4 = 481:7');
SELECT condition('parent = 482:7');
SELECT condition('parent in (481:7, 482:7)');
SELECT condition('r = "nosuch:7"');
SELECT condition('i4 = $1');
SELECT condition('t = c_text and c_text < "x" and "日本" = i4');

SET client_min_messages = warning;
DROP SCHEMA query_bind_test CASCADE;
