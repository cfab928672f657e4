/*
 * request_event.c - the events of single transactions, case by case.
 *
 * Each case runs statements in one transaction of a writer and says which
 * payloads the listener must get, written without what differs from run to run.
 */
#include "request_listen.h"

#include <stdbool.h>
#include <string.h>

typedef struct event_case
{
    const char *name;
    const char *class;
    const char *query;
    const char *before; /* run first, not told to the request */
    const char *work;
    const char *expected; /* payloads, one a line, without request, author and xid */
} event_case;

static const event_case cases[] = {
    {"insert", "person", "age > 30", "", "INSERT INTO person VALUES (1, 'Sue', 31)",
     "enter=[\"701:1\"] change=[] leave=[] part=[1, 1]\n"},
    {"what does not match is not told", "person", "age > 30", "",
     "INSERT INTO person VALUES (1, 'Sue', 30)", ""},
    {"update within the answer", "person", "age > 30", "INSERT INTO person VALUES (1, 'Sue', 31)",
     "UPDATE person SET name = 'Susan'", "enter=[] change=[\"701:1\"] leave=[] part=[1, 1]\n"},
    {"update out of the answer", "person", "age > 30", "INSERT INTO person VALUES (1, 'Sue', 31)",
     "UPDATE person SET age = NULL", "enter=[] change=[] leave=[\"701:1\"] part=[1, 1]\n"},
    {"delete", "person", "name == 'Sue'", "INSERT INTO person VALUES (1, 'Sue', 31)",
     "DELETE FROM person", "enter=[] change=[] leave=[\"701:1\"] part=[1, 1]\n"},
    {"insert and delete are nothing", "person", "", "",
     "INSERT INTO person VALUES (1); DELETE FROM person", ""},
    {"out and in again is a change", "person", "age > 30",
     "INSERT INTO person VALUES (1, 'Sue', 31)",
     "UPDATE person SET age = 1; UPDATE person SET age = 40",
     "enter=[] change=[\"701:1\"] leave=[] part=[1, 1]\n"},
    {"a savepoint rolled back is nothing", "person", "age > 30",
     "INSERT INTO person VALUES (1, 'Sue', 31)",
     "SAVEPOINT s; DELETE FROM person; ROLLBACK TO s; INSERT INTO person VALUES (2, 'Ann', 50)",
     "enter=[\"701:2\"] change=[] leave=[] part=[1, 1]\n"},
    {"a new key is another object", "person", "age > 30",
     "INSERT INTO person VALUES (1, 'Sue', 31)", "UPDATE person SET id = 9",
     "enter=[\"701:9\"] change=[] leave=[\"701:1\"] part=[1, 1]\n"},
    {"objects of a subclass, by their own class", "person", "name == 'Stu'", "",
     "INSERT INTO student (id, name, school) VALUES (3, 'Stu', 'MIT')",
     "enter=[\"702:3\"] change=[] leave=[] part=[1, 1]\n"},
    {"COPY", "person", "age == 7", "",
     "COPY person (id, name, age) FROM PROGRAM 'printf \"1\\tx\\t7\\n2\\ty\\t8\\n\"'",
     "enter=[\"701:1\"] change=[] leave=[] part=[1, 1]\n"},
    {"MERGE and ON CONFLICT", "person", "age > 30", "INSERT INTO person VALUES (1, 'Sue', 31)",
     "INSERT INTO person VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET age = 41;"
     " MERGE INTO person p USING (VALUES (2)) v(id) ON p.id = v.id WHEN NOT MATCHED THEN INSERT "
     "VALUES (2, 'm', 99)",
     "enter=[\"701:2\"] change=[\"701:1\"] leave=[] part=[1, 1]\n"},
    {"a cascade", "city", "",
     "INSERT INTO person VALUES (1, 'Sue', 31); INSERT INTO city VALUES (5, 1)",
     "DELETE FROM person", "enter=[] change=[] leave=[\"703:5\"] part=[1, 1]\n"},
    {"a partition", "part", "v == 'b'", "", "INSERT INTO part VALUES (1, 'a'), (150, 'b')",
     "enter=[\"704:150\"] change=[] leave=[] part=[1, 1]\n"},
    {"a row that moves to another partition", "part", "v == 'b'",
     "INSERT INTO part VALUES (1, 'b')", "UPDATE part SET id = 150",
     "enter=[\"704:150\"] change=[] leave=[\"704:1\"] part=[1, 1]\n"},
    {"TRUNCATE", "person", "age > 30", "INSERT INTO person VALUES (1, 'Sue', 31)",
     "TRUNCATE person CASCADE", "resync=true part=[1, 1]\n"},
    {"a transaction with too many changes", "person", "age > 30", "",
     "SET LOCAL paos.capture_limit = 10; INSERT INTO person SELECT g, 'x', 99 FROM "
     "generate_series(1, 11) g",
     "resync=true part=[1, 1]\n"},
    {"a path to another object", "person", "loves.name == 'Sue'",
     "INSERT INTO person VALUES (1, 'Ann', 1, NULL), (2, 'Bob', 2, '701:1')",
     "UPDATE person SET name = 'Sue' WHERE id = 1", "resync=true part=[1, 1]\n"},
    {"another attribute of that object", "person", "loves.name == 'Sue'",
     "INSERT INTO person VALUES (1, 'Ann', 1, NULL), (2, 'Bob', 2, '701:1')",
     "UPDATE person SET age = 3 WHERE id = 1", ""},
    {"row-level security", "secret", "", "",
     "INSERT INTO secret VALUES (1, 'nobody'), (2, 'paos_event_user')",
     "enter=[\"705:2\"] change=[] leave=[] part=[1, 1]\n"},
    {"an object that may no longer be seen", "secret", "",
     "INSERT INTO secret VALUES (2, 'paos_event_user')", "UPDATE secret SET owner = 'nobody'",
     "enter=[] change=[] leave=[\"705:2\"] part=[1, 1]\n"},
    {"a trigger that writes its row again", "fixed", "age > 30", "",
     "INSERT INTO fixed VALUES (1, 40)", ""},
    {"the same out of the answer", "fixed", "age > 30",
     "ALTER TABLE fixed DISABLE TRIGGER a_fix; INSERT INTO fixed VALUES (1, 50); "
     "ALTER TABLE fixed ENABLE TRIGGER a_fix",
     "UPDATE fixed SET age = 45", "enter=[] change=[] leave=[\"708:1\"] part=[1, 1]\n"},
    {"keys handed on from row to row", "seat", "", "INSERT INTO seat VALUES (2), (1)",
     "UPDATE seat SET id = id + 1",
     "enter=[\"709:3\"] change=[\"709:2\"] leave=[\"709:1\"] part=[1, 1]\n"},
    {"one statement that deletes and inserts an object", "seat", "",
     "INSERT INTO seat VALUES (1, 'Sue')",
     "WITH gone AS (DELETE FROM seat RETURNING id) INSERT INTO seat SELECT id, 'Bob' FROM gone",
     "enter=[] change=[\"709:1\"] leave=[] part=[1, 1]\n"},
    {"a trigger that deletes what its row replaces", "berth", "",
     "INSERT INTO berth VALUES (1, 'Sue')", "INSERT INTO berth VALUES (1, 'Bob')",
     "enter=[] change=[\"713:1\"] leave=[] part=[1, 1]\n"},
    {"the same out of the answer", "berth", "who == 'Sue'", "INSERT INTO berth VALUES (1, 'Sue')",
     "INSERT INTO berth VALUES (1, 'Bob')", "enter=[] change=[] leave=[\"713:1\"] part=[1, 1]\n"},
    {"a trigger that inserts what was deleted", "berth", "",
     "INSERT INTO berth VALUES (1, 'Sue'), (2, 'back')",
     "UPDATE berth SET who = 'back'; DELETE FROM berth",
     "enter=[] change=[\"713:1\", \"713:2\"] leave=[] part=[1, 1]\n"},
    {"an attribute that a partition's row got by default", "grown", "since == 5", "",
     "DELETE FROM grown", "enter=[] change=[] leave=[\"714:1\"] part=[1, 1]\n"},
    {"the same in a table below a class", "base", "since == 5", "", "UPDATE derived SET id = id",
     "enter=[] change=[\"715:1\"] leave=[] part=[1, 1]\n"},
    {"a partition that is dropped", "part", "v == 'b'",
     "CREATE TABLE part_more PARTITION OF part FOR VALUES FROM (200) TO (300);"
     " INSERT INTO part VALUES (250, 'b')",
     "DROP TABLE part_more", "resync=true part=[1, 1]\n"},
    {"tables below a class that are dropped", "person", "age > 30",
     "CREATE TABLE teacher (PRIMARY KEY (id)) INHERITS (person);"
     " CREATE TABLE head () INHERITS (teacher); INSERT INTO head VALUES (90, 'Sue', 31);"
     " SELECT paos.register_class('teacher')",
     "DROP TABLE teacher CASCADE", "resync=true part=[1, 1]\n"},
    {"a schema with a table below a class", "person", "age > 30", "",
     "CREATE SCHEMA side CREATE TABLE pupil () INHERITS (public.person);"
     " INSERT INTO side.pupil VALUES (91, 'Sue', 31)",
     "enter=[\"701:91\"] change=[] leave=[] part=[1, 1]\n"},
    {"such a schema dropped", "person", "age > 30", "", "DROP SCHEMA side CASCADE",
     "resync=true part=[1, 1]\n"},
    {"a policy that is changed", "secret", "", "", "ALTER POLICY own ON secret USING (true)",
     "resync=true part=[1, 1]\n"},
    {"a policy that is dropped", "secret", "", "", "DROP POLICY own ON public.secret",
     "resync=true part=[1, 1]\n"},
    {"a policy that is new", "secret", "", "",
     "CREATE POLICY own ON secret USING (owner = current_user)", "resync=true part=[1, 1]\n"},
    {"row-level security turned off and on", "secret", "",
     "ALTER TABLE secret DISABLE ROW LEVEL SECURITY",
     "ALTER TABLE secret ENABLE ROW LEVEL SECURITY", "resync=true part=[1, 1]\n"},
    {"a role that policies bind from now on", "secret", "",
     "INSERT INTO secret VALUES (1, 'nobody'); ALTER ROLE paos_event_user BYPASSRLS",
     "UPDATE secret SET owner = 'x'; COMMIT; ALTER ROLE paos_event_user NOBYPASSRLS;"
     " BEGIN; UPDATE secret SET owner = 'y'",
     "enter=[] change=[\"705:1\"] leave=[] part=[1, 1]\n"},
    {"a time without a zone is the subscriber's", "moment", "at >= '2020-01-01' and name like 'a%'",
     "SET timezone = 'America/New_York'",
     "INSERT INTO moment VALUES (1, '2019-12-31 23:00+00', 'a'),"
     " (2, '2020-01-01 01:00+00', 'a')",
     "enter=[\"716:2\"] change=[] leave=[] part=[1, 1]\n"},
    {"a date compared with a time", "moment", "day < at", "",
     "INSERT INTO moment VALUES (3, '2020-01-01', 'a', '2020-01-02')", "resync=true part=[1, 1]\n"},
    {"a condition that fails for a row", "person", "name like 'x\\'", "",
     "INSERT INTO person VALUES (1, 'xy', 1)", "resync=true part=[1, 1]\n"},
    {"a path that ends in another type", "person", "loves.name == '{'",
     "INSERT INTO odd VALUES (1, '{1}')", "INSERT INTO person VALUES (1, 'x', 1, '710:1')",
     "resync=true part=[1, 1]\n"},
    {"an attribute that may no longer be read", "lent", "age > 30",
     "INSERT INTO lent VALUES (1, 40)",
     "REVOKE SELECT (age) ON lent FROM paos_event_user; UPDATE lent SET age = 50",
     "resync=true ended=42501 part=[1, 1]\n"},
    {"another attribute", "lent", "", "",
     "REVOKE SELECT (age) ON lent FROM paos_event_user; INSERT INTO lent VALUES (2, 40)",
     "enter=[\"711:2\"] change=[] leave=[] part=[1, 1]\n"},
    {"a table that may no longer be read", "lent", "", "",
     "REVOKE SELECT ON lent FROM paos_event_user; INSERT INTO lent VALUES (3, 40)",
     "resync=true ended=42501 part=[1, 1]\n"},
    {"the same when it is emptied", "lent", "", "",
     "REVOKE SELECT ON lent FROM paos_event_user; TRUNCATE lent",
     "resync=true ended=42501 part=[1, 1]\n"},
    {"what nobody may read is in no event", "lent", "age > 30", "",
     "REVOKE SELECT ON lent FROM paos_event_user; INSERT INTO lent VALUES (3, 4)", ""},
    {"what no path asks for", "person", "loves.name == 'Sue'",
     "INSERT INTO person VALUES (1, 'Ann', 1, NULL), (2, 'Bob', 2, '701:1')",
     "UPDATE person SET name = 'Eve' WHERE id = 1; INSERT INTO person VALUES (3, 'Zoe')", ""},
    {"what a path did ask for", "person", "not loves.name == 'Sue'",
     "INSERT INTO person VALUES (1, 'Ann', 1, NULL), (2, 'Bob', 2, '701:1')",
     "UPDATE person SET name = 'Eve' WHERE id = 1", "resync=true part=[1, 1]\n"},
    {"an attribute of a class that a foreign key does not lead to", "city", "mayor.name == 'Sue'",
     "INSERT INTO odd VALUES (1, '{1}')", "UPDATE other SET name = 'Sue'", ""},
    {"the same of one that it leads to", "city", "mayor.name == 'Sue'",
     "INSERT INTO student VALUES (9, 'Ann')", "UPDATE student SET name = 'Sue'",
     "resync=true part=[1, 1]\n"},
    {"the object at the end given another key", "person", "loves.name == 'Sue'",
     "INSERT INTO person VALUES (1, 'Sue', 1, NULL), (2, 'Bob', 2, '701:1')",
     "UPDATE person SET id = 7 WHERE id = 1", "resync=true part=[1, 1]\n"},
    {"an object that the path ends at by now", "person", "loves.name is null",
     "INSERT INTO person VALUES (2, 'Bob', 2, '701:1')", "INSERT INTO person VALUES (1, 'Sue')",
     "resync=true part=[1, 1]\n"},
    {"a class that may not be read", "person", "loves.name == 'Sue'",
     "REVOKE SELECT ON other FROM paos_event_user", "UPDATE other SET name = 'Sue'", ""},
    {"policies that ask other tables", "secret2", "", "", "INSERT INTO secret2 VALUES (1)",
     "resync=true part=[1, 1]\n"},
};

