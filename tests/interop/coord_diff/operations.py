"""One seeded list of operations: every operation code, good and bad arguments, from several sessions.

The list does not look at replies, so that two servers are asked exactly the same. Names of the tree are
few on purpose: operations must meet. Left out are the codes that Apache takes from a client although only
servers send them (deleteContainer, createSession, error): ours refuses them.
"""

import base64
import hashlib
import random
from dataclasses import dataclass

from support import zk_wire as zk

LINKS = 4
TOP = ["/a", "/b", "/c", "/q", "/e"]
PARTS = ["x", "y", "z"]
BAD_PATHS = ["", "a", "/a/", "/a//b", "/a/./b", "/a/../b", "/a/b\0c", "/a/\x01", "/a/\u0085", "/a/\ufff5",
             "/nowhere/x", None, "//", "/a/.", "/.."]
SYSTEM_PATHS = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/zookeeper/quota/q"]
SUPER_DIGEST = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="
SUPER_PASSWORD = "super:test"


def digest_id(credentials):
    user = credentials.split(":")[0]
    return f"{user}:" + base64.b64encode(hashlib.sha1(credentials.encode()).digest()).decode()


ACLS = [
    ([(31, "world", "anyone")], 60),
    ([(1, "world", "anyone")], 4),
    ([(31, "auth", "")], 4),
    ([(31, "digest", digest_id("ann:pw"))], 3),
    ([(31, "digest", digest_id("ann:pw")), (1, "world", "anyone")], 3),
    ([(31, "ip", "127.0.0.1")], 3),
    ([(31, "ip", "127.0.0.0/8"), (16, "world", "anyone")], 2),
    ([(31, "ip", "10.0.0.0/8")], 2),
    ([(12, "world", "anyone"), (1, "auth", "")], 2),
    ([], 2), (None, 1),
    ([(31, "world", "nobody")], 1),
    ([(31, "nosuch", "x")], 1),
    ([(31, "digest", "no-colon")], 1),
    ([(31, "ip", "127.0.0.1/99")], 1), ([(31, "ip", "localhost")], 1),
    ([(0, "world", "anyone")], 1), ([(255, "world", "anyone")], 1),
    ([(31, "world", "anyone"), (31, "world", "anyone"), (1, "world", "anyone")], 1),
    ([(31, "sasl", "me")], 1), ([(31, "x509", "CN=x")], 1), ([(31, "super", "")], 1),
]


