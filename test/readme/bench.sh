#!/bin/bash
# What docs/benchmarks.md is made by: the cases are listed, one makes its table and its picture,
# an unknown one is refused, two outputs are compared. No time is judged here.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
    echo "bench: $*" >&2
    exit 1
}

flock .test/build.lock make -s bench-programs
build/bench/run --help >"$work/help"
for name in commit million deliver live oo1 oo7 oo7-medium
do
    grep -q "^    $name " "$work/help" || fail "--help does not list $name"
done

! build/bench/run nonesuch 2>"$work/refused" || fail "an unknown case was run"
grep -q 'no case "nonesuch"' "$work/refused" || fail "an unknown case is not named"

SCALE=small build/bench/run --runs=2 --plots="$work" latency >"$work/one"
grep -q '^| commit to event, quiet, median ' "$work/one" || fail "no row in the table"
python3 -c 'import sys, xml.dom.minidom as x
sys.exit(not x.parse(sys.argv[1]).getElementsByTagName("polyline"))' "$work/latency.svg" ||
    fail "no curve in the picture"

tools/bench --compare "$work/one" "$work/one" | grep -q '^2 ratios; 0 differ' ||
    fail "a run differs from itself"
sed '/quiet, median/s/[0-9.]* ([0-9.]* to [0-9.]*)/99 (98 to 100)/' "$work/one" >"$work/other"
tools/bench --compare "$work/one" "$work/other" | grep -q '^2 ratios; 1 differ' ||
    fail "a ratio of 99 is like any other"