static const char *const schema =
    "CREATE ROLE paos_event_user; CREATE TABLE person (id int PRIMARY KEY, name text, age int, "
    "loves paos.ref);"
    "SELECT paos.register_class('person', 701); CREATE TABLE student (school text) INHERITS "
    "(person);"
    "SELECT paos.register_class('student', 702);"
    "CREATE TABLE city (id int PRIMARY KEY, mayor int REFERENCES person ON DELETE CASCADE);"
    "SELECT paos.register_class('city', 703);"
    "CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
    "CREATE TABLE part_high (v text, id int NOT NULL); CREATE TABLE part_low PARTITION OF part FOR "
    "VALUES FROM (0) TO (100);"
    "ALTER TABLE part ATTACH PARTITION part_high FOR VALUES FROM (100) TO (200);"
    "SELECT paos.register_class('part', 704);"
    "CREATE TABLE secret (id int PRIMARY KEY, owner text); SELECT paos.register_class('secret', "
    "705);"
    "ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON secret USING (owner = "
    "current_user);"
    "CREATE TABLE secret2 (id int PRIMARY KEY); SELECT paos.register_class('secret2', 706);"
    "ALTER TABLE secret2 ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON secret2 USING (id IN "
    "(SELECT id FROM secret));"
    "CREATE TABLE fixed (id int PRIMARY KEY, age int); SELECT paos.register_class('fixed', 708);"
    "CREATE FUNCTION fix() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() < 2 "
    "THEN"
    " UPDATE fixed SET age = 20 WHERE id = new.id; END IF; RETURN NULL; END $$;"
    "CREATE TRIGGER a_fix AFTER INSERT OR UPDATE ON fixed FOR EACH ROW EXECUTE FUNCTION fix();"
    "CREATE TABLE seat (id int PRIMARY KEY, who text);"
    "SELECT paos.register_class('seat', 709);"
    "CREATE TABLE berth (id int PRIMARY KEY, who text); SELECT paos.register_class('berth', 713);"
    "CREATE FUNCTION make_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " DELETE FROM berth WHERE id = new.id; RETURN new; END $$;"
    "CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF old.who = 'back' "
    "THEN INSERT INTO berth VALUES (old.id, 'again'); END IF; RETURN NULL; END $$;"
    "CREATE TRIGGER a_room BEFORE INSERT ON berth FOR EACH ROW EXECUTE FUNCTION make_room();"
    "CREATE TRIGGER a_back AFTER DELETE ON berth FOR EACH ROW EXECUTE FUNCTION put_back();"
    "CREATE TABLE grown (id int PRIMARY KEY) PARTITION BY RANGE (id);"
    "CREATE TABLE grown_all PARTITION OF grown DEFAULT; INSERT INTO grown VALUES (1);"
    "SELECT paos.register_class('grown', 714); ALTER TABLE grown ADD COLUMN since int DEFAULT 5;"
    "CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE derived (s text) INHERITS (base);"
    "INSERT INTO derived VALUES (1); SELECT paos.register_class('base', 715);"
    "ALTER TABLE base ADD COLUMN since int DEFAULT 5;"
    "CREATE TABLE moment (id int PRIMARY KEY, at timestamptz, name text, day date);"
    "SELECT paos.register_class('moment', 716);"
    "CREATE TABLE odd (id int PRIMARY KEY, name int[]); SELECT paos.register_class('odd', 710);"
    "CREATE TABLE lent (id int PRIMARY KEY, age int); SELECT paos.register_class('lent', 711);"
    "CREATE TABLE other (id int PRIMARY KEY, name text); INSERT INTO other VALUES (1, 'x');"
    "SELECT paos.register_class('other', 712);"
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO paos_event_user;"
    "CREATE TABLE marker (id int PRIMARY KEY, n int); INSERT INTO marker VALUES (1, 0);"
    "SELECT paos.register_class('marker', 707); GRANT SELECT ON marker TO paos_event_user;"
    "CREATE FUNCTION shown(p jsonb) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN p ? 'resync' "
    "THEN 'resync=' || (p->>'resync') || coalesce(' ended=' || (p->>'ended'), '')"
    " ELSE format('enter=%s change=%s leave=%s', p->'enter', p->'change', p->'leave') END || "
    "format(' part=%s', p->'part') $$";

