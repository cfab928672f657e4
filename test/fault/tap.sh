# tap.sh - what the programs of test/fault share; they source it.
#
# A program prints its plan with done_testing, so that one that dies half-way has
# none and fails. Nothing here sleeps: what is waited for is the event itself.
set -u

if [ -z "${PAOS_CONNINFO-}" ]
then
    echo "Bail out! run it by: tools/server run --extension -- $0"
    exit 1
fi
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# sql DATABASE SQL - rows, unaligned; stops at the first error
sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# try DATABASE SQL - the same with what went wrong, as one line: SQLSTATE and message
try()
{
    psql -XAtq -v VERBOSITY=verbose -d "$1" -c "$2" 2>&1 | tr '\n' ' '
}

# ok NAME EXPECTED GOT - passes when both are the same, and not empty
ok()
{
    count=$((count + 1))
    if [ -n "$2" ] && [ "$2" = "$3" ]
    then
        echo "ok $count - $1"
        return
    fi
    echo "not ok $count - $1"
    diff <(echo "$2") <(echo "$3") | head -n 60
}

# like NAME PATTERN GOT - passes when the extended regular expression is in it
like()
{
    if grep -qE -- "$2" <<<"$3"
    then
        ok "$1" x x
    else
        ok "$1" "$2" "$3"
    fi
}

done_testing()
{
    echo "1..$count"
}

# --- sessions that stay ------------------------------------------------------------

declare -A session_in session_pid

# session NAME PSQL-OPTION... - a psql that goes on; its output is in $work/NAME.out
session()
{
    local name=$1 fd
    shift
    mkfifo "$work/$name.in"
    psql -XAtq "$@" -f "$work/$name.in" >"$work/$name.out" 2>&1 &
    session_pid[$name]=$!
    exec {fd}>"$work/$name.in"
    session_in[$name]=$fd
}

# send NAME SQL - without waiting for it
send()
{
    echo "$2;" >&"${session_in[$1]}"
}

# Waits until the output has a line of this pattern; fails when the session ends first.
wait_output()
{
    tail -n +1 -f --pid="${session_pid[$1]}" "$work/$1.out" | grep -qm1 -E -- "$2"
}

# say NAME SQL - and prints what came of it, earlier notifications included
say()
{
    local name=$1 n
    n=$(($(grep -c '^=done ' "$work/$1.out") + 1))
    send "$name" "$2"
    send "$name" "SELECT '=done $n='"
    wait_output "$name" "^=done $n="
    awk -v n=$n '/^=done / { n--; next } n == 1 { print }' "$work/$name.out"
}

# await NAME PATTERN - runs empty statements, after which psql shows its notifications
await()
{
    until grep -qE -- "$2" "$work/$1.out"
    do
        say "$1" "SELECT WHERE false" >/dev/null || return
    done
    grep -oE -- "$2" "$work/$1.out" | tail -n 1
}

# close NAME - as a client that ends in good order
close()
{
    local fd=${session_in[$1]}
    exec {fd}>&-
    wait "${session_pid[$1]}"
}
