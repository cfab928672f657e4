#!/bin/bash
# A right that is granted in the moment its wait is given up: the session stands
# still while both happen, and must not hold what it says it did not get.
set -u

sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -c "$1"
}

# start NAME FD - a session that reads statements from the descriptor
start()
{
    mkfifo "$work/$1"
    psql -XAtq -f "$work/$1" >"$work/$1.out" 2>&1 &
    eval "exec $2>'$work/$1'"
}

# said NAME PATTERN - waits for a line of its answers
said()
{
    tail -n +1 -f --pid=$$ "$work/$1.out" | grep -qm1 "$2"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..2
sql "CREATE TABLE timeout_person (id int PRIMARY KEY); INSERT INTO timeout_person VALUES (1);"
object=$(sql "SELECT paos.register_class('timeout_person')"):1
start holder 6
start waiter 7
echo "SELECT 'held', paos.lock('$object');" >&6
said holder 'held|t'
echo "SELECT 'process', pg_backend_pid(); SELECT 'got', paos.lock('$object', wait => '1s');" >&7
said waiter process
backend=$(sed -n 's/process|//p' "$work/waiter.out")
until [ "$(sql "SELECT count(*) FROM paos.rights WHERE NOT granted")" = 1 ]
do
    :
done
kill -STOP "$backend"
echo "SELECT 'released', paos.release();" >&6
said holder released
# Its time runs out while it cannot look: SIGALRM (14) is pending then.
until (((0x$(sed -n 's/^ShdPnd:[[:space:]]*//p' "/proc/$backend/status") >> 13) & 1))
do
    :
done
kill -CONT "$backend"
said waiter got
got=$(sed -n 's/got|//p' "$work/waiter.out")
held=$(sql "SELECT count(*) > 0 FROM paos.rights")
if [ "$got" = "$held" ]
then
    echo "ok 1 - what it says it got is what it holds"
else
    echo "not ok 1 - it says $got, and holds: $held"
fi
exec 6>&- 7>&-
wait
if [ "$(sql "SELECT paos.lock('$object', wait => '10s')")" = t ]
then
    echo "ok 2 - the right can be taken afterwards"
else
    echo "not ok 2 - the right cannot be taken"
fi
sql "DROP TABLE timeout_person"
