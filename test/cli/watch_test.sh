#!/bin/bash
# `paos watch` with a writer beside it: the answer, events, and every way to end it.
# Each wait is for a line of output or for the end of a process.
. "${0%/*}/cli.sh"

# start NAME ARGUMENT... - a watch in the background ($watch), its lines on descriptor 7;
# it is watching once the answer has been read
start()
{
    local name=$1
    shift
    rm -f "$work/lines"
    mkfifo "$work/lines"
    paos watch "$@" >"$work/lines" 2>"$work/err" &
    watch=$!
    exec 7<"$work/lines"
    last=$name
}

# expect EXPECTED - the next lines, without the time of day and with other numbers as N
expect()
{
    local n line got=
    for ((n = $(wc -l <<<"$1"); n > 0; n--))
    do
        IFS= read -r -t 60 line <&7 || break
        got+=${got:+$'\n'}$line
    done
    got=$(sed -E 's/^[0-9:]{8} //; s/pid [0-9]+/pid N/; s/"(request|pid)":[0-9]+/"\1":N/g; s/"xid":"[0-9]+"/"xid":"N"/' <<<"$got")
    same "$last" "$1" "$got"
}

# ended STATUS - the watch ends like that, with nothing more to say
ended()
{
    local status=0 rest
    wait $watch || status=$?
    rest=$(cat <&7)
    exec 7<&-
    same "$last: ends" "$1" "$status $(cat "$work/err")$rest"
}

# The requests of the database, once there are as many.
wait_for_requests()
{
    until [ "$(sql 'SELECT count(*) FROM paos.requests')" = "$1" ]
    do
        :
    done
}

write()
{
    sql "SELECT paos.introduce('desk', 771, 1000, 'editor'); $1" >/dev/null
}

sql "CREATE TABLE person (id int PRIMARY KEY, name text, age int)"
sql "SELECT paos.register_class('person', 8); INSERT INTO person VALUES (1, 'Sue', 41), (2, 'Bill', 29)" >/dev/null

start "the answer" person 'age > 30'
expect " ref | id | name | age
-----+----+------+-----
 8:1 |  1 | Sue  |  41
(1 object)"
last="an object enters"
write "INSERT INTO person VALUES (3, E'A\\x1bnn', 33)"
expect 'editor (host desk, pid N, uid 1000)
  + 8:3  id 3, name A\x1Bnn, age 33'
last="an object changes"
write "UPDATE person SET age = age + 1, name = NULL WHERE id = 1"
expect "editor (host desk, pid N, uid 1000)
  ~ 8:1  name Sue -> null, age 41 -> 42"
last="written as it was"
write "UPDATE person SET age = age WHERE id = 1"
expect "editor (host desk, pid N, uid 1000)
  ~ 8:1  written, nothing is different"
last="an object leaves"
write "UPDATE person SET age = 3 WHERE id = 1"
expect "editor (host desk, pid N, uid 1000)
  - 8:1  age 42 -> 3"
last="an object is deleted"
write "DELETE FROM person WHERE id = 3"
expect 'editor (host desk, pid N, uid 1000)
  - 8:3  deleted; was id 3, name A\x1Bnn, age 33'
last="several at once"
write "UPDATE person SET age = 50; INSERT INTO person VALUES (4, 'Ann', 60); DELETE FROM person WHERE id = 4"
expect "editor (host desk, pid N, uid 1000)
  + 8:1  id 1, age 50
  + 8:2  id 2, name Bill, age 50"
last="an interrupt"
kill -INT $watch
ended "0 "

start "JSON" person 'name == $1' Bill --json
expect '{"request":N,"answer":[{"ref":"8:2","class":"public.person","values":{"id":2,"name":"Bill","age":50}}]}'
last="an event as JSON"
write "UPDATE person SET age = 51 WHERE name = 'Bill'"
expect '{"request":N,"resync":false,"ended":false,"enter":[],"change":[{"ref":"8:2","class":"public.person","values":{"id":2,"name":"Bill","age":51}}],"leave":[],"author":{"host":"desk","pid":N,"uid":1000,"app":"editor"},"xid":"N"}'
last="TRUNCATE makes it look again"
write "TRUNCATE person"
expect '{"request":N,"resync":true,"ended":false,"enter":[],"change":[],"leave":[{"ref":"8:2","class":"public.person","values":{}}],"author":{"host":"desk","pid":N,"uid":1000,"app":"editor"},"xid":"N"}'
last="an author of no known user"
sql "INSERT INTO person VALUES (2, 'Bill', 1)"
expect '{"request":N,"resync":false,"ended":false,"enter":[{"ref":"8:2","class":"public.person","values":{"id":2,"name":"Bill","age":1}}],"change":[],"leave":[],"author":{"host":"local","pid":N,"uid":null,"app":"psql"},"xid":"N"}'
sql "DELETE FROM person"
read -r -t 60 line <&7
last="SIGTERM"
kill -TERM $watch
ended "0 "

start "colours" person --color=always --count 2
expect "$(printf '\033[1m ref | id | name | age\033[0m
-----+----+------+-----
(0 objects)')"
write "INSERT INTO person VALUES (1, 'Sue', 27)"
last="a green plus"
read -r -t 60 line <&7
expect "$(printf '  \033[32m+ 8:1\033[0m  \033[2mid\033[0m 1, \033[2mname\033[0m Sue, \033[2mage\033[0m 27')"
write "DELETE FROM person"
last="a red minus, and the count is over"
read -r -t 60 line <&7
expect "$(printf '  \033[31m- 8:1\033[0m  deleted; was \033[2mid\033[0m 1, \033[2mname\033[0m Sue, \033[2mage\033[0m 27')"
ended "0 "