static PGconn *listener, *writer;

static long subscribe(const char *class, const char *query)
{
    PGresult *result = run(listener, "SELECT paos.subscribe('%s', $q$%s$q$)", class, query);
    long id = atol(PQgetvalue(result, 0, 0));

    PQclear(result);
    return id;
}

/* Appends to told what a payload says; false when it is the marker's. */
static bool append(char *told, size_t size, const char *payload, long request, long marker)
{
    char *literal = PQescapeLiteral(writer, payload, strlen(payload));
    PGresult *result = run(
        writer, "SELECT (p->>'request')::bigint, shown(p) FROM (SELECT %s::jsonb) v(p)", literal);
    long id = atol(PQgetvalue(result, 0, 0));

    if (id == request)
        snprintf(told + strlen(told), size - strlen(told), "%s\n", PQgetvalue(result, 0, 1));
    PQfreemem(literal);
    PQclear(result);
    return id != marker;
}

static bool run_case(const event_case *c, long marker)
{
    char told[4096] = "";
    bool more = true;
    long request;

    RUN(writer,
        "TRUNCATE person, city, part, secret, secret2, fixed, seat, odd, lent, berth;"
        " REVOKE SELECT ON lent FROM paos_event_user;"
        " GRANT SELECT (id, age) ON lent TO paos_event_user;"
        " GRANT SELECT ON other TO paos_event_user; UPDATE other SET name = 'x'; %s",
        c->before);
    request = subscribe(c->class, c->query);
    RUN(writer, "BEGIN; %s; COMMIT", c->work);
    RUN(writer, "UPDATE marker SET n = n + 1");
    while (more)
    {
        PGnotify *note = next_notification(listener);

        more = append(told, sizeof(told), note->extra, request, marker);
        PQfreemem(note);
    }
    if (strstr(told, "ended=") == NULL)
        RUN(listener, "SELECT paos.unsubscribe(%ld)", request);
    if (strcmp(told, c->expected) == 0)
        return true;
    printf("FAILED: %s\nexpected:\n%stold:\n%s", c->name, c->expected, told);
    return false;
}

