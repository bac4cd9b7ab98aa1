#!/usr/bin/env python3
"""Server, peer and floor side by side: the table of docs/performance.md.

Every row runs its three sides in turn, round after round, and prints medians and their ratios: machines
are noisy, so only what ran in the same minutes is compared. With --gates the exit status says whether
every gate held.

  run.py [--part coord|memory|broker ...] [--rounds 3] [--seconds 2] [--gates] [--markdown FILE]
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers import peers  # noqa: E402
from support import ports, servers, wait  # noqa: E402

BENCH = servers.build_directory() / "tests" / "bench"


@dataclass
class Row:
    """One line of the table: the medians of a figure on the three sides, and what the gates ask of them."""

    name: str
    unit: str
    ours: float
    peer: float | None
    floor: float | None
    gates: list  # (label, ratio, comparison, bound)

    def held(self):
        return all(ratio >= bound if how == ">=" else ratio <= bound for _, ratio, how, bound in self.gates)


def load(program, *arguments, timeout=600):
    """A generator's run as a dict of its key=value pairs."""
    command = [str(BENCH / program), *map(str, arguments)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    pairs = dict(word.split("=", 1) for word in result.stdout.split() if "=" in word)
    return {
        key: float(value) if value.replace(".", "", 1).isdigit() else value for key, value in pairs.items()
    }


def median(figures, key):
    return statistics.median(figure[key] for figure in figures)


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
    # name, op, sessions, in flight, peer at least, floor at least
    ("getData 100 B, 1x1", "get", 1, 1, None, 0.8),
    ("getData 100 B, 64x16", "get", 64, 16, 10, 0.5),
    ("setData 100 B, 1x1", "set", 1, 1, None, 0.85),
    ("setData 100 B, 64x16", "set", 64, 16, 5, None),
]


def measure_coord(work, rounds, seconds):
    limits = {"maxClientCnxns": 0}
    ours = servers.Coord(work / "coord", config=limits)
    peer = peers.ApacheZooKeeper(work / "zookeeper", config=limits, heap="4g")
    rows = []
    with ours, peer:
        for server in (ours, peer):
            load(
                "zk-load", "fill", "--servers", server.connect, "--nodes", 1000, "--conns", 4, "--depth", 16
            )
        for name, op, sessions, depth, peer_least, floor_least in COORD_LOADS:
            figures = {"ours": [], "peer": [], "floor": []}
            common = ["--op", op, "--conns", sessions, "--depth", depth, "--time", seconds, "--warmup", 1]
            for _ in range(rounds):
                for side, server in (("ours", ours), ("peer", peer)):
                    figures[side].append(load("zk-load", "run", "--servers", server.connect, *common))
                with NullServer(work, op == "set", seconds + 30) as null:
                    figures["floor"].append(
                        load("zk-load", "run", "--servers", f"{ports.HOST}:{null.port}", *common)
                    )
            ours_rate, peer_rate, floor_rate = (
                median(figures[s], "ops_per_s") for s in ("ours", "peer", "floor")
            )
            gates = []
            if peer_least:
                gates.append(("of peer", ours_rate / peer_rate, ">=", peer_least))
            if floor_least:
                gates.append(("of floor", ours_rate / floor_rate, ">=", floor_least))
            rows.append(Row(name, "ops/s", ours_rate, peer_rate, floor_rate, gates))
    return rows


def rss_mib(server):
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no VmRSS of {server.pid}")


def snapshots(server):
    return len(list((server.directory / "data" / "version-2").glob("snapshot.*[0-9a-f]")))


def gate_at_most(name, unit, figure, bound):
    return Row(name, unit, figure, None, None, [("at most", figure, "<=", bound)])


