-- what one role tries to gain by another: code of its own run as somebody else, and
-- knowledge that is not its.  Its functions say as whom they run.
\set VERBOSITY terse
CREATE SCHEMA security_test;
CREATE ROLE paos_security_owner;
CREATE ROLE paos_security_mallory;
GRANT ALL ON SCHEMA security_test TO paos_security_owner;
GRANT USAGE ON SCHEMA security_test TO paos_security_mallory;
SET search_path = security_test, public;
CREATE TABLE secret (id int PRIMARY KEY, name text);
ALTER TABLE secret OWNER TO paos_security_owner;
-- a superuser registers what is another's; so is the sequence then
SELECT paos.register_class('secret', number => 901);
SELECT relowner::regrole FROM pg_class WHERE relname = 'secret_id_seq';
CREATE TABLE letter (id int PRIMARY KEY, about paos.ref);
SELECT paos.register_class('letter', number => 902);
GRANT SELECT ON letter TO paos_security_mallory;
CREATE TABLE open_column (id int, name text);
GRANT INSERT (id) ON open_column TO paos_security_mallory;
CREATE SEQUENCE closed_sequence;
GRANT SELECT ON closed_sequence TO paos_security_mallory;
CREATE SCHEMA mallory AUTHORIZATION paos_security_mallory;

SET SESSION AUTHORIZATION paos_security_mallory;
SET search_path = mallory, pg_catalog;
CREATE TYPE evil AS (x int);
CREATE FUNCTION evil_text(evil) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RAISE NOTICE 'cast as %', current_user; RETURN 'x'; END $$;
CREATE CAST (evil AS text) WITH FUNCTION evil_text(evil) AS IMPLICIT;
CREATE TABLE bait (id int PRIMARY KEY, e evil);
SELECT paos.register_class('bait', number => 903);

-- the triggers of our tables fire for those alone
CREATE TABLE forged (request bigint, name text, class smallint, query text, role oid);
CREATE TRIGGER forge AFTER INSERT OR DELETE ON forged
    FOR EACH ROW EXECUTE FUNCTION paos.durable_changed();
INSERT INTO forged VALUES (1000000000001, 'x', 903, 'e like ''x''', 10);
CREATE TABLE restored (x int);
CREATE TRIGGER restore AFTER INSERT ON restored EXECUTE FUNCTION paos.events_restored();
INSERT INTO restored VALUES (1);
CREATE TABLE numbers (x int);
CREATE TRIGGER change AFTER INSERT ON numbers EXECUTE FUNCTION paos.classes_changed();
INSERT INTO numbers VALUES (1);

CREATE TABLE removed (number smallint);
CREATE TRIGGER remove AFTER INSERT OR DELETE ON removed
    FOR EACH ROW EXECUTE FUNCTION paos.durable_class_changed();
INSERT INTO removed VALUES (901);

