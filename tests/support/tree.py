"""Whole trees over the wire: filled with every kind of node, dumped with every stat, compared."""

import base64
import hashlib
import struct

from support import zk_wire as zk

SUPER_DIGEST = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="
SUPER_PASSWORD = "super:test"
PROPERTIES = {
    "zookeeper.DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
    "zookeeper.extendedTypesEnabled": "true",
}
WINDOW = 400
CHILDREN = struct.Struct(">i")  # before the last field of a stat
DAY_MS = 24 * 3600 * 1000


def digest_id(credentials):
    user = credentials.split(":")[0]
    return f"{user}:" + base64.b64encode(hashlib.sha1(credentials.encode()).digest()).decode()


ACLS = [
    zk.OPEN,
    [(1, "world", "anyone")],
    [(31, "digest", digest_id("ann:secret")), (1, "world", "anyone")],
    [(31, "ip", "127.0.0.1"), (17, "ip", "10.0.0.0/8")],
    [(31, "digest", digest_id("bob:secret"))],
]


def super_link(port, timeout_ms=30000):
    """A session that may do everything."""
    link = zk.Link(port, timeout_ms)
    link.call("auth", zk.auth("digest", SUPER_PASSWORD), xid=zk.XID_AUTH)
    return link


def pipelined(link, requests):
    """Replies, in order, of (operation, body) requests; up to a window of them is in flight."""
    requests = list(requests)
    sent = 0
    for done in range(len(requests)):
        if sent - done <= WINDOW // 2:
            begin, sent = sent, min(done + WINDOW, len(requests))
            link.send_frames(zk.int32(i + 1) + zk.int32(zk.OPS[operation]) + body
                             for i, (operation, body) in enumerate(requests[begin:sent], begin))
        yield link.reply(done + 1)


def must(link, requests):
    for frame in pipelined(link, requests):
        error = zk.header(frame)[2]
        assert error == 0, f"error {error}"


def fill(port, count):
    """About `count` nodes of every kind. Returns the open link whose session owns the ephemerals."""
    link = super_link(port)
    wide = max(1, count // 200)

    def leaf(i):
        return f"/data/d{i % wide:04}/n{i:06}"

    must(link, [("create", zk.create(path)) for path in ("/data", "/acls", "/ttl", "/containers", "/quota")])
    must(link, [("create", zk.create(f"/data/d{i:04}")) for i in range(wide)])
    must(link, [("create", zk.create(leaf(i), f"value {i} ".encode() * (i % 12))) for i in range(count)])
    must(link, [("setData", zk.set_data(leaf(i), b"changed")) for i in range(0, count, 7)])
    must(link, [("delete", zk.versioned(leaf(i))) for i in range(0, count, 31)])
    must(link, [("create", zk.create(f"/acls/a{i}", b"x", ACLS[i % len(ACLS)])) for i in range(50)])
    must(link, [("setACL", zk.set_acl(f"/acls/a{i}", ACLS[(i + 2) % len(ACLS)])) for i in range(0, 50, 9)])
    must(link, [("createTTL", zk.create_ttl(f"/ttl/t{i}", b"t", ttl=DAY_MS)) for i in range(20)])
    must(link, [("createTTL", zk.create_ttl("/ttl/s", b"t", flags=6, ttl=DAY_MS)) for _ in range(5)])
    must(link, [("createContainer", zk.create(f"/containers/c{i}", b"", flags=4)) for i in range(10)])
    must(link, [("create", zk.create(f"/containers/c{i}/child", b"")) for i in range(10)])
    must(link, [("create", zk.create(path, data)) for path, data in quota_nodes("/quota")])
    must(link, [("create", zk.create(f"/quota/q{i}", b"12345")) for i in range(10)])
    link.close()
    owner = zk.Link(port, 30000)
    must(owner, [("create", zk.create("/owner", b"", flags=0))])
    must(owner, [("create", zk.create(f"/owner/e{i}", b"mine", flags=1)) for i in range(30)])
    must(owner, [("create", zk.create("/owner/seq-", b"mine", flags=3)) for _ in range(5)])
    return owner


def quota_nodes(path):
    return [(f"/zookeeper/quota{path}", b""),
            (f"/zookeeper/quota{path}/zookeeper_limits", b"count=1000,bytes=100000"),
            (f"/zookeeper/quota{path}/zookeeper_stats", b"count=0,bytes=0")]


def children_of(frame):
    count, at, names = struct.unpack_from(">i", frame, 16)[0], 20, []
    for _ in range(max(count, 0)):
        size = struct.unpack_from(">i", frame, at)[0]
        names.append(frame[at + 4:at + 4 + size].decode("utf-8", "surrogatepass"))
        at += 4 + size
    return names


def dump(port):
    """{path: (data and stat as sent, ACL and its stat as sent)} of the whole tree."""
    link = super_link(port)
    nodes, level = {}, ["/"]
    while level:
        data = [frame[16:] for frame in pipelined(link, [("getData", zk.watched(p)) for p in level])]
        acls = [frame[16:] for frame in pipelined(link, [("getACL", zk.buffer(p)) for p in level])]
        nodes.update(zip(level, zip(data, acls)))
        counts = [frame and CHILDREN.unpack_from(frame, len(frame) - 12)[0] for frame in data]
        parents = [p for p, count in zip(level, counts) if count]
        lists = pipelined(link, [("getChildren", zk.watched(p)) for p in parents])
        level = [f"{'' if p == '/' else p}/{name}" for p, frame in zip(parents, lists)
                 for name in children_of(frame)]
    link.call("closeSession")
    link.close()
    return nodes


STAT = ("czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion", "ephemeralOwner", "dataLength",
        "numChildren", "pzxid")


def stat_of(data):
    """The stat at the end of a getData reply as a dictionary."""
    return dict(zip(STAT, struct.unpack(">qqqqiiiqiiq", data[-68:])))


def differences(left, right):
    """Sentences, one for each path that is not the same in two dumps."""
    rows = [f"{path}: only on the left" for path in sorted(left.keys() - right.keys())]
    rows += [f"{path}: only on the right" for path in sorted(right.keys() - left.keys())]
    for path in sorted(left.keys() & right.keys()):
        if left[path] != right[path]:
            old, new = stat_of(left[path][0]), stat_of(right[path][0])
            fields = {name: (old[name], new[name]) for name in STAT if old[name] != new[name]}
            what = fields or (left[path][0][:-68], right[path][0][:-68], left[path][1], right[path][1])
            rows.append(f"{path}: {what}")
    return rows
