#!/usr/bin/env python3
"""Drives a server through every type of transaction that its log can hold, for the files beside this script.

    record.py PORT           (README.md has the whole recipe)
"""
import os
import socket
import struct
import sys
from pathlib import Path

from kazoo.client import KazooClient
from kazoo.security import make_acl, make_digest_acl

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from support import wait  # noqa: E402

OPEN_ACL = struct.pack(">ii", 1, 31) + b"\0\0\0\5world\0\0\0\6anyone"


def text(value):
    raw = value.encode()
    return struct.pack(">i", len(raw)) + raw


class RawSession:
    """For the requests that the client library cannot send."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.xid = 0
        self.exchange(struct.pack(">iqiq", 0, 0, 20000, 0) + struct.pack(">i", 16) + bytes(16) + b"\0")

    def exchange(self, body):
        self.socket.sendall(struct.pack(">i", len(body)) + body)
        size = struct.unpack(">i", self.socket.recv(4, socket.MSG_WAITALL))[0]
        return self.socket.recv(size, socket.MSG_WAITALL)

    def request(self, op, body):
        self.xid += 1
        reply = self.exchange(struct.pack(">ii", self.xid, op) + body)
        error = struct.unpack(">iqi", reply[:16])[2]
        assert error == 0, f"operation {op} gave error {error}"


def expect_failure(call):
    try:
        call()
    except Exception:  # the kind does not matter: the log shall hold an error
        return
    raise AssertionError("should have failed")


def nodes(zk):
    zk.create("/plain", b"hello")
    zk.create("/empty", b"")
    zk.create("/seq", b"")
    for i in range(3):
        zk.create("/seq/n-", b"%d" % i, sequence=True)
    bob = make_digest_acl("bob", "pw", all=True)
    zk.create("/acl", b"secret", acl=[bob, make_acl("world", "anyone", read=True)])
    zk.create("/acl2", b"x", acl=[make_acl("ip", "127.0.0.1", all=True)])
    zk.set("/plain", b"world")
    zk.set("/plain", b"\x00\xff binary \xc3\xa9")
    zk.create("/unicod\u00e9", "\u00e9".encode())
    zk.set_acls("/seq", [make_acl("world", "anyone", all=True), make_acl("ip", "10.0.0.0/8", read=True)])
    zk.create("/gone", b"x")
    zk.delete("/gone")


def failures_and_multis(zk):
    expect_failure(lambda: zk.set("/plain", b"", version=77))
    expect_failure(lambda: zk.delete("/nope"))
    expect_failure(lambda: zk.create("/plain", b""))
    good = zk.transaction()
    good.create("/m", b"1")
    good.create("/m/a", b"2")
    good.check("/m", 0)
    good.set_data("/m", b"3")
    good.delete("/m/a")
    good.commit()
    bad = zk.transaction()
    bad.create("/m/b", b"2")
    bad.check("/m", 9)
    bad.create("/m/c")
    bad.commit()


def main():
    port = int(sys.argv[1])
    zk = KazooClient(hosts=f"127.0.0.1:{port}", timeout=20)
    zk.start()
    nodes(zk)
    failures_and_multis(zk)
    zk.create("/zookeeper/quota/plain", b"")
    zk.create("/zookeeper/quota/plain/zookeeper_limits", b"count=5,bytes=1000")
    zk.create("/zookeeper/quota/plain/zookeeper_stats", b"count=1,bytes=8")
    zk.create("/plain/eph", b"mine", ephemeral=True)
    other = KazooClient(hosts=f"127.0.0.1:{port}", timeout=20)
    other.start()
    other.create("/eph-closed", b"", ephemeral=True)
    other.stop()
    raw = RawSession(port)
    raw.request(19, text("/container") + text("c") + OPEN_ACL + struct.pack(">i", 4))
    raw.request(21, text("/ttl") + text("t") + OPEN_ACL + struct.pack(">iq", 5, 3600000))
    raw.request(21, text("/ttl-short") + text("t") + OPEN_ACL + struct.pack(">iq", 5, 300))
    raw.request(19, text("/container2") + text("c") + OPEN_ACL + struct.pack(">i", 4))
    raw.request(1, text("/container2/x") + struct.pack(">i", -1) + OPEN_ACL + struct.pack(">i", 0))
    raw.request(2, text("/container2/x") + struct.pack(">i", -1))
    wait.until(lambda: not zk.exists("/ttl-short") and not zk.exists("/container2"), 20, "the reaper")
    os._exit(0)  # the sessions stay open, with the ephemeral


if __name__ == "__main__":
    main()