-- what is done as the extension's owner finds nothing by the caller's search_path
CREATE FUNCTION evil_greater(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE 'aggregate as %', current_user; RETURN 1; END $$;
CREATE AGGREGATE min(bigint) (SFUNC = evil_greater, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE max(bigint) (SFUNC = evil_greater, STYPE = bigint, INITCOND = '0');
CREATE FUNCTION evil_equal(bigint, bigint) RETURNS bool LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE 'operator as %', current_user; RETURN true; END $$;
CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil_equal);
SELECT paos.subscribe('mallory.bait', 'id > 3', durable => 'security bait') > 0 AS subscribed;
\o /dev/null
INSERT INTO mallory.bait VALUES (4, NULL);
\o
SELECT resync FROM paos.pending('security bait');
SELECT paos.acknowledge('security bait', 1000000000);
SELECT paos.forget('security bait');
DROP OPERATOR = (bigint, bigint);

-- privileges on one column are not privileges on all
SET SESSION AUTHORIZATION paos_security_mallory;
SELECT paos.copy('security_test.open_column', '{}',
    '\x5047434f50590aff0d0a00000000000000000000020000000400000001000000026869ffff');
SELECT paos.copy('security_test.open_column', '{id,name}',
    '\x5047434f50590aff0d0a00000000000000000000020000000400000001000000026869ffff');
SELECT paos.copy('security_test.open_column', '{id}',
    '\x5047434f50590aff0d0a00000000000000000000010000000400000001ffff');

-- a default that names a sequence is no right to use it
RESET SESSION AUTHORIZATION;
SELECT 'security_test.closed_sequence'::regclass::oid AS closed \gset
SET SESSION AUTHORIZATION paos_security_mallory;
CREATE TABLE drawing (id bigint PRIMARY KEY DEFAULT nextval(:'closed'::regclass));
SELECT paos.register_class('mallory.drawing', number => 904);
SELECT paos.register_objects('mallory.drawing', 1);
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SEQUENCE security_test.closed_sequence TO paos_security_mallory;
SET SESSION AUTHORIZATION paos_security_mallory;
SELECT paos.register_objects('mallory.drawing', 1);

-- a function in WHERE sees no names of others' requests
RESET SESSION AUTHORIZATION;
SELECT paos.subscribe('security_test.secret', 'id > 0', durable => 'security plan') > 0 AS subscribed;
SET SESSION AUTHORIZATION paos_security_mallory;
CREATE FUNCTION leak(text) RETURNS bool LANGUAGE plpgsql STRICT COST 0.0001 AS
    $$ BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END $$;
SELECT count(*) FROM paos.requests WHERE mallory.leak(durable);

-- a role's request runs code as that role, wherever it is compiled, filed and matched, and
-- leaves no settings behind
CREATE FUNCTION check_tag(text) RETURNS bool LANGUAGE plpgsql AS
$$
BEGIN
    RAISE NOTICE 'domain as %, search_path %', current_user, current_setting('search_path');
    PERFORM set_config('search_path', 'mallory', false);
    RETURN true;
END $$;
CREATE DOMAIN tag AS text CHECK (mallory.check_tag(VALUE));
CREATE TABLE target (id int PRIMARY KEY, tags tag[], e evil);
SELECT paos.register_class('mallory.target', number => 905);
INSERT INTO target (id, e) VALUES (1, row(1));
SELECT paos.subscribe('security_test.letter', 'about.tags == ''{x}''') > 0 AS subscribed;
SELECT paos.subscribe('security_test.letter', 'about.e like ''x''') > 0 AS subscribed;
SELECT paos.subscribe('security_test.letter', 'about.tags == ''{y}''', durable => 'security tags') > 0 AS subscribed;
RESET SESSION AUTHORIZATION;
SET search_path = security_test;
\o /dev/null
INSERT INTO letter VALUES (1, '905:1');
\o
SHOW search_path;

-- nor does the writer's search_path lead the subscriber's functions astray
SET SESSION AUTHORIZATION paos_security_owner;
SET search_path = security_test;
CREATE FUNCTION may_see(text) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN upper($1) = $1; END $$;
\o /dev/null
CREATE POLICY see ON secret USING (security_test.may_see(name));
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
\o
GRANT ALL ON secret TO paos_security_mallory;
SELECT paos.subscribe('secret', 'id > 0') > 0 AS subscribed;
SET SESSION AUTHORIZATION paos_security_mallory;
SET search_path = mallory, pg_catalog;
CREATE FUNCTION upper(text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE 'upper as %', current_user; RETURN $1; END $$;
\o /dev/null
INSERT INTO security_test.secret VALUES (1, 'A');
\o

-- an author is no longer than a payload can be
RESET SESSION AUTHORIZATION;
SET search_path = security_test, public;
SELECT paos.introduce(repeat('h', 100000), 1, 1, repeat('a', 100000));
SELECT length(paos.author()::text) < 300 AS short;

SELECT paos.forget('security plan'), paos.forget('security tags');
UNLISTEN *;
SET client_min_messages = warning;
DROP SCHEMA mallory, security_test CASCADE;
DROP ROLE paos_security_owner, paos_security_mallory;
