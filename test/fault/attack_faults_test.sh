#!/bin/bash
# Does the fault run notice faults?  It runs against builds of the extension that
# have one each (test/fault/faults.c) and must find every one, and nothing in the
# same build without a fault.
#
# The build is a copy of the tree, so that nothing of it can get into the product.
set -u
cd "$(dirname "$0")/../.." || exit 1
place=$PWD/build/faulty
tree=$place/tree
attack=$PWD/build/fault/attack

rm -rf "$place"
mkdir -p "$tree"
cp -a Makefile paos.control sql src tools "$tree"
cp test/fault/faults.c "$tree/src/ext/zz_faults.c"
PG_LDFLAGS=$(printf -- '-Wl,--wrap=%s ' PaosEventNote PaosDurableNote SendProcSignal)
export PG_LDFLAGS

# run FAULT ROUNDS - its report is in a file of the fault's name
run()
{
    PAOS_FAULT=$1 "$tree/tools/server" run --extension -- "$attack" --only nothing --rounds "$2" \
        --patience 10 --directory "$place/$1" >"$place/$1.log" 2>&1
}

echo 1..4
if run none 5 && grep -q '^ok 5 ' "$place/none.log"
then
    echo "ok 1 - no fault, no violation"
else
    echo "not ok 1 - no fault"
    tail -n 30 "$place/none.log"
fi
count=1
for fault in "event told wrongly\|not told" "durable was not given" "wakeup did not answer\|nobody was woken"
do
    count=$((count + 1))
    if ! run "${fault%% *}" 40 && grep -q "^# round.*\(${fault#* }\)" "$place/${fault%% *}.log"
    then
        echo "ok $count - a lost ${fault%% *} is noticed"
    else
        echo "not ok $count - a lost ${fault%% *}"
        tail -n 30 "$place/${fault%% *}.log"
    fi
done
