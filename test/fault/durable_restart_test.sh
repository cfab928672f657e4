#!/bin/bash
# Durable requests over restarts of the server: the first write finds them, when
# nobody has subscribed and shared memory is empty; what is pending and what was
# prepared is there; writers wait for nobody.
. test/fault/tap.sh
export PGOPTIONS="-c client_min_messages=error -c statement_timeout=60s"

as_owner()
{
    if [ "$(id -u)" = 0 ]
    then
        (cd / && exec runuser -u "$PGUSER" -- "$@")
    else
        "$@"
    fi
}

restart()
{
    local data bindir
    data=$(sql postgres "SHOW data_directory")
    bindir=$(${PG_CONFIG:-pg_config} --bindir)
    as_owner "$bindir/pg_ctl" restart -s -w -m "$1" -D "$data" -l "$data/../log" >/dev/null
}

# keys NAME - of the objects pending, in order, an event in each pair of brackets
keys()
{
    sql postgres "SELECT string_agg('[' || CASE WHEN p.resync THEN 'resync' ELSE array_to_string(ARRAY(
        SELECT paos.key(r) FROM unnest(p.enter || p.change || p.leave) r ORDER BY 1), ' ') END || ']', ''
        ORDER BY p.number) FROM paos.pending('$1') p"
}

acknowledge()
{
    sql postgres "SELECT paos.acknowledge('$1', max(number)) FROM paos.pending('$1')" >/dev/null
}

# A session in the background: begin NAME; tell NAME SQL; end NAME
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

begin()
{
    mkfifo "$work/$1.in"
    psql -XAtq -d postgres -f "$work/$1.in" >"$work/$1" 2>&1 &
    eval "exec {$1}>\"$work/$1.in\""
}

tell()
{
    local fd=${!1} mark=done-$RANDOM$RANDOM
    printf '%s\n\\echo %s\n' "$2" $mark >&"$fd"
    until grep -q "^$mark" "$work/$1"
    do
        :
    done
}

end()
{
    local fd=${!1}
    echo '\q' >&"$fd"
    exec {fd}>&-
}

sql postgres "CREATE TABLE person (id int PRIMARY KEY, name text, age int, loves paos.ref);
    CREATE TABLE town (id int PRIMARY KEY, name text);
    SELECT paos.register_class('person'), paos.register_class('town')" >/dev/null
sql postgres "SELECT paos.subscribe('person', 'age > 30', durable => 'old'),
    paos.subscribe('person', 'name == \"Sue\"', durable => 'sue'),
    paos.subscribe('town', '', durable => 'town'),
    paos.subscribe('person', 'loves.name == \"Sue\"', durable => 'lover')" >/dev/null
sql postgres "INSERT INTO person VALUES (1, 'Sue', 20), (2, 'Bob', 40)"
ok "found while the server goes on" '[2] [1]' "$(keys old) $(keys sue)"

sql postgres "ALTER SYSTEM SET max_prepared_transactions = 5"
restart fast
sql postgres "INSERT INTO person VALUES (3, 'Sue', 50)"
ok "found by the first write after a restart" '[2][3] [1][3]' "$(keys old) $(keys sue)"
restart immediate
sql postgres "UPDATE person SET age = age + 1 WHERE id = 3"
ok "and after a crash" '[2][3][3] [1][3][3]' "$(keys old) $(keys sue)"
ok "numbers go on" t "$(sql postgres "SELECT bool_and(number > coalesce(before, 0)) FROM
    (SELECT number, lag(number) OVER (ORDER BY at) AS before FROM paos.pending('old')) n")"
acknowledge old
acknowledge sue
restart immediate
ok "what is acknowledged is gone for good" 0 "$(sql postgres "SELECT count(*) FROM paos.pending('old')")"

