#!/usr/bin/env python3
# A data directory of 100,000 nodes of every kind goes from Apache ZooKeeper to tandem-coord and back, and the
# other way round, back after a kill -9: dumps equal stat by stat, a session re-attached with its ephemerals.
# `data-swap-coord.py [NODES]`
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers import peers  # noqa: E402
from support import servers, tree  # noqa: E402
from support import zk_wire as zk  # noqa: E402

MAKERS = {"ZooKeeper 3.9.5": peers.ApacheZooKeeper, "tandem-coord": servers.Coord}


def start(name, directory):
    begin = time.monotonic()
    options = {"heap": "2g"} if name.startswith("ZooKeeper") else {}
    server = MAKERS[name](directory, properties=tree.PROPERTIES, **options).start()
    print(f"  {name} serves the directory after {time.monotonic() - begin:.2f} s", flush=True)
    return server


def swapped(before, first, second, directory, owner):
    """Opens the directory with `second`; the number of complaints, the server and the owner's new link."""
    server = start(second, directory)
    link = zk.Link(server.port, 30000, owner.session, owner.password)
    ephemerals = len(tree.children_of(link.call("getEphemerals", zk.buffer("/owner"))))
    with link.kept_alive():
        after = tree.dump(server.port)
    rows = tree.differences(before, after)
    fate = "re-attached" if link.session == owner.session else "LOST"
    print(f"  {first} -> {second}: {len(before)} nodes, {len(rows)} differ; session {fate} with {ephemerals} "
          "ephemerals", flush=True)
    print("".join(f"    {row}\n" for row in rows[:10]), end="")
    return len(rows) + (ephemerals != 35) + (link.session != owner.session), server, link


def there_and_back(first, second, count):
    print(f"{first} -> {second} -> {first}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tandem-swap-") as directory:
        server = start(first, directory)
        owner = tree.fill(server.port, count)
        with owner.kept_alive():
            before = tree.dump(server.port)
        owner.close()
        server.stop()
        bad, server, owner = swapped(before, first, second, directory, owner)
        tree.must(owner, [("create", zk.create(f"/owner/late{i}", b"more")) for i in range(1000)])
        with owner.kept_alive():
            before = tree.dump(server.port)
        owner.close()
        server.kill()
        worse, server, owner = swapped(before, second, first, directory, owner)
        owner.close()
        server.stop()
    return bad + worse


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    names = list(MAKERS)
    bad = there_and_back(names[0], names[1], count) + there_and_back(names[1], names[0], count)
    print(f"data-swap-coord: four swaps of {count} nodes, {bad} differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
