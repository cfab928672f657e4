#!/bin/bash
# A right ends with its holder: the client killed, its server process killed,
# the server restarted after that. Every wait is for the event itself.
set -u

sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -c "$1"
}

# ok NAME CONDITION-AS-SQL
count=0
ok()
{
    count=$((count + 1))
    if [ "$(sql "SELECT $2")" = t ]
    then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
    fi
}

# Starts a client that takes the right and stays connected; sets $client.
hold_right()
{
    mkfifo "$work/$1"
    psql -XAtq -f "$work/$1" >"$work/$1.out" 2>&1 &
    client=$!
    exec 7>"$work/$1"
    echo "SELECT paos.lock('$object');" >&7
    tail -n +1 -f --pid=$client "$work/$1.out" | grep -qm1 t
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..4
sql "CREATE TABLE fault_person (id int PRIMARY KEY, name text)"
sql "INSERT INTO fault_person VALUES (1, 'Sue')"
object=$(sql "SELECT paos.register_class('fault_person')"):1

hold_right client
kill -9 $client
wait $client 2>/dev/null
exec 7>&-
ok "the right of a killed client is given to the next" "paos.lock('$object', wait => '60s')"

hold_right server
ok "the right is held" "count(*) = 1 FROM paos.rights WHERE object OPERATOR(paos.=) '$object'"
kill -9 "$(sql "SELECT backend FROM paos.rights")"
exec 7>&-
wait $client 2>/dev/null
until sql "" 2>/dev/null
do
    pg_isready -q -t 60
done
ok "no right is left after a killed server process" "count(*) = 0 FROM paos.rights"
ok "the right can be taken" "paos.lock('$object', wait => '0')"
sql "DROP TABLE fault_person"