/* Many refs: parts that say how many there are, each below what NOTIFY takes. */
static bool parts(long marker)
{
    char told[65536] = "";
    long request = subscribe("person", "age == 5");
    bool more = true;
    int n = 0;

    RUN(writer, "TRUNCATE person CASCADE");
    RUN(writer, "UPDATE marker SET n = n + 1");
    while (append(told, sizeof(told), next_notification(listener)->extra, 0, marker))
        ;
    RUN(writer, "INSERT INTO person SELECT g, 'x', 5 FROM generate_series(100000, 102999) g");
    RUN(writer, "UPDATE marker SET n = n + 1");
    while (more)
    {
        PGnotify *note = next_notification(listener);

        more = append(told, sizeof(told), note->extra, request, marker);
        n += more && strlen(note->extra) < 8000;
        PQfreemem(note);
    }
    RUN(listener, "SELECT paos.unsubscribe(%ld)", request);
    if (n > 3 && strstr(told, "part=[1, ") && strstr(told, "701:100000\"") &&
        strstr(told, "701:102999\""))
        return true;
    printf("FAILED: parts: %d\n", n);
    return false;
}

/* The figures have counted all of the cases before. */
static bool counted(void)
{
    PGresult *result = run(writer, "SELECT commits > 20 AND rows_matched > 3000 AND probes > 3000"
                                   " AND events >= 20 AND requests = 1 FROM paos.stats");
    bool ok = strcmp(PQgetvalue(result, 0, 0), "t") == 0;

    PQclear(result);
    if (!ok)
        printf("FAILED: paos.stats\n");
    return ok;
}

