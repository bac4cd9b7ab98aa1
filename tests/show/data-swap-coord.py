#!/usr/bin/env python3
# One data directory, two servers: written by ZooKeeper 3.9.5 and opened by tandem-coord and the reverse,
# 100,000 nodes equal stat by stat, a session taken up again across each swap. `data-swap-coord.py [NODES]`
import struct
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import servers, zk_wire  # noqa: E402
from support.zk_wire import CREATE, GET_DATA, OPEN_ACL, SET_DATA, text  # noqa: E402

DELETE, GET_ACL, SET_ACL, GET_CHILDREN2, CREATE_CONTAINER, CREATE_TTL, AUTH = 2, 6, 7, 12, 19, 21, 100
DIGEST = "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="  # bob:pw
NO_NODE = -101
WINDOW = 400
PROPERTIES = {"zookeeper.extendedTypesEnabled": "true", "zookeeper.snapCount": "30000"}
CONFIG = {"tickTime": 3000}


def acl(*entries):
    return struct.pack(">i", len(entries)) + b"".join(
        struct.pack(">i", perms) + text(scheme) + text(name) for perms, scheme, name in entries)


BOB = acl((31, "digest", DIGEST), (1, "world", "anyone"))
LOOPBACK = acl((31, "ip", "127.0.0.1"))
FLAGS = struct.pack(">i", 0)


def pipelined(session, requests):
    """Yields (error, body) for each (op, body), keeping WINDOW in flight."""
    waiting = 0
    for op, body in requests:
        if waiting == WINDOW:
            yield session.receive()[2:]
            waiting -= 1
        session.send(op, body)
        waiting += 1
    for _ in range(waiting):
        yield session.receive()[2:]


