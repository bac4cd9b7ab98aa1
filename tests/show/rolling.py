#!/usr/bin/env python3
# Three servers of ZooKeeper 3.9.5, of 3.8.4 and of 3.5.10 under load, replaced one by one by tandem-coord on
# the same directories and put back: no acknowledged write, no session and no event is lost.
# `rolling.py [VERSION...]`
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.ensembles import Ensemble  # noqa: E402
from support.rolling import Rolling  # noqa: E402


VERSIONS = ("3.9.5", "3.8.4", "3.5.10")


def replaced(version):
    apache = f"apache {version}"
    with tempfile.TemporaryDirectory(prefix="tandem-rolling-") as directory, \
            Ensemble(directory, [apache] * 3) as ensemble:
        rolling = Rolling(ensemble, say=lambda text: print(text, flush=True))
        try:
            return rolling.through(["ours", apache])
        finally:
            rolling.end()


def main():
    logging.getLogger("kazoo").setLevel(logging.ERROR)
    figures = {version: replaced(version) for version in sys.argv[1:] or VERSIONS}
    for version, counts in figures.items():
        print(f"rolling, {version}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    lost = sum(count for counts in figures.values() for name, count in counts.items() if "lost" in name)
    print(f"rolling: {len(figures)} versions there and back, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
