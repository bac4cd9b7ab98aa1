#!/usr/bin/env python3
"""Server, peer and floor side by side: the table of docs/performance.md.

Every row runs its three sides in turn, round after round, and the table has medians and their ratios:
machines are noisy, so only what ran in the same minutes is compared. With --gates the exit status says
whether every gate held. A part takes less than five minutes; its samples can be kept and put
together with those of others:

  run.py [--part PART ...] [--rounds 5] [--seconds 2] [--gates] [--markdown FILE]
  run.py --part coord --record FILE      for each part, whenever the machine is quiet; a FILE may be added to
  run.py --merge FILE... [--gates] [--markdown FILE]
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import ensemble  # noqa: E402
from load import BENCH, load  # noqa: E402
from peers import peers  # noqa: E402
from support import page_cache, ports, servers, wait  # noqa: E402


@dataclass
class Row:
    """One line of the table: a figure of each side's samples, and what the gates ask of them.

    Gates are "floor >=", "peer >=" and so on for ratios of medians, "value <=" for the figure itself;
    "cpu KEY <=" compares another figure with the peer's.
    """

    part: str
    name: str
    unit: str
    key: str
    gates: dict = field(default_factory=dict)
    worst: bool = False  # the largest of all samples is what counts, not their median
    of: str = ""  # the row whose samples these are, when there are two figures to a load


ROWS = [
    Row("coord", "getData 100 B, 1x1", "ops/s", "ops_per_s", {"floor >=": 0.8}),
    Row("coord", "getData 100 B, 64x16", "ops/s", "ops_per_s", {"peer >=": 10, "floor >=": 0.5}),
    Row("coord", "setData 100 B, 1x1", "ops/s", "ops_per_s", {"floor >=": 0.85}),
    Row("coord", "setData 100 B, 64x16", "ops/s", "ops_per_s", {"peer >=": 5}),
    Row("memory", "RSS, empty", "MiB", "mib", {"value <=": 12}),
    Row("memory", "fill", "s", "secs"),
    Row("memory", "RSS after the fill, two snapshots taken", "MiB", "mib", {"value <=": 220}),
    Row("memory", "worst getData 1x1 open loop, snapshots written", "ms", "ms", {"value <=": 20}, True),
    Row("memory", "worst setData 1x1 open loop, snapshots written", "ms", "ms", {"value <=": 20}, True),
    Row("memory", "worst getData, the same beside 4x64 writers", "ms", "ms", worst=True),
    Row("memory", "worst setData, the same beside 4x64 writers", "ms", "ms", worst=True),
    Row("memory", "start to the first answer", "s", "secs", {"value <=": 1.0}),
    Row("memory", "RSS after the restart", "MiB", "mib", {"value <=": 220}),
    Row("broker", "produce acks=1, 64 KiB, 4 connections", "MiB/s", "mib_per_s",
        {"floor >=": 0.6, "peer >=": 1.5, "cpu server_cpu_s_per_gib <=": 0.3}),
    Row("broker", "fetch cached, 1 MiB", "MiB/s", "mib_per_s",
        {"floor >=": 0.8, "peer >=": 1.0, "cpu server_cpu_s_per_gib <=": 1.0}),
    Row("broker", "produce acks=1, 1 KiB, 1x1", "us p50", "p50_us", {"floor <=": 2.0, "peer <=": 0.65}),
    # No gate: with one request under way its CPU is the kernel's wake-ups, which the floor shows.
    Row("broker", "the same, CPU of a request", "us", "server_cpu_us_per_request",
        of="produce acks=1, 1 KiB, 1x1"),
    Row("broker", "produce acks=1, 1 KiB, 4x16", "requests/s", "requests_per_s",
        {"cpu server_cpu_us_per_request <=": 0.2}),
    Row("broker", "Metadata, 4x16", "requests/s", "requests_per_s",
        {"cpu server_cpu_us_per_request <=": 0.2}),
    Row("ensemble", "setData 100 B, 1x1, three servers", "us p50", "p50_us", {"peer <=": 0.6}),
    Row("ensemble", "setData 100 B, 64x16, three servers", "ops/s", "ops_per_s", {"peer >=": 5}),
    Row("ensemble", "getData 100 B, 64x16, three servers", "ops/s", "ops_per_s", {"peer >=": 8}),
    Row("failover", "leader killed to first write, 1,000 znodes", "ms", "ms", {"value <=": 150}),
    Row("failover", "leader stopped (SIGSTOP) to first write", "ms", "ms", {"value <=": 1500}),
    Row("failover", "leader cut off to first write", "ms", "ms", {"value <=": 1500}),
    Row("failover-large", "leader killed to first write, a million znodes", "ms", "ms", {"value <=": 250}),
    Row("failover-large", "all restarted to first write, a million znodes", "ms", "ms", {"value <=": 3000}),
]


class Samples:
    """What was measured: for each row and side the figures of every round."""

    def __init__(self):
        self.figures = {}

    def add(self, name, side, figures):
        if not any(row.name == name for row in ROWS):
            raise ValueError(f"no row is called {name}")
        self.figures.setdefault(name, {}).setdefault(side, []).append(figures)

    def of(self, name, side, key):
        return [figures[key] for figures in self.figures.get(name, {}).get(side, [])]

    def merge(self, other):
        for name, sides in other.items():
            for side, figures in sides.items():
                for each in figures:
                    self.add(name, side, each)


class NullServer:
    """The generator's own null server, with or without a log."""

    def __init__(self, directory, logged, seconds):
        self.port = ports.free_port()
        log = ["--log", str(directory / "null.log")] if logged else []
        command = [str(BENCH / "zk-load"), "null", "--port", str(self.port), "--time", str(seconds), *log]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def __enter__(self):
        wait.until(self.accepts, 30, "the null server")
        return self

    def accepts(self):
        import socket

        with socket.socket() as probe:
            return probe.connect_ex((ports.HOST, self.port)) == 0

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


