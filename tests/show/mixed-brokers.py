#!/usr/bin/env python3
# Clusters of tandem-broker and Kafka, either being the controller of the other: three of ours, two of Kafka
# 3.9.1 and one of ours, one and two, the same with 2.7.2, and one of each, on tandem-coord or ZooKeeper
# 3.9.5. Topics, groups, reassignment, preferred leaders, killed leaders and controllers, one that sleeps
# past its session: nothing acknowledged lost, doubled or reordered, all replicas equal.
# `mixed-brokers.py [KIND,KIND,KIND ...]`, such as "ours,apache,apache" or "apache 2.7.2,ours,ours"
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support import servers  # noqa: E402
from support.broker_faults import Life  # noqa: E402
from support.broker_rolling import JAVA  # noqa: E402
from support.clusters import Cluster  # noqa: E402

# The first is the first controller, and is killed when it has been for a while.
CLUSTERS = ("ours,ours,ours", "ours,apache,apache", "apache,ours,ours", "apache 2.7.2,ours,apache 2.7.2",
            "ours,apache 2.7.2,ours", "apache,ours,apache 2.7.2")


def tree(directory, kinds):
    """Of ours where Apache's controller begins, Apache's where ours does."""
    kind = servers.Coord if kinds[0] != "ours" else peers.ApacheZooKeeper
    return kind(directory / "tree", config={"tickTime": 500})


def live(kinds):
    old = peers.KAFKA_OLD if any("2.7" in kind for kind in kinds) else None
    config = {"inter.broker.protocol.version": "2.7"} if old else {}
    print(", ".join(kinds), flush=True)
    with tempfile.TemporaryDirectory(prefix="tandem-mixed-brokers-") as directory:
        directory = Path(directory)
        with tree(directory, kinds) as coord, \
                Cluster(directory, coord.connect, kinds, config=config, java=JAVA) as cluster:
            assert cluster.controller() == 0
            return Life(cluster, old or peers.KAFKA, say=lambda text: print(text, flush=True)).through()


def main():
    short = {}
    for text in sys.argv[1:] or CLUSTERS:
        figures = live(text.split(","))
        print(f"{text}: " + ", ".join(f"{name} {count}" for name, count in figures.items()), flush=True)
        bad = [name for name, count in figures.items() if count and name != "acknowledged"]
        if bad:
            short[text] = bad
    print("mixed-brokers: " + (f"FELL SHORT: {short}" if short else "nothing lost, doubled or reordered"))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
