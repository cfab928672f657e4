"""Changes of an object by Twisted's Perspective Broker: the server's copyable table is cached
by an observer, and a writer changes it; told to bench/run.

usage: live_pb.py server|observer|writer SOCKET

The observer answers "when ID" with the time, in nanoseconds of the monotonic clock, at which
it was told of the row, and "expect FIRST N" with "ok" once each of those rows was told of, once.
The writer answers "change ID" with the time at which it began, and "many FIRST N", eight at a
time, with "ok", when the server has them. Nothing is written to a disk.
"""

import sys
import time

try:
    from twisted.internet import defer, reactor, stdio
    from twisted.protocols.basic import LineReceiver
    from twisted.spread import pb
except ImportError:
    print("python3-twisted")
    sys.exit(0)

WRITERS = 8


class Table(pb.Cacheable):
    """The server's: who has a copy of it is told of each change."""

    def __init__(self):
        self.rows = {}
        self.observers = []

    def getStateToCacheAndObserveFor(self, perspective, observer):
        self.observers.append(observer)
        return self.rows

    def stoppedObserving(self, perspective, observer):
        self.observers.remove(observer)

    def put(self, id, *row):
        self.rows[id] = row
        for observer in self.observers:
            observer.callRemote("put", id, *row)


class Copy(pb.RemoteCache):
    """The observer's."""

    told = {}
    waiting = None

    def setCopyableState(self, rows):
        self.rows = rows

    def observe_put(self, id, *row):
        self.rows[id] = row
        if id in Copy.told:
            print("told of row", id, "twice", flush=True)
        Copy.told[id] = time.monotonic_ns()
        if Copy.waiting:
            Copy.waiting()


pb.setUnjellyableForClass(Table, Copy)


class Root(pb.Root):
    def __init__(self):
        self.table = Table()

    def remote_table(self):
        return self.table

    def remote_put(self, id, *row):
        self.table.put(id, *row)


class Questions(LineReceiver):
    """Lines of stdin, each a method and its numbers; it ends with its stdin."""

    delimiter = b"\n"

    def __init__(self, root):
        self.root = root

    def connectionMade(self):
        self.answer("ready")

    def lineReceived(self, line):
        what, *numbers = line.decode().split()
        getattr(self, what)(*map(int, numbers))

    def connectionLost(self, reason=None):
        reactor.callLater(0, lambda: reactor.running and reactor.stop())

    def answer(self, text):
        self.sendLine(str(text).encode())

    # ---- the observer's ----

    def wait(self, attempt):
        def again():
            if attempt():
                Copy.waiting = None

        Copy.waiting = again
        again()

    def when(self, id):
        def attempt():
            if id in Copy.told:
                self.answer(Copy.told[id])
            return id in Copy.told

        self.wait(attempt)

    def expect(self, first, n):
        next = first

        def attempt():
            nonlocal next
            while next < first + n and next in Copy.told:
                next += 1
            if next == first + n:
                self.answer("ok")
            return next == first + n

        self.wait(attempt)

    # ---- the writer's ----

    def put(self, id):
        return self.root.callRemote("put", id, -1, id * 2, 0.0, "item %d" % id)

    @defer.inlineCallbacks
    def change(self, id):
        started = time.monotonic_ns()
        yield self.put(id)
        self.answer(started)

    @defer.inlineCallbacks
    def put_some(self, ids):
        for id in ids:
            yield self.put(id)

    @defer.inlineCallbacks
    def many(self, first, n):
        ids = iter(range(first, first + n))
        yield defer.gatherResults([self.put_some(ids) for _ in range(WRITERS)])
        self.answer("ok")


def serve(path):
    reactor.listenUNIX(path, pb.PBServerFactory(Root()))
    stdio.StandardIO(Questions(None))


@defer.inlineCallbacks
def connect(path, observes):
    factory = pb.PBClientFactory()
    reactor.connectUNIX(path, factory)
    root = yield factory.getRootObject()
    if observes:
        Questions.held = yield root.callRemote("table")
    stdio.StandardIO(Questions(root))


if sys.argv[1] == "server":
    serve(sys.argv[2])
else:
    connect(sys.argv[2], sys.argv[1] == "observer")
reactor.run()
