"""What strangers do to a port: garbage, lengths that lie, silent connections, readers that never read.

`Target` says what a good request of the protocol is. A good client asks all along; what counts is that it is
served, and how much memory the server takes.
"""

import random
import resource
import socket
import struct
import threading
import time

from support import ports, wait
from support import zk_wire as zk


class CoordTarget:
    name = "tandem-coord"
    big = b"b" * 100000

    def __init__(self, server):
        self.server = server
        link = zk.Link(server.port)
        link.call("create", zk.create("/hostile", self.big))
        link.close()

    def good_client(self):
        link = zk.Link(self.server.port)
        return lambda: zk.header(link.call("getData", zk.watched("/hostile")))[2] == 0

    def glutton(self, requests):
        """A session that asks for much and reads nothing; sent as far as the server takes it."""
        link = zk.Link(self.server.port)
        link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = zk.int32(1) + zk.int32(zk.OPS["getData"]) + zk.watched("/hostile")
        return link.socket, (zk.int32(len(body)) + body) * requests

    def lies(self):
        """Frames whose inner lengths and counts are not those of what follows."""
        huge = zk.int32(0x7fffffff)
        bodies = [(zk.OPS["getData"], huge + b"/a"), (zk.OPS["setWatches"], zk.int64(0) + huge + huge + huge),
                  (zk.OPS["create"], zk.buffer("/x") + huge), (zk.OPS["multi"], huge * 4),
                  (zk.OPS["setACL"], zk.buffer("/hostile") + huge), (99, huge)]
        for operation, body in bodies:
            link = zk.Link(self.server.port)
            link.send_frame(zk.int32(1) + zk.int32(operation) + body)
            yield link.socket
        for size in (44, 45, 100):
            body = zk.int32(0) + huge * (size // 4 - 1) + b"\0" * 3
            yield connected(self.server.port, zk.int32(size) + body)


class BrokerTarget:
    name = "tandem-broker"

    def __init__(self, server):
        self.server = server

    def request(self, key, version, body, correlation=7):
        frame = struct.pack(">hhih", key, version, correlation, -1) + body
        return struct.pack(">i", len(frame)) + frame

    def good_client(self):
        link = socket.create_connection((ports.HOST, self.server.port), timeout=20)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask():
            link.sendall(self.request(18, 0, b""))
            size = struct.unpack(">i", ports.receive_exactly(link, 4))[0]
            return struct.unpack_from(">ih", ports.receive_exactly(link, size)) == (7, 0)

        return ask

    def glutton(self, requests):
        link = connected(self.server.port, b"")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return link, self.request(18, 0, b"") * requests * 20

    def lies(self):
        huge = b"\x7f\xff\xff\xff"
        for key in (0, 1, 2, 3, 8, 9, 10, 11, 14, 18, 19, 22, 32, 44):
            for version in (0, 1):
                yield connected(self.server.port, self.request(key, version, huge * 8))
        yield connected(self.server.port, struct.pack(">ihhih", 100, 3, 0, 1, 0x7fff))


def connected(port, data):
    link = socket.create_connection((ports.HOST, port), timeout=10)
    try:
        link.sendall(data)
    except OSError:
        pass  # closed already: that is an answer
    return link


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Watch(threading.Thread):
    """A good client that asks again and again, and a look at the server's memory."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target, self.stopping = target, False
        self.asked, self.failed, self.worst_s, self.peak_kib = 0, 0, 0.0, 0
        self.first_kib = resident_kib(target.server.pid)

    def run(self):
        ask = self.target.good_client()
        while not self.stopping:
            begin = time.monotonic()
            try:
                good = ask()
            except (OSError, AssertionError):
                good, ask = False, self.target.good_client()
            self.asked += 1
            self.failed += not good
            self.worst_s = max(self.worst_s, time.monotonic() - begin)
            self.peak_kib = max(self.peak_kib, resident_kib(self.target.server.pid))
            wait.pause(0.01, "a client that asks a hundred times a second")

    def finish(self):
        self.stopping = True
        self.join(30)
        return {"asked": self.asked, "failed": self.failed, "worst_ms": round(self.worst_s * 1000, 1),
                "first_mib": self.first_kib // 1024, "peak_mib": self.peak_kib // 1024}


def garbage(target, count, seed):
    source = random.Random(seed)
    for _ in range(count):
        link = connected(target.server.port, source.randbytes(source.randrange(1, 8192)))
        link.close()


def false_lengths(target):
    lengths = (0x7fffffff, -1, -0x80000000, 100000000, 0xfffff)
    links = [connected(target.server.port, zk.int32(length) + tail)
             for length in lengths for tail in (b"", b"x" * 1000)]
    links += list(target.lies())
    wait.pause(0.5, "time for the server to answer or hang up")
    for link in links:
        link.close()


def half_open_flood(target, count, seconds):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    links = []
    try:
        for i in range(count):
            links.append(connected(target.server.port, b"\0\0" if i % 2 else b""))
        wait.pause(seconds, "the flood stays while the good client asks")
    finally:
        for link in links:
            link.close()


def readers_that_never_read(target, count, seconds):
    links = []
    for _ in range(count):
        link, data = target.glutton(2000)
        link.setblocking(False)
        try:
            while data:
                data = data[link.send(data):]
        except OSError:
            pass  # the server takes no more: as it should
        links.append(link)
    wait.pause(seconds, "the gluttons stay while the good client asks")
    for link in links:
        link.close()


def attack(target, scale, seed):
    """All of it at once and after each other; what the good client saw meanwhile."""
    watch = Watch(target)
    watch.start()
    for name, step in (("random bytes", lambda: garbage(target, 500 * scale, seed)),
                       ("false lengths and counts", lambda: false_lengths(target)),
                       ("half-open flood", lambda: half_open_flood(target, 400 * scale, 2)),
                       ("readers that never read", lambda: readers_that_never_read(target, 20 * scale, 2))):
        step()
        mib = resident_kib(target.server.pid) // 1024
        print(f"  {target.name} after {name}: {mib} MiB resident", flush=True)
    return watch.finish()
