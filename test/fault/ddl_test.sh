#!/bin/bash
# Changes of tables while others write and a session has requests: after each, what
# the session was told must add up to what the requests ask for. Requests that make
# no sense any more end with the reason, and leave nothing behind.
. test/fault/tap.sh

define()
{
    sql postgres "CREATE TABLE person (id int PRIMARY KEY, name text, nick text, age int);
        CREATE TABLE kid (toy text, PRIMARY KEY (id)) INHERITS (person);
        CREATE TABLE part (id int, v int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (26);
        CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (26) TO (51);
        CREATE TABLE marker (id int PRIMARY KEY, n int); INSERT INTO marker VALUES (1, 0);
        CREATE SEQUENCE writes; CREATE SCHEMA elsewhere"
    sql postgres "SELECT paos.register_class('person', 7), paos.register_class('part', 8),
        paos.register_class('marker', 9)" >/dev/null
    # A statement that fails, for what it names is changing, is no matter.
    sql postgres "CREATE FUNCTION write() RETURNS void LANGUAGE plpgsql AS \$\$
        DECLARE k int := 1 + floor(random() * 50); v int := floor(random() * 60);
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(1), nextval('writes');
            CASE floor(random() * 8)::int
            WHEN 0 THEN INSERT INTO person (id, name, nick, age) VALUES (k, 'n' || v % 5, 'n' || k % 5, v) ON CONFLICT DO NOTHING;
            WHEN 1 THEN INSERT INTO kid (id, name, age) VALUES (100 + k, 'n' || v % 5, v) ON CONFLICT DO NOTHING;
            WHEN 2 THEN UPDATE person SET age = v WHERE id IN (k, 100 + k);
            WHEN 3 THEN UPDATE person SET name = 'n' || v % 5 WHERE id IN (k, 100 + k);
            WHEN 4 THEN DELETE FROM person WHERE id IN (k, 100 + k);
            WHEN 5 THEN INSERT INTO part VALUES (k, v) ON CONFLICT DO NOTHING;
            WHEN 6 THEN UPDATE part SET v = 60 - part.v WHERE id = k;
            ELSE DELETE FROM part WHERE id = k;
            END CASE;
        END \$\$"
    # The answer, by the query as the list of requests has it now.
    sql postgres "CREATE FUNCTION answer(request bigint) RETURNS text LANGUAGE plpgsql AS \$\$
        DECLARE r record; refs text;
        BEGIN
            SELECT * INTO r FROM paos.requests q WHERE q.request = \$1;
            EXECUTE format('SELECT string_agg(paos.ref(t)::text, '' '' ORDER BY paos.ref(t)) FROM %s t WHERE t OPERATOR(paos.@@) %L',
                r.class, r.query) INTO refs;
            RETURN format('=answer %s= %s', \$1, refs);
        END \$\$"
}

writers=()
start_writer()
{
    yes "SELECT write();" | psql -Xqt >/dev/null 2>&1 &
    writers+=($!)
}

stop_writers()
{
    local pid
    for pid in ${writers[@]+"${writers[@]}"}
    do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    writers=()
}
trap 'stop_writers; rm -rf "$work"' EXIT

# As many more are written, committed or not.
let_write()
{
    sql postgres "DO \$\$ DECLARE n bigint := last_value FROM writes;
        BEGIN WHILE (SELECT last_value FROM writes) < n + $1 LOOP COMMIT; END LOOP; END \$\$"
}

# What the listener knows of a request: its last answer, and what it was told since.
known()
{
    awk -v request="$1" '
        function each(list, word,   i, n, refs) {
            if (!match($0, "\"" list "\":\\[[^]]*\\]"))
                return
            n = split(substr($0, RSTART, RLENGTH), refs, "\"")
            for (i = 4; i <= n; i += 2)
                if (word) known[refs[i]] = 1; else delete known[refs[i]]
        }
        index($0, "=answer " request "= ") == 1 {
            split("", known)
            for (i = 3; i <= NF; i++) known[$i] = 1
        }
        index($0, "\"request\":" request ",") { each("enter", 1); each("change", 1); each("leave", 0) }
        END { for (ref in known) print ref }' "$work/listener.out" | sort -t: -k1,1n -k2,2n | paste -sd ' '
}

# Has the listener been told to look again since it last asked?
must_ask()
{
    awk -v request="$1" '
        index($0, "=answer " request "= ") == 1 { must = 0 }
        index($0, "\"request\":" request ",\"resync\":true") { must = 1 }
        END { exit !must }' "$work/listener.out"
}

ask_again()
{
    local request
    for request in "${requests[@]}"
    do
        ! must_ask "$request" || say listener "SELECT answer($request)" >/dev/null
    done
}

# Everything committed so far has been told when the marker has.
markers=0
settle()
{
    markers=$((markers + 1))
    sql postgres "UPDATE marker SET n = n + 1"
    until [ "$(grep -c "\"request\":$marker," "$work/listener.out")" -ge $markers ]
    do
        say listener "SELECT WHERE false" >/dev/null || return
    done
}

# during NAME SQL - the change is made while others write, who go on for a while
during()
{
    local name=$1 request answers= told=
    shift
    let_write 40
    psql -Xq -v ON_ERROR_STOP=1 "${@/#/-c}" >"$work/ddl.out" 2>&1 || cat "$work/ddl.out" >&2
    settle
    ask_again
    let_write 120
    say holder "SELECT pg_advisory_lock(1)" >/dev/null
    settle
    ask_again
    for request in "${requests[@]}"
    do
        answers+=$(sql postgres "SELECT answer($request)" | sed 's/^=answer //')$'\n'
        told+="$request= $(known "$request")"$'\n'
    done
    say holder "SELECT pg_advisory_unlock(1)" >/dev/null
    ok "$name" "$answers" "$told"
}

define
session listener
session holder
requests=()
for question in "'person', 'age > 30'" "'person', 'name == \"n1\"'" "'person', 'name == \"n2\" or age in (1, 2, 3)'" \
    "'part', 'v < 20'" "'part', 'v == 7 or v >= 50'"
do
    requests+=("$(say listener "SELECT paos.subscribe($question)" | tail -n 1)")
done
marker=$(say listener "SELECT paos.subscribe('marker', 'n > 0')" | tail -n 1)
for request in "${requests[@]}"
do
    say listener "SELECT answer($request)" >/dev/null
done
start_writer
start_writer

during "nothing but writes" "SELECT"
during "a column is added" "ALTER TABLE person ADD COLUMN extra int DEFAULT 1"
during "and dropped" "ALTER TABLE person DROP COLUMN extra"
during "a column is renamed" "ALTER TABLE person RENAME age TO years"
ok "which the list of requests shows" "years > 30" \
    "$(sql postgres "SELECT query FROM paos.requests WHERE request = ${requests[0]}")"
during "and gets its name back" "ALTER TABLE person RENAME years TO age"
during "two columns exchange their names" "BEGIN" "ALTER TABLE person RENAME name TO other" \
    "ALTER TABLE person RENAME nick TO name" "ALTER TABLE person RENAME other TO nick" "COMMIT"
ok "and the request goes on with its own" "nick == 'n1'" \
    "$(sql postgres "SELECT query FROM paos.requests WHERE request = ${requests[1]}")"
during "a column gets another type" "ALTER TABLE person ALTER age TYPE bigint"
during "and another" "ALTER TABLE person ALTER age TYPE numeric"
during "in two steps, in one transaction" "BEGIN" "ALTER TABLE person ALTER age TYPE text" \
    "ALTER TABLE person ALTER age TYPE int USING age::int" "COMMIT"
during "changes are rolled back" "BEGIN" "ALTER TABLE person ALTER age TYPE text" "ALTER TABLE person DROP COLUMN nick" \
    "UPDATE person SET name = 'n1'" "ROLLBACK"
during "a class is renamed" "ALTER TABLE part RENAME TO piece" "ALTER TABLE piece RENAME TO part"
during "and put into another schema" "ALTER TABLE person SET SCHEMA elsewhere" "ALTER TABLE elsewhere.person SET SCHEMA public"
during "a partition is detached" "ALTER TABLE part DETACH PARTITION part_2"
during "written to on its own, and attached" "INSERT INTO part_2 VALUES (50, 7) ON CONFLICT (id) DO UPDATE SET v = 7" \
    "ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM (26) TO (51)"
during "a partition is truncated" "TRUNCATE part_1"
during "a child leaves" "ALTER TABLE kid NO INHERIT person"
during "and is back" "ALTER TABLE kid INHERIT person"
during "triggers are disabled and enabled" "ALTER TABLE person DISABLE TRIGGER ALL" "INSERT INTO person (id, name, nick, age) VALUES (900, 'n1', 'n1', 99)" \
    "ALTER TABLE person ENABLE TRIGGER ALL"
during "a table is rewritten" "ALTER TABLE kid SET UNLOGGED" "ALTER TABLE kid SET LOGGED"
during "VACUUM FULL and CLUSTER" "VACUUM FULL person" "CLUSTER person USING person_pkey"
during "TRUNCATE" "TRUNCATE person, kid CASCADE"

# ended NAME REQUEST PATTERN - the request has ended, and why
ended()
{
    like "$1" "$3" "$(await listener "\"request\":$2,\"resync\":true,\"ended\":.*\"author\"")"
}

