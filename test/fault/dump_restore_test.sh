#!/bin/bash
# What a dump brings back, in each way there is to make and restore one: classes,
# their numbers, refs, sequences, durable requests with their events, privileges;
# triggers once; nothing of what lives in sessions. And that nobody is warned.
. test/fault/tap.sh

# Everything that must be the same in a copy.
state()
{
    sql "$1" "SELECT * FROM paos.classes"
    # A dump puts inherited columns first, so positions may change.
    sql "$1" "SELECT class, name, type, not_null, refers_to FROM paos.attributes ORDER BY class, name"
    sql "$1" "SELECT number, added FROM paos.class ORDER BY number"
    sql "$1" "SELECT paos.ref(p), p.* FROM dumped.person p ORDER BY id"
    sql "$1" "SELECT paos.fetch('dumped.person:1'), paos.fetch('78:3')"
    sql "$1" "SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal
        ORDER BY tgrelid::regclass::text, tgname"
    sql "$1" "SELECT request, durable, class, query, role, pending FROM paos.requests"
    sql "$1" "SELECT number, request, enter, change, leave, resync FROM paos.event ORDER BY number"
    sql "$1" "SELECT has_function_privilege('dump_reader', 'paos.fetch(paos.ref)', 'EXECUTE'),
        has_function_privilege('dump_other', 'paos.fetch(paos.ref)', 'EXECUTE')"
    sql "$1" "SELECT count(*) FROM paos.session"
}

# Ids, numbers of classes and events go on: moves the sequences on, so it comes last.
next()
{
    sql "$1" "SELECT paos.register_objects('dumped.person', 2), paos.register_objects('dumped.student', 1),
        paos.register_objects('dumped.\"odd Name\"', 2)"
    sql "$1" "CREATE TABLE dumped.another (id int PRIMARY KEY); SELECT paos.register_class('dumped.another')"
    sql "$1" "UPDATE dumped.person SET name = 'Susan' WHERE id = 1"
    sql "$1" "SELECT change, number > 1 FROM paos.pending('billing')"
    sql "$1" "UPDATE dumped.person SET name = 'Bob' WHERE id = 2"
    sql "$1" "SELECT resync FROM paos.pending('path')"
}

