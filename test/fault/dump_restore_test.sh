#!/bin/bash
# Classes, their numbers, refs and sequences come through a dump, plain and in
# parallel; triggers are there once, and what sessions said of themselves is not.
set -u

sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

count=0
ok()
{
    count=$((count + 1))
    if [ -n "$2" ] && [ "$2" = "$3" ]
    then
        echo "ok $count - $1"
        return
    fi
    echo "not ok $count - $1"
    diff <(echo "$2") <(echo "$3")
}

# Everything that must be the same in a copy.
state()
{
    sql "$1" "SELECT * FROM paos.classes"
    # A dump puts inherited columns first, so positions may change.
    sql "$1" "SELECT class, name, type, not_null, refers_to FROM paos.attributes ORDER BY class, name"
    sql "$1" "SELECT number, added FROM paos.class ORDER BY number"
    sql "$1" "SELECT paos.ref(p), p.* FROM dumped.person p ORDER BY id"
    sql "$1" "SELECT paos.fetch('dumped.person:1'), paos.fetch('78:3')"
    sql "$1" "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal
        ORDER BY tgrelid::regclass::text, tgname"
}

# Moves the sequences on, so it comes last.
next()
{
    sql "$1" "SELECT paos.register_objects('dumped.person', 2), paos.register_objects('dumped.\"odd Name\"', 2)"
    sql "$1" "CREATE TABLE dumped.another (id int PRIMARY KEY); SELECT paos.register_class('dumped.another')"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
createdb dump_source && createdb dump_plain && createdb dump_parallel || exit
sql dump_source "CREATE EXTENSION paos; CREATE SCHEMA dumped;
    CREATE TABLE dumped.person (name text, loves paos.ref);
    CREATE TABLE dumped.student (school text) INHERITS (dumped.person);
    CREATE TABLE dumped.\"odd Name\" (\"Key\" int PRIMARY KEY);
    CREATE TABLE dumped.gone (id int PRIMARY KEY);"
sql dump_source "SELECT paos.register_class('dumped.gone'), paos.register_class('dumped.person', 77);
    SELECT paos.register_class('dumped.\"odd Name\"', 5);
    CREATE TABLE dumped.phd () INHERITS (dumped.student);
    SELECT paos.register_class('dumped.student', 78); DROP TABLE dumped.gone;" >/dev/null
sql dump_source "INSERT INTO dumped.person VALUES ('Sue', '77:2'), ('Bill', '78:3');
    INSERT INTO dumped.student VALUES ('Ann', '77:1'); INSERT INTO dumped.\"odd Name\" VALUES (9);
    SELECT paos.register_objects('dumped.person', 5); SELECT paos.introduce('h', 1, 2, 'a')" >/dev/null
expected=$(state dump_source)

echo 1..6
pg_dump dump_source >"$work/plain.sql"
psql -Xq -v ON_ERROR_STOP=1 -d dump_plain -f "$work/plain.sql" >/dev/null
ok "plain dump" "$expected" "$(state dump_plain)"
pg_dump -Fd -j 2 -f "$work/dir" dump_source
pg_restore -j 2 -d dump_parallel "$work/dir"
ok "parallel dump" "$expected" "$(state dump_parallel)"
ok "live state is not dumped" 0 "$(sql dump_plain 'SELECT count(*) FROM paos.session')"
expected=$(next dump_source)
ok "keys and class numbers go on, plain" "$expected" "$(next dump_plain)"
ok "keys and class numbers go on, parallel" "$expected" "$(next dump_parallel)"
sql dump_plain "UPDATE dumped.person SET loves = NULL; SELECT paos.unregister_class('dumped.student');
    SELECT paos.unregister_class('dumped.person')" >/dev/null
ok "unregistering in the copy" "name,loves" "$(sql dump_plain "SELECT string_agg(attname, ',' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = 'dumped.person'::regclass AND attnum > 0 AND NOT attisdropped")"
for database in dump_source dump_plain dump_parallel
do
    dropdb $database
done
