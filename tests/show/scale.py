#!/usr/bin/env python3
# One broker with 10,000 partitions: how long it takes to start after a clean stop, and what it weighs; and
# how long a controller takes to load a tree of 100,000 partitions.
import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from kazoo.client import KazooClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import outages, servers, wait  # noqa: E402

START, WEIGHT, LOAD = 3.0, 300, 1.5  # seconds, MiB, seconds
DEFAULTS = {"zookeeper.session.timeout.ms": 18000}
ELSEWHERE = 77  # a broker that is not there


def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def serves(broker, topic):
    """Whether a new topic can be made: everything before it has been done."""
    try:
        return outages.create_topics(broker.port, {topic: [[0]]}).get(topic) == 0
    except OSError:
        return False


def writes(broker, topic, partition):
    with outages.Writer([broker], topic, partition):
        pass


def partitions_of_one(directory, connect, count):
    broker = servers.Broker(directory, connect, config=DEFAULTS)
    with broker:
        for n in range(count // 100):
            errors = outages.create_topics(broker.port, {f"many{n}": [[0]] * 100})
            assert errors == {f"many{n}": 0}, errors
        broker.stop()
        begin = time.monotonic()
        broker.launch()
        last = f"many{count // 100 - 1}"
        writer = outages.Writer([broker], last, 99)
        writer.start()
        started = writer.after(begin)
        writer.over.set()
        writes(broker, "many0", 0)
        weight = resident(broker.pid)
    return started, weight


def fill(connect, topics, partitions):
    """Topics whose replicas are all on a broker that is not there."""
    client = KazooClient(connect, timeout=30.0)
    client.start(20)
    try:
        state = json.dumps({"controller_epoch": 1, "leader": -1, "version": 1, "leader_epoch": 0,
                            "isr": [ELSEWHERE]}).encode()
        replicas = {str(p): [ELSEWHERE] for p in range(partitions)}
        assignment = json.dumps({"version": 1, "partitions": replicas})
        for n in range(topics):
            root = f"/brokers/topics/tree{n}"
            client.create(root, assignment.encode(), makepath=True)
            client.create(f"{root}/partitions")
            asked = [client.create_async(f"{root}/partitions/{p}") for p in range(partitions)]
            asked += [client.create_async(f"{root}/partitions/{p}/state", state) for p in range(partitions)]
            for one in asked:
                one.get(60)
    finally:
        client.stop()
        client.close()


def failover(directory, connect, what):
    broker = servers.Broker(directory, connect, config=DEFAULTS)
    broker.launch()
    with broker:
        begin = time.monotonic()
        wait.until(lambda: serves(broker, f"first-{what}"), 120, "the controller", 0.005)
        return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--partitions", type=int, default=10000)
    parser.add_argument("--tree", type=int, default=100000, help="partitions of the large tree; 0: without")
    options = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory(prefix="tandem-scale-") as directory:
        directory = Path(directory)
        with servers.Coord(directory / "tree") as coord:
            started, weight = partitions_of_one(directory / "broker", coord.connect, options.partitions)
            print(f"{options.partitions} partitions: serves {started:.2f} s after a clean stop (at most"
                  f" {START} s), {weight:.0f} MiB resident (at most {WEIGHT})")
            missed += ["start"] * (started > START) + ["weight"] * (weight > WEIGHT)
        if options.tree:
            with servers.Coord(directory / "large-tree") as coord:
                empty = failover(directory / "empty", coord.connect, "empty")
                fill(coord.connect, options.tree // 1000, 1000)
                full = failover(directory / "full", coord.connect, "full")
                print(f"{options.tree} partitions in the tree: a new topic {full:.2f} s after the start of"
                      f" a broker, {empty:.2f} s without them (at most {LOAD} s more)")
                missed += ["load"] * (full - empty > LOAD)
    print("missed: " + ", ".join(missed) if missed else "every gate holds")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