def measure_memory(work, nodes, seconds):
    """Memory and start with a million znodes; stalls of single requests while a snapshot is written."""
    ours = servers.Coord(work / "coord-memory", config={"snapCount": nodes // 2, "maxClientCnxns": 0})
    rows = []
    with ours:
        rows.append(gate_at_most("RSS, empty", "MiB", rss_mib(ours), 12))
        fill = load(
            "zk-load", "fill", "--servers", ours.connect, "--nodes", nodes, "--conns", 8, "--depth", 64
        )
        rows.append(Row(f"fill {nodes} znodes", "s", fill["secs"], None, None, []))
        wait.until(lambda: snapshots(ours) >= 2, 60, "two snapshots")
        rows.append(gate_at_most(f"RSS, {nodes} znodes, two snapshots taken", "MiB", rss_mib(ours), 220))
        for op in ("get", "set"):
            rows.append(stall(ours, op, nodes, seconds))
    import time

    before = time.monotonic()
    with ours.start():
        rows.append(gate_at_most(f"start with {nodes} znodes", "s", time.monotonic() - before, 1.0))
        rows.append(gate_at_most("RSS after the restart", "MiB", rss_mib(ours), 220))
    return rows


def stall(server, op, nodes, seconds):
    """Largest latency of one open-loop session while writes push the server over snapCount."""
    background = subprocess.Popen(
        [
            str(BENCH / "zk-load"),
            "run",
            "--servers",
            server.connect,
            "--op",
            "set",
            "--nodes",
            str(nodes),
            "--conns",
            "4",
            "--depth",
            "64",
            "--time",
            str(seconds + 4),
            "--warmup",
            "0",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    taken = snapshots(server)
    figure = load(
        "zk-load",
        "run",
        "--servers",
        server.connect,
        "--op",
        op,
        "--nodes",
        nodes,
        "--rate",
        500,
        "--time",
        seconds,
        "--warmup",
        1,
    )
    background.wait(60)
    name = f"{op}Data, worst while {snapshots(server) - taken} snapshots of {nodes} znodes are written"
    return gate_at_most(name, "ms", figure["max_us"] / 1000, 20)


BROKER_LOADS = [
    # name, verb and its options, figure, unit, floor program and options, its figure, gates
    (
        "produce acks=1, 64 KiB, 4 connections",
        ["produce", "--conns", 4, "--inflight", 5],
        "mib_per_s",
        "MiB/s",
        ["ingest"],
        "mib_per_s",
        {"floor >=": 0.6, "peer >=": 1.5, "cpu_gib <=": 0.3},
    ),
    (
        "fetch cached, 1 MiB",
        ["fetch", "--conns", 4],
        "mib_per_s",
        "MiB/s",
        ["sendfile"],
        "mib_per_s",
        {"floor >=": 0.8, "peer >=": 1.0, "cpu_gib <=": 1.0},
    ),
    (
        "produce acks=1, 1 KiB, 1x1",
        ["produce", "--batch", 1110],
        "p50_us",
        "us p50",
        ["pingpong"],
        "p50_us",
        {"floor <=": 2.0, "peer <=": 0.65},
    ),
    (
        "Metadata, 4x16",
        ["meta", "--conns", 4, "--inflight", 16],
        "requests_per_s",
        "requests/s",
        None,
        None,
        {"cpu_request <=": 0.2},
    ),
]


def broker_gates(wanted, key, ours, peer, floor):
    sides = {
        "floor": lambda: median(ours, key) / floor,
        "peer": lambda: median(ours, key) / median(peer, key),
        "cpu_gib": lambda: median(ours, "server_cpu_s_per_gib") / median(peer, "server_cpu_s_per_gib"),
        "cpu_request": lambda: (
            median(ours, "server_cpu_us_per_request") / median(peer, "server_cpu_us_per_request")
        ),
    }
    gates = []
    for gate, bound in wanted.items():
        side, how = gate.split()
        label = {"floor": "of floor", "peer": "of peer"}.get(side, "CPU of peer")
        gates.append((label, sides[side](), how, bound))
    return gates


def measure_broker(work, rounds, seconds):
    rows = []
    with servers.Coord(work / "broker-coord") as coord, servers.Broker(
        work / "broker", coord.connect + "/ours"
    ) as ours, peers.ApacheKafka(work / "kafka", coord.connect + "/peer", heap="1g") as peer:
        brokers = {"ours": ours, "peer": peer}
        for broker in brokers.values():
            load("kafka-load", "create", "--broker", broker.bootstrap, "--topic", "load", "--partitions", 4)
        for name, verb, key, unit, floor_command, floor_key, wanted in BROKER_LOADS:
            figures = {"ours": [], "peer": [], "floor": []}
            for _ in range(rounds):
                for side, broker in brokers.items():
                    figures[side].append(
                        load(
                            "kafka-load",
                            *verb,
                            "--broker",
                            broker.bootstrap,
                            "--partitions",
                            4,
                            "--time",
                            seconds,
                            "--pid",
                            broker.pid,
                        )
                    )
                if floor_command:
                    figures["floor"].append(
                        load(
                            "floors",
                            *floor_command,
                            "--dir",
                            work,
                            "--time",
                            seconds,
                            "--port",
                            ports.free_port(),
                        )
                    )
            floor = median(figures["floor"], floor_key) if floor_command else None
            gates = broker_gates(wanted, key, figures["ours"], figures["peer"], floor)
            rows.append(
                Row(name, unit, median(figures["ours"], key), median(figures["peer"], key), floor, gates)
            )
    return rows


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(rows):
    lines = ["| work | unit | Tandem | Apache | floor | gates |", "|---|---|---|---|---|---|"]
    for row in rows:
        gates = "; ".join(
            f"{label} {ratio:.2f} ({how} {bound}{'' if row_held(ratio, how, bound) else ', missed'})"
            for label, ratio, how, bound in row.gates
        )
        lines.append(
            f"| {row.name} | {row.unit} | {number(row.ours)} | {number(row.peer)} | {number(row.floor)} "
            f"| {gates} |"
        )
    return "\n".join(lines)


def row_held(ratio, how, bound):
    return ratio >= bound if how == ">=" else ratio <= bound


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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=["coord", "memory", "broker"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--gates", action="store_true")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    parts = options.part or ["coord", "memory", "broker"]
    work = Path(tempfile.mkdtemp(prefix="tandem-bench-"))
    rows = []
    try:
        if "coord" in parts:
            rows += measure_coord(work, options.rounds, options.seconds)
        if "memory" in parts:
            rows += measure_memory(work, options.nodes, max(options.seconds, 5))
        if "broker" in parts:
            rows += measure_broker(work, options.rounds, options.seconds)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = f"{machine()}; medians of {options.rounds} rounds of {options.seconds:g} s\n\n{table(rows)}\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    missed = [row.name for row in rows if not row.held()]
    print(
        f"gates: {len([r for r in rows if r.gates]) - len(missed)} held, {len(missed)} missed"
        + "".join(f"\n  missed: {name}" for name in missed)
    )
    return 1 if options.gates and missed else 0


if __name__ == "__main__":
    sys.exit(main())