sql postgres "ALTER TABLE person DROP COLUMN age"
ended "its column is dropped" "${requests[0]}" '"42703","reason":"attribute \\"age\\" of class \\"person\\" was dropped"'
ended "one of its columns" "${requests[2]}" '"42703"'
requests=("${requests[1]}" "${requests[3]}" "${requests[4]}")
during "the others go on" "SELECT"
stop_writers
like "who disables triggers is warned" 'WARNING:  01000: requests are not told of changes of "person" while its triggers are disabled' \
    "$(try postgres "ALTER TABLE person DISABLE TRIGGER paos_row; ALTER TABLE person ENABLE ALWAYS TRIGGER paos_row")"
sql postgres "BEGIN; ALTER TABLE person DROP CONSTRAINT person_pkey; ALTER TABLE person ADD PRIMARY KEY (id); COMMIT"
ok "a key that is made anew ends nothing" 1 "$(sql postgres "SELECT count(*) FROM paos.requests WHERE request = ${requests[0]}")"
sql postgres "ALTER TABLE person DROP CONSTRAINT person_pkey"
ended "the class has lost its key" "${requests[0]}" '"55000","reason":"class \\"person\\" has no single-column integer primary key any more"'
sql postgres "ALTER TABLE person ADD PRIMARY KEY (id)"

