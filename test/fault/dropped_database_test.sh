#!/bin/bash
# DROP DATABASE: the shared memory of its requests is given back by whoever next needs
# some, and that of a dropped extension by the last session that had it.
. test/fault/tap.sh
. test/fault/cluster.sh

# Segments are files that can be counted.
set_and_restart dynamic_shared_memory_type=mmap

segments()
{
    find "$primary/pg_dynshmem" -type f | wc -l
}

# use DATABASE - there is a request in it for a moment
use()
{
    sql "$1" "CREATE EXTENSION paos; CREATE TABLE IF NOT EXISTS person (id int PRIMARY KEY)" 2>/dev/null
    sql "$1" "SELECT paos.register_class('person'); SELECT paos.subscribe('person', '')" >/dev/null
}

before=$(segments)
sql postgres "CREATE DATABASE first"
use first
one=$(($(segments) - before))
like "a database that has requests has shared memory" '^[1-9]' "$one"
for name in second third fourth
do
    sql postgres "CREATE DATABASE $name"
    use $name
    sql postgres "DROP DATABASE $name"
done
sql postgres "CREATE DATABASE last"
use last
ok "those that were dropped have none" $((before + 2 * one)) "$(segments)"
sql first "INSERT INTO person VALUES (1)"
ok "the others go on" 0 "$(sql first "SELECT count(*) FROM paos.requests")"
sql last "DROP EXTENSION paos CASCADE" 2>/dev/null
ok "nor has who drops the extension" $((before + one)) "$(segments)"
use last
ok "until it is there again" $((before + 2 * one)) "$(segments)"
done_testing
