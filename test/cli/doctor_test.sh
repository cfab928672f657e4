#!/bin/bash
# `paos doctor`: shows what paos.health() finds, and whether something is wrong.
. "${0%/*}/cli.sh"

sql "CREATE TABLE person (id int PRIMARY KEY)"
sql "SELECT paos.register_class('person', 8)" >/dev/null

try doctor
[ "$status" = 0 ] && grep -q '^ok       library  ' <<<"$out" && grep -q '^0 errors, 0 warnings$' <<<"$out"
report "all is well" $?
is_json "as JSON" "$(sql 'SELECT count(*) FROM paos.health()')" doctor --json
grep -q '^{"check":"library","status":"ok","detail":".*","hint":null}$' <<<"$out"
report "a check as JSON" $?
try doctor --color=always
grep -q "^$(printf '\033\\[32mok     \033\\[0m')  library " <<<"$out"
report "green is well" $?

sql "SET client_min_messages = error; ALTER TABLE person DISABLE TRIGGER paos_row"
try doctor
same "what is wrong is said, and what to do" \
"error    triggers               trigger paos_row of public.person is disabled: writes to it are not noticed
                                ALTER TABLE public.person ENABLE ALWAYS TRIGGER paos_row
1 error, 0 warnings" "$(grep -A 1 '^error' <<<"$out"; tail -n 1 <<<"$out")"
same "the exit status says so" 1 "$status"
try doctor --json
same "with --json too" "1 1" "$status $(grep -c '"status":"error"' <<<"$out")"
sql "ALTER TABLE person ENABLE ALWAYS TRIGGER paos_row; DROP TABLE person"
plan