COORD_LOADS = [
    # row, op, sessions, in flight
    ("getData 100 B, 1x1", "get", 1, 1),
    ("getData 100 B, 64x16", "get", 64, 16),
    ("setData 100 B, 1x1", "set", 1, 1),
    ("setData 100 B, 64x16", "set", 64, 16),
]


def measure_coord(samples, work, options):
    limits = {"maxClientCnxns": 0}
    with servers.Coord(work / "coord", config=limits) as ours, peers.ApacheZooKeeper(
        work / "zookeeper", config=limits, heap="4g"
    ) as peer:
        for server in (ours, peer):
            load("zk-load", "fill", "--servers", server.connect, "--nodes", 1000, "--conns", 4, "--depth", 16)
        for _ in range(options.rounds):
            for name, op, sessions, depth in COORD_LOADS:
                common = ["--op", op, "--conns", sessions, "--depth", depth, "--time", options.seconds]
                for side, server in (("ours", ours), ("peer", peer)):
                    samples.add(name, side, load("zk-load", "run", "--servers", server.connect, *common))
                with NullServer(work, op == "set", options.seconds + 30) as null:
                    address = f"{ports.HOST}:{null.port}"
                    samples.add(name, "floor", load("zk-load", "run", "--servers", address, *common))


def rss_mib(server):
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return {"mib": int(line.split()[1]) / 1024}
    raise RuntimeError(f"no VmRSS of {server.pid}")


def snapshots(server):
    return len(list((server.directory / "data" / "version-2").glob("snapshot.*[0-9a-f]")))


