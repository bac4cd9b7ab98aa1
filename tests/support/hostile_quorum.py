"""What strangers do to the ports that are for the servers of an ensemble: targets for hostile.attack(). The
good client writes at a server that follows, so it is served only while the ensemble is whole."""

import random
import struct
import threading
import time
from types import SimpleNamespace

from support import hostile, ports
from support import zk_wire as zk

ACK, PING, PROPOSAL, REQUEST, FOLLOWER_INFO, OBSERVER_INFO, ACK_EPOCH = 3, 5, 2, 1, 11, 16, 18
HUGE = zk.int32(0x7fffffff)
LOOKING = 0
V1 = -65536


def packet(kind, zxid=0, data=None, authinfo=zk.int32(-1)):
    return zk.int32(kind) + zk.int64(zxid) + (zk.int32(-1) if data is None else zk.buffer(data)) + authinfo


def stranger_id():
    return random.SystemRandom().randrange(1000, 10**9)


class EnsembleTarget:
    """Attacks fall on one member; what is asked is a write that needs the others."""

    def __init__(self, ensemble, member, port):
        self.ensemble = ensemble
        self.member = ensemble.members[member]
        self.server = SimpleNamespace(port=port, pid=self.member.pid, log=self.member.log)
        self.follower = next(ensemble.members[n] for n in ensemble.ids if n != ensemble.leader())
        link = zk.Link(self.follower.port)
        link.call("create", zk.create("/hostile", b""))
        link.close()

    @property
    def running(self):
        return all(each.running for each in self.ensemble.members.values())

    def good_client(self):
        link = zk.Link(self.follower.port)
        return lambda: zk.header(link.call("setData", zk.set_data("/hostile", b"x" * 100)))[2] == 0


class LearnerPortTarget(EnsembleTarget):
    name = "quorum port"

    def __init__(self, ensemble):
        leader = ensemble.leader()
        super().__init__(ensemble, leader, ensemble.addresses[leader][1])

    def introduced(self):
        """A connection that was told the epoch, as an observer that nobody knows."""
        info = zk.int64(stranger_id()) + zk.int32(0x10000) + zk.int64(0)
        link = hostile.connected(self.server.port, packet(OBSERVER_INFO, 0, info))
        ports.receive_exactly(link, 4 + 8 + 4 + 4 + 4)  # LEADERINFO
        return link

    def glutton(self, requests):
        """Takes part as far as the snapshot, then sends and sends and reads nothing."""
        link = self.introduced()
        link.sendall(packet(ACK_EPOCH, 0, zk.int32(0)))
        return link, packet(PING) * requests

    def lies(self):
        head = zk.int32(FOLLOWER_INFO) + zk.int64(0)
        for bad in (HUGE, zk.int32(-2), zk.int32(-0x80000000), zk.int32(2**20 - 1) + b"x" * 5000,
                    zk.int32(0) + HUGE, zk.int32(0) + zk.int32(1) + HUGE, zk.int32(0) + zk.int32(1000000)):
            yield hostile.connected(self.server.port, head + bad)
        for first in (packet(ACK), packet(REQUEST, -1, b"abc"), packet(PROPOSAL, 1, b""), packet(99),
                      packet(FOLLOWER_INFO, 0, b"x"), packet(FOLLOWER_INFO, -1, zk.int64(1))):
            yield hostile.connected(self.server.port, first)
        for second in (packet(ACK_EPOCH, 0, b"x"), packet(ACK_EPOCH), packet(ACK, 2**62),
                       packet(REQUEST, -1, HUGE * 4), zk.int32(ACK_EPOCH) + zk.int64(0) + HUGE):
            link = self.introduced()
            link.sendall(second)
            yield link


class ElectionPortTarget(EnsembleTarget):
    name = "election port"

    def __init__(self, ensemble):
        member = ensemble.leader()
        super().__init__(ensemble, member, ensemble.addresses[member][2])

    def handshake(self, sid=None):
        address = b"127.0.0.1:1"
        sid = stranger_id() if sid is None else sid
        return zk.int64(V1) + zk.int64(sid) + zk.int32(len(address)) + address

    def glutton(self, requests):
        """Somebody who asks who leads, over and over, and does not listen."""
        vote = struct.pack(">iqqqqii", LOOKING, -2**63, -2**63, 1, -2**63, 2, 0)
        return hostile.connected(self.server.port, self.handshake()), (zk.int32(len(vote)) + vote) * requests

    def lies(self):
        yield hostile.connected(self.server.port, zk.int64(-1) + HUGE * 4)
        for size in (HUGE, zk.int32(-1), zk.int32(0), zk.int32(2049)):
            yield hostile.connected(self.server.port, zk.int64(V1) + zk.int64(77) + size + b"x" * 3000)
        for size in (HUGE, zk.int32(-1), zk.int32(0), zk.int32(524289), zk.int32(7)):
            yield hostile.connected(self.server.port, self.handshake() + size + b"\xff" * 100)
        for length in (28, 40, 44, 48, 100):
            yield hostile.connected(self.server.port, self.handshake() + zk.int32(length) + b"\xff" * length)
        yield hostile.connected(self.server.port, zk.int64(5) + zk.int32(28) + b"\0" * 28)  # before 3.5


def rejoins(ensemble, port, seconds=20):
    """A follower is killed and comes back while many silent connections are held open at `port`."""
    follower = next(n for n in ensemble.ids if n != ensemble.leader())
    ending = threading.Event()

    def flood():
        links = []
        while not ending.is_set():
            links.append(hostile.connected(port, b""))
            if len(links) > 300:
                links.pop(0).close()
            ending.wait(0.002)
        for link in links:
            link.close()

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        ensemble.members[follower].kill()
        begin = time.monotonic()
        ensemble.launch(follower).serving(follower, timeout=seconds)
        return time.monotonic() - begin
    finally:
        ending.set()
        thread.join(10)
