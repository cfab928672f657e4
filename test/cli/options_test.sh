#!/bin/bash
# The command line of `paos`: help, usage errors, and how it connects.
. "${0%/*}/cli.sh"

more="'paos --help' shows more."

# --- help ---

try --help
same "help" "0 paos: live objects on PostgreSQL" "$status $(head -n 1 <<<"$out")"
general=$out
shows "help by -?" "$general" '-?'
shows "help by the command help" "$general" help
for command in watch get classes requests explain doctor
do
    try $command --help
    [ $status = 0 ] && grep -q "^Usage: paos $command" <<<"$out" && grep -q '^Examples:' <<<"$out"
    report "help of $command" $?
    grep -q "^  $command " <<<"$general"
    report "$command is in the general help" $?
done
try get --help
shows "help of a command by help" "$out" help get
try --version
grep -Eqx 'paos [0-9]+\.[0-9]+' <<<"$out"
report "version" $?

# --- usage errors ---

fails "nothing" 2 "paos: no command given: watch, get, classes, requests, explain or doctor
$more"
fails "no such command" 2 "paos: there is no command \"wacth\"; perhaps you meant \"watch\"
$more" wacth person
fails "nothing like it" 2 "paos: there is no command \"dance\"
$more" dance
fails "no such long option" 2 "paos: unknown option \"--jason\"
$more" get person --jason
fails "no such letter" 2 "paos: unknown option -5; arguments that begin with - come after --
$more" get person 'age > $1' -5
fails "an option without its value" 2 "paos: option -h needs a value
$more" -h
fails "a value for an option that takes none" 2 "paos: option \"--json=yes\" takes no value
$more" get person --json=yes
fails "no such colour" 2 'paos: --color takes auto, always or never, not "blue"
'"$more" get person --color=blue
for wrong in 0 -1 x 3x '' 99999999999999999999
do
    fails "a count that is none: '$wrong'" 2 "paos: --count takes a number from 1 on, not \"$wrong\"
$more" watch person --count "$wrong"
done
fails "an option of another command" 2 "paos: --count and --once are options of watch
Usage: paos get CLASS [QUERY [ARGUMENT]...] [--json]
'paos get --help' shows more." get person --once
fails "an argument too few" 2 "paos: explain needs 1 more argument
Usage: paos explain CLASS QUERY [REF] [--json]
'paos explain --help' shows more." explain person
fails "an argument too many" 2 "paos: classes takes no argument \"b\"; a query is one argument: quote it
Usage: paos classes [CLASS] [--json]
'paos classes --help' shows more." classes a b

# --- connections ---

sql "CREATE TABLE person (id int PRIMARY KEY); CREATE ROLE \"cli o'b\\ack\" LOGIN"
sql "CREATE DATABASE \"cli d'b\""
sql "CREATE DATABASE cli_bare"
sql "SELECT paos.register_class('person', 8)" >/dev/null
PGDATABASE="cli d'b" sql "CREATE EXTENSION paos"
expected='{"number":8,"class":"person","key":"id","parent":null,"attributes":"id"}'
host=$PGHOST port=$PGPORT user=$PGUSER

shows "the environment" "$expected" classes --json
unset PGHOST PGPORT PGUSER PGDATABASE
shows "options" "$expected" -h "$host" -p "$port" -U "$user" -d postgres classes --json
shows "long options, after the command" "$expected" \
    classes --host="$host" --port="$port" --username="$user" --dbname=postgres --json
shows "keywords" "$expected" -d "host='$host' port=$port user=$user dbname=postgres" classes --json
shows "a URI" "$expected" -d "postgresql://$user@:$port/postgres?host=${host//\//%2F}" classes --json
shows "options over keywords" "$expected" -d "host='$host' port=1 user=nobody dbname=postgres" \
    -p "$port" -U "$user" classes --json
printf '[far]\nhost=%s\nport=%s\nuser=%s\ndbname=postgres\n' "$host" "$port" "$user" >"$work/service"
PGSERVICEFILE=$work/service shows "a service" "$expected" -d service=far classes --json
export PGSERVICEFILE=$work/service PGSERVICE=far
shows "a service from the environment" "$expected" classes --json
export PGHOST=$host PGPORT=$port PGUSER=$user PGDATABASE=postgres
unset PGSERVICE PGSERVICEFILE
shows "names with quotes and backslashes" " number | class | key | parent | attributes
--------+-------+-----+--------+------------
No table is a class yet: SELECT paos.register_class('...') makes one." \
    -d "cli d'b" -U "cli o'b\\ack" classes

for command in "classes" "get person" "watch person" "requests" "explain person x" "doctor"
do
    try -h "$work/nowhere" $command
    grep -q "^paos: connection to server on socket \"$work/nowhere/.s.PGSQL.$port\" failed: " <<<"$err"
    same "no server: $command" "0 1 " "$? $status $out"
done
fails "no such database" 1 "paos: connection to server on socket \"$host/.s.PGSQL.$port\" failed: \
FATAL:  database \"cli'none\" does not exist" -d "cli'none" get person
fails "no extension" 1 "paos: database \"cli_bare\" has no extension paos
HINT:  CREATE EXTENSION paos makes it; -d chooses another database." -d cli_bare get person
fails "no such keyword" 1 'paos: invalid connection option "hots"' -d hots=a get person

# --- passwords: the server asks one role for one, once it has read that ---

sql "CREATE ROLE cli_secret LOGIN PASSWORD 'o''pen'"
hba=$(sql "SHOW hba_file")
sql "COPY (VALUES ('local all cli_secret scram-sha-256'), ('local all all trust')) TO PROGRAM 'cat >$hba'"
sql "SELECT pg_reload_conf()" >/dev/null
while PGPASSWORD= paos -U cli_secret classes >/dev/null 2>&1
do
    :
done
fails "no password" 1 "paos: connection to server on socket \"$host/.s.PGSQL.$port\" failed: fe_sendauth: \
no password supplied
HINT:  Put the password into ~/.pgpass or PGPASSWORD." -U cli_secret classes
PGPASSWORD="o'pen" shows "PGPASSWORD" "$expected" -U cli_secret classes --json
shows "a password in keywords" "$expected" -d "user=cli_secret password='o\\'pen'" classes --json
PGPASSWORD=wrong fails "a wrong one" 1 "paos: connection to server on socket \"$host/.s.PGSQL.$port\" failed: \
FATAL:  password authentication failed for user \"cli_secret\"" -U cli_secret get person

sql "DROP TABLE person; DROP ROLE cli_secret"
sql "DROP DATABASE cli_bare"
sql "DROP DATABASE \"cli d'b\""
sql "DROP ROLE \"cli o'b\\ack\""
plan
