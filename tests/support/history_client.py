"""Clients that write a history: each keeps one session over whatever server answers, does one thing after the
other, and notes what it saw in the order it saw it."""

import random
import struct
import threading
import time

from support import zk_wire as zk
from support.history import Read, Told, Write
from support.tree import stat_of

TIMEOUT_MS = 8000
DATA_CHANGED = 3


class Client(threading.Thread):
    """`ports`: where the servers serve; the keys exist. `orders_syncs`: of a port, whether a sync there is
    more than a read, for as long as the connection lasts."""

    def __init__(self, number, ports, keys, history, seed, orders_syncs=lambda port: True):
        super().__init__(daemon=True)
        self.number, self.ports, self.keys, self.history = number, ports, keys, history
        self.random, self.orders_syncs = random.Random(seed), orders_syncs
        self.syncs = True
        self.link, self.session, self.password, self.seen = None, 0, b"\0" * 16, 0
        self.xid = 0  # goes on over connections: by it and the session a server tells whose answer it has
        self.story, self.watched, self.expired = [], set(), 0
        self.written, self.values, self.connected = 0, 0, 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            self.attempt(self.step)
        end = time.monotonic() + 60  # everything that is on its way arrives before a last look at each key
        while not self.attempt(self.look_at_all) and time.monotonic() < end:
            pass
        if self.link:
            self.link.close()

    def attempt(self, what):
        try:
            if self.link is None:
                self.connect()
            what()
            return True
        except (OSError, AssertionError):
            if self.link:
                self.xid = self.link.xid
                self.link.close()
            self.link = None
            self.stopping.wait(0.02)
            return False

    def connect(self):
        port = self.random.choice(self.ports)
        link = zk.Link(port, TIMEOUT_MS, self.session, self.password, self.seen)
        link.socket.settimeout(TIMEOUT_MS / 1000)
        if link.timeout_ms == 0:
            self.session, self.password, self.seen = 0, b"\0" * 16, 0
            self.expired += 1
            raise ConnectionError("the session has expired")
        if self.session != link.session:
            self.session, self.password = link.session, link.password
            self.story, self.watched = self.history.stories.setdefault(link.session, []), set()
        link.xid = self.xid
        self.link = link
        self.syncs = self.orders_syncs(port)
        self.connected += 1
        if self.watched:
            none = []
            body = zk.set_watches(self.seen, sorted(self.watched), none, none, none, none)
            self.note(link.call("setWatches2", body, xid=zk.XID_SET_WATCHES))

    def note(self, frame):
        """What came until this reply, and the reply; its zxid and error."""
        for event in self.link.take_events():
            kind, _, size = struct.unpack_from(">iii", event, 16)
            if kind == DATA_CHANGED:
                key = event[28:28 + size].decode()
                self.watched.discard(key)
                self.story.append(Told("event", key=key))
        _, zxid, error = zk.header(frame)
        if error == 0 and zxid > 0:
            self.story.append(Told("reply", zxid))
            self.seen = max(self.seen, zxid)
        return zxid, error

    def call(self, operation, body):
        frame = self.link.call(operation, body)
        zxid, error = self.note(frame)
        if error:
            raise ConnectionError(f"{operation} answered {error}")
        return frame, zxid

    def step(self):
        key, choice = self.random.choice(self.keys), self.random.random()
        if choice < 0.5:
            self.write(key)
        elif choice < 0.75:
            self.read(key, synced=True)
        else:
            self.read(key, watch=choice > 0.9)

    def write(self, key):
        self.values += 1
        write = Write(key, b"%d-%d" % (self.number, self.values), time.monotonic())
        self.history.writes.append(write)
        frame, _ = self.call("setData", zk.set_data(key, write.value))
        stat = stat_of(frame)
        write.zxid, write.version, write.completed = stat["mzxid"], stat["version"], time.monotonic()
        self.written += 1

    def read(self, key, synced=False, watch=False):
        sent = time.monotonic()
        if synced:
            self.call("sync", zk.buffer(key))
        asked = time.monotonic()
        frame, zxid = self.call("getData", zk.watched(key, watch))
        size = struct.unpack_from(">i", frame, 16)[0]
        mzxid = stat_of(frame)["mzxid"]
        self.history.reads.append(Read(self.session, key, frame[20:20 + max(size, 0)], mzxid, zxid, asked,
                                       time.monotonic(), sent if synced and self.syncs else None))
        if watch and key not in self.watched:
            self.watched.add(key)
            self.story.append(Told("watch", mzxid, key))

    def look_at_all(self):
        for key in self.keys:
            self.read(key, synced=True)
