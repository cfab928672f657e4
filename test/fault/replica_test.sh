#!/bin/bash
# Logical replication of class tables: requests on the replica hear of what is
# applied, from whichever server listens. Publisher and subscriber are databases of
# one server, which is all that replication needs.
. test/fault/tap.sh
. test/fault/cluster.sh

set_and_restart wal_level=logical
for database in published replica
do
    createdb $database
    sql $database "CREATE EXTENSION paos; CREATE TABLE person (id int PRIMARY KEY, name text, age int, loves paos.ref);
        CREATE TABLE student (school text) INHERITS (person)"
    sql $database "SELECT paos.register_class('person', 7), paos.register_class('student', 8)" >/dev/null
done
# The tables by name: all tables would be paos's own too.
sql published "INSERT INTO person VALUES (1, 'Sue', 27, '8:2'); INSERT INTO student VALUES (2, 'Bill', 51, '7:1', 'MIT');
    CREATE PUBLICATION people FOR TABLE person, student"
sql published "SELECT pg_create_logical_replication_slot('replica', 'pgoutput')" >/dev/null

session listener -d replica
request=$(say listener "SELECT paos.subscribe('person', 'age > 30')")
like "a request on the replica" '^[0-9]+$' "$request"
sql replica "CREATE SUBSCRIPTION replica CONNECTION 'host=$PGHOST port=$PGPORT user=$PGUSER dbname=published'
    PUBLICATION people WITH (create_slot = false)"

ok "the first copy is told" '"enter":["8:2"]' "$(await listener '"enter":\["8:2"\]')"
sql published "UPDATE person SET age = 31 WHERE id = 1"
ok "an update that is applied" '"enter":["7:1"]' "$(await listener '"enter":\["7:1"\]')"
ok "who wrote it: the apply worker" '"app":"logical replication worker' \
    "$(grep -o '"app":"logical replication worker' "$work/listener.out" | head -n 1)"
ok "refs are the same" "7:1 8:2" "$(sql replica "SELECT string_agg(paos.ref(p)::text, ' ' ORDER BY id) FROM person p")"
ok "and lead to the same" "Bill" "$(sql replica "SELECT loves OPERATOR(paos.->>) 'name' FROM person WHERE id = 1")"

# A right binds the writers of its own server, not what is applied.
session holder -d replica
ok "a right held on the replica" t "$(say holder "SELECT paos.lock('person:1')")"
like "keeps local writers off" '^ERROR:  55P03: ' "$(try replica "UPDATE person SET age = 0 WHERE id = 1")"
sql published "UPDATE person SET age = 32 WHERE id = 1"
ok "does not stop replication" '"change":["7:1"]' "$(await listener '"change":\["7:1"\]')"
ok "and is still held" 7:1 "$(sql replica "SELECT object FROM paos.rights WHERE granted")"

sql published "DELETE FROM person WHERE id = 1"
ok "a deletion" '"leave":["7:1"]' "$(await listener '"leave":\["7:1"\]')"
sql published "TRUNCATE person, student"
ok "TRUNCATE" '"resync":true' "$(await listener '"resync":true')"
sql published "BEGIN; INSERT INTO student VALUES (3, 'Ann', 40); INSERT INTO student VALUES (4, 'Eve', 41); COMMIT"
ok "a transaction is one event" '"enter":["8:3","8:4"]' "$(await listener '"enter":\["8:3","8:4"\]')"
ok "replica and source are the same" "$(sql published 'SELECT * FROM person ORDER BY id')" \
    "$(sql replica 'SELECT * FROM person ORDER BY id')"

sql replica "DROP SUBSCRIPTION replica" 2>/dev/null
done_testing
