#!/usr/bin/env python3
# Three tandem-coord beside three ZooKeeper 3.9.5: rates, and the time without writes when a leader dies,
# hangs or is cut off and when all start again, with the gates. Options go to tests/bench/run.py.
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    script = Path(__file__).resolve().parents[1] / "bench" / "run.py"
    parts = [word for part in ("ensemble", "failover", "failover-large") for word in ("--part", part)]
    parts = [] if "--part" in sys.argv or "--merge" in sys.argv else parts
    sys.argv = [str(script), "--gates", *parts, *sys.argv[1:]]
    runpy.run_path(str(script), run_name="__main__")