/* Two-phase commit: nothing at PREPARE, the event at COMMIT PREPARED, from another session. */
static bool prepared(long marker)
{
    PGconn *committer = PQconnectdb("");
    char told[4096] = "";
    long request = subscribe("person", "age == 5");
    bool more = true;

    RUN(writer, "TRUNCATE person CASCADE");
    RUN(writer, "UPDATE marker SET n = n + 1");
    while (append(told, sizeof(told), next_notification(listener)->extra, 0, marker))
        ;
    RUN(writer, "BEGIN; INSERT INTO person VALUES (1, 'x', 5); PREPARE TRANSACTION 'one'");
    RUN(writer, "BEGIN; INSERT INTO person VALUES (2, 'x', 5); PREPARE TRANSACTION 'two'");
    RUN(committer, "ROLLBACK PREPARED 'two'");
    RUN(committer, "COMMIT PREPARED 'one'");
    RUN(writer, "UPDATE marker SET n = n + 1");
    while (more)
        more = append(told, sizeof(told), next_notification(listener)->extra, request, marker);
    RUN(listener, "SELECT paos.unsubscribe(%ld)", request);
    PQfinish(committer);
    if (strcmp(told, "enter=[\"701:1\"] change=[] leave=[] part=[1, 1]\n") == 0)
        return true;
    printf("FAILED: prepared: told\n%s", told);
    return false;
}

