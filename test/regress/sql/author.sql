-- who a session says it is
SET application_name = 'psql of the test';
SELECT paos.author() - 'host' - 'pid' - 'uid';
SELECT (paos.author() ->> 'pid')::int = pg_backend_pid() AS made_up;
SELECT paos.introduce('desk', 771, 1000, 'editor');
SELECT paos.author();
SELECT paos.introduce('desk', 772, 1000, 'editor 2');
SELECT paos.author();
SELECT count(*) AS own FROM paos.session WHERE backend = pg_backend_pid();
-- a row left by a session that has ended means nothing, and goes
INSERT INTO paos.session VALUES (pg_backend_pid() + 1000000, now(), 'ghost', 1, 1, 'ghost');
SELECT count(*) AS ghosts FROM paos.authors() WHERE host = 'ghost';
SELECT paos.introduce('desk', 773, 1000, 'editor');
SELECT count(*) AS ghosts FROM paos.session WHERE host = 'ghost';
SELECT paos.author(-1) IS NULL AS no_such_session;
-- parts left out are made up
SELECT paos.introduce(NULL, NULL, NULL, NULL);
SELECT paos.author() ->> 'app' AS app, (paos.author() ->> 'pid')::int = pg_backend_pid() AS own;
-- nobody writes it for another
CREATE ROLE paos_author_user;
SET ROLE paos_author_user;
SELECT * FROM paos.session;
DELETE FROM paos.session;
SELECT paos.introduce('own', 1, 2, 'mine');
SELECT paos.author();
RESET ROLE;
DROP ROLE paos_author_user;
