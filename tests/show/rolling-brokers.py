#!/usr/bin/env python3
# Three brokers of Kafka 3.9.1 under load, replaced one by one by tandem-broker on the same log.dirs and put
# back: nothing is lost, doubled or reordered, no partition pauses for long, no log recovered or rebuilt, all
# replicas equal.
# `rolling-brokers.py [3.9.1 | 2.7.2]...`; without an argument both, 2.7.2 with its own inter-broker protocol.
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import peers  # noqa: E402
from support.broker_rolling import JAVA, Rolling  # noqa: E402
from support.clusters import Cluster  # noqa: E402
from support.ensembles import Ensemble  # noqa: E402

MUST_BE_ZERO = ("failed", "lost", "duplicated", "reordered", "skipped", "commits lost", "out of place",
                "complaints", "replicas unequal", "pauses too long")


def protocol(version):
    return {"inter.broker.protocol.version": "2.7"} if version.startswith("2.7") else {}


def roll(version):
    theirs = f"apache {version}"
    with tempfile.TemporaryDirectory(prefix="tandem-rolling-brokers-") as directory:
        directory = Path(directory)
        with Ensemble(directory / "ensemble", ["ours"] * 3) as ensemble, \
                Cluster(directory, ensemble.hosts(), [theirs] * 3, config=protocol(version),
                        java=JAVA) as cluster:
            rolling = Rolling(cluster, version, say=lambda text: print(text, flush=True))
            figures = rolling.through(["ours", theirs])
    print(f"Kafka {version}: " + ", ".join(f"{name} {count}" for name, count in figures.items()), flush=True)
    return [name for name in MUST_BE_ZERO if figures[name]]


def main():
    short = {version: roll(version) for version in sys.argv[1:] or [peers.KAFKA, peers.KAFKA_OLD]}
    good = not any(short.values())
    print("rolling-brokers: " + ("nothing lost, doubled or reordered, no log recovered" if good
                                 else f"FELL SHORT: {short}"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
