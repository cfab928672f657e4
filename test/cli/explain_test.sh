#!/bin/bash
# `paos explain` and `paos requests`.
. "${0%/*}/cli.sh"

sql "CREATE TABLE person (id int PRIMARY KEY, name text, age int)"
sql "SELECT paos.register_class('person', 8); INSERT INTO person VALUES (1, 'Sue', 27)" >/dev/null

shows "how a request is filed" "filed by order: age > 30 (0 others like it)
  finds about 33.3% of the objects written; each matches" explain person 'age > 30'
shows "why an object does not match" "filed by order: age > 30 (0 others like it)
  finds about 33.3% of the objects written; each matches
object 8:1:
  false  age > 30" explain person 'age > 30' person:1
shows "as JSON" \
'{"class":"person","query":"age > 30","explain":["filed by order: age > 30 (0 others like it)","  finds about 33.3% of the objects written; each matches"]}' \
    explain person 'age > 30' --json
fails "no such class" 1 'paos: class "persons" does not exist
HINT:  Perhaps you meant person.' explain persons 'age > 30'
fails "a wrong query" 1 'paos: syntax error at end of query
    age >
         ^' explain person 'age >'
fails "a wrong ref" 1 'paos: invalid input syntax for type paos.ref: "x:y:z"
HINT:  Write a ref as class number and key, such as "12:42", or as table and key, such as "person:42".' \
    explain person 'age > 30' x:y:z

shows "no request" \
" request | class | query | role | application | host | pid | events | last_event | durable | pending
---------+-------+-------+------+-------------+------+-----+--------+------------+---------+---------" requests
coproc psql -XAtq
echo "SELECT paos.introduce('desk', 771, 1000, 'editor'); SELECT 'request ' || paos.subscribe('person', 'age > 30');" \
    >&"${COPROC[1]}"
line=
until [[ $line = request* ]]
do
    read -r line <&"${COPROC[0]}" || break
done
try requests --json
same "a request as JSON" \
    '{"class":"person","query":"age > 30","application":"editor","host":"desk","pid":771,"events":0,"last_event":null,"durable":null,"pending":null}' \
    "$(sed 's/"request":[0-9]*,//; s/"role":"[a-z]*",//' <<<"$out")"
try requests
grep -q '| person | age > 30 | .* | editor *| desk | 771 |      0 |            |         |$' <<<"$out"
report "and as a table" $?
is_json "valid JSON" 1 requests --json
eval "exec ${COPROC[1]}>&-"
wait "$COPROC_PID"
until [ "$(sql 'SELECT count(*) FROM paos.requests')" = 0 ]
do
    :
done
sql "SELECT paos.subscribe('person', '', durable => 'billing')" >/dev/null
sql "UPDATE person SET age = 28"
try requests --json
same "a durable request that nobody attends" \
    '{"class":"person","query":"","application":null,"host":null,"pid":null,"events":1,"durable":"billing","pending":1}' \
    "$(sed 's/"request":[0-9]*,//; s/"role":"[a-z]*",//; s/"last_event":"[^"]*",//' <<<"$out")"
sql "SELECT paos.forget('billing')" >/dev/null
sql "DROP TABLE person"
plan
