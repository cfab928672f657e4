#!/bin/bash
# Runs the README's code in its order: each block of SQL in one psql, each block of
# C, Python or shell as a program, and compares what they print with the block of
# text that follows.
#
# What is drawn at random or given by the system (channels, process and transaction
# ids) is compared as N. psql shows a notification some time after it came, so those
# are compared after all the rest.
set -u

limit=300 # seconds, for what waits for an event that never comes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v work="$work" '
    /^```[a-z]/ { kind = substr($0, 4); if (kind != "text") n++; file = sprintf("%s/%02d.%s", work, n, kind); next }
    /^```/      { kind = ""; next }
    kind != ""  { print > file }' README.md

# run_psql BLOCK NOTIFICATIONS - goes on with empty commands until that many were shown
run_psql()
{
    mkfifo "$work/psql"
    psql -Xq -v ON_ERROR_STOP=1 -f "$work/psql" >"$work/out" 2>&1 &
    exec 8>"$work/psql"
    cat "$1" >&8
    until [ "$(grep -c '^Asynchronous' "$work/out")" -ge "$2" ] || [ $SECONDS -gt $limit ] ||
        ! kill -0 $! 2>/dev/null
    do
        echo 'SELECT \g /dev/null' >&8
    done
    exec 8>&-
    wait $!
    rm "$work/psql"
    cat "$work/out"
}

run()
{
    case $1 in
        *.sql) run_psql "$1" "$(grep -c '^Asynchronous' "$2")" ;;
        *.c)
            cc -Wall -Wextra -Werror -Isrc/client "$1" -o "$work/tour" -Lbuild -lpaos -Wl,-rpath,build &&
                timeout $limit "$work/tour" 2>&1
            ;;
        *.python) timeout $limit /usr/bin/python3 "$1" 2>&1 ;;
        *.sh) PATH=$PWD/build:$PATH timeout $limit bash "$1" 2>&1 ;;
    esac
}

# What is the same in every run, notifications last.
normal()
{
    sed -E 's/paos_[0-9a-f]{32}/paos_N/; s/PID [0-9]+/PID N/; s/"(pid|request)": ?[0-9]+/"\1":N/g
        s/"xid":"[0-9]+"/"xid":"N"/' "$1" >"$1.normal"
    grep -v '^Asynchronous' "$1.normal"
    grep '^Asynchronous' "$1.normal"
}

failed=0
blocks=0
for block in "$work"/*
do
    case $block in
        *.sql | *.c | *.python | *.sh) ;;
        *) continue ;;
    esac
    expected=${block%.*}.text
    run "$block" "$expected" >"$work/got"
    if ! diff <(normal "$expected") <(normal "$work/got")
    then
        echo "README.md, block ${block##*/}: not what it says"
        failed=1
    fi
    blocks=$((blocks + 1))
done
test $failed = 0 && test $blocks -ge 11
