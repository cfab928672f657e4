# shellcheck shell=bash
# What the runners in tools/check share; sourced, from the tree's top directory.
#
# A runner counts with the functions below and ends with `closing`. Its closing
# line is the one thing tools/test believes: a runner that dies prints none,
# and so counts as failed.
set -u

runner=${0##*/}
passed=0
failed=0
mkdir -p build/log .test
unset MAKEFLAGS MFLAGS MAKELEVEL
# pg_regress's and the compilers' messages are read: untranslated, please.
export LC_ALL=C.UTF-8

# check NAME COMMAND... - one test, passed when the command is; output on failure
check()
{
    local name=$1 log
    shift
    log=build/log/$runner-${name//[^A-Za-z0-9_.-]/_}.log
    if "$@" >"$log" 2>&1
    then
        passed=$((passed + 1))
        return 0
    fi
    failed=$((failed + 1))
    echo "$runner: FAILED $name"
    tail -n 200 "$log"
    return 1
}

# build TARGET... - with make; one build at a time in this tree. Not a test when
# it works, a failed one when it does not.
build()
{
    flock .test/build.lock make -s -k -j"$(nproc)" "$@" >build/log/$runner-build.log 2>&1 && return
    failed=$((failed + 1))
    echo "$runner: FAILED to build $*"
    tail -n 60 build/log/$runner-build.log
    return 1
}

# count_tap NAME STATUS LOG - the tests of a cmocka program. A planned test that
# has no result, a skipped one and a leak found at exit are failures too.
count_tap()
{
    local name=$1 status=$2 log=$3 planned good bad
    planned=$(($(sed -n 's/^1\.\.\([0-9]*\)$/\1 +/p' "$log") 0))
    good=$(grep -c '^ok ' "$log")
    bad=$((planned - good))
    if [ $bad -le 0 ] && { [ "$status" != 0 ] || [ "$good" = 0 ]; }
    then
        bad=1
    fi
    passed=$((passed + good))
    test $bad -gt 0 || return 0
    failed=$((failed + bad))
    echo "$runner: FAILED $name: $bad failed, exit status $status"
    grep -v '^ok ' "$log" | tail -n 100
}

# tap NAME COMMAND... - runs a cmocka program and counts its tests
tap()
{
    local name=$1 log status=0
    shift
    log=build/log/$runner-$name.log
    CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$log" 2>&1 </dev/null || status=$?
    count_tap "$name" $status "$log"
}

# pg_regress OUT WHICH [OPTION]... - `make installcheck` of REGRESS or ISOLATION in a
# throw-away server; one failure when it does not get to run a test
pg_regress()
{
    local out=$1 other=ISOLATION log=build/log/$runner-${1##*/}.log status=0 good bad
    test "$2" = REGRESS || other=REGRESS
    shift 2
    rm -rf "$out"
    tools/server run "$@" -- make -s installcheck $other= REGRESS_OUT="$out" >"$log" 2>&1 ||
        status=$?
    good=$(grep -cE '^test .* ok +[0-9]+ ms$' "$log")
    bad=$(grep -cE '^test .* FAILED' "$log")
    if [ "$bad" = 0 ] && { [ $status != 0 ] || [ "$good" = 0 ]; }
    then
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    test "$bad" != 0 || return 0
    echo "$runner: FAILED in $out"
    tail -n 40 "$log"
    head -n 300 "$out/regression.diffs" 2>/dev/null
}

# Sanitizers' reports must reach the log, not cmocka's handler of SIGSEGV; an
# impossible malloc fails as it does without them.
export ASAN_OPTIONS=allow_user_segv_handler=0:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
memcheck="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect --fair-sched=yes"

closing()
{
    echo "$runner: $passed passed, $failed failed"
    test $failed = 0
    exit
}
