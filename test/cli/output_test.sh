#!/bin/bash
# Where the output of `paos` goes: terminals, colours, readers that go, full disks.
. "${0%/*}/cli.sh"

# on_terminal COMMAND - what it prints on a terminal of its own
on_terminal()
{
    TERM=${TERM-xterm} script -qec "$1" /dev/null </dev/null | tr -d '\r'
}

sql "CREATE TABLE person (id int PRIMARY KEY, name text)"
sql "SELECT paos.register_class('person', 8)" >/dev/null
sql "INSERT INTO person SELECT n, repeat('né', 50) FROM generate_series(1, 20000) n"

export TERM=xterm
title="$(printf '\033[1m') ref | id | name"
same "no colours in a file" " ref | id | name" "$(paos get person 'id == 0' | head -n 1)"
same "colours when asked for" "$title$(printf '\033[0m')" \
    "$(paos get person 'id == 0' --color=always | head -n 1)"
same "on a terminal" "$title$(printf '\033[0m')" "$(on_terminal "paos get person 'id == 0'" | head -n 1)"
same "not on a terminal when not wanted" " ref | id | name" \
    "$(on_terminal "paos get person 'id == 0' --color=never" | head -n 1)"
same "NO_COLOR" " ref | id | name" "$(NO_COLOR=1 on_terminal "paos get person 'id == 0'" | head -n 1)"
same "an empty NO_COLOR says nothing" "$title$(printf '\033[0m')" \
    "$(NO_COLOR= on_terminal "paos get person 'id == 0'" | head -n 1)"
same "NO_COLOR is less than --color=always" "$title$(printf '\033[0m')" \
    "$(NO_COLOR=1 paos get person 'id == 0' --color=always | head -n 1)"
same "a dumb terminal" " ref | id | name" \
    "$(TERM=dumb on_terminal "paos get person 'id == 0'" | head -n 1)"
same "a long value is cut on a terminal" " 8:1 |  1 | $(printf 'né%.0s' {1..28})n..." \
    "$(on_terminal "paos get person 'id == 1' --color=never" | sed -n 3p)"
same "and nowhere else" " 8:1 |  1 | $(printf 'né%.0s' {1..50})" "$(paos get person 'id == 1' | sed -n 3p)"

# resized - what a watch prints of an insert when its terminal was made narrow meanwhile, and
# how it ends at Ctrl-C
resized()
{
    timeout 60 python3 - <<'END'
import fcntl, os, pty, struct, subprocess, termios

child, terminal = pty.fork()
if child == 0:
    os.execvp("paos", ["paos", "watch", "person", "id > 20000", "--color=never"])
shown = b""

def read_until(text):
    global shown
    while text not in shown:
        shown += os.read(terminal, 4096)
    line = [line for line in shown.split(b"\r\n") if text in line][0]
    return line.decode()

read_until(b"(0 objects)")
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 10, 0, 0))
subprocess.run(["psql", "-XAtqc", "INSERT INTO person VALUES (20001, 'an ordinary name')"])
print(read_until(b"20001, name an ordinary name"))
os.write(terminal, b"\x03")
print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
END
}
same "a terminal that is resized" "  + 8:20001  id 20001, name an ordinary name
status 0" "$(resized)"

for options in "" --json
do
    paos get person $options 2>"$work/err" | head -n 1 >"$work/out"
    same "a reader that goes is no failure: get $options" "0 1 " \
        "${PIPESTATUS[0]} $(wc -l <"$work/out") $(cat "$work/err")"
    status=0
    paos get person $options 2>"$work/err" >/dev/full || status=$?
    same "a full disk is one: get $options" "1 paos: could not write the output: No space left on device" \
        "$status $(cat "$work/err")"
done
status=0
paos --help 2>"$work/err" >/dev/full || status=$?
same "help too" "1 paos: could not write the output: No space left on device" "$status $(cat "$work/err")"
sql "DROP TABLE person"
plan
