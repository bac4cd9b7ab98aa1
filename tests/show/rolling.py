#!/usr/bin/env python3
# Three servers of ZooKeeper 3.9.5 under load, replaced one by one by tandem-coord on the same directories and
# put back: no acknowledged write, no session and no event is lost. `rolling.py [VERSION OF ZOOKEEPER]`
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.ensembles import Ensemble  # noqa: E402
from support.rolling import Rolling  # noqa: E402


def main():
    logging.getLogger("kazoo").setLevel(logging.ERROR)
    apache = " ".join(["apache", *sys.argv[1:2]])
    with tempfile.TemporaryDirectory(prefix="tandem-rolling-") as directory, \
            Ensemble(directory, [apache] * 3) as ensemble:
        rolling = Rolling(ensemble, say=lambda text: print(text, flush=True))
        try:
            figures = rolling.through(["ours", apache])
        finally:
            rolling.end()
    print("rolling: " + ", ".join(f"{name} {count}" for name, count in figures.items()))
    return 1 if any(count for name, count in figures.items() if "lost" in name) else 0


if __name__ == "__main__":
    sys.exit(main())
