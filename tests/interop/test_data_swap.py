"""One data directory under two servers in turn: what Apache ZooKeeper wrote, tandem-coord serves, and back.

Dumps before and after a swap are equal stat by stat; a session goes on across it with its ephemerals.
"""

import pytest

from peers import peers
from support import servers, tree, wait
from support import zk_wire as zk

NODES = 3000


class Swap:
    """The server that has the directory at the moment."""

    def __init__(self, directory, config=None):
        self.directory, self.config, self.now = directory, config or {}, None

    def start(self, kind, **properties):
        names = {name.replace("_", "."): value for name, value in properties.items()}
        make = peers.ApacheZooKeeper if kind == "apache" else servers.Coord
        self.now = make(self.directory, config=self.config, properties={**tree.PROPERTIES, **names}).start()
        return self.now.port


@pytest.fixture
def swap(tmp_path):
    made = Swap(tmp_path / "shared")
    yield made
    made.now.__exit__()


def reattach(port, owner):
    """The owner's session on another server; its ephemerals came along."""
    link = zk.Link(port, 30000, owner.session, owner.password)
    assert link.session == owner.session, "the session was not accepted"
    frame = link.call("getEphemerals", zk.buffer("/owner"))
    assert len(tree.children_of(frame)) == 35
    return link


def exists(link, path):
    return zk.header(link.call("exists", zk.watched(path)))[2] == 0


def same(before, after):
    rows = tree.differences(before, after)
    assert not rows, f"{len(rows)} of {len(before)} nodes differ:\n" + "\n".join(rows[:20])


@pytest.mark.parametrize("first, second", [
    ("apache", "ours"), pytest.param("ours", "apache", marks=pytest.mark.full)])
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_directory_goes_there_and_back(swap, first, second, end):
    owner = tree.fill(swap.start(first), NODES)
    before = tree.dump(swap.now.port)
    owner.close()
    getattr(swap.now, end)()
    owner = reattach(swap.start(second), owner)
    same(before, tree.dump(swap.now.port))
    tree.must(owner, [("create", zk.create(f"/owner/late{i}", b"more")) for i in range(100)])
    before = tree.dump(swap.now.port)
    owner.close()
    getattr(swap.now, end)()
    owner = reattach(swap.start(first), owner)
    same(before, tree.dump(swap.now.port))
    owner.call("closeSession")
    assert not [path for path in tree.dump(swap.now.port) if path.startswith(("/owner/e", "/owner/seq"))]


@pytest.mark.parametrize("first, second", [("apache", "ours"), ("ours", "apache")])
def test_containers_and_ttl_nodes_stay_what_they_are(swap, first, second):
    link = tree.super_link(swap.start(first, znode_container_checkIntervalMs="3600000"))
    tree.must(link, [("create", zk.create("/kept")), ("createContainer", zk.create("/box", flags=4)),
                     ("create", zk.create("/box/child")), ("delete", zk.versioned("/box/child")),
                     ("createTTL", zk.create_ttl("/short", ttl=1))])
    link.close()
    swap.now.stop()
    link = tree.super_link(swap.start(second, znode_container_checkIntervalMs="100"))
    for path in ("/box", "/short"):
        wait.until(lambda: not exists(link, path), 20, f"the reaper for {path}")
    assert exists(link, "/kept")


@pytest.mark.parametrize("compression", [
    "snappy", pytest.param("gz", marks=pytest.mark.full), pytest.param("", marks=pytest.mark.full)])
def test_snapshots_of_either_kind_are_read_by_the_other(tmp_path, compression):
    """Small snapCount: the second server starts from a snapshot, compressed or not, and the log behind it."""
    swap = Swap(tmp_path / "shared", {"snapCount": 500})
    method = {"zookeeper.snapshot.compression.method": compression} if compression else {}
    for first, second in (("apache", "ours"), ("ours", "apache")):
        port = swap.start(first, **{name.replace(".", "_"): value for name, value in method.items()})
        if first == "apache":
            tree.fill(port, NODES).close()
        else:
            link = tree.super_link(port)
            tree.must(link, [("create", zk.create(f"/data/second{i}", b"s")) for i in range(NODES)])
            link.close()
        wait.until(lambda: len(snapshots(swap.directory, compression)) > 0, 20, "a snapshot")
        before = tree.dump(port)
        swap.now.stop()
        same(before, tree.dump(swap.start(second)))
        swap.now.stop()


def snapshots(directory, compression):
    ending = f".{compression}" if compression else ""
    found = (directory / "data" / "version-2").glob("snapshot.*")
    return [p for p in found if p.name.endswith(ending) and p.name != "snapshot.0" + ending]
