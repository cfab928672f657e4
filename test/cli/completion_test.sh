#!/bin/bash
# What bash completes of a command line with `paos`; and that the man page names
# every command and option that the help does.
. "${0%/*}/cli.sh"
. src/cli/paos.bash

# completes NAME EXPECTED WORD... - the last word is the one that is being typed
completes()
{
    local name=$1 expected=$2
    shift 2
    COMP_WORDS=(paos "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _paos
    same "$name" "completes: $expected" "completes: ${COMPREPLY[*]}"
}

sql "CREATE TABLE person (id int PRIMARY KEY); CREATE TABLE place (id int PRIMARY KEY);
    CREATE TABLE \"odd Name\" (id int PRIMARY KEY);
    CREATE TABLE \"\$(touch $work/touched)\" (id int PRIMARY KEY)"
sql "SELECT paos.register_class('person', 8), paos.register_class('place', 9),
    paos.register_class('\"odd Name\"', 10), paos.register_class('\"\$(touch $work/touched)\"', 11)" >/dev/null

completes "commands" "watch get classes requests explain doctor help" ""
completes "a command" "explain" e
completes "classes" "person place" get p
completes "classes after options" "person" -d postgres --json watch pe
completes "no class after the class" "" get person p
completes "no class for requests" "" requests p
completes "options" "--json" get person --j
completes "options of watch" "--color --count" watch person --co
completes "and of no other" "--color" get person --co
completes "colours" "auto always" --color a
completes "nothing for a host" "" -h ""
completes "no server" "" -h "$work/nowhere" get p

test "$(paos classes | grep -c touched)" = 1 && test ! -e "$work/touched"
report "a class name is never run" $?

try --help
for option in $(grep -o '  --[a-z]*\|, --[a-z]*' <<<"$out" | tr -d ' ,')
do
    grep -q -- "${option//-/\\\\-}" docs/paos.1
    report "the man page names $option" $?
done
for option in count once
do
    grep -q "\\\\-\\\\-$option" docs/paos.1
    report "the man page names --$option" $?
done
for command in watch get classes requests explain doctor help
do
    grep -Eq "^\.(B|BI|BR) \"?$command" docs/paos.1
    report "the man page names $command" $?
done
sql "DROP TABLE person, place, \"odd Name\", \"\$(touch $work/touched)\""
plan
