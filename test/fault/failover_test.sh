#!/bin/bash
# A hot standby, and the same after the primary is lost: what can be read, what is
# refused and how, and that after promotion requests, rights and ids are as they
# should be. Replication is synchronous: a commit returns when the standby shows it.
. test/fault/tap.sh
. test/fault/cluster.sh

port=$((PGPORT + 1))
new_standby standby $port
sql postgres "ALTER SYSTEM SET synchronous_standby_names = '*'"
sql postgres "ALTER SYSTEM SET synchronous_commit = remote_apply"
sql postgres "SELECT pg_reload_conf()" >/dev/null
sql postgres "CREATE TABLE person (name text, age int, loves paos.ref);
    SELECT paos.register_class('person', 7);
    INSERT INTO person VALUES ('Sue', 27, '7:2'), ('Bill', 51, '7:1');
    CREATE TABLE student (school text) INHERITS (person);
    SELECT paos.register_class('student', 8)" >/dev/null

on_standby()
{
    PGPORT=$port sql postgres "$1"
}

refused()
{
    PGPORT=$port try postgres "$1"
}

# --- reading on the standby
session reader -p $port
ok "classes" "7|person
8|student" "$(say reader 'SELECT number, name FROM paos.classes')"
ok "queries" "Bill" "$(say reader "SELECT name FROM person p WHERE p OPERATOR(paos.@@) 'loves.name == \"Sue\"'")"
ok "objects" "Sue Bill" "$(say reader "SELECT (paos.fetch('person:1') ->> 'name') || ' ' || (SELECT loves OPERATOR(paos.->>) 'name' FROM person WHERE id = 1)")"
sql postgres "CREATE TABLE pet (id int PRIMARY KEY); SELECT paos.register_class('pet', 9)" >/dev/null
ok "a class that comes later is known" "9:1" "$(say reader "SELECT paos.ref('pet', 1)")"
ok "requests, rights and figures: there are none" "0 0 0" "$(say reader \
    "SELECT format('%s %s %s', (SELECT count(*) FROM paos.requests), (SELECT count(*) FROM paos.rights), (SELECT requests FROM paos.stats))")"
like "authors are made up" '"app": "psql"' "$(say reader "SELECT paos.introduce('h', 1, 2, 'a'); SELECT paos.author()")"

# --- refused on the standby: 25006, read_only_sql_transaction
like "subscribing" '^ERROR:  25006: .*during recovery' "$(refused "SELECT paos.subscribe('person', 'age > 30')")"
like "a durable one too" '^ERROR:  25006: ' "$(refused "SELECT paos.subscribe('person', 'age > 30', durable => 'd')")"
like "taking a right" '^ERROR:  25006: ' "$(refused "SELECT paos.lock('person:1')")"
like "registering classes" '^ERROR:  25006: ' "$(refused "SELECT paos.register_class('person')
    UNION ALL SELECT paos.register_class('person', 10)")"
like "registering objects" '^ERROR:  25006: ' "$(refused "SELECT paos.register_objects('person', 1)")"

# --- the primary is lost
session holder
say holder "SELECT paos.lock('person:1')" >/dev/null
live=$(say holder "SELECT paos.subscribe('person', 'age > 30')")
like "a live request on the primary" '^[0-9]+$' "$live"
sql postgres "SELECT paos.subscribe('person', 'age > 30', durable => 'billing')" >/dev/null
sql postgres "UPDATE person SET age = 52 WHERE id = 2"
given=$(sql postgres "SELECT max(paos.key(r)) FROM paos.register_objects('student', 5) r")
control stop "$primary" # fast: the standby has all of it
as_owner "$bindir/pg_ctl" promote -s -w -t 60 -D "$standby"
on_standby "ALTER SYSTEM RESET synchronous_standby_names"
on_standby "SELECT pg_reload_conf()" >/dev/null

ok "no rights are left" 0 "$(on_standby "SELECT count(*) FROM paos.rights")"
ok "nor live requests" 0 "$(on_standby "SELECT count(*) FROM paos.requests WHERE durable IS NULL")"
like "a session of the standby subscribes" '^[0-9]+$' \
    "$(say reader "SELECT paos.subscribe('person', 'age > 30')" | tail -n 1)"
on_standby "UPDATE person SET age = 53 WHERE id = 2"
ok "and is told" '"change":["7:2"]' "$(await reader '"change":\["7:2"\]')"
ok "the right can be taken" t "$(on_standby "SELECT paos.lock('person:1', '0')")"
ok "ids go on" t "$(on_standby "SELECT min(paos.key(r)) > $given FROM paos.register_objects('person', 5) r")"
ok "numbers of classes too" t "$(on_standby "CREATE TABLE later (id int PRIMARY KEY);
    SELECT paos.register_class('later') NOT IN (7, 8, 9)")"
ok "the durable request has the events of before and after" "{7:2}
{7:2}" "$(on_standby "SELECT change FROM paos.pending('billing')")"
done_testing
