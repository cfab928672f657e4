# shellcheck shell=bash
# What the tests of the command share; sourced. They print TAP and find `paos` in PATH.
#
# A name that a test gets wrong would pass as "nothing was printed": `same` refuses
# to compare with nothing.
set -u
export TZ=UTC
unset NO_COLOR

work=$(mktemp -d)
# A watch outlives its server: it would try to connect for ever.
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 143' TERM

sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -c "$1"
}

# report NAME STATUS - a test, passed when the status is 0
count=0
report()
{
    count=$((count + 1))
    if [ "$2" = 0 ]
    then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
    fi
}

# same NAME EXPECTED ACTUAL
same()
{
    local status=0
    diff <(echo "$2") <(echo "$3") || status=1
    test -n "$2" || status=1
    report "$1" $status
}

# try ARGUMENT... - paos; what it prints goes to $out and $err, its exit status to $status
try()
{
    status=0
    paos "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}

# shows NAME EXPECTED ARGUMENT... - paos works and prints that, without complaints
shows()
{
    local name=$1 expected=$2
    shift 2
    try "$@"
    same "$name" "0 $expected" "$status $out$err"
}

# fails NAME STATUS EXPECTED ARGUMENT... - paos fails like that, and prints no result
fails()
{
    local name=$1 expected="$2 $3"
    shift 3
    try "$@"
    same "$name" "$expected" "$status $err$out"
}

# is_json NAME LINES ARGUMENT... - paos prints that many lines, each of them JSON
is_json()
{
    local name=$1 lines=$2
    shift 2
    try "$@"
    python3 -m json.tool --json-lines "$work/out" >/dev/null &&
        [ "$status $(wc -l <"$work/out")" = "0 $lines" ]
    report "$name" $?
}

plan()
{
    echo "1..$count"
}
