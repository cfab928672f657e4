#!/bin/bash
# pg_upgrade, with linked files: classes, refs, sequences and durable requests are
# what they were; requests work at once. Old and new server are both private.
. test/fault/tap.sh
. test/fault/cluster.sh

# new_cluster NAME PORT - with the settings of the server that the program runs in;
# sets $directory
new_cluster()
{
    new_directory "$1"
    as_owner "$bindir/initdb" -D "$directory" -U "$PGUSER" -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    cp "$primary/paos.conf" "$directory/paos.conf"
    printf "port = %s\nshared_preload_libraries = 'paos'\n" "$2" >>"$directory/paos.conf"
    echo "include 'paos.conf'" >>"$directory/postgresql.conf"
    chown "$PGUSER" "$directory/paos.conf"
    servers+=("$directory")
}

on_upgraded()
{
    sql upgraded "$1"
}

state()
{
    on_upgraded "SELECT number, name, key, parent, sequence FROM paos.classes"
    on_upgraded "SELECT class, name, type, position, refers_to FROM paos.attributes"
    on_upgraded "SELECT paos.ref(p), p.* FROM person p ORDER BY id"
    on_upgraded "SELECT paos.fetch('7:1'), paos.fetch('person:2')"
    on_upgraded "SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
    on_upgraded "SELECT request, durable, class, query, pending FROM paos.requests"
    on_upgraded "SELECT number, change, leave FROM paos.event ORDER BY 1"
    on_upgraded "SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1"
    on_upgraded "SELECT extversion FROM pg_extension ORDER BY extname"
}

new_cluster old $((PGPORT + 1))
old=$directory
new_cluster new $((PGPORT + 2))
new=$directory
port=$PGPORT

control start "$old"
PGPORT=$((port + 1))
createdb upgraded
on_upgraded "CREATE EXTENSION paos; CREATE TABLE person (name text, loves paos.ref);
    CREATE TABLE student (school text) INHERITS (person);
    CREATE INDEX ON person (loves)"
on_upgraded "SELECT paos.register_class('person', 7), paos.register_class('student', 8);
    INSERT INTO person VALUES ('Sue', '7:2'), ('Bill', '8:3'); INSERT INTO student VALUES ('Ann', '7:1');
    SELECT paos.introduce('h', 1, 2, 'a')" >/dev/null
on_upgraded "SELECT paos.subscribe('person', 'name like \"S%\"', durable => 'billing')" >/dev/null
on_upgraded "UPDATE person SET name = 'Suzy' WHERE id = 1"
expected=$(state)
given=$(on_upgraded "SELECT max(paos.key(r)) FROM paos.register_objects('student', 5) r")
control stop "$old"

# It writes its logs below the directory it starts in.
upgrade()
{
    (cd "$new" && runner=(env PGHOST="$PGHOST" "$bindir/pg_upgrade" -b "$bindir" -B "$bindir" -d "$old" -D "$new"
        --link -p $((port + 1)) -P $((port + 2)) -s "$PGHOST" -U "$PGUSER")
    if [ "$(id -u)" = 0 ]
    then
        runuser -u "$PGUSER" -- "${runner[@]}"
    else
        "${runner[@]}"
    fi) >"$work/upgrade.log" 2>&1
    echo "status $?"
}
result=$(upgrade)
like "pg_upgrade" '^status 0$' "$result"
test "$result" = "status 0" || cat "$work/upgrade.log" "$new"/pg_upgrade_output.d/*/log/* >&2

control start "$new"
PGPORT=$((port + 2))
ok "everything is as it was" "$expected" "$(state)"
ok "the index of refs is used and right" "Sue" "$(on_upgraded "SET enable_seqscan = off;
    UPDATE person SET name = 'Sue' WHERE id = 1;
    SELECT name FROM person WHERE loves OPERATOR(paos.=) '7:2'")"
ok "ids go on" t "$(on_upgraded "SELECT min(paos.key(r)) > $given FROM paos.register_objects('person', 5) r")"
ok "what sessions said of themselves means nothing" 0 "$(on_upgraded "SELECT count(*) FROM paos.authors() WHERE application = 'a'")"
session live -d upgraded
say live "SELECT paos.subscribe('person', 'name == \"Bill\"')" >/dev/null
on_upgraded "DELETE FROM person WHERE id = 2"
ok "requests are told" '"leave":["7:2"]' "$(await live '"leave":\["7:2"\]')"
ok "durable ones have what came before and after" "{7:1}
{7:1}" "$(on_upgraded "SELECT coalesce(change, enter) FROM paos.pending('billing')")"
done_testing
