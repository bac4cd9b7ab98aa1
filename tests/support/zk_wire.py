"""The ZooKeeper client protocol at its lowest: records as bytes, one frame at a time, nothing hidden.

For tests that must see every byte. Field orders are those of Apache's zookeeper.jute.
"""

import contextlib
import socket
import struct
import threading

from support import ports

OPS = {
    "create": 1, "delete": 2, "exists": 3, "getData": 4, "setData": 5, "getACL": 6, "setACL": 7,
    "getChildren": 8, "sync": 9, "ping": 11, "getChildren2": 12, "check": 13, "multi": 14, "create2": 15,
    "reconfig": 16, "checkWatches": 17, "removeWatches": 18, "createContainer": 19, "deleteContainer": 20,
    "createTTL": 21, "multiRead": 22, "auth": 100, "setWatches": 101, "sasl": 102, "getEphemerals": 103,
    "getAllChildrenNumber": 104, "setWatches2": 105, "addWatch": 106, "whoAmI": 107, "createSession": -10,
    "closeSession": -11, "error": -1,
}
NAMES = {number: name for name, number in OPS.items()}
XID_EVENT, XID_PING, XID_AUTH, XID_SET_WATCHES = -1, -2, -4, -8
PERM_ALL = 31
CHUNK = 1 << 16
OPEN = [(PERM_ALL, "world", "anyone")]


def int32(value):
    return struct.pack(">i", value)


def int64(value):
    return struct.pack(">q", value)


def boolean(value):
    return b"\1" if value else b"\0"


def buffer(value):
    if value is None:
        return int32(-1)
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return int32(len(data)) + data


def vector(values, encode=buffer):
    return int32(-1) if values is None else int32(len(values)) + b"".join(encode(v) for v in values)


def acl_list(rows):
    return vector(rows, lambda row: int32(row[0]) + buffer(row[1]) + buffer(row[2]))


def create(path, data=b"", acl=OPEN, flags=0):
    return buffer(path) + buffer(data) + acl_list(acl) + int32(flags)


def create_ttl(path, data=b"", acl=OPEN, flags=5, ttl=60000):
    return create(path, data, acl, flags) + int64(ttl)


def versioned(path, version=-1):
    """DeleteRequest, CheckVersionRequest, and with a mode or type in its place the watch requests."""
    return buffer(path) + int32(version)


def watched(path, watch=False):
    return buffer(path) + boolean(watch)


def set_data(path, data=b"", version=-1):
    return buffer(path) + buffer(data) + int32(version)


def set_acl(path, acl, version=-1):
    return buffer(path) + acl_list(acl) + int32(version)


def auth(scheme, data):
    return int32(0) + buffer(scheme) + buffer(data)


def set_watches(zxid, *path_lists):
    return int64(zxid) + b"".join(vector(paths) for paths in path_lists)


def multi(parts):
    """parts: (operation name, body)"""
    body = b"".join(int32(OPS[name]) + boolean(False) + int32(-1) + part for name, part in parts)
    return body + int32(-1) + boolean(True) + int32(-1)


class Closed(ConnectionError):
    pass


class Link:
    """One connection with its session. `events` collects notification frames in order."""

    def __init__(self, port, timeout_ms=40000, session=0, password=b"\0" * 16, last_zxid=0, host=ports.HOST):
        self.socket = socket.create_connection((host, port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.events = []
        self.xid = 0
        self.received, self.taken = bytearray(), 0  # what came, and how much of it was given out as frames
        body = int32(0) + int64(last_zxid) + int32(timeout_ms) + int64(session) + buffer(password) + b"\0"
        self.send_frame(body)
        answer = self.receive_frame()
        self.timeout_ms, self.session = struct.unpack_from(">iq", answer, 4)
        self.password = answer[20:36]

    def send_frame(self, body):
        self.send_frames([body])

    def send_frames(self, bodies):
        """Many at once."""
        try:
            self.socket.sendall(b"".join(int32(len(body)) + body for body in bodies))
        except OSError as error:
            raise Closed(str(error)) from error

    def receive_frame(self):
        try:
            size = struct.unpack(">i", self.take(4))[0]
            return self.take(size)
        except (ConnectionError, socket.timeout) as error:
            raise Closed(str(error)) from error

    def take(self, count):
        """The next bytes. Many small frames come at once: they are received so, too."""
        while len(self.received) - self.taken < count:
            del self.received[:self.taken]
            self.taken = 0
            part = self.socket.recv(max(CHUNK, count - len(self.received)))
            if not part:
                raise ConnectionError("closed by the peer")
            self.received += part
        self.taken += count
        return bytes(self.received[self.taken - count:self.taken])

    def reply(self, xid):
        """The frame that answers `xid`; notifications on the way are kept."""
        while True:
            frame = self.receive_frame()
            got = struct.unpack_from(">i", frame)[0]
            if got == XID_EVENT:
                self.events.append(frame)
                continue
            if got != xid:
                raise AssertionError(f"xid {got} answered, {xid} was asked")
            return frame

    def call(self, operation, body=b"", xid=None):
        """Sends one request and returns the reply frame (header included)."""
        number = OPS[operation] if isinstance(operation, str) else operation
        if xid is None:
            self.xid += 1
            xid = self.xid
        self.send_frame(int32(xid) + int32(number) + body)
        return self.reply(xid)

    def ping(self):
        return self.call("ping", xid=XID_PING)

    @contextlib.contextmanager
    def kept_alive(self, seconds=3):
        """Pings by a thread of its own, while this one does something long without the link."""
        ended = threading.Event()

        def beat():
            while not ended.wait(seconds):
                self.ping()

        heart = threading.Thread(target=beat, daemon=True)
        heart.start()
        try:
            yield
        finally:
            ended.set()
            heart.join()

    def take_events(self):
        events, self.events = self.events, []
        return events

    def close(self):
        self.socket.close()


def header(frame):
    """(xid, zxid, err) of a reply frame."""
    return struct.unpack_from(">iqi", frame)


CREATE, EXISTS, GET_DATA, SET_DATA, CLOSE = 1, 3, 4, 5, -11
EPHEMERAL = 1


class Session(Link):
    """For tests that count requests and replies: sends without waiting, receives reply by reply."""

    @property
    def id(self):
        return self.session

    def send(self, operation, body):
        self.xid += 1
        self.send_frame(int32(self.xid) + int32(operation) + body)
        return self.xid

    def receive(self):
        """(xid, zxid, error, body) of the next reply."""
        frame = self.receive_frame()
        return (*header(frame), frame[16:])

    def ask(self, operation, body):
        """(error, body) of one request."""
        frame = self.reply(self.send(operation, body))
        return header(frame)[2], frame[16:]

    def create(self, path, data=b"", flags=0):
        return self.ask(CREATE, create(path, data, OPEN, flags))[0]

    def get(self, path):
        """The data, or None when there is no node."""
        error, body = self.ask(GET_DATA, watched(path))
        if error == -101:
            return None
        if error != 0:
            raise OSError(f"getData of {path} gave {error}")
        size = struct.unpack_from(">i", body)[0]
        return body[4:4 + max(size, 0)]
