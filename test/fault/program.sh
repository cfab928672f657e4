# shellcheck shell=bash
# program.sh - a program on libpaos (test/fault/program) that is told what to do; sourced
# after tap.sh. What it says is in $work/NAME.program.

if [ ! -x build/fault/program ]
then
    echo "Bail out! make build/fault/program"
    exit 1
fi

# program NAME CONNINFO - starts it
program()
{
    local fd
    mkfifo "$work/$1.orders"
    : >"$work/$1.program"
    build/fault/program "$2" <"$work/$1.orders" >>"$work/$1.program" 2>&1 &
    session_pid[$1]=$!
    exec {fd}>"$work/$1.orders"
    session_in[$1]=$fd
}

# Waits until it has said a line of this pattern, N times (once); fails when it ends first.
hear()
{
    tail -n +1 -f --pid="${session_pid[$1]}" "$work/$1.program" |
        grep -m"${3:-1}" -E -- "$2" | tail -n 1 | grep -E -- "$2"
}

# order NAME COMMAND... - and prints its answer
order()
{
    local name=$1 n
    shift
    n=$(($(grep -c '^= ' "$work/$name.program") + 1))
    echo "$*" >&"${session_in[$name]}"
    hear "$name" '^= ' "$n" | sed 's/^= //'
}

# forget NAME - what it has said so far
forget()
{
    : >"$work/$1.program"
}