@dataclass
class Step:
    link: int
    name: str
    code: int
    body: bytes
    xid: object = None
    about: str = ""

    def __str__(self):
        return f"link {self.link} {self.name}({self.about}) {self.body[:160].hex()}"


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.rows = [(getattr(self, name), weight) for name, weight in WEIGHTS.items()]

    def steps(self, count):
        made = 0
        while made < count:
            step = self.weighted(self.rows)()
            if isinstance(step, Step):
                made += 1
                yield step

    # ---- ingredients ----

    def weighted(self, rows):
        return self.random.choices([row[0] for row in rows], [row[1] for row in rows])[0]

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def path(self):
        if self.chance(4):
            return self.random.choice(BAD_PATHS)
        if self.chance(4):
            return self.random.choice(SYSTEM_PATHS)
        path = self.random.choice(TOP)
        for _ in range(self.weighted([(0, 35), (1, 45), (2, 18), (3, 2)])):
            path += "/" + self.random.choice(PARTS)
        return path

    def data(self):
        return self.weighted([(b"", 15), (None, 5), (b"v" * self.random.randrange(1, 40), 75),
                              (b"\0\xff" * 600, 5)])

    def acl(self):
        return self.weighted(ACLS)

    def version(self):
        return self.weighted([(-1, 70), (0, 12), (1, 6), (2, 3), (7, 3), (-2, 2), (-2147483648, 1)])

    def flags(self):
        return self.weighted([(0, 60), (1, 14), (2, 10), (3, 6), (4, 2), (5, 2), (6, 2), (7, 2), (-1, 2)])

    def step(self, name, body, about="", code=None, xid=None):
        code = zk.OPS[name] if code is None else code
        return Step(self.random.randrange(LINKS), name, code, body, xid, about)

    # ---- operations ----

    def create_part(self):
        name = self.weighted([("create", 60), ("create2", 30), ("createContainer", 6), ("createTTL", 8)])
        path, data, acl = self.path(), self.data(), self.acl()
        if name == "createContainer":
            return name, zk.create(path, data, acl, self.weighted([(4, 85), (0, 8), (1, 7)])), path
        if name == "createTTL":
            flags = self.weighted([(5, 60), (6, 30), (0, 5), (1, 5)])
            ttl = self.weighted([(600000, 80), (0, 4), (-1, 4), (1 << 40, 4), ((1 << 40) - 1, 4), (1, 4)])
            if flags < 5:
                ttl = 600000  # another one is not checked there, and ends Apache's server
            return name, zk.create_ttl(path, data, acl, flags, ttl), f"{path} ttl {ttl}"
        flags = self.flags()
        return name, zk.create(path, data, acl, flags), f"{path} flags {flags}"

    def write_part(self):
        kind = self.weighted([("create", 40), ("delete", 20), ("setData", 25), ("check", 15)])
        if kind == "create":
            return self.create_part()
        path = self.path()
        if kind == "setData":
            return kind, zk.set_data(path, self.data(), self.version()), path
        return kind, zk.versioned(path, self.version()), path

    def do_create(self):
        name, body, about = self.create_part()
        return self.step(name, body, about)

    def do_delete(self):
        path, version = self.path(), self.version()
        return self.step("delete", zk.versioned(path, version), f"{path} v{version}")

    def do_set_data(self):
        path, version = self.path(), self.version()
        return self.step("setData", zk.set_data(path, self.data(), version), f"{path} v{version}")

    def do_set_acl(self):
        path, version = self.path(), self.version()
        return self.step("setACL", zk.set_acl(path, self.acl(), version), f"{path} v{version}")

    def do_read(self):
        name = self.random.choice(["exists", "getData", "getChildren", "getChildren2"])
        path, watch = self.random.choice(TOP) if self.chance(20) else self.path(), self.chance(35)
        return self.step(name, zk.watched(path, watch), f"{path} watch {watch}")

    def do_get_acl(self):
        path = self.path()
        return self.step("getACL", zk.buffer(path), path)

    def do_small(self):
        name = self.random.choice(["sync", "getEphemerals", "getAllChildrenNumber", "whoAmI"])
        path = self.path()
        return self.step(name, b"" if name == "whoAmI" else zk.buffer(path), path)

    def do_multi(self):
        count = self.weighted([(0, 5), (1, 25), (2, 40), (3, 20), (6, 10)])
        parts = [self.write_part() for _ in range(count)]
        if self.chance(3):
            parts.append(("getData", zk.watched("/a"), "/a"))
        about = "; ".join(f"{name} {about}" for name, _, about in parts)
        return self.step("multi", zk.multi([(name, body) for name, body, _ in parts]), about)

    def do_multi_read(self):
        reads = ["getData", "getChildren"]
        names = self.random.choices(reads, k=self.random.randrange(4))
        parts = [(name, zk.watched(self.path())) for name in names]
        if self.chance(5):
            parts.append(("create", zk.create("/a")))
        return self.step("multiRead", zk.multi(parts), str(len(parts)))

    def do_add_watch(self):
        path, mode = self.path(), self.weighted([(0, 48), (1, 48), (2, 2), (-1, 2)])
        return self.step("addWatch", zk.versioned(path, mode), f"{path} mode {mode}")

    def do_watches(self):
        path = self.random.choice(TOP) if self.chance(70) else self.path()
        kind = self.weighted([(1, 20), (2, 20), (3, 30), (4, 15), (5, 15), (9, 2)])
        name = self.random.choice(["checkWatches", "removeWatches"])
        return self.step(name, zk.versioned(path, kind), f"{path} type {kind}")

    def do_set_watches(self):
        name = self.random.choice(["setWatches", "setWatches2"])
        lists = [[self.path() or "/a" for _ in range(self.random.randrange(3))]
                 for _ in range(3 if name == "setWatches" else 5)]
        zxid = self.weighted([(0, 30), (1 << 40, 40), (200, 30)])
        return self.step(name, zk.set_watches(zxid, *lists), str(lists), xid=zk.XID_SET_WATCHES)

    def do_auth(self):
        scheme, data = self.weighted([
            (("digest", "ann:pw"), 40), (("digest", "bob:pw"), 20), (("digest", SUPER_PASSWORD), 6),
            (("digest", "x"), 4), (("ip", ""), 10), (("nosuch", "x"), 6), (("world", "anyone"), 4),
            (("", ""), 2), (("super", ""), 2)])
        return self.step("auth", zk.auth(scheme, data), f"{scheme} {data}", xid=zk.XID_AUTH)

    def do_quota(self):
        # Only values that parse: Apache's server ends itself over a malformed one.
        part = self.random.choice(["", "/zookeeper_limits", "/zookeeper_stats"])
        path = "/zookeeper/quota/q" + part
        name = self.random.choice(["create", "create", "setData", "delete", "getData"])
        limits = self.random.choice([b"count=3,bytes=100", b"count=-1,bytes=-1",
                                     b"count=4,bytes=200=;byteHardLimit=300;countHardLimit=5"])
        bodies = {"create": zk.create(path, limits), "setData": zk.set_data(path, limits),
                  "delete": zk.versioned(path), "getData": zk.watched(path)}
        return self.step(name, bodies[name], path)

    def do_refused(self):
        name, code = self.random.choice([("check", 13), ("code 99", 99), ("code 10", 10), ("notification", 0),
                                         ("reconfig", 16), ("reconfig", 16)])
        body = zk.versioned("/a") if name != "reconfig" else zk.buffer("") * 3 + zk.int64(-1)
        return self.step(name, body, code=code)

    def do_cut(self):
        """A body that ends too early, or none at all."""
        for _ in range(20):
            whole = self.random.choice([self.do_create, self.do_read, self.do_delete, self.do_set_data,
                                        self.do_multi, self.do_set_acl, self.do_add_watch])()
            if whole.body:
                cut = whole.body[:self.random.randrange(len(whole.body))]
                about = f"cut to {len(cut)}: {whole.about}"
                return Step(whole.link, whole.name, whole.code, cut, None, about)

    def do_close(self):
        return self.step("closeSession", b"")

    def do_ping(self):
        return self.step("ping", b"", xid=zk.XID_PING)


WEIGHTS = {
    "do_create": 24, "do_delete": 10, "do_set_data": 12, "do_set_acl": 5, "do_read": 18, "do_get_acl": 4,
    "do_small": 5, "do_multi": 8, "do_multi_read": 3, "do_add_watch": 3, "do_watches": 4, "do_set_watches": 2,
    "do_auth": 3, "do_quota": 3, "do_refused": 1, "do_cut": 1, "do_close": 1, "do_ping": 1,
}
