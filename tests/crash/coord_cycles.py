"""Cycles of tandem-coord: sessions create nodes; the ephemeral node of a session that was there before the
cut must be there after it, and the session be taken up again."""

import struct

import cycles
from support import servers, zk_wire

SESSIONS = 6


class Creator(cycles.Writer):
    DEPTH = 24

    def __init__(self, port, prefix):
        super().__init__()
        self.port = port
        self.prefix = prefix

    def connect(self):
        self.session = zk_wire.Session(self.port)

    def send(self, number):
        path = f"/{self.prefix}-{number}"
        self.session.send(zk_wire.CREATE, zk_wire.create(path, path.encode()))
        return path

    def receive(self):
        xid, _, error, _ = self.session.receive()
        return error == 0, (xid, error)


class Cycles(cycles.Cycles):
    SECOND_CUT_MAX = 0.08
    NAME = "coord-data"
    HOLD_MS = 40000

    def server(self):
        # Few transactions between snapshots, so that cuts hit them too.
        config = {"dataDir": self.data(), "snapCount": self.random.choice([500, 4000, 100000])}
        self.holder = None
        return servers.Coord(self.directory / "server", config=config)

    def ready(self, server):
        if self.holder is None:
            self.holder = zk_wire.Session(server.port, self.HOLD_MS)
            self.own = f"/ephemeral-{self.number}"
            assert self.holder.create(self.own, b"mine", zk_wire.EPHEMERAL) == 0

    def writers(self, server):
        return [Creator(server.port, f"c{self.number}-{i}") for i in range(SESSIONS)]

    def remember(self, writer):
        for path, _ in writer.acknowledged():
            self.expected[path] = path.encode()

    def missing(self, server):
        session = zk_wire.Session(server.port)
        paths = list(self.expected)
        lost = []
        for start in range(0, len(paths), 500):
            part = paths[start:start + 500]
            for path in part:
                session.send(zk_wire.GET_DATA, zk_wire.watched(path))
            for path in part:
                _, _, error, body = session.receive()
                size = struct.unpack_from(">i", body)[0] if error == 0 else -1
                if error != 0 or body[4:4 + size] != self.expected[path]:
                    lost.append(path)
        session.close()
        return lost

    def check(self, server):
        again = zk_wire.Session(server.port, session=self.holder.id, password=self.holder.password)
        if again.id != self.holder.id or again.get(self.own) != b"mine":
            self.complain("session or its ephemeral node did not survive")
        again.ask(zk_wire.CLOSE, b"")