start "looking again" person --count 2
expect " ref | id | name | age
-----+----+------+-----
(0 objects)"
write "INSERT INTO person VALUES (1, 'Sue', 27)"
write "TRUNCATE person"
last="says who made it look again"
expect "editor (host desk, pid N, uid 1000)
  + 8:1  id 1, name Sue, age 27
editor (host desk, pid N, uid 1000): looked again
  - 8:1  deleted; was id 1, name Sue, age 27"
ended "0 "

start "once" person --json --once
expect '{"request":N,"answer":[]}'
write "INSERT INTO person VALUES (1, 'Sue', 27)"
expect '{"request":N,"resync":false,"ended":false,"enter":[{"ref":"8:1","class":"public.person","values":{"id":1,"name":"Sue","age":27}}],"change":[],"leave":[],"author":{"host":"desk","pid":N,"uid":1000,"app":"editor"},"xid":"N"}'
ended "0 "

# The reader goes while nothing happens: no event is needed to notice it.
wait_for_requests 0
start "the reader goes" person --json
expect '{"request":N,"answer":[{"ref":"8:1","class":"public.person","values":{"id":1,"name":"Sue","age":27}}]}'
exec 7<&-
exec 7</dev/null
ended "0 "
wait_for_requests 0
report "no request is left behind" $?

paos watch person 2>"$work/err" | head -n 1 >/dev/null
same "a pipe that closes" "0 " "${PIPESTATUS[0]} $(cat "$work/err")"
status=0
paos watch person >/dev/full 2>"$work/err" || status=$?
same "a full disk" "1 paos: could not write the output: No space left on device" "$status $(cat "$work/err")"

start "the server process goes" person --json --count 1
expect '{"request":N,"answer":[{"ref":"8:1","class":"public.person","values":{"id":1,"name":"Sue","age":27}}]}'
backend=$(sql "SELECT pid FROM pg_stat_activity WHERE pid IN (SELECT backend FROM paos.requests)")
sql "SELECT pg_terminate_backend($backend)" >/dev/null
until [ "$(sql "SELECT count(*) FROM paos.requests WHERE backend <> $backend")" = 1 ]
do
    :
done
last="and another goes on"
write "UPDATE person SET age = 28"
expect '{"request":N,"resync":false,"ended":false,"enter":[],"change":[{"ref":"8:1","class":"public.person","values":{"id":1,"name":"Sue","age":28}}],"leave":[],"author":{"host":"desk","pid":N,"uid":1000,"app":"editor"},"xid":"N"}'
status=0
wait $watch || status=$?
exec 7<&-
same "it has been said" "0 paos: the connection to the server is lost; it is made again when the server is there
paos: the connection to the server is made again" "$status $(cat "$work/err")"

sql "CREATE DATABASE cli_gone"
PGDATABASE=cli_gone sql "CREATE EXTENSION paos; CREATE TABLE person (id int PRIMARY KEY)"
PGDATABASE=cli_gone sql "SELECT paos.register_class('person')" >/dev/null
start "the database is dropped" person --json -d cli_gone
expect '{"request":N,"answer":[]}'
sql "DROP DATABASE cli_gone WITH (FORCE)"
status=0
wait $watch || status=$?
exec 7<&-
grep -q 'database "cli_gone" does not exist' "$work/err"
same "and that is the end" "0 1" "$? $status"

# More objects than the first table of what was seen has room for.
start "many objects" person 'age == 1' --count 2
expect " ref | id | name | age
-----+----+------+-----
(0 objects)"
last="each is remembered"
write "INSERT INTO person SELECT n, 'n' || n, 1 FROM generate_series(101, 1100) n"
for ((n = 0; n <= 1000; n++))
do
    IFS= read -r -t 60 line <&7
done
sql "UPDATE person SET age = 2 WHERE id IN (101, 1100)"
expect "psql (host local, pid N)
  - 8:101  age 1 -> 2
  - 8:1100  age 1 -> 2"
ended "0 "

sql "CREATE ROLE cli_reader LOGIN; GRANT SELECT ON person TO cli_reader"
start "a privilege that is taken away" person 'age == 3' --json -U cli_reader
expect '{"request":N,"answer":[]}'
sql "REVOKE SELECT ON person FROM cli_reader"
write "UPDATE person SET age = 3 WHERE id = 1"
status=0
wait $watch || status=$?
grep -q '"ended":true' <&7
same "the request ends" "0 1 paos: permission to read what it names is gone" "$? $status $(cat "$work/err")"
exec 7<&-
sql "DROP ROLE cli_reader"

fails "no such class" 1 'paos: class "preson" does not exist
HINT:  Perhaps you meant person.' watch preson
fails "a wrong query" 1 'paos: attribute "agge" does not exist
    agge > 3
    ^
HINT:  Perhaps you meant "age".' watch person 'agge>3'
fails "a hostile query" 1 'paos: syntax error at or near ";"
    true; DROP TABLE person
        ^' watch person 'true; DROP TABLE person'
start "the class goes" person 'age == 4' --json
expect '{"request":N,"answer":[]}'
write "DROP TABLE person"
expect '{"request":N,"resync":true,"ended":true,"enter":[],"change":[],"leave":[],"author":{"host":"desk","pid":N,"uid":1000,"app":"editor"},"xid":"N"}'
status=0
wait $watch || status=$?
exec 7<&-
same "and the request with it" "1 paos: the table of class 8 was dropped" "$status $(cat "$work/err")"
plan
