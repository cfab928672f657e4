-- paos--0.1--0.2.sql - brings a database of version 0.1 to what paos.sql installs.
--
-- test/fault/update_test.sh compares the two, object by object.

\echo Use "ALTER EXTENSION paos UPDATE" to load this file. \quit

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
-- Without a character that not every encoding has.
COMMENT ON FUNCTION paos.bind(paos.query, "any") IS
    'the query with values in the place of its parameters $1, $2 and so on';

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
    WHERE a.datid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
$$;

-- Changes of tables.
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

-- Two-phase commit.
ALTER TABLE paos.prepared ALTER request DROP NOT NULL, ALTER channel DROP NOT NULL,
    ALTER payload DROP NOT NULL, ADD class smallint;
COMMENT ON TABLE paos.prepared IS
    'what prepared transactions leave to who ends them: events to be sent, classes that were changed';

-- The triggers of classes fire for what replication applies too, and tables below them have them.
COMMENT ON FUNCTION paos.register_class(regclass, int) IS
    'makes a table a class and returns its number; a class already is left as it is, but for triggers it lacks';
DO $$ BEGIN PERFORM paos.register_class(c.relation) FROM paos.class c ORDER BY c.number; END; $$;

-- Sessions read the classes anew, and see that the version is another.
UPDATE paos.class SET number = number WHERE false;

-- Durable requests.
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

CREATE FUNCTION paos.request_problem(request bigint) RETURNS text
    AS 'MODULE_PATHNAME', 'paos_request_problem' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION paos.request_problem(bigint) IS
    'why a durable request makes no sense any more, so that nothing is kept for it; NULL when it does';
-- A barrier: what a query asks of the names must not be evaluated for other roles' rows.
CREATE OR REPLACE VIEW paos.requests WITH (security_barrier) AS
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

COMMENT ON COLUMN paos.stats.batches IS 'times that a session was told, of one event or of several';
COMMENT ON COLUMN paos.stats.ring_high_water IS 'most commits that waited for one before them at a time';

-- Reading objects.
CREATE FUNCTION paos.reach(start paos.ref[], follow text[] DEFAULT NULL, depth int DEFAULT 1, most int DEFAULT 50000,
                           known bytea DEFAULT NULL) RETURNS SETOF bytea
    AS 'MODULE_PATHNAME', 'paos_reach' LANGUAGE C STABLE COST 1000 ROWS 20;
COMMENT ON FUNCTION paos.reach(paos.ref[], text[], int, int, bytea) IS
    'objects, and what they lead to by some attributes (NULL: all) in so many steps (NULL: any), read with the privileges of the caller; each result is objects of one class in binary';
CREATE FUNCTION paos.answer(class regclass, query paos.query, follow text[] DEFAULT '{}', depth int DEFAULT 0,
                            most int DEFAULT 50000, known bytea DEFAULT NULL) RETURNS SETOF bytea
    AS 'MODULE_PATHNAME', 'paos_answer' LANGUAGE C STABLE COST 1000 ROWS 20;
COMMENT ON FUNCTION paos.answer(regclass, paos.query, text[], int, int, bytea) IS
    'the objects that a query (NULL: any) finds, and what they lead to, as paos.reach gives them';

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
