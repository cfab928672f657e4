-- notify.sql - notify.c in psql: a request, and what comes of it.
--
-- psql shows what it was notified of after its next command, and only then.

SELECT paos.subscribe('story.person', 'name == "Sue"') AS request \gset
SELECT count(*) AS sues FROM story.person p WHERE p OPERATOR(paos.@@) 'name == "Sue"';

\echo 'Another program stores a Sue:'
\! "${PSQL:-psql}" -qX -c "INSERT INTO story.person (name, age) VALUES ('Sue', 44)"
SELECT pg_sleep(0.3) \g /dev/null

\echo 'This session is told of its own commits too:'
DELETE FROM story.person p WHERE p OPERATOR(paos.@@) 'name == "Sue" and age == 44';
SELECT pg_sleep(0.3) \g /dev/null
SELECT request, class, query, events FROM paos.requests WHERE request = :request;
SELECT paos.unsubscribe(:request) \g /dev/null
