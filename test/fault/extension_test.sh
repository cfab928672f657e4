#!/bin/bash
# DROP EXTENSION while sessions have requests, and CREATE EXTENSION again under the
# same sessions: whoever asked is told that it is over, and nothing of it is left.
. test/fault/tap.sh
export PGOPTIONS="-c statement_timeout=60s"

# ended NAME REQUEST - the last event of a request
ended()
{
    await "$1" "\"request\":$2,\"resync\":true,\"ended\":\"[^\"]*\",\"reason\":\"[^,]*,"
}

over='"resync":true,"ended":"42704","reason":"extension \"paos\" was dropped",'

make_classes()
{
    sql postgres "SELECT paos.register_class('person', 7)" >/dev/null
}

sql postgres "CREATE TABLE person (id int PRIMARY KEY, name text)"
make_classes

# rights - how many there are, whatever becomes of the extension
rights()
{
    sql postgres "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 28769 AND mode = 'ExclusiveLock'"
}

# --- rights, of a server that has no requests yet ---------------------------------------

sql postgres "INSERT INTO person VALUES (1, 'Sue'), (2, 'Bob')"
session idle
session busy
say idle "SELECT paos.lock('7:1')" >/dev/null
say busy "BEGIN; SELECT paos.lock('7:2')" >/dev/null
sql postgres "BEGIN; DROP EXTENSION paos CASCADE; ROLLBACK" 2>/dev/null
say idle "SELECT 1" >/dev/null
ok "rolled back, rights are as before" 2 "$(rights)"
sql postgres "DROP EXTENSION paos CASCADE; CREATE EXTENSION paos" 2>/dev/null
make_classes
until [ "$(rights)" = 1 ]
do
    :
done
ok "whoever is idle loses its right with the extension" 1 "$(sql postgres "UPDATE person SET name = 'Eve' WHERE id = 1 RETURNING 1")"
say busy "COMMIT; SELECT 1" >/dev/null
ok "and who is not with its transaction" 0 "$(rights)"
say idle "SELECT paos.lock('7:1')" >/dev/null
ok "rights can be had again" 1 "$(rights)"
say idle "SELECT paos.release()" >/dev/null
sql postgres "DELETE FROM person"

# --- a drop that comes to nothing -----------------------------------------------------

session listener
session consumer
session dropper
live=$(say listener "SELECT paos.subscribe('person', '')")
durable=$(say consumer "SELECT paos.subscribe('person', '', durable => 'all')")
like "with classes it takes CASCADE" "ERROR:  2BP01" "$(try postgres "DROP EXTENSION paos")"
say dropper "BEGIN; SAVEPOINT s; DROP EXTENSION paos CASCADE; ROLLBACK TO s; COMMIT" >/dev/null
say dropper "BEGIN; DROP EXTENSION paos CASCADE; ROLLBACK" >/dev/null
sql postgres "INSERT INTO person VALUES (1, 'Sue')"
ok "rolled back, it is as before" '"enter":["7:1"]' "$(await listener '"enter":\["7:1"\]')"
ok "for a durable request too" "{7:1}" "$(say consumer "SELECT enter FROM paos.pending('all')" | grep '^{[0-9]')"

# --- a drop ------------------------------------------------------------------------------

session late
say late "BEGIN" >/dev/null
second=$(say late "SELECT paos.subscribe('person', 'id > 5')")
send dropper "DROP EXTENSION paos CASCADE"
until [ "$(sql postgres "SELECT count(*) FROM pg_locks WHERE NOT granted")" = 1 ]
do
    :
done
say late "COMMIT" >/dev/null
ok "a request ends" "\"request\":$live,$over" "$(ended listener "$live")"
ok "a durable one too" "\"request\":$durable,$over" "$(ended consumer "$durable")"
ok "and one that was being made meanwhile" "\"request\":$second,$over" "$(ended late "$second")"
like "its functions are gone" "ERROR:  3F000" "$(try postgres "SELECT paos.subscribe('person', '')")"
sql postgres "INSERT INTO person VALUES (2, 'Ann')"
ok "the table is a plain one" 2 "$(sql postgres "SELECT count(*) FROM person")"

# --- and again -------------------------------------------------------------------------

sql postgres "CREATE EXTENSION paos"
make_classes
again=$(say listener "SELECT paos.subscribe('person', 'name == \"Bob\"')")
like "a session that was there begins anew" '^[0-9]+$' "$again"
ok "ids go on, so that none means another's request" yes "$([ "$again" -gt "$second" ] && echo yes)"
sql postgres "INSERT INTO person VALUES (3, 'Bob')"
ok "and is told" '"enter":["7:3"]' "$(await listener '"enter":\["7:3"\]')"
session other
durable=$(say other "SELECT paos.subscribe('person', '', durable => 'all')")
like "nobody attends to the name of old any more" '^[0-9]+$' "$durable"
say listener "INSERT INTO person VALUES (4, 'Bob')" >/dev/null
ok "which is told" "\"request\":$durable,\"pending\":true" "$(await other "\"request\":$durable,\"pending\":true")"
ok "and finds what was written since" "{7:4}" "$(say other "SELECT enter FROM paos.pending('all')" | grep '^{[0-9]')"
ok "there are these and no others" "$again $durable" "$(sql postgres "SELECT request FROM paos.requests" | xargs)"
ok "nothing is wrong" 0 "$(sql postgres "SELECT count(*) FROM paos.health() WHERE status = 'error'")"

# --- both at once, and nobody looks in between --------------------------------------------

say dropper "BEGIN; DROP EXTENSION paos CASCADE; CREATE EXTENSION paos" >/dev/null
say dropper "SELECT paos.register_class('person', 7); INSERT INTO person VALUES (5, 'Bob')" >/dev/null
like "no request begins in the transaction that drops" "ERROR:.*has dropped extension" \
    "$(say dropper "SAVEPOINT s; SELECT paos.subscribe('person', ''); ROLLBACK TO s")"
say dropper "COMMIT" >/dev/null
ok "dropped and made again, a request ends" "\"request\":$again,$over" "$(ended listener "$again")"
ok "and begins" '"enter":["7:6"]' "$(say listener "SELECT paos.subscribe('person', '')" >/dev/null
    sql postgres "INSERT INTO person VALUES (6, 'Eve')"
    await listener '"enter":\["7:6"\]')"

# --- in other ways ---------------------------------------------------------------------

# gone NAME SESSION SQL - what ends the requests too
gone()
{
    local request
    make_classes
    session "$2"
    request=$(say "$2" "SELECT paos.subscribe('person', '')")
    sql postgres "$3" 2>/dev/null
    ok "$1" "\"request\":$request,$over" "$(ended "$2" "$request")"
}

gone "dropped with what it needs" needing "DROP EXTENSION plpgsql CASCADE"
sql postgres "CREATE EXTENSION plpgsql; CREATE ROLE installer SUPERUSER; SET ROLE installer; CREATE EXTENSION paos"
gone "dropped with its owner's things" owned "DROP OWNED BY installer CASCADE"

# --- whatever the database's encoding ------------------------------------------------------

for encoding in SQL_ASCII LATIN1 KOI8R EUC_JP EUC_KR
do
    createdb --encoding=$encoding --locale=C --template=template0 "in_$encoding"
    ok "$encoding: the extension can be made" "t" \
        "$(sql "in_$encoding" "SET client_min_messages = warning; CREATE EXTENSION paos;
            SELECT status = 'ok' FROM paos.health() WHERE \"check\" = 'library'")"
done
done_testing
