-- paths through references mean what a left join means
CREATE SCHEMA path_test;
SET search_path = path_test;
CREATE TABLE city (id int2 PRIMARY KEY, name text, mayor bigint, twin paos.ref, size int);
CREATE TABLE person (id bigint PRIMARY KEY, name text COLLATE "C", rich bool, loves paos.ref,
    home int2 REFERENCES city, friends paos.ref[], tags text[]);
ALTER TABLE city ADD FOREIGN KEY (mayor) REFERENCES person;
CREATE TABLE cat (id int PRIMARY KEY, name varchar(20), owner bigint REFERENCES person, lives int);
SELECT paos.register_class('city', number => 491), paos.register_class('person', number => 492),
       paos.register_class('cat', number => 493);
INSERT INTO city VALUES (1, 'Rome', NULL, NULL, 5), (2, 'Oslo', NULL, '491:1', NULL);
INSERT INTO person VALUES
    (1, 'John', true, '492:2', 1, '{492:2,493:1}', '{x}'),
    (2, 'Sue', false, '492:3', 2, '{}', '{x,y}'),
    (3, 'Bill', NULL, '492:2', NULL, NULL, NULL),
    (4, 'Ann', true, '493:1', 1, NULL, '{}'),
    (5, 'Eve', false, '492:99', 2, NULL, NULL),
    (6, 'Tom', true, NULL, 2, NULL, NULL),
    (7, 'Kim', true, '999:1', 2, NULL, NULL);
UPDATE city SET mayor = 2 WHERE id = 1;
INSERT INTO cat VALUES (1, 'Sue', 3, 9), (2, 'Tiger', NULL, 7);

CREATE FUNCTION found(query paos.query) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.name, ' ' ORDER BY p.id) FROM person p WHERE p OPERATOR(paos.@@) query $$;
CREATE FUNCTION found_planned(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    names text;
BEGIN
    EXECUTE format('SELECT string_agg(p.name, '' '' ORDER BY p.id) FROM person p'
                   ' WHERE p OPERATOR(paos.@@) %L', query) INTO names;
    RETURN names;
END $$;
SELECT q, found(q), CASE WHEN found(q) IS DISTINCT FROM found_planned(q::text) THEN found_planned(q::text) END AS differs
FROM unnest(ARRAY[
    'loves.name = "Sue"', 'loves.name != "Sue"', 'not loves.name = "Sue"', 'loves.name is null',
    'loves.name is not null', 'loves.name in ("Sue", "Bill")', 'loves.name not in ("Sue", "Tom")',
    'loves.name like "S%"', 'loves.name not like "S%"', '"Sue" = loves.name', 'loves.tags contains "y"',
    'loves.tags contains ("x", "y")', 'loves.rich', 'not loves.rich', 'loves.lives = 9', 'loves.lives is null',
    'loves.loves.name = "Sue"', 'loves.loves.loves.name = "Sue"', 'loves.owner = 492:3', 'loves.owner.name = "Bill"',
    'loves.loves = 492:3', 'loves.loves is null', 'loves.home = 491:2', 'loves.home.twin.name = "Rome"',
    'home.name = "Rome"', 'home.mayor.name = "Sue"', 'home.mayor.loves.name = "Bill"', 'home.size > 3',
    'home.size is null', 'home.twin = 491:1', 'home.mayor = 492:2', 'home.mayor in (492:2, 492:3)',
    'home.name > "P" or loves.name = "Sue" and not rich', 'friends contains 493:1', 'loves.friends contains 493:1'
]::paos.query[]) q;
EXPLAIN (COSTS OFF) SELECT FROM person p
WHERE p OPERATOR(paos.@@) 'home.mayor.name = "Sue" and loves.`name` like "x" and id = 5';
SELECT paos.path_matches('492:1', 'name = "John"') AS yes, paos.path_matches('492:1', NULL) AS no_query,
       paos.path_matches(NULL, 'name is null') AS no_ref, paos.path_matches(492, 2, 'loves.name = "Bill"') AS key,
       paos.path_matches(492, NULL, 'name is null') AS no_key, paos.path_matches(NULL::int, 2, 'name = "Sue"') AS no_class,
       paos.path_matches(492, 2, NULL) AS neither;

-- the path reads under the caller's privileges
CREATE ROLE paos_path_user;
GRANT USAGE ON SCHEMA path_test TO paos_path_user;
GRANT SELECT ON person TO paos_path_user;
SET ROLE paos_path_user;
SELECT found('loves.name = "Sue"');
SELECT found('home.name = "Rome"');
RESET ROLE;
GRANT SELECT ON city, cat TO paos_path_user;
ALTER TABLE city ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_rome ON city USING (name <> 'Rome');
SET ROLE paos_path_user;
SELECT found('home.name = "Rome"'), found('home.name is null');
RESET ROLE;

-- complaints
SELECT found('nosuch.name = 1');
SELECT found('loves.nosuch = 1');
SELECT found('loves.name.nosuch = 1');
SELECT found('home.nam = "x"');
SELECT found('home.mayor.nam = "x"');
SELECT found('name.x = 1');
SELECT found('home.name.x = 1');
SELECT found('loves.name.home = 1');
SELECT found('friends.name = "x"');
SELECT found('loves.friends.name = "x"');
SELECT found('home.mayor.friends.name = "x"');
SELECT found('home.size = "x"');
SELECT found('loves.rich = 5');
SELECT found('home.size = id');
SELECT found('home.name = loves.name');
SELECT found('home.name in ("x", name)');
SELECT found('home.size = $1');
SELECT found('loves.lives = $1');
SELECT found('home = 492:1');
SELECT found('home.mayor = 491:1');
SELECT found('loves.owner = 491:1');
SELECT found('loves.name');
SELECT paos.path_matches('492:1', 'name = "x" and true');
SELECT paos.path_matches('492:1', '1 = 1');
SELECT paos.path_matches('492:1', '');

-- the classes change under a function that keeps what it bound
CREATE FUNCTION follow_changes() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    r paos.ref := '493:1';
    q paos.query := 'lives = 9';
BEGIN
    FOR i IN 1..4 LOOP
        IF i = 2 THEN
            ALTER TABLE cat ALTER lives TYPE text USING lives::text;
            q := 'lives = "9"';
        ELSIF i = 3 THEN
            ALTER TABLE cat ALTER lives TYPE numeric USING lives::numeric;
        ELSIF i = 4 THEN
            ALTER TABLE cat DROP COLUMN lives;
        END IF;
        RETURN NEXT coalesce(paos.path_matches(r, q)::text, 'null');
    END LOOP;
END $$;
SELECT follow_changes();

SET client_min_messages = warning;
DROP OWNED BY paos_path_user;
DROP SCHEMA path_test CASCADE;
DROP ROLE paos_path_user;