# The first writer keeps its transaction open, the second does not wait; the first one then fails.
restart fast
begin first
tell first "BEGIN; INSERT INTO person VALUES (4, 'Sue', 60);"
sql postgres "INSERT INTO person VALUES (5, 'Sue', 70)"
ok "the second writer does not wait for the first" '[5]' "$(keys old)"
tell first "ROLLBACK;"
end first
sql postgres "INSERT INTO person VALUES (6, 'Ann', 80)"
ok "the requests stay when the first is rolled back" '[5][6]' "$(keys old)"
acknowledge old

# A table that is being changed keeps no writer of another one waiting, though a request with a path
# is filed by the shapes of all classes.
restart fast
begin change
tell change "BEGIN; LOCK TABLE town IN ACCESS EXCLUSIVE MODE;"
sql postgres "INSERT INTO person VALUES (7, 'Ann', 81)"
ok "nobody waits for who changes another table" '[7]' "$(keys old)"
tell change "COMMIT;"
end change
sql postgres "INSERT INTO town VALUES (1, 'Ulm')"
ok "whose requests are found all the same" '[1]' "$(keys town)"
acknowledge old

# Nor is a path forgotten when the class of the request itself is the locked one.
restart fast
begin change
tell change "BEGIN; LOCK TABLE person IN ACCESS EXCLUSIVE MODE;"
sql postgres "INSERT INTO town VALUES (2, 'Bonn')"
tell change "COMMIT;"
end change
sql postgres "UPDATE person SET loves = paos.ref('person', 1) WHERE id = 2"
acknowledge lover
sql postgres "UPDATE person SET name = 'Susan' WHERE id = 1"
ok "a path is found though its class was locked when it was filed" '[resync]' "$(keys lover)"
acknowledge old

# What was prepared before comes after, with a lower number.
sql postgres "BEGIN; INSERT INTO person VALUES (8, 'Ann', 82); PREPARE TRANSACTION 'before'"
restart immediate
sql postgres "INSERT INTO person VALUES (9, 'Ann', 83)"
ok "not committed yet" '[9]' "$(keys old)"
begin reader
tell reader "SELECT count(*) FROM paos.pending('old');"
sql postgres "COMMIT PREPARED 'before'"
tell reader "SELECT paos.acknowledge('old', 9223372036854775807);"
tell reader "SELECT 'left ' || count(*) FROM paos.pending('old');"
like "what appeared with a lower number is not acknowledged unseen" 'left 1' "$(cat "$work/reader")"
end reader
until [ "$(sql postgres "SELECT paos.attend('old', '0')")" = t ]
do
    :
done
ok "and is there" '[8]' "$(keys old)"
acknowledge old

# A query that makes no sense any more fails no writer.
sql postgres "SELECT paos.subscribe('town', 'name == \"Ulm\"', durable => 'name')" >/dev/null
sql postgres "ALTER TABLE town DROP COLUMN name" 2>/dev/null
restart fast
sql postgres "INSERT INTO town VALUES (3)"
ok "a write to a class of a request that makes no sense any more" 3 "$(sql postgres "SELECT count(*) FROM town")"

# Its client killed, a session that stands by takes over; no name is held for ever.
begin holder
tell holder "SELECT paos.attend('old'), pg_backend_pid() AS pid \\gset"
tell holder "\\echo pid :pid"
begin standby
fd=$standby
printf "SELECT 'over' FROM paos.attend('old');\n" >&"$fd"
until [ "$(sql postgres "SELECT count(*) FROM pg_locks WHERE objsubid = 28770 AND NOT granted")" = 1 ]
do
    :
done
sql postgres "SELECT pg_terminate_backend($(sed -n 's/^pid //p' "$work/holder"))" >/dev/null
tell standby "SELECT 1;"
like "who stands by takes over" over "$(cat "$work/standby")"
ok "and no third one" 55006 "$(psql -XAtq -d postgres -v VERBOSITY=sqlstate \
    -c "SELECT paos.attend('old', '0')" -c "SELECT * FROM paos.pending('old')" 2>&1 | sed -n 's/.*ERROR:  //p')"
ok "nor one that does not wait for long" f "$(sql postgres "SELECT paos.attend('old', '10 ms')")"
end standby
done_testing
