#!/bin/bash
# Runs the README's code: each block of SQL in one psql, each block of C as a
# program, and compares what they print with the block of text that follows.
set -u

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v work="$work" '
    /^```[a-z]/ { kind = substr($0, 4); if (kind != "text") n++; file = sprintf("%s/%02d.%s", work, n, kind); next }
    /^```/      { kind = ""; next }
    kind != ""  { print > file }' README.md

run()
{
    case $1 in
        *.sql) psql -Xq -v ON_ERROR_STOP=1 -f "$1" 2>&1 ;;
        *.c)
            cc -Wall -Wextra -Werror -Isrc/client "$1" -o "$work/tour" -Lbuild -lpaos -Wl,-rpath,build &&
                "$work/tour" 2>&1
            ;;
    esac
}

failed=0
blocks=0
for block in "$work"/*.sql "$work"/*.c
do
    expected=${block%.*}.text
    if ! diff "$expected" <(run "$block")
    then
        echo "README.md, block ${block##*/}: not what it says"
        failed=1
    fi
    blocks=$((blocks + 1))
done
test $failed = 0 && test $blocks -ge 6
