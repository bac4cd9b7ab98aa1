#!/usr/bin/env python3
# tandem-broker beside Kafka 3.9.1 and the machine's floor, in one run: produce, cached fetch, single records,
# small requests, with the gates. `ratios-broker.py [ROUNDS [SECONDS]]`; the generators: ../shared/bench.
import re
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from peers import peers  # noqa: E402
from support import page_cache, servers  # noqa: E402
from support.generators import compiled, figures, output  # noqa: E402


@dataclass
class Work:
    name: str
    command: list[str]  # of kload
    figure: str  # the key of its output
    floor: tuple[str, str] | None  # part of rawlimits, and the start of the line that counts
    cpu: str
    of_floor: float | None  # at least, or at most for a latency
    of_peer: float | None
    cpu_of_peer: float | None
    latency: bool = False


WORKS = [
    Work("produce acks=1, 64 KiB, 4 connections", ["produce", "--conns", "4", "--inflight", "5"], "mib_s",
         ("ingest", r"ingest recv\+crc\+append +batch64 +KiB +([0-9.]+)"), "server_cpu_s_per_gib",
         0.6, 1.5, 0.3),
    Work("fetch cached, 1 MiB", ["fetch", "--conns", "4"], "mib_s",
         ("sendfile", r"sendfile +chunk1024 +KiB recv_copy +([0-9.]+)"), "server_cpu_s_per_gib",
         0.8, 1.0, 1.0),
    Work("produce acks=1, 1 KiB, 1x1, p50 us", ["produce", "--batch", "1110", "--record", "0"], "p50_us",
         ("net", r"pingpong_100B_epoll .* p50 ([0-9.]+)"), "server_cpu_s_per_kreq",
         2.0, 0.65, None, True),
    Work("produce acks=1, 1 KiB, 4x16, p50 us",
         ["produce", "--batch", "1110", "--record", "0", "--conns", "4", "--inflight", "16"], "p50_us",
         None, "server_cpu_s_per_kreq", None, 0.65, 0.2, True),
    Work("Metadata, 4x16, requests/s", ["meta", "--conns", "4", "--inflight", "16"], "req_s",
         None, "server_cpu_s_per_kreq", None, 1.0, 0.2),
]


# What is read is as much on both sides, however fast each was written to before: how much of it the caches of
# the processor hold, and where in memory the rest is, counts in what reading costs.
READ_TOPIC = "read"
READ_WRITTEN = ["--rate", 2000, "--seconds", 8, "--conns", 4, "--inflight", 5]  # batches of 64 KiB a second
READ_APART = 0.01  # of the longer topic: a broker that could not follow that rate has a shorter one


def floor_of(program, part, pattern, work):
    if part == "ingest":
        page_cache.fill(work)
    arguments = ["0.3"] if part == "net" else [work, "1"]
    return float(re.search(pattern, output(program, part, *arguments)).group(1))


def measured(kload, each, broker, seconds, work):
    topic = "load"
    if each.command[0] == "fetch":
        topic = READ_TOPIC
        page_cache.warm(broker.directory)
    if each.figure == "mib_s" and each.command[0] == "produce":
        page_cache.fill(work)
    return figures(kload, *each.command, "--brokers", broker.bootstrap, "--topic", topic, "--pid", broker.pid,
                   "--partitions", 4, "--seconds", seconds)


def topics_made(kload, broker):
    """The topic that is written, and the one that is read; the records in the latter."""
    at = ["--brokers", broker.bootstrap, "--partitions", 4]
    output(kload, "create", *at)
    output(kload, "create", *at, "--topic", READ_TOPIC)
    return figures(kload, "produce", *at, "--topic", READ_TOPIC, *READ_WRITTEN)["acked_records_total"]


def same_length(written):
    return max(written) - min(written) <= READ_APART * max(written)


def judge(each, ours, peer, floor):
    """The line to print, and whether the gates of this work held."""
    def middle(side, key):
        return statistics.median(run[key] for run in side)

    a, b = middle(ours, each.figure), middle(peer, each.figure)
    cpu = middle(ours, each.cpu) / middle(peer, each.cpu)
    sign = -1 if each.latency else 1
    text = f"{each.name}: {a:,.0f}, Kafka {b:,.0f} ({a / b:.2f}x), CPU of Kafka's {cpu:.2f}"
    held = not each.cpu_of_peer or cpu <= each.cpu_of_peer
    held = held and (not each.of_peer or sign * a / b >= sign * each.of_peer)
    if floor:
        c = statistics.median(floor)
        text += f", floor {c:,.0f} ({a / c:.2f})"
        held = held and sign * a / c >= sign * each.of_floor
    return text + ("" if held else "  MISSED"), held


def main():
    rounds, seconds = (sys.argv[1:] + ["5", "2"][len(sys.argv) - 1:])[:2]
    work = Path(tempfile.mkdtemp(prefix="tandem-ratios-"))
    kload, rawlimits = compiled("kload", work), compiled("rawlimits", work)
    missed = 0
    with servers.Coord(work / "coord") as coord, \
            servers.Broker(work / "ours", coord.connect + "/ours") as ours, \
            peers.ApacheKafka(work / "peer", coord.connect + "/peer", heap="1g") as peer:
        page_cache.fill(work)
        written = [topics_made(kload, broker) for broker in (ours, peer)]
        print("{:,.0f} and {:,.0f} records to read".format(*written), flush=True)
        if not same_length(written):
            sys.exit("the topics to read are not of the same length: reading them cannot be compared")
        for each in WORKS:
            runs = [(measured(kload, each, ours, seconds, work), measured(kload, each, peer, seconds, work),
                     floor_of(rawlimits, *each.floor, work) if each.floor else None)
                    for _ in range(int(rounds))]
            sides = list(zip(*runs))
            line, held = judge(each, sides[0], sides[1], sides[2] if each.floor else None)
            missed += not held
            print(line, flush=True)
    shutil.rmtree(work, ignore_errors=True)
    print(f"gates of {len(WORKS) - missed} works held, of {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
