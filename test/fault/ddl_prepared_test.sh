#!/bin/bash
# Changes of tables in two phases: whether they are committed or not is open when
# requests are looked at, so both must be right afterwards.
. test/fault/tap.sh
. test/fault/cluster.sh

set_and_restart max_prepared_transactions=5
sql postgres "CREATE TABLE person (id int PRIMARY KEY, name text, age int); SELECT paos.register_class('person', 7)" >/dev/null
session listener
request=$(say listener "SELECT paos.subscribe('person', 'age > 30')")
like "a request" '^[0-9]+$' "$request"

# two_phases HOW SQL - prepared by one session, ended by another
two_phases()
{
    sql postgres "BEGIN; $2; PREPARE TRANSACTION 'change'"
    sql postgres "$1 PREPARED 'change'"
}

# told ID AGE - the row is written and told of
told()
{
    sql postgres "INSERT INTO person (id, age) VALUES ($1, $2)"
    await listener "\"enter\":\[\"7:$1\"\]"
}

two_phases COMMIT "ALTER TABLE person ALTER age TYPE bigint"
ok "another type, committed: told to look again" "\"request\":$request,\"resync\":true" \
    "$(await listener "\"request\":$request,\"resync\":true")"
ok "and goes on" '"enter":["7:1"]' "$(told 1 31)"
two_phases ROLLBACK "ALTER TABLE person ALTER age TYPE text"
ok "another type, rolled back: goes on" '"enter":["7:2"]' "$(told 2 32)"
two_phases ROLLBACK "ALTER TABLE person DROP COLUMN age"
ok "a column dropped, rolled back: goes on" '"enter":["7:3"]' "$(told 3 33)"
two_phases ROLLBACK "ALTER TABLE person RENAME age TO years"
ok "renamed, rolled back: has its name" "age > 30" "$(sql postgres "SELECT query FROM paos.requests")"
sql postgres "INSERT INTO person (id, age) VALUES (4, 30)"
ok "who does not match is not told of" '"enter":["7:5"]' "$(told 5 35)"
ok "indeed" 0 "$(grep -c '7:4' "$work/listener.out")"
two_phases COMMIT "ALTER TABLE person RENAME age TO years"
ok "renamed, committed: has the new one" "years > 30" "$(sql postgres "SELECT query FROM paos.requests")"
sql postgres "ALTER TABLE person ALTER years TYPE int"
sql postgres "INSERT INTO person (id, years) VALUES (6, 36)"
ok "and goes on" '"enter":["7:6"]' "$(await listener '"enter":\["7:6"\]')"
sql postgres "DROP TABLE person"
like "and ends with its table" '"ended":"42P01"' "$(await listener '"ended":"[^"]*"')"

# filed - how many requests are found by what the index has for this one, not at every row
filed()
{
    sql postgres "SELECT * FROM paos.explain('thing', 'size > 30')" | grep -oE '[0-9]+ others? like it'
}

# ends NAME SQL SQLSTATE - a new request on thing ends when this is committed
ends()
{
    local request
    request=$(say listener "SELECT paos.subscribe('thing', 'size > 30')")
    two_phases COMMIT "$2"
    ok "$1, committed: ends" "\"request\":$request,\"resync\":true,\"ended\":\"$3\"" \
        "$(await listener "\"request\":$request,\"resync\":true,\"ended\":\"[^\"]*\"")"
    ok "and is not there any more" 0 "$(sql postgres "SELECT count(*) FROM paos.requests WHERE request = $request")"
}

sql postgres "CREATE TABLE thing (id int PRIMARY KEY, size int); SELECT paos.register_class('thing', 8)" >/dev/null
request=$(say listener "SELECT paos.subscribe('thing', 'size > 30')")
sharp=$(filed)
two_phases ROLLBACK "ALTER TABLE thing ALTER size TYPE text"
ok "another type, rolled back: filed as before" "$sharp" "$(filed)"
two_phases COMMIT "ALTER TABLE thing ALTER size TYPE bigint"
ok "another type, committed: filed as before" "$sharp" "$(filed)"
say listener "SELECT paos.unsubscribe($request)" >/dev/null
ends "a column dropped" "ALTER TABLE thing DROP COLUMN size" 42703
sql postgres "ALTER TABLE thing ADD size int"
ends "a class that is none any more" "SELECT paos.unregister_class('thing')" 42704
sql postgres "SELECT paos.register_class('thing')" >/dev/null
ends "a table dropped" "DROP TABLE thing" 42P01
ok "nothing is left" 0 "$(sql postgres "SELECT count(*) FROM paos.prepared")"
done_testing
