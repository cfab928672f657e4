-- paos--0.1--0.2.sql - brings a database of version 0.1 to what paos.sql installs.
--
-- test/fault/update_test.sh compares the two, object by object.

\echo Use "ALTER EXTENSION paos UPDATE" to load this file. \quit

-- The triggers of classes fire for what replication applies too.
DO $$
DECLARE
    class regclass;
BEGIN
    FOR class IN SELECT c.relation FROM paos.class c LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER paos_row, ENABLE ALWAYS TRIGGER paos_truncate', class);
    END LOOP;
END;
$$;

-- A standby has no unlogged tables; background workers write as well.
CREATE OR REPLACE FUNCTION paos.introduce(host text, pid bigint, uid bigint, application text) RETURNS void
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
        SELECT a.pid, a.backend_start, $1, $2, $3, $4
        FROM pg_stat_get_activity(pg_backend_pid()) a
    ON CONFLICT (backend) DO UPDATE
        SET started = excluded.started, host = excluded.host, pid = excluded.pid,
            uid = excluded.uid, application = excluded.application;
    PERFORM paos.author_changed();
END;
$$;
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

CREATE OR REPLACE FUNCTION paos.authors()
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
    WHERE a.datid IS NOT NULL;
$$;

-- Changes of tables.
CREATE FUNCTION paos.table_altered() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'paos_table_altered' LANGUAGE C;
COMMENT ON FUNCTION paos.table_altered() IS
    'tells requests of rows that come or go with their table, or whose attributes change';
CREATE FUNCTION paos.table_rewritten() RETURNS event_trigger
    AS 'MODULE_PATHNAME', 'paos_table_rewritten' LANGUAGE C;
COMMENT ON FUNCTION paos.table_rewritten() IS 'tells requests that all versions are new';
CREATE EVENT TRIGGER paos_table_altered ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE')
    EXECUTE FUNCTION paos.table_altered();
CREATE EVENT TRIGGER paos_table_altering ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION paos.table_altered();
CREATE EVENT TRIGGER paos_table_rewritten ON table_rewrite EXECUTE FUNCTION paos.table_rewritten();
ALTER EVENT TRIGGER paos_forget_dropped ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_table_altered ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_table_altering ENABLE ALWAYS;
ALTER EVENT TRIGGER paos_table_rewritten ENABLE ALWAYS;

-- Sessions read the classes anew, and see that the version is another.
UPDATE paos.class SET number = number WHERE false;

-- Durable requests.
CREATE SEQUENCE paos.durable_number START 1000000000001 MINVALUE 1000000000001;
COMMENT ON SEQUENCE paos.durable_number IS 'ids of durable requests, which no live one ever has';
CREATE TABLE paos.durable (
    request bigint PRIMARY KEY DEFAULT nextval('paos.durable_number'),
    name text NOT NULL UNIQUE,
    class smallint NOT NULL REFERENCES paos.class (number) ON DELETE CASCADE,
    query paos.query NOT NULL,
    role regrole NOT NULL
);
COMMENT ON TABLE paos.durable IS 'durable requests; written by subscribe and forget only';
COMMENT ON COLUMN paos.durable.class IS 'number of the class';
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
CREATE FUNCTION paos.events_restored() RETURNS trigger
    AS 'MODULE_PATHNAME', 'paos_events_restored' LANGUAGE C;
COMMENT ON FUNCTION paos.events_restored() IS
    'trigger on paos.event, which commits do not run: numbers go on above those of a restore';
CREATE TRIGGER events_restored AFTER INSERT ON paos.event
    FOR EACH STATEMENT EXECUTE FUNCTION paos.events_restored();

COMMENT ON FUNCTION paos.subscribe(regclass, paos.query, text) IS
    'id of a new request; this session is notified of every commit that changes its answer. With a name, it is durable: events are kept until acknowledged, and the same name and query take it up again';
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

CREATE OR REPLACE VIEW paos.requests AS
    SELECT r.request, r.class, r.query::paos.query AS query, r.role::regrole AS role, r.backend,
           r.events, r.last_event, d.name AS durable,
           CASE WHEN d.name IS NOT NULL
                THEN (SELECT count(*) FROM paos.event e WHERE e.request = r.request) END AS pending,
           (SELECT e.at FROM paos.event e WHERE e.request = r.request AND d.name IS NOT NULL
            ORDER BY e.number LIMIT 1) AS oldest
    FROM paos.live_requests() r
    LEFT JOIN paos.durable d ON d.request = r.request
    ORDER BY r.request;
COMMENT ON VIEW paos.requests IS 'requests of the roles that one is a member of';
COMMENT ON COLUMN paos.requests.backend IS
    'process id of the session that is told; NULL: durable, and no session attends to it';
COMMENT ON COLUMN paos.requests.durable IS 'name of a durable request, else NULL';
COMMENT ON COLUMN paos.requests.pending IS 'events of a durable request that are not acknowledged';
COMMENT ON COLUMN paos.requests.oldest IS 'since when the first of them is pending';

COMMENT ON COLUMN paos.stats.batches IS 'times that a session was told, of one event or of several';
COMMENT ON COLUMN paos.stats.ring_high_water IS 'most commits that waited for one before them at a time';
