#!/bin/bash
# tools/deps on machines that lack something and where nobody may install it: what is
# needed is an error, what a benchmark only compares with is left out.
. test/fault/tap.sh

# A machine: what it has installed, who one is there, and whether apt-get works.
mkdir "$work/bin"
cat >"$work/bin/dpkg-query" <<'END'
#!/bin/sh
while [ "$1" != -f ]; do shift; done
shift 2
for package; do
    case " $LACKS " in *" $package "*) ;; *) echo "installed $package" ;; esac
done
END
echo 'echo "$USER_ID"' >"$work/bin/id"
printf 'exit 1\n' >"$work/bin/sudo"
printf 'echo "E: no network"; exit 100\n' >"$work/bin/apt-get"
for command in tee mkdir npm
do
    echo 'exit 0' >"$work/bin/$command"
done
for program in "$work"/bin/*
do
    sed -i '1{/^#!/!s/^/#!\/bin\/sh\n/}' "$program"
    chmod +x "$program"
done

# deps LACKS WHO WHAT - the last line it says, and its exit status
deps()
{
    local said status=0
    said=$(LACKS=$1 USER_ID=$2 PATH=$work/bin:$PATH tools/deps "$3" 2>&1 </dev/null) || status=$?
    echo "$(tail -n 1 <<<"$said") $status"
}

nobody="neither root nor sudo can be used here"
ok "nothing is missing" " 0" "$(deps "" 1000 bench)"
ok "a peer is left out" "$nobody; left out will be what needs: python3-django redis-tools 0" \
    "$(deps "redis-tools python3-django" 1000 bench)"
ok "without a network too" "apt-get failed; left out will be what needs: redis-tools 0" \
    "$(deps redis-tools 0 bench)"
ok "what is needed is not" "$nobody; please install: bison redis-tools 1" \
    "$(deps "redis-tools bison" 1000 bench)"
ok "without a network neither" "apt-get failed; please install: flex 1" "$(deps flex 0 build)"
ok "other things have no peers" "$nobody; please install: valgrind 1" "$(deps valgrind 1000 test)"
ok "what is not known" "Usage: tools/deps build|demo|test|bench 2" "$(deps "" 0 nothing)"
done_testing
