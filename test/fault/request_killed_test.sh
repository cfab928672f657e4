#!/bin/bash
# Writers, who pass events on for each other, ended and killed while they are at
# work; their database dropped; the extension dropped while sessions listen. No
# event is lost to a session that stays connected, or a resync says so.
set -u
export PGOPTIONS="-c client_min_messages=warning"

# q SQL [DATABASE] - its answer
q()
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "${2:-$PGDATABASE}" -c "$1"
}

count=0
# ok NAME CONDITION-AS-SQL [DATABASE]
ok()
{
    count=$((count + 1))
    if [ "$(q "SELECT $2" "${3:-$PGDATABASE}")" = t ]
    then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
    fi
}

until_true()
{
    until [ "$(q "SELECT $1" "${2:-$PGDATABASE}" 2>/dev/null)" = t ]
    do
        :
    done
}

# Starts a session that goes on reading what `tell` writes; its output is in $work/NAME.
listener()
{
    mkfifo "$work/$1.in"
    psql -XAtq -d "${2:-$PGDATABASE}" -f "$work/$1.in" >"$work/$1" 2>&1 &
    eval "exec {$1}>\"$work/$1.in\""
    eval "pid_$1=$!"
}

# tell NAME SQL - and waits until it is done
tell()
{
    local fd=${!1} mark
    mark=done-$RANDOM$RANDOM
    printf "%s;\n\\\\echo %s\n" "$2" "$mark" >&"$fd"
    until grep -q "^$mark" "$work/$1"
    do
        :
    done
}

end_listener()
{
    local fd=${!1} pid=pid_$1
    # later listeners have the pipe open too: closing it would end nothing
    echo '\q' >&"$fd"
    exec {fd}>&-
    wait "${!pid}" 2>/dev/null
}

# Ends one of the sessions that write.
end_writer()
{
    until_true "count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'DO%fault_t%' AND pid <> pg_backend_pid()"
    q "SELECT pg_terminate_backend(pid, 60000) FROM (SELECT pid FROM pg_stat_activity
       WHERE query LIKE 'DO%fault_t%' AND pid <> pg_backend_pid() LIMIT 1 OFFSET 0) one" >/dev/null
}

# write FROM TO [DATABASE] - a transaction for each row
write()
{
    q "DO \$\$ BEGIN FOR i IN $1..$2 LOOP INSERT INTO fault_t VALUES (i, i % 10); COMMIT; END LOOP; END \$\$" \
        "${3:-$PGDATABASE}" >/dev/null
}

make_class()
{
    q "CREATE TABLE fault_t (id int PRIMARY KEY, n int)" "$1"
    q "SELECT paos.register_class('fault_t')" "$1" >/dev/null
}

# What the listener was told, as a table fault_told (request, id, resync).
collect()
{
    q "DROP TABLE IF EXISTS fault_payload CASCADE; CREATE TABLE fault_payload (p jsonb)"
    sed -n 's/.*with payload "\(.*\)" received from.*/\1/p' "$work/$1" |
        psql -XAtq -c "COPY fault_payload FROM STDIN WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')"
    q "CREATE VIEW fault_told AS
       SELECT (p->>'request')::bigint AS request, paos.key(e::paos.ref) AS id, p ? 'resync' AS resync
       FROM fault_payload LEFT JOIN jsonb_array_elements_text(p->'enter') e ON true"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..11

# ended again and again while three sessions write
make_class "$PGDATABASE"
listener one
tell one "SELECT paos.subscribe('fault_t', '')"
tell one "SELECT paos.subscribe('fault_t', 'n == 7')"
for from in 1000001 2000001 3000001 4000001
do
    write $from $((from + 999999)) 2>/dev/null &
    writers[from]=$!
done
for rows in 100 500 1000 2000
do
    until_true "count(*) > $rows FROM fault_t"
    end_writer
done
wait "${writers[@]}"
until_true "ring_used = 0 FROM paos.stats"
tell one "SELECT 1"
collect one
ok "writers were ended" "count(*) BETWEEN 2001 AND 3999999 FROM fault_t"
ok "every commit is told and nothing else, or a resync" \
    "(SELECT bool_or(resync) FROM fault_told) OR NOT EXISTS (
        (SELECT id FROM fault_t EXCEPT ALL SELECT id FROM fault_told WHERE request = 1) UNION ALL
        (SELECT id FROM fault_told WHERE request = 1 EXCEPT ALL SELECT id FROM fault_t))"
ok "to each request" \
    "(SELECT bool_or(resync) FROM fault_told) OR NOT EXISTS (
        (SELECT id FROM fault_t WHERE n = 7 EXCEPT ALL SELECT id FROM fault_told WHERE request = 2) UNION ALL
        (SELECT id FROM fault_told WHERE request = 2 EXCEPT ALL SELECT id FROM fault_t WHERE n = 7))"

# killed: the server ends all sessions and starts again, with nothing left
write 100001 300000 2>/dev/null &
writer=$!
until_true "count(*) > 100 FROM fault_t WHERE id < 1000000"
kill -9 "$(q "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO%fault_t%' AND pid <> pg_backend_pid()")"
wait $writer
end_listener one 2>/dev/null
until_true "true"
ok "no request is left after a killed writer" "requests = 0 AND ring_used = 0 FROM paos.stats"
ok "no request is listed" "count(*) = 0 FROM paos.requests"
listener two
tell two "SELECT paos.subscribe('fault_t', 'n == 11')"
q "INSERT INTO fault_t VALUES (400001, 11)"
until_true "events = 1 FROM paos.stats"
tell two "SELECT 1"
collect two
ok "a new session is told" "count(*) = 1 FROM fault_told WHERE id = 400001"

# a database dropped under its listeners, and made again
q "CREATE DATABASE fault_db"
q "CREATE EXTENSION paos" fault_db
make_class fault_db
listener three fault_db
tell three "SELECT paos.subscribe('fault_t', '')"
write 1 50 fault_db
q "DROP DATABASE fault_db WITH (FORCE)"
end_listener three
q "CREATE DATABASE fault_db"
q "CREATE EXTENSION paos" fault_db
make_class fault_db
listener four fault_db
tell four "SELECT paos.subscribe('fault_t', '')"
write 1 1 fault_db
until_true "events = 1 FROM paos.stats" fault_db
ok "a database made again is told of its own" "requests = 1 FROM paos.stats" fault_db
end_listener four
until_true "requests = 0 FROM paos.stats" fault_db
q "DROP DATABASE fault_db"
ok "nothing is in the way of DROP DATABASE" "count(*) = 0 FROM pg_database WHERE datname = 'fault_db'"

# the extension dropped while a session listens, who must not meet the new one's requests
q "DROP EXTENSION paos CASCADE; DROP TABLE fault_t; CREATE EXTENSION paos"
make_class "$PGDATABASE"
listener five
tell five "SELECT paos.subscribe('fault_t', '')"
ok "requests begin anew, by ids that were nobody's" "count(*) = 1 AND min(request) > 1 FROM paos.requests"
tell two "SELECT count(*) FROM paos.requests"
end_listener two
ok "whoever listened before ends nobody's request" "requests = 1 FROM paos.stats"
write 1 10
until_true "events = 10 FROM paos.stats"
tell five "SELECT 1"
collect five
ok "the new request is told" "count(DISTINCT id) = 10 FROM fault_told"
end_listener five
