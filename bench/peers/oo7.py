"""What the object-relational mappers beside OO7 share: its operations, and answering bench/run.

Each line of stdin is an operation and "cold" or "hot"; the answer is its count, sum,
seconds, the rows that came and the statements sent.  Whoever asks compares count and sum
with what they must be.  Cold comes after "renew": nothing is loaded, and the connection is
new, but the mapper is warm.  Hot works on what the last cold operation has loaded and held.
"memory" answers with the bytes that each of all atomic parts takes.

What a mapper must offer is in the class Mapper; `every` is how it lists a relation.
"""

import os
import sys
import time

STRATEGY = sys.argv[1]
LEVELS = int(sys.argv[2])  # of complex assemblies
START = int(sys.argv[3])
LOOKUPS = [int(id) for id in sys.argv[4:]]
ADDRESS = dict(item.split("=", 1) for item in os.environ["PAOS_CONNINFO"].split())


class Mapper:
    rows = statements = 0

    def start(self):
        """Forgets everything that was loaded, and connects anew."""

    def load(self, operation):
        """Loads what an operation needs as the strategy says, and holds it."""

    def root(self):
        """The complex assembly of the module."""

    def some_parts(self, ids):
        """Atomic parts by their ids, as a dict."""

    def part_with_users(self, id):
        """One of them, when all assemblies above it will be looked at."""

    def parts(self):
        """All atomic parts."""

    def every(self, relation):
        return relation

    def target(self, connection):
        return connection.to

    def save(self, changed, fields):
        """Writes changed atomic parts, and commits."""


class Tally:
    count = 0
    sum = 0

    def touch(self, id, x, y):
        self.count += 1
        self.sum += id ^ (x + 3 * y)


# ---- traversals ----


def walk_part(mapper, part, visited, visit):
    if part.id in visited:
        return
    visited.add(part.id)
    visit(part)
    for connection in mapper.every(part.outgoing):
        walk_part(mapper, mapper.target(connection), visited, visit)


def walk(mapper, each):
    def assembly(at):
        for complex in mapper.every(at.complexes):
            assembly(complex)
        for base in mapper.every(at.bases):
            for component in mapper.every(base.components):
                each(component.composite)

    assembly(mapper.root())


def traverse(mapper, visit):
    walk(mapper, lambda composite: walk_part(mapper, composite.root, set(), visit))


def t1(mapper, tally):
    traverse(mapper, lambda part: tally.touch(part.id, part.x, part.y))


def t2b(mapper, tally):
    changed = {}

    def swap(part):
        part.x, part.y = part.y, part.x
        changed[part.id] = part
        tally.touch(part.id, part.x, part.y)

    traverse(mapper, swap)
    mapper.save(changed.values(), ["x", "y"])


def t3b(mapper, tally):
    changed = {}

    def redate(part):
        part.build_date += 1 if part.build_date % 2 else -1
        changed[part.id] = part
        tally.touch(part.id, part.build_date, 0)

    traverse(mapper, redate)
    mapper.save(changed.values(), ["build_date"])


def t6(mapper, tally):
    walk(mapper, lambda composite: tally.touch(composite.root.id, composite.root.x,
                                               composite.root.y))


def t7(mapper, tally):
    seen = set()
    for use in mapper.every(mapper.part_with_users(START).composite.uses):
        seen.add(("base", use.user.id))
        at = use.user.parent
        while at:
            seen.add(("complex", at.id))
            at = at.parent
    tally.count = len(seen)


def q1(mapper, tally):
    parts = mapper.some_parts(LOOKUPS)
    for id in LOOKUPS:
        part = parts[id]
        tally.touch(part.id, part.x, part.y)


def q7(mapper, tally):
    for part in mapper.parts():
        tally.touch(part.id, part.x, part.y)


OPERATIONS = {"T1": t1, "T2B": t2b, "T3B": t3b, "T6": t6, "T7": t7, "Q1": q1, "Q7": q7}


# ---- answering ----


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def tell_memory(mapper):
    mapper.start()
    before = resident()
    held = list(mapper.parts())
    print((resident() - before) // len(held), flush=True)


def run(mapper, operation, how):
    tally = Tally()
    mapper.rows = mapper.statements = 0
    started = time.perf_counter()
    if how == "cold":
        mapper.load(operation)
    OPERATIONS[operation](mapper, tally)
    seconds = time.perf_counter() - started
    print(tally.count, tally.sum, seconds, mapper.rows, mapper.statements, flush=True)


def serve(mapper):
    mapper.start()
    q1(mapper, Tally())
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "memory":
            tell_memory(mapper)
        elif words[0] == "renew":
            mapper.start()
            print("renewed", flush=True)
        else:
            run(mapper, *words)
