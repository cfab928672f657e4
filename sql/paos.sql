-- paos.sql - the living install script, copied to paos--X.Y.sql at build.
--
-- It runs with search_path = pg_catalog: every name of ours is written with its
-- schema.  Nothing here may be CREATE OR REPLACE or IF NOT EXISTS, which would
-- adopt an object that someone else prepared.

\echo Use "CREATE EXTENSION paos" to load this file. \quit

CREATE SCHEMA paos;
COMMENT ON SCHEMA paos IS 'live objects: classes, references, queries and rights';
GRANT USAGE ON SCHEMA paos TO PUBLIC;

-- refs

CREATE TYPE paos.ref;

CREATE FUNCTION paos.ref_in(cstring) RETURNS paos.ref
    AS 'MODULE_PATHNAME', 'paos_ref_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.ref_out(paos.ref) RETURNS cstring
    AS 'MODULE_PATHNAME', 'paos_ref_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.ref_recv(internal) RETURNS paos.ref
    AS 'MODULE_PATHNAME', 'paos_ref_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.ref_send(paos.ref) RETURNS bytea
    AS 'int8send' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE paos.ref (
    INPUT = paos.ref_in, OUTPUT = paos.ref_out,
    RECEIVE = paos.ref_recv, SEND = paos.ref_send,
    LIKE = int8
);
COMMENT ON TYPE paos.ref IS
    'name of an object in 8 bytes: class number and key, written 12:42; input also takes table:key';

