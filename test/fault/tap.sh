# tap.sh - what the programs of test/fault share; they source it.
#
# A program prints its plan with done_testing, so that one that dies half-way has
# none and fails.
set -u

count=0

# sql DATABASE SQL - rows, unaligned; stops at the first error
sql()
{
    psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
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
