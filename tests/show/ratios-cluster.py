#!/usr/bin/env python3
# Three tandem-broker over three tandem-coord beside three Kafka 3.9.1 over three ZooKeeper 3.9.5, in one run,
# tandem.log.flush.on.ack both ways: acks=all throughput and latency, time to a consumer, memory, start with
# 1,000 partitions. `ratios-cluster.py [ROUNDS [SECONDS]]`; the generator: ../shared/bench.
import contextlib
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from peers import peers  # noqa: E402
from support import servers, wait  # noqa: E402
from support.cluster import NUMBERS, Cluster  # noqa: E402
from support.ensembles import Ensemble  # noqa: E402
from support.generators import compiled, figures  # noqa: E402

SINGLE = ["--batch", "1110", "--record", "0", "--partitions", "1"]
MANY = 1000
SIDES = [("ours", "ours", {}), ("ours, durable", "ours", {"tandem.log.flush.on.ack": "true"}),
         ("Kafka", "apache", {})]


@dataclass
class Gate:
    name: str
    command: list[str]  # of kload
    figure: str  # the key of its output
    of_peer: float  # at least; at most where low is good
    low: bool = True


GATES = [
    Gate("acks=all 64 KiB, 4 connections, MiB/s",
         ["produce", "--acks", "-1", "--conns", "4", "--inflight", "5", "--partitions", "4"], "mib_s", 2.5,
         low=False),
    Gate("acks=all 1 KiB, p50 us", ["produce", "--acks", "-1", *SINGLE], "p50_us", 0.3),
    Gate("acks=all 1 KiB, p99 us", ["produce", "--acks", "-1", *SINGLE], "p99_us", 0.3),
    Gate("to a consumer, acks=all 1 KiB, p50 us",
         ["pingpong", "--acks", "-1", "--record", "1024", "--partitions", "1"], "e2e_p50_us", 0.3),
]


class Side:
    """A cluster and what was measured of it, by gate."""

    def __init__(self, name, cluster):
        self.name, self.cluster, self.seen = name, cluster, {}

    def keep(self, name, value):
        self.seen.setdefault(name, []).append(value)

    def middle(self, name):
        return statistics.median(self.seen[name])

    def pids(self):
        return [broker.pid for broker in self.cluster.brokers.values()]


def cluster_of(stack, directory, kind, config):
    ensemble = stack.enter_context(Ensemble(directory / "ensemble", [kind] * len(NUMBERS)))
    ensemble.connect = ensemble.hosts()

    def make(number):
        where, settings = directory / f"broker{number}", {"broker.id": number, **config}
        if kind == "ours":
            return servers.Broker(where, ensemble.connect, config=settings)
        return peers.ApacheKafka(where, ensemble.connect, config=settings, heap="1g")

    return stack.enter_context(Cluster(ensemble, make))


def resident_mib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def each_round(kload, sides, seconds):
    done = set()
    for gate in GATES:
        if (command := tuple(gate.command)) in done:
            continue
        done.add(command)
        for side in sides:
            got = figures(kload, *command, "--brokers", side.cluster.bootstrap, "--topic", "load",
                          "--pid", ",".join(map(str, side.pids())), "--seconds", seconds)
            for other in GATES:
                if tuple(other.command) == command:
                    side.keep(other.name, got[other.figure])


def start_again(kload, side):
    """Milliseconds until a cluster that was stopped has a leader for each partition and takes a write."""
    brokers = list(side.cluster.brokers.values())
    with ThreadPoolExecutor(len(brokers)) as pool:
        list(pool.map(lambda broker: broker.stop(timeout=120), brokers))
    began = time.time_ns()
    for broker in brokers:
        broker.launch()
    got = figures(kload, "waitready", "--brokers", brokers[0].bootstrap, "--topic", "many",
                  "--partitions", MANY, "--since", began, "--seconds", 120)
    for broker in brokers:
        wait.until(broker.ready, 120, "a broker that serves")
    return got["write_ms"]


def make_topics(kload, side):
    for topic, partitions in (("load", 4), ("many", MANY)):
        figures(kload, "create", "--brokers", side.cluster.bootstrap, "--topic", topic,
                "--partitions", partitions, "--rf", 3)
        for partition in (0, partitions - 1):
            side.cluster.await_in_sync(topic, partition=partition, seconds=60)


def judge(name, ours, others, of_peer, low=True):
    """Prints what was measured; whether the first of the sides holds its gate beside the last."""
    peer = others[-1]
    ratio = ours.middle(name) / peer.middle(name)
    beside = ", ".join(f"{side.name} {side.middle(name):,.1f}" for side in others)
    held = ratio <= of_peer if low else ratio >= of_peer
    print(f"{name}: {ours.middle(name):,.1f}, {beside} ({ratio:.2f}x of {peer.name}, asked "
          f"{'<=' if low else '>='} {of_peer}){'' if held else '  MISSED'}", flush=True)
    return held


def main():
    rounds, seconds = (sys.argv[1:] + ["5", "2"][len(sys.argv) - 1:])[:2]
    work = Path(tempfile.mkdtemp(prefix="tandem-ratios-"))
    kload = compiled("kload", work)
    with contextlib.ExitStack() as stack:
        sides = [Side(name, cluster_of(stack, work / f"side{number}", kind, config))
                 for number, (name, kind, config) in enumerate(SIDES)]
        for side in sides:
            make_topics(kload, side)
        for _ in range(int(rounds)):
            each_round(kload, sides, seconds)
        for side in sides:
            side.keep("memory of a broker, MiB", statistics.median(map(resident_mib, side.pids())))
        for _ in range(int(rounds)):
            for side in sides:
                side.keep("start with 1,000 partitions, ms", start_again(kload, side))
        ours, *others = sides
        held = [judge(gate.name, ours, others, gate.of_peer, gate.low) for gate in GATES]
        held.append(judge("memory of a broker, MiB", ours, others, 0.15))
        held.append(judge("start with 1,000 partitions, ms", ours, others, 0.2))
    shutil.rmtree(work, ignore_errors=True)
    print(f"gates held: {held.count(True)}, missed: {held.count(False)}")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