CREATE FUNCTION paos.ref_eq(paos.ref, paos.ref) RETURNS bool
    AS 'int8eq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_ne(paos.ref, paos.ref) RETURNS bool
    AS 'int8ne' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_lt(paos.ref, paos.ref) RETURNS bool
    AS 'int8lt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_le(paos.ref, paos.ref) RETURNS bool
    AS 'int8le' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_gt(paos.ref, paos.ref) RETURNS bool
    AS 'int8gt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_ge(paos.ref, paos.ref) RETURNS bool
    AS 'int8ge' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_cmp(paos.ref, paos.ref) RETURNS int
    AS 'btint8cmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.ref_sortsupport(internal) RETURNS void
    AS 'btint8sortsupport' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.ref_hash(paos.ref) RETURNS int
    AS 'hashint8' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.ref_hash_extended(paos.ref, bigint) RETURNS bigint
    AS 'hashint8extended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR paos.= (
    LEFTARG = paos.ref, RIGHTARG = paos.ref, FUNCTION = paos.ref_eq,
    COMMUTATOR = OPERATOR(paos.=), NEGATOR = OPERATOR(paos.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR paos.<> (
    LEFTARG = paos.ref, RIGHTARG = paos.ref, FUNCTION = paos.ref_ne,
    COMMUTATOR = OPERATOR(paos.<>), NEGATOR = OPERATOR(paos.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR paos.< (
    LEFTARG = paos.ref, RIGHTARG = paos.ref, FUNCTION = paos.ref_lt,
    COMMUTATOR = OPERATOR(paos.>), NEGATOR = OPERATOR(paos.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR paos.<= (
    LEFTARG = paos.ref, RIGHTARG = paos.ref, FUNCTION = paos.ref_le,
    COMMUTATOR = OPERATOR(paos.>=), NEGATOR = OPERATOR(paos.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR paos.> (
    LEFTARG = paos.ref, RIGHTARG = paos.ref, FUNCTION = paos.ref_gt,
    COMMUTATOR = OPERATOR(paos.<), NEGATOR = OPERATOR(paos.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR paos.>= (
    LEFTARG = paos.ref, RIGHTARG = paos.ref, FUNCTION = paos.ref_ge,
    COMMUTATOR = OPERATOR(paos.<=), NEGATOR = OPERATOR(paos.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR paos.= (paos.ref, paos.ref) IS 'same object';
COMMENT ON OPERATOR paos.<> (paos.ref, paos.ref) IS 'not the same object';
COMMENT ON OPERATOR paos.< (paos.ref, paos.ref) IS 'less than, by class number, then key';
COMMENT ON OPERATOR paos.<= (paos.ref, paos.ref) IS 'less than or equal, by class number, then key';
COMMENT ON OPERATOR paos.> (paos.ref, paos.ref) IS 'greater than, by class number, then key';
COMMENT ON OPERATOR paos.>= (paos.ref, paos.ref) IS 'greater than or equal, by class number, then key';

CREATE OPERATOR CLASS paos.ref_btree_ops DEFAULT FOR TYPE paos.ref USING btree AS
    OPERATOR 1 paos.<, OPERATOR 2 paos.<=, OPERATOR 3 paos.=, OPERATOR 4 paos.>=, OPERATOR 5 paos.>,
    FUNCTION 1 paos.ref_cmp(paos.ref, paos.ref),
    FUNCTION 2 paos.ref_sortsupport(internal),
    FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS paos.ref_btree_ops USING btree IS 'order of refs: class number, then key';
CREATE OPERATOR CLASS paos.ref_hash_ops DEFAULT FOR TYPE paos.ref USING hash AS
    OPERATOR 1 paos.=,
    FUNCTION 1 paos.ref_hash(paos.ref),
    FUNCTION 2 paos.ref_hash_extended(paos.ref, bigint);
COMMENT ON OPERATOR CLASS paos.ref_hash_ops USING hash IS 'equality of refs';

CREATE FUNCTION paos.ref(bigint) RETURNS paos.ref
    AS 'MODULE_PATHNAME', 'paos_ref_from_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.ref(bigint) IS 'ref out of the 64 bits of one; 22003 when they are not one';
CREATE CAST (bigint AS paos.ref) WITH FUNCTION paos.ref(bigint);
CREATE CAST (paos.ref AS bigint) WITHOUT FUNCTION;

CREATE FUNCTION paos.ref(class regclass, key bigint) RETURNS paos.ref
    AS 'MODULE_PATHNAME', 'paos_ref_from_key' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.ref(regclass, bigint) IS
    'ref of the object of a class with this key, whether it exists or not';
CREATE FUNCTION paos.ref_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'paos_ref_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION paos.ref_support(internal) IS 'planner support: the ref of a row knows its real class';
CREATE FUNCTION paos.ref("row" record) RETURNS paos.ref
    AS 'MODULE_PATHNAME', 'paos_ref_from_row' LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT paos.ref_support;
COMMENT ON FUNCTION paos.ref(record) IS 'ref of a row of a class';
CREATE FUNCTION paos.class(ref paos.ref) RETURNS regclass
    AS 'MODULE_PATHNAME', 'paos_ref_class' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.class(paos.ref) IS 'class of a ref as its table, NULL when there is none';
CREATE FUNCTION paos.class_number(ref paos.ref) RETURNS int
    AS 'MODULE_PATHNAME', 'paos_ref_class_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.class_number(paos.ref) IS 'class number of a ref';
CREATE FUNCTION paos.key(ref paos.ref) RETURNS bigint
    AS 'MODULE_PATHNAME', 'paos_ref_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.key(paos.ref) IS 'key of a ref';

-- classes

CREATE SEQUENCE paos.class_number AS smallint;
COMMENT ON SEQUENCE paos.class_number IS 'class numbers; one is never given to a second class';
CREATE TABLE paos.class (
    number smallint PRIMARY KEY CHECK (number > 0),
    relation regclass NOT NULL UNIQUE,
    sequence regclass NOT NULL,
    added text[] NOT NULL
);
COMMENT ON TABLE paos.class IS 'registered tables; written by register_class and unregister_class only';
COMMENT ON COLUMN paos.class.sequence IS 'keys of new objects are drawn from it';
COMMENT ON COLUMN paos.class.added IS
    'what registering added to the table, and unregistering takes away: column, primary key, default, sequence';
GRANT SELECT ON paos.class TO PUBLIC;
SELECT pg_extension_config_dump('paos.class', '');
SELECT pg_extension_config_dump('paos.class_number', '');

CREATE FUNCTION paos.classes_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_classes_changed' LANGUAGE C;
COMMENT ON FUNCTION paos.classes_changed() IS 'makes every session forget what it knows of the classes';
CREATE TRIGGER classes_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON paos.class
    FOR EACH STATEMENT EXECUTE FUNCTION paos.classes_changed();

CREATE FUNCTION paos.forget_dropped() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'paos_forget_dropped' LANGUAGE C
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION paos.forget_dropped() IS 'unregisters the classes whose tables were dropped';
CREATE EVENT TRIGGER paos_forget_dropped ON sql_drop EXECUTE FUNCTION paos.forget_dropped();

CREATE FUNCTION paos.register_class(class regclass, number int DEFAULT NULL) RETURNS int
    AS 'MODULE_PATHNAME', 'paos_register_class' LANGUAGE C VOLATILE
    SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION paos.register_class(regclass, int) IS
    'makes a table a class and returns its number; a class already is left as it is, but for triggers it lacks';
CREATE FUNCTION paos.unregister_class(class regclass) RETURNS void
    AS 'MODULE_PATHNAME', 'paos_unregister_class' LANGUAGE C VOLATILE STRICT
    SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION paos.unregister_class(regclass) IS
    'makes a class a plain table again, without what registering added to it';
CREATE FUNCTION paos.register_objects(class regclass, n int) RETURNS SETOF paos.ref
    AS 'MODULE_PATHNAME', 'paos_register_objects' LANGUAGE C VOLATILE STRICT ROWS 100;
COMMENT ON FUNCTION paos.register_objects(regclass, int) IS
    'refs for n new objects, which may be used before any row exists';

CREATE FUNCTION paos.parent_class(class regclass) RETURNS int
    AS 'MODULE_PATHNAME', 'paos_parent_class' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.parent_class(regclass) IS
    'number of the nearest registered ancestor of a table, NULL when it has none';
CREATE FUNCTION paos.key_column(class regclass) RETURNS name
    AS 'MODULE_PATHNAME', 'paos_key_column' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.key_column(regclass) IS
    'primary key column of a class, NULL when it has lost it';
CREATE FUNCTION paos.column_target(class regclass, "column" smallint) RETURNS int
    AS 'MODULE_PATHNAME', 'paos_column_target' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.column_target(regclass, smallint) IS
    'number of the class that a single-column foreign key on the column refers to, or NULL';

CREATE VIEW paos.classes AS
    SELECT c.number::int AS number, c.relation AS name, paos.key_column(c.relation) AS key,
           paos.parent_class(c.relation) AS parent, c.sequence
    FROM paos.class c
    ORDER BY c.number;
COMMENT ON VIEW paos.classes IS 'registered classes';
COMMENT ON COLUMN paos.classes.parent IS 'class that this one inherits from';
GRANT SELECT ON paos.classes TO PUBLIC;

CREATE VIEW paos.attributes AS
    SELECT c.number::int AS class, a.attname AS name, a.atttypid::regtype AS type,
           a.attnum::int AS position, a.attnotnull AS not_null,
           paos.column_target(c.relation, a.attnum) AS refers_to
    FROM paos.class c
    JOIN pg_attribute a ON a.attrelid = c.relation AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.number, a.attnum;
COMMENT ON VIEW paos.attributes IS 'attributes of the registered classes';
COMMENT ON COLUMN paos.attributes.refers_to IS
    'class that a foreign key refers to; a paos.ref column may refer to any';
GRANT SELECT ON paos.attributes TO PUBLIC;

-- objects

CREATE FUNCTION paos.fetch(ref paos.ref) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'paos_fetch' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION paos.fetch(paos.ref) IS
    'object as jsonb, read with the privileges of the caller; NULL when there is none';
CREATE FUNCTION paos.follow(ref paos.ref, attribute text) RETURNS text
    AS 'MODULE_PATHNAME', 'paos_follow' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION paos.follow(paos.ref, text) IS
    'attribute of the object referred to, as text; NULL when there is no such object';
CREATE OPERATOR paos.->> (LEFTARG = paos.ref, RIGHTARG = text, FUNCTION = paos.follow);
COMMENT ON OPERATOR paos.->> (paos.ref, text) IS 'attribute of the object referred to, as text';

CREATE FUNCTION paos.rows_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'paos_rows_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION paos.rows_support(internal) IS 'planner support: number of rows';
CREATE FUNCTION paos.rows(data bytea) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'paos_rows' LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT paos.rows_support;
COMMENT ON FUNCTION paos.rows(bytea) IS
    'rows in binary: their number as int4, then for each column of each row its length as int4 (-1: NULL) and its send format; 22P03 when malformed';

CREATE FUNCTION paos.copy("table" regclass, columns text[], data bytea) RETURNS bigint
    AS 'MODULE_PATHNAME', 'paos_copy' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION paos.copy(regclass, text[], bytea) IS
    'number of rows stored out of a value in the format of COPY BINARY; not for tables with row-level security';

CREATE FUNCTION paos.shape(class regclass) RETURNS int
    AS 'MODULE_PATHNAME', 'paos_shape' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION paos.shape(regclass) IS
    'a number that changes when the names, types or order of a table''s columns do';
CREATE FUNCTION paos.pack(class regclass, VARIADIC "values" "any") RETURNS bytea
    AS 'MODULE_PATHNAME', 'paos_pack' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION paos.pack(regclass, "any") IS
    'values of a row in binary: the shape of the class as int4, then for each value its length as int4 (-1: NULL) and its send format';
CREATE FUNCTION paos.reach(start paos.ref[], follow text[] DEFAULT NULL, depth int DEFAULT 1, most int DEFAULT 50000,
                           known bytea DEFAULT NULL) RETURNS SETOF bytea
    AS 'MODULE_PATHNAME', 'paos_reach' LANGUAGE C STABLE COST 1000 ROWS 20;
COMMENT ON FUNCTION paos.reach(paos.ref[], text[], int, int, bytea) IS
    'objects, and what they lead to by some attributes (NULL: all) in so many steps (NULL: any), read with the privileges of the caller; each result is objects of one class in binary';

-- queries

CREATE TYPE paos.query;

-- A query is stored as its canonical text, laid out as the type text is; those of
-- text's functions that need a collation are replaced by bytea's.
CREATE FUNCTION paos.query_in(cstring) RETURNS paos.query
    AS 'MODULE_PATHNAME', 'paos_query_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.query_out(paos.query) RETURNS cstring
    AS 'textout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.query_recv(internal) RETURNS paos.query
    AS 'MODULE_PATHNAME', 'paos_query_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.query_send(paos.query) RETURNS bytea
    AS 'textsend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE paos.query (
    INPUT = paos.query_in, OUTPUT = paos.query_out,
    RECEIVE = paos.query_recv, SEND = paos.query_send,
    LIKE = text
);
COMMENT ON TYPE paos.query IS
    'condition on the objects of a class, such as: loves.name == ''Sue'' and age > 30';
CREATE CAST (text AS paos.query) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION paos.query_eq(paos.query, paos.query) RETURNS bool
    AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_ne(paos.query, paos.query) RETURNS bool
    AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_lt(paos.query, paos.query) RETURNS bool
    AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_le(paos.query, paos.query) RETURNS bool
    AS 'byteale' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_gt(paos.query, paos.query) RETURNS bool
    AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_ge(paos.query, paos.query) RETURNS bool
    AS 'byteage' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_cmp(paos.query, paos.query) RETURNS int
    AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
CREATE FUNCTION paos.query_hash(paos.query) RETURNS int
    AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION paos.query_hash_extended(paos.query, bigint) RETURNS bigint
    AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR paos.= (
    LEFTARG = paos.query, RIGHTARG = paos.query, FUNCTION = paos.query_eq,
    COMMUTATOR = OPERATOR(paos.=), NEGATOR = OPERATOR(paos.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR paos.<> (
    LEFTARG = paos.query, RIGHTARG = paos.query, FUNCTION = paos.query_ne,
    COMMUTATOR = OPERATOR(paos.<>), NEGATOR = OPERATOR(paos.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
CREATE OPERATOR paos.< (
    LEFTARG = paos.query, RIGHTARG = paos.query, FUNCTION = paos.query_lt,
    COMMUTATOR = OPERATOR(paos.>), NEGATOR = OPERATOR(paos.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
CREATE OPERATOR paos.<= (
    LEFTARG = paos.query, RIGHTARG = paos.query, FUNCTION = paos.query_le,
    COMMUTATOR = OPERATOR(paos.>=), NEGATOR = OPERATOR(paos.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
CREATE OPERATOR paos.> (
    LEFTARG = paos.query, RIGHTARG = paos.query, FUNCTION = paos.query_gt,
    COMMUTATOR = OPERATOR(paos.<), NEGATOR = OPERATOR(paos.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
CREATE OPERATOR paos.>= (
    LEFTARG = paos.query, RIGHTARG = paos.query, FUNCTION = paos.query_ge,
    COMMUTATOR = OPERATOR(paos.<=), NEGATOR = OPERATOR(paos.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR paos.= (paos.query, paos.query) IS 'same canonical text';
COMMENT ON OPERATOR paos.<> (paos.query, paos.query) IS 'not the same canonical text';
COMMENT ON OPERATOR paos.< (paos.query, paos.query) IS 'less than, by the bytes of the text';
COMMENT ON OPERATOR paos.<= (paos.query, paos.query) IS
    'less than or equal, by the bytes of the text';
COMMENT ON OPERATOR paos.> (paos.query, paos.query) IS 'greater than, by the bytes of the text';
COMMENT ON OPERATOR paos.>= (paos.query, paos.query) IS
    'greater than or equal, by the bytes of the text';

CREATE OPERATOR CLASS paos.query_btree_ops DEFAULT FOR TYPE paos.query USING btree AS
    OPERATOR 1 paos.<, OPERATOR 2 paos.<=, OPERATOR 3 paos.=, OPERATOR 4 paos.>=, OPERATOR 5 paos.>,
    FUNCTION 1 paos.query_cmp(paos.query, paos.query);
COMMENT ON OPERATOR CLASS paos.query_btree_ops USING btree IS 'order of the bytes of the text';
CREATE OPERATOR CLASS paos.query_hash_ops DEFAULT FOR TYPE paos.query USING hash AS
    OPERATOR 1 paos.=,
    FUNCTION 1 paos.query_hash(paos.query),
    FUNCTION 2 paos.query_hash_extended(paos.query, bigint);
COMMENT ON OPERATOR CLASS paos.query_hash_ops USING hash IS 'equality of the text';

CREATE FUNCTION paos.bind(query paos.query, VARIADIC args "any") RETURNS paos.query
    AS 'MODULE_PATHNAME', 'paos_query_bind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION paos.bind(paos.query, "any") IS
    'the query with values in the place of its parameters $1, $2 and so on';
CREATE FUNCTION paos.answer(class regclass, query paos.query, follow text[] DEFAULT '{}', depth int DEFAULT 0,
                            most int DEFAULT 50000, known bytea DEFAULT NULL) RETURNS SETOF bytea
    AS 'MODULE_PATHNAME', 'paos_answer' LANGUAGE C STABLE COST 1000 ROWS 20;
COMMENT ON FUNCTION paos.answer(regclass, paos.query, text[], int, int, bytea) IS
    'the objects that a query (NULL: any) finds, and what they lead to, as paos.reach gives them';

-- Restricted to the leader, for a query that only a running plan knows may name
-- operators that no worker may run.  Dear, so that plans which know the query win.
CREATE FUNCTION paos.query_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'paos_query_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION paos.query_support(internal) IS
    'planner support: a constant query is plain conditions on columns';
CREATE FUNCTION paos.matches("row" record, query paos.query) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_query_matches' LANGUAGE C STABLE PARALLEL RESTRICTED
    COST 100 SUPPORT paos.query_support;
CREATE OPERATOR paos.@@ (
    LEFTARG = record, RIGHTARG = paos.query, FUNCTION = paos.matches,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON FUNCTION paos.matches(record, paos.query) IS 'implementation of the operator @@';
COMMENT ON OPERATOR paos.@@ (record, paos.query) IS
    'does the row match the query? Means what the same condition in SQL means';

CREATE FUNCTION paos.path_matches(ref paos.ref, query paos.query) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_path_matches_ref' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION paos.path_matches(paos.ref, paos.query) IS
    'does the object match a predicate on one path? Attributes of no object are null';
CREATE FUNCTION paos.path_matches(class int, key bigint, query paos.query) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_path_matches_key' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION paos.path_matches(int, bigint, paos.query) IS
    'the same for a foreign key: number of the class it refers to, and the key';

-- end of queries

-- authors and rights

CREATE UNLOGGED TABLE paos.session (
    backend int PRIMARY KEY,
    started timestamptz NOT NULL,
    host text,
    pid bigint,
    uid bigint,
    application text
);
COMMENT ON TABLE paos.session IS
    'what sessions said of themselves; a row whose backend has ended, or started at another time, means nothing';

CREATE FUNCTION paos.author_changed() RETURNS void
    AS 'MODULE_PATHNAME', 'paos_author_changed' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.author_changed() IS 'makes this session forget what it knows of its author';

CREATE FUNCTION paos.introduce(host text, pid bigint, uid bigint, application text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- On a standby nothing can be written, nor an unlogged table be read.
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    DELETE FROM paos.session t WHERE t.backend IN (
        SELECT s.backend FROM paos.session s
        WHERE NOT EXISTS (SELECT FROM pg_stat_get_activity(NULL) a
                          WHERE a.pid = s.backend AND a.backend_start = s.started)
        FOR UPDATE SKIP LOCKED);
    INSERT INTO paos.session
        SELECT a.pid, a.backend_start, left($1, 64), $2, $3, left($4, 63)
        FROM pg_stat_get_activity(pg_backend_pid()) a
    ON CONFLICT (backend) DO UPDATE
        SET started = excluded.started, host = excluded.host, pid = excluded.pid,
            uid = excluded.uid, application = excluded.application;
    PERFORM paos.author_changed();
END;
$$;
COMMENT ON FUNCTION paos.introduce(text, bigint, bigint, text) IS
    'names the author of what this session does: host (64 characters of it), process and user id on it, application (63)';

CREATE FUNCTION paos.introduced() RETURNS SETOF paos.session
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 50
AS $$
BEGIN
    IF NOT pg_is_in_recovery() THEN
        RETURN QUERY SELECT * FROM paos.session;
    END IF;
END;
$$;
COMMENT ON FUNCTION paos.introduced() IS 'what sessions said of themselves; nothing on a standby';

CREATE FUNCTION paos.authors()
    RETURNS TABLE (backend int, host text, pid bigint, uid bigint, application text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 50
AS $$
    SELECT a.pid,
           coalesce(s.host, a.client_hostname, host(a.client_addr), 'local'),
           coalesce(s.pid, a.pid),
           s.uid,
           coalesce(s.application, CASE WHEN a.backend_type = 'client backend' THEN a.application_name
                                        ELSE coalesce(nullif(a.application_name, ''), a.backend_type) END)
    FROM pg_stat_activity a
    LEFT JOIN paos.introduced() s ON s.backend = a.pid AND s.started = a.backend_start
    WHERE a.datid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
$$;
COMMENT ON FUNCTION paos.authors() IS
    'who each session is: as it introduced itself, else made up from its connection (pid is then the backend''s, uid NULL)';

CREATE FUNCTION paos.author(backend int DEFAULT pg_backend_pid()) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('host', a.host, 'pid', a.pid, 'uid', a.uid, 'app', a.application)
    FROM paos.authors() a WHERE a.backend = $1;
$$;
COMMENT ON FUNCTION paos.author(int) IS 'author of a session as jsonb, NULL when there is no such session';

CREATE VIEW paos.rights AS
    SELECT ((l.classid::bigint << 32) | l.objid::bigint)::paos.ref AS object,
           l.granted, l.pid AS backend, a.host, a.pid, a.uid, a.application
    FROM pg_locks l
    LEFT JOIN paos.authors() a ON a.backend = l.pid
    WHERE l.locktype = 'advisory' AND l.objsubid = 28769 AND l.mode = 'ExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
COMMENT ON VIEW paos.rights IS 'who holds the right to write an object, and who waits for it';
COMMENT ON COLUMN paos.rights.granted IS 'true: holds the right; false: waits for it';
COMMENT ON COLUMN paos.rights.backend IS 'process id of the server process';
GRANT SELECT ON paos.rights TO PUBLIC;

CREATE FUNCTION paos.lock(ref paos.ref, wait interval DEFAULT NULL) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_lock' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.lock(paos.ref, interval) IS
    'takes the right to write an object until release or the end of the session; false when wait ran out, 0 does not wait, NULL waits for ever';
CREATE FUNCTION paos.lock_all(refs paos.ref[], wait interval DEFAULT NULL) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_lock_all' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.lock_all(paos.ref[], interval) IS
    'takes the rights to write several objects, all or none; see lock';
CREATE FUNCTION paos.release() RETURNS void
    AS 'MODULE_PATHNAME', 'paos_release' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.release() IS 'gives up all rights of this session';

-- requests

CREATE UNLOGGED TABLE paos.shared (
    server timestamptz NOT NULL,
    area bigint NOT NULL,
    place bigint NOT NULL
);
COMMENT ON TABLE paos.shared IS
    'where the shared memory of requests is; a row of another run of the server means nothing';

CREATE TABLE paos.prepared (
    request bigint,
    channel bytea,
    payload text,
    class smallint
);
COMMENT ON TABLE paos.prepared IS
    'what prepared transactions leave to who ends them: events to be sent, classes that were changed';

CREATE SEQUENCE paos.durable_number START 1000000000001 MINVALUE 1000000000001;
COMMENT ON SEQUENCE paos.durable_number IS 'ids of durable requests, which no live one ever has';
CREATE TABLE paos.durable (
    request bigint PRIMARY KEY DEFAULT nextval('paos.durable_number'),
    name text NOT NULL UNIQUE,
    class smallint NOT NULL,
    query paos.query NOT NULL,
    role regrole NOT NULL
);
COMMENT ON TABLE paos.durable IS 'durable requests; written by subscribe and forget only';
COMMENT ON COLUMN paos.durable.class IS
    'number of the class; no foreign key, for a parallel restore loads tables in any order';
COMMENT ON COLUMN paos.durable.role IS 'with whose eyes objects are seen';
CREATE SEQUENCE paos.event_number;
COMMENT ON SEQUENCE paos.event_number IS 'numbers of events, drawn in blocks';
CREATE TABLE paos.event (
    number bigint NOT NULL,
    request bigint NOT NULL,
    enter paos.ref[],
    change paos.ref[],
    leave paos.ref[],
    author jsonb,
    xid xid8 NOT NULL,
    resync bool NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE paos.event IS
    'events of durable requests until they are acknowledged: refs, never contents; read by paos.pending';
CREATE INDEX event_request_number ON paos.event (request, number);
SELECT pg_extension_config_dump('paos.durable', '');
SELECT pg_extension_config_dump('paos.durable_number', '');
SELECT pg_extension_config_dump('paos.event', '');
SELECT pg_extension_config_dump('paos.event_number', '');

CREATE FUNCTION paos.durable_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_durable_changed' LANGUAGE C;
COMMENT ON FUNCTION paos.durable_changed() IS
    'trigger on paos.durable: files requests in shared memory, whoever writes them, and ends them';
CREATE TRIGGER durable_changing BEFORE INSERT OR DELETE ON paos.durable
    FOR EACH STATEMENT EXECUTE FUNCTION paos.durable_changed();
CREATE TRIGGER durable_changed AFTER INSERT OR UPDATE OR DELETE ON paos.durable
    FOR EACH ROW EXECUTE FUNCTION paos.durable_changed();
CREATE FUNCTION paos.durable_class_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_durable_class_changed' LANGUAGE C;
COMMENT ON FUNCTION paos.durable_class_changed() IS
    'trigger on paos.class: durable requests end with their class, and are filed anew when it comes after them';
CREATE TRIGGER durable_class_changed AFTER INSERT OR DELETE ON paos.class
    FOR EACH ROW EXECUTE FUNCTION paos.durable_class_changed();
CREATE FUNCTION paos.events_restored() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_events_restored' LANGUAGE C;
COMMENT ON FUNCTION paos.events_restored() IS
    'trigger on paos.event, which commits do not run: numbers go on above those of a restore';
CREATE TRIGGER events_restored AFTER INSERT ON paos.event
    FOR EACH STATEMENT EXECUTE FUNCTION paos.events_restored();

CREATE FUNCTION paos.row_written() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_row_written' LANGUAGE C;
COMMENT ON FUNCTION paos.row_written() IS
    'trigger on every class: 55P03 for a write to an object whose right another session holds; tells requests of changes';
CREATE FUNCTION paos.table_truncated() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_table_truncated' LANGUAGE C;
COMMENT ON FUNCTION paos.table_truncated() IS 'trigger on every class: the same for TRUNCATE';

CREATE FUNCTION paos.subscribe(class regclass, query paos.query, durable text DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'paos_subscribe' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.subscribe(regclass, paos.query, text) IS
    'id of a new request; this session is notified of every commit that changes its answer. With a name, it is durable: events are kept until acknowledged, and the same name and query take it up again';
CREATE FUNCTION paos.query_bound(class regclass, query paos.query) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'paos_query_bound' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION paos.query_bound(regclass, paos.query) IS
    'what the names in a query on a class stand for, to be kept for query_present';
CREATE FUNCTION paos.query_present(class regclass, query paos.query, bound bigint[]) RETURNS paos.query
    AS 'MODULE_PATHNAME', 'paos_query_present' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION paos.query_present(regclass, paos.query, bigint[]) IS
    'the query with the names that its attributes have now; unchanged when query_bound did not see this very table';
CREATE FUNCTION paos.ready(request bigint, wait interval DEFAULT NULL) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_ready' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.ready(bigint, interval) IS
    'true once every writer older than the request is done; false when wait ran out, 0 does not wait, NULL waits for ever';
CREATE FUNCTION paos.unsubscribe(request bigint) RETURNS void
    AS 'MODULE_PATHNAME', 'paos_unsubscribe' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION paos.unsubscribe(bigint) IS 'ends a request when the transaction commits';
CREATE FUNCTION paos.attend(name text, wait interval DEFAULT NULL) RETURNS bool
    AS 'MODULE_PATHNAME', 'paos_attend' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.attend(text, interval) IS
    'makes this session the one that is told of a durable request, standing by while another is; false when wait ran out, 0 does not wait, NULL waits for ever';
CREATE FUNCTION paos.leave(name text) RETURNS void
    AS 'MODULE_PATHNAME', 'paos_leave' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION paos.leave(text) IS
    'lets another session attend to a durable request, which goes on';
CREATE FUNCTION paos.pending(name text, max int DEFAULT NULL,
    OUT number bigint, OUT request bigint, OUT enter paos.ref[], OUT change paos.ref[],
    OUT leave paos.ref[], OUT author jsonb, OUT xid xid8, OUT resync bool, OUT at timestamptz)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'paos_pending' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.pending(text, int) IS
    'events of a durable request that are not acknowledged, in order for each object: refs of objects that entered, changed and left the answer, or resync when it must be asked for anew; 55006 while another session attends to it';
CREATE FUNCTION paos.acknowledge(name text, upto bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'paos_acknowledge' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.acknowledge(text, bigint) IS
    'removes events that this session''s last paos.pending returned, up to a number; how many there were';
CREATE FUNCTION paos.forget(name text) RETURNS void
    AS 'MODULE_PATHNAME', 'paos_forget' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION paos.forget(text) IS
    'ends a durable request when the transaction commits, and removes its events';
CREATE FUNCTION paos.explain(class regclass, query paos.query, object paos.ref DEFAULT NULL)
    RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'paos_explain' LANGUAGE C VOLATILE ROWS 5;
COMMENT ON FUNCTION paos.explain(regclass, paos.query, paos.ref) IS
    'how a request would be filed and what finding it costs; with an object, whether it matches and why';
CREATE FUNCTION paos.live_requests(OUT request bigint, OUT class regclass, OUT query text,
    OUT role oid, OUT backend int, OUT events bigint, OUT last_event timestamptz) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'paos_live_requests' LANGUAGE C VOLATILE ROWS 100;
COMMENT ON FUNCTION paos.live_requests() IS 'live requests of the roles that the caller is a member of';
CREATE FUNCTION paos.request_problem(request bigint) RETURNS text
    AS 'MODULE_PATHNAME', 'paos_request_problem' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION paos.request_problem(bigint) IS
    'why a durable request makes no sense any more, so that nothing is kept for it; NULL when it does';
-- A barrier: what a query asks of the names must not be evaluated for other roles' rows.
CREATE VIEW paos.requests WITH (security_barrier) AS
    SELECT r.request, r.class, r.query::paos.query AS query, r.role::regrole AS role, r.backend,
           r.events, r.last_event, d.name AS durable,
           CASE WHEN d.name IS NOT NULL
                THEN (SELECT count(*) FROM paos.event e WHERE e.request = r.request) END AS pending,
           (SELECT e.at FROM paos.event e WHERE e.request = r.request AND d.name IS NOT NULL
            ORDER BY e.number LIMIT 1) AS oldest,
           CASE WHEN d.name IS NOT NULL THEN paos.request_problem(r.request) END AS problem
    FROM paos.live_requests() r
    LEFT JOIN paos.durable d ON d.request = r.request
    ORDER BY r.request;
COMMENT ON VIEW paos.requests IS 'requests of the roles that one is a member of';
COMMENT ON COLUMN paos.requests.backend IS
    'process id of the session that is told; NULL: durable, and no session attends to it';
COMMENT ON COLUMN paos.requests.durable IS 'name of a durable request, else NULL';
COMMENT ON COLUMN paos.requests.pending IS 'events of a durable request that are not acknowledged';
COMMENT ON COLUMN paos.requests.oldest IS 'since when the first of them is pending';
COMMENT ON COLUMN paos.requests.problem IS
    'why a durable request makes no sense any more, so that nothing is kept for it; NULL when it does';
GRANT SELECT ON paos.requests TO PUBLIC;
CREATE FUNCTION paos.request_stats(OUT commits bigint, OUT rows_matched bigint, OUT probes bigint,
    OUT events bigint, OUT batches bigint, OUT overflows bigint, OUT requests bigint,
    OUT ring_size bigint, OUT ring_used bigint, OUT ring_high_water bigint) RETURNS record
    AS 'MODULE_PATHNAME', 'paos_request_stats' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.request_stats() IS 'figures of all requests of the database since the first one';
CREATE VIEW paos.stats AS SELECT * FROM paos.request_stats();
COMMENT ON VIEW paos.stats IS 'figures of all requests of the database since the first one';
COMMENT ON COLUMN paos.stats.commits IS 'transactions that changed an answer';
COMMENT ON COLUMN paos.stats.rows_matched IS 'rows that were or are in an answer, counted for each request';
COMMENT ON COLUMN paos.stats.probes IS 'rows looked up in the predicate index';
COMMENT ON COLUMN paos.stats.batches IS 'times that a session was told, of one event or of several';
COMMENT ON COLUMN paos.stats.overflows IS 'commits whose requests were told to look again for want of room';
COMMENT ON COLUMN paos.stats.ring_high_water IS 'most commits that waited for one before them at a time';
GRANT SELECT ON paos.stats TO PUBLIC;

-- changes of tables

CREATE FUNCTION paos.table_altered() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'paos_table_altered' LANGUAGE C;
COMMENT ON FUNCTION paos.table_altered() IS
    'tells requests of rows that come or go with their table, or whose attributes change';
CREATE FUNCTION paos.table_rewritten() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'paos_table_rewritten' LANGUAGE C;
COMMENT ON FUNCTION paos.table_rewritten() IS 'tells requests that all versions are new';
CREATE EVENT TRIGGER paos_table_altered ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'CREATE SCHEMA', 'CREATE POLICY', 'ALTER POLICY', 'DROP POLICY')
    EXECUTE FUNCTION paos.table_altered();
CREATE EVENT TRIGGER paos_table_altering ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION paos.table_altered();
CREATE EVENT TRIGGER paos_table_rewritten ON table_rewrite EXECUTE FUNCTION paos.table_rewritten();
CREATE FUNCTION paos.extension_dropping() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'paos_extension_dropping' LANGUAGE C;
COMMENT ON FUNCTION paos.extension_dropping() IS 'notes that the extension may be about to be dropped, which ends all requests and rights';
CREATE EVENT TRIGGER paos_extension_dropping ON ddl_command_start WHEN TAG IN ('DROP EXTENSION', 'DROP OWNED')
    EXECUTE FUNCTION paos.extension_dropping();
ALTER EVENT TRIGGER paos_forget_dropped ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_table_altered ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_table_altering ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_table_rewritten ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_extension_dropping ENABLE ALWAYS;

-- health

CREATE FUNCTION paos.library(OUT version text, OUT preloaded bool) RETURNS record
    AS 'MODULE_PATHNAME', 'paos_library' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION paos.library() IS 'the library as this session has loaded it';
CREATE FUNCTION paos.mailboxes(OUT backend int, OUT letters bigint) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'paos_mailboxes' LANGUAGE C VOLATILE ROWS 50;
COMMENT ON FUNCTION paos.mailboxes() IS 'how many events wait for each session that has subscribed to take them';

-- Each part of paos.health has the same columns.
CREATE FUNCTION paos.health_library()
    RETURNS TABLE ("check" text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'library', CASE WHEN l.version = e.extversion THEN 'ok' ELSE 'error' END,
           format('library of version %s, SQL of version %s', l.version, e.extversion),
           CASE WHEN l.version <> e.extversion
                THEN 'ALTER EXTENSION paos UPDATE, or install the library of the same version and connect anew' END
    FROM paos.library() l, pg_extension e WHERE e.extname = 'paos'
    UNION ALL
    SELECT 'preloaded',
           CASE WHEN l.preloaded OR current_setting('max_prepared_transactions') = '0' THEN 'ok' ELSE 'warning' END,
           CASE WHEN l.preloaded THEN 'by shared_preload_libraries'
                ELSE 'no: a transaction with events for a live request cannot be prepared' END,
           CASE WHEN NOT l.preloaded THEN 'add paos to shared_preload_libraries for two-phase commit' END
    FROM paos.library() l;
$$;
COMMENT ON FUNCTION paos.health_library() IS 'part of health: is the right library loaded?';

CREATE FUNCTION paos.health_classes()
    RETURNS TABLE ("check" text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE tables (relation) AS (
        SELECT c.relation::oid FROM paos.class c
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN tables t ON t.relation = i.inhparent),
    found ("check", status, detail, hint) AS (
        SELECT 'triggers', 'error',
               CASE WHEN g.tgenabled IS NULL THEN format('%s has no trigger %s: writes to it are not noticed', c.oid::regclass, n.name)
                    ELSE format('trigger %s of %s is disabled: writes to it are not noticed', n.name, c.oid::regclass) END,
               CASE WHEN g.tgenabled IS NULL THEN 'register its class again with paos.register_class'
                    ELSE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %s', c.oid::regclass, n.name) END
        FROM tables t JOIN pg_class c ON c.oid = t.relation
        CROSS JOIN (VALUES ('paos_row'), ('paos_truncate')) n (name)
        LEFT JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgname = n.name
        WHERE c.relkind IN ('r', 'p') AND (g.tgenabled IS NULL OR g.tgenabled = 'D')
        UNION ALL
        SELECT 'keys', 'error', format('class %s has no single-column integer primary key any more', c.relation),
               'add the primary key again, or call paos.unregister_class'
        FROM paos.class c WHERE paos.key_column(c.relation) IS NULL
        UNION ALL
        SELECT 'event triggers', 'error', format('event trigger %I is disabled: changes of tables are not noticed', t.evtname),
               format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', t.evtname)
        FROM pg_event_trigger t WHERE t.evtname ^@ 'paos_' AND t.evtenabled = 'D')
    SELECT * FROM found
    UNION ALL
    SELECT 'classes', 'ok', format('%s, in %s tables', (SELECT count(*) FROM paos.class), (SELECT count(*) FROM tables)), NULL
    WHERE NOT EXISTS (SELECT FROM found);
$$;
COMMENT ON FUNCTION paos.health_classes() IS 'part of health: are writes to all classes noticed?';

CREATE FUNCTION paos.health_events()
    RETURNS TABLE ("check" text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'ring', CASE WHEN s.overflows > 0 OR s.ring_used * 2 > s.ring_size THEN 'warning' ELSE 'ok' END,
           format('%s commits of %s wait, %s at most so far; %s found no room', s.ring_used, s.ring_size,
                  s.ring_high_water, s.overflows),
           CASE WHEN s.overflows > 0 OR s.ring_used * 2 > s.ring_size
                THEN 'raise paos.ring_size, which applies from the next start of the server' END
    FROM paos.request_stats() s
    UNION ALL
    SELECT 'mailboxes', CASE WHEN max(m.letters) * 2 > current_setting('paos.mailbox_size')::bigint THEN 'warning' ELSE 'ok' END,
           CASE WHEN count(*) = 0 THEN 'no session listens'
                ELSE format('%s sessions listen; at most %s events wait for one (server process %s)', count(*), max(m.letters),
                            (array_agg(m.backend ORDER BY m.letters DESC))[1]) END,
           CASE WHEN max(m.letters) * 2 > current_setting('paos.mailbox_size')::bigint
                THEN 'it is busy, in a transaction, or its client does not read; beyond paos.mailbox_size it is told to look again' END
    FROM paos.mailboxes() m
    UNION ALL
    SELECT 'sessions', CASE WHEN count(*) FILTER (WHERE a.state ^@ 'idle in transaction'
                                  AND a.state_change < now() - interval '5 min') > 0 THEN 'warning' ELSE 'ok' END,
           format('%s with requests, %s of them for more than 5 minutes idle in a transaction', count(*),
                  count(*) FILTER (WHERE a.state ^@ 'idle in transaction' AND a.state_change < now() - interval '5 min')),
           CASE WHEN count(*) FILTER (WHERE a.state ^@ 'idle in transaction' AND a.state_change < now() - interval '5 min') > 0
                THEN 'events are told between transactions; see pg_stat_activity' END
    FROM (SELECT DISTINCT r.backend FROM paos.live_requests() r) s JOIN pg_stat_activity a ON a.pid = s.backend
    UNION ALL
    SELECT 'requests', CASE WHEN max(n) > 0.8 * current_setting('paos.max_requests')::bigint THEN 'warning' ELSE 'ok' END,
           format('%s, of %s roles', coalesce(sum(n), 0), count(*)),
           CASE WHEN max(n) > 0.8 * current_setting('paos.max_requests')::bigint
                THEN format('role %s may soon have no more: see paos.max_requests',
                            (array_agg(r.role::regrole ORDER BY n DESC))[1]) END
    FROM (SELECT l.role, count(*) AS n FROM paos.live_requests() l GROUP BY 1) r
    UNION ALL
    SELECT 'prepared transactions', 'warning', format('%s, the oldest since %s', count(*), min(p.prepared)),
           'their events are told when they are committed; see pg_prepared_xacts'
    FROM pg_prepared_xacts p WHERE p.database = current_database() AND p.prepared < now() - interval '1 hour'
    HAVING count(*) > 0;
$$;
COMMENT ON FUNCTION paos.health_events() IS 'part of health: do events get to sessions in time?';

CREATE FUNCTION paos.health_durable()
    RETURNS TABLE ("check" text, status text, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    WITH limits (events, age) AS (
        SELECT nullif(current_setting('paos.durable_max_events'), '0')::bigint,
               nullif(current_setting('paos.durable_max_age')::interval, interval '0')),
    found ("check", status, detail, hint) AS (
        SELECT 'durable request', 'error', format('role %s of request %L does not exist: nothing is kept for it', r.role, r.durable),
               format('SELECT paos.forget(%L)', r.durable)
        FROM paos.requests r WHERE r.durable IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles o WHERE o.oid = r.role)
        UNION ALL
        SELECT 'durable request', 'error',
               format('request %L makes no sense any more, nothing is kept for it: %s', r.durable, r.problem),
               format('subscribe anew with another query, add what it lacks, or SELECT paos.forget(%L)', r.durable)
        FROM paos.requests r WHERE r.problem IS NOT NULL
        UNION ALL
        SELECT 'durable request', 'warning',
               format('request %L has %s pending events, the oldest of %s: %s', r.durable, r.pending, r.oldest,
                      CASE WHEN r.backend IS NULL THEN 'no session attends to it'
                           ELSE format('server process %s does not acknowledge', r.backend) END),
               format('start its consumer, or SELECT paos.forget(%L); beyond paos.durable_max_events and _max_age events are dropped', r.durable)
        FROM paos.requests r, limits l
        WHERE r.durable IS NOT NULL AND r.pending > 0
          AND (r.pending > 0.5 * l.events OR r.oldest < now() - 0.5 * l.age
               OR (r.backend IS NULL AND r.oldest < now() - interval '1 hour')))
    SELECT * FROM found
    UNION ALL
    SELECT 'durable requests', 'ok', format('%s, %s events are pending, the oldest of %s', count(*), coalesce(sum(r.pending), 0),
           coalesce(min(r.oldest)::text, 'none')), NULL
    FROM paos.requests r WHERE r.durable IS NOT NULL
    HAVING NOT EXISTS (SELECT FROM found);
$$;
COMMENT ON FUNCTION paos.health_durable() IS 'part of health: are durable requests read?';

CREATE FUNCTION paos.health()
    RETURNS TABLE ("check" text, status text, detail text, hint text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM paos.health_library();
    -- Nothing else can be asked of a library that does not go with the SQL.
    IF (SELECT l.version FROM paos.library() l) <> (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'paos') THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM paos.health_classes() UNION ALL SELECT * FROM paos.health_events()
        UNION ALL SELECT * FROM paos.health_durable();
END;
$$;
COMMENT ON FUNCTION paos.health() IS
    'how paos is: a row for each thing that was looked at, status ok, warning or error, and what to do about it; of requests, those of the roles that one is a member of';