static bool is_on(const char *setting)
{
    PGresult *result = run(writer, "SHOW %s", setting);
    bool on = PQgetvalue(result, 0, 0)[0] != '\0' && strcmp(PQgetvalue(result, 0, 0), "0") != 0;

    PQclear(result);
    return on;
}

int main(void)
{
    int passed = 0, failed = 0;
    long marker;

    listener = PQconnectdb("");
    writer = PQconnectdb("");
    if (PQstatus(listener) != CONNECTION_OK || PQstatus(writer) != CONNECTION_OK)
        die("connecting", listener);
    RUN(writer, "SET client_min_messages = warning; SET search_path = public, paos; %s", schema);
    RUN(listener, "SET search_path = public, paos; SET ROLE paos_event_user");
    marker = subscribe("marker", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    {
        bool ok = run_case(&cases[i], marker);

        passed += ok;
        failed += !ok;
    }
    if (parts(marker))
        passed++;
    else
        failed++;
    if (counted())
        passed++;
    else
        failed++;
    if (is_on("shared_preload_libraries") && is_on("max_prepared_transactions"))
    {
        bool ok = prepared(marker);

        passed += ok;
        failed += !ok;
    }
    PQfinish(listener);
    RUN(writer, "DROP OWNED BY paos_event_user; DROP ROLE paos_event_user");
    PQfinish(writer);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
