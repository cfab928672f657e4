#!/bin/bash
# Two-phase commit: who is told, in which order, and what a request that a prepared
# transaction has woken is worth afterwards; with and without preloading.
. test/fault/tap.sh
. test/fault/cluster.sh
export PGOPTIONS="-c statement_timeout=60s"

# in_two_phases SQL - left prepared, as "change"
in_two_phases()
{
    sql postgres "BEGIN; $1; PREPARE TRANSACTION 'change'"
}

# told REQUEST ID - the last that was told of the request once all was told of this person
told()
{
    await listener "\"request\":$all,\"enter\":\[\"2:$2\"\]" >/dev/null
    grep -oE "\"request\":$1,\"(enter\":\[[^]]*\]|resync|pending)" "$work/listener.out" | tail -n 1
}

set_and_restart max_prepared_transactions=5
sql postgres "CREATE TABLE town (id int PRIMARY KEY, name text);
    CREATE TABLE person (id int PRIMARY KEY, name text, town int REFERENCES town);
    SELECT paos.register_class('town', 1), paos.register_class('person', 2);
    INSERT INTO town VALUES (1, 'Ulm'), (2, 'Bonn')" >/dev/null
session listener
path=$(say listener "SELECT paos.subscribe('person', 'town.name == \"Ulm\"')")
all=$(say listener "SELECT paos.subscribe('person', '')")

# --- paths ---------------------------------------------------------------------------

id=0
for end in ROLLBACK COMMIT
do
    in_two_phases "UPDATE town SET name = 'Ulm' WHERE id = 2"
    id=$((id + 1))
    sql postgres "INSERT INTO person VALUES ($id, 'Sue', 1)"
    ok "a path may lead through what is prepared" "\"request\":$path,\"resync" "$(told "$path" $id)"
    sql postgres "$end PREPARED 'change'"
    id=$((id + 1))
    sql postgres "INSERT INTO person VALUES ($id, 'Bob', 1)"
    ok "after $end PREPARED it is sure again" "\"request\":$path,\"enter\":[\"2:$id\"]" "$(told "$path" $id)"
done

# --- order ---------------------------------------------------------------------------

# Whoever cleans up after a commit must not be waited for by those who are told of it.
in_two_phases "INSERT INTO person VALUES (10, 'cause', 1)"
session locker
send locker "BEGIN; LOCK TABLE paos.prepared IN SHARE MODE"
until [ "$(sql postgres "SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted")" = 1 ]
do
    :
done
sql postgres "COMMIT PREPARED 'change'"
sql postgres "INSERT INTO person SELECT 11, 'effect', 1 FROM person WHERE id = 10"
say locker "COMMIT" >/dev/null
told "$all" 11 >/dev/null
ok "a cause is told before its effect" "2:10 2:11" \
    "$(grep -oE "\"request\":$all,\"enter\":\[\"2:1[01]\"" "$work/listener.out" | grep -oE '2:1[01]' | xargs)"

in_two_phases "INSERT INTO person VALUES (12, 'Ann', 1)"
sql postgres "COMMIT PREPARED 'change'"
ok "told of once" 1 "$(told "$all" 12 >/dev/null; grep -cE "\"request\":$all,\"enter\":\[\"2:12\"" "$work/listener.out")"
ok "nothing is left behind" 0 "$(sql postgres "SELECT count(*) FROM paos.prepared")"
in_two_phases "INSERT INTO person VALUES (13, 'Ann', 1)"
like "in a transaction block it is PostgreSQL's error" "ERROR:  25001" "$(try postgres "BEGIN; COMMIT PREPARED 'change'")"
like "of no such transaction too" "ERROR:  42704" "$(try postgres "COMMIT PREPARED 'none'")"
sql postgres "ROLLBACK PREPARED 'change'"
sql postgres "INSERT INTO person VALUES (14, 'Ann', 1)"
ok "what is rolled back is not told" "$(printf '"request":%s,"enter":["2:14"]' "$all")" "$(told "$all" 14)"
ok "nor kept" 0 "$(grep -cE '2:13' "$work/listener.out")"

like "what ends a request cannot be prepared" "ERROR:  cannot PREPARE a transaction that has begun or ended a request" \
    "$(say listener "BEGIN; SELECT paos.unsubscribe($path); PREPARE TRANSACTION 'change'")"
ok "which goes on" 1 "$(sql postgres "SELECT count(*) FROM paos.requests WHERE request = $path")"

# --- without preloading --------------------------------------------------------------

close locker
close listener
echo "shared_preload_libraries = ''" >>"$primary/paos.conf"
control restart "$primary"
session consumer
request=$(say consumer "SELECT paos.subscribe('person', '', durable => 'all')")
in_two_phases "INSERT INTO person VALUES (20, 'Ann', 1)"
PGOPTIONS="-c session_preload_libraries=paos" sql postgres "COMMIT PREPARED 'change'"
ok "who attends is woken by a session that has the library" "\"request\":$request,\"pending\":true" \
    "$(await consumer "\"request\":$request,\"pending\":true")"
ok "and finds the event" "{2:20}" "$(say consumer "SELECT enter FROM paos.pending('all')")"
say consumer "SELECT paos.subscribe('person', '')" >/dev/null
like "with a live request there is no preparing" "ERROR:  0A000" \
    "$(try postgres "BEGIN; INSERT INTO person VALUES (21, 'Ann', 1); PREPARE TRANSACTION 'change'")"
done_testing