create_source()
{
    createdb dump_source || exit
    sql dump_source "CREATE EXTENSION paos; CREATE SCHEMA dumped;
        CREATE TABLE dumped.person (name text, loves paos.ref);
        CREATE TABLE dumped.student (school text) INHERITS (dumped.person);
        CREATE TABLE dumped.\"odd Name\" (\"Key\" int PRIMARY KEY);
        CREATE TABLE dumped.gone (id int PRIMARY KEY);
        CREATE TABLE dumped.part (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE dumped.part_1 PARTITION OF dumped.part FOR VALUES FROM (1) TO (10);
        REVOKE EXECUTE ON FUNCTION paos.fetch(paos.ref) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION paos.fetch(paos.ref) TO dump_reader"
    sql dump_source "SELECT paos.register_class('dumped.gone'), paos.register_class('dumped.person', 77);
        SELECT paos.register_class('dumped.\"odd Name\"', 5), paos.register_class('dumped.part', 6);
        CREATE TABLE dumped.phd () INHERITS (dumped.student);
        SELECT paos.register_class('dumped.student', 78); DROP TABLE dumped.gone" >/dev/null
    sql dump_source "INSERT INTO dumped.person VALUES ('Sue', '77:2'), ('Bill', '78:3');
        INSERT INTO dumped.student VALUES ('Ann', '77:1'); INSERT INTO dumped.phd VALUES ('Eve');
        INSERT INTO dumped.\"odd Name\" VALUES (9); INSERT INTO dumped.part VALUES (1);
        SELECT paos.register_objects('dumped.person', 5); SELECT paos.introduce('h', 1, 2, 'a')" >/dev/null
    sql dump_source "SELECT paos.subscribe('dumped.person', 'name like \"S%\"', durable => 'billing')" >/dev/null
    sql dump_source "SELECT paos.subscribe('dumped.person', 'loves.name == \"Bob\"', durable => 'path')" >/dev/null
    sql dump_source "UPDATE dumped.person SET name = 'Suzy' WHERE id = 1"
}

plain()
{
    pg_dump dump_source | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null
}

custom()
{
    pg_dump -Fc -f "$work/custom" dump_source && pg_restore -j 4 -d "$1" "$work/custom"
}

directory()
{
    pg_dump -Fd -j 4 -f "$work/directory" dump_source && pg_restore -j 4 -d "$1" "$work/directory"
}

# The extension belongs to no schema, so it has to be asked for.
one_schema()
{
    pg_dump -n dumped -e paos dump_source | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null
    # A dump of one schema leaves out privileges of functions in another.
    sql "$1" "REVOKE EXECUTE ON FUNCTION paos.fetch(paos.ref) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION paos.fetch(paos.ref) TO dump_reader"
}

in_halves()
{
    pg_dump -s dump_source | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null &&
        pg_dump -a dump_source | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null
}

# Into a database that has the extension, but no classes yet.
installed_already()
{
    sql "$1" "CREATE EXTENSION paos"
    pg_dump dump_source | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null
}

# Over a copy that has been used. pg_dump cannot clean a partition whose primary key is
# its parent's.
use()
{
    sql "$1" "SELECT paos.register_objects('dumped.person', 9); DROP TABLE dumped.part;
        UPDATE dumped.person SET name = 'Sandy' WHERE id = 1; DELETE FROM dumped.person WHERE id = 2;
        SELECT paos.acknowledge('billing', max(number)) FROM paos.pending('billing')"
}

clean()
{
    plain "$1" && use "$1" >/dev/null
    pg_dump --clean --if-exists dump_source | psql -Xq -v ON_ERROR_STOP=1 -d "$1" >/dev/null
}

clean_parallel()
{
    custom "$1" && use "$1" >/dev/null
    pg_restore --clean --if-exists -j 4 -d "$1" "$work/custom"
}

# pg_dump records no order among an extension's tables, so that a parallel restore may
# load any of them last: here events, then durable requests, then classes.
any_order()
{
    pg_dump -Fc -f "$work/any" dump_source
    pg_restore -l "$work/any" >"$work/list"
    grep -v 'TABLE DATA paos' "$work/list" | sed '/TABLE DATA dumped odd/q' >"$work/order"
    for table in event durable class
    do
        grep "TABLE DATA paos $table " "$work/list"
    done >>"$work/order"
    grep -v 'TABLE DATA paos' "$work/list" | sed '1,/TABLE DATA dumped odd/d' >>"$work/order"
    pg_restore -L "$work/order" -d "$1" "$work/any"
}

ways="plain custom directory one_schema in_halves installed_already any_order clean clean_parallel"
psql -Xq -c "CREATE ROLE dump_reader" -c "CREATE ROLE dump_other"
create_source
expected=$(sql dump_source "DELETE FROM paos.session"; state dump_source)
sql dump_source "SELECT paos.introduce('h', 1, 2, 'a')" >/dev/null
for way in $ways
do
    createdb "dump_$way"
    ok "$way: without a warning" "status 0" "$($way "dump_$way" 2>&1; echo "status $?")"
    ok "$way: is the same" "$expected" "$(state "dump_$way")"
done
expected=$(next dump_source)
for way in $ways
do
    ok "$way: ids, numbers and events go on" "$expected" "$(next "dump_$way")"
done

# Without the extension, tables come with their triggers and are made classes again.
createdb dump_tables && sql dump_tables "CREATE EXTENSION paos"
pg_dump -n dumped dump_source | psql -Xq -v ON_ERROR_STOP=1 -d dump_tables >/dev/null
sql dump_tables "SELECT paos.register_class('dumped.person', 77)" >/dev/null
ok "tables alone: registered again, triggers are there once" "77:1|2" "$(sql dump_tables \
    "SELECT paos.ref(p), (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'dumped.person'::regclass)
     FROM dumped.person p WHERE id = 1")"

sql dump_plain "UPDATE dumped.person SET loves = NULL; SELECT paos.unregister_class('dumped.student');
    SELECT paos.unregister_class('dumped.person')" >/dev/null
ok "unregistering in the copy" "name,loves" "$(sql dump_plain "SELECT string_agg(attname, ',' ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = 'dumped.person'::regclass AND attnum > 0 AND NOT attisdropped")"
ok "leaves no trigger behind" "0" "$(sql dump_plain "SELECT count(*) FROM pg_trigger
    WHERE tgname LIKE 'paos%' AND tgrelid IN ('dumped.person'::regclass, 'dumped.phd'::regclass)")"
for way in $ways tables source
do
    dropdb "dump_$way"
done
psql -Xq -c "DROP ROLE dump_reader, dump_other"
done_testing