def fill_requests(nodes):
    """What makes a tree with everything in it; deterministic."""
    yield CREATE, text("/swap") + text("") + OPEN_ACL + FLAGS
    directories = max(nodes // 1000, 1)
    for d in range(directories):
        yield CREATE, text(f"/swap/d{d}") + text(f"directory {d}") + OPEN_ACL + FLAGS
    for n in range(nodes):
        path = f"/swap/d{n % directories}/n{n}"
        data = text(("x" * (n % 150)) + str(n))
        if n % 50 == 1:
            yield CREATE_TTL, text(path) + data + OPEN_ACL + struct.pack(">iq", 5, 10**9 + n)
        elif n % 50 == 2:
            yield CREATE_CONTAINER, text(path) + data + OPEN_ACL + struct.pack(">i", 4)
            yield CREATE, text(path + "/child") + struct.pack(">i", -1) + OPEN_ACL + FLAGS
        elif n % 50 == 3:
            yield CREATE, text(path) + data + BOB + FLAGS
        elif n % 50 == 4:
            yield CREATE, text(path) + data + LOOPBACK + FLAGS
        else:
            yield CREATE, text(path) + data + OPEN_ACL + FLAGS
        if n % 7 == 0:
            yield SET_DATA, text(path) + text(f"again {n}") + struct.pack(">i", -1)
        if n % 31 == 0:
            yield SET_ACL, text(path) + BOB + struct.pack(">i", -1)
        if n % 13 == 5 and n % 50 != 2:
            yield DELETE, text(path) + struct.pack(">i", -1)
    for i in range(20):
        yield CREATE, text("/swap/d0/sequential-") + text(str(i)) + OPEN_ACL + struct.pack(">i", 2)
    yield CREATE, text("/swap/\u00e9\u4e2d") + text("\u00e9") + OPEN_ACL + FLAGS
    yield CREATE, text("/zookeeper/quota/swap") + text("") + OPEN_ACL + FLAGS
    for leaf, value in (("limits", "count=1000000,bytes=-1"), ("stats", "count=0,bytes=0")):
        yield CREATE, text(f"/zookeeper/quota/swap/zookeeper_{leaf}") + text(value) + OPEN_ACL + FLAGS
    yield SET_DATA, text("/swap/d0") + text("counted in the quota") + struct.pack(">i", -1)
    yield SET_DATA, text("/swap/missing") + text("") + struct.pack(">i", -1)  # an error in the log


def more_requests(round_):
    for i in range(500):
        yield CREATE, text(f"/swap/round{round_}-{i}") + text("more") + (BOB if i % 3 else OPEN_ACL) + FLAGS
    for i in range(0, 500, 5):
        yield DELETE, text(f"/swap/round{round_}-{i}") + struct.pack(">i", -1)


def run_all(session, requests, refused_max):
    refused = sum(1 for error, _ in pipelined(session, requests) if error != 0)
    assert refused <= refused_max, f"{refused} requests were refused"


def authenticated(port):
    session = zk_wire.Session(port)
    body = struct.pack(">ii", -4, AUTH) + struct.pack(">i", 0) + text("digest") + text("bob:pw")
    session.socket.sendall(struct.pack(">i", len(body)) + body)
    assert session.receive()[2] == 0
    return session


def children(body):
    count, at = struct.unpack_from(">i", body)[0], 4
    names = []
    for _ in range(count):
        size = struct.unpack_from(">i", body, at)[0]
        names.append(body[at + 4:at + 4 + size])
        at += 4 + size
    return names


def dump(port):
    """path -> (data and stat, ACL) of every node, as the server sends them."""
    session = authenticated(port)
    nodes, level = {}, [b"/"]
    while level:
        asked = [(GET_CHILDREN2, text(path) + b"\0") for path in level]
        answers = list(pipelined(session, asked))
        data = list(pipelined(session, [(GET_DATA, text(path) + b"\0") for path in level]))
        acls = list(pipelined(session, [(GET_ACL, text(path)) for path in level]))
        below = []
        for path, (error, body), one, two in zip(level, answers, data, acls):
            nodes[path] = (error, one, two)
            if error == 0:
                prefix = path.rstrip(b"/")
                below += [prefix + b"/" + name for name in children(body)]
        level = below
    session.call(zk_wire.CLOSE, b"")
    return nodes


def compare(before, after, what):
    missing = before.keys() - after.keys()
    added = after.keys() - before.keys()
    differ = [path for path in before.keys() & after.keys() if before[path] != after[path]]
    print(f"  {what}: {len(before)} nodes before, {len(after)} after, {len(differ)} differ, "
          f"{len(missing)} missing, {len(added)} added", flush=True)
    for path in [*missing, *added, *differ][:5]:
        print(f"    {path.decode()}: {before.get(path)} -> {after.get(path)}")
    return not missing and not added and not differ


class Holder:
    """The session that goes from server to server with its ephemerals."""

    def __init__(self, port):
        self.session = zk_wire.Session(port, timeout_ms=60000)
        for i in range(10):
            assert self.session.create(f"/swap/ephemeral{i}", b"mine", zk_wire.EPHEMERAL) == 0

    def again(self, port):
        known = self.session
        self.session = zk_wire.Session(port, timeout_ms=60000, session=known.id, password=known.password)
        held = [self.session.get(f"/swap/ephemeral{i}") for i in range(10)]
        ok = self.session.id == known.id and held == [b"mine"] * 10
        outcome = "taken up again with" if ok else "LOST, or"
        print(f"  session 0x{known.id & (2**64 - 1):x} {outcome} its ephemerals")
        return ok


def swap(home, first, second, nodes):
    """first writes, second opens and writes, first opens again."""
    data = home / "data-of-both"
    good = True

    def server(kind, number):
        options = {"config": {**CONFIG, "dataDir": data}, "properties": PROPERTIES}
        return kind(home / f"server{number}", **options).start()

    one = server(first, 1)
    run_all(authenticated(one.port), fill_requests(nodes), 1)
    holder = Holder(one.port)
    before = dump(one.port)
    one.stop()
    begun = time.monotonic()
    two = server(second, 2)
    print(f"  {two.name} answers {time.monotonic() - begun:.1f} s after its start")
    good = holder.again(two.port) and good
    good = compare(before, dump(two.port), f"{one.name} -> {two.name}") and good
    run_all(authenticated(two.port), more_requests(1), 0)
    before = dump(two.port)
    two.kill()  # the way back after a crash
    three = server(first, 3)
    good = holder.again(three.port) and good
    good = compare(before, dump(three.port), f"{two.name} (killed) -> {three.name}") and good
    three.stop()
    for peer in (one, two, three):
        lines = peer.log().splitlines()
        bad = [line for line in lines if "digest mismatch" in line or "the digest of" in line]
        if bad:
            print(f"  {peer.name} complains: {bad[0]}")
            good = False
    return good


def main():
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 107_000
    good = True
    for first, second in ((peers.ApacheZooKeeper, servers.Coord), (servers.Coord, peers.ApacheZooKeeper)):
        print(f"{nodes} nodes written by {first.name}, opened by {second.name}, and back", flush=True)
        with tempfile.TemporaryDirectory(prefix="tandem-swap-") as home:
            good = swap(Path(home), first, second, nodes) and good
    print("every dump equal, every session taken up again" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
