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

-- Sessions read the classes anew, and see that the version is another.
UPDATE paos.class SET number = number WHERE false;
