"""The ZooKeeper client protocol on a bare socket: for tests that count every request and every reply."""

import socket
import struct

from support import ports

OPEN_ACL = struct.pack(">ii", 1, 31) + b"\0\0\0\5world\0\0\0\6anyone"
CREATE, EXISTS, GET_DATA, SET_DATA, PING, CLOSE = 1, 3, 4, 5, 11, -11
EPHEMERAL = 1


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">i", len(raw)) + raw


def create_body(path, data=b"", flags=0):
    return text(path) + text(data) + OPEN_ACL + struct.pack(">i", flags)


class Session:
    """One session. request() queues nothing: it sends; replies come in the order of the requests."""

    def __init__(self, port, timeout_ms=30000, session=0, password=bytes(16), host=ports.HOST):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = struct.pack(">iqiqi", 0, 0, timeout_ms, session, 16) + password + b"\0"
        self.socket.sendall(struct.pack(">i", len(body)) + body)
        reply = self.frame()
        self.timeout_ms, self.id = struct.unpack_from(">iq", reply, 4)
        self.password = reply[20:36]
        self.xid = 0

    def frame(self):
        size = struct.unpack(">i", ports.receive_exactly(self.socket, 4))[0]
        return ports.receive_exactly(self.socket, size)

    def send(self, op, body):
        self.xid += 1
        frame = struct.pack(">ii", self.xid, op) + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)
        return self.xid

    def receive(self):
        """(xid, zxid, error, body) of the next reply."""
        frame = self.frame()
        return (*struct.unpack_from(">iqi", frame), frame[16:])

    def call(self, op, body):
        """(error, body)"""
        xid = self.send(op, body)
        while True:
            got, _, error, rest = self.receive()
            if got == xid:
                return error, rest

    def create(self, path, data=b"", flags=0):
        return self.call(CREATE, create_body(path, data, flags))[0]

    def get(self, path):
        """The data, or None when there is no node."""
        error, body = self.call(GET_DATA, text(path) + b"\0")
        if error == -101:
            return None
        if error != 0:
            raise OSError(f"getData of {path} gave {error}")
        size = struct.unpack_from(">i", body)[0]
        return body[4:4 + max(size, 0)]

    def close(self):
        self.socket.close()