# No class for a moment, in which nobody notices what is written.
sql postgres "CREATE TABLE thing (id int PRIMARY KEY); SELECT paos.register_class('thing', 90)" >/dev/null
session renewed
request=$(say renewed "SELECT paos.subscribe('thing', '')")
sql postgres "BEGIN; SELECT paos.unregister_class('thing'); INSERT INTO thing VALUES (1);
    SELECT paos.register_class('thing', 90); COMMIT" >/dev/null
ok "a class that is none for a moment: told to look again" "\"request\":$request,\"resync\":true,\"author" \
    "$(await renewed "\"request\":$request,\"resync\":true,\"author")"
sql postgres "INSERT INTO thing VALUES (2)"
ok "and it goes on" '"enter":["90:2"]' "$(await renewed '"enter":\["90:2"\]')"
sql postgres "BEGIN; SELECT paos.unregister_class('thing'); SELECT paos.register_class('thing', 91); COMMIT" >/dev/null
like "another class ends it" '"42704","reason":"\\"thing\\" is not a class any more"' \
    "$(await renewed "\"request\":$request,\"resync\":true,\"ended\":.*\"author\"")"
sql postgres "DROP TABLE thing"

# Whatever way the table goes.
gone()
{
    local request
    sql postgres "CREATE SCHEMA IF NOT EXISTS going; DROP TABLE IF EXISTS going.thing;
        CREATE TABLE going.thing (id int PRIMARY KEY, ref int REFERENCES person);
        SELECT paos.register_class('going.thing', 20)" >/dev/null 2>&1
    request=$(say listener "SELECT paos.subscribe('going.thing', 'id > 0')" | tail -n 1)
    psql -Xq -v ON_ERROR_STOP=1 -c "$2" 2>/dev/null >/dev/null
    ended "$1" "$request" "$3"
}
gone "DROP TABLE" "DROP TABLE going.thing" '"42P01","reason":"the table of class 20 was dropped"'
gone "DROP SCHEMA" "DROP SCHEMA going CASCADE" '"42P01"'
gone "DROP OWNED" "CREATE ROLE going; ALTER TABLE going.thing OWNER TO going; DROP OWNED BY going; DROP ROLE going" '"42P01"'
gone "unregistered" "SELECT paos.unregister_class('going.thing')" '"42704","reason":"\\"thing\\" is not a class any more"'
gone "its number is another's" "BEGIN; DROP TABLE going.thing; CREATE TABLE going.thing (id int PRIMARY KEY);
    SELECT paos.register_class('going.thing', 20); COMMIT" '"42P01"'
sql postgres "DROP TABLE going.thing, part, marker; DROP TABLE person CASCADE" 2>/dev/null
await listener "\"request\":$marker,\"resync\":true,\"ended\"" >/dev/null
ok "nothing is left of classes and requests" "0 0 0 0" "$(sql postgres "SELECT format('%s %s %s %s',
    (SELECT count(*) FROM paos.class), (SELECT count(*) FROM paos.requests), (SELECT requests FROM paos.stats),
    (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'paos\\_%'))")"
done_testing
