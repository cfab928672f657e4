#!/bin/bash
# Servers that say nothing: stopped as a whole, stopped while they are to commit, and the
# first of several hosts. No call of the client waits longer than the silence it was told
# to count as lost; one that waits for a server at work waits on.
. test/fault/tap.sh
. test/fault/cluster.sh
. test/fault/program.sh

# A server that says nothing: what it accepts, its kernel does.
deaf=$work/deaf
mkdir "$deaf"
coproc deaf { exec build/proxy "$deaf/.s.PGSQL.$PGPORT" "$PGHOST/.s.PGSQL.$PGPORT"; }
read -r -u "${deaf[0]}" _
echo stall >&"${deaf[1]}"
read -r -u "${deaf[0]}" _

sql postgres "CREATE TABLE person (id int PRIMARY KEY, name text);
    SELECT paos.register_class('person', 7); INSERT INTO person VALUES (1, 'Sue'), (2, 'Bill')" >/dev/null

# all_of SIGNAL - to the server and its processes, as when its machine stands still
all_of()
{
    local postmaster
    postmaster=$(head -n 1 "$primary/postmaster.pid")
    # shellcheck disable=SC2046
    kill "-$1" "$postmaster" $(pgrep -P "$postmaster")
}

# One that is stopped could not be ended.
trap 'all_of CONT 2>/dev/null; stop_servers' EXIT

# in_time SECONDS NAME COMMAND... - its answer, and whether it came in time
in_time()
{
    local limit=$1 from=$EPOCHREALTIME answer
    shift
    answer=$(order "$@")
    echo "${answer%% *} $(awk -v s="$from" -v e="$EPOCHREALTIME" -v l="$limit" 'BEGIN { print e - s < l ? "in time" : e - s }')"
}

program p "host=$PGHOST port=$PGPORT user=$PGUSER dbname=postgres"
ok "silence is set" set "$(order p silence 1000)"
ok "an object is read" Sue "$(order p show 7:1 name)"

all_of STOP
ok "a call to a stopped server" "PAOS_DISCONNECTED in time" "$(in_time 2 p show 7:2 name)"
ok "cached objects can be read" Sue "$(order p show 7:1 name)"
ok "the next call" "PAOS_DISCONNECTED in time" "$(in_time 1 p show 7:2 name)"
order p outage-wait 500 >/dev/null
ok "one that may wait" "PAOS_DISCONNECTED in time" "$(in_time 1.5 p show 7:2 name)"
order p outage-wait 0 >/dev/null
all_of CONT
hear p '^again' >/dev/null
ok "when it goes on" Bill "$(order p show 7:2 name)"

# --- at work for longer than the silence
session writer
say writer "BEGIN; LOCK TABLE person" >/dev/null
order p silence 2000 >/dev/null
order p set 7:1 name Ann >/dev/null
n=$(grep -c '^= ' "$work/p.program")
echo commit >&"${session_in[p]}"
# Not for longer than it waits itself: its answer would be a failure then.
until [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
    AND clock_timestamp() - query_start > interval '4 s'")" = 1 ] ||
    [ "$(grep -c '^= ' "$work/p.program")" != "$n" ]
do
    :
done
say writer "COMMIT" >/dev/null
ok "a commit that waits for a lock is waited for" "= committed" "$(hear p '^= ' $((n + 1)))"
ok "and nothing was lost" 1 "$(grep -c '^lost' "$work/p.program")"

# --- the first of two hosts is silent
program q "host=$deaf,$PGHOST port=$PGPORT user=$PGUSER dbname=postgres connect_timeout=2 target_session_attrs=read-write"
ok "a silent host is passed over when a connection is opened" Ann "$(order q show 7:1 name)"
order q silence 1000 >/dev/null
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'program'" >/dev/null
hear q '^again' >/dev/null
ok "and when one is made again" Bill "$(order q show 7:2 name)"
exec {deaf[1]}>&-
done_testing