def measure_memory(samples, work, options):
    """Memory and start with a million znodes; stalls of single requests while snapshots are written."""
    directory, nodes = work / "coord-memory", options.nodes
    with servers.Coord(directory, config={"snapCount": nodes // 2}) as ours:
        samples.add("RSS, empty", "ours", rss_mib(ours))
        fill = ["fill", "--servers", ours.connect, "--nodes", nodes, "--conns", 8, "--depth", 64]
        samples.add("fill", "ours", load("zk-load", *fill))
        wait.until(lambda: snapshots(ours) >= 2, 60, "two snapshots")
        samples.add("RSS after the fill, two snapshots taken", "ours", rss_mib(ours))
    measure_starts(samples, directory, options)
    with servers.Coord(directory, config={"snapCount": 1000}) as ours:
        for _ in range(options.rounds):
            for op in ("get", "set"):
                figure = stall(ours, op, nodes, options.seconds, ["--rate", 500])
                samples.add(f"worst {op}Data 1x1 open loop, snapshots written", "ours", figure)
    with servers.Coord(directory, config={"snapCount": nodes // 10}) as ours:
        for op in ("get", "set"):
            figure = stall(ours, op, nodes, options.seconds, ["--conns", 4, "--depth", 64], ["--depth", 64])
            samples.add(f"worst {op}Data, the same beside 4x64 writers", "ours", figure)


def measure_starts(samples, directory, options):
    ours = servers.Coord(directory)
    for _ in range(options.rounds):
        before = time.monotonic()
        ours.launch()
        wait.until(lambda: ours.ready(), 60, "the first answer", interval=0.001)
        samples.add("start to the first answer", "ours", {"secs": time.monotonic() - before})
        samples.add("RSS after the restart", "ours", rss_mib(ours))
        ours.stop()


def stall(server, op, nodes, seconds, writers, prober=()):
    """Largest latency of one open-loop session, counted from when a request was due, while writers push the
    server over snapCount again and again."""
    taken = snapshots(server)
    common = ["--servers", server.connect, "--nodes", nodes]
    command = [BENCH / "zk-load", "run", *common, "--op", "set", *writers, "--time", seconds + 8]
    nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    background = subprocess.Popen(list(map(str, command)), **nothing)
    try:
        wait.until(lambda: snapshots(server) > taken, 60, "a first snapshot")
        figure = load("zk-load", "run", *common, "--op", op, "--rate", 500, *prober, "--time", seconds + 4)
    finally:
        background.wait(60)
    if snapshots(server) < taken + 2:
        raise RuntimeError("no snapshot was written meanwhile")
    return {"ms": figure["max_us"] / 1000, "p99_ms": figure["p99_us"] / 1000}


BROKER_LOADS = [
    # row, verb and its options, floor program and options
    ("produce acks=1, 64 KiB, 4 connections", ["produce", "--conns", 4, "--inflight", 5], ["ingest"]),
    ("fetch cached, 1 MiB", ["fetch", "--conns", 4], ["sendfile"]),
    ("produce acks=1, 1 KiB, 1x1", ["produce", "--batch", 1110], ["pingpong"]),
    ("produce acks=1, 1 KiB, 4x16", ["produce", "--batch", 1110, "--conns", 4, "--inflight", 16], None),
    ("Metadata, 4x16", ["meta", "--conns", 4, "--inflight", 16], None),
]


def measure_broker(samples, work, options):
    directories = {"ours": work / "broker", "peer": work / "kafka"}
    with servers.Coord(work / "broker-coord") as coord, servers.Broker(
        directories["ours"], coord.connect + "/ours"
    ) as ours, peers.ApacheKafka(directories["peer"], coord.connect + "/peer", heap="1g") as peer:
        brokers = {"ours": ours, "peer": peer}
        for broker in brokers.values():
            load("kafka-load", "create", "--broker", broker.bootstrap, "--topic", "load", "--partitions", 4)
        for name, verb, floor in BROKER_LOADS:
            for _ in range(options.rounds):
                for side, broker in brokers.items():
                    if verb[0] == "fetch":
                        page_cache.warm(directories[side])
                    common = ["--partitions", 4, "--time", options.seconds, "--pid", broker.pid]
                    figures = load("kafka-load", *verb, "--broker", broker.bootstrap, *common)
                    samples.add(name, side, figures)
                if floor:
                    common = ["--dir", work, "--time", options.seconds, "--port", ports.free_port()]
                    samples.add(name, "floor", load("floors", *floor, *common))


def figure_of(samples, row, side, key=None):
    values = samples.of(row.of or row.name, side, key or row.key)
    if not values:
        return None
    return max(values) if row.worst else statistics.median(values)


def judge(samples, row):
    """[(what, figure or ratio, "<=" or ">=", bound)] of the row's gates."""
    ours = figure_of(samples, row, "ours")
    out = []
    for gate, bound in row.gates.items():
        what, *key, how = gate.split()
        if what == "value":
            out.append(("", ours, how, bound))
        elif what == "cpu":
            mine, theirs = (figure_of(samples, row, side, key[0]) for side in ("ours", "peer"))
            out.append(("CPU of peer ", mine / theirs, how, bound))
        else:
            out.append((f"of {what} ", ours / figure_of(samples, row, what), how, bound))
    return out


def held(ratio, how, bound):
    return ratio >= bound if how == ">=" else ratio <= bound


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def table(samples):
    """The markdown, and the names of the rows whose gates were missed and held."""
    lines = ["| work | unit | Tandem | Apache | floor | gates |", "|---|---|---|---|---|---|"]
    missed, good = [], []
    for row in ROWS:
        if figure_of(samples, row, "ours") is None:
            continue
        verdicts = judge(samples, row)
        if verdicts:
            (good if all(held(*verdict[1:]) for verdict in verdicts) else missed).append(row.name)
        gates = "; ".join(
            f"{what}{number(ratio)} ({how} {bound}{'' if held(ratio, how, bound) else ', missed'})"
            for what, ratio, how, bound in verdicts
        )
        sides = " | ".join(number(figure_of(samples, row, side)) for side in ("ours", "peer", "floor"))
        lines.append(f"| {row.name} | {row.unit} | {sides} | {gates} |")
    return "\n".join(lines), missed, good


def machine():
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}"


SINGLE = {"coord": measure_coord, "memory": measure_memory, "broker": measure_broker}
PARTS = {**SINGLE, **ensemble.PARTS}


def measure(samples, options):
    work = Path(tempfile.mkdtemp(prefix="tandem-bench-"))
    try:
        for part in options.part or SINGLE:
            PARTS[part](samples, work, options)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.record:
        recorded = Samples()
        if options.record.exists():
            recorded.merge(json.loads(options.record.read_text()))
        recorded.merge(samples.figures)
        options.record.write_text(json.dumps(recorded.figures))


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=list(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--gates", action="store_true")
    parser.add_argument("--record", type=Path, help="add the samples to this file")
    parser.add_argument("--merge", type=Path, nargs="+", help="measure nothing: the samples of these files")
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


def main():
    options = parse_options()
    samples = Samples()
    if options.merge:
        for path in options.merge:
            samples.merge(json.loads(path.read_text()))
    else:
        measure(samples, options)
    rows, missed, good = table(samples)
    rounds = max(len(each) for sides in samples.figures.values() for each in sides.values())
    text = f"{machine()}; medians of {rounds} rounds, worst of all where it says so\n\n{rows}\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    print(f"gates: {len(good)} held, {len(missed)} missed")
    for name in missed:
        print(f"  missed: {name}")
    return 1 if options.gates and missed else 0


if __name__ == "__main__":
    sys.exit(main())
